"""Google's consent screen and token endpoint, which all of Google's APIs share. It is no connector of its own."""

from __future__ import annotations

import base64
import hashlib
import secrets
import sqlite3
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode

from connectors.sandbox import google_assertion, google_tokens
from connectors.sandbox.contract import Problem, ProblemKind
from connectors.sandbox.platform import Call, Handler, Platform, Refusal, Reply

_CODE_LIVES_S = 600.0
_SOMEBODY = "somebody@sandbox.example"
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_DEAD = "Token has been expired or revoked."


class GoogleOAuth(Platform):
    """The authorize address, ``/token``, ``/revoke`` and ``/tokeninfo``."""

    slug: ClassVar[str] = "google_oauth"
    is_connector: ClassVar[bool] = False
    tables: ClassVar[str] = google_tokens.TABLES

    def seed(self, db: sqlite3.Connection, *, now: float) -> None:
        """An app; the platforms that share it grant their accounts."""
        google_tokens.client(db)

    def describe(self, db: sqlite3.Connection) -> dict[str, Any]:
        """The app that asks for consent; nobody connects to it."""
        app = google_tokens.client(db)
        return {"account": "", "credential": {"client_id": app["id"], "client_secret": app["secret"]}, "settings": {}}

    def authenticate(self, call: Call) -> None:
        """Anyone may ask; the token endpoint looks at the form itself."""

    def refuse(self, problem: Problem) -> Reply:
        """404 for an unknown path, else 400 ``invalid_request``."""
        if problem.kind in (ProblemKind.UNKNOWN_PATH, ProblemKind.METHOD):
            return Reply(404, "<!DOCTYPE html><title>Error 404 (Not Found)</title>", content_type="text/html")
        if problem.violations:
            found = problem.violations[0]
            said = {"required": "Missing required parameter", "additionalProperties": "Parameter not allowed here"}
            return _error(400, "invalid_request", f"{said.get(found.rule, 'Invalid parameter value')}: {found.field}")
        return _error(400, "invalid_request", "Bad Request")

    def rate_limited(self, *, retry_after_s: int | None) -> Reply:
        """429 ``rate_limit_exceeded``."""
        wait = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
        return Reply(429, {"error": "rate_limit_exceeded", "error_description": "Rate Limit Exceeded"}, wait)

    def server_error(self, status: int) -> Reply:
        """500 ``internal_failure`` or 503 ``temporarily_unavailable``."""
        return _error(status, "internal_failure" if status == 500 else "temporarily_unavailable", "Try again.")

    def auth_expired(self) -> Reply:
        """400 ``invalid_grant``: the grant is gone."""
        return _error(400, "invalid_grant", _DEAD)

    @staticmethod
    def authorize(call: Call) -> Reply:
        """Somebody agrees at once; back to the app with a code."""
        query = call.query
        if query["client_id"] != google_tokens.client(call.db)["id"]:
            return _error(401, "invalid_client", "The OAuth client was not found.")
        state = {"state": query["state"]} if "state" in query else {}
        account = _who_agrees(call.db, query)
        if account is None:
            return _back(query["redirect_uri"], {"error": "access_denied", **state})
        code = f"4/0A{secrets.token_urlsafe(40)}"
        challenge = query.get("code_challenge")
        plain, offline = query.get("code_challenge_method") != "S256", query.get("access_type") == "offline"
        call.db.execute(
            "INSERT INTO google_code VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
            (code, account, query["scope"], query["redirect_uri"], challenge, plain, offline, call.now + _CODE_LIVES_S),
        )
        return _back(query["redirect_uri"], {**state, "code": code, "scope": query["scope"]})

    @staticmethod
    def token(call: Call) -> Reply:
        """A code, a refresh token or an assertion becomes an access token."""
        match call.body["grant_type"]:
            case "authorization_code":
                return _exchanged(call)
            case "refresh_token":
                return _refreshed(call)
            case kind if kind == _JWT_GRANT:
                return _asserted(call)
            case kind:
                return _error(400, "unsupported_grant_type", f"Invalid grant_type: {kind}")

    @staticmethod
    def revoke(call: Call) -> Reply:
        """The grant of a token is withdrawn, with all its tokens."""
        revoked = call.db.execute(
            "UPDATE google_grant SET revoked = 1 WHERE NOT revoked AND (refresh_token = :token "
            "OR id IN (SELECT grant_id FROM google_token WHERE token = :token AND expires_at > :now))",
            {"token": call.body["token"], "now": call.now},
        )
        return Reply(200, {}) if revoked.rowcount else _error(400, "invalid_token", "Token expired or revoked")

    @staticmethod
    def token_info(call: Call) -> Reply:
        """Scopes and remaining seconds of a valid access token."""
        row = google_tokens.valid(call.db, call.query["access_token"], now=call.now)
        if row is None:
            return _error(400, "invalid_token", "Invalid Value")
        told = {"aud": google_tokens.client(call.db)["id"], "scope": row["scope"]}
        access = "online" if row["refresh_token"] is None else "offline"
        return Reply(200, {**told, "expires_in": str(int(row["expires_at"] - call.now)), "access_type": access})

    operations: ClassVar[Mapping[str, Handler]] = {
        "authorize": authorize,
        "token": token,
        "revoke": revoke,
        "tokenInfo": token_info,
    }


