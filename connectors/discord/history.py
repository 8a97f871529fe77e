"""What was said? One message, those of a channel, and those of a server that hold a word."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from pydantic import Field

from connectors.discord import web
from connectors.discord.editing import MessageRef
from connectors.discord.platform import DISCORD, IN_CHANNEL, IN_GUILD, Snowflake, guild_of, snowflake_at
from connectors.kit.action import Input, Output
from connectors.kit.call import Call
from connectors.kit.fields import UtcDatetime

_SCOPES = ("VIEW_CHANNEL", "READ_MESSAGE_HISTORY")
_PAGE = 100


class Reaction(Output):
    """How many people reacted with one picture."""

    emoji: str
    count: int


class ShownMessage(Output):
    """A message as the channel shows it."""

    id: str
    channel: str
    content: str = Field(description="Empty for messages of others, unless the bot has the message content intent.")
    author: str = Field(description="Id of the user, bot or webhook.")
    webhook: str | None = Field(description="Id of the webhook that posted it.")
    posted_at: datetime
    edited_at: datetime | None
    embeds: int = Field(description="How many embeds it shows, previews of links included.")
    attachments: int = Field(description="How many files it has.")
    reactions: tuple[Reaction, ...] = ()

    def provider_id(self) -> str:
        """The message's id."""
        return self.id


class MessageList(Output):
    """Messages, newest first."""

    messages: tuple[ShownMessage, ...]


def shown(one: dict[str, Any]) -> ShownMessage:
    """Discord's message as an output; asked within ``web.reading``."""
    reactions = tuple(
        Reaction(emoji=str(found["emoji"].get("name") or found["emoji"].get("id")), count=found["count"])
        for found in one.get("reactions") or ()
    )
    return ShownMessage(
        id=one["id"],
        channel=one["channel_id"],
        content=one.get("content") or "",
        author=one["author"]["id"],
        webhook=one.get("webhook_id"),
        posted_at=one["timestamp"],
        edited_at=one.get("edited_timestamp"),
        embeds=len(one.get("embeds") or ()),
        attachments=len(one.get("attachments") or ()),
        reactions=reactions,
    )


@DISCORD.read("getMessage", MessageRef, ShownMessage, target=lambda data: data.channel, scopes=_SCOPES)
def get_message(call: Call, data: MessageRef) -> ShownMessage:
    """Read one message, with its reactions."""
    found = web.ask(call, "GET", f"channels/{data.channel}/messages/{data.message}", effect=False, needs=("id",))
    with web.reading():
        return shown(found)


class ListMessages(Input):
    """Which messages of a channel to list; newest first."""

    channel: Snowflake = IN_CHANNEL
    since: UtcDatetime | None = Field(default=None, description="Only those posted then or later.")
    until: UtcDatetime | None = Field(default=None, description="Only those posted before.")
    limit: int = Field(default=100, ge=1, le=1000, description="At most so many.")


@DISCORD.read(
    "listMessages",
    ListMessages,
    MessageList,
    target=lambda data: data.channel,
    scopes=_SCOPES,
    limits=("without READ_MESSAGE_HISTORY the list is empty",),
)
def list_messages(call: Call, data: ListMessages) -> MessageList:
    """List messages of a channel or thread."""
    with web.reading():
        return MessageList(messages=tuple(islice(_back_from(call, data), data.limit)))


def _back_from(call: Call, data: ListMessages) -> Iterator[ShownMessage]:
    before = None if data.until is None else snowflake_at(data.until)
    first = 0 if data.since is None else int(snowflake_at(data.since))
    while True:
        size = min(data.limit, _PAGE)
        page = web.rows(call, f"channels/{data.channel}/messages", params={"before": before, "limit": size})
        newest_first = sorted(page, key=lambda one: -int(one["id"]))
        for one in newest_first:
            if int(one["id"]) < first:
                return
            yield shown(one)
        if len(page) < size:
            return
        before = str(newest_first[-1]["id"])


class SearchMessages(Input):
    """Which messages of a server to find; the newest first."""

    guild: Snowflake | None = IN_GUILD
    text: str | None = Field(default=None, min_length=1, max_length=1024, description="Words that they hold.")
    channels: tuple[Snowflake, ...] = Field(default=(), max_length=500, description="Only in these channels.")
    authors: tuple[Snowflake, ...] = Field(default=(), max_length=100, description="Only of these people and bots.")
    since: UtcDatetime | None = Field(default=None, description="Only those posted then or later.")
    until: UtcDatetime | None = Field(default=None, description="Only those posted before.")
    limit: int = Field(default=25, ge=1, le=25, description="At most so many.")
    offset: int = Field(default=0, ge=0, le=9975, description="Leave out so many of the newest.")


class Found(MessageList):
    """What was found."""

    total: int = Field(description="How many there are in all; Discord's estimate.")


@DISCORD.read(
    "searchMessages",
    SearchMessages,
    Found,
    scopes=(*_SCOPES, "the message content intent"),
    limits=("a server that was not searched for long is indexed first: not ready yet, try again",),
)
def search_messages(call: Call, data: SearchMessages) -> Found:
    """Find messages of a server."""
    params = {
        "content": data.text,
        "channel_id": list(data.channels) or None,
        "author_id": list(data.authors) or None,
        "min_id": None if data.since is None else snowflake_at(data.since),
        "max_id": None if data.until is None else snowflake_at(data.until),
        "limit": data.limit,
        "offset": data.offset,
    }
    path = f"guilds/{guild_of(call, data.guild)}/messages/search"
    found = web.ask(call, "GET", path, effect=False, params=params, needs=("messages", "total_results"))
    with web.reading():
        # Each hit comes in a list of its own, at times with its neighbours.
        hits = [one for group in found["messages"] for one in group if one.get("hit", True)]
        return Found(messages=tuple(shown(one) for one in hits), total=found["total_results"])
