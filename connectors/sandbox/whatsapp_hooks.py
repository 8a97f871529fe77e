"""What does WhatsApp tell the account's owner unasked?"""

from __future__ import annotations

import base64
import secrets
import sqlite3
from collections.abc import Sequence
from typing import Any

from connectors.sandbox import webhooks
from connectors.sandbox.platform import Call
from connectors.sandbox.signatures import Scheme

_SLUG = "whatsapp"


def statuses(call: Call, wamid: str, recipient: str, key: str | None, stages: Sequence[tuple[str, float]]) -> None:
    """How far a message gets, with what its sender gave along."""
    bodies = []
    for status, at in stages:
        told: dict[str, Any] = {"id": wamid, "status": status, "timestamp": str(int(at)), "recipient_id": recipient}
        if key is not None:
            told["biz_opaque_callback_data"] = key
        told["pricing"] = {"billable": True, "pricing_model": "PMP", "category": "utility", "type": "regular"}
        bodies.append((at, _body(call.db, "messages", statuses=[told])))
    call.tell(wamid, bodies, scheme=Scheme.META, secret=webhooks.secret(call.db, _SLUG))


def message(db: sqlite3.Connection, address: str, text: str, *, now: float) -> None:
    """A person wrote."""
    person = address.removeprefix("+")
    wamid = "wamid." + base64.b64encode(person.encode() + secrets.token_bytes(18)).decode()
    contact = {"profile": {"name": "Sandbox"}, "wa_id": person}
    wrote = {"from": person, "id": wamid, "timestamp": str(int(now)), "type": "text", "text": {"body": text}}
    _tell(db, wamid, _body(db, "messages", contacts=[contact], messages=[wrote]), now=now)


def preferences(db: sqlite3.Connection, address: str, *, out: bool, now: float) -> None:
    """A person stopped marketing in the app, or resumed it."""
    person = address.removeprefix("+")
    wish = {"wa_id": person, "category": "marketing_messages", "value": "stop" if out else "resume"}
    wish |= {"detail": "User requested it", "timestamp": str(int(now))}
    _tell(db, person, _body(db, "user_preferences", user_preferences=[wish]), now=now)


def _tell(db: sqlite3.Connection, about: str, body: dict[str, Any], *, now: float) -> None:
    webhooks.tell(db, _SLUG, about, [(now, body)], scheme=Scheme.META, secret=webhooks.secret(db, _SLUG))


def _body(db: sqlite3.Connection, field: str, **value: Any) -> dict[str, Any]:
    account = db.execute("SELECT * FROM whatsapp_account").fetchone()
    number = {"display_phone_number": account["number"], "phone_number_id": account["phone_number_id"]}
    changed = {"field": field, "value": {"messaging_product": "whatsapp", "metadata": number, **value}}
    return {"object": "whatsapp_business_account", "entry": [{"id": account["waba_id"], "changes": [changed]}]}
