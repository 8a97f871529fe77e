"""How does TikTok give tokens? An advertiser's consent brings a code, and the code a token without an end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from pydantic import SecretStr

from connectors.kit.errors import AuthExpired, ConnectorError, GrantDead, InvalidRequest, Permission, Unavailable
from connectors.kit.oauth import OAuth, OAuthCredential, is_token
from connectors.tiktok.errors import OK, error_of
from connectors.tiktok.web import HOST, VERSION, body_of

if TYPE_CHECKING:
    from connectors.kit.http import Http

C = TypeVar("C", bound=OAuthCredential)


@dataclass(frozen=True, kw_only=True)
class TikTokOAuth(OAuth):
    """TikTok's consent: JSON with names of its own, a code of one hour, and nothing that renews a token."""

    def authorize(self, client_id: str, *, redirect_uri: str, state: str, verifier: str) -> str:
        """The address that an advertiser opens to agree; the app's own settings say for what."""
        query = {"app_id": client_id, "state": state, "redirect_uri": redirect_uri}
        return f"{self.authorize_url}?{urlencode(query)}"

    def exchange(self, http: Http, credential: C, *, code: str, redirect_uri: str, verifier: str) -> C:
        """Turn the ``auth_code`` that the redirect brought into a token; it works once, for an hour.

        Raises:
            GrantDead: TikTok does not know the code (any more).
            ConnectorError: It did not work; the class says why.
        """
        if credential.client_secret is None:
            raise Permission("client_secret: TikTok gives tokens only to an app that shows its secret")
        secret = credential.client_secret.get_secret_value()
        fields = {"app_id": credential.client_id, "secret": secret, "auth_code": code}
        answer = http.request("POST", self.token_url, effect=False, json=fields)
        body = body_of(answer)
        if answer.status_code == 200 and body.get("code") == OK:
            return _granted(credential, body.get("data"))
        error = error_of(answer, body, "oauth2 access token", effect=False)
        raise _of_code(error) from None

    def refresh(self, http: Http, credential: C) -> C:
        """A token that TikTok does not take any more has been revoked.

        Raises:
            GrantDead: Always.
        """
        raise GrantDead("TikTok's tokens have no end and no refresh; the advertiser has to agree again")


def _granted(credential: C, data: Any) -> C:
    token = data.get("access_token") if isinstance(data, dict) else None
    if not isinstance(token, str) or not is_token(token):
        raise Unavailable("oauth2 access token: TikTok's answer holds no readable token", http_status=200)
    scope = data.get("scope")
    scopes = tuple(str(one) for one in scope) if isinstance(scope, list) else ()
    return credential.model_copy(
        update={"access_token": SecretStr(token), "expires_at": None, "refresh_token": None, "scopes": scopes}
    )


def _of_code(error: ConnectorError) -> ConnectorError:
    """An ``auth_code`` that is used, old or wrong is refused like a token that is dead."""
    if isinstance(error, AuthExpired):
        return GrantDead(str(error), code=error.code, http_status=error.http_status, request_id=error.request_id)
    if isinstance(error, InvalidRequest):
        hint = f"{error}; an auth_code works once and for an hour"
        return InvalidRequest(hint, code=error.code, http_status=error.http_status, request_id=error.request_id)
    return error


TIKTOK_OAUTH = TikTokOAuth(
    authorize_url=f"https://{HOST}/portal/auth",
    token_url=f"https://{HOST}/open_api/{VERSION}/oauth2/access_token/",
    # What is agreed to stands in the app's settings at TikTok, not in the address.
    scopes=(),
    pkce=False,
    code_name="auth_code",
)
