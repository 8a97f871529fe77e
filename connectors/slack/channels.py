"""What is there? Channels, the messages in one, and whose token it is."""

from __future__ import annotations

from itertools import islice
from typing import Any, Literal

from pydantic import Field

from connectors.kit.action import Input, Output, Resend
from connectors.kit.call import Call
from connectors.kit.fields import UtcDatetime
from connectors.slack import web
from connectors.slack.messages import effect_id
from connectors.slack.platform import IN_CHANNEL, SLACK, ChannelId, Timestamp

ChannelType = Literal["public_channel", "private_channel", "mpim", "im"]


class GetChannels(Input):
    """Which channels to list."""

    types: tuple[ChannelType, ...] = Field(default=("public_channel",), min_length=1, description="Kinds of channel.")
    exclude_archived: bool = Field(default=True, description="Leave archived channels out.")
    limit: int = Field(default=1000, ge=1, le=4000, description="At most so many.")


class Channel(Output):
    """A channel."""

    id: str
    name: str | None
    is_private: bool
    is_archived: bool
    is_member: bool = Field(description="Whether the bot is in it, and may post without chat:write.public.")
    num_members: int | None


class ChannelList(Output):
    """Channels, in Slack's order."""

    channels: tuple[Channel, ...]


@SLACK.read(
    "getChannels",
    GetChannels,
    ChannelList,
    scopes=("channels:read", "groups:read", "im:read", "mpim:read"),
    limits=("20 pages of 200 channels a minute",),
)
def get_channels(call: Call, data: GetChannels) -> ChannelList:
    """List the channels that the bot can see."""
    found = web.listed(
        call,
        "conversations.list",
        "channels",
        most_pages=100,
        types=",".join(data.types),
        exclude_archived=data.exclude_archived,
        limit=200,
    )
    return ChannelList(channels=tuple(_channel(one) for one in islice(found, data.limit)))


def _channel(one: dict[str, Any]) -> Channel:
    return Channel(
        id=one["id"],
        name=one.get("name"),
        is_private=one.get("is_private", False),
        is_archived=one.get("is_archived", False),
        is_member=one.get("is_member", False),
        num_members=one.get("num_members"),
    )


class ListMessages(Input):
    """Which messages to list; newest first, in a thread oldest first."""

    channel: ChannelId = IN_CHANNEL
    thread_ts: Timestamp | None = Field(default=None, description="Only the thread of this message.")
    since: UtcDatetime | None = Field(default=None, description="Only those posted then or later.")
    until: UtcDatetime | None = Field(default=None, description="Only those posted then or earlier.")
    limit: int = Field(default=100, ge=1, le=1000, description="At most so many.")


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


@SLACK.read(
    "listMessages",
    ListMessages,
    MessageList,
    scopes=("channels:history", "groups:history", "im:history", "mpim:history"),
    limits=("apps sold outside the Marketplace: 1 request/min, 15 messages",),
)
def list_messages(call: Call, data: ListMessages) -> MessageList:
    """List messages of a channel or thread."""
    found = web.listed(
        call,
        "conversations.history" if data.thread_ts is None else "conversations.replies",
        "messages",
        channel=data.channel,
        ts=data.thread_ts,
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


class JoinChannel(Input):
    """Which public channel to join."""

    channel: ChannelId = IN_CHANNEL


class Joined(Output):
    """The bot is in this channel."""

    channel: str


@SLACK.action(
    "joinChannel",
    JoinChannel,
    Joined,
    repeat=Resend(),
    why="Joining twice is the same as once.",
    scopes=("channels:join",),
)
def join_channel(call: Call, data: JoinChannel) -> Joined:
    """Bring the bot into a public channel."""
    joined = web.post(call, "conversations.join", {"channel": data.channel}, effect=True, needs=("channel",))
    return Joined(channel=joined["channel"]["id"])


class CheckCredentials(Input):
    """Nothing is needed."""


class Identity(Output):
    """Whose token it is."""

    team_id: str
    team: str | None
    user_id: str
    bot_id: str | None


@SLACK.read("checkCredentials", CheckCredentials, Identity)
def check_credentials(call: Call, data: CheckCredentials) -> Identity:
    """Tell whose token the connection holds."""
    found = web.post(call, "auth.test", {}, effect=False, needs=("team_id", "user_id"))
    return Identity(
        team_id=found["team_id"], team=found.get("team"), user_id=found["user_id"], bot_id=found.get("bot_id")
    )
