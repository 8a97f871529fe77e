"""Marketing templates through Meta's own delivery for them, which picks the moment and the people it suits."""

from __future__ import annotations

from typing import Literal

import phonenumbers
from pydantic import Field, field_validator

from connectors.kit.call import Call
from connectors.whatsapp.platform import CHANNEL, WHATSAPP
from connectors.whatsapp.sending import LIMITS, PARK, WHY, Message, send
from connectors.whatsapp.templates import SendTemplate, filled


class SendMarketingTemplate(SendTemplate):
    """A marketing template for one person, with its blanks filled."""

    product_policy: Literal["CLOUD_API_FALLBACK", "STRICT"] = Field(
        default="CLOUD_API_FALLBACK", description="Whether the ordinary way may be taken where this one is not open."
    )
    message_activity_sharing: bool | None = Field(
        default=None, description="Let Meta use what people do with it, such as reading, to deliver better."
    )

    @field_validator("to")
    @classmethod
    def _is_abroad(cls, to: str) -> str:
        if phonenumbers.region_code_for_number(phonenumbers.parse(to)) == "US":
            raise ValueError("is a number of the United States: WhatsApp delivers no marketing there; send an SMS")
        return to


@WHATSAPP.action(
    "sendMarketingTemplate",
    SendMarketingTemplate,
    Message,
    repeat=PARK,
    why=WHY,
    recipient=lambda data: data.to,
    channel=CHANNEL,
    scopes=("whatsapp_business_messaging",),
    limits=(*LIMITS, "the account must be admitted to the Marketing Messages API", "no numbers of the United States"),
)
def send_marketing_template(call: Call, data: SendMarketingTemplate) -> Message:
    """Send a marketing template to one person, the way that Meta has for them."""
    more = {"product_policy": data.product_policy, "message_activity_sharing": data.message_activity_sharing}
    return send(call, data.to, {**filled(data), **more}, edge="marketing_messages")
