"""What does Slack tell an app unasked? That a message with metadata was posted."""

from __future__ import annotations

from typing import Any

from connectors.sandbox import webhooks
from connectors.sandbox.platform import Call
from connectors.sandbox.signatures import Scheme
from connectors.sandbox.slack_data import new_id


def metadata_posted(call: Call, *, channel: str, ts: str, metadata: dict[str, Any]) -> None:
    """The event ``message_metadata_posted``."""
    team = call.principal
    event = {
        "type": "message_metadata_posted",
        "app_id": team["app_id"],
        "bot_id": team["bot_id"],
        "user_id": team["bot_user"],
        "team_id": team["team_id"],
        "channel_id": channel,
        "metadata": metadata,
        "message_ts": ts,
        "event_ts": ts,
    }
    told = {
        "token": "sandbox",
        "team_id": team["team_id"],
        "api_app_id": team["app_id"],
        "event": event,
        "type": "event_callback",
        "event_id": new_id("Ev"),
        "event_time": int(call.now),
    }
    call.tell(ts, [(call.now, told)], scheme=Scheme.SLACK, secret=webhooks.secret(call.db, "slack"))
