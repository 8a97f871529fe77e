"""What can be done with Slack messages? Send, schedule, change, delete."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from connectors.sandbox import slack_hooks
from connectors.sandbox.platform import Call, Reply
from connectors.sandbox.slack_data import (
    channel_for,
    cursor_for,
    cursor_value,
    find_message,
    insert_message,
    micros,
    new_id,
    next_ts,
    ok,
    post_due,
    refusal,
    rendered,
    shown_ts,
)
from connectors.sandbox.slack_text import shown

_MAX_AHEAD_S = 120 * 86400
_WINDOW_S, _WINDOW_MESSAGES = 300, 30
_LOCKED_BEFORE_S = 60
_BLOCKS_CHARS = 13_200
_METADATA_CHARS = 8_000
_BLOCK_TEXT = {"section": 3_000, "header": 150, "markdown": 12_000}
_SHOWN = ("text", "blocks", "attachments", "metadata", "username")


def send(call: Call) -> Reply:
    """chat.postMessage."""
    fields: dict[str, Any] = call.body
    _check_content(fields)
    channel = channel_for(call, fields["channel"], for_writing=True)
    thread_ts = _thread(call, channel["id"], fields)
    ts = next_ts(call.db, channel["id"], call.now)
    insert_message(
        call.db,
        channel=channel["id"],
        ts=ts,
        content=_content(call, fields),
        visible_at=call.visible_at,
        thread_ts=thread_ts,
        broadcast=fields.get("reply_broadcast", False),
    )
    call.effect("sendMessage", shown_ts(ts), key=_key(fields), recipient=channel["id"], text=_text(fields))
    if "metadata" in fields:
        slack_hooks.metadata_posted(call, channel=channel["id"], ts=shown_ts(ts), metadata=fields["metadata"])
    row = find_message(call.db, channel["id"], ts)
    return ok(channel=channel["id"], ts=shown_ts(ts), message=rendered(row) if row else {})


def schedule(call: Call) -> Reply:
    """chat.scheduleMessage: in the future, at most 120 days ahead, at most 30 in five minutes of one channel."""
    fields: dict[str, Any] = call.body
    _check_content(fields)
    channel = channel_for(call, fields["channel"], for_writing=True)
    post_at: int = fields["post_at"]
    if post_at <= call.now:
        raise refusal("time_in_past")
    if post_at > call.now + _MAX_AHEAD_S:
        raise refusal("time_too_far")
    post_due(call)
    window = post_at // _WINDOW_S * _WINDOW_S
    full = call.db.execute(
        "SELECT count(*) FROM slack_scheduled WHERE channel = ? AND post_at >= ? AND post_at < ?",
        (channel["id"], window, window + _WINDOW_S),
    ).fetchone()[0]
    if full >= _WINDOW_MESSAGES:
        raise refusal("restricted_too_many")
    scheduled_id = new_id("Q")
    content = _content(call, fields)
    call.db.execute(
        "INSERT INTO slack_scheduled VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            scheduled_id, channel["id"], post_at, _thread(call, channel["id"], fields),
            fields.get("reply_broadcast", False), json.dumps(content), call.now, call.visible_at,
        ),
    )  # fmt: skip
    call.effect("scheduleMessage", scheduled_id, recipient=channel["id"], text=_text(fields))
    return ok(
        channel=channel["id"],
        scheduled_message_id=scheduled_id,
        post_at=post_at,
        message={"type": "delayed_message", **content},
    )


def cancel(call: Call) -> Reply:
    """chat.deleteScheduledMessage: not in the last minute, and not what is already posted."""
    post_due(call)
    channel = channel_for(call, call.body["channel"], for_writing=True)
    row = call.db.execute(
        "SELECT * FROM slack_scheduled WHERE id = ? AND channel = ?",
        (call.body["scheduled_message_id"], channel["id"]),
    ).fetchone()
    if row is None or row["post_at"] - call.now <= _LOCKED_BEFORE_S:
        raise refusal("invalid_scheduled_message_id")
    call.db.execute("DELETE FROM slack_scheduled WHERE id = ?", (row["id"],))
    call.effect("cancelScheduled", row["id"], recipient=channel["id"])
    return ok()


def scheduled(call: Call) -> Reply:
    """chat.scheduledMessages.list: the bot's own; oldest and latest are ignored, as for workspace tokens."""
    post_due(call)
    wanted = call.query.get("channel")
    if wanted is not None:
        channel_for(call, wanted, for_writing=False)
    limit: int = call.query.get("limit", 100)
    rows = call.db.execute(
        "SELECT * FROM slack_scheduled WHERE (? IS NULL OR channel = ?) AND id > ? AND visible_at <= ?"
        " ORDER BY id LIMIT ?",
        (wanted, wanted, cursor_value(call) or "", call.now, limit + 1),
    ).fetchall()
    following = cursor_for(rows[limit - 1]["id"]) if len(rows) > limit else ""
    return ok(
        scheduled_messages=[_scheduled_item(row) for row in rows[:limit]], response_metadata={"next_cursor": following}
    )


