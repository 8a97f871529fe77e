"""What can be done with Discord messages that are there? Read, change, delete, publish, find."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from connectors.sandbox.discord_data import ANNOUNCEMENT, channel_for, fields, ok, refusal
from connectors.sandbox.discord_rows import check, find, shown, text, webhook
from connectors.sandbox.platform import Call, Reply


def listing(call: Call) -> Reply:
    """GET /channels/{id}/messages: newest first; empty for who may not read what was said."""
    channel = channel_for(call, call.path["channel_id"], "view")
    if "read" not in channel["rights"].split():
        return ok(call, [], place=channel["id"])
    limit: int = call.query.get("limit", 50)
    after, before = call.query.get("after"), int(call.query.get("before", 2**63 - 1))
    rows = call.db.execute(
        "SELECT * FROM discord_message WHERE channel = ? AND NOT deleted AND visible_at <= ? AND id > ? AND id < ?"
        # What comes right after an id, else the newest.
        " ORDER BY CASE WHEN ? THEN id ELSE -id END LIMIT ?",
        (channel["id"], call.now, int(after or 0), before, after is not None, limit),
    ).fetchall()
    return ok(call, [shown(row) for row in sorted(rows, key=lambda row: -row["id"])], place=channel["id"])


def one(call: Call) -> Reply:
    """GET /channels/{id}/messages/{id}: refused to who may not read what was said."""
    channel = channel_for(call, call.path["channel_id"], "view")
    if "read" not in channel["rights"].split():
        raise refusal(403, 50013, "Missing Permissions")
    return ok(call, shown(_found(call, channel["id"])), place=channel["id"])


def edit(call: Call) -> Reply:
    """PATCH /channels/{id}/messages/{id}: the bot's own only."""
    given = fields(call, "EditMessage")
    channel = channel_for(call, call.path["channel_id"], "view")
    row = _found(call, channel["id"])
    if row["webhook"] is not None:
        raise refusal(403, 50005, "Cannot edit a message authored by another user")
    return _changed(call, row, given, "editMessage")


def delete(call: Call) -> Reply:
    """DELETE /channels/{id}/messages/{id}."""
    channel = channel_for(call, call.path["channel_id"], "view")
    return _deleted(call, _found(call, channel["id"]), "deleteMessage")


def crosspost(call: Call) -> Reply:
    """POST .../crosspost: announcement channels, once per message."""
    channel = channel_for(call, call.path["channel_id"], "send")
    row = _found(call, channel["id"])
    if channel["kind"] != ANNOUNCEMENT:
        raise refusal(400, 50024, "Cannot execute action on this channel type")
    if row["crossposted"]:
        raise refusal(400, 40033, "This message has already been crossposted")
    call.db.execute("UPDATE discord_message SET crossposted = 1 WHERE id = ?", (row["id"],))
    call.effect("crosspostMessage", str(row["id"]), recipient=channel["id"])
    return ok(call, {**shown(row), "flags": 1}, place=channel["id"])


def one_of_webhook(call: Call) -> Reply:
    """GET /webhooks/{id}/{token}/messages/{id}."""
    return ok(call, shown(_of_webhook(call)))


def edit_by_webhook(call: Call) -> Reply:
    """PATCH /webhooks/{id}/{token}/messages/{id}."""
    given = fields(call, "EditWebhookMessage")
    return _changed(call, _of_webhook(call), given, "editWebhookMessage")


def delete_by_webhook(call: Call) -> Reply:
    """DELETE /webhooks/{id}/{token}/messages/{id}."""
    return _deleted(call, _of_webhook(call), "deleteWebhookMessage")


def search(call: Call) -> Reply:
    """GET /guilds/{id}/messages/search: each hit in a list of its own."""
    query = call.query
    rows = call.db.execute(
        "SELECT m.* FROM discord_message m JOIN discord_channel c ON c.id = m.channel"
        " WHERE NOT deleted AND visible_at <= ? AND c.kind <> 1 AND c.rights LIKE '%read%'"
        " AND m.id > ? AND m.id < ? ORDER BY m.id DESC",
        (call.now, int(query.get("min_id", 0)), int(query.get("max_id", 2**63 - 1))),
    ).fetchall()
    found = [shown(row) for row in rows]
    hits = [
        message
        for message in found
        if query.get("content", "").lower() in message["content"].lower()
        and message["channel_id"] in query.get("channel_id", [message["channel_id"]])
        and message["author"]["id"] in query.get("author_id", [message["author"]["id"]])
    ]
    first: int = query.get("offset", 0)
    page = [[{**message, "hit": True}] for message in hits[first : first + query.get("limit", 25)]]
    return ok(call, {"messages": page, "total_results": len(hits), "doing_deep_historical_index": False})


def _found(call: Call, channel: str) -> sqlite3.Row:
    row = find(call, channel, call.path["message_id"])
    if row is None:
        raise refusal(404, 10008, "Unknown Message")
    return row


def _of_webhook(call: Call) -> sqlite3.Row:
    hook = webhook(call)
    row = find(call, call.query.get("thread_id", hook["channel"]), call.path["message_id"])
    if row is None or row["webhook"] != hook["id"]:
        raise refusal(404, 10008, "Unknown Message")
    return row


def _changed(call: Call, row: sqlite3.Row, given: Mapping[str, Any], action: str) -> Reply:
    content = {**json.loads(row["content"]), **given, "edited_at": call.now}
    check(content)
    call.db.execute("UPDATE discord_message SET content = ? WHERE id = ?", (json.dumps(content), row["id"]))
    call.effect(action, str(row["id"]), recipient=row["channel"], text=text(content))
    changed = call.db.execute("SELECT * FROM discord_message WHERE id = ?", (row["id"],)).fetchone()
    return ok(call, shown(changed), place=row["channel"])


def _deleted(call: Call, row: sqlite3.Row, action: str) -> Reply:
    # What is deleted is still known by its nonce.
    call.db.execute("UPDATE discord_message SET deleted = 1 WHERE id = ?", (row["id"],))
    call.effect(action, str(row["id"]), recipient=row["channel"])
    return ok(call, None, status=204, place=row["channel"])
