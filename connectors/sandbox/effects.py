"""What really happened in the outside world? One row per effect, never de-duplicated, never deleted."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import Any

TABLES = """
CREATE TABLE IF NOT EXISTS effect (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    connector TEXT NOT NULL,
    action TEXT NOT NULL,
    provider_id TEXT,
    key TEXT,
    recipient TEXT,
    text TEXT,
    at REAL NOT NULL
);
"""

_INSERT = "INSERT INTO effect (connector, action, provider_id, key, recipient, text, at) VALUES (?, ?, ?, ?, ?, ?, ?)"


def record(
    db: sqlite3.Connection,
    *,
    connector: str,
    action: str,
    provider_id: str | None,
    at: float,
    key: str | None = None,
    recipient: str | None = None,
    text: str | None = None,
) -> None:
    """Count one effect, in the caller's transaction.

    Args:
        db: The sandbox's database, inside the transaction that does the work.
        connector: Slug of the platform.
        action: The action's name without its slug.
        provider_id: The platform's id of what was created or changed.
        at: Seconds since 1970, on the sandbox's clock.
        key: The sender's effect key, where the request carried one.
        recipient: Who or what received it: a phone number, a channel.
        text: What was said.
    """
    db.execute(_INSERT, (connector, action, provider_id, key, recipient, text, at))


def listing(
    db: sqlite3.Connection, *, connector: str | None, since_id: int, limit: int | None
) -> tuple[list[dict[str, Any]], int]:
    """Effects with an id above ``since_id``, oldest first, and the id to ask from next time."""
    rows = db.execute(
        "SELECT * FROM effect WHERE id > ? AND (? IS NULL OR connector = ?) ORDER BY id LIMIT ?",
        (since_id, connector, connector, -1 if limit is None else limit),
    ).fetchall()
    effects = [{**row, "at": datetime.fromtimestamp(row["at"], UTC).isoformat()} for row in map(dict, rows)]
    last_id: int = effects[-1]["id"] if effects else since_id
    return effects, last_id


def counts(db: sqlite3.Connection) -> dict[str, dict[str, int]]:
    """How many effects, by connector and then by action."""
    found: dict[str, dict[str, int]] = {}
    for row in db.execute("SELECT connector, action, count(*) AS n FROM effect GROUP BY 1, 2 ORDER BY 1, 2"):
        found.setdefault(row["connector"], {})[row["action"]] = row["n"]
    return found
