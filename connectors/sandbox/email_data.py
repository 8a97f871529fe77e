"""What does the sandbox's Gmail remember? One mailbox: messages, drafts, their history, and how it shows them."""

from __future__ import annotations

import base64
import json
import secrets
import sqlite3
from collections.abc import Iterable, Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from connectors.sandbox import google_api
from connectors.sandbox.platform import Call

ADDRESS = "news@acme.example"
"""The mailbox's owner."""

TABLES = """
CREATE TABLE IF NOT EXISTS email_message (
    id TEXT PRIMARY KEY,
    thread_id TEXT NOT NULL,
    labels TEXT NOT NULL,
    raw BLOB NOT NULL,
    received_at REAL NOT NULL,
    visible_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS email_draft (id TEXT PRIMARY KEY, message_id TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS email_alias (
    address TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    is_primary INTEGER NOT NULL,
    status TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS email_change (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    message_id TEXT NOT NULL,
    thread_id TEXT NOT NULL,
    labels TEXT NOT NULL,
    changed TEXT
);
CREATE TABLE IF NOT EXISTS email_upload (
    id TEXT PRIMARY KEY,
    total INTEGER,
    thread_id TEXT,
    content BLOB NOT NULL,
    message_id TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS email_watch (topic TEXT NOT NULL, expires_at REAL NOT NULL);
"""

_FIRST_HISTORY = 987_654
_KEPT_CHANGES = 10_000


def new_id() -> str:
    """A new id of a message."""
    return "19" + secrets.token_hex(7)


