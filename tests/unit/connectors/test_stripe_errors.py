"""Is every documented error of Stripe classed by what may be done next, and is a repeat told from a first request?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest
import responses
from responses import matchers

from connectors.kit.errors import (
    AuthExpired,
    ConnectorError,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Permission,
    PolicyRejected,
    RateLimited,
    Unavailable,
)
from connectors.stripe.coupons import CouponRef, CreateCoupon, create_coupon, delete_coupon
from connectors.stripe.customers import (
    CreateCustomer,
    Customer,
    GetCustomer,
    ListCustomers,
    create_customer,
    get_customer,
    list_customers,
)
from tests.contract.memory_ledger import MemoryLedger
from tests.unit.connectors.calls import SECRET_KEY, call

CUSTOMERS = "https://api.stripe.com/v1/customers"
EMAIL = "ana@example.com"
REPLAYED = {"Idempotent-Replayed": "true"}

# Status, type, code; the class for a request that may have changed something, and for a read.
DOCUMENTED: list[tuple[int, str, str | None, type[ConnectorError], type[ConnectorError]]] = [
    (400, "invalid_request_error", "parameter_missing", InvalidRequest, InvalidRequest),
    (400, "invalid_request_error", "parameter_invalid_integer", InvalidRequest, InvalidRequest),
    (400, "invalid_request_error", "url_invalid", InvalidRequest, InvalidRequest),
    (400, "invalid_request_error", "amount_too_large", InvalidRequest, InvalidRequest),
    (400, "invalid_request_error", "resource_already_exists", InvalidRequest, InvalidRequest),
    (400, "invalid_request_error", "charge_already_refunded", InvalidRequest, InvalidRequest),
    (400, "invalid_request_error", "resource_missing", NotFound, NotFound),
    (400, "idempotency_error", None, InvalidRequest, InvalidRequest),
    (401, "invalid_request_error", None, AuthExpired, AuthExpired),
    (401, "invalid_request_error", "api_key_expired", AuthExpired, AuthExpired),
    (402, "card_error", "card_declined", PolicyRejected, PolicyRejected),
    (403, "invalid_request_error", None, Permission, Permission),
    (404, "invalid_request_error", "resource_missing", NotFound, NotFound),
    (409, "idempotency_error", "idempotency_key_in_use", OutcomeUnknown, Unavailable),
    (409, "invalid_request_error", None, Unavailable, Unavailable),
    (424, "api_error", None, OutcomeUnknown, Unavailable),
    (429, "invalid_request_error", "rate_limit", RateLimited, RateLimited),
    (429, "invalid_request_error", "lock_timeout", RateLimited, RateLimited),
    (500, "api_error", None, OutcomeUnknown, Unavailable),
    (502, "api_error", None, OutcomeUnknown, Unavailable),
    (503, "api_error", None, OutcomeUnknown, Unavailable),
    (504, "api_error", None, OutcomeUnknown, Unavailable),
]
each_error = pytest.mark.parametrize(
    ("status", "kind", "code", "of_effect", "of_read"),
    DOCUMENTED,
    ids=[f"{row[0]}-{row[2] or row[1]}" for row in DOCUMENTED],
)


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as found:
        yield found


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger()


@pytest.fixture
def repeat(ledger: MemoryLedger) -> MemoryLedger:
    """A run whose first request may have been carried out."""
    ledger.sent()
    return ledger


def error_of(kind: str, code: str | None = None, **more: str) -> dict[str, Any]:
    said = {"type": kind, "message": f"{EMAIL} is not what we like", **more}
    return {"error": {**said, "code": code} if code else said}


def answer(mock: responses.RequestsMock, key: str, **answered: Any) -> None:
    wanted = [("email", EMAIL), ("metadata[neonhub_effect]", key)]
    match = [
        lambda request: (parse_qsl(request.body.decode()) == wanted, f"the form is not {wanted}"),
        matchers.header_matcher(
            {
                "Authorization": f"Bearer {SECRET_KEY}",
                "Idempotency-Key": key,
                "Stripe-Version": "2026-10-28.endive",
                "Content-Type": "application/x-www-form-urlencoded",
            }
        ),
    ]
    mock.post(CUSTOMERS, match=match, **answered)


def shown(mock: responses.RequestsMock, *keys: str) -> None:
    """What Stripe's list shows: customers that carry these effect keys."""
    data = [{"id": f"cus_{key}", "metadata": {"neonhub_effect": key}} for key in keys]
    mock.get(CUSTOMERS, json={"data": data, "has_more": False})


