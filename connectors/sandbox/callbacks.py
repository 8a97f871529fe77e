"""How do platforms call back? Planned with the request, posted when due, and only ever to this machine."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests

from connectors.sandbox.signatures import Scheme, headers
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
# Seconds after which a post that was not taken is tried again, by the platforms that do so.
_AGAIN_S = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 60.0)
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
# Kept among the headers, where no header can have such a name.
_SCHEME, _SECRET, _TRIES = ":scheme", ":secret", ":tries"


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
        form: The fields; None if ``body`` is JSON.
        headers: Extra headers, such as a signature.
        body: JSON text.
        scheme: How it is signed when it is posted, and tried again until it is taken; None: it is signed already, and
            posted once.
        secret: What it is signed with.
    """

    due_at: float
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    scheme: Scheme | None = None
    secret: str = ""

    def kept_headers(self) -> str:
        """What is kept of how it is posted, as JSON."""
        signed = {} if self.scheme is None else {_SCHEME: self.scheme.value, _SECRET: self.secret, _TRIES: 0}
        return json.dumps({"Content-Type": _JSON if self.form is None else _FORM, **self.headers, **signed})


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
        body = post.body if post.form is None else urlencode(post.form)
        row = (connector, provider_id, url, due_at, post.kept_headers(), body, "planned")
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
    """Post what is due, again and again; a receiver that fails is asked again by the platforms that do so."""
    while True:
        rows = store.db.execute(
            "SELECT * FROM callback WHERE state = 'planned' AND due_at <= ? ORDER BY due_at, id LIMIT ?",
            (store.now(), _AT_ONCE),
        ).fetchall()
        taken = await asyncio.gather(*(asyncio.to_thread(_post, row) for row in rows))
        if rows:
            with store.transaction() as db:
                db.executemany(
                    "UPDATE callback SET state = ?, due_at = ?, headers = ? WHERE id = ?",
                    [(*_after(row, one, now=store.now()), row["id"]) for one, row in zip(taken, rows, strict=True)],
                )
        else:
            await asyncio.sleep(_LOOK_EVERY_S)


def _post(row: sqlite3.Row) -> bool:
    """Whether it was taken."""
    kept, body = json.loads(row["headers"]), row["body"].encode()
    sent = {"Content-Type": _FORM, **{name: value for name, value in kept.items() if not name.startswith(":")}}
    if _SCHEME in kept:
        # By the clock of who receives it: that of the sandbox may have been moved ahead.
        sent |= headers(Scheme(kept[_SCHEME]), kept[_SECRET], body, at=time.time())
    try:
        answer = requests.post(row["url"], data=body, headers=sent, timeout=_TIMEOUT_S, allow_redirects=False)
    except requests.RequestException:
        return False
    return answer.ok


def _after(row: sqlite3.Row, taken: bool, *, now: float) -> tuple[str, float, str]:
    """State, time and headers of a callback once it was posted."""
    kept = json.loads(row["headers"])
    tries = kept.get(_TRIES, len(_AGAIN_S))
    if taken or tries >= len(_AGAIN_S):
        return "delivered" if taken else "not_delivered", row["due_at"], row["headers"]
    return "planned", now + _AGAIN_S[tries], json.dumps({**kept, _TRIES: tries + 1})
