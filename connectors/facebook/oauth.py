"""How does Facebook give tokens? By exchanging one that still works for one that lives 60 days; there is no other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from connectors.dialects.meta_graph import FACEBOOK_HOST, VERSION
from connectors.dialects.meta_graph_errors import error_of
from connectors.facebook.errors import RULES
from connectors.kit import clock
from connectors.kit.errors import AuthExpired, GrantDead, Permission
from connectors.kit.oauth import OAuth, OAuthCredential, granted, is_token

if TYPE_CHECKING:
    from connectors.kit.http import Http

C = TypeVar("C", bound=OAuthCredential)


@dataclass(frozen=True, kw_only=True)
class FacebookOAuth(OAuth):
    """Facebook Login for servers: long-lived user tokens, exchanged again while they live.

    A system user's token without an end is never stale, and so never exchanged.
    """

    def exchange(self, http: Http, credential: C, *, code: str, redirect_uri: str, verifier: str) -> C:
        """Turn a code into a token that lives 60 days.

        Raises:
            ConnectorError: It did not work; the class says why.
        """
        return self.refresh(http, self._get(http, credential, code=code, redirect_uri=redirect_uri))

    def refresh(self, http: Http, credential: C) -> C:
        """Exchange a living token for a new one.

        Raises:
            GrantDead: The token does not work any more: a person has to agree again.
            ConnectorError: It did not work this time.
        """
        if credential.access_token is None:
            raise GrantDead("the connection has no access token to exchange; add its consent anew")
        token = credential.access_token.get_secret_value()
        return self._get(http, credential, grant_type="fb_exchange_token", fb_exchange_token=token)

    def renews(self, credential: OAuthCredential) -> bool:
        """Whether there is a token that ends some day and has not yet."""
        lives = credential.access_token is not None and credential.expires_at is not None
        return lives and not self.is_over(credential, clock.now())

    def ends_at(self, credential: OAuthCredential) -> datetime | None:
        """The end of the token itself: once it has ended, nothing brings another."""
        return credential.expires_at

    def _get(self, http: Http, credential: C, **query: str) -> C:
        if credential.client_secret is None:
            raise Permission("client_secret: Facebook exchanges tokens only with the app's secret")
        app = {"client_id": credential.client_id, "client_secret": credential.client_secret.get_secret_value()}
        answer = http.get(self.token_url, params={**app, **query})
        try:
            body = answer.json()
        except (ValueError, RecursionError):
            body = None
        if answer.status_code == 200 and isinstance(body, dict) and is_token(body.get("access_token")):
            return granted(credential, body)
        error = error_of(answer, "access_token", RULES, effect=False)
        if isinstance(error, AuthExpired):
            raise GrantDead(str(error), code=error.code, http_status=error.http_status, request_id=error.request_id)
        raise error


FACEBOOK_OAUTH = FacebookOAuth(
    authorize_url=f"https://www.facebook.com/{VERSION}/dialog/oauth",
    token_url=f"https://{FACEBOOK_HOST}/{VERSION}/oauth/access_token",
    scopes=(
        "ads_management",
        "ads_read",
        "business_management",
        "pages_show_list",
        "pages_read_engagement",
        "pages_manage_posts",
        "read_insights",
    ),
    pkce=False,
    # An exchange needs a token that still works: it is not left to the last minutes.
    ahead_s=7 * 86_400.0,
)