def create(ledger: MemoryLedger) -> Customer:
    return create_customer(call("stripe", ledger), CreateCustomer(email=EMAIL))


@each_error
def test_every_documented_error_of_an_effect(
    mock: responses.RequestsMock,
    ledger: MemoryLedger,
    status: int,
    kind: str,
    code: str | None,
    of_effect: type[ConnectorError],
    of_read: type[ConnectorError],
) -> None:
    answer(mock, ledger.key, status=status, json=error_of(kind, code), headers={"Request-Id": "req_1"})
    with pytest.raises(ConnectorError) as caught:
        create(ledger)
    found = caught.value
    assert type(found) is of_effect
    assert (found.code, found.http_status, found.request_id) == (code or kind, status, "req_1")
    assert EMAIL not in str(found)


@each_error
def test_every_documented_error_of_a_read(
    mock: responses.RequestsMock,
    status: int,
    kind: str,
    code: str | None,
    of_effect: type[ConnectorError],
    of_read: type[ConnectorError],
) -> None:
    mock.get(f"{CUSTOMERS}/cus_1", status=status, json=error_of(kind, code))
    with pytest.raises(ConnectorError) as caught:
        get_customer(call("stripe"), GetCustomer(customer="cus_1"))
    assert type(caught.value) is of_read


@pytest.mark.parametrize("body", ["<html>Oops</html>", "[]", "{}", '{"id": '])
def test_a_yes_that_cannot_be_read_leaves_it_open(
    mock: responses.RequestsMock, ledger: MemoryLedger, body: str
) -> None:
    answer(mock, ledger.key, status=200, body=body)
    with pytest.raises(OutcomeUnknown):
        create(ledger)


def test_the_time_to_wait_is_stripes_own(mock: responses.RequestsMock, ledger: MemoryLedger) -> None:
    limited = error_of("invalid_request_error", "rate_limit")
    answer(mock, ledger.key, status=429, json=limited, headers={"Retry-After": "7"})
    with pytest.raises(RateLimited) as caught:
        create(ledger)
    assert caught.value.retry_after_s == 7


def test_the_reason_of_a_declined_card_is_named(mock: responses.RequestsMock, ledger: MemoryLedger) -> None:
    answer(mock, ledger.key, status=402, json=error_of("card_error", "card_declined", decline_code="lost_card"))
    with pytest.raises(PolicyRejected, match=r"customers: Stripe answered card_declined \(lost_card\)"):
        create(ledger)


def test_stripe_may_say_that_a_refusal_is_worth_another_try(mock: responses.RequestsMock, ledger: MemoryLedger) -> None:
    headers = {"Stripe-Should-Retry": "true"}
    answer(mock, ledger.key, status=400, json=error_of("invalid_request_error"), headers=headers)
    with pytest.raises(Unavailable):
        create(ledger)


def test_a_stored_refusal_speaks_of_the_first_request(mock: responses.RequestsMock, repeat: MemoryLedger) -> None:
    answer(mock, repeat.key, status=402, json=error_of("card_error", "card_declined"), headers=REPLAYED)
    with pytest.raises(PolicyRejected, match="repeats its first answer"):
        create(repeat)


# Refused before Stripe looked for the key, or a failure that Stripe keeps with the key: neither tells what was done.
MUTE: list[tuple[int, dict[str, Any], dict[str, str]]] = [
    (400, error_of("invalid_request_error", "parameter_invalid_integer"), {}),
    (400, error_of("idempotency_error"), {}),
    (403, error_of("invalid_request_error"), {}),
    (500, error_of("api_error"), REPLAYED),
    (500, error_of("api_error"), {"Stripe-Should-Retry": "false"}),
]
each_mute = pytest.mark.parametrize(("status", "said", "headers"), MUTE)


