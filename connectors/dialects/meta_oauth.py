"""How do Meta's long-lived tokens bring their successors? On the host that gave them.

https://developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived and
https://developers.facebook.com/docs/instagram-platform/reference/refresh_access_token
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from connectors.dialects.meta_graph import FACEBOOK_HOST, INSTAGRAM_HOST, VERSION
from connectors.dialects.meta_graph_errors import Rules, error_of
from connectors.kit.errors import AuthExpired, GrantDead, Unavailable
from connectors.kit.grants import LongLived
from connectors.kit.oauth import C, OAuthCredential, granted, is_token

if TYPE_CHECKING:
    import requests

    from connectors.kit.http import Http

_RULES = Rules.of(codes={})
_INSTAGRAM = "IG"
"""What tokens of Instagram Login begin with; those of Facebook Login begin with EAA."""


@dataclass(frozen=True, kw_only=True)
class MetaLongLived(LongLived):
    """Tokens of Instagram Login and of a Facebook user, which live for 60 days.

    A token of a Page or of a system user may have no end: it is then never renewed.
    """

    token_url: str = f"https://{FACEBOOK_HOST}/{VERSION}/oauth/access_token"
    scopes: tuple[str, ...] = ()

    def app_secret(self, credential: OAuthCredential) -> SecretStr | None:
        """The secret of the app; a connector that names it otherwise says so."""
        return credential.client_secret

    def renews(self, credential: OAuthCredential) -> bool:
        """Whether there is a living token that ends, and for a Facebook user's also the app's id and secret."""
        able = _is_instagrams(credential) or (credential.client_id != "" and self.app_secret(credential) is not None)
        return able and super().renews(credential)

    def adopt(self, credential: C) -> C:
        """Only a token of Instagram Login surely ends; a Page's and a system user's may not."""
        return super().adopt(credential) if _is_instagrams(credential) else credential

    def successor(self, http: Http, credential: C) -> C:
        """Exchange the token; Meta takes it in the address only.

        Raises:
            GrantDead: The token has ended or was withdrawn.
            ConnectorError: It did not work this time.
        """
        assert credential.access_token is not None
        token = credential.access_token.get_secret_value()
        if _is_instagrams(credential):
            url, params = f"https://{INSTAGRAM_HOST}/refresh_access_token", {"access_token": token}
            return granted(credential, _body(http.get(url, params={**params, "grant_type": "ig_refresh_token"})))
        secret = self.app_secret(credential)
        params = {
            "grant_type": "fb_exchange_token",
            "client_id": credential.client_id,
            "client_secret": "" if secret is None else secret.get_secret_value(),
            "fb_exchange_token": token,
        }
        return granted(credential, _body(http.get(self.token_url, params=params)))


def _is_instagrams(credential: OAuthCredential) -> bool:
    token = credential.access_token
    return token is not None and token.get_secret_value().startswith(_INSTAGRAM)


def _body(answer: requests.Response) -> dict[str, Any]:
    try:
        body = json.loads(answer.text)
    except ValueError:
        body = None
    if answer.status_code == 200 and isinstance(body, dict) and "error" not in body:
        if is_token(body.get("access_token")):
            return body
        raise Unavailable("the token's exchange brought no token", http_status=200)
    error = error_of(answer, "the token's exchange", _RULES, effect=False)
    if isinstance(error, AuthExpired):
        raise GrantDead(str(error), code=error.code, http_status=error.http_status, request_id=error.request_id)
    raise error
