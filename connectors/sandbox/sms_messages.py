"""What can be done with Twilio messages? Send, schedule, cancel, remove."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import sqlite3
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connectors.sandbox import callbacks, webhooks
from connectors.sandbox.platform import Call, Reply
from connectors.sandbox.sms_checks import (
    check_content,
    checked_callback,
    checked_recipient,
    checked_sender,
    checked_start,
    refuse_opted_out,
)
from connectors.sandbox.sms_errors import refusal
from connectors.sandbox.sms_text import smart
from connectors.sandbox.sms_view import FINAL, STAGES, STAGES_SERVICE, rendered, status_at

TABLES = """
CREATE TABLE IF NOT EXISTS sms_message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sid TEXT NOT NULL UNIQUE,
    recipient TEXT NOT NULL,
    sender TEXT,
    service_sid TEXT,
    body TEXT,
    media INTEGER NOT NULL,
    created_at REAL NOT NULL,
    start_at REAL NOT NULL,
    canceled_at REAL,
    visible_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS sms_message_recipient ON sms_message (recipient, id);
"""


def create(call: Call) -> Reply:
    """POST Messages.json: send now, or at SendAt."""
    fields: dict[str, Any] = call.body
    account: sqlite3.Row = call.principal
    recipient = checked_recipient(fields["To"])
    sender, service = checked_sender(fields, account, recipient)
    start_at = checked_start(fields, call.now)
    callback = checked_callback(fields.get("StatusCallback"))
    check_content(fields)
    refuse_opted_out(call.db, recipient, sender, service)
    media = fields.get("MediaUrl", [])
    sid = f"{'MM' if media else 'SM'}{secrets.token_hex(16)}"
    call.db.execute(
        "INSERT INTO sms_message (sid, recipient, sender, service_sid, body, media, created_at, start_at, visible_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            sid, recipient, sender, service, _body(fields), len(media), call.now,
            call.now if start_at is None else start_at, call.visible_at,
        ),
    )  # fmt: skip
    if callback is None and service is not None:
        callback = webhooks.target(call.db, call.operation.connector)  # the Messaging Service's own
    if callback is not None:
        _plan_callbacks(call, sid, recipient, sender, service, callback, start_at)
    key = parse_qs(urlsplit(callback).query).get("effect", [None])[0] if callback else None
    action = "sendSMS" if start_at is None else "scheduleSMS"
    call.effect(action, sid, key=key, recipient=recipient, text=fields.get("Body"))
    return Reply(201, rendered(_by_sid(call, sid), account, call.now))


def _body(fields: dict[str, Any]) -> str:
    """The text that is sent: a new Messaging Service has smart encoding on, other senders do it when asked."""
    body: str = fields.get("Body", "")
    return smart(body) if fields.get("SmartEncoded", "MessagingServiceSid" in fields) else body


def fetch(call: Call) -> Reply:
    """GET Messages/{Sid}.json."""
    return Reply(200, rendered(_by_sid(call, call.path["Sid"]), call.principal, call.now))


def update(call: Call) -> Reply:
    """POST Messages/{Sid}.json: cancel a scheduled message, or remove the text of a finished one."""
    row = _by_sid(call, call.path["Sid"])
    status = status_at(row, call.now)
    if call.body.get("Status") == "canceled":
        if status != "scheduled":
            raise refusal(30409)
        call.db.execute("UPDATE sms_message SET canceled_at = ? WHERE id = ?", (call.now, row["id"]))
        callbacks.drop(call.db, row["sid"])
        call.effect("cancelScheduled", row["sid"], recipient=row["recipient"])
    elif status in FINAL:
        call.db.execute("UPDATE sms_message SET body = '' WHERE id = ?", (row["id"],))
    else:
        raise refusal(20422, "Body can only be removed from a finished message")
    return fetch(call)


def delete(call: Call) -> Reply:
    """DELETE Messages/{Sid}.json: the platform's record goes, our count of the effect stays."""
    row = _by_sid(call, call.path["Sid"])
    call.db.execute("DELETE FROM sms_message WHERE id = ?", (row["id"],))
    call.effect("deleteMessage", row["sid"], recipient=row["recipient"])
    return Reply(204)


def _by_sid(call: Call, sid: str) -> sqlite3.Row:
    row: sqlite3.Row | None = call.db.execute("SELECT * FROM sms_message WHERE sid = ?", (sid,)).fetchone()
    if row is None:
        raise refusal(20404)
    return row


def _plan_callbacks(
    call: Call,
    sid: str,
    recipient: str,
    sender: str | None,
    service: str | None,
    url: str,
    start_at: float | None,
) -> None:
    """One signed callback per status after the first."""
    account = call.principal
    stages = [*reversed(STAGES if service is None else STAGES_SERVICE)]
    if start_at is None:
        stages = stages[1:]
    begin = call.now if start_at is None else start_at
    posts = []
    for after_s, status in stages:
        form = {
            "AccountSid": account["account_sid"],
            "ApiVersion": "2010-04-01",
            "From": sender or account["from_number"],
            "MessageSid": sid,
            "MessageStatus": status,
            "SmsSid": sid,
            "SmsStatus": status,
            "To": recipient,
        }
        if service is not None:
            form["MessagingServiceSid"] = service
        posts.append(signed_post(account["auth_token"], url, form, due_at=begin + after_s))
    call.call_back(sid, url, posts)


def signed_post(auth_token: str, url: str, form: dict[str, str], *, due_at: float) -> callbacks.Post:
    """A request of Twilio's to an address, signed with the account's auth token."""
    content = url + "".join(name + form[name] for name in sorted(form))
    digest = hmac.new(auth_token.encode(), content.encode(), hashlib.sha1).digest()
    headers = {"X-Twilio-Signature": base64.b64encode(digest).decode()}
    return callbacks.Post(due_at, form=form, headers=headers)
