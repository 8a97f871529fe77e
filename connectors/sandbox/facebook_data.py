"""What does the sandbox know of Facebook? Its tables, what it starts with, and how nodes are shown."""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
from datetime import UTC, datetime
from typing import Any

from connectors.sandbox import meta_graph
from connectors.sandbox.platform import Call, Reply

TABLES = """
CREATE TABLE IF NOT EXISTS facebook_account (
    ad_account_id TEXT PRIMARY KEY,
    page_id TEXT NOT NULL,
    app_id TEXT NOT NULL,
    app_secret TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facebook_token (
    token TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    created_at REAL NOT NULL,
    expires_at REAL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facebook_object (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    fields TEXT NOT NULL,
    created_at REAL NOT NULL,
    visible_at REAL NOT NULL,
    reviewed_at REAL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facebook_image (hash TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facebook_budget_change (object TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS facebook_photo (id TEXT PRIMARY KEY, post TEXT, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facebook_post (
    id TEXT PRIMARY KEY,
    fields TEXT NOT NULL,
    created_at REAL NOT NULL,
    publish_at REAL NOT NULL,
    visible_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS facebook_post_time ON facebook_post (publish_at);
CREATE TABLE IF NOT EXISTS facebook_report (
    id TEXT PRIMARY KEY,
    node TEXT NOT NULL,
    query TEXT NOT NULL,
    ready_at REAL NOT NULL
) WITHOUT ROWID;
"""

LONG_LIFE_S = 60 * 86_400
_FIRST_WORD = re.compile(r"[a-z_]+")


def seed(db: sqlite3.Connection, *, now: float) -> None:
    """One ad account and one Page; a long-lived token of a person who may use both, and a short-lived one."""
    row = (f"act_{meta_graph.new_id()}", meta_graph.new_id("104"), meta_graph.new_id(), secrets.token_hex(16))
    db.execute("INSERT INTO facebook_account VALUES (?, ?, ?, ?)", row)
    add_token(db, "user", now=now, life_s=LONG_LIFE_S)
    add_token(db, "short", now=now, life_s=3600)
    add_token(db, "page", now=now, life_s=None)


def add_token(db: sqlite3.Connection, kind: str, *, now: float, life_s: float | None) -> str:
    """Add a token; None for one without an end. Returns it."""
    token = f"EAAB{secrets.token_urlsafe(40)}"
    ends = None if life_s is None else now + life_s
    db.execute("INSERT INTO facebook_token VALUES (?, ?, ?, ?)", (token, kind, now, ends))
    return token


def token_row(db: sqlite3.Connection, token: str | None) -> sqlite3.Row | None:
    """A token by its text, living or not."""
    row: sqlite3.Row | None = db.execute("SELECT * FROM facebook_token WHERE token = ?", (token,)).fetchone()
    return row


def account(db: sqlite3.Connection) -> sqlite3.Row:
    """The only account."""
    row: sqlite3.Row = db.execute("SELECT * FROM facebook_account").fetchone()
    return row


def shown_time(moment: float) -> str:
    """An instant as the Graph API writes it."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def wanted(call: Call, default: str) -> list[str]:
    """The names in ``fields``; what is in braces behind a name is left out."""
    text: str = call.query.get("fields", default)
    outside = re.sub(r"\{[^{}]*\}", "", text)
    names = outside.split(",")
    if not all(_FIRST_WORD.fullmatch(name) for name in names):
        raise meta_graph.refusal(2500, "Syntax error in fields")
    return names


def shown(known: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """A node with the fields that were asked for, and its id."""
    found = {name: known[name] for name in names if known.get(name) is not None}
    return {**found, "id": known["id"]}


def page_of(call: Call, rows: list[dict[str, Any]]) -> Reply:
    """One page of an edge, with the cursor of the next."""
    text: str = call.query.get("after", "0")
    if not text.isdecimal():
        raise meta_graph.refusal(100, "Invalid cursor")
    start, size = int(text), int(call.query.get("limit", 25))
    paging: dict[str, Any] = {"cursors": {"before": str(start), "after": str(start + size)}}
    if len(rows) > start + size:
        paging["next"] = f"https://graph.facebook.com{call.operation.path}?after={start + size}"
    return Reply(200, {"data": rows[start : start + size], "paging": paging})


def loaded(row: sqlite3.Row) -> dict[str, Any]:
    """The fields that a row keeps as JSON."""
    found: dict[str, Any] = json.loads(row["fields"])
    return found
