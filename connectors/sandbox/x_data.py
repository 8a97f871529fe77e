"""What does the sandbox's X hold, how is it looked up, and how does X say no?"""

from __future__ import annotations

import secrets
import sqlite3
from datetime import UTC, datetime
from typing import Any

from connectors.sandbox.platform import Call, Refusal, Reply

TABLES = """
CREATE TABLE IF NOT EXISTS x_app (client_id TEXT PRIMARY KEY, secret TEXT NOT NULL, token TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS x_user (
    id TEXT PRIMARY KEY,
    username TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS x_token (
    token TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    scopes TEXT NOT NULL,
    expires_at REAL,
    spent INTEGER NOT NULL DEFAULT 0,
    redirect_uri TEXT,
    challenge TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS x_post (
    id INTEGER PRIMARY KEY,
    author TEXT NOT NULL,
    text TEXT NOT NULL,
    content TEXT NOT NULL,
    made_at REAL NOT NULL,
    visible_at REAL NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS x_media (
    id TEXT PRIMARY KEY,
    category TEXT NOT NULL,
    total INTEGER NOT NULL,
    ready_at REAL,
    expires_at REAL NOT NULL,
    alt_text TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS x_media_part (
    media TEXT NOT NULL,
    part INTEGER NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (media, part)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS x_message (id INTEGER PRIMARY KEY, recipient TEXT NOT NULL, text TEXT);
CREATE TABLE IF NOT EXISTS x_closed (user TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS x_calls (
    operation TEXT NOT NULL,
    span INTEGER NOT NULL,
    made INTEGER NOT NULL,
    PRIMARY KEY (operation, span)
) WITHOUT ROWID;
"""

ME, FRIEND = ("1500000000000000001", "neonhub", "Neon"), ("1500000000000000002", "ana", "Ana")
SCOPES = "tweet.read tweet.write users.read media.write dm.read dm.write offline.access"
LIMITED_SCOPES = "tweet.read users.read"

_EPOCH_MS = 1_288_834_974_657
_SPAN_S = 900
_PROBLEMS = "https://api.x.com/2/problems/"
# Calls in 15 minutes that an account may make, as the headers tell; 75 where the platform names no other number.
_LIMITS = {"postTweet": 100, "deleteTweet": 50, "searchTweets": 300, "getTweets": 5000, "getTweetMetrics": 900}

Json = dict[str, Any]


def problem(status: int, kind: str | None, title: str, detail: str, **more: Any) -> Reply:
    """X's error body; without ``kind`` its type says nothing."""
    address = "about:blank" if kind is None else f"{_PROBLEMS}{kind}"
    body = {"title": title, "type": address, "status": status, "detail": detail, **more}
    return Reply(status, body, content_type="application/problem+json")


def invalid(**parameters: str) -> Reply:
    """400 that names parameters with what is wrong about them."""
    errors = [{"parameters": {name.replace("__", "."): []}, "message": message} for name, message in parameters.items()]
    said = "One or more parameters to your request was invalid."
    return problem(400, "invalid-request", "Invalid Request", said, errors=errors)


def forbidden(detail: str) -> Refusal:
    """403 whose reason is in its text alone, to be raised."""
    return Refusal(problem(403, None, "Forbidden", detail))


def no_such(kind: str, key: str, *, parameter: str = "id") -> Json:
    """What X says of something that is not there, inside an answer or alone."""
    return {
        "title": "Not Found Error",
        "type": f"{_PROBLEMS}resource-not-found",
        "detail": f"Could not find {kind} with {parameter}: [{key}].",
        "resource_type": kind,
        "resource_id": key,
        "parameter": parameter,
        "value": key,
    }


def not_found(kind: str, key: str) -> Refusal:
    """404, to be raised."""
    body = {**no_such(kind, key), "status": 404}
    return Refusal(Reply(404, body, content_type="application/problem+json"))


def ok(call: Call, body: Any, *, status: int = 200) -> Reply:
    """An answer, with what is left of its operation's limit."""
    span, operation = int(call.now // _SPAN_S), call.operation.id
    made: int = call.db.execute(
        "INSERT INTO x_calls VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET made = made + 1 RETURNING made",
        (operation, span),
    ).fetchone()["made"]
    limit = _LIMITS.get(operation, 75)
    headers = {
        "x-rate-limit-limit": str(limit),
        "x-rate-limit-remaining": str(max(0, limit - made)),
        "x-rate-limit-reset": str((span + 1) * _SPAN_S),
        "api-version": "2.168",
        "x-transaction-id": secrets.token_hex(8),
    }
    return Reply(status, body, headers)


def new_id(db: sqlite3.Connection, table: str, now: float) -> int:
    """A snowflake, unique in its table."""
    last: int = db.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0]  # noqa: S608 (a name of ours)
    return max(int(now * 1000 - _EPOCH_MS) << 22, last + 1)


def shown_time(seconds: float) -> str:
    """A time as X writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{int(seconds * 1000) % 1000:03d}Z"


def seconds(moment: str) -> float:
    """A time that X was given, in seconds since 1970."""
    return datetime.fromisoformat(moment).timestamp()


def new_token(db: sqlite3.Connection, kind: str, scopes: str, *, expires_at: float | None, **more: str | None) -> str:
    """A new token or code."""
    token = secrets.token_urlsafe(32)
    db.execute(
        "INSERT INTO x_token (token, kind, scopes, expires_at, redirect_uri, challenge) VALUES (?, ?, ?, ?, ?, ?)",
        (token, kind, scopes, expires_at, more.get("redirect_uri"), more.get("challenge")),
    )
    return token
