"""Twilio Programmable Messaging, as the connector ``sms`` meets it."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import sqlite3
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

from connectors.sandbox import bodies, callbacks, sms_listing, sms_messages, webhooks
from connectors.sandbox.contract import Contract, Problem
from connectors.sandbox.platform import Call, Handler, Platform, Reply
from connectors.sandbox.shapes import Shape
from connectors.sandbox.sms_errors import error, refusal, refuse

_FROM_NUMBER = "+15005550006"
_ANY_SENDER = "*"
_TOKEN_LIFE_S = 3600
_BAD_CONSENT = 30646
_STOP_WORDS = frozenset({"STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"})
_START_WORDS = frozenset({"START", "YES", "UNSTOP"})

_TABLES = """
CREATE TABLE IF NOT EXISTS sms_account (
    account_sid TEXT PRIMARY KEY,
    auth_token TEXT NOT NULL,
    key_sid TEXT NOT NULL,
    key_secret TEXT NOT NULL,
    service_sid TEXT NOT NULL,
    from_number TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sms_bearer (token TEXT PRIMARY KEY, expires_at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sms_opt_out (
    address TEXT NOT NULL, sender TEXT NOT NULL, at REAL NOT NULL, PRIMARY KEY (address, sender)
) WITHOUT ROWID;
"""


def _fetch_account(call: Call) -> Reply:
    sid = call.principal["account_sid"]
    return Reply(200, {"sid": sid, "status": "active", "type": "Full", "friendly_name": "Sandbox"})


def _fetch_service(call: Call) -> Reply:
    if call.path["Sid"] != call.principal["service_sid"]:
        raise refusal(20404)
    return Reply(
        200,
        {
            "sid": call.path["Sid"],
            "account_sid": call.principal["account_sid"],
            "friendly_name": "Sandbox",
            "status_callback": None,
            "inbound_request_url": None,
            "use_inbound_webhook_on_number": False,
            "validity_period": 36000,
            "usecase": "marketing",
            "us_app_to_person_registered": True,
        },
    )


@cache
def _consent_item() -> Shape:
    return Contract(Sms.slug).shape("ConsentItem")


def _set_consent(call: Call) -> Reply:
    return Reply(201, {"items": [_stored_consent(call, text) for text in call.body["Items"]]})


def _stored_consent(call: Call, text: str) -> dict[str, Any]:
    try:
        item = bodies.read_json(text.encode())
    except bodies.MalformedError:
        item = None
    wrong = _consent_item().violations(item)
    correlation = item.get("correlation_id", "") if isinstance(item, dict) else ""
    if wrong or item is None:
        fields = [f"{found.field or 'item'}: {found.rule}" for found in wrong]
        return {"correlation_id": str(correlation), "error_code": _BAD_CONSENT, "error_messages": fields}
    out = item["status"] == "opt-out"
    _record_opt_out(call.db, item["contact_id"], item["sender_id"], out=out, now=call.now)
    call.effect("setConsent", correlation, recipient=item["contact_id"], text=item["status"])
    return {"correlation_id": correlation, "error_code": 0, "error_messages": []}


def _record_opt_out(db: sqlite3.Connection, address: str, sender: str, *, out: bool, now: float) -> None:
    if out:
        db.execute("INSERT OR REPLACE INTO sms_opt_out VALUES (?, ?, ?)", (address, sender, now))
    else:
        # Opting in for one sender also lifts an opt-out from all of them: the STOP came before.
        db.execute("DELETE FROM sms_opt_out WHERE address = ? AND sender IN (?, ?)", (address, sender, _ANY_SENDER))


def _fetch_token(call: Call) -> Reply:
    account = call.db.execute("SELECT * FROM sms_account WHERE key_sid = ?", (call.body["client_id"],)).fetchone()
    if account is None or not _same(call.body["client_secret"], account["key_secret"]):
        raise refusal(20003)
    token = secrets.token_urlsafe(32)
    call.db.execute("INSERT INTO sms_bearer VALUES (?, ?)", (token, call.now + _TOKEN_LIFE_S))
    return Reply(200, {"access_token": token, "token_type": "Bearer", "expires_in": _TOKEN_LIFE_S})


class Sms(Platform):
    """Twilio: messages now and later, their status, opt-outs and consent."""

    slug: ClassVar[str] = "sms"
    tables: ClassVar[str] = _TABLES + sms_messages.TABLES
    operations: ClassVar[Mapping[str, Handler]] = {
        "sendSMS": sms_messages.create,
        "listMessages": sms_listing.page,
        "getMessageStatus": sms_messages.fetch,
        "cancelScheduled": sms_messages.update,
        "deleteMessage": sms_messages.delete,
        "fetchAccount": _fetch_account,
        "fetchMessagingService": _fetch_service,
        "setConsent": _set_consent,
        "fetchOAuthToken": _fetch_token,
    }

    def seed(self, db: sqlite3.Connection, *, now: float) -> None:
        """One active account with a number, a Messaging Service and an API key."""
        db.execute(
            "INSERT INTO sms_account VALUES (?, ?, ?, ?, ?, ?)",
            (
                f"AC{secrets.token_hex(16)}",
                secrets.token_hex(16),
                f"SK{secrets.token_hex(16)}",
                secrets.token_hex(16),
                f"MG{secrets.token_hex(16)}",
                _FROM_NUMBER,
            ),
        )

    def describe(self, db: sqlite3.Connection) -> dict[str, Any]:
        """The account, in the shape a connection wants; the API key also serves as OAuth client."""
        row = db.execute("SELECT * FROM sms_account").fetchone()
        return {
            "account": row["account_sid"],
            "credential": {"account_sid": row["account_sid"], "auth_token": row["auth_token"]},
            "settings": {"from_number": row["from_number"], "messaging_service_sid": row["service_sid"]},
            "api_key": {"sid": row["key_sid"], "secret": row["key_secret"]},
        }

    def authenticate(self, call: Call) -> sqlite3.Row | None:
        """Basic with the account's or the key's secret, or a bearer token; the path must name the same account."""
        if call.operation.security is None:
            return None
        account = _account_of(call)
        if account is None:
            raise refusal(20003)
        path = call.path
        named = path.get("AccountSid") or (path["Sid"] if call.operation.id == "fetchAccount" else None)
        if named not in (None, account["account_sid"]):
            raise refusal(20404)
        return account

    def refuse(self, problem: Problem) -> Reply:
        """Twilio's error body with the code that fits."""
        return refuse(problem)

    def rate_limited(self, *, retry_after_s: int | None) -> Reply:
        """429 with code 20429; the request was not processed."""
        reply = error(20429)
        wait = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
        return Reply(reply.status, reply.body, {**wait, "Twilio-Concurrent-Requests": "100"})

    def server_error(self, status: int) -> Reply:
        """Twilio's 500 or 503."""
        return error(20503 if status == 503 else 20500)

    def auth_expired(self) -> Reply:
        """401 with code 20003."""
        return error(20003)

    def opt_out(self, db: sqlite3.Connection, address: str, *, out: bool, now: float) -> None:
        """The recipient sends STOP (or START) to every sender of the account, whose owner is told."""
        _blocked(db, address, out=out, now=now)
        _tell_owner(db, address, "STOP" if out else "START", now=now)

    def hear(self, db: sqlite3.Connection, address: str, *, now: float) -> None:
        """Anybody may write at any time."""

    def write_in(self, db: sqlite3.Connection, address: str, text: str, *, now: float) -> None:
        """The account's owner is told; a single word of those that carriers know also blocks, or lifts the block."""
        word = text.strip().upper()
        if word in _STOP_WORDS or word in _START_WORDS:
            _blocked(db, address, out=word in _STOP_WORDS, now=now)
        _tell_owner(db, address, text, now=now)


def _blocked(db: sqlite3.Connection, address: str, *, out: bool, now: float) -> None:
    if out:
        _record_opt_out(db, address, _ANY_SENDER, out=True, now=now)
    else:
        db.execute("DELETE FROM sms_opt_out WHERE address = ?", (address,))


def _tell_owner(db: sqlite3.Connection, address: str, text: str, *, now: float) -> None:
    url, account = webhooks.target(db, Sms.slug), db.execute("SELECT * FROM sms_account").fetchone()
    if url is None:
        return
    sid = f"SM{secrets.token_hex(16)}"
    form = {
        "AccountSid": account["account_sid"],
        "ApiVersion": "2010-04-01",
        "Body": text,
        "From": address,
        "MessageSid": sid,
        "MessagingServiceSid": account["service_sid"],
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsMessageSid": sid,
        "SmsSid": sid,
        "SmsStatus": "received",
        "To": account["from_number"],
    }
    post = sms_messages.signed_post(account["auth_token"], url, form, due_at=now)
    callbacks.plan(db, connector=Sms.slug, provider_id=sid, url=url, posts=[post], manner=callbacks.IN_ORDER)


def _account_of(call: Call) -> sqlite3.Row | None:
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return _account_of_bearer(call, value.strip())
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    account: sqlite3.Row | None = call.db.execute(
        "SELECT * FROM sms_account WHERE account_sid = ? OR key_sid = ?", (user, user)
    ).fetchone()
    if account is None:
        return None
    secret = account["auth_token"] if user == account["account_sid"] else account["key_secret"]
    return account if _same(password, secret) else None


def _account_of_bearer(call: Call, token: str) -> sqlite3.Row | None:
    known = call.db.execute("SELECT 1 FROM sms_bearer WHERE token = ? AND expires_at > ?", (token, call.now)).fetchone()
    account: sqlite3.Row | None = call.db.execute("SELECT * FROM sms_account").fetchone()
    return account if known else None


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())
