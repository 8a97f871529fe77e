"""How does Shopify give tokens? By a code, by a refresh token that is replaced, or to an app of the shop's own."""

from __future__ import annotations

import secrets
import sqlite3

from connectors.sandbox.platform import Call, Refusal, Reply
from connectors.sandbox.shopify_schema import Json

SCOPES = (
    "read_products,write_products,read_inventory,write_inventory,read_discounts,write_discounts,read_orders,"
    "read_locations,read_publications,write_publications"
)
ACCESS_LIFE_S = 3600.0
OWN_LIFE_S = 24 * 3600.0
REFRESH_LIFE_S = 90 * 86_400.0


def seed(db: sqlite3.Connection, *, now: float) -> None:
    """An app with every right, one that may only read products, and one that may ask little at a time."""
    apps = [
        ("sandbox-app", SCOPES, 20_000.0, 1000.0),
        ("reading-app", "read_products", 20_000.0, 1000.0),
        ("slow-app", SCOPES, 100.0, 10.0),
    ]
    for client_id, scopes, bucket, restore in apps:
        row = (client_id, f"shpss_{secrets.token_hex(16)}", scopes, bucket, restore, bucket, now)
        db.execute("INSERT INTO shopify_app VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        add(db, client_id, "access", now + OWN_LIFE_S)
        add(db, client_id, "refresh", now + REFRESH_LIFE_S)


def add(db: sqlite3.Connection, client_id: str, kind: str, expires_at: float, *, replaces: str | None = None) -> str:
    """Make a token."""
    prefix = "shpat_" if kind == "access" else "shprt_"
    token = prefix + secrets.token_hex(16)
    row = (token, client_id, kind, expires_at, replaces)
    db.execute("INSERT INTO shopify_token (token, client_id, kind, expires_at, replaces) VALUES (?, ?, ?, ?, ?)", row)
    return token


def newest(db: sqlite3.Connection, client_id: str, kind: str) -> sqlite3.Row:
    """The app's token that lives longest."""
    row: sqlite3.Row = db.execute(
        "SELECT * FROM shopify_token WHERE client_id = ? AND kind = ? ORDER BY expires_at DESC LIMIT 1",
        (client_id, kind),
    ).fetchone()
    return row


def give(call: Call) -> Reply:
    """POST /admin/oauth/access_token."""
    asked: Json = call.body
    app = call.db.execute("SELECT * FROM shopify_app WHERE client_id = ?", (asked["client_id"],)).fetchone()
    if app is None:
        raise _refused(400, "application_cannot_be_found", "The application is unknown.")
    if not secrets.compare_digest(app["client_secret"], asked["client_secret"]):
        raise _refused(401, "invalid_client", "The client secret is wrong.")
    grant = asked.get("grant_type")
    if grant == "client_credentials":
        token = add(call.db, app["client_id"], "access", call.now + OWN_LIFE_S)
        return Reply(200, {"access_token": token, "scope": _told(app), "expires_in": int(OWN_LIFE_S) - 1})
    if grant == "refresh_token":
        return _refreshed(call, app, asked["refresh_token"])
    # Nobody agrees in the sandbox: it gives no codes and no sessions to exchange.
    raise _refused(400, "invalid_request", "The code or the session token was not found.")


def _refreshed(call: Call, app: sqlite3.Row, given: str) -> Reply:
    old = call.db.execute(
        "SELECT * FROM shopify_token WHERE token = ? AND kind = 'refresh' AND client_id = ?", (given, app["client_id"])
    ).fetchone()
    successor = call.db.execute("SELECT * FROM shopify_token WHERE replaces = ? AND used", (given,)).fetchone()
    # The old one works until the app first uses what replaced it: an answer may have been lost.
    if old is None or successor is not None or old["expires_at"] <= call.now:
        raise _refused(400, "invalid_grant", "The refresh token is not valid.")
    call.db.execute("UPDATE shopify_token SET used = 1 WHERE token = ?", (given,))
    refresh = add(call.db, app["client_id"], "refresh", call.now + REFRESH_LIFE_S, replaces=given)
    token = add(call.db, app["client_id"], "access", call.now + ACCESS_LIFE_S, replaces=given)
    return Reply(
        200,
        {
            "access_token": token,
            "scope": _told(app),
            "expires_in": int(ACCESS_LIFE_S) - 1,
            "refresh_token": refresh,
            "refresh_token_expires_in": int(REFRESH_LIFE_S),
        },
    )


def _told(app: sqlite3.Row) -> str:
    """Its scopes without those to read what it may write."""
    scopes = str(app["scopes"]).split(",")
    return ",".join(one for one in scopes if one.replace("read_", "write_", 1) not in set(scopes) - {one})


def _refused(status: int, error: str, description: str) -> Refusal:
    return Refusal(Reply(status, {"error": error, "error_description": description}))
