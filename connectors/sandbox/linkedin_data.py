"""What does the sandbox know of LinkedIn? Its tables, what it starts with, and how LinkedIn says no."""

from __future__ import annotations

import re
import secrets
import sqlite3
from typing import Any
from urllib.parse import unquote

from connectors.sandbox.platform import Call, Refusal, Reply

TABLES = """
CREATE TABLE IF NOT EXISTS linkedin_app (client_id TEXT PRIMARY KEY, client_secret TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS linkedin_token (
    token TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    scopes TEXT NOT NULL,
    expires_at REAL NOT NULL,
    used INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS linkedin_post (
    urn TEXT PRIMARY KEY,
    author TEXT NOT NULL,
    digest TEXT NOT NULL,
    commentary TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at REAL NOT NULL,
    modified_at REAL NOT NULL,
    visible_at REAL NOT NULL,
    gone INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS linkedin_post_author ON linkedin_post (author, created_at);
CREATE INDEX IF NOT EXISTS linkedin_post_digest ON linkedin_post (digest);
CREATE TABLE IF NOT EXISTS linkedin_asset (
    urn TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    size INTEGER,
    ready_at REAL,
    failed INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS linkedin_upload (
    name TEXT PRIMARY KEY,
    asset TEXT NOT NULL,
    part INTEGER NOT NULL,
    length INTEGER,
    etag TEXT,
    expires_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS linkedin_ad (
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
"""

ORGANIZATION, PERSON = "urn:li:organization:5590506", "urn:li:person:782bbtaQ"
AD_ACCOUNT, GROUP, DRAFT_GROUP = "512345678", "601234567", "601234568"
ACCESS_LIFE_S, REFRESH_LIFE_S = 60 * 86_400, 365 * 86_400
SCOPES = (
    "openid profile w_member_social w_organization_social r_organization_social rw_organization_admin"
    " r_member_postAnalytics rw_ads r_ads_reporting"
)

_LIST = re.compile(r"List\(([^()]*)\)")


def seed(db: sqlite3.Connection, *, now: float) -> None:
    """A Page and a member, an ad account with two groups, and tokens of one app: with all rights, and with few."""
    db.execute("INSERT INTO linkedin_app VALUES (?, ?)", ("86" + secrets.token_hex(6), secrets.token_urlsafe(12)))
    add_token(db, "access", SCOPES, now + ACCESS_LIFE_S)
    add_token(db, "access", "openid profile w_member_social", now + ACCESS_LIFE_S)
    add_token(db, "refresh", SCOPES, now + REFRESH_LIFE_S)
    add_token(db, "code", SCOPES, now + REFRESH_LIFE_S)
    for key, status in ((GROUP, "ACTIVE"), (DRAFT_GROUP, "DRAFT")):
        db.execute(
            "INSERT INTO linkedin_ad VALUES ('group', ?, ?, ?, ?, '{}', ?, ?, ?)",
            (key, AD_ACCOUNT, f"Group {status.lower()}", status, now, now, now),
        )


def add_token(db: sqlite3.Connection, kind: str, scopes: str, expires_at: float) -> str:
    """A new token: of access, of refresh, or a code that a consent brought."""
    token = {"access": "AQV", "refresh": "AQX", "code": "AQT"}[kind] + secrets.token_urlsafe(32)
    db.execute(
        "INSERT INTO linkedin_token (token, kind, scopes, expires_at) VALUES (?, ?, ?, ?)",
        (token, kind, scopes, expires_at),
    )
    return token


def new_number(length: int) -> str:
    """A new number of so many digits."""
    return str(secrets.randbelow(9 * 10 ** (length - 1)) + 10 ** (length - 1))


def error(
    status: int,
    message: str,
    *,
    code: str | None = None,
    service_code: int | None = None,
    inputs: tuple[tuple[str, str], ...] = (),
) -> Reply:
    """LinkedIn's error body. Wording ours, except that a duplicate's names the URN.

    Args:
        inputs: Code and field of what is wrong with the body.
    """
    rows = [{"code": one, "description": message, "input": {"inputPath": {"fieldPath": at}}} for one, at in inputs]
    fields: dict[str, Any] = {
        "status": status,
        "serviceErrorCode": service_code,
        "code": code,
        "message": message,
        "errorDetailType": "com.linkedin.common.error.BadRequest" if rows else None,
        "errorDetails": {"inputErrors": rows} if rows else None,
    }
    headers = {"x-li-uuid": secrets.token_urlsafe(16), "x-li-fabric": "sandbox"}
    return Reply(status, {name: value for name, value in fields.items() if value is not None}, headers)


def refusal(
    status: int,
    message: str,
    *,
    code: str | None = None,
    service_code: int | None = None,
    inputs: tuple[tuple[str, str], ...] = (),
) -> Refusal:
    """The same, to be raised."""
    return Refusal(error(status, message, code=code, service_code=service_code, inputs=inputs))


def created(key: str) -> Reply:
    """201 without a body; the id is in a header."""
    return Reply(201, None, {"x-restli-id": key, "x-li-uuid": secrets.token_urlsafe(16)})


def need(call: Call, *scopes: str) -> None:
    """One of these scopes must have been granted.

    Raises:
        Refusal: None of them was.
    """
    if not set(scopes) & set(call.principal["scopes"].split()):
        raise refusal(403, f"Not enough permissions to access: {call.operation.id}", code="ACCESS_DENIED")


def list_of(text: str) -> list[str]:
    """The values of ``List(...)``; what is no list is refused.

    Raises:
        Refusal: It is no list.
    """
    found = _LIST.fullmatch(text)
    if found is None:
        raise refusal(400, "A list must be written List(a,b)", code="INVALID_VALUE_FOR_FIELD")
    return [unquote(one) for one in found[1].split(",") if one]


def raw_value(call: Call, name: str) -> str | None:
    """A value of the query before it was decoded: commas inside a value are only told from those between by that."""
    pairs = (part.partition("=") for part in call.raw_query.decode("latin-1").split("&"))
    return next((value for key, _, value in pairs if key == name), None)


def number_of(text: str) -> int:
    """A number that always is the same for the same text."""
    return sum(map(ord, text)) * 37 % 10_000