def _who_agrees(db: sqlite3.Connection, query: Mapping[str, Any]) -> str | None:
    # The person whose account holds what is asked for, as the platforms were seeded.
    rows = db.execute("SELECT account, scope FROM google_grant WHERE refresh_token IS NOT NULL ORDER BY id").fetchall()
    if "login_hint" in query:
        return next((row["account"] for row in rows if row["account"] == query["login_hint"]), None)
    wanted = set(query["scope"].split())
    return next((row["account"] for row in rows if wanted & set(row["scope"].split())), _SOMEBODY)


def _exchanged(call: Call) -> Reply:
    form = _allowed(call, "code", "redirect_uri", "client_id", "client_secret", maybe=("code_verifier",))
    _prove_client(call.db, form)
    row = call.db.execute("SELECT * FROM google_code WHERE code = ?", (form["code"],)).fetchone()
    if row is None or row["expires_at"] <= call.now:
        return _error(400, "invalid_grant", "Malformed auth code." if row is None else "Code was expired.")
    if row["grant_id"] is not None:
        # RFC 6749, 4.1.2: what a code that comes twice has brought is withdrawn.
        call.db.execute("UPDATE google_grant SET revoked = 1 WHERE id = ?", (row["grant_id"],))
        return _error(400, "invalid_grant", "Code was already redeemed.")
    if row["redirect_uri"] != form["redirect_uri"]:
        return _error(400, "redirect_uri_mismatch", "Bad Request")
    if row["challenge"] is not None and _challenge(form.get("code_verifier"), plain=row["plain"]) != row["challenge"]:
        return _error(400, "invalid_grant", "Invalid code verifier.")
    grant_id = google_tokens.new_grant(call.db, row["account"], row["scope"], offline=row["offline"])
    call.db.execute("UPDATE google_code SET grant_id = ? WHERE code = ?", (grant_id, form["code"]))
    refresh = call.db.execute("SELECT refresh_token FROM google_grant WHERE id = ?", (grant_id,)).fetchone()[0]
    return _granted(call, grant_id, row["scope"], **({"refresh_token": refresh} if refresh else {}))


def _refreshed(call: Call) -> Reply:
    form = _allowed(call, "refresh_token", "client_id", "client_secret", maybe=("scope",))
    _prove_client(call.db, form)
    query = "SELECT * FROM google_grant WHERE refresh_token = ? AND NOT revoked"
    row = call.db.execute(query, (form["refresh_token"],)).fetchone()
    if row is None:
        return _error(400, "invalid_grant", _DEAD)
    scope = form.get("scope", row["scope"])
    if not set(scope.split()) <= set(row["scope"].split()):
        return _error(400, "invalid_scope", "Some requested scopes were not granted.")
    return _granted(call, row["id"], scope)


def _asserted(call: Call) -> Reply:
    form = _allowed(call, "assertion")
    try:
        claims = google_assertion.claims(form["assertion"], google_tokens.service_account(call.db), now=call.now)
    except google_assertion.Refused as refused:
        return _error(400, refused.error, str(refused))
    subject = claims.get("sub", claims["iss"])
    known = call.db.execute("SELECT 1 FROM google_grant WHERE account = ?", (subject,)).fetchone()
    if subject != claims["iss"] and known is None:
        said = "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any"
        return _error(401, "unauthorized_client", f"{said} of the scopes requested.")
    grant_id = google_tokens.new_grant(call.db, subject, claims["scope"], offline=False)
    body = _granted(call, grant_id, claims["scope"]).body
    return Reply(200, {name: value for name, value in body.items() if name != "scope"})


def _granted(call: Call, grant_id: int, scope: str, **more: str) -> Reply:
    token = google_tokens.new_token(call.db, grant_id, scope, now=call.now)
    told = {"access_token": token, "expires_in": google_tokens.LIFETIME_S, "scope": scope, "token_type": "Bearer"}
    return Reply(200, {**told, **more}, {"Cache-Control": "no-cache, no-store, max-age=0, must-revalidate"})


def _allowed(call: Call, *needed: str, maybe: tuple[str, ...] = ()) -> dict[str, str]:
    """The form, with exactly what its kind of grant takes."""
    form: dict[str, str] = {name: value for name, value in call.body.items() if name != "grant_type"}
    for name in needed:
        if not form.get(name):
            raise Refusal(_error(400, "invalid_request", f"Missing required parameter: {name}"))
    for name in form.keys() - {*needed, *maybe}:
        raise Refusal(_error(400, "invalid_request", f"Parameter not allowed for this message type: {name}"))
    return form


def _prove_client(db: sqlite3.Connection, form: Mapping[str, str]) -> None:
    app = google_tokens.client(db)
    if form["client_id"] != app["id"]:
        raise Refusal(_error(401, "invalid_client", "The OAuth client was not found."))
    if form["client_secret"] != app["secret"]:
        raise Refusal(_error(401, "invalid_client", "Unauthorized"))


def _challenge(verifier: str | None, *, plain: bool) -> str | None:
    if verifier is None or plain:
        return verifier
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _back(redirect_uri: str, told: Mapping[str, str]) -> Reply:
    return Reply(302, None, {"Location": f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(told)}"})


def _error(status: int, error: str, description: str) -> Reply:
    return Reply(status, {"error": error, "error_description": description})
