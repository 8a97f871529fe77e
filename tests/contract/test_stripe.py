"""What does each Stripe action do at Stripe? Asked of the sandbox."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Any

import pytest

from connectors.kit.action import Output
from connectors.kit.errors import AuthExpired, InvalidRequest, NotFound, OutcomeUnknown, Permission, PolicyRejected
from connectors.registry import action, connector
from connectors.stripe.checkout import CheckoutSession
from connectors.stripe.coupons import Coupon
from connectors.stripe.customers import CreateCustomer, Customer, CustomerList
from connectors.stripe.payment_links import PaymentLink, PaymentLinkList
from connectors.stripe.promotion_codes import PromotionCode, PromotionCodeList
from connectors.stripe.refunds import Refund, RefundList
from tests.contract.conftest import Performer, Sandbox
from tests.contract.memory_ledger import MemoryLedger
from tests.servers import wait_for

CREATE = action("stripe.createCustomer")
ITEM = {"price_data": {"currency": "eur", "unit_amount_minor": 1500, "product_name": "Box"}, "quantity": 2}


@pytest.fixture
def email() -> str:
    """An address that no other test uses."""
    return f"{uuid.uuid4().hex}@example.com"


@pytest.fixture
def coupon(performer: Performer) -> str:
    made = performer.do("stripe.createCoupon", percent_off=5)
    assert isinstance(made, Coupon)
    return made.id


def test_a_customer_carries_the_key_and_is_fetched_and_listed_with_it(
    performer: Performer, sandbox: Sandbox, email: str
) -> None:
    ledger, mark = MemoryLedger(), sandbox.mark()
    made = performer.perform(CREATE, performer.call("stripe", ledger), CreateCustomer(email=email, name="Ana"))
    assert isinstance(made, Customer)
    assert (made.email, made.live, made.effect_id) == (email, False, ledger.key)
    (effect,) = sandbox.effects(mark)
    assert (effect["key"], effect["recipient"], effect["text"]) == (ledger.key, email, "Ana")
    listed = performer.do("stripe.listCustomers", email=email)
    assert isinstance(listed, CustomerList)
    assert listed.customers == (made,)
    assert performer.do("stripe.getCustomer", customer=made.id) == made


def test_two_runs_with_the_same_content_are_two_customers(performer: Performer, email: str) -> None:
    first, second = (performer.do("stripe.createCustomer", email=email) for _ in range(2))
    assert first.provider_id() != second.provider_id()


def test_a_repeat_while_the_first_request_is_worked_on_waits_for_its_answer(
    performer: Performer, sandbox: Sandbox, email: str
) -> None:
    ledger, mark, data = MemoryLedger(), sandbox.mark(), CreateCustomer(email=email)
    sandbox.fault("latency", "stripe", "createCustomer", seconds=1.5)
    with pytest.raises(OutcomeUnknown, match="did not answer"):
        performer.perform(CREATE, performer.call("stripe", ledger, read_s=0.3), data)
    with pytest.raises(OutcomeUnknown, match="idempotency_key_in_use"):
        performer.perform(CREATE, performer.call("stripe", ledger), data)
    found: list[Output] = []

    def answered() -> bool:
        with suppress(OutcomeUnknown):
            found.append(performer.perform(CREATE, performer.call("stripe", ledger), data))
        return bool(found)

    wait_for(answered, "the first request's answer")
    (effect,) = sandbox.effects(mark)
    assert found[0].provider_id() == effect["provider_id"]


def test_a_declined_card_is_no_verdict_about_the_key(performer: Performer, sandbox: Sandbox) -> None:
    mark = sandbox.mark()
    with pytest.raises(PolicyRejected, match="card_declined"):
        performer.do("stripe.createCustomer", payment_method="pm_card_chargeDeclined")
    assert sandbox.effects(mark) == []


def test_a_session_is_opened_fetched_and_closed(performer: Performer) -> None:
    made = performer.do(
        "stripe.createCheckoutSession", mode="payment", line_items=[ITEM], success_url="https://example.com"
    )
    assert isinstance(made, CheckoutSession)
    assert (made.status, made.payment_status) == ("open", "unpaid")
    assert made.url is not None
    assert performer.do("stripe.getCheckoutSession", session=made.id) == made
    for _ in range(2):
        closed = performer.do("stripe.expireCheckoutSession", session=made.id)
        assert isinstance(closed, CheckoutSession)
        assert (closed.status, closed.url) == ("expired", None)


def test_a_link_is_opened_listed_and_switched_off(performer: Performer) -> None:
    made = performer.do("stripe.createPaymentLink", line_items=[ITEM])
    assert isinstance(made, PaymentLink)
    off = performer.do("stripe.updatePaymentLink", payment_link=made.id, active=False)
    assert isinstance(off, PaymentLink)
    assert (off.active, off.effect_id) == (False, made.effect_id)
    listed = performer.do("stripe.listPaymentLinks", active=True)
    assert isinstance(listed, PaymentLinkList)
    assert made.id not in {one.id for one in listed.payment_links}


def test_a_payment_is_paid_back_in_parts(performer: Performer) -> None:
    payment = performer.account["stripe"]["payments"][0]["payment_intent"]
    made = performer.do("stripe.createRefund", payment_intent=payment, amount_minor=100)
    assert isinstance(made, Refund)
    assert (made.amount_minor, made.currency, made.status) == (100, "eur", "succeeded")
    listed = performer.do("stripe.listRefunds", payment_intent=payment, limit=1000)
    assert isinstance(listed, RefundList)
    assert made in listed.refunds
    with pytest.raises(NotFound):
        performer.do("stripe.createRefund", payment_intent="pi_none")


def test_a_coupon_gets_a_code_which_can_be_withdrawn(performer: Performer, coupon: str) -> None:
    made = performer.do("stripe.createPromotionCode", coupon=coupon, code=f"HI-{coupon.replace('_', '-')}")
    assert isinstance(made, PromotionCode)
    assert (made.coupon, made.active) == (coupon, True)
    off = performer.do("stripe.updatePromotionCode", promotion_code=made.id, active=False)
    listed = performer.do("stripe.listPromotionCodes", code=made.code.lower())
    assert isinstance(listed, PromotionCodeList)
    assert listed.promotion_codes == (off,)


def test_a_coupon_with_a_taken_id_is_refused(performer: Performer, coupon: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        performer.do("stripe.createCoupon", id=coupon, percent_off=10)
    assert caught.value.code == "resource_already_exists"
    performer.do("stripe.deleteCoupon", coupon=coupon)
    with pytest.raises(NotFound):
        performer.do("stripe.getCoupon", coupon=coupon)


def use(performer: Performer, *, credential: str, **settings: Any) -> None:
    account = performer.account["stripe"]
    account["credential"], account["settings"] = account[credential], settings


def test_a_key_of_the_other_mode_sends_nothing(performer: Performer, sandbox: Sandbox) -> None:
    mark = sandbox.mark()
    use(performer, credential="live_credential", mode="test")
    with pytest.raises(AuthExpired, match="for test mode, and its key for live mode; nothing was sent"):
        performer.do("stripe.createCoupon", percent_off=5)
    use(performer, credential="live_credential", mode="live")
    made = performer.do("stripe.createCustomer", name="Ana")
    assert isinstance(made, Customer)
    assert made.live
    assert [effect["action"] for effect in sandbox.effects(mark)] == ["createCustomer"]


def test_a_key_without_the_right_is_refused(performer: Performer) -> None:
    use(performer, credential="limited_credential")
    performer.do("stripe.listCustomers")
    with pytest.raises(Permission):
        performer.do("stripe.createCoupon", percent_off=5)


def test_the_credential_check_names_the_mode(performer: Performer) -> None:
    assert connector("stripe").test(performer.call("stripe")) == "Stripe account, in test mode"
    performer.account["stripe"]["credential"] = {"secret_key": "sk_test_wrong"}
    with pytest.raises(AuthExpired):
        connector("stripe").test(performer.call("stripe"))
