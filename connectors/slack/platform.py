"""Which platform is it, and what does a connection to it hold?"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from connectors.kit.action import Input, Output
from connectors.kit.call import Call
from connectors.kit.connector import Connector
from connectors.kit.errors import NotFound
from connectors.slack import web

ChannelId = Annotated[str, StringConstraints(pattern=r"^[CGD][A-Z0-9]{2,}$")]
UserId = Annotated[str, StringConstraints(pattern=r"^[UW][A-Z0-9]{2,}$")]
Timestamp = Annotated[str, StringConstraints(pattern=r"^[0-9]{10,}\.[0-9]{6}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=40_000)]
Block = dict[str, Any]

SETTLE_AFTER_S = 10.0
"""Slack posts within its answer's time; this covers a request it still works on when we stop waiting."""

IN_CHANNEL = Field(description="Channel id such as C0123ABCD, not its name.")
MARKUP = Field(description="Slack markup, best under 4,000 characters; & < > written as &amp; &lt; &gt;.")
BLOCKS = Field(default=(), max_length=50, description="Block Kit; text is then the fallback.")
THREAD = Field(default=None, description="Reply in the thread of this message.")


class SlackSettings(BaseModel):
    """Nothing: a bot's token says all."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


SLACK = Connector(
    "slack",
    "Slack",
    hosts=web.HOSTS,
    credential=web.SlackCredential,
    settings=SlackSettings,
    api_version="unversioned, as of August 2026",
    oauth=web.OAUTH,
    console=(
        "Open https://api.slack.com/apps, choose 'Create New App' and 'From scratch', and pick the workspace.",
        "Under 'OAuth & Permissions' add {redirect_uri} to the redirect URLs.",
        "There add the bot token scopes: " + ", ".join(web.OAUTH.scopes) + ".",
        "Token rotation may be switched on there; it cannot be switched off again.",
        "Under 'Basic Information' you find the Client ID and the Client Secret.",
    ),
)


class Done(Output):
    """It is so."""

    done: Literal[True] = True


def gone_after(call: Call, method: str, data: Input, *, gone: str) -> Done:
    """Delete something that may be deleted already.

    Args:
        gone: Slack's error for what is not there (any more).

    Raises:
        NotFound: It was not there, and no earlier attempt can have deleted it.
    """
    try:
        web.post(call, method, data.model_dump(), effect=True)
    except NotFound as refused:
        if refused.code != gone or call.first_sent_at is None:
            raise
    return Done()


@SLACK.check
def check_token(call: Call) -> str:
    """Ask Slack whose token it is."""
    found = web.post(call, "auth.test", {}, effect=False, needs=("team_id", "user_id"))
    return f"Slack workspace {found.get('team') or found['team_id']}, as {found.get('user') or found['user_id']}"
