"""What can be seen and done in Slack's channels? List them, read them, join them, open a direct one."""

from __future__ import annotations

import sqlite3
from typing import Any

from connectors.sandbox.platform import Call, Reply
from connectors.sandbox.slack_data import (
    channel_for,
    cursor_for,
    cursor_value,
    direct_channel,
    find_message,
    micros,
    ok,
    post_due,
    refusal,
    rendered,
)

_SCOPES = {
    "public_channel": "channels:read",
    "private_channel": "groups:read",
    "mpim": "mpim:read",
    "im": "im:read",
}
_DEFAULT_LIMIT = 100
_FOREVER = 2**62


def channels(call: Call) -> Reply:
    """conversations.list, in pages."""
    kinds = [kind.strip() for kind in call.query.get("types", "public_channel").split(",")]
    if not set(kinds) <= _SCOPES.keys():
        raise refusal("invalid_types")
    provided = call.principal["scopes"]
    for kind in kinds:
        if _SCOPES[kind] not in provided.split(","):
            raise refusal("missing_scope", needed=_SCOPES[kind], provided=provided)
    limit: int = call.query.get("limit", _DEFAULT_LIMIT)
    marks = ",".join("?" * len(kinds))
    rows = call.db.execute(
        f"SELECT * FROM slack_channel WHERE kind IN ({marks}) AND id > ? AND NOT (is_archived AND ?)"  # noqa: S608
        " AND (kind = 'public_channel' OR is_member) ORDER BY id LIMIT ?",
        (*kinds, cursor_value(call) or "", call.query.get("exclude_archived", False), limit + 1),
    ).fetchall()
    following = cursor_for(rows[limit - 1]["id"]) if len(rows) > limit else ""
    return ok(channels=[_channel(row) for row in rows[:limit]], response_metadata={"next_cursor": following})


def history(call: Call) -> Reply:
    """conversations.history: newest first; replies are shown only where they were broadcast."""
    post_due(call)
    channel = channel_for(call, call.query["channel"], for_writing=False)
    return _page(call, channel["id"], "(thread_ts IS NULL OR thread_ts = ts OR broadcast)", [], newest_first=True)


def replies(call: Call) -> Reply:
    """conversations.replies: a thread, its first message first."""
    post_due(call)
    channel = channel_for(call, call.query["channel"], for_writing=False)
    parent = micros(call.query["ts"])
    if find_message(call.db, channel["id"], parent) is None:
        raise refusal("thread_not_found")
    return _page(call, channel["id"], "(ts = ? OR thread_ts = ?)", [parent, parent], newest_first=False)


def join(call: Call) -> Reply:
    """conversations.join: public channels only."""
    row = call.db.execute("SELECT * FROM slack_channel WHERE id = ?", (call.body["channel"],)).fetchone()
    if row is None:
        raise refusal("channel_not_found")
    if row["kind"] != "public_channel":
        raise refusal("method_not_supported_for_channel_type")
    if row["is_archived"]:
        raise refusal("is_archived")
    if row["is_member"]:
        return ok(channel=_channel(row), warning="already_in_channel")
    call.db.execute("UPDATE slack_channel SET is_member = 1 WHERE id = ?", (row["id"],))
    call.effect("joinChannel", row["id"], recipient=row["id"])
    return ok(channel={**_channel(row), "is_member": True})


def open_direct(call: Call) -> Reply:
    """conversations.open: the conversation with one or more users, or one that is open already."""
    if "channel" in call.body:
        return ok(channel=_channel(channel_for(call, call.body["channel"], for_writing=False)), already_open=True)
    users = tuple(user.strip() for user in call.body["users"].split(","))
    before = call.db.total_changes
    row = direct_channel(call, users)
    return ok(channel=_channel(row), already_open=call.db.total_changes == before)


def _page(call: Call, channel: str, condition: str, values: list[Any], *, newest_first: bool) -> Reply:
    query = call.query
    limit: int = query.get("limit", _DEFAULT_LIMIT)
    inclusive = query.get("inclusive", False)
    low = _bound(query.get("oldest"), 0)
    high = _bound(query.get("latest"), _FOREVER)
    if not inclusive:
        low, high = low + ("oldest" in query), high - ("latest" in query)
    position = _position(call)
    if position is not None:
        low, high = (low, min(high, position - 1)) if newest_first else (max(low, position + 1), high)
    rows = call.db.execute(
        f"SELECT * FROM slack_message WHERE channel = ? AND ts BETWEEN ? AND ? AND visible_at <= ? AND {condition}"  # noqa: S608
        f" ORDER BY ts {'DESC' if newest_first else 'ASC'} LIMIT ?",
        (channel, low, high, call.now, *values, limit + 1),
    ).fetchall()
    more, rows = len(rows) > limit, rows[:limit]
    messages = [rendered(row, with_metadata=query.get("include_all_metadata", False)) for row in rows]
    return ok(
        messages=messages,
        has_more=more,
        pin_count=0,
        response_metadata={"next_cursor": cursor_for(rows[-1]["ts"]) if more else ""},
    )


def _position(call: Call) -> int | None:
    value = cursor_value(call)
    if value is not None and not (value.isdecimal() and len(value) <= len(str(_FOREVER))):
        # A cursor of another method.
        raise refusal("invalid_cursor")
    return None if value is None else int(value)


def _bound(ts: str | None, otherwise: int) -> int:
    return micros(ts) if ts not in (None, "", "0") else otherwise


def _channel(row: sqlite3.Row) -> dict[str, Any]:
    kind = row["kind"]
    shown = {
        "id": row["id"],
        "name": row["name"],
        "is_channel": kind == "public_channel",
        "is_group": kind == "private_channel",
        "is_im": kind == "im",
        "is_mpim": kind == "mpim",
        "is_private": kind != "public_channel",
        "is_archived": bool(row["is_archived"]),
        "is_general": row["name"] == "general",
        "is_member": bool(row["is_member"]),
        "num_members": 3,
        "created": int(row["created_at"]),
    }
    return {**shown, "user": row["users"]} if kind == "im" else shown
