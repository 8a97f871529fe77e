"""What does Instagram tell the account's owner unasked? Who wrote, and that an answer is out."""

from __future__ import annotations

import sqlite3
from typing import Any

from connectors.sandbox import webhooks
from connectors.sandbox.signatures import Scheme

_SLUG = "instagram"


def wrote(db: sqlite3.Connection, person: str, message_id: str, text: str, *, now: float) -> None:
    """A person wrote to the account."""
    account = _account(db)
    message = {"mid": message_id, "text": text}
    _tell(db, account, sender=person, recipient=account["ig_user_id"], message=message, now=now)


def answered(
    db: sqlite3.Connection, person: str, message_id: str, text: str, metadata: str | None, *, now: float
) -> None:
    """The account's answer comes back as an echo, with the metadata that it was sent with."""
    account = _account(db)
    message: dict[str, Any] = {"mid": message_id, "text": text, "is_echo": True}
    if metadata is not None:
        message["metadata"] = metadata
    _tell(db, account, sender=account["ig_user_id"], recipient=person, message=message, now=now)


def _account(db: sqlite3.Connection) -> sqlite3.Row:
    found: sqlite3.Row = db.execute("SELECT * FROM instagram_account").fetchone()
    return found


def _tell(
    db: sqlite3.Connection, account: sqlite3.Row, *, sender: str, recipient: str, message: dict[str, Any], now: float
) -> None:
    at = int(now * 1000)
    told = {"sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": at, "message": message}
    body = {"object": "instagram", "entry": [{"id": account["ig_user_id"], "time": at, "messaging": [told]}]}
    webhooks.tell(db, _SLUG, message["mid"], [(now, body)], scheme=Scheme.META, secret=account["app_secret"])
