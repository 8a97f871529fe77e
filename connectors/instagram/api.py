"""How is Instagram's part of the Graph API called? On the host that gave the token, with codes of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from connectors.dialects.meta_graph import FACEBOOK_HOST, INSTAGRAM_HOST, Graph, NodeId
from connectors.dialects.meta_graph_errors import Rules
from connectors.dialects.meta_oauth import MetaLongLived
from connectors.kit.errors import (
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    PolicyRejected,
    RateLimited,
    RecipientOptedOut,
    Unavailable,
)
from connectors.kit.fields import Secret
from connectors.kit.oauth import OAuthCredential

if TYPE_CHECKING:
    from connectors.kit.call import Call

HOSTS = (FACEBOOK_HOST, INSTAGRAM_HOST)

RULES = Rules.of(
    codes={
        RecipientOptedOut: "551",
        RateLimited: "80002 80006",
        InvalidRequest: "110 352 36000 36001 36003",
    },
    subcodes={
        NotFound: "2207006 2207008 2207020",
        PolicyRejected: "2207050 2534022",
        RecipientOptedOut: "2534014",
        RateLimited: "2207042",
        # The media could not be fetched or was not ready: nothing was made or published.
        Unavailable: "2207003 2207027 2207052 2207082",
        # Posts were found live after the last of these.
        OutcomeUnknown: "2207001 2207032 2207053 2207051",
        InvalidRequest: """2207004 2207005 2207009 2207010 2207023 2207026 2207028 2207035-2207037 2207040 2207057
            2207081""",
    },
    waits_s={2207042: 3600.0},
    hints={
        2207003: "the media took too long to load",
        2207004: "the image is over 8 MB",
        2207005: "the image is no JPEG",
        2207009: "the image's ratio is not between 4:5 and 1.91:1",
        2207010: "the caption is too long",
        2207026: "the video's format is not supported",
        2207027: "the media is not ready yet",
        2207042: "the account's posts per 24 h are used up",
        2207050: "the account is restricted; its owner has to look",
        2207052: "the media could not be fetched from its address",
        2534022: "more than 24 h since the person wrote",
    },
)


class InstagramCredential(OAuthCredential):
    """A token of the account, and the app's secret."""

    client_id: str = Field(
        default="", description="Id of the app; only the exchange of a Facebook user's token needs it."
    )
    access_token: Secret = Field(description="Long-lived token of the account, its Page or a system user.")
    app_secret: Secret | None = Field(
        default=None, description="The app's secret; each request then proves that it comes from the app's own server."
    )


@dataclass(frozen=True, kw_only=True)
class InstagramTokens(MetaLongLived):
    """The account's long-lived token, of either login."""

    def app_secret(self, credential: OAuthCredential) -> SecretStr | None:
        """The credential's ``app_secret``."""
        return credential.app_secret if isinstance(credential, InstagramCredential) else None


class InstagramSettings(BaseModel):
    """Which account it is, and how it signed in."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    ig_user_id: NodeId = Field(description="Id of the professional account; not its name.")
    login: Literal["instagram", "facebook"] = Field(
        default="instagram", description="Where the token comes from: Instagram Login, or Facebook Login with a Page."
    )
    page_id: NodeId | None = Field(
        default=None, description="Id of the linked Page; with Facebook Login direct messages go through it."
    )


def graph(call: Call) -> Graph:
    """The Graph API with the connection's token."""
    credential = call.credential_as(InstagramCredential)
    return Graph(
        call,
        token=credential.access_token,
        app_secret=credential.app_secret,
        rules=RULES,
        host=INSTAGRAM_HOST if account(call).login == "instagram" else FACEBOOK_HOST,
    )


def account(call: Call) -> InstagramSettings:
    """The connection's account."""
    return call.settings_as(InstagramSettings)
