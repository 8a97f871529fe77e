"""How do platforms call back? Planned with the request, posted when due, and only ever to this machine."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Post:
    """One callback.

    Attributes:
        due_at: Seconds since 1970, on the sandbox's clock.
        form: The fields.
        headers: Extra headers, such as a signature.
    """

    due_at: float
    form: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Manner:
    """How callbacks about one thing come: platforms promise neither once nor in order."""

    twice: bool = False
    last_first: bool = False


IN_ORDER = Manner()


def plan(
    db: sqlite3.Connection, *, connector: str, provider_id: str, url: str, posts: Sequence[Post], manner: Manner
) -> None:
    """Make these callbacks once they are due, in the caller's transaction; a URL elsewhere is only recorded.

    Args:
        db: The sandbox's database.
        connector: Slug of the platform that calls back.
        provider_id: What it is about; ``drop`` takes it back by this.
        url: Where to.
        posts: The callbacks, in the order of what they report.
        manner: Whether they come in that order, and once.
    """
    if not reachable(url):
        _insert(db, (connector, provider_id, url, None, None, None, "not_delivered"))
        return
    times = [post.due_at for post in posts]
    for due_at, post in zip(times[::-1] if manner.last_first else times, posts, strict=True):
        row = (connector, provider_id, url, due_at, json.dumps(dict(post.headers)), urlencode(post.form), "planned")
        for _ in range(2 if manner.twice else 1):
            _insert(db, row)


def _insert(db: sqlite3.Connection, row: tuple[str | float | None, ...]) -> None:
    db.execute(
        "INSERT INTO callback (connector, provider_id, url, due_at, headers, body, state) VALUES (?, ?, ?, ?, ?, ?, ?)",
        row,
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
