"""What does the sandbox's Slack workspace hold, and how is it looked up?"""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
import sqlite3
import string
from collections.abc import Mapping
from typing import Any

from connectors.sandbox.platform import Call, Refusal, Reply

TABLES = """
CREATE TABLE IF NOT EXISTS slack_team (
    team_id TEXT PRIMARY KEY,
    bot_user TEXT NOT NULL,
    bot_id TEXT NOT NULL,
    app_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    client_secret TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS slack_token (
    token TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    scopes TEXT NOT NULL,
    expires_at REAL,
    revoked INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS slack_user (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS slack_channel (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    users TEXT,
    is_member INTEGER NOT NULL,
    is_archived INTEGER NOT NULL,
    created_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS slack_message (
    channel TEXT NOT NULL,
    ts INTEGER NOT NULL,
    thread_ts INTEGER,
    broadcast INTEGER NOT NULL DEFAULT 0,
    content TEXT NOT NULL,
    visible_at REAL NOT NULL,
    PRIMARY KEY (channel, ts)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS slack_message_thread ON slack_message (channel, thread_ts, ts) WHERE thread_ts IS NOT NULL;
CREATE TABLE IF NOT EXISTS slack_scheduled (
    id TEXT PRIMARY KEY,
    channel TEXT NOT NULL,
    post_at INTEGER NOT NULL,
    thread_ts INTEGER,
    broadcast INTEGER NOT NULL,
    content TEXT NOT NULL,
    created_at REAL NOT NULL,
    visible_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS slack_scheduled_due ON slack_scheduled (post_at);
CREATE TABLE IF NOT EXISTS slack_file (
    id TEXT PRIMARY KEY,
    ticket TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    title TEXT NOT NULL,
    size INTEGER NOT NULL,
    hidden INTEGER NOT NULL,
    uploaded INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS slack_share (
    file TEXT NOT NULL,
    channel TEXT NOT NULL,
    ts INTEGER NOT NULL,
    visible_at REAL NOT NULL,
    PRIMARY KEY (file, channel, ts)
) WITHOUT ROWID;
"""

BOT_SCOPES = (
    "chat:write,channels:read,groups:read,im:read,mpim:read,channels:history,groups:history,im:history,mpim:history,"
    "channels:join,im:write,files:write,files:read"
)
# name: (id, kind, the bot is a member, archived)
SEEDED_CHANNELS: Mapping[str, tuple[str, str, bool, bool]] = {
    "launch": ("C0SPRINGLNCH", "public_channel", True, False),
    "general": ("C0GENERAL001", "public_channel", True, False),
    "random": ("C0RANDOM0001", "public_channel", True, False),
    "lobby": ("C0LOBBY00001", "public_channel", False, False),
    "attic": ("C0ATTIC00001", "public_channel", True, True),
    "board": ("G0BOARD00001", "private_channel", True, False),
}
SEEDED_USERS = ("U0ALICE0001", "U0BRUNO0001", "U0CARLA0001")

_TS = re.compile(r"[0-9]{10,12}(\.[0-9]{1,6})?")
_ALPHABET = string.ascii_uppercase + string.digits


def error(code: str, **more: Any) -> Reply:
    """Slack's way to say no: HTTP 200 and an error string."""
    return Reply(200, {"ok": False, "error": code, **more})


def refusal(code: str, **more: Any) -> Refusal:
    """The same, to be raised."""
    return Refusal(error(code, **more))


def ok(**fields: Any) -> Reply:
    """Slack's way to say yes."""
    return Reply(200, {"ok": True, **fields})


