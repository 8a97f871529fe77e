"""Which platform is it, and what does a connection to it hold?"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from connectors.discord import web
from connectors.kit.action import Output
from connectors.kit.call import Call
from connectors.kit.connector import Connector
from connectors.kit.errors import InvalidRequest, NotFound

Snowflake = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,19}$")]
"""Discord's ids: numbers of 64 bits, written as texts."""

_EPOCH_MS = 1_420_070_400_000

SETTLE_AFTER_S = 10.0
"""Discord shows a message by the time it answers; this covers a request it still works on when we stop waiting."""

IN_CHANNEL = Field(description="Id of the channel or thread, digits; not its name.")
IN_GUILD = Field(default=None, description="Id of the server; the connection's if left out.")


class DiscordSettings(BaseModel):
    """What a connection knows besides its secrets."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    guild_id: Snowflake | None = Field(default=None, description="Server that is meant when an input names none.")
    webhook_channel_id: Snowflake | None = Field(
        default=None,
        description="Channel of the webhook: lets the bot look whether a message whose answer was lost is there.",
    )


DISCORD = Connector(
    "discord",
    "Discord",
    hosts=(web.HOST,),
    credential=web.DiscordCredential,
    settings=DiscordSettings,
    api_version=web.VERSION,
    console=(
        "Open https://discord.com/developers/applications, create an application, and choose 'Bot'.",
        "'Reset Token' shows the bot's token once: that is the credential.",
        "Under 'OAuth2', 'URL Generator', tick bot, then Send Messages, Read Message History and Create Events.",
        "Open the address that it makes, and add the bot to your server.",
        "For a webhook instead: in the channel's settings, 'Integrations', make one and copy its address.",
    ),
)


class Done(Output):
    """It is so."""

    done: Literal[True] = True


def guild_of(call: Call, guild: str | None) -> str:
    """The server that an input means.

    Raises:
        InvalidRequest: Neither the input nor the connection names one.
    """
    found = guild or call.settings_as(DiscordSettings).guild_id
    if found is None:
        raise InvalidRequest("guild: none given, and the connection's settings have no guild_id")
    return found


def snowflake_at(moment: datetime) -> str:
    """The smallest id that Discord may have given at a moment: an id begins with the milliseconds since 2015."""
    return str(max(0, int(moment.timestamp() * 1000) - _EPOCH_MS) << 22)


def made_at(snowflake: str) -> datetime:
    """When Discord made what carries this id."""
    return datetime.fromtimestamp(((int(snowflake) >> 22) + _EPOCH_MS) / 1000, UTC)


def me(call: Call) -> dict[str, Any]:
    """The bot's own account."""
    return web.ask(call, "GET", "users/@me", effect=False, needs=("id", "username"))


@DISCORD.check
def check_access(call: Call) -> str:
    """Ask Discord whose token it is; of a webhook alone, whether it is there."""
    credential = call.credential_as(web.DiscordCredential)
    if credential.bot_token is not None:
        found = me(call)
        return f"Discord bot {found['username']} ({found['id']})"
    # It has no such message; but a webhook that is gone is refused before the message is looked for.
    with contextlib.suppress(NotFound):
        web.ask_webhook(call, "GET", "/messages/1", effect=False)
    return f"Discord webhook {credential.webhook()[0]}"
