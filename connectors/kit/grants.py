"""Which tokens come without a refresh token? Those an app fetches for itself, and those that bring their successor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from connectors.kit import clock
from connectors.kit.errors import GrantDead
from connectors.kit.oauth import C, OAuth, OAuthCredential

if TYPE_CHECKING:
    from connectors.kit.http import Http


@dataclass(frozen=True, kw_only=True)
class ClientCredentials(OAuth):
    """The app speaks for itself (RFC 6749 section 4.4): nobody agrees, and each token is fetched anew."""

    authorize_url: str | None = None

    def refresh(self, http: Http, credential: C) -> C:
        """Fetch a further access token by the app's own secret.

        Raises:
            ConnectorError: It did not work this time.
        """
        scope = {"scope": " ".join(self.scopes)} if self.scopes else {}
        return self._ask(http, credential, {"grant_type": "client_credentials", **scope})

    def renews(self, credential: OAuthCredential) -> bool:
        """Whether there is a secret to ask with."""
        return credential.client_secret is not None


@dataclass(frozen=True, kw_only=True)
class LongLived(OAuth):
    """A token that lives for weeks and, while it lives, brings its successor; once it has ended, a person has to.

    Attributes:
        lives_s: Seconds that a new token lives, for one that is brought without its end.
    """

    authorize_url: str | None = None
    ahead_s: float = 30 * 86_400.0
    lives_s: float = 60 * 86_400.0

    def refresh(self, http: Http, credential: C) -> C:
        """Exchange the token for its successor.

        Raises:
            GrantDead: It has ended.
            ConnectorError: It did not work this time.
        """
        if not self.renews(credential):
            raise GrantDead("the long-lived token has ended; only a person can get another")
        return self.successor(http, credential)

    def successor(self, http: Http, credential: C) -> C:
        """What ``refresh`` asks the platform for; each platform has a way of its own.

        Raises:
            GrantDead: The token is dead.
            ConnectorError: It did not work this time.
        """
        raise NotImplementedError

    def renews(self, credential: OAuthCredential) -> bool:
        """Whether there is a token that ends some day and has not yet."""
        lives = credential.access_token is not None and credential.expires_at is not None
        return lives and not self.is_over(credential, clock.now())

    def adopt(self, credential: C) -> C:
        """A token of unknown age is taken for new: it is renewed long before that could be wrong."""
        if credential.access_token is None or credential.expires_at is not None:
            return credential
        return credential.model_copy(update={"expires_at": clock.now() + timedelta(seconds=self.lives_s)})

    def ends_at(self, credential: OAuthCredential) -> datetime | None:
        """The end of the token itself: nothing else would bring another."""
        return credential.expires_at
