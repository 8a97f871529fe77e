"""How does a mail leave the sandbox's Gmail? Checked, rewritten as Gmail does, counted, and kept as sent."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
import sqlite3
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, getaddresses
from typing import Any

from connectors.sandbox import google_api
from connectors.sandbox.email_data import (
    ADDRESS,
    brief,
    fetch_draft,
    new_id,
    parsed,
    remove,
    shown,
    store,
    text_of,
)
from connectors.sandbox.platform import Call, Reply

MOST_BYTES = 36_700_160
_MOST_RECIPIENTS = 100
_MARK = "X-Neonhub-Op"
_PLACES = ("To", "Cc", "Bcc")
_ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>.]+")
_BOUNCE_AFTER_S = 2.0
# What came in stays as it is written: folded anew, a long address would be broken up.
_AS_IT_CAME = SMTP.clone(refold_source="none")


def send(call: Call) -> Reply:
    """messages.send: no key, no notice of a repeat."""
    return Reply(200, brief(deliver(call, _raw(call.body["raw"]), call.body.get("threadId"))))


def create_draft(call: Call) -> Reply:
    """drafts.create: anything that is a mail, recipients or none."""
    message: dict[str, Any] = call.body["message"]
    raw, thread_id = _raw(message["raw"]), _thread(call, message.get("threadId"))
    row = store(call.db, raw, labels=["DRAFT"], now=call.now, visible_at=call.visible_at, thread_id=thread_id)
    draft_id = f"r{secrets.randbelow(9 * 10**18) + 10**18}"
    call.db.execute("INSERT INTO email_draft VALUES (?, ?)", (draft_id, row["id"]))
    mail = parsed(raw)
    call.effect("createDraft", draft_id, key=mail.get(_MARK), recipient=_named(mail), text=text_of(mail))
    return Reply(200, {"id": draft_id, "message": brief(row)})


def send_draft(call: Call) -> Reply:
    """drafts.send: the draft is gone afterwards, and its message has a new id."""
    row = fetch_draft(call.db, call.body["id"])
    given = call.body.get("message")
    raw = row["raw"] if given is None else _raw(given["raw"])
    sent = deliver(call, raw, row["thread_id"], of_draft=True)
    _drop(call.db, call.body["id"], row)
    return Reply(200, brief(sent))


def get_draft(call: Call) -> Reply:
    """drafts.get."""
    row = fetch_draft(call.db, call.path["id"])
    return Reply(200, {"id": call.path["id"], "message": shown(call, row, form=call.query.get("format", "full"))})


def delete_draft(call: Call) -> Reply:
    """drafts.delete: for good."""
    row = fetch_draft(call.db, call.path["id"])
    _drop(call.db, call.path["id"], row)
    call.effect("deleteDraft", call.path["id"])
    return Reply(204)


def deliver(call: Call, raw: bytes, thread_id: str | None, *, of_draft: bool = False) -> sqlite3.Row:
    """Send a mail, once, as often as it is asked to.

    Raises:
        Refusal: 400 or 404, in Gmail's words.
    """
    mail = parsed(raw)
    recipients = _recipients(mail)
    thread_id = thread_id if of_draft else _joined(call, mail, _thread(call, thread_id))
    _rewrite(call, mail)
    labels = ["SENT", "INBOX", "UNREAD"] if ADDRESS in recipients else ["SENT"]
    sent = store(
        call.db,
        mail.as_bytes(policy=_AS_IT_CAME),
        labels=labels,
        now=call.now,
        visible_at=call.visible_at,
        thread_id=thread_id,
    )
    call.effect("sendEmail", sent["id"], key=mail.get(_MARK), recipient=_named(mail), text=text_of(mail))
    for address in recipients:
        if address.startswith("bounce"):
            _bounce(call, sent, address)
    return sent


def receive(db: sqlite3.Connection, sender: str, *, now: float, subject: str = "Hello", text: str = "Hello!") -> None:
    """A mail from somebody arrives."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, ADDRESS, subject
    mail["Message-ID"] = f"<{secrets.token_hex(12)}@mail.{sender.partition('@')[2]}>"
    mail["Date"] = format_datetime(datetime.fromtimestamp(now, UTC))
    mail.set_content(text)
    store(db, mail.as_bytes(policy=SMTP), labels=["INBOX", "UNREAD"], now=now, visible_at=now)


