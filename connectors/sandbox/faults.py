"""What goes wrong on demand? Faults kept on disk, drawn the same way every time for the same seed."""

from __future__ import annotations

import random
import secrets
import sqlite3
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from connectors.sandbox.callbacks import IN_ORDER, Manner

TABLES = """
CREATE TABLE IF NOT EXISTS fault (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    connector TEXT,
    operation TEXT,
    kind TEXT NOT NULL,
    probability REAL NOT NULL,
    times INTEGER,
    after INTEGER NOT NULL,
    seconds REAL NOT NULL,
    seed INTEGER NOT NULL,
    seen INTEGER NOT NULL DEFAULT 0,
    fired INTEGER NOT NULL DEFAULT 0
);
"""


class Kind(StrEnum):
    """What can go wrong. ``before``: the work is not done; ``after``: it is done, and the client does not hear so."""

    LATENCY = "latency"
    TIMEOUT_BEFORE = "timeout_before"
    TIMEOUT_AFTER = "timeout_after"
    RESET_BEFORE = "reset_before"
    RESET_AFTER = "reset_after"
    RATE_LIMIT = "rate_limit"
    ERROR_500_BEFORE = "error_500_before"
    ERROR_500_AFTER = "error_500_after"
    ERROR_503_BEFORE = "error_503_before"
    ERROR_503_AFTER = "error_503_after"
    TRUNCATED_BODY_AFTER = "truncated_body_after"
    AUTH_EXPIRED = "auth_expired"
    DELAYED_VISIBILITY = "delayed_visibility"
    DUPLICATE_WEBHOOKS = "duplicate_webhooks"
    REORDERED_WEBHOOKS = "reordered_webhooks"


_COMBINING = frozenset({Kind.LATENCY, Kind.DELAYED_VISIBILITY, Kind.DUPLICATE_WEBHOOKS, Kind.REORDERED_WEBHOOKS})
DEFAULT_SECONDS = {
    Kind.LATENCY: 1.0,
    Kind.TIMEOUT_BEFORE: 120.0,
    Kind.TIMEOUT_AFTER: 120.0,
    Kind.RATE_LIMIT: 1.0,
    Kind.DELAYED_VISIBILITY: 10.0,
}


@dataclass(slots=True)
class Plan:
    """What goes wrong with one request.

    Attributes:
        latency_s: Seconds to wait before anything else.
        hidden_s: Seconds for which lists do not show what the request creates.
        manner: How the platform calls back about what the request creates.
        kind: The fault that decides the answer, if any.
        seconds: That fault's own length: of the silence, or of the Retry-After, which 0 leaves out.
    """

    latency_s: float = 0.0
    hidden_s: float = 0.0
    manner: Manner = IN_ORDER
    kind: Kind | None = None
    seconds: float = 0.0


def add(
    db: sqlite3.Connection,
    *,
    kind: Kind,
    connector: str | None = None,
    operation: str | None = None,
    probability: float = 1.0,
    times: int | None = None,
    after: int = 0,
    seconds: float | None = None,
    seed: int | None = None,
) -> dict[str, Any]:
    """Store a fault, in the caller's transaction, and return it as listed.

    Args:
        db: The sandbox's database.
        kind: What goes wrong.
        connector: Only requests of this platform; None for all.
        operation: Only requests of this operationId; None for all.
        probability: Chance that it fires, for each request it sees.
        times: Fire at most so often; None for no limit.
        after: Let so many requests pass first.
        seconds: Length of a delay, of a silence, of the Retry-After (0: the answer has none) or of the invisibility.
        seed: Decides which requests it fires on; drawn when None.
    """
    seed = secrets.randbelow(2**31) if seed is None else seed
    seconds = DEFAULT_SECONDS.get(kind, 0.0) if seconds is None else seconds
    cursor = db.execute(
        "INSERT INTO fault (connector, operation, kind, probability, times, after, seconds, seed)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (connector, operation, kind.value, probability, times, after, seconds, seed),
    )
    return dict(db.execute("SELECT * FROM fault WHERE id = ?", (cursor.lastrowid,)).fetchone())


def listing(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """All stored faults, also those that have fired as often as they may."""
    return [dict(row) for row in db.execute("SELECT * FROM fault ORDER BY id")]


def clear(db: sqlite3.Connection, *, fault_id: int | None = None) -> int:
    """Remove one fault, or all of them, in the caller's transaction; returns how many."""
    return db.execute("DELETE FROM fault WHERE ?1 IS NULL OR id = ?1", (fault_id,)).rowcount


def any_active(db: sqlite3.Connection) -> bool:
    """Is there a fault that may still fire?"""
    return db.execute("SELECT 1 FROM fault WHERE times IS NULL OR fired < times LIMIT 1").fetchone() is not None


def draw(db: sqlite3.Connection, *, connector: str, operation: str) -> Plan:
    """Decide what goes wrong with one request and count it, in the caller's transaction.

    Latency, delayed visibility and disturbed webhooks combine with anything; of the others the oldest that fires
    decides, and the younger ones do not see the request.
    """
    plan = Plan()
    rows = db.execute(
        "SELECT * FROM fault WHERE (times IS NULL OR fired < times) AND (connector IS NULL OR connector = ?)"
        " AND (operation IS NULL OR operation = ?) ORDER BY id",
        (connector, operation),
    ).fetchall()
    for row in rows:
        kind = Kind(row["kind"])
        if kind not in _COMBINING and plan.kind is not None:
            continue
        fires = _fires(row)
        db.execute("UPDATE fault SET seen = seen + 1, fired = fired + ? WHERE id = ?", (fires, row["id"]))
        if fires:
            _apply(plan, kind, row["seconds"])
    return plan


def _fires(row: sqlite3.Row) -> bool:
    if row["seen"] < row["after"]:
        return False
    # One fresh generator per request, so that a restart of the sandbox does not change the draw.
    chance = random.Random(f"{row['seed']}:{row['seen']}").random()  # noqa: S311
    return chance < float(row["probability"])


def _apply(plan: Plan, kind: Kind, seconds: float) -> None:
    if kind is Kind.LATENCY:
        plan.latency_s += seconds
    elif kind is Kind.DELAYED_VISIBILITY:
        plan.hidden_s = max(plan.hidden_s, seconds)
    elif kind is Kind.DUPLICATE_WEBHOOKS:
        plan.manner = replace(plan.manner, twice=True)
    elif kind is Kind.REORDERED_WEBHOOKS:
        plan.manner = replace(plan.manner, last_first=True)
    else:
        plan.kind, plan.seconds = kind, seconds
