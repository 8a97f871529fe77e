"""Messages in channels and threads: posting, changing, deleting.

Slack has no idempotency key for bots, so a message carries the effect key as metadata, which only apps see, and is
found again by it.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from connectors.kit import clock
from connectors.kit.action import Input, Limit, LookUp, Output, Resend
from connectors.kit.call import Call
from connectors.kit.errors import looking
from connectors.slack import web
from connectors.slack.platform import (
    BLOCKS,
    IN_CHANNEL,
    MARKUP,
    SETTLE_AFTER_S,
    SLACK,
    THREAD,
    Block,
    ChannelId,
    Done,
    Text,
    Timestamp,
    gone_after,
)

EVENT_TYPE = "neonhub_effect"
"""Type of the metadata that carries the effect key."""


class SendMessage(Input):
    """A message to a channel or thread."""

    channel: ChannelId = IN_CHANNEL
    text: Text = MARKUP
    blocks: tuple[Block, ...] = BLOCKS
    thread_ts: Timestamp | None = THREAD
    reply_broadcast: bool | None = Field(default=None, description="Show the reply in the channel too.")
    unfurl_links: bool = Field(default=False, description="Show previews of links.")
    unfurl_media: bool = Field(default=False, description="Show previews of media.")
    username: str | None = Field(
        default=None, max_length=80, description="Name to post as; needs scope chat:write.customize."
    )
    icon_emoji: str | None = Field(
        default=None, pattern=r"^:[^:\s]+:$", description="Icon to post with, such as :tada:."
    )


class Message(Output):
    """A posted message."""

    channel: str
    ts: str = Field(description="Its id, unique within the channel; a text, never a number.")

    def provider_id(self) -> str:
        """The message's ts."""
        return self.ts


def _find_message(call: Call, data: SendMessage) -> Message | None:
    """The message that carries the effect key."""
    if call.first_sent_at is None:
        return None
    method = "conversations.history" if data.thread_ts is None else "conversations.replies"
    with looking():
        for one in web.listed(
            call,
            method,
            "messages",
            channel=data.channel,
            ts=data.thread_ts,
            oldest=f"{(call.first_sent_at - clock.SKEW).timestamp():.6f}",
            include_all_metadata=True,
            limit=100,
        ):
            if effect_id(one) == call.key:
                return Message(channel=data.channel, ts=one["ts"])
    return None


def effect_id(message: dict[str, Any]) -> str | None:
    """The effect key that a message carries; None if it carries none of ours."""
    metadata = message.get("metadata") or {}
    found = (metadata.get("event_payload") or {}).get("effect_id")
    return found if metadata.get("event_type") == EVENT_TYPE and isinstance(found, str) else None


@SLACK.action(
    "sendMessage",
    SendMessage,
    Message,
    repeat=LookUp(_find_message, settle_after_s=SETTLE_AFTER_S),
    why="Slack takes no idempotency key, but shows apps the metadata that carries ours.",
    scopes=("chat:write", "channels:history"),
    target=lambda data: data.channel,
    pace=(Limit(1, per_s=1, of="target"),),
    limits=("1 message/s per channel", "apps sold outside the Marketplace: 1 read-back/min"),
)
def send_message(call: Call, data: SendMessage) -> Message:
    """Post a message to a channel or thread."""
    body = {
        **data.model_dump(mode="json", exclude_none=True, exclude={"blocks"}),
        "blocks": list(data.blocks) or None,
        "metadata": {"event_type": EVENT_TYPE, "event_payload": {"effect_id": call.key}},
    }
    posted = web.post(call, "chat.postMessage", body, effect=True, needs=("channel", "ts"))
    return Message(channel=posted["channel"], ts=posted["ts"])


class MessageRef(Input):
    """A message by channel and ts."""

    channel: ChannelId = IN_CHANNEL
    ts: Timestamp = Field(description="The message's id, as sendMessage gave it.")


@SLACK.action(
    "deleteMessage",
    MessageRef,
    Done,
    repeat=Resend(),
    why="Deleting twice is the same as once.",
    scopes=("chat:write",),
)
def delete_message(call: Call, data: MessageRef) -> Done:
    """Delete a message that this bot has posted."""
    return gone_after(call, "chat.delete", data, gone="message_not_found")


class UpdateMessage(MessageRef):
    """The new content of a message; both text and blocks are set anew."""

    text: Text = MARKUP
    blocks: tuple[Block, ...] = BLOCKS


@SLACK.action(
    "updateMessage",
    UpdateMessage,
    Message,
    repeat=Resend(),
    why="It sets the content: twice is the same as once.",
    scopes=("chat:write",),
)
def update_message(call: Call, data: UpdateMessage) -> Message:
    """Replace the content of a message that this bot has posted."""
    body = {**data.model_dump(exclude={"blocks"}), "blocks": list(data.blocks)}
    updated = web.post(call, "chat.update", body, effect=True, needs=("channel", "ts"))
    return Message(channel=updated["channel"], ts=updated["ts"])