def parsed(raw: bytes) -> EmailMessage:
    """A mail, however broken it is."""
    found = message_from_bytes(raw, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def history_id(db: sqlite3.Connection) -> int:
    """Where the history stands."""
    last = db.execute("SELECT max(id) FROM email_change").fetchone()[0] or 0
    return _FIRST_HISTORY + int(last)


def change_of(history: int) -> int:
    """The change that a history id names."""
    return history - _FIRST_HISTORY


def oldest_history(db: sqlite3.Connection) -> int:
    """The oldest history id that may still be asked from."""
    return max(_FIRST_HISTORY, history_id(db) - _KEPT_CHANGES)


def store(
    db: sqlite3.Connection,
    raw: bytes,
    *,
    labels: Sequence[str],
    now: float,
    visible_at: float,
    thread_id: str | None = None,
) -> sqlite3.Row:
    """Put a message into the mailbox; without a thread it begins one."""
    message_id = new_id()
    db.execute(
        "INSERT INTO email_message VALUES (?, ?, ?, ?, ?, ?)",
        (message_id, thread_id or message_id, json.dumps([*labels]), raw, now, visible_at),
    )
    row = fetch(db, message_id)
    note(db, "messageAdded", row)
    return row


def note(db: sqlite3.Connection, kind: str, row: sqlite3.Row, changed: Iterable[str] | None = None) -> None:
    """Add a change to the history."""
    labels = None if changed is None else json.dumps([*changed])
    db.execute(
        "INSERT INTO email_change (kind, message_id, thread_id, labels, changed) VALUES (?, ?, ?, ?, ?)",
        (kind, row["id"], row["thread_id"], row["labels"], labels),
    )


def remove(db: sqlite3.Connection, row: sqlite3.Row) -> None:
    """Take a message out of the mailbox for good."""
    db.execute("DELETE FROM email_message WHERE id = ?", (row["id"],))
    note(db, "messageDeleted", row)


def fetch(db: sqlite3.Connection, message_id: str) -> sqlite3.Row:
    """A message.

    Raises:
        Refusal: 404; there is none.
    """
    row: sqlite3.Row | None = db.execute("SELECT * FROM email_message WHERE id = ?", (message_id,)).fetchone()
    if row is None:
        raise google_api.not_found()
    return row


def fetch_draft(db: sqlite3.Connection, draft_id: str) -> sqlite3.Row:
    """A draft's message.

    Raises:
        Refusal: 404; there is none, or it has been sent.
    """
    row = db.execute("SELECT message_id FROM email_draft WHERE id = ?", (draft_id,)).fetchone()
    if row is None:
        raise google_api.not_found()
    return fetch(db, row["message_id"])


def relabel(db: sqlite3.Connection, row: sqlite3.Row, labels: Sequence[str]) -> sqlite3.Row:
    """Give a message other labels."""
    db.execute("UPDATE email_message SET labels = ? WHERE id = ?", (json.dumps([*labels]), row["id"]))
    return fetch(db, row["id"])


def labels_of(row: sqlite3.Row) -> list[str]:
    """A message's labels."""
    found: list[str] = json.loads(row["labels"])
    return found


def brief(row: sqlite3.Row) -> dict[str, Any]:
    """A message as the answer to what makes or moves it."""
    return {"id": row["id"], "threadId": row["thread_id"], "labelIds": json.loads(row["labels"])}


def shown(call: Call, row: sqlite3.Row, *, form: str) -> dict[str, Any]:
    """A message as it is read, in Gmail's format ``full``, ``metadata``, ``minimal`` or ``raw``."""
    message = parsed(row["raw"])
    found = {
        **brief(row),
        "snippet": text_of(message)[:100],
        "historyId": str(history_id(call.db)),
        "internalDate": str(int(row["received_at"] * 1000)),
        "sizeEstimate": len(row["raw"]),
    }
    if form == "raw":
        return {**found, "raw": encoded(row["raw"])}
    if form == "metadata":
        wanted = {name.lower() for name in call.query.get("metadataHeaders", ())}
        headers = [one for one in _headers(message) if not wanted or one["name"].lower() in wanted]
        return {**found, "payload": {"mimeType": message.get_content_type(), "headers": headers}}
    if form == "full":
        return {**found, "payload": _tree(row, message)}
    return found


def text_of(message: EmailMessage) -> str:
    """What a mail says: its plain text, or else its HTML."""
    body = message.get_body(("plain", "html"))
    return "" if body is None else _decoded(body).decode(errors="replace").replace("\r\n", "\n").strip()


def file_of(row: sqlite3.Row, attachment_id: str) -> bytes:
    """The content of a part that comes by itself.

    Raises:
        Refusal: 400; the message has no such part.
    """
    for number, part in enumerate(parsed(row["raw"]).walk()):
        if attachment_id == f"ANGjdJ{number}_{row['id']}":
            return _decoded(part)
    raise google_api.refusal(400, "Invalid attachment token")


def encoded(content: bytes) -> str:
    """Bytes as Gmail writes them."""
    return base64.urlsafe_b64encode(content).decode()


def _headers(part: EmailMessage) -> list[dict[str, str]]:
    return [{"name": name, "value": " ".join(str(value).split())} for name, value in part.items()]


def _tree(row: sqlite3.Row, message: EmailMessage) -> dict[str, Any]:
    names = {id(part): f"ANGjdJ{number}_{row['id']}" for number, part in enumerate(message.walk())}

    def described(part: Any, place: str) -> dict[str, Any]:
        found: dict[str, Any] = {
            "partId": place,
            "mimeType": part.get_content_type(),
            "filename": part.get_filename() or "",
            "headers": _headers(part),
        }
        if part.get_content_maintype() == "multipart":
            inside = enumerate(part.iter_parts())
            return {
                **found,
                "body": {"size": 0},
                "parts": [described(one, f"{place}.{number}".lstrip(".")) for number, one in inside],
            }
        content = _decoded(part)
        if found["filename"]:
            return {**found, "body": {"size": len(content), "attachmentId": names[id(part)]}}
        return {**found, "body": {"size": len(content), "data": encoded(content)}}

    return described(message, "")


def _decoded(part: Any) -> bytes:
    content = part.get_payload(decode=True)
    if isinstance(content, bytes):
        return content
    # A report of a delivery: groups of fields, which the parser takes apart.
    inside = part.get_payload()
    return b"".join(one.as_bytes() for one in inside) if isinstance(inside, list) else b""
