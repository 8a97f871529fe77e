"""Gmail's API v1, as the connector ``email`` meets it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any, ClassVar

from connectors.sandbox import (
    email_data,
    email_mails,
    email_reading,
    email_uploads,
    google_api,
    google_tokens,
)
from connectors.sandbox.contract import Problem
from connectors.sandbox.email_data import ADDRESS
from connectors.sandbox.google_tokens import Bearer
from connectors.sandbox.platform import Call, Handler, Platform, Refusal, Reply

_PREFIX = "https://www.googleapis.com/auth/gmail."
_SCOPES = (f"{_PREFIX}compose", f"{_PREFIX}modify")
_SENDER = "intern@acme.example"
"""May only send, with scope ``gmail.send``."""

_ALIASES = (
    (ADDRESS, "Acme News", True, "accepted"),
    ("offers@acme.example", "Acme Offers", False, "accepted"),
    ("new@acme.example", "Acme New", False, "pending"),
)


class Gmail(Platform):
    """Gmail: one mailbox with mails, drafts, threads, labels and a history."""

    slug: ClassVar[str] = "email"
    tables: ClassVar[str] = email_data.TABLES + google_tokens.TABLES
    operations: ClassVar[Mapping[str, Handler]] = {
        "sendEmail": email_mails.send,
        "sendEmailUpload": email_uploads.upload,
        "sendEmailUploadChunk": email_uploads.upload_chunk,
        "listMessages": email_reading.list_messages,
        "getMessage": email_reading.get_message,
        "getAttachment": email_reading.get_attachment,
        "trashMessage": email_reading.trash,
        "modifyMessage": email_reading.modify,
        "createDraft": email_mails.create_draft,
        "listDrafts": email_reading.list_drafts,
        "sendDraft": email_mails.send_draft,
        "getDraft": email_mails.get_draft,
        "deleteDraft": email_mails.delete_draft,
        "getThread": email_reading.get_thread,
        "listHistory": email_reading.history,
        "watchMailbox": email_reading.watch,
        "stopWatch": email_reading.stop,
        "getProfile": email_reading.profile,
        "listSendAs": email_reading.aliases,
    }

    def seed(self, db: sqlite3.Connection, *, now: float) -> None:
        """A mailbox with two aliases, of which one is accepted, and one mail in it; a second user may only send."""
        google_tokens.grant(db, _SENDER, [f"{_PREFIX}send"], now=now)
        google_tokens.grant(db, ADDRESS, _SCOPES, now=now)
        db.executemany("INSERT INTO email_alias VALUES (?, ?, ?, ?)", _ALIASES)
        email_mails.receive(db, "ada@example.org", now=now, subject="Your spring box", text="Is it still there?")

    def describe(self, db: sqlite3.Connection) -> dict[str, Any]:
        """The mailbox in the shape a connection wants, and what is in it."""
        first = db.execute("SELECT id FROM email_message ORDER BY received_at, id LIMIT 1").fetchone()
        return {
            "account": ADDRESS,
            "credential": google_tokens.credential(db, ADDRESS),
            "settings": {"from_address": ADDRESS, "from_name": "Acme News"},
            "limited_credential": google_tokens.credential(db, _SENDER),
            "aliases": {address: status for address, _, _, status in _ALIASES},
            "message": None if first is None else first["id"],
        }

    def authenticate(self, call: Call) -> Bearer:
        """A token that holds one of the scopes that the method takes, for the mailbox of its owner."""
        needs = (call.operation.security or {}).get("googleOAuth2", [])
        found = google_tokens.bearer(call, *needs)
        if call.path["userId"] not in ("me", found.account):
            raise Refusal(google_api.error(403, f"Delegation denied for {found.account}", reason="forbidden"))
        return found

    def refuse(self, problem: Problem) -> Reply:
        """Google's 400, or its front end's 404."""
        return google_api.unfit(problem)

    def rate_limited(self, *, retry_after_s: int | None) -> Reply:
        """429 of the units per minute."""
        return google_api.limited(retry_after_s)

    def server_error(self, status: int) -> Reply:
        """Google's 500 or 503."""
        return google_api.failure(status)

    def auth_expired(self) -> Reply:
        """401 ``ACCESS_TOKEN_EXPIRED``."""
        return google_tokens.unauthenticated()

    def hear(self, db: sqlite3.Connection, address: str, *, now: float) -> None:
        """Somebody writes to the mailbox."""
        email_mails.receive(db, address, now=now)
