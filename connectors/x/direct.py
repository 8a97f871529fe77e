"""Direct messages to one person, who must allow them."""

from __future__ import annotations

from pydantic import Field, model_validator

from connectors.kit.action import Input, Limit, Output, Park
from connectors.kit.call import Call
from connectors.kit.errors import RecipientOptedOut
from connectors.x import web
from connectors.x.platform import X, XId

CHANNEL = "x"
"""The channel of consent that direct messages belong to."""


class SendDirectMessage(Input):
    """A message to one person."""

    user_id: XId = Field(description="Id of the person; not the name.")
    text: str | None = Field(default=None, min_length=1, max_length=10_000, description="At most 10,000 characters.")
    media_id: XId | None = Field(default=None, description="One file, by its id from uploadMedia for direct messages.")

    @model_validator(mode="after")
    def _says_something(self) -> SendDirectMessage:
        if self.text is None and self.media_id is None:
            raise ValueError("one of text and media_id is needed")
        return self


class DirectMessage(Output):
    """A message in a conversation."""

    message_id: str
    conversation_id: str

    def provider_id(self) -> str:
        """The message's id."""
        return self.message_id


@X.action(
    "sendDirectMessage",
    SendDirectMessage,
    DirectMessage,
    repeat=Park(
        "X takes no key for direct messages. Look into the conversation; the id that the message has there is the one "
        "to settle with"
    ),
    why="X takes no idempotency key for direct messages, and a conversation may hold the same words twice.",
    recipient=lambda data: data.user_id,
    channel=CHANNEL,
    pace=(Limit(15, per_s=900, of="action"), Limit(1440, per_s=86_400, of="action")),
    scopes=("dm.write", "dm.read", "tweet.read", "users.read"),
    limits=("15 per 15 min, 1,440 a day", "only to people who allow it: X forbids messages to cold lists"),
    cost="0.015 USD",
)
def send_direct_message(call: Call, data: SendDirectMessage) -> DirectMessage:
    """Send a message to one person."""
    body = {"text": data.text, "attachments": [{"media_id": data.media_id}] if data.media_id else None}
    try:
        sent = web.post(call, f"/2/dm_conversations/with/{data.user_id}/messages", body, effect=True)
    except RecipientOptedOut as refused:
        call.ledger.record_consent(CHANNEL, data.user_id, opted_out=True, source=f"x {refused.code}")
        raise
    with web.reading(effect=True):
        return DirectMessage(message_id=sent["data"]["dm_event_id"], conversation_id=sent["data"]["dm_conversation_id"])
