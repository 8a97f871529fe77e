"""What does a Stripe action take? Money in minor units with its currency, one thing where Stripe takes one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors import registry
from connectors.stripe.forms import pairs
from connectors.stripe.web import StripeCredential, StripeSettings

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
PRICE = {"currency": "eur", "unit_amount_minor": 1500, "product_name": "Box"}
SESSION = {"mode": "payment", "line_items": [{"price": "price_1"}], "success_url": "https://example.com"}


def item(**changes: Any) -> dict[str, Any]:
    return {"line_items": [{"price_data": {**PRICE, **changes}}]}


def ahead(**time: float) -> str:
    return (NOW + timedelta(**time)).isoformat()


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("createPaymentLink", item(unit_amount_minor=15.0)),
        ("createPaymentLink", item(unit_amount_minor="1500")),
        ("createPaymentLink", item(unit_amount_minor=0)),
        ("createPaymentLink", item(unit_amount_minor=100_000_000)),
        ("createPaymentLink", item(currency="euro")),
        ("createPaymentLink", item(currency="€")),
        ("createPaymentLink", item(product="prod_1")),
        ("createPaymentLink", item(product_name=None)),
        ("createPaymentLink", {"line_items": []}),
        ("createPaymentLink", {"line_items": [{"price": "price_1"}] * 21}),
        ("createPaymentLink", {"line_items": [{"price": "price_1", "price_data": PRICE}]}),
        ("createPaymentLink", {"line_items": [{"quantity": 2}]}),
        ("createPaymentLink", {"line_items": [{"price_data": PRICE}, {"price_data": {**PRICE, "currency": "usd"}}]}),
        ("createCheckoutSession", {**SESSION, "customer": "cus_1", "customer_email": "ana@example.com"}),
        ("createCheckoutSession", {**SESSION, "coupon": "A", "allow_promotion_codes": True}),
        ("createCheckoutSession", {**SESSION, "coupon": "A", "promotion_code": "promo_1"}),
        ("createCheckoutSession", {**SESSION, "success_url": "http://example.com"}),
        ("createCheckoutSession", {**SESSION, "expires_at": ahead(minutes=30)}),
        ("createCheckoutSession", {**SESSION, "expires_at": ahead(hours=25)}),
        ("createRefund", {}),
        ("createRefund", {"payment_intent": "pi_1", "charge": "ch_1"}),
        ("createRefund", {"payment_intent": "pi_1", "amount_minor": -5}),
        ("createRefund", {"payment_intent": "../coupons"}),
        ("createCoupon", {}),
        ("createCoupon", {"percent_off": 0}),
        ("createCoupon", {"percent_off": 101}),
        ("createCoupon", {"percent_off": 5, "amount_off_minor": 100, "currency": "eur"}),
        ("createCoupon", {"amount_off_minor": 100}),
        ("createCoupon", {"percent_off": 5, "currency": "eur"}),
        ("createCoupon", {"percent_off": 5, "duration": "repeating"}),
        ("createCoupon", {"percent_off": 5, "duration_in_months": 3}),
        ("createCoupon", {"percent_off": 5, "redeem_by": ahead(days=5 * 366)}),
        ("createCoupon", {"percent_off": 5, "id": "a/b"}),
        ("createPromotionCode", {"coupon": "A", "code": "with space"}),
        ("createPromotionCode", {"coupon": "A", "minimum_amount_minor": 100}),
        ("createPromotionCode", {"coupon": "A", "expires_at": ahead(days=-1)}),
        ("createCustomer", {"email": "nobody"}),
        ("createCustomer", {"metadata": {"neonhub_effect": "mine"}}),
        ("createCustomer", {"metadata": {"a[b]": "x"}}),
        ("createCustomer", {"metadata": {f"n{n}": "x" for n in range(50)}}),
        ("getCustomer", {"customer": "cus_1/../x"}),
    ],
)
def test_what_stripe_would_refuse_is_not_accepted(name: str, given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        registry.action(f"stripe.{name}").input.accept(given, now=NOW)


def test_a_date_that_was_accepted_stays_readable() -> None:
    given = {**SESSION, "expires_at": ahead(hours=1)}
    created = registry.action("stripe.createCheckoutSession").input
    kept = created.accept(given, now=NOW).model_dump(mode="json")
    assert created.model_validate(kept).model_dump(mode="json") == kept


@pytest.mark.parametrize("key", ["sk_test_a", "rk_test_a", "sk_live_a", " rk_live_a\n"])
def test_a_key_says_by_its_name_that_it_is_secret(key: str) -> None:
    assert key.strip() not in repr(StripeCredential.model_validate({"secret_key": key}))


@pytest.mark.parametrize("key", ["pk_live_a", "whsec_a", "sk_a", ""])
def test_other_keys_are_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ValidationError) as caught:
        StripeCredential.model_validate({"secret_key": key})
    assert not key or key not in str(caught.value)


def test_live_mode_has_to_be_asked_for() -> None:
    assert StripeSettings().mode == "test"


def test_a_form_leaves_out_what_is_not_there() -> None:
    given = {
        "a": None,
        "b": {},
        "c": [],
        "d": {"e": None},
        "f": 0,
        "g": False,
        "h": [{"i": "x"}, {"i": "y"}],
        "at": NOW,
    }
    assert pairs(given) == [
        ("f", "0"),
        ("g", "false"),
        ("h[0][i]", "x"),
        ("h[1][i]", "y"),
        ("at", str(int(NOW.timestamp()))),
    ]
