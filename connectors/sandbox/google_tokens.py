"""Which Google tokens are there, and what are they worth? Issued at Google's token endpoint, checked by its APIs.

A platform of Google's grants its account in ``seed`` with ``grant``, hands it out in ``describe`` with ``credential``
and asks ``bearer`` in ``authenticate``.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from connectors.sandbox.platform import Call, Refusal, Reply

LIFETIME_S = 3599

TABLES = """
CREATE TABLE IF NOT EXISTS google_client (id TEXT PRIMARY KEY, secret TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS google_robot (
    email TEXT PRIMARY KEY,
    key_id TEXT NOT NULL,
    private_key TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS google_grant (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    scope TEXT NOT NULL,
    refresh_token TEXT UNIQUE,
    revoked INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS google_code (
    code TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    scope TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    challenge TEXT,
    plain INTEGER NOT NULL,
    offline INTEGER NOT NULL,
    expires_at REAL NOT NULL,
    grant_id INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS google_token (
    token TEXT PRIMARY KEY,
    grant_id INTEGER NOT NULL,
    scope TEXT NOT NULL,
    issued_at REAL NOT NULL,
    expires_at REAL NOT NULL
) WITHOUT ROWID;
"""
"""Belongs to the tables of every platform that uses this."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whoever carries a valid access token.

    Attributes:
        account: Mail address of the person or the service account that it acts for.
    """

    account: str
    scopes: frozenset[str]


def client(db: sqlite3.Connection) -> sqlite3.Row:
    """The one app of this sandbox: ``id`` and ``secret``; made when it is first asked for."""
    made = (
        f"{secrets.randbelow(10**12):012d}-sandbox.apps.googleusercontent.com",
        f"GOCSPX-{secrets.token_urlsafe(21)}",
    )
    db.execute("INSERT INTO google_client SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM google_client)", made)
    found: sqlite3.Row = db.execute("SELECT * FROM google_client").fetchone()
    return found


def grant(db: sqlite3.Connection, account: str, scopes: Sequence[str], *, now: float) -> None:
    """Let a person agree that the app may act for them; brings a refresh token and a first access token.

    Args:
        account: The person's mail address.
    """
    client(db)
    grant_id = new_grant(db, account, " ".join(scopes), offline=True)
    new_token(db, grant_id, " ".join(scopes), now=now)


def new_grant(db: sqlite3.Connection, account: str, scope: str, *, offline: bool) -> int:
    """A grant's id; an offline one has a refresh token."""
    token = f"1//0{secrets.token_urlsafe(48)}" if offline else None
    add = "INSERT INTO google_grant (account, scope, refresh_token) VALUES (?, ?, ?) RETURNING id"
    found: int = db.execute(add, (account, scope, token)).fetchone()["id"]
    return found


def new_token(db: sqlite3.Connection, grant_id: int, scope: str, *, now: float) -> str:
    """A further access token of a grant; earlier ones stay valid."""
    token = f"ya29.a0{secrets.token_urlsafe(60)}"
    db.execute("INSERT INTO google_token VALUES (?, ?, ?, ?, ?)", (token, grant_id, scope, now, now + LIFETIME_S))
    return token


def credential(db: sqlite3.Connection, account: str) -> dict[str, Any]:
    """The newest grant of a person that is not revoked, in the shape that a connection wants."""
    app = client(db)
    row = db.execute(
        "SELECT g.refresh_token, g.scope, t.token, t.expires_at FROM google_grant g JOIN google_token t "
        "ON t.grant_id = g.id WHERE g.account = ? AND NOT g.revoked AND g.refresh_token IS NOT NULL "
        "ORDER BY g.id DESC, t.expires_at DESC LIMIT 1",
        (account,),
    ).fetchone()
    return {
        "client_id": app["id"],
        "client_secret": app["secret"],
        "refresh_token": row["refresh_token"],
        "access_token": row["token"],
        "expires_at": datetime.fromtimestamp(row["expires_at"], UTC).isoformat(),
        "scopes": row["scope"].split(),
    }


def service_account(db: sqlite3.Connection) -> dict[str, str]:
    """The key file of this sandbox's one service account; made when it is first asked for.

    It may act for itself and, by delegation, for everyone who has granted anything.
    """
    row = db.execute("SELECT * FROM google_robot").fetchone()
    if row is None:
        pem = generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        made = ("robot@sandbox.iam.gserviceaccount.com", secrets.token_hex(20), pem.decode())
        db.execute("INSERT INTO google_robot VALUES (?, ?, ?)", made)
        row = db.execute("SELECT * FROM google_robot").fetchone()
    return {
        "type": "service_account",
        "project_id": "sandbox",
        "private_key_id": row["key_id"],
        "private_key": row["private_key"],
        "client_email": row["email"],
        "token_uri": "https://oauth2.googleapis.com/token",
    }


def bearer(call: Call, *needs: str) -> Bearer:
    """Whoever asks, by the bearer token of the request.

    Args:
        needs: Scopes one of which is enough; none if any token will do.

    Raises:
        Refusal: 401 or 403 in the words of Google's APIs.
    """
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Refusal(unauthenticated("CREDENTIALS_MISSING"))
    row = valid(call.db, token.strip(), now=call.now)
    if row is None:
        raise Refusal(unauthenticated())
    scopes = frozenset(row["scope"].split())
    if needs and not scopes & set(needs):
        raise Refusal(_insufficient())
    return Bearer(row["account"], scopes)


def valid(db: sqlite3.Connection, token: str, *, now: float) -> sqlite3.Row | None:
    """An access token that is worth something, with its grant's account."""
    found: sqlite3.Row | None = db.execute(
        "SELECT t.*, g.account, g.refresh_token FROM google_token t JOIN google_grant g ON g.id = t.grant_id "
        "WHERE t.token = ? AND t.expires_at > ? AND NOT g.revoked",
        (token, now),
    ).fetchone()
    return found


def unauthenticated(reason: str = "ACCESS_TOKEN_EXPIRED") -> Reply:
    """401 as Google's JSON APIs say it: the token is missing, unknown, expired or revoked."""
    message = "Request had invalid authentication credentials. Expected OAuth 2 access token or other valid credential."
    headers = {"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'}
    return _error(401, "UNAUTHENTICATED", message, legacy="authError", reason=reason, headers=headers)


def _insufficient() -> Reply:
    message, reason = "Request had insufficient authentication scopes.", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"
    headers = {"WWW-Authenticate": 'Bearer realm="https://accounts.google.com/", error="insufficient_scope"'}
    return _error(403, "PERMISSION_DENIED", message, legacy="insufficientPermissions", reason=reason, headers=headers)


def _error(status: int, canonical: str, message: str, *, legacy: str, reason: str, headers: Mapping[str, str]) -> Reply:
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}
    old = {"message": message, "domain": "global", "reason": legacy}
    if status == 401:
        old |= {"location": "Authorization", "locationType": "header"}
    body = {"code": status, "message": message, "status": canonical, "errors": [old], "details": [info]}
    return Reply(status, {"error": body}, headers)
