"""Every action that changes something, with an input that works against a fresh sandbox."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors import registry
from connectors.kit.connector import AnyAction
from tests.contract.conftest import Performer

CHANNEL = "C0SPRINGLNCH"

Prepare = Callable[[Performer, str], dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """One action.

    Attributes:
        operation: The platform's operation that does it, for faults.
        prepare: Makes an input, given a recipient that nobody else writes to.
        once: Whether a repeat would be a second effect.
        told: Whether the platform can prove that an effect did not happen; if not, a person decides about a repeat.
    """

    name: str
    operation: str
    prepare: Prepare
    once: bool
    told: bool = True

    @property
    def action(self) -> AnyAction:
        return registry.action(self.name)


def _soon(hours: float = 1.0) -> str:
    # A second of its own for each: Slack's scheduled messages are told apart by it.
    spread = timedelta(hours=hours, seconds=uuid.uuid4().int % 2_000_000)
    return (datetime.now(UTC) + spread).replace(microsecond=0).isoformat()


def _text() -> str:
    return f"Sale & more <https://example.com|today> {uuid.uuid4().hex}"


def _send_sms(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"to": recipient, "body": _text()}


def _schedule_sms(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"to": recipient, "body": _text(), "send_at": _soon()}


def _scheduled_sid(performer: Performer, recipient: str) -> dict[str, Any]:
    kept = performer.do("sms.scheduleSMS", **_schedule_sms(performer, recipient))
    return {"sid": kept.provider_id()}


def _sent_sid(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"sid": performer.do("sms.sendSMS", **_send_sms(performer, recipient)).provider_id()}


def _consent(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"to": recipient, "opted_out": True, "source": "website", "consented_at": "2026-11-22T08:00:00+01:00"}


def _post(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"channel": CHANNEL, "text": _text()}


def _schedule_post(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"channel": CHANNEL, "text": _text(), "post_at": _soon()}


def _posted(performer: Performer, recipient: str) -> dict[str, Any]:
    return {
        "channel": CHANNEL,
        "ts": performer.do("slack.sendMessage", **_post(performer, recipient)).provider_id(),
    }


def _scheduled_post(performer: Performer, recipient: str) -> dict[str, Any]:
    kept = performer.do("slack.scheduleMessage", **_schedule_post(performer, recipient))
    return {"channel": CHANNEL, "scheduled_message_id": kept.provider_id()}


def _update(performer: Performer, recipient: str) -> dict[str, Any]:
    return {**_posted(performer, recipient), "text": _text()}


def _file(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"channel": CHANNEL, "filename": "notes.txt", "text": _text(), "initial_comment": "Notes"}


def _customer(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"email": f"ana.{uuid.uuid4().hex}@example.com", "name": "Ana Ruiz", "phone": recipient}


def _items() -> list[dict[str, Any]]:
    price = {"currency": "EUR", "unit_amount_minor": 1500, "product_name": "Spring box"}
    return [{"price_data": price, "quantity": 2}]


def _session(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"mode": "payment", "line_items": _items(), "success_url": "https://example.com/thanks"}


def _open_session(performer: Performer, recipient: str) -> dict[str, Any]:
    opened = performer.do("stripe.createCheckoutSession", **_session(performer, recipient))
    return {"session": opened.provider_id()}


def _link(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"line_items": _items()}


def _link_off(performer: Performer, recipient: str) -> dict[str, Any]:
    made = performer.do("stripe.createPaymentLink", **_link(performer, recipient))
    return {"payment_link": made.provider_id(), "active": False}


def _refund(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"payment_intent": performer.account["stripe"]["payments"][0]["payment_intent"], "amount_minor": 100}


def _coupon(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"percent_off": 12.5}


def _old_coupon(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"coupon": performer.do("stripe.createCoupon", **_coupon(performer, recipient)).provider_id()}


def _code(performer: Performer, recipient: str) -> dict[str, Any]:
    return {**_old_coupon(performer, recipient), "code": f"SPRING-{uuid.uuid4().hex}"}


def _code_off(performer: Performer, recipient: str) -> dict[str, Any]:
    made = performer.do("stripe.createPromotionCode", **_code(performer, recipient))
    return {"promotion_code": made.provider_id(), "active": False}


def _template(performer: Performer, recipient: str) -> dict[str, Any]:
    return {
        "to": recipient,
        "template": "order_shipped",
        "language": "en_US",
        "body_values": ["Ana", _text()],
        "url_endings": {"0": "1042"},
    }


def _session_message(performer: Performer, recipient: str) -> dict[str, Any]:
    performer.hear("whatsapp", recipient)
    return {"to": recipient, "body": _text()}


def _image(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"image_url": "https://cdn.example.com/spring.jpg", "caption": _text()}


def _story(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"video_url": "https://cdn.example.com/spring.mp4"}


def _answer(performer: Performer, recipient: str) -> dict[str, Any]:
    person = recipient.removeprefix("+")
    performer.hear("instagram", person)
    return {"to": person, "text": _text()}


CASES = (
    Case("sms.sendSMS", "sendSMS", _send_sms, once=True),
    Case("sms.scheduleSMS", "sendSMS", _schedule_sms, once=True),
    Case("sms.cancelScheduled", "cancelScheduled", _scheduled_sid, once=False),
    Case("sms.deleteMessage", "deleteMessage", _sent_sid, once=False),
    Case("sms.setConsent", "setConsent", _consent, once=False),
    Case("whatsapp.sendTemplate", "sendTemplate", _template, once=True, told=False),
    Case("whatsapp.sendSessionMessage", "sendTemplate", _session_message, once=True, told=False),
    Case("instagram.publishPost", "publishMedia", _image, once=True),
    Case("instagram.publishStory", "publishMedia", _story, once=True),
    Case("instagram.respondDM", "respondDM", _answer, once=True, told=False),
    Case("slack.sendMessage", "sendMessage", _post, once=True),
    Case("slack.scheduleMessage", "scheduleMessage", _schedule_post, once=True),
    Case("slack.uploadFile", "completeUpload", _file, once=True),
    Case("slack.updateMessage", "updateMessage", _update, once=False),
    Case("slack.deleteMessage", "deleteMessage", _posted, once=False),
    Case("slack.cancelScheduled", "cancelScheduled", _scheduled_post, once=False),
    Case("stripe.createCustomer", "createCustomer", _customer, once=True),
    Case("stripe.createCheckoutSession", "createCheckoutSession", _session, once=True),
    Case("stripe.createPaymentLink", "createPaymentLink", _link, once=True),
    Case("stripe.createRefund", "createRefund", _refund, once=True),
    Case("stripe.createCoupon", "createCoupon", _coupon, once=True),
    Case("stripe.createPromotionCode", "createPromotionCode", _code, once=True),
    Case("stripe.expireCheckoutSession", "expireCheckoutSession", _open_session, once=False),
    Case("stripe.updatePaymentLink", "updatePaymentLink", _link_off, once=False),
    Case("stripe.deleteCoupon", "deleteCoupon", _old_coupon, once=False),
    Case("stripe.updatePromotionCode", "updatePromotionCode", _code_off, once=False),
)
