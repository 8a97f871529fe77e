"""What does the sandbox know of Instagram? Its tables, and what it starts with."""

from __future__ import annotations

import secrets
import sqlite3
from datetime import UTC, datetime

from connectors.sandbox import meta_graph

TABLES = """
CREATE TABLE IF NOT EXISTS instagram_account (
    ig_user_id TEXT PRIMARY KEY,
    page_id TEXT NOT NULL,
    app_secret TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS instagram_token (
    token TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    created_at REAL NOT NULL,
    expires_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS instagram_container (
    id TEXT PRIMARY KEY,
    media_type TEXT NOT NULL,
    caption TEXT,
    is_item INTEGER NOT NULL,
    failure INTEGER,
    created_at REAL NOT NULL,
    ready_at REAL,
    published_at REAL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS instagram_media (
    id TEXT PRIMARY KEY,
    container TEXT NOT NULL UNIQUE,
    media_type TEXT NOT NULL,
    caption TEXT,
    published_at REAL NOT NULL,
    visible_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS instagram_media_time ON instagram_media (published_at);
CREATE TABLE IF NOT EXISTS instagram_comment (
    id TEXT PRIMARY KEY, media TEXT NOT NULL, message TEXT NOT NULL, at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS instagram_person (
    id TEXT PRIMARY KEY, conversation TEXT NOT NULL, heard_at REAL NOT NULL, gone INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS instagram_message (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    sender TEXT NOT NULL,
    text TEXT NOT NULL,
    at REAL NOT NULL,
    visible_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS instagram_message_person ON instagram_message (person, at);
"""

LONG_LIFE_S = 60 * 86_400
CONTAINER_LIFE_S = 86_400
POSTS, POSTS_WITHIN_S = 100, 86_400


def seed(db: sqlite3.Connection, *, now: float) -> None:
    """One professional account with a long-lived token and a short-lived one."""
    db.execute(
        "INSERT INTO instagram_account VALUES (?, ?, ?)",
        (meta_graph.new_id("17841"), meta_graph.new_id(), secrets.token_hex(16)),
    )
    add_token(db, "long", now=now)
    add_token(db, "short", now=now)


def add_token(db: sqlite3.Connection, kind: str, *, now: float) -> str:
    """Add a token that lives as long as its kind; returns it."""
    token = f"IGAA{secrets.token_urlsafe(40)}"
    life_s = LONG_LIFE_S if kind == "long" else 3600
    db.execute("INSERT INTO instagram_token VALUES (?, ?, ?, ?)", (token, kind, now, now + life_s))
    return token


def shown_time(moment: float) -> str:
    """An instant as the Graph API writes it."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
