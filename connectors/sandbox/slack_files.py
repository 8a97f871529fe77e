"""How does a file get into Slack? A ticket, the bytes, and the completing call that posts it."""

from __future__ import annotations

import secrets
import sqlite3
from pathlib import PurePath
from typing import Any

from connectors.sandbox.platform import Call, Reply
from connectors.sandbox.slack_data import (
    channel_for,
    find_message,
    insert_message,
    micros,
    new_id,
    next_ts,
    ok,
    refusal,
    shown_ts,
)
from connectors.sandbox.slack_text import shown

# Sharing is asynchronous at Slack: the post shows a moment after the call was answered.
_SHARED_AFTER_S = 0.5
_UPLOAD_HOST = "https://files.slack.com/upload/v1/"


def ticket(call: Call) -> Reply:
    """files.getUploadURLExternal: reserves a file; nobody sees it yet."""
    file_id, name = new_id("F"), secrets.token_urlsafe(24)
    fields: dict[str, Any] = call.body
    call.db.execute(
        "INSERT INTO slack_file (id, ticket, name, title, size, hidden, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        # A known defect of Slack: a file with alt_txt is completed without error and never shared.
        (file_id, name, fields["filename"], fields["filename"], fields["length"], "alt_txt" in fields, call.now),
    )
    return ok(upload_url=_UPLOAD_HOST + name, file_id=file_id)


def receive(call: Call) -> Reply:
    """The bytes, raw or as the multipart field ``file``; only their number is kept."""
    row = call.db.execute("SELECT * FROM slack_file WHERE ticket = ?", (call.path["ticket"],)).fetchone()
    if row is None:
        return Reply(404, "unknown upload", content_type="text/plain")
    data = call.body.get("file", b"") if isinstance(call.body, dict) else call.body
    if not isinstance(data, bytes) or len(data) != row["size"]:
        return Reply(400, "the number of bytes is not the announced length", content_type="text/plain")
    call.db.execute("UPDATE slack_file SET uploaded = 1 WHERE id = ?", (row["id"],))
    return Reply(200, f"OK - {len(data)}", content_type="text/plain")


def complete(call: Call) -> Reply:
    """files.completeUploadExternal: shares uploaded files; asked twice, it posts twice."""
    fields: dict[str, Any] = call.body
    rows = [_uploaded(call, item) for item in fields["files"]]
    named = [fields["channel_id"]] if "channel_id" in fields else []
    named += [name.strip() for name in fields.get("channels", "").split(",") if name.strip()]
    channels = [channel_for(call, name, for_writing=True) for name in named]
    thread = micros(fields["thread_ts"]) if "thread_ts" in fields else None
    shared = [row for row in rows if not row["hidden"]]
    for channel in channels if shared else []:
        if thread is not None and find_message(call.db, channel["id"], thread) is None:
            raise refusal("thread_not_found")
        _share(call, channel["id"], shared, thread)
    for row in shared if not channels else []:
        call.effect("uploadFile", row["id"], text=fields.get("initial_comment", row["title"]))
    return ok(files=[{"id": row["id"], "title": row["title"]} for row in rows])


def info(call: Call) -> Reply:
    """files.info: ``shares`` names a channel once the file is really there."""
    row = call.db.execute("SELECT * FROM slack_file WHERE id = ?", (call.query["file"],)).fetchone()
    if row is None:
        raise refusal("file_not_found")
    shares: dict[str, dict[str, list[dict[str, str]]]] = {}
    for share in call.db.execute(
        "SELECT s.channel, s.ts, c.kind, c.name FROM slack_share s JOIN slack_channel c ON c.id = s.channel"
        " WHERE s.file = ? AND s.visible_at <= ? ORDER BY s.ts",
        (row["id"], call.now),
    ):
        side = "public" if share["kind"] == "public_channel" else "private"
        entry = {"ts": shown_ts(share["ts"]), "channel_name": share["name"]}
        shares.setdefault(side, {}).setdefault(share["channel"], []).append(entry)
    return ok(file={**_file(row), "channels": [*shares.get("public", {})], "shares": shares})


def _uploaded(call: Call, item: dict[str, str]) -> sqlite3.Row:
    if "title" in item:
        call.db.execute("UPDATE slack_file SET title = ? WHERE id = ?", (item["title"], item["id"]))
    row: sqlite3.Row | None = call.db.execute(
        "SELECT * FROM slack_file WHERE id = ? AND uploaded", (item["id"],)
    ).fetchone()
    if row is None:
        raise refusal("file_not_found")
    return row


def _share(call: Call, channel: str, rows: list[sqlite3.Row], thread: int | None) -> None:
    ts = next_ts(call.db, channel, call.now + _SHARED_AFTER_S)
    visible_at = call.visible_at + _SHARED_AFTER_S
    comment: str = call.body.get("initial_comment", "")
    content = {
        "user": call.principal["bot_user"],
        "bot_id": call.principal["bot_id"],
        "text": shown(comment),
        "files": [_file(row) for row in rows],
    }
    insert_message(call.db, channel=channel, ts=ts, content=content, visible_at=visible_at, thread_ts=thread)
    for row in rows:
        call.db.execute("INSERT INTO slack_share VALUES (?, ?, ?, ?)", (row["id"], channel, ts, visible_at))
        call.effect("uploadFile", row["id"], recipient=channel, text=comment or row["title"])


def _file(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "title": row["title"],
        "filetype": PurePath(row["name"]).suffix.removeprefix(".") or "binary",
        "size": row["size"],
        "created": int(row["created_at"]),
    }
