"""What can be done with a server's scheduled events? Create, list, move along, delete."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.sandbox.discord_data import (
    BOT,
    GUILD,
    STAGE,
    VOICE,
    channel_for,
    new_id,
    ok,
    refusal,
    unfit_field,
)
from connectors.sandbox.platform import Call, Reply

_SCHEDULED, _ACTIVE, _COMPLETED, _CANCELED = 1, 2, 3, 4
_MOVES = {(_SCHEDULED, _ACTIVE), (_ACTIVE, _COMPLETED), (_SCHEDULED, _CANCELED)}
_MOST = 100
_KIND_OF_ENTITY = {1: STAGE, 2: VOICE}
_MARK = re.compile(r"ref ([0-9a-f]+)\Z")


def create(call: Call) -> Reply:
    """POST /guilds/{id}/scheduled-events."""
    check_guild(call)
    given: dict[str, Any] = call.body
    open_ones = call.db.execute("SELECT count(*) FROM discord_event WHERE status < ?", (_COMPLETED,)).fetchone()[0]
    if open_ones >= _MOST:
        raise refusal(400, 30038, "Maximum number of guild scheduled events has been reached (100)")
    _check(call, given)
    if given["entity_type"] in _KIND_OF_ENTITY:
        channel = channel_for(call, given["channel_id"], "view")
        if channel["kind"] != _KIND_OF_ENTITY[given["entity_type"]]:
            raise unfit_field("channel_id", "CHANNEL_TYPE_INVALID")
    key = new_id(call, "discord_event")
    call.db.execute(
        "INSERT INTO discord_event VALUES (?, ?, ?, ?)", (key, _SCHEDULED, json.dumps(given), call.visible_at)
    )
    mark = _MARK.search(given.get("description") or "")
    call.effect("createScheduledEvent", str(key), key=mark and mark[1], recipient=GUILD, text=given["name"])
    return ok(call, _shown(_row(call, str(key))))


def listing(call: Call) -> Reply:
    """GET /guilds/{id}/scheduled-events: those that are not over."""
    check_guild(call)
    rows = call.db.execute(
        "SELECT * FROM discord_event WHERE status < ? AND visible_at <= ? ORDER BY id", (_COMPLETED, call.now)
    ).fetchall()
    return ok(call, [_counted(call, row) for row in rows])


def one(call: Call) -> Reply:
    """GET /guilds/{id}/scheduled-events/{id}."""
    check_guild(call)
    return ok(call, _counted(call, _row(call, call.path["event_id"])))


def update(call: Call) -> Reply:
    """PATCH: what is over does not change any more, and a state is reached only from the one before."""
    check_guild(call)
    row, given = _row(call, call.path["event_id"]), dict(call.body)
    status = given.pop("status", row["status"])
    if row["status"] >= _COMPLETED:
        raise refusal(400, 180000, "Cannot update a finished event")
    if (status != row["status"] and (row["status"], status) not in _MOVES) or (not given and status == row["status"]):
        raise unfit_field("status", "GUILD_SCHEDULED_EVENT_INVALID_STATUS_TRANSITION")
    content = {**json.loads(row["content"]), **given}
    if given:
        _check(call, content)
    call.db.execute(
        "UPDATE discord_event SET status = ?, content = ? WHERE id = ?", (status, json.dumps(content), row["id"])
    )
    moved = {_ACTIVE: "startScheduledEvent", _COMPLETED: "endScheduledEvent", _CANCELED: "cancelScheduledEvent"}
    action = moved.get(status, "updateScheduledEvent") if status != row["status"] else "updateScheduledEvent"
    call.effect(action, str(row["id"]), recipient=GUILD, text=content["name"])
    return ok(call, _shown(_row(call, str(row["id"]))))


def delete(call: Call) -> Reply:
    """DELETE: it is gone, whatever its state."""
    check_guild(call)
    row = _row(call, call.path["event_id"])
    call.db.execute("DELETE FROM discord_event WHERE id = ?", (row["id"],))
    call.effect("deleteScheduledEvent", str(row["id"]), recipient=GUILD)
    return ok(call, None, status=204)


def check_guild(call: Call) -> None:
    """The server of a request is the bot's.

    Raises:
        Refusal: It is not.
    """
    if call.path["guild_id"] != GUILD:
        raise refusal(404, 10004, "Unknown Guild")


def _check(call: Call, given: Mapping[str, Any]) -> None:
    starts_at = _seconds(given["scheduled_start_time"])
    if starts_at <= call.now:
        raise unfit_field("scheduled_start_time", "GUILD_SCHEDULED_EVENT_SCHEDULE_PAST")
    ends = given.get("scheduled_end_time")
    if ends is not None and _seconds(ends) <= starts_at:
        raise unfit_field("scheduled_end_time", "GUILD_SCHEDULED_EVENT_END_TIME_BEFORE_START")


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _row(call: Call, key: str) -> sqlite3.Row:
    row: sqlite3.Row | None = call.db.execute("SELECT * FROM discord_event WHERE id = ?", (int(key),)).fetchone()
    if row is None:
        raise refusal(404, 10070, "Unknown Guild Scheduled Event")
    return row


def _counted(call: Call, row: sqlite3.Row) -> dict[str, Any]:
    return {**_shown(row), **({"user_count": 1} if call.query.get("with_user_count") else {})}


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    given: dict[str, Any] = json.loads(row["content"])
    return {
        "id": str(row["id"]),
        "guild_id": GUILD,
        "channel_id": given.get("channel_id"),
        "creator_id": BOT,
        "name": given["name"],
        "description": given.get("description"),
        "scheduled_start_time": given["scheduled_start_time"],
        "scheduled_end_time": given.get("scheduled_end_time"),
        "privacy_level": given["privacy_level"],
        "status": row["status"],
        "entity_type": given["entity_type"],
        "entity_id": None,
        "entity_metadata": given.get("entity_metadata"),
        "image": None,
        "recurrence_rule": given.get("recurrence_rule"),
        "guild_scheduled_event_exceptions": [],
    }
