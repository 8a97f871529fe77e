"""Inputs of whatsapp that work against a fresh sandbox."""

from __future__ import annotations

import uuid
from typing import Any

from tests.contract.case import Case, text
from tests.contract.conftest import Performer


def _template(performer: Performer, recipient: str) -> dict[str, Any]:
    return {
        "to": recipient,
        "template": "order_shipped",
        "language": "en_US",
        "body_values": ["Ana", text()],
        "url_endings": {"0": "1042"},
    }


def _session_message(performer: Performer, recipient: str) -> dict[str, Any]:
    performer.hear("whatsapp", recipient)
    return {"to": recipient, "body": text()}


def _abroad(recipient: str) -> str:
    """Marketing reaches no numbers of the United States."""
    return f"+49151{recipient[-8:]}"


def _marketing(performer: Performer, recipient: str) -> dict[str, Any]:
    return {
        "to": _abroad(recipient),
        "template": "spring_sale",
        "language": "en_US",
        "body_values": ["Ana", text()],
        "header_image_url": "https://cdn.example.com/a.jpg",
    }


def _uploaded(performer: Performer, recipient: str) -> dict[str, Any]:
    made = performer.do("whatsapp.uploadMedia", url="https://media.example/photo.jpg")
    return {"media_id": made.provider_id()}


def _media(performer: Performer, recipient: str) -> dict[str, Any]:
    performer.hear("whatsapp", recipient)
    return {"to": recipient, "kind": "image", "caption": text(), **_uploaded(performer, recipient)}


def _buttons(performer: Performer, recipient: str) -> dict[str, Any]:
    performer.hear("whatsapp", recipient)
    return {"to": recipient, "body": text(), "buttons": [{"id": "yes", "title": "Yes"}, {"id": "no", "title": "No"}]}


def _read(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"wamid": "wamid.HBgLMTQxNTU1NTAxMjM="}


def _photo(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"url": "https://media.example/photo.jpg"}


def _new_template(performer: Performer, recipient: str) -> dict[str, Any]:
    return {
        "name": f"sale_{uuid.uuid4().hex}",
        "language": "en_US",
        "category": "UTILITY",
        "body": "Hello {{1}}, {{2}} off.",
        "examples": ["Ana", "20%"],
    }


def _old_template(performer: Performer, recipient: str) -> dict[str, Any]:
    given = _new_template(performer, recipient)
    performer.do("whatsapp.createTemplate", **given)
    return {"name": given["name"]}


def _nothing(performer: Performer, recipient: str) -> dict[str, Any]:
    return {}


def _via_twilio(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"to": recipient, "body": text()}


CASES = (
    Case("whatsapp.sendTemplate", "sendTemplate", _template, once=True, told=False),
    Case("whatsapp.sendSessionMessage", "sendTemplate", _session_message, once=True, told=False),
    Case(
        "whatsapp.sendMarketingTemplate",
        "sendMarketingTemplate",
        _marketing,
        once=True,
        told=False,
        counted="sendTemplate",
    ),
    Case("whatsapp.sendMedia", "sendTemplate", _media, once=True, told=False, counted="sendSessionMessage"),
    Case("whatsapp.sendButtons", "sendTemplate", _buttons, once=True, told=False, counted="sendSessionMessage"),
    Case("whatsapp.markMessageRead", "sendTemplate", _read, once=False),
    Case("whatsapp.uploadMedia", "uploadMedia", _photo, once=False),
    Case("whatsapp.deleteMedia", "deleteMedia", _uploaded, once=False),
    Case("whatsapp.createTemplate", "createTemplate", _new_template, once=True),
    Case("whatsapp.deleteTemplate", "deleteTemplate", _old_template, once=False),
    Case("whatsapp.subscribeWebhooks", "subscribeWebhooks", _nothing, once=False),
    Case("whatsapp.sendTwilioMessage", "sendSMS", _via_twilio, once=True, counted="sendSMS", played_by="sms"),
)