def update(call: Call) -> Reply:
    """chat.update: metadata that is not given stays, ``{}`` clears it."""
    fields: dict[str, Any] = call.body
    _check_content(fields)
    post_due(call)
    channel = channel_for(call, fields["channel"], for_writing=True)
    row = _own_message(call, channel["id"], fields["ts"])
    content: dict[str, Any] = json.loads(row["content"])
    if _gives_text(fields):
        # New text without blocks takes the old blocks away; both are to be sent again.
        content.pop("blocks", None)
        content["text"] = shown(_text(fields))
    content |= {name: fields[name] for name in ("blocks", "attachments", "metadata") if name in fields}
    content = {name: value for name, value in content.items() if value != {}}
    content["edited"] = {"user": call.principal["bot_user"], "ts": shown_ts(int(call.now) * 1_000_000)}
    call.db.execute(
        "UPDATE slack_message SET content = ? WHERE channel = ? AND ts = ?",
        (json.dumps(content), row["channel"], row["ts"]),
    )
    call.effect("updateMessage", fields["ts"], key=_key(fields), recipient=channel["id"], text=_text(fields))
    return ok(channel=channel["id"], ts=fields["ts"], text=content.get("text", ""), message=content)


def delete(call: Call) -> Reply:
    """chat.delete: the platform's record goes, our count of the effect stays."""
    post_due(call)
    channel = channel_for(call, call.body["channel"], for_writing=True)
    row = _own_message(call, channel["id"], call.body["ts"])
    call.db.execute("DELETE FROM slack_message WHERE channel = ? AND ts = ?", (row["channel"], row["ts"]))
    call.effect("deleteMessage", call.body["ts"], recipient=channel["id"])
    return ok(channel=channel["id"], ts=call.body["ts"])


def _own_message(call: Call, channel: str, ts: str) -> sqlite3.Row:
    row = find_message(call.db, channel, micros(ts))
    if row is None:
        raise refusal("message_not_found")
    return row


def _thread(call: Call, channel: str, fields: Mapping[str, Any]) -> int | None:
    if "thread_ts" not in fields:
        return None
    post_due(call)
    parent = find_message(call.db, channel, micros(fields["thread_ts"]))
    if parent is None:
        raise refusal("thread_not_found")
    if parent["thread_ts"] not in (None, parent["ts"]):
        raise refusal("cannot_reply_to_message")
    if parent["thread_ts"] is None:
        call.db.execute("UPDATE slack_message SET thread_ts = ts WHERE channel = ? AND ts = ?", (channel, parent["ts"]))
    found: int = parent["ts"]
    return found


def _content(call: Call, fields: Mapping[str, Any]) -> dict[str, Any]:
    team = call.principal
    author = {"user": team["bot_user"], "bot_id": team["bot_id"], "app_id": team["app_id"], "team": team["team_id"]}
    given = {name: fields[name] for name in _SHOWN if name in fields}
    content = {**author, **given, "text": shown(_text(fields))}
    return {**content, "subtype": "bot_message"} if "username" in fields else content


def _text(fields: Mapping[str, Any]) -> str:
    text: str = fields.get("text") or fields.get("markdown_text") or ""
    return text


def _gives_text(fields: Mapping[str, Any]) -> bool:
    return "text" in fields or "markdown_text" in fields


def _key(fields: Mapping[str, Any]) -> str | None:
    key = fields.get("metadata", {}).get("event_payload", {}).get("effect_id")
    return key if isinstance(key, str) else None


def _check_content(fields: Mapping[str, Any]) -> None:
    if not (_gives_text(fields) or any(name in fields for name in ("blocks", "attachments", "metadata", "file_ids"))):
        raise refusal("no_text")
    blocks: list[dict[str, Any]] = fields.get("blocks", [])
    if len(json.dumps(blocks, ensure_ascii=False)) > _BLOCKS_CHARS:
        raise refusal("msg_blocks_too_long")
    if any(_block_text_chars(block) > _BLOCK_TEXT.get(block["type"], _BLOCKS_CHARS) for block in blocks):
        raise refusal("invalid_blocks")
    if len(json.dumps(fields.get("metadata", {}), ensure_ascii=False)) > _METADATA_CHARS:
        raise refusal("metadata_too_large")


def _block_text_chars(block: Mapping[str, Any]) -> int:
    text = block.get("text", "")
    if isinstance(text, dict):
        text = text.get("text", "")
    return len(text) if isinstance(text, str) else 0


def _scheduled_item(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "channel_id": row["channel"],
        "post_at": row["post_at"],
        "date_created": int(row["created_at"]),
        "text": json.loads(row["content"]).get("text", ""),
    }
