"""Inputs of stripe that work against a fresh sandbox."""

from __future__ import annotations

import uuid
from typing import Any

from tests.contract.case import Case
from tests.contract.conftest import Performer


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


CASES = (
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
