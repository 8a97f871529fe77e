"""How does a connection get its tokens? OAuth2 as each platform speaks it: what is asked for, kept and understood.

Nothing here is stored: the vault keeps a credential before it is used for the first time, and sees to it that only one
process renews it at a time.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from connectors.kit import clock
from connectors.kit.errors import (
    AuthExpired,
    ConnectorError,
    GrantDead,
    InvalidRequest,
    Permission,
    RateLimited,
    Unavailable,
)
from connectors.kit.fields import Secret, UtcDatetime
from connectors.kit.http import retry_after_s

if TYPE_CHECKING:
    import requests

    from connectors.kit.http import Http

_ERRORS: dict[type[ConnectorError], str] = {
    GrantDead: "invalid_grant",
    Permission: """invalid_client unauthorized_client deleted_client access_denied admin_policy_enforced org_internal
        insufficient_scope""",
    InvalidRequest: "invalid_scope redirect_uri_mismatch unsupported_grant_type invalid_request",
    RateLimited: "rate_limit_exceeded slow_down",
    Unavailable: "internal_failure server_error temporarily_unavailable",
}
_OF_ERROR = {name: kind for kind, names in _ERRORS.items() for name in names.split()}


class OAuthCredential(BaseModel):
    """An app's identity, and the tokens of whoever agreed to it.

    Attributes:
        expires_at: When the access token ends; None if it does not.
        refresh_expires_at: When a person has to agree again at the latest; None if the platform names no such day.
        scopes: What was granted, which may be less than was asked for; empty if the platform does not say.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    client_id: str = Field(min_length=1, description="Id of the app, from the platform's developer console.")
    client_secret: Secret | None = Field(default=None, description="Secret of the app.")
    refresh_token: Secret | None = Field(default=None, description="Brings new access tokens.")
    refresh_expires_at: UtcDatetime | None = None
    access_token: Secret | None = Field(default=None, description="Goes into each request; renewed by itself.")
    expires_at: UtcDatetime | None = None
    scopes: tuple[str, ...] = ()

    def bearer(self) -> dict[str, str]:
        """The header that every request carries.

        Raises:
            AuthExpired: There is no access token (yet).
        """
        if self.access_token is None:
            raise AuthExpired("the connection has no access token; `neonhub connections refresh` fetches one")
        return {"Authorization": f"Bearer {self.access_token.get_secret_value()}"}


C = TypeVar("C", bound=OAuthCredential)


@dataclass(frozen=True, kw_only=True)
class OAuth:
    """A platform's OAuth2 in the words of RFC 6749; what differs from it is overridden in the platform's own file.

    Attributes:
        authorize_url: Where a person agrees in a browser; None if nobody has to.
        token_url: Where codes and refresh tokens are exchanged; its host is one of the connector's.
        scopes: What is asked for.
        basic: Whether the app proves itself in the header instead of the form.
        pkce: Whether the platform takes a code challenge (RFC 7636).
        authorize_params: What the authorize URL needs besides.
        ahead_s: Seconds before its end from which an access token is renewed.
    """

    authorize_url: str | None
    token_url: str
    scopes: tuple[str, ...]
    basic: bool = False
    pkce: bool = True
    authorize_params: Mapping[str, str] = field(default_factory=dict)
    ahead_s: float = 225.0

    def authorize(self, client_id: str, *, redirect_uri: str, state: str, verifier: str) -> str:
        """The address that a person opens to agree.

        Args:
            verifier: Secret of this one consent; only its digest is shown.
        """
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = {
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        query = {
            "client_id": client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": " ".join(self.scopes),
            "state": state,
            **(challenge if self.pkce else {}),
            **self.authorize_params,
        }
        return f"{self.authorize_url}?{urlencode(query)}"

    def exchange(self, http: Http, credential: C, *, code: str, redirect_uri: str, verifier: str) -> C:
        """Turn the code that the redirect brought into tokens; a code works once.

        Raises:
            ConnectorError: It did not work; the class says why.
        """
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        return self._ask(http, credential, {**form, **({"code_verifier": verifier} if self.pkce else {})})

    def refresh(self, http: Http, credential: C) -> C:
        """Fetch a new access token. The answer must be kept before it is used: the old refresh token may be void.

        Raises:
            GrantDead: A person has to agree again.
            ConnectorError: It did not work this time.
        """
        if credential.refresh_token is None:
            raise GrantDead("the connection has no refresh token; add its consent anew")
        token = credential.refresh_token.get_secret_value()
        return self._ask(http, credential, {"grant_type": "refresh_token", "refresh_token": token})

    def is_stale(self, credential: OAuthCredential, now: datetime) -> bool:
        """Whether the access token must be renewed before it is used."""
        if credential.access_token is None:
            return True
        return credential.expires_at is not None and credential.expires_at - now < timedelta(seconds=self.ahead_s)

    def _ask(self, http: Http, credential: C, form: Mapping[str, str]) -> C:
        secret = "" if credential.client_secret is None else credential.client_secret.get_secret_value()
        if self.basic:
            # A renewal changes nothing that our users see: repeating it is not an effect.
            answer = http.request("POST", self.token_url, effect=False, data=form, auth=(credential.client_id, secret))
        else:
            named = {"client_id": credential.client_id, **({"client_secret": secret} if secret else {})}
            answer = http.request("POST", self.token_url, effect=False, data={**form, **named})
        return granted(credential, token_answer(answer))


def token_answer(answer: requests.Response) -> dict[str, Any]:
    """What a token endpoint answered (RFC 6749 section 5).

    Raises:
        ConnectorError: An error; ``GrantDead`` only if the platform names the grant.
    """
    try:
        body = answer.json()
    except ValueError:
        body = None
    error = body.get("error") if isinstance(body, dict) else None
    if answer.ok and isinstance(body, dict) and error is None and isinstance(body.get("access_token"), str):
        return body
    code = error if isinstance(error, str) else None
    kind = _OF_ERROR.get(code or "") or _of_status(answer.status_code)
    message = f"the token endpoint answered {answer.status_code}" + (f" {code}" if code in _OF_ERROR else "")
    if kind is RateLimited:
        raise RateLimited(
            message, retry_after_s=retry_after_s(answer.headers), code=code, http_status=answer.status_code
        )
    raise kind(message, code=code if code in _OF_ERROR else None, http_status=answer.status_code)


def _of_status(status: int) -> type[ConnectorError]:
    if status == 429:
        return RateLimited
    if status in (401, 403):
        return Permission
    return InvalidRequest if 400 <= status < 500 and status != 408 else Unavailable


def granted(credential: C, body: Mapping[str, Any]) -> C:
    """The credential with what a token endpoint granted; what it does not mention stays as it was."""
    now = clock.now()
    refresh = body.get("refresh_token")
    scope = body.get("scope")
    return credential.model_copy(
        update={
            "access_token": SecretStr(str(body["access_token"])),
            "expires_at": _ends(now, body.get("expires_in")),
            **({"refresh_token": SecretStr(refresh)} if isinstance(refresh, str) and refresh else {}),
            **(
                {"refresh_expires_at": _ends(now, body["refresh_token_expires_in"])}
                if body.get("refresh_token_expires_in")
                else {}
            ),
            **({"scopes": tuple(scope.replace(",", " ").split())} if isinstance(scope, str) and scope else {}),
        }
    )


def _ends(now: datetime, seconds: Any) -> datetime | None:
    if isinstance(seconds, str) and seconds.isdigit():
        seconds = int(seconds)
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or seconds <= 0:
        return None
    return (now + timedelta(seconds=seconds)).astimezone(UTC)
