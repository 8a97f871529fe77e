"""How does an app get X's tokens? Consent with PKCE, and refresh tokens that work once."""

from __future__ import annotations

import base64
import binascii
import hashlib
import sqlite3
from urllib.parse import urlencode

from connectors.sandbox.platform import Call, Refusal, Reply
from connectors.sandbox.x_data import SCOPES, new_token

LIFETIME_S = 7200.0
_CODE_LIVES_S = 30.0


def authorize(call: Call) -> Reply:
    """GET https://x.com/i/oauth2/authorize: whoever opens it agrees at once."""
    query = call.query
    app = call.db.execute("SELECT * FROM x_app").fetchone()
    if query["client_id"] != app["client_id"]:
        return Reply(400, "Something went wrong: you weren't able to give access to the app.", content_type="text/html")
    scopes = " ".join(scope for scope in query["scope"].split() if scope in SCOPES.split())
    challenge = f"{query['code_challenge_method']} {query['code_challenge']}"
    until = call.now + _CODE_LIVES_S
    code = new_token(call.db, "code", scopes, expires_at=until, redirect_uri=query["redirect_uri"], challenge=challenge)
    back = query["redirect_uri"]
    told = urlencode({"state": query["state"], "code": code})
    return Reply(302, None, {"Location": f"{back}{'&' if '?' in back else '?'}{told}"})


def token(call: Call) -> Reply:
    """POST /2/oauth2/token."""
    form: dict[str, str] = call.body
    _check_client(call, form)
    match form["grant_type"]:
        case "authorization_code":
            row = _spend(call, "code", form.get("code", ""))
            proof = row["challenge"] == _challenge(row["challenge"], form.get("code_verifier", ""))
            if not proof or row["redirect_uri"] != form.get("redirect_uri"):
                return _error("Value passed for the authorization code was invalid.")
        case "refresh_token":
            row = _spend(call, "refresh", form.get("refresh_token", ""))
        case _:
            return _error("Value passed for the grant type was invalid.")
    access = new_token(call.db, "access", row["scopes"], expires_at=call.now + LIFETIME_S)
    told = {"token_type": "bearer", "expires_in": int(LIFETIME_S), "access_token": access, "scope": row["scopes"]}
    if "offline.access" in row["scopes"].split():
        told["refresh_token"] = new_token(call.db, "refresh", row["scopes"], expires_at=None)
    return Reply(200, told)


def _spend(call: Call, kind: str, given: str) -> sqlite3.Row:
    row: sqlite3.Row | None = call.db.execute(
        "UPDATE x_token SET spent = 1 WHERE token = ? AND kind = ? AND NOT spent"
        " AND (expires_at IS NULL OR expires_at > ?) RETURNING *",
        (given, kind, call.now),
    ).fetchone()
    if row is None:
        raise Refusal(_error("Value passed for the token was invalid."))
    return row


def _check_client(call: Call, form: dict[str, str]) -> None:
    """The app's secret in the header. A public client would name itself in the form; this one is confidential."""
    app = call.db.execute("SELECT * FROM x_app").fetchone()
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    try:
        user, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        user, secret = "", ""
    if scheme.lower() != "basic" or (user, secret) != (app["client_id"], app["secret"]):
        said = "Missing valid authorization header"
        raise Refusal(Reply(401, {"error": "unauthorized_client", "error_description": said}))


def _challenge(kept: str, verifier: str) -> str:
    if kept.startswith("plain "):
        return f"plain {verifier}"
    digest = hashlib.sha256(verifier.encode()).digest()
    return f"S256 {base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def _error(description: str) -> Reply:
    return Reply(400, {"error": "invalid_request", "error_description": description})
