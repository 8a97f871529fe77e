"""Inputs of whatsapp that work against a fresh sandbox."""

from __future__ import annotations

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


CASES = (
    Case("whatsapp.sendTemplate", "sendTemplate", _template, once=True, told=False),
    Case("whatsapp.sendSessionMessage", "sendTemplate", _session_message, once=True, told=False),
)
