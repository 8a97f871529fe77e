"""What was said? The messages of a channel, and those of a thread."""

from __future__ import annotations

from itertools import islice
from typing import Any

from pydantic import Field

from connectors.kit.action import Input, Output
from connectors.kit.call import Call
from connectors.kit.fields import UtcDatetime
from connectors.slack import web
from connectors.slack.messages import effect_id
from connectors.slack.platform import IN_CHANNEL, SLACK, ChannelId, Timestamp

_SCOPES = ("channels:history", "groups:history", "im:history", "mpim:history")
_LIMITS = ("apps sold outside the Marketplace: 1 request/min, 15 messages",)


class ListMessages(Input):
    """Which messages of a channel to list; newest first, without the replies in threads."""

    channel: ChannelId = IN_CHANNEL
    since: UtcDatetime | None = Field(default=None, description="Only those posted then or later.")
    until: UtcDatetime | None = Field(default=None, description="Only those posted then or earlier.")
    limit: int = Field(default=100, ge=1, le=1000, description="At most so many.")


class ListReplies(ListMessages):
    """Which messages of a thread to list; its first message, then the replies, oldest first."""

    ts: Timestamp = Field(description="The thread's first message, as sendMessage gave it.")


class ListedMessage(Output):
    """A message in a list."""

    ts: str
    text: str | None
    user: str | None = Field(description="Who posted it: a user's or a bot's id.")
    thread_ts: str | None
    effect_id: str | None = Field(description="The effect key of the run that posted it; null if none did.")


class MessageList(Output):
    """Messages of one channel or thread."""

    messages: tuple[ListedMessage, ...]


@SLACK.read("listMessages", ListMessages, MessageList, scopes=_SCOPES, limits=_LIMITS)
def list_messages(call: Call, data: ListMessages) -> MessageList:
    """List messages of a channel."""
    return _listed(call, "conversations.history", data)


@SLACK.read("listReplies", ListReplies, MessageList, scopes=_SCOPES, limits=_LIMITS)
def list_replies(call: Call, data: ListReplies) -> MessageList:
    """List the messages of a thread."""
    return _listed(call, "conversations.replies", data, ts=data.ts)


def _listed(call: Call, method: str, data: ListMessages, *, ts: str | None = None) -> MessageList:
    found = web.listed(
        call,
        method,
        "messages",
        channel=data.channel,
        ts=ts,
        oldest=None if data.since is None else f"{data.since.timestamp():.6f}",
        latest=None if data.until is None else f"{data.until.timestamp():.6f}",
        inclusive=True,
        include_all_metadata=True,
        limit=min(data.limit, 100),
    )
    return MessageList(messages=tuple(_message(one) for one in islice(found, data.limit)))


def _message(one: dict[str, Any]) -> ListedMessage:
    return ListedMessage(
        ts=one["ts"],
        text=one.get("text"),
        user=one.get("user") or one.get("bot_id"),
        thread_ts=one.get("thread_ts"),
        effect_id=effect_id(one),
    )
