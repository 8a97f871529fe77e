"""Session messages: free text to a person who wrote to us within the last 24 hours."""

from __future__ import annotations

from pydantic import Field

from connectors.dialects.phone import PhoneNumber
from connectors.kit.action import Input
from connectors.kit.call import Call
from connectors.whatsapp.platform import CHANNEL, WHATSAPP
from connectors.whatsapp.sending import LIMITS, PARK, WHY, Message, send


class SendSessionMessage(Input):
    """A text for one person who wrote to us within the last 24 hours."""

    to: PhoneNumber = Field(description="Recipient: phone number with country code, such as +14155550123.")
    body: str = Field(min_length=1, max_length=4096, description="Text.")
    preview_url: bool = Field(default=False, description="Show a preview of the first link.")
    reply_to: str | None = Field(
        default=None, pattern=r"^wamid\.\S{1,500}$", description="Show it as the answer to this message (its wamid)."
    )


@WHATSAPP.action(
    "sendSessionMessage",
    SendSessionMessage,
    Message,
    repeat=PARK,
    why=WHY,
    recipient=lambda data: data.to,
    channel=CHANNEL,
    scopes=("whatsapp_business_messaging",),
    limits=(*LIMITS, "only within 24 h after the person's last message"),
)
def send_session_message(call: Call, data: SendSessionMessage) -> Message:
    """Answer a person who wrote within the last 24 hours, in free text."""
    text = {"body": data.body, "preview_url": data.preview_url}
    return send(call, data.to, {"type": "text", "text": text}, reply_to=data.reply_to)