@each_mute
def test_where_the_key_does_not_tell_the_metadata_does(
    mock: responses.RequestsMock, repeat: MemoryLedger, status: int, said: dict[str, Any], headers: dict[str, str]
) -> None:
    answer(mock, repeat.key, status=status, json=said, headers=headers)
    shown(mock, "other", repeat.key)
    assert create(repeat).id == f"cus_{repeat.key}"


@each_mute
def test_where_nothing_tells_it_stays_open(
    mock: responses.RequestsMock, repeat: MemoryLedger, status: int, said: dict[str, Any], headers: dict[str, str]
) -> None:
    answer(mock, repeat.key, status=status, json=said, headers=headers)
    shown(mock, "other")
    with pytest.raises(OutcomeUnknown, match="is not shown") as caught:
        create(repeat)
    assert caught.value.http_status == status


@pytest.mark.parametrize("status", [401, 403, 429, 503])
def test_a_question_that_fails_leaves_it_open(mock: responses.RequestsMock, repeat: MemoryLedger, status: int) -> None:
    answer(mock, repeat.key, status=500, json=error_of("api_error"), headers=REPLAYED)
    mock.get(CUSTOMERS, status=status, json=error_of("api_error"))
    with pytest.raises(OutcomeUnknown, match="could not be looked up"):
        create(repeat)


def test_a_failure_that_may_pass_is_not_looked_up(mock: responses.RequestsMock, repeat: MemoryLedger) -> None:
    answer(mock, repeat.key, status=503, json=error_of("api_error"))
    with pytest.raises(OutcomeUnknown):
        create(repeat)


def test_a_coupon_of_somebody_else_with_the_same_id_is_not_taken_for_ours(
    mock: responses.RequestsMock, repeat: MemoryLedger
) -> None:
    taken = error_of("invalid_request_error", "resource_already_exists")
    mock.post("https://api.stripe.com/v1/coupons", status=400, json=taken)
    mock.get("https://api.stripe.com/v1/coupons/SPRING", json={"id": "SPRING", "metadata": {}})
    with pytest.raises(OutcomeUnknown):
        create_coupon(call("stripe", repeat), CreateCoupon(id="SPRING", percent_off=5))


def test_a_coupon_is_looked_up_by_its_id(mock: responses.RequestsMock, repeat: MemoryLedger) -> None:
    taken = error_of("invalid_request_error", "resource_already_exists")
    coupon_id = f"nh_{repeat.key}"
    mock.post("https://api.stripe.com/v1/coupons", status=400, json=taken)
    ours = {"id": coupon_id, "metadata": {"neonhub_effect": repeat.key}}
    mock.get(f"https://api.stripe.com/v1/coupons/{coupon_id}", json=ours)
    assert create_coupon(call("stripe", repeat), CreateCoupon(percent_off=5)).id == coupon_id


def test_what_an_earlier_attempt_may_have_deleted_is_gone(mock: responses.RequestsMock, repeat: MemoryLedger) -> None:
    gone = error_of("invalid_request_error", "resource_missing")
    mock.delete("https://api.stripe.com/v1/coupons/SPRING", status=404, json=gone)
    assert delete_coupon(call("stripe", repeat), CouponRef(coupon="SPRING")).deleted
    with pytest.raises(NotFound):
        delete_coupon(call("stripe"), CouponRef(coupon="SPRING"))


def test_a_list_is_read_page_by_page(mock: responses.RequestsMock) -> None:
    for after, has_more in ((None, True), ("cus_2", False)):
        query = {"limit": "100", **({"starting_after": after} if after else {})}
        data = [{"id": f"cus_{1 if after is None else 3}"}, {"id": f"cus_{2 if after is None else 4}"}]
        match = [matchers.query_param_matcher(query, strict_match=True)]
        mock.get(CUSTOMERS, json={"data": data, "has_more": has_more}, match=match)
    found = list_customers(call("stripe"), ListCustomers())
    assert [one.id for one in found.customers] == ["cus_1", "cus_2", "cus_3", "cus_4"]


def test_a_list_without_end_is_not_taken_for_one_that_shows_all(mock: responses.RequestsMock) -> None:
    mock.get(CUSTOMERS, json={"data": [{"id": "cus_1"}], "has_more": True})
    with pytest.raises(Unavailable, match="more than 20 pages"):
        list_customers(call("stripe"), ListCustomers())
