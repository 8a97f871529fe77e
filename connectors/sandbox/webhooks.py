"""How does a platform tell the account's owner something unasked? To one address per account, signed as it signs.

Whoever owns the account says where (``POST /_sandbox/webhooks``), as one does in a platform's settings.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.sandbox import callbacks
from connectors.sandbox.callbacks import IN_ORDER, Manner, Post
from connectors.sandbox.signatures import Scheme

TABLES = """
CREATE TABLE IF NOT EXISTS webhook_target (connector TEXT PRIMARY KEY, url TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS webhook_secret (connector TEXT PRIMARY KEY, secret TEXT NOT NULL) WITHOUT ROWID;
"""


def register(db: sqlite3.Connection, connector: str, url: str | None) -> None:
    """Tell everything to this address from now on; None: nothing any more. In the caller's transaction."""
    if url is None:
        db.execute("DELETE FROM webhook_target WHERE connector = ?", (connector,))
    else:
        db.execute("INSERT OR REPLACE INTO webhook_target VALUES (?, ?)", (connector, url))


def targets(db: sqlite3.Connection) -> dict[str, str]:
    """Where each platform tells what it has to tell."""
    return {row["connector"]: row["url"] for row in db.execute("SELECT * FROM webhook_target ORDER BY connector")}


def target(db: sqlite3.Connection, connector: str) -> str | None:
    """Where a platform tells; None if nobody asked for it."""
    row = db.execute("SELECT url FROM webhook_target WHERE connector = ?", (connector,)).fetchone()
    return None if row is None else str(row["url"])


def secret(db: sqlite3.Connection, connector: str, *, prefix: str = "") -> str:
    """What a platform signs with, made at its first use."""
    made = f"{prefix}{secrets.token_hex(16)}"
    db.execute("INSERT OR IGNORE INTO webhook_secret VALUES (?, ?)", (connector, made))
    row = db.execute("SELECT secret FROM webhook_secret WHERE connector = ?", (connector,)).fetchone()
    return str(row["secret"])


def tell(
    db: sqlite3.Connection,
    connector: str,
    provider_id: str,
    bodies: Sequence[tuple[float, Mapping[str, Any]]],
    *,
    scheme: Scheme,
    secret: str,
    manner: Manner = IN_ORDER,
) -> None:
    """Post JSON to the account's owner once it is due, in the caller's transaction; nothing if nobody asked for it.

    Args:
        db: The sandbox's database.
        connector: The platform's slug.
        provider_id: What it is about.
        bodies: When each is due, and what it says.
        scheme: How it is signed, at the moment it is posted.
        secret: With what.
        manner: Whether they come in order, and once.
    """
    url = target(db, connector)
    if url is None:
        return
    posts = [
        Post(due_at, body=json.dumps(body, separators=(",", ":")), scheme=scheme, secret=secret)
        for due_at, body in bodies
    ]
    callbacks.plan(db, connector=connector, provider_id=provider_id, url=url, posts=posts, manner=manner)
