"""Who writes to the account, and what may be answered? Nobody is written to first."""

from __future__ import annotations

import secrets
import sqlite3
from typing import Any

from connectors.sandbox import instagram_hooks, meta_graph
from connectors.sandbox.instagram_data import shown_time
from connectors.sandbox.platform import Call, Reply

_WINDOW_S, _HUMAN_WINDOW_S = 86_400, 7 * 86_400
_MAX_BYTES, _SHOWN = 1000, 20


def hear(db: sqlite3.Connection, person: str, *, now: float) -> None:
    """A person writes."""
    db.execute(
        "INSERT INTO instagram_person VALUES (?, ?, ?, 0) ON CONFLICT (id) DO UPDATE SET heard_at = ?, gone = 0",
        (person, f"aWdfZ{secrets.token_urlsafe(12)}", now, now),
    )
    message_id = _add(db, person=person, sender=person, text="Hello", now=now, visible_at=now)
    instagram_hooks.wrote(db, person, message_id, "Hello", now=now)


def leave(db: sqlite3.Connection, person: str, *, gone: bool) -> None:
    """A person blocks the account (or allows it again)."""
    db.execute(
        "INSERT INTO instagram_person VALUES (?, ?, 0, ?) ON CONFLICT (id) DO UPDATE SET gone = excluded.gone",
        (person, f"aWdfZ{secrets.token_urlsafe(12)}", gone),
    )


def respond(call: Call) -> Reply:
    """POST messages: within 24 hours of the person's last message, or 7 days for a human agent."""
    _check_mailbox(call)
    fields: dict[str, Any] = call.body
    person = call.db.execute("SELECT * FROM instagram_person WHERE id = ?", (fields["recipient"].get("id"),)).fetchone()
    if person is None or person["gone"]:
        raise meta_graph.refusal(100, "The requested user cannot be found", subcode=2534014)
    human = fields.get("messaging_type") == "MESSAGE_TAG" and fields.get("tag") == "HUMAN_AGENT"
    if call.now >= person["heard_at"] + (_HUMAN_WINDOW_S if human else _WINDOW_S):
        message = "This message is sent outside of allowed window"
        raise meta_graph.refusal(10, message, status=403, subcode=2534022)
    text = fields.get("message", {}).get("text", "")
    if len(text.encode()) > _MAX_BYTES:
        raise meta_graph.refusal(100, "Length of param message[text] must be at most 1000 bytes")
    if "message" not in fields:
        return Reply(200, {"recipient_id": person["id"]})
    sender = call.path["ig_user_id"]
    message_id = _add(call.db, person=person["id"], sender=sender, text=text, now=call.now, visible_at=call.visible_at)
    key = fields["message"].get("metadata")
    call.effect("respondDM", message_id, key=key, recipient=person["id"], text=text)
    instagram_hooks.answered(call.db, person["id"], message_id, text, key, now=call.now)
    return Reply(200, {"recipient_id": person["id"], "message_id": message_id})


def conversations(call: Call) -> Reply:
    """GET conversations: of one person or all; the last twenty messages carry details."""
    _check_mailbox(call)
    people = call.db.execute(
        "SELECT * FROM instagram_person WHERE (?1 IS NULL OR id = ?1) AND heard_at > 0 ORDER BY heard_at DESC LIMIT ?2",
        (call.query.get("user_id"), call.query.get("limit", 25)),
    ).fetchall()
    with_messages = "messages" in call.query.get("fields", "")
    return Reply(200, {"data": [_conversation(call, row, with_messages=with_messages) for row in people]})


def _conversation(call: Call, person: sqlite3.Row, *, with_messages: bool) -> dict[str, Any]:
    found = {"id": person["conversation"], "updated_time": shown_time(person["heard_at"])}
    if not with_messages:
        return found
    rows = call.db.execute(
        "SELECT * FROM instagram_message WHERE person = ? AND visible_at <= ? ORDER BY at DESC, id DESC",
        (person["id"], call.now),
    ).fetchall()
    return {**found, "messages": {"data": [_message(row, whole=n < _SHOWN) for n, row in enumerate(rows)]}}


def _message(row: sqlite3.Row, *, whole: bool) -> dict[str, Any]:
    if not whole:
        return {"id": row["id"]}
    sender = {"id": row["sender"]}
    return {"id": row["id"], "created_time": shown_time(row["at"]), "from": sender, "message": row["text"]}


def _check_mailbox(call: Call) -> None:
    """With Instagram Login the account answers, with Facebook Login its Page."""
    account = call.principal
    mailbox = "ig_user_id" if call.operation.host == "graph.instagram.com" else "page_id"
    if call.path["ig_user_id"] != account[mailbox]:
        raise meta_graph.no_such_node()


def _add(db: sqlite3.Connection, *, person: str, sender: str, text: str, now: float, visible_at: float) -> str:
    message_id = f"aWdfZG1faXRlbT{secrets.token_urlsafe(24)}"
    row = (message_id, person, sender, text, now, visible_at)
    db.execute("INSERT INTO instagram_message VALUES (?, ?, ?, ?, ?, ?)", row)
    return message_id
