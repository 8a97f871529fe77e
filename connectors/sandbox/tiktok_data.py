"""What does the sandbox know of TikTok? Its tables, what it starts with, and the envelope of its answers."""

from __future__ import annotations

import calendar
import json
import secrets
import sqlite3
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.sandbox.platform import Call, Refusal, Reply

TABLES = """
CREATE TABLE IF NOT EXISTS tiktok_account (
    advertiser_id TEXT PRIMARY KEY,
    app_id TEXT NOT NULL,
    secret TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tiktok_token (token TEXT PRIMARY KEY, revoked INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tiktok_code (code TEXT PRIMARY KEY, at REAL NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tiktok_object (
    id TEXT PRIMARY KEY,
    level TEXT NOT NULL,
    smart INTEGER NOT NULL,
    name TEXT NOT NULL,
    campaign TEXT,
    adgroup TEXT,
    fields TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at REAL NOT NULL,
    visible_at REAL NOT NULL,
    written_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tiktok_object_name ON tiktok_object (level, name);
CREATE TABLE IF NOT EXISTS tiktok_request (id TEXT NOT NULL, operation TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS tiktok_file (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at REAL NOT NULL,
    ready_at REAL NOT NULL,
    visible_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tiktok_task (id TEXT PRIMARY KEY, ready_at REAL NOT NULL) WITHOUT ROWID;
"""

CODE_LIFE_S = 3600
_LIST_PAGE = 10


def seed(db: sqlite3.Connection, *, now: float) -> None:
    """One advertiser with a token, and a code of another consent that was not exchanged yet."""
    row = (new_id("70"), new_id("75"), secrets.token_hex(20))
    db.execute("INSERT INTO tiktok_account VALUES (?, ?, ?)", row)
    add_token(db)
    db.execute("INSERT INTO tiktok_code VALUES (?, ?, 0)", (secrets.token_hex(20), now))


def add_token(db: sqlite3.Connection) -> str:
    """Add a token, which has no end; returns it."""
    token = secrets.token_hex(20)
    db.execute("INSERT INTO tiktok_token VALUES (?, 0)", (token,))
    return token


def account(db: sqlite3.Connection) -> sqlite3.Row:
    """The only account."""
    row: sqlite3.Row = db.execute("SELECT * FROM tiktok_account").fetchone()
    return row


def new_id(prefix: str = "18") -> str:
    """A new id: digits."""
    return prefix + str(secrets.randbelow(9 * 10**16) + 10**16)


def reply(data: Any = None, *, code: int = 0, message: str = "OK", status: int = 200) -> Reply:
    """TikTok's envelope; the HTTP status is 200 even for errors."""
    request_id = datetime.now(UTC).strftime("%Y%m%d%H%M%S") + secrets.token_hex(8).upper()
    body = {"code": code, "message": message, "request_id": request_id, "data": {} if data is None else data}
    return Reply(status, body, {"X-TT-LOGID": request_id})


def refusal(code: int, message: str) -> Refusal:
    """An error, to be raised. Wording ours; clients decide by code."""
    return Refusal(reply(code=code, message=message))


def check_advertiser(call: Call, given: Mapping[str, Any]) -> None:
    """The request must name the token's own advertiser.

    Raises:
        Refusal: It names another one.
    """
    if given.get("advertiser_id") != call.principal["advertiser_id"]:
        raise refusal(40106, "The access token is not authorized for this advertiser")


def shown_time(moment: float) -> str:
    """An instant as TikTok writes it, in UTC."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S")


def moment(text: str, field: str) -> float:
    """The instant of such a text.

    Raises:
        Refusal: It is none.
    """
    try:
        return float(calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M:%S")))
    except ValueError:
        raise refusal(40002, f"{field}: not a valid datetime") from None


def page_of(call: Call, rows: list[dict[str, Any]]) -> Reply:
    """One page of a list."""
    page, size = int(call.query.get("page", 1)), int(call.query.get("page_size", _LIST_PAGE))
    total = -(-len(rows) // size)
    info = {"page": page, "page_size": size, "total_number": len(rows), "total_page": total}
    return reply({"list": rows[(page - 1) * size : page * size], "page_info": info})


def loaded(row: sqlite3.Row) -> dict[str, Any]:
    """The fields that a row keeps as JSON."""
    found: dict[str, Any] = json.loads(row["fields"])
    return found
