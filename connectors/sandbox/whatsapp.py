"""WhatsApp's Cloud API, as the connector ``whatsapp`` meets it."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from typing import Any, ClassVar

from connectors.sandbox import (
    meta_graph,
    webhooks,
    whatsapp_data,
    whatsapp_hooks,
    whatsapp_messages,
    whatsapp_templates,
)
from connectors.sandbox.contract import Problem
from connectors.sandbox.platform import Call, Handler, Platform, Refusal, Reply

_MIME_TYPES = ("image/", "video/", "audio/", "application/", "text/plain")


def _upload(call: Call) -> Reply:
    whatsapp_messages.check_sender(call)
    content, mime_type = call.body["file"], call.body.get("type", "")
    if not isinstance(content, bytes) or not mime_type.startswith(_MIME_TYPES):
        raise whatsapp_data.refusal(131053, "send the file with its MIME type")
    media_id = meta_graph.new_id()
    call.db.execute("INSERT INTO whatsapp_media VALUES (?, ?, ?)", (media_id, mime_type, len(content)))
    call.effect("uploadMedia", media_id)
    return Reply(200, {"id": media_id})


def _node(call: Call) -> Reply:
    """A phone number or an uploaded file; both are read at the same path."""
    account, node_id = call.principal, call.path["NodeID"]
    if node_id == account["phone_number_id"]:
        known = {
            "display_phone_number": f"+{account['number']}",
            "verified_name": "Sandbox",
            "quality_rating": "GREEN",
            "status": "CONNECTED",
            "name_status": "APPROVED",
            "throughput": {"level": "STANDARD"},
            "whatsapp_business_manager_messaging_limit": "TIER_2K",
        }
        wanted = call.query.get("fields", "display_phone_number,verified_name,quality_rating").split(",")
        return Reply(200, {**{name: known[name] for name in wanted if name in known}, "id": node_id})
    row = call.db.execute("SELECT * FROM whatsapp_media WHERE id = ?", (node_id,)).fetchone()
    if row is None:
        raise meta_graph.no_such_node()
    return Reply(
        200,
        {
            "messaging_product": "whatsapp",
            "id": node_id,
            "url": f"https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid={node_id}",
            "mime_type": row["mime_type"],
            "sha256": hashlib.sha256(node_id.encode()).hexdigest(),
            "file_size": row["size"],
        },
    )


def _delete_media(call: Call) -> Reply:
    gone = call.db.execute("DELETE FROM whatsapp_media WHERE id = ?", (call.path["NodeID"],)).rowcount
    if not gone:
        raise meta_graph.no_such_node()
    call.effect("deleteMedia", call.path["NodeID"])
    return Reply(200, {"success": True})


def _subscribe(call: Call) -> Reply:
    if call.path["WABAID"] != call.principal["waba_id"]:
        raise meta_graph.no_such_node()
    call.db.execute("UPDATE whatsapp_account SET subscribed = 1")
    call.effect("subscribeWebhooks", call.path["WABAID"])
    return Reply(200, {"success": True})


class WhatsApp(Platform):
    """WhatsApp: templates, session messages and what became of them."""

    slug: ClassVar[str] = "whatsapp"
    tables: ClassVar[str] = whatsapp_data.TABLES
    operations: ClassVar[Mapping[str, Handler]] = {
        "sendTemplate": whatsapp_messages.send,
        "sendMarketingTemplate": whatsapp_messages.send_marketing,
        "uploadMedia": _upload,
        "getMessageStatus": whatsapp_messages.history,
        "listMessageEvents": whatsapp_messages.events,
        "getNode": _node,
        "deleteMedia": _delete_media,
        "listTemplates": whatsapp_templates.listing,
        "createTemplate": whatsapp_templates.create,
        "deleteTemplate": whatsapp_templates.delete,
        "subscribeWebhooks": _subscribe,
    }

    def seed(self, db: sqlite3.Connection, *, now: float) -> None:
        """One business number, and templates in every state."""
        whatsapp_data.seed(db)

    def describe(self, db: sqlite3.Connection) -> dict[str, Any]:
        """The account, in the shape a connection wants, and its approved templates."""
        row, twilio = db.execute("SELECT * FROM whatsapp_account").fetchone(), _at_twilio(db)
        templates = db.execute("SELECT DISTINCT name FROM whatsapp_template WHERE status = 'APPROVED' ORDER BY name")
        return {
            "account": row["waba_id"],
            "credential": {
                "access_token": row["token"],
                "app_secret": webhooks.secret(db, self.slug),
                **twilio.get("credential", {}),
            },
            "settings": {
                "phone_number_id": row["phone_number_id"],
                "waba_id": row["waba_id"],
                **twilio.get("settings", {}),
            },
            "templates": [one["name"] for one in templates],
        }

    def recognizes(self, headers: Mapping[str, str], raw_query: bytes, db: sqlite3.Connection) -> bool:
        """By the token: Meta's platforms share a host and their paths."""
        return _account(db, meta_graph.bearer(headers)) is not None

    def authenticate(self, call: Call) -> sqlite3.Row:
        """A system user's token."""
        account = _account(call.db, meta_graph.bearer(call.headers))
        if account is None:
            reply = meta_graph.error(190, "Invalid OAuth access token", status=401, subcode=467)
            raise Refusal(reply)
        return account

    def refuse(self, problem: Problem) -> Reply:
        """Meta's error body with the code that fits."""
        return meta_graph.unfit(problem)

    def rate_limited(self, *, retry_after_s: int | None) -> Reply:
        """130429 of the number's throughput; the message was not sent."""
        return meta_graph.limited(130429, "Rate limit hit", use="whatsapp", retry_after_s=retry_after_s)

    def server_error(self, status: int) -> Reply:
        """Meta's 500 or 503."""
        return meta_graph.failure(status)

    def auth_expired(self) -> Reply:
        """401 with code 190, subcode 463."""
        return meta_graph.expired()

    def opt_out(self, db: sqlite3.Connection, address: str, *, out: bool, now: float) -> None:
        """The person stops (or resumes) marketing messages in the app; other templates still reach them."""
        if out:
            db.execute("INSERT OR REPLACE INTO whatsapp_stop VALUES (?, ?)", (address.removeprefix("+"), now))
        else:
            db.execute("DELETE FROM whatsapp_stop WHERE address = ?", (address.removeprefix("+"),))
        whatsapp_hooks.preferences(db, address, out=out, now=now)

    def hear(self, db: sqlite3.Connection, address: str, *, now: float) -> None:
        """The person writes: for 24 hours anything may be answered."""
        until_at = now + whatsapp_messages.WINDOW_S
        db.execute("INSERT OR REPLACE INTO whatsapp_window VALUES (?, ?)", (address.removeprefix("+"), until_at))

    def write_in(self, db: sqlite3.Connection, address: str, text: str, *, now: float) -> None:
        """The account's owner is told what the person wrote."""
        whatsapp_hooks.message(db, address, text, now=now)


def _at_twilio(db: sqlite3.Connection) -> dict[str, dict[str, Any]]:
    """The account at Twilio, where that platform is played too: numbers may be connected through it."""
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'sms_account'").fetchone() is None:
        return {}
    row = db.execute("SELECT * FROM sms_account").fetchone()
    if row is None:
        return {}
    credential = {"account_sid": row["account_sid"], "auth_token": row["auth_token"]}
    return {"credential": {"twilio": credential}, "settings": {"twilio_number": row["from_number"]}}


def _account(db: sqlite3.Connection, token: str | None) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT * FROM whatsapp_account WHERE token = ?", (token,)).fetchone()
    return row
