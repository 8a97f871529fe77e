"""How does the sandbox's Slack hand out tokens? For a consent, and for a refresh token, each good for once."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from typing import Any
from urllib.parse import urlencode

from connectors.sandbox.platform import Call, Reply
from connectors.sandbox.slack_data import BOT_SCOPES, ok, refusal

_ROTATED_LIFE_S = 43_200
_CODE_LIVES_S = 600.0

TABLES = """
CREATE TABLE IF NOT EXISTS slack_code (
    code TEXT PRIMARY KEY,
    scopes TEXT NOT NULL,
    redirect_uri TEXT,
    expires_at REAL NOT NULL
) WITHOUT ROWID;
"""


def authorize(call: Call) -> Reply:
    """The consent screen: somebody of the workspace agrees at once."""
    query = call.query
    team = call.db.execute("SELECT * FROM slack_team").fetchone()
    if query["client_id"] != team["client_id"]:
        return Reply(400, "<html><body>Invalid client_id parameter</body></html>", content_type="text/html")
    state = {"state": query["state"]} if "state" in query else {}
    if not {*query["scope"].replace(" ", ",").split(",")} <= {*BOT_SCOPES.split(",")}:
        return _back(query["redirect_uri"], {"error": "invalid_scope", **state})
    code = f"{secrets.randbelow(10**12)}.{secrets.token_hex(32)}"
    values = (code, query["scope"], query["redirect_uri"], call.now + _CODE_LIVES_S)
    call.db.execute("INSERT INTO slack_code VALUES (?, ?, ?, ?)", values)
    return _back(query["redirect_uri"], {"code": code, **state})


def _back(redirect_uri: str, told: dict[str, str]) -> Reply:
    return Reply(302, None, {"Location": f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(told)}"})


def exchange(call: Call) -> Reply:
    """oauth.v2.access: a code or a refresh token, each good for once, against a rotating pair of tokens."""
    fields: dict[str, Any] = call.body
    team = call.db.execute("SELECT * FROM slack_team").fetchone()
    client_id, client_secret = _client(call)
    if client_id != team["client_id"]:
        raise refusal("invalid_client_id")
    if not _same(client_secret, team["client_secret"]):
        raise refusal("bad_client_secret")
    spent = _refreshed(call) if "refresh_token" in fields else _redeemed(call)
    access, refresh = f"xoxe.xoxb-1-{secrets.token_urlsafe(24)}", f"xoxe-1-{secrets.token_urlsafe(24)}"
    add = "INSERT INTO slack_token (token, kind, scopes, expires_at) VALUES (?, ?, ?, ?)"
    call.db.execute(add, (access, "bot", spent, call.now + _ROTATED_LIFE_S))
    call.db.execute(add, (refresh, "refresh", spent, None))
    return ok(
        app_id=team["app_id"],
        access_token=access,
        refresh_token=refresh,
        token_type="bot",  # noqa: S106
        scope=spent,
        expires_in=_ROTATED_LIFE_S,
        bot_user_id=team["bot_user"],
        team={"id": team["team_id"], "name": "Sandbox"},
        enterprise=None,
        is_enterprise_install=False,
    )


def _refreshed(call: Call) -> str:
    """The scopes of a refresh token, which is good for once."""
    row = call.db.execute(
        "UPDATE slack_token SET revoked = 1 WHERE token = ? AND kind = 'refresh' AND NOT revoked RETURNING scopes",
        (call.body["refresh_token"],),
    ).fetchone()
    if row is None:
        raise refusal("invalid_refresh_token")
    scopes: str = row["scopes"]
    return scopes


def _redeemed(call: Call) -> str:
    """The scopes of a code, which is good for once and where it was asked for."""
    query = "DELETE FROM slack_code WHERE code = ? AND expires_at > ? RETURNING *"
    row = call.db.execute(query, (call.body.get("code", ""), call.now)).fetchone()
    if row is None:
        raise refusal("invalid_code")
    if row["redirect_uri"] != call.body.get("redirect_uri"):
        raise refusal("bad_redirect_uri")
    scopes: str = row["scopes"]
    return scopes


def _client(call: Call) -> tuple[str, str]:
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return call.body.get("client_id", ""), call.body.get("client_secret", "")
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, password


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())
