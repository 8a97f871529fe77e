"""Inputs of sms that work against a fresh sandbox."""

from __future__ import annotations

from typing import Any

from tests.contract.case import Case, soon, text
from tests.contract.conftest import Performer


def _send_sms(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"to": recipient, "body": text()}


def _schedule_sms(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"to": recipient, "body": text(), "send_at": soon()}


def _scheduled_sid(performer: Performer, recipient: str) -> dict[str, Any]:
    kept = performer.do("sms.scheduleSMS", **_schedule_sms(performer, recipient))
    return {"sid": kept.provider_id()}


def _sent_sid(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"sid": performer.do("sms.sendSMS", **_send_sms(performer, recipient)).provider_id()}


def _consent(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"to": recipient, "opted_out": True, "source": "website", "consented_at": "2026-11-22T08:00:00+01:00"}


CASES = (
    Case("sms.sendSMS", "sendSMS", _send_sms, once=True),
    Case("sms.scheduleSMS", "sendSMS", _schedule_sms, once=True),
    Case("sms.cancelScheduled", "cancelScheduled", _scheduled_sid, once=False),
    Case("sms.deleteMessage", "deleteMessage", _sent_sid, once=False, empty_answer=True),
    Case("sms.setConsent", "setConsent", _consent, once=False),
)
