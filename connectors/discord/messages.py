"""Messages in channels and threads.

Discord drops a repeat that carries the same nonce, but remembers it for a few minutes only. So after an unknown outcome
the channel is read first: a message that shows the nonce, or else one of the bot's own with the same words; if there is
none, it is sent again under the same nonce.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from connectors.discord import errors, web
from connectors.discord.content import NewContent, alike, shows
from connectors.discord.files import fetched
from connectors.discord.platform import DISCORD, IN_CHANNEL, SETTLE_AFTER_S, Snowflake, me, snowflake_at
from connectors.kit import clock
from connectors.kit.action import Limit, LookUp, Output
from connectors.kit.call import Call
from connectors.kit.errors import NotFound, OutcomeUnknown, Permission, looking

PACE = (Limit(5, per_s=5, of="target"), Limit(50, per_s=1))
"""Discord tells a channel's limit in headers only; this is what it was seen to be. 50 a second is documented."""

LIMITS = ("50 requests/s per bot", "about 5 messages per 5 s and channel, as its headers tell")

# "The past few minutes" is all that is documented of how long a nonce is remembered.
_NONCE_WINDOW = timedelta(seconds=120)
_PAGE, _MOST_PAGES = 100, 20


class SendMessage(NewContent):
    """A message to a channel or thread."""

    channel: Snowflake = IN_CHANNEL
    reply_to: Snowflake | None = Field(default=None, description="Show it as the answer to this message.")
    sticker_ids: tuple[Snowflake, ...] = Field(default=(), max_length=3, description="Stickers of the server.")

    def sayings(self) -> tuple[str, ...]:
        """The fields of which one is needed."""
        return (*super().sayings(), "sticker_ids")

    def body(self) -> dict[str, Any]:
        """As Discord takes it; what is not given is None."""
        reply = self.reply_to and {"message_id": self.reply_to, "fail_if_not_exists": True}
        return {**super().body(), "message_reference": reply, "sticker_ids": list(self.sticker_ids) or None}


class Message(Output):
    """A posted message."""

    id: str = Field(description="Its id.")
    channel: str = Field(description="Where it is.")

    def provider_id(self) -> str:
        """The message's id."""
        return self.id


def nonce(key: str) -> str:
    """The effect key as Discord takes it: 25 characters, the same in every attempt."""
    return base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()).decode()[:25]


def post(call: Call, channel: str, data: NewContent) -> Message:
    """Post a message once.

    Raises:
        OutcomeUnknown: Discord says that it was posted, and is deleted.
        ConnectorError: It was not posted, or that is not known.
    """
    body = {**data.body(), "nonce": nonce(call.key), "enforce_nonce": True}
    path, needs = f"channels/{channel}/messages", ("id", "channel_id")
    parts = fetched(call, data.files)
    try:
        posted = web.ask(call, "POST", path, effect=True, body=body, parts=parts, needs=needs)
    except NotFound as refused:
        if refused.code != errors.UNKNOWN_MESSAGE or call.first_sent_at is None:
            raise
        # Discord answers so when it knows the nonce, and the message that it belongs to was deleted since.
        text = "Discord knows a message of this run that was deleted since; look into the server's audit log"
        raise OutcomeUnknown(text, code=refused.code, http_status=refused.http_status) from None
    with web.reading(effect=True):
        return message_of(posted)


def message_of(posted: dict[str, Any]) -> Message:
    """Discord's message as an output; asked within ``web.reading``."""
    return Message(id=str(posted["id"]), channel=str(posted["channel_id"]))


def posted_since(call: Call, channel: str, since_at: datetime) -> Iterator[dict[str, Any]]:
    """The messages of a channel since then.

    Raises:
        OutcomeUnknown: There are too many to read.
    """
    after = snowflake_at(since_at)
    for _ in range(_MOST_PAGES):
        page = web.rows(call, f"channels/{channel}/messages", params={"after": after, "limit": _PAGE})
        yield from page
        if len(page) < _PAGE:
            return
        after = str(max(int(one["id"]) for one in page))
    raise OutcomeUnknown(f"ambiguous: more than {_MOST_PAGES * _PAGE} messages in the channel since")


def find_post(call: Call, channel: str, data: NewContent) -> Message | None:
    """The message of this effect in a channel, or None if it is certainly not there.

    Raises:
        OutcomeUnknown: Several could be it, or the bot may not be allowed to read there.
    """
    if call.first_sent_at is None:
        return None
    ours, alike_ones, seen = nonce(call.key), [], False
    with looking(), web.reading():
        bot = me(call)["id"]
        for one in posted_since(call, channel, call.first_sent_at - clock.SKEW):
            seen = True
            if (one.get("author") or {}).get("id") != bot or one.get("webhook_id"):
                continue
            if one.get("nonce") == ours:
                return message_of(one)
            if one.get("nonce") is None and shows(one, data):
                alike_ones.append(message_of(one))
        if not seen:
            check_readable(call, channel, known_for=_NONCE_WINDOW)
    return only(call, alike_ones)


def only(call: Call, found: list[Message]) -> Message | None:
    """The one message that no other run owns; None if there is none.

    Raises:
        OutcomeUnknown: There are several.
    """
    taken = call.ledger.taken([one.id for one in found])
    free = [one for one in found if one.id not in taken]
    if len(free) > 1:
        raise OutcomeUnknown(f"ambiguous: {len(free)} messages in the channel could be this one")
    return free[0] if free else None


def check_readable(call: Call, channel: str, *, known_for: timedelta = timedelta(0)) -> None:
    """Make sure that an empty list means an empty channel: who may not read a channel's history gets one too.

    A single message is refused to them outright, whether it is there or not.

    Args:
        known_for: How long after the first send a repeat does no harm anyway.

    Raises:
        OutcomeUnknown: The bot may not read there.
    """
    assert call.first_sent_at is not None
    try:
        web.ask(call, "GET", f"channels/{channel}/messages/1", effect=False)
    except NotFound as refused:
        if refused.code != errors.UNKNOWN_MESSAGE:
            raise
    except Permission:
        if clock.now() - call.first_sent_at > known_for:
            text = "the bot may not read the channel: give it READ_MESSAGE_HISTORY, or look into the channel"
            raise OutcomeUnknown(text) from None


def _find(call: Call, data: SendMessage) -> Message | None:
    return find_post(call, data.channel, data)


@DISCORD.action(
    "sendMessage",
    SendMessage,
    Message,
    repeat=LookUp(_find, settle_after_s=SETTLE_AFTER_S, alike=lambda data: alike(data.channel, data)),
    why="The channel shows what the bot posted; a repeat carries the same nonce, which Discord knows for some minutes.",
    target=lambda data: data.channel,
    pace=PACE,
    scopes=("VIEW_CHANNEL", "SEND_MESSAGES", "READ_MESSAGE_HISTORY", "EMBED_LINKS", "ATTACH_FILES"),
    limits=LIMITS,
)
def send_message(call: Call, data: SendMessage) -> Message:
    """Post a message to a channel or thread."""
    return post(call, data.channel, data)
