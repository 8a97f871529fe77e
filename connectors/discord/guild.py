"""Where can be posted, and as whom? The channels of a server, and whose token it is."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from connectors.discord import web
from connectors.discord.platform import DISCORD, IN_GUILD, Snowflake, guild_of, me
from connectors.kit.action import Input, Output
from connectors.kit.call import Call

# Other kinds are shown by Discord's number.
_KINDS = {
    0: "text",
    2: "voice",
    4: "category",
    5: "announcement",
    13: "stage",
    15: "forum",
    16: "media",
}


class GetChannels(Input):
    """Which server's channels to list."""

    guild: Snowflake | None = IN_GUILD


class Channel(Output):
    """A channel of a server."""

    id: str
    name: str | None
    kind: str = Field(description="text, announcement, voice, stage, forum, media, category, or Discord's number.")
    parent: str | None = Field(description="Id of the category it is in.")
    topic: str | None


class ChannelList(Output):
    """A server's channels in the order they are shown; threads are not among them."""

    channels: tuple[Channel, ...]


@DISCORD.read("getChannels", GetChannels, ChannelList, scopes=("being in the server",))
def get_channels(call: Call, data: GetChannels) -> ChannelList:
    """List the channels of a server."""
    found = web.rows(call, f"guilds/{guild_of(call, data.guild)}/channels")
    with web.reading():
        in_order = sorted(found, key=lambda one: int(one.get("position") or 0))
        return ChannelList(channels=tuple(_channel(one) for one in in_order))


def _channel(one: dict[str, Any]) -> Channel:
    return Channel(
        id=one["id"],
        name=one.get("name"),
        kind=_KINDS.get(one["type"], str(one["type"])),
        parent=one.get("parent_id"),
        topic=one.get("topic"),
    )


class CheckCredentials(Input):
    """Nothing is needed."""


class Identity(Output):
    """Whose token it is."""

    id: str
    username: str


@DISCORD.read("checkCredentials", CheckCredentials, Identity)
def check_credentials(call: Call, data: CheckCredentials) -> Identity:
    """Tell whose token the connection holds."""
    found = me(call)
    return Identity(id=str(found["id"]), username=str(found["username"]))
