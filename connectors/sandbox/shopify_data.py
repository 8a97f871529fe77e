"""What does a Shopify shop hold? Objects of many kinds in one table, found by number or by name, listed in pages."""

from __future__ import annotations

import base64
import json
import re
import sqlite3
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from connectors.sandbox.platform import Call
from connectors.sandbox.shopify_schema import Json, failure

SHOP = "sandbox-store.myshopify.com"
CURRENCY = "EUR"

TABLES = """
CREATE TABLE IF NOT EXISTS shopify_app (
    client_id TEXT PRIMARY KEY,
    client_secret TEXT NOT NULL,
    scopes TEXT NOT NULL,
    bucket REAL NOT NULL,
    restore_per_s REAL NOT NULL,
    points REAL NOT NULL,
    counted_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS shopify_token (
    token TEXT PRIMARY KEY,
    client_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    expires_at REAL NOT NULL,
    replaces TEXT,
    used INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS shopify_object (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    name TEXT,
    content TEXT NOT NULL,
    visible_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS shopify_object_by_name ON shopify_object (kind, name);
CREATE TABLE IF NOT EXISTS shopify_key (
    key TEXT PRIMARY KEY,
    request TEXT NOT NULL,
    answer TEXT NOT NULL,
    at REAL NOT NULL
) WITHOUT ROWID;
"""

_LONGEST_PAGE = 250
_TERM = re.compile(r"""(\w+):(>=|<=|>|<)?('[^']*'|"[^"]*"|\S+)""")


def gid(kind: str, n: int) -> str:
    """A global id."""
    return f"gid://shopify/{kind}/{n}"


def number(value: str, *kinds: str) -> int | None:
    """The number in a global id of one of these kinds; None if it is none."""
    match = re.fullmatch(r"gid://shopify/(\w+)/(\d+)", value)
    return int(match[2]) if match and match[1] in kinds else None


def moment(at: float) -> str:
    """An instant as Shopify writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text: str) -> float:
    """An instant as Shopify reads it, in seconds since 1970."""
    return datetime.fromisoformat(text).timestamp()


def problem(message: str, *path: str, code: str | None = None, coded: bool = True) -> Json:
    """One user error."""
    return {"message": message, "field": [*path] or None, **({"code": code} if coded else {})}


def insert(db: sqlite3.Connection, kind: str, name: str | None, content: Json, *, visible_at: float) -> int:
    """Keep an object; returns its number."""
    cursor = db.execute(
        "INSERT INTO shopify_object (kind, name, content, visible_at) VALUES (?, ?, ?, ?)",
        (kind, name, json.dumps(content), visible_at),
    )
    assert cursor.lastrowid is not None
    return cursor.lastrowid


def update(call: Call, n: int, content: Json, *, name: str | None = None) -> None:
    """Keep an object's new content, and its new name where it has one."""
    call.db.execute(
        "UPDATE shopify_object SET content = ?, name = coalesce(?, name) WHERE n = ?", (json.dumps(content), name, n)
    )


def remove(call: Call, n: int) -> None:
    """Forget an object."""
    call.db.execute("DELETE FROM shopify_object WHERE n = ?", (n,))


def by_number(call: Call, kind: str, n: int | None) -> Json | None:
    """An object by its number, with that number as ``n``."""
    row = call.db.execute("SELECT * FROM shopify_object WHERE kind = ? AND n = ?", (kind, n)).fetchone()
    return None if row is None else _content(row)


def by_name(call: Call, kind: str, name: str) -> Json | None:
    """An object by its name."""
    row = call.db.execute("SELECT * FROM shopify_object WHERE kind = ? AND name = ?", (kind, name)).fetchone()
    return None if row is None else _content(row)


def everything(call: Call, kind: str, *, hidden: bool = False) -> list[Json]:
    """All objects of a kind that lists show, oldest first; with ``hidden`` also those that they do not show yet."""
    rows = call.db.execute(
        "SELECT * FROM shopify_object WHERE kind = ? AND (? OR visible_at <= ?) ORDER BY n", (kind, hidden, call.now)
    )
    return [_content(row) for row in rows]


def _content(row: sqlite3.Row) -> Json:
    return {**json.loads(row["content"]), "n": row["n"]}


def page(rows: Iterable[Json], arguments: Json, shown: Callable[[Json], Json]) -> Json:
    """One page of a list, forwards.

    Raises:
        graphql.GraphQLError: ``first`` is missing or too large, or the cursor is none.
    """
    first = arguments.get("first")
    if first is None:
        raise failure("you must provide one of first or last", "BAD_REQUEST")
    if not 1 <= first <= _LONGEST_PAGE:
        raise failure(f"first must be between 1 and {_LONGEST_PAGE}", "BAD_REQUEST")
    found = [*rows]
    if arguments.get("reverse"):
        found.reverse()
    start = _after(found, arguments.get("after"))
    part = found[start : start + first]
    return {
        "nodes": [shown(one) for one in part],
        "pageInfo": {
            "hasNextPage": start + first < len(found),
            "endCursor": _cursor(part[-1]) if part else None,
        },
    }


def _cursor(one: Json) -> str:
    return base64.b64encode(json.dumps({"last_id": one["n"]}).encode()).decode()


def _after(found: list[Json], cursor: str | None) -> int:
    if cursor is None:
        return 0
    for position, one in enumerate(found, 1):
        if _cursor(one) == cursor:
            return position
    raise failure("Invalid cursor for current pagination sort.", "BAD_REQUEST")


def matches(query: str | None, one: Json, terms: dict[str, Callable[[Json], Any]]) -> bool:
    """Whether an object fits a search; terms that the list does not know are ignored, as Shopify does."""
    for name, comparison, quoted in _TERM.findall(query or ""):
        if name not in terms:
            continue
        wanted, has = quoted.strip("'\""), terms[name](one)
        if has is None or not _fits(comparison, wanted, has):
            return False
    return True


def _fits(comparison: str, wanted: str, has: Any) -> bool:
    if isinstance(has, list):
        return wanted.lower() in [str(one).lower() for one in has]
    if isinstance(has, float):
        limit = seconds(wanted)
        return {">=": has >= limit, "<=": has <= limit, ">": has > limit, "<": has < limit}.get(
            comparison, has == limit
        )
    return str(has).lower() == wanted.lower()
