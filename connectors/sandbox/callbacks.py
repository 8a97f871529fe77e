"""How do platforms call back? Planned with the request, posted when due, and only ever to this machine."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import sqlite3
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests

from connectors.sandbox.store import Store

TABLES = """
CREATE TABLE IF NOT EXISTS callback (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    connector TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    url TEXT NOT NULL,
    due_at REAL,
    headers TEXT,
    body TEXT,
    state TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS callback_due ON callback (due_at) WHERE state = 'planned';
CREATE INDEX IF NOT EXISTS callback_planned ON callback (provider_id) WHERE state = 'planned';
"""

_LOOK_EVERY_S = 0.1
_TIMEOUT_S = 5.0
_AT_ONCE = 16


def reachable(url: str) -> bool:
    """Is it plain HTTP on this machine? Nothing else is ever called."""
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname is None:
        return False
    try:
        return ipaddress.ip_address(parts.hostname).is_loopback
    except ValueError:
        return parts.hostname == "localhost"


def plan(
    db: sqlite3.Connection,
    *,
    connector: str,
    provider_id: str,
    url: str,
    due_at: float,
    headers: Mapping[str, str],
    form: Mapping[str, str],
) -> None:
    """Post this form to a reachable URL once it is due, in the caller's transaction.

    Args:
        db: The sandbox's database.
        connector: Slug of the platform that calls back.
        provider_id: What it is about; ``drop`` takes it back by this.
        url: Where to.
        due_at: Seconds since 1970, on the sandbox's clock.
        headers: Extra headers, such as a signature.
        form: The fields.
    """
    db.execute(
        "INSERT INTO callback (connector, provider_id, url, due_at, headers, body, state)"
        " VALUES (?, ?, ?, ?, ?, ?, 'planned')",
        (connector, provider_id, url, due_at, json.dumps(dict(headers)), urlencode(form)),
    )


def note(db: sqlite3.Connection, *, connector: str, provider_id: str, url: str) -> None:
    """Record a callback that is never made, because its URL is not on this machine; in the caller's transaction."""
    db.execute(
        "INSERT INTO callback (connector, provider_id, url, state) VALUES (?, ?, ?, 'not_delivered')",
        (connector, provider_id, url),
    )


def drop(db: sqlite3.Connection, provider_id: str) -> None:
    """Take back what is not posted yet, in the caller's transaction."""
    db.execute("DELETE FROM callback WHERE provider_id = ? AND state = 'planned'", (provider_id,))


def listing(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """All callbacks, oldest first: planned, delivered, or not_delivered."""
    return [dict(row) for row in db.execute("SELECT id, connector, provider_id, url, due_at, state FROM callback")]


async def deliver_forever(store: Store) -> None:
    """Post what is due, again and again; a receiver that fails is not asked twice, as at the platforms."""
    while True:
        rows = store.db.execute(
            "SELECT * FROM callback WHERE state = 'planned' AND due_at <= ? ORDER BY due_at, id LIMIT ?",
            (store.now(), _AT_ONCE),
        ).fetchall()
        states = await asyncio.gather(*(asyncio.to_thread(_post, row) for row in rows))
        if rows:
            with store.transaction() as db:
                db.executemany(
                    "UPDATE callback SET state = ? WHERE id = ?",
                    [(state, row["id"]) for state, row in zip(states, rows, strict=True)],
                )
        else:
            await asyncio.sleep(_LOOK_EVERY_S)


def _post(row: sqlite3.Row) -> str:
    headers = {"Content-Type": "application/x-www-form-urlencoded", **json.loads(row["headers"])}
    try:
        answer = requests.post(row["url"], data=row["body"], headers=headers, timeout=_TIMEOUT_S, allow_redirects=False)
    except requests.RequestException:
        return "not_delivered"
    return "delivered" if answer.ok else "not_delivered"