def new_id(prefix: str, *, length: int = 10) -> str:
    """A random id of Slack's form."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(length))


def shown_ts(micros: int) -> str:
    """A timestamp in microseconds as Slack writes it."""
    return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"


def micros(ts: str, *, otherwise: str = "invalid_arguments") -> int:
    """A Slack timestamp in microseconds.

    Raises:
        Refusal: not a timestamp; answered with ``otherwise``.
    """
    if not _TS.fullmatch(ts):
        raise refusal(otherwise)
    seconds, _, fraction = ts.partition(".")
    return int(seconds) * 1_000_000 + int(fraction.ljust(6, "0") or "0")


def channel_for(call: Call, named: str, *, for_writing: bool) -> sqlite3.Row:
    """The channel of a request, or the direct conversation with a user.

    Raises:
        Refusal: unknown, archived, or the bot is not in it.
    """
    if named.startswith("U") and for_writing:
        return direct_channel(call, (named,))
    row: sqlite3.Row | None = call.db.execute("SELECT * FROM slack_channel WHERE id = ?", (named,)).fetchone()
    if row is None:
        raise refusal("channel_not_found")
    if for_writing and row["is_archived"]:
        raise refusal("is_archived")
    if not row["is_member"]:
        raise refusal("not_in_channel")
    return row


def direct_channel(call: Call, users: tuple[str, ...]) -> sqlite3.Row:
    """The conversation with these users, opened when it does not exist.

    Raises:
        Refusal: a user is unknown.
    """
    for user in users:
        if call.db.execute("SELECT 1 FROM slack_user WHERE id = ?", (user,)).fetchone() is None:
            raise refusal("user_not_found")
    together = ",".join(sorted(set(users)))
    find = "SELECT * FROM slack_channel WHERE users = ?"
    if call.db.execute(find, (together,)).fetchone() is None:
        kind, prefix = ("im", "D") if "," not in together else ("mpim", "G")
        channel = new_id(prefix)
        call.db.execute(
            "INSERT INTO slack_channel VALUES (?, ?, ?, ?, 1, 0, ?)",
            (channel, channel.lower(), kind, together, call.now),
        )
        call.effect("openDM", channel, recipient=together)
    row: sqlite3.Row = call.db.execute(find, (together,)).fetchone()
    return row


def next_ts(db: sqlite3.Connection, channel: str, at: float) -> int:
    """A timestamp for a new message, unique in its channel."""
    ts = int(at * 1_000_000)
    while find_message(db, channel, ts) is not None:
        ts += 1
    return ts


def insert_message(
    db: sqlite3.Connection,
    *,
    channel: str,
    ts: int,
    content: Mapping[str, Any],
    visible_at: float,
    thread_ts: int | None = None,
    broadcast: bool = False,
) -> None:
    """Store a message; ``content`` is everything Slack shows of it besides its timestamps."""
    db.execute(
        "INSERT INTO slack_message VALUES (?, ?, ?, ?, ?, ?)",
        (channel, ts, thread_ts, broadcast, json.dumps(content), visible_at),
    )


def find_message(db: sqlite3.Connection, channel: str, ts: int) -> sqlite3.Row | None:
    """One message, also when lists do not show it yet."""
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM slack_message WHERE channel = ? AND ts = ?", (channel, ts)
    ).fetchone()
    return row


def post_due(call: Call) -> None:
    """Turn scheduled messages whose time has come into messages; asked before anything looks at either."""
    due = call.db.execute("SELECT * FROM slack_scheduled WHERE post_at <= ? ORDER BY post_at", (call.now,)).fetchall()
    for row in due:
        insert_message(
            call.db,
            channel=row["channel"],
            ts=next_ts(call.db, row["channel"], row["post_at"]),
            content=json.loads(row["content"]),
            visible_at=row["post_at"],
            thread_ts=row["thread_ts"],
            broadcast=bool(row["broadcast"]),
        )
        call.db.execute("DELETE FROM slack_scheduled WHERE id = ?", (row["id"],))


def rendered(row: sqlite3.Row, *, with_metadata: bool = True) -> dict[str, Any]:
    """A message as Slack shows it."""
    content: dict[str, Any] = json.loads(row["content"])
    if not with_metadata:
        content.pop("metadata", None)
    shown = {"type": "message", "ts": shown_ts(row["ts"]), **content}
    if row["thread_ts"] is not None:
        shown["thread_ts"] = shown_ts(row["thread_ts"])
    return shown


def cursor_for(value: object) -> str:
    """An opaque cursor."""
    return base64.urlsafe_b64encode(f"next:{value}".encode()).decode()


def cursor_value(call: Call) -> str | None:
    """What the request's cursor holds, or None on the first page.

    Raises:
        Refusal: not a cursor of ours.
    """
    cursor = call.query.get("cursor")
    if not cursor:
        return None
    try:
        head, _, value = base64.urlsafe_b64decode(cursor.encode()).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        head, value = "", ""
    if head != "next":
        raise refusal("invalid_cursor")
    return value