def _raw(text: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise google_api.refusal(400, "Invalid value for ByteString", reason="invalidArgument") from None
    if len(raw) > MOST_BYTES:
        raise google_api.refusal(413, "Request Too Large", reason="uploadTooLarge", canonical="INVALID_ARGUMENT")
    return raw


def _recipients(mail: EmailMessage) -> list[str]:
    found = []
    for place in _PLACES:
        for _, address in getaddresses([str(line) for line in mail.get_all(place, [])]):
            if not _ADDRESS.fullmatch(address):
                raise google_api.refusal(400, f"Invalid {place} header", reason="invalidArgument")
            found.append(address.lower())
    if not found:
        raise google_api.refusal(400, "Recipient address required", reason="invalidArgument")
    if len(found) > _MOST_RECIPIENTS:
        raise google_api.refusal(400, "Too many recipients", reason="invalidArgument")
    return found


def _named(mail: EmailMessage) -> str:
    lines = [str(line) for place in _PLACES for line in mail.get_all(place, [])]
    return ", ".join(address for _, address in getaddresses(lines))


def _thread(call: Call, thread_id: str | None) -> str | None:
    if thread_id is not None:
        known = call.db.execute("SELECT 1 FROM email_message WHERE thread_id = ?", (thread_id,)).fetchone()
        if known is None:
            raise google_api.not_found()
    return thread_id


def _joined(call: Call, mail: EmailMessage, thread_id: str | None) -> str | None:
    """The thread that a mail joins: only one whose subject it has, and one of whose messages it names."""
    if thread_id is None:
        return None
    named = f"{mail.get('In-Reply-To', '')} {mail.get('References', '')}".split()
    rows = call.db.execute("SELECT raw FROM email_message WHERE thread_id = ?", (thread_id,)).fetchall()
    others = [parsed(row["raw"]) for row in rows]
    answered = any(str(one.get("Message-ID", "")).strip() in named for one in others)
    same = any(_bare(one) == _bare(mail) for one in others)
    return thread_id if answered and same else None


def _bare(mail: EmailMessage) -> str:
    return re.sub(r"^(re:\s*)+", "", " ".join(str(mail.get("Subject", "")).split()), flags=re.IGNORECASE)


def _rewrite(call: Call, mail: EmailMessage) -> None:
    """Gmail's own Message-ID and date, and a sender that the mailbox may send as."""
    senders = [address.lower() for _, address in getaddresses([str(line) for line in mail.get_all("From", [])])]
    query = "SELECT address FROM email_alias WHERE is_primary OR status = 'accepted'"
    accepted = {row["address"] for row in call.db.execute(query)}
    if len(senders) != 1 or senders[0] not in accepted:
        del mail["From"]
        mail["From"] = ADDRESS
    del mail["Message-ID"]
    mail["Message-ID"] = f"<{secrets.token_urlsafe(24)}@mail.gmail.com>"
    if "Date" not in mail:
        mail["Date"] = format_datetime(datetime.fromtimestamp(int(call.now), UTC))


def _drop(db: sqlite3.Connection, draft_id: str, row: sqlite3.Row) -> None:
    db.execute("DELETE FROM email_draft WHERE id = ?", (draft_id,))
    remove(db, row)


def _bounce(call: Call, sent: sqlite3.Row, address: str) -> None:
    """A report that nobody has that address, a moment later."""
    report = (
        "From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>\r\n"
        f"To: {ADDRESS}\r\nSubject: Delivery Status Notification (Failure)\r\nX-Failed-Recipients: {address}\r\n"
        f"Message-ID: <{new_id()}@mx.google.com>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; boundary="b"; report-type=delivery-status\r\n\r\n'
        "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nAddress not found\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; googlemail.com\r\n\r\n"
        f"Final-Recipient: rfc822; {address}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b--\r\n"
    )
    at = call.now + _BOUNCE_AFTER_S
    store(call.db, report.encode(), labels=["INBOX", "UNREAD"], now=at, visible_at=at, thread_id=sent["thread_id"])
