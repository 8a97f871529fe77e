"""Messages to one person. The conversation is opened first, which nobody sees; then the message is posted once."""

from __future__ import annotations

from typing import cast

from pydantic import Field

from connectors.discord import web
from connectors.discord.content import NewContent, alike
from connectors.discord.messages import LIMITS, PACE, Message, find_post, post
from connectors.discord.platform import DISCORD, SETTLE_AFTER_S, Snowflake
from connectors.kit.action import Input, JsonValue, LookUp, Output, Resend
from connectors.kit.call import Call
from connectors.kit.errors import RecipientOptedOut

CHANNEL = "discord"
"""The channel of consent that direct messages belong to."""

_OPEN = "open"
WITH_USER = Field(description="Id of the person, who shares a server with the bot.")


class OpenDM(Input):
    """Whom to talk to."""

    user: Snowflake = WITH_USER


class Opened(Output):
    """A direct conversation; its id is a channel's wherever one is asked for."""

    channel: str


@DISCORD.action(
    "openDM",
    OpenDM,
    Opened,
    repeat=Resend(),
    why="Opening what is open gives the same conversation.",
    limits=("opening many in a short time is refused for minutes",),
)
def open_dm(call: Call, data: OpenDM) -> Opened:
    """Open the direct conversation with a person, or find it."""
    return Opened(channel=_opened(call, data.user, effect=True))


class SendDirectMessage(NewContent):
    """A message to one person, who shares a server with the bot and expects it."""

    user: Snowflake = WITH_USER


def _find(call: Call, data: SendDirectMessage) -> Message | None:
    channel = call.recall(_OPEN)
    return None if channel is None else find_post(call, str(channel), data)


@DISCORD.action(
    "sendDirectMessage",
    SendDirectMessage,
    Message,
    repeat=LookUp(_find, settle_after_s=SETTLE_AFTER_S, alike=lambda data: alike(data.user, data)),
    why="The conversation shows what the bot posted; a repeat carries the same nonce.",
    multi_step=True,
    recipient=lambda data: data.user,
    channel=CHANNEL,
    pace=PACE,
    limits=(*LIMITS, "only to people who share a server with the bot and take direct messages"),
)
def send_direct_message(call: Call, data: SendDirectMessage) -> Message:
    """Send a message to one person."""
    channel = str(call.step(_OPEN, lambda: _opened(call, data.user, effect=False)))
    try:
        sent = call.effect("post", lambda: cast("JsonValue", post(call, channel, data).model_dump(mode="json")))
    except RecipientOptedOut as refused:
        call.ledger.record_consent(CHANNEL, data.user, opted_out=True, source=f"discord {refused.code}")
        raise
    return Message.model_validate(sent)


def _opened(call: Call, user: str, *, effect: bool) -> str:
    opened = web.ask(call, "POST", "users/@me/channels", effect=effect, body={"recipient_id": user}, needs=("id",))
    return str(opened["id"])
