"""How is the Cloud API called? With one token, and codes of its own beside those of the Graph API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, model_validator

from connectors.dialects.meta_graph import FACEBOOK_HOST, Graph
from connectors.dialects.meta_graph_errors import Rules
from connectors.dialects.twilio import TwilioCredential
from connectors.kit.errors import (
    AuthExpired,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Permission,
    PolicyRejected,
    RateLimited,
    RecipientOptedOut,
)
from connectors.kit.fields import Secret

if TYPE_CHECKING:
    from connectors.kit.call import Call

HOSTS = (FACEBOOK_HOST,)
PAIR_LIMIT = "131056"
"""Too many messages to one person in a short time."""

NO_SUCH_TEMPLATE = "2593002"

RULES = Rules.of(
    codes={
        AuthExpired: "0",
        Permission: "131005 131030 131037 131042 131045",
        NotFound: "132001",
        InvalidRequest: """131008 131009 131021 131026 131051 131053 131062 132000 132005 132008 132012 137000""",
        RateLimited: "80007 130429 131048 131056 131064 133016",
        PolicyRejected: "130472 130497 131031 131047 131049 131063 132007 132015 132016",
        RecipientOptedOut: "131050",
        # Of these Meta does not say whether the message was made.
        OutcomeUnknown: "131000 131016 131052 131057 135000",
    },
    subcodes={NotFound: NO_SUCH_TEMPLATE},
    waits_s={131048: 3600.0, 131064: 3600.0, 133016: 3600.0},
    hints={
        131026: "undeliverable: not on WhatsApp, blocked, or an old app",
        131030: "a test number may write to its five allowed recipients only",
        131042: "settle the WhatsApp account's billing",
        131047: "more than 24 h since the person wrote; send a template",
        131049: "Meta holds marketing back from this person; not again within 24 h",
        131050: "the person has stopped marketing from this business",
        132000: "the number of parameters is not the template's",
        132001: "no approved template of this name and language",
        132012: "the parameters are not of the template's kind",
        132015: "the template is paused for its low quality",
        132016: "the template is disabled for its low quality",
    },
)


class WhatsAppCredential(BaseModel):
    """Who lets us in: Meta itself, or Twilio, through which a number may be connected instead."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    access_token: Secret | None = Field(
        default=None,
        description="System user token with whatsapp_business_messaging and whatsapp_business_management.",
    )
    app_secret: Secret | None = Field(default=None, description="The app's secret; proves its webhooks.")
    twilio: TwilioCredential | None = Field(
        default=None, description="Instead, or for another number: Twilio's account_sid with auth_token or an API key."
    )

    @model_validator(mode="after")
    def _one_way_in(self) -> WhatsAppCredential:
        if self.access_token is None and self.twilio is None:
            raise ValueError("needs access_token (Meta), twilio, or both")
        return self


def graph(call: Call) -> Graph:
    """The Graph API with the connection's token.

    Raises:
        Permission: The connection has none.
    """
    token = call.credential_as(WhatsAppCredential).access_token
    if token is None:
        raise Permission("the connection has no access_token; those through Twilio are other actions. Nothing was sent")
    return Graph(call, token=token, rules=RULES)
