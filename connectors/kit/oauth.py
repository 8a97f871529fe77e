"""How does a connection get its tokens? OAuth2 as each platform speaks it: what is asked for, kept and understood.

This is the authorization-code flow with refresh tokens; ``grants.py`` holds the others. Nothing here is stored: the
vault keeps a credential before it is used for the first time, and sees to it that only one process renews it at a time.
"""

from __future__ import annotations

import base64
import hashlib
import re
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
_LONGEST_S = 100 * 366 * 86_400
_TOKEN = re.compile(r"[\x21-\x7e]{1,8192}")
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
        code_name: What the platform calls the code that its redirect brings.
        scope_separator: What stands between two scopes in the authorize URL.
        loopback: Whether the platform sends people back to ``http://127.0.0.1``; else they copy the address.
        errors: What the token endpoint's own error names mean, besides those of RFC 6749.
        ahead_s: Seconds before its end from which an access token is renewed.
    """

    authorize_url: str | None
    token_url: str
    scopes: tuple[str, ...]
    basic: bool = False
    pkce: bool = True
    authorize_params: Mapping[str, str] = field(default_factory=dict)
    code_name: str = "code"
    scope_separator: str = " "
    loopback: bool = True
    errors: Mapping[str, type[ConnectorError]] = field(default_factory=dict)
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
            "scope": self.scope_separator.join(self.scopes),
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

    def renews(self, credential: OAuthCredential) -> bool:
        """Whether ``refresh`` has something to ask with; if not, what the access token's end leaves is a person."""
        return credential.refresh_token is not None

    def is_stale(self, credential: OAuthCredential, now: datetime) -> bool:
        """Whether the access token is to be renewed before it is used."""
        if self.is_over(credential, now):
            return True
        return credential.expires_at is not None and credential.expires_at - now < timedelta(seconds=self.ahead_s)

    def is_over(self, credential: OAuthCredential, now: datetime) -> bool:
        """Whether the access token cannot be used any more, if there is one at all."""
        return credential.access_token is None or (credential.expires_at is not None and credential.expires_at <= now)

    def ends_at(self, credential: OAuthCredential) -> datetime | None:
        """When a person has to agree again at the latest; None if the platform names no such day."""
        return credential.refresh_expires_at if self.renews(credential) else credential.expires_at

    def missing(self, credential: OAuthCredential) -> tuple[str, ...]:
        """The scopes that were asked for and not granted; none if the platform does not say what it granted."""
        return tuple(scope for scope in self.scopes if credential.scopes and scope not in credential.scopes)

    def adopt(self, credential: C) -> C:
        """A credential that a person brought instead of agreeing in a browser, with what is known of its tokens."""
        return credential

    def _ask(self, http: Http, credential: C, form: Mapping[str, str]) -> C:
        secret = "" if credential.client_secret is None else credential.client_secret.get_secret_value()
        url = self.token_url
        if self.basic:
            # A renewal changes nothing that our users see: repeating it is not an effect.
            answer = http.request("POST", url, effect=False, data=form, auth=(credential.client_id, secret))
        else:
            named = {"client_id": credential.client_id, **({"client_secret": secret} if secret else {})}
            answer = http.request("POST", url, effect=False, data={**form, **named})
        return granted(credential, token_answer(answer, self.errors))


def token_answer(answer: requests.Response, errors: Mapping[str, type[ConnectorError]] | None = None) -> dict[str, Any]:
    """What a token endpoint answered (RFC 6749 section 5).

    Args:
        errors: The platform's own error names.

    Raises:
        ConnectorError: An error; ``GrantDead`` only if the platform names the grant.
    """
    try:
        body = answer.json()
    except ValueError:
        body = None
    error = body.get("error") if isinstance(body, dict) else None
    if answer.status_code == 200 and isinstance(body, dict) and error is None and is_token(body.get("access_token")):
        return body
    known = {**_OF_ERROR, **(errors or {})}
    # A name that nobody knows is not shown: it may hold anything.
    code = error if isinstance(error, str) and error in known else None
    kind = _of_status(answer.status_code) if code is None else known[code]
    message = f"the token endpoint answered {answer.status_code}" + (f" {code}" if code else "")
    if issubclass(kind, RateLimited):
        wait_s = retry_after_s(answer.headers)
        raise kind(message, retry_after_s=wait_s, code=code, http_status=answer.status_code)
    raise kind(message, code=code, http_status=answer.status_code)


def is_token(value: Any) -> bool:
    """Whether it could go into a header as a token: one word of printable ASCII."""
    return isinstance(value, str) and _TOKEN.fullmatch(value) is not None


def plain(credential: BaseModel) -> dict[str, Any]:
    """A credential by its fields' names, with its secrets in the clear, for the vault to encrypt."""
    found: dict[str, Any] = _bare(credential)
    return found


def _bare(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return {name: _bare(part) for name, part in value if part is not None}
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, datetime):
        return value.isoformat()
    return [_bare(part) for part in value] if isinstance(value, (tuple, list)) else value


def _of_status(status: int) -> type[ConnectorError]:
    if status == 429:
        return RateLimited
    if status in (401, 403):
        return Permission
    return InvalidRequest if 400 <= status < 500 and status != 408 else Unavailable


def granted(credential: C, body: Mapping[str, Any]) -> C:
    """The credential with what a token endpoint granted; what it does not mention stays as it was."""
    now = clock.now()
    refresh, scope = body.get("refresh_token"), body.get("scope")
    refresh_ends_at = _ends(now, body.get("refresh_token_expires_in"))
    return credential.model_copy(
        update={
            "access_token": SecretStr(str(body["access_token"])),
            "expires_at": _ends(now, body.get("expires_in")),
            **({"refresh_token": SecretStr(str(refresh))} if is_token(refresh) else {}),
            **({"refresh_expires_at": refresh_ends_at} if refresh_ends_at is not None else {}),
            **({"scopes": tuple(scope.replace(",", " ").split())} if isinstance(scope, str) and scope else {}),
        }
    )


def _ends(now: datetime, seconds: Any) -> datetime | None:
    if isinstance(seconds, str) and seconds.isdigit():
        seconds = int(seconds)
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or not 0 < seconds <= _LONGEST_S:
        return None
    return (now + timedelta(seconds=seconds)).astimezone(UTC)
