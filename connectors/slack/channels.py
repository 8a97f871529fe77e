"""Where can be posted? Channels, direct conversations, and whose token it is."""

from __future__ import annotations

from itertools import islice
from typing import Any, Literal

from pydantic import Field

from connectors.kit.action import Input, Output, Resend
from connectors.kit.call import Call
from connectors.slack import web
from connectors.slack.platform import IN_CHANNEL, SLACK, ChannelId, UserId

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


class OpenDM(Input):
    """Whom to talk to."""

    users: tuple[UserId, ...] = Field(
        min_length=1, max_length=8, description="User ids such as U0123ABCD; several make a group conversation."
    )


class Opened(Output):
    """A direct conversation; its id is a channel's wherever one is asked for."""

    channel: str


@SLACK.action(
    "openDM",
    OpenDM,
    Opened,
    repeat=Resend(),
    why="Opening what is open gives the same conversation.",
    scopes=("im:write", "mpim:write"),
)
def open_dm(call: Call, data: OpenDM) -> Opened:
    """Open the direct conversation with one or more people, or find it."""
    opened = web.post(call, "conversations.open", {"users": ",".join(data.users)}, effect=True, needs=("channel",))
    return Opened(channel=opened["channel"]["id"])


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
