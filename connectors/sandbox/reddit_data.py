"""What does the sandbox know of Reddit? Its tables, what it starts with, and how Reddit says no."""

from __future__ import annotations

import re
import secrets
import sqlite3
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.platform import Call, Refusal, Reply

TABLES = """
CREATE TABLE IF NOT EXISTS reddit_app (client_id TEXT PRIMARY KEY, client_secret TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reddit_token (
    token TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    scopes TEXT NOT NULL,
    expires_at REAL,
    gone INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reddit_post (
    name TEXT PRIMARY KEY,
    subreddit TEXT NOT NULL,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    url TEXT,
    parent TEXT,
    created_at REAL NOT NULL,
    visible_at REAL NOT NULL,
    gone INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS reddit_post_time ON reddit_post (created_at);
CREATE TABLE IF NOT EXISTS reddit_media (
    key TEXT PRIMARY KEY,
    host TEXT NOT NULL,
    mimetype TEXT NOT NULL,
    location TEXT UNIQUE,
    expires_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reddit_ad (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    parent TEXT,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at REAL NOT NULL,
    modified_at REAL NOT NULL,
    visible_at REAL NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reddit_job (
    id TEXT PRIMARY KEY,
    status TEXT NOT NULL,
    post_id TEXT NOT NULL,
    created_at REAL NOT NULL,
    ready_at REAL NOT NULL
) WITHOUT ROWID;
"""

USERNAME, PROFILE_ID = "spring_launch", "t2_5pr1ng"
AD_ACCOUNT, FUNDING, PIXEL = "a2_5pr1ngads", "1234567", "a2_5pr1ngpix"
SCOPES = "identity submit read edit history flair adsread adsedit"
ACCESS_LIFE_S = 86_400


@dataclass(frozen=True)
class Community:
    """A subreddit, and what it asks of posts."""

    closed: str | None = None
    """The error of whoever posts there."""
    texts: bool = True
    links: bool = True
    flair: str | None = None
    """Id of the flair that a post needs."""
    banned_domain: str | None = None
    title_max: int | None = None


COMMUNITIES: Mapping[str, Community] = {
    "gardening": Community(),
    "springlaunch": Community(),
    "essays": Community(links=False),
    "newslinks": Community(texts=False, banned_domain="spam.example", title_max=100),
    "flaired": Community(flair="5f0c2f5e-6c1e-11ef-9f3a-6e656f6e6875"),
    "closed": Community(closed="SUBREDDIT_NOTALLOWED"),
    "strict": Community(closed="BANNED_FROM_SUBREDDIT"),
}

_ALPHABET = string.ascii_lowercase + string.digits


def seed(db: sqlite3.Connection, *, now: float) -> None:
    """An app, and the tokens of one account: with all rights, and for ads alone."""
    db.execute("INSERT INTO reddit_app VALUES (?, ?)", (secrets.token_urlsafe(16), secrets.token_urlsafe(22)))
    add_token(db, "access", SCOPES, now + ACCESS_LIFE_S)
    add_token(db, "access", "adsread", now + ACCESS_LIFE_S)
    add_token(db, "refresh", SCOPES, None)
    add_token(db, "code", SCOPES, None)


def add_token(db: sqlite3.Connection, kind: str, scopes: str, expires_at: float | None) -> str:
    """A new token: of access, of refresh, or a code that a consent brought."""
    token = f"{new_id(12)}-{secrets.token_urlsafe(27)}"
    db.execute(
        "INSERT INTO reddit_token (token, kind, scopes, expires_at) VALUES (?, ?, ?, ?)",
        (token, kind, scopes, expires_at),
    )
    return token


def new_id(length: int = 7) -> str:
    """A new id of Reddit's form."""
    return "1" + "".join(secrets.choice(_ALPHABET) for _ in range(length - 1))


def new_number() -> str:
    """A new id of the Ads API: digits."""
    return str(secrets.randbelow(9 * 10**17) + 10**17)


def data_error(status: int, message: str, *, reason: str | None = None, **headers: str) -> Reply:
    """The Data API's error body."""
    body: dict[str, Any] = {"message": message, "error": status, **({"reason": reason} if reason else {})}
    return Reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


def ads_error(status: int, message: str, fields: Mapping[str, str] | None = None) -> Reply:
    """The Ads API's error body."""
    rows = [{"field": name, "message": said} for name, said in (fields or {}).items()]
    return Reply(status, {"error": {"code": status, "message": message, **({"fields": rows} if rows else {})}})


def ads_refusal(status: int, message: str, fields: Mapping[str, str] | None = None) -> Refusal:
    """The same, to be raised."""
    return Refusal(ads_error(status, message, fields))


def no(code: str, text: str, field: str, *, ratelimit: float | None = None) -> Refusal:
    """200, and inside it that it was refused; to be raised."""
    said: dict[str, Any] = {"errors": [[code, text, field]]}
    return Refusal(Reply(200, {"json": {**said, **({"ratelimit": ratelimit} if ratelimit else {})}}))


def is_ads(call: Call) -> bool:
    """Whether it is a call of the Ads API."""
    return call.operation.host.startswith("ads-api.")


def collapsed(text: str) -> str:
    """A title as Reddit keeps it."""
    return re.sub(r"\s+", " ", text).strip()
