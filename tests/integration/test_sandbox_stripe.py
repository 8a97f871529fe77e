"""The sandbox's Stripe is as strict as Stripe, keeps what it is told, and counts what it is asked to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

import jsonschema_rs
import pytest
import requests

from tests.unit.sandbox.process import Box, running

ITEM = {
    "line_items[0][price_data][currency]": "eur",
    "line_items[0][price_data][unit_amount]": "1500",
    "line_items[0][price_data][product_data][name]": "Spring box",
    "line_items[0][quantity]": "2",
}
SESSION = {"mode": "payment", "success_url": "https://example.com/thanks", **ITEM}
OFF = {"percent_off": "12.5"}


@pytest.fixture(scope="module")
def running_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


@pytest.fixture
def box(running_box: Box) -> Iterator[Box]:
    yield running_box
    running_box.no_faults()


def made(answer: requests.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def refusal(answer: requests.Response) -> tuple[int, str | None, str | None]:
    error = answer.json()["error"]
    assert answer.headers["Request-Id"].startswith("req_")
    return answer.status_code, error.get("code"), error.get("param")


def ids(answer: requests.Response) -> list[str]:
    return [one["id"] for one in made(answer)["data"]]


def without(fields: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in fields.items() if name not in names}


@pytest.mark.parametrize(
    ("path", "fields", "error"),
    [
        ("customers", {"colour": "red"}, ("parameter_unknown", "colour")),
        ("customers", {"email": "nobody"}, ("email_invalid", "email")),
        ("customers", {"name": "x" * 257}, (None, "name")),
        ("customers", {"address[planet]": "Mars"}, (None, "address")),
        ("customers", {"metadata[x]": "y" * 501}, (None, "metadata")),
        ("checkout/sessions", without(SESSION, "mode"), ("parameter_missing", "mode")),
        ("checkout/sessions", without(SESSION, "success_url"), ("parameter_missing", "success_url")),
        ("checkout/sessions", without(SESSION, *ITEM), ("parameter_missing", "line_items")),
        ("checkout/sessions", {**SESSION, "success_url": "nowhere"}, ("url_invalid", "success_url")),
        (
            "checkout/sessions",
            {**SESSION, "payment_method_types[0]": "card"},
            ("parameter_unknown", "payment_method_types"),
        ),
        ("checkout/sessions", {**SESSION, "ui_mode": "hosted"}, (None, "ui_mode")),
        ("checkout/sessions", {**SESSION, "expires_at": "1"}, (None, "expires_at")),
        ("checkout/sessions", {**SESSION, "customer": "cus_none"}, ("resource_missing", "customer")),
        (
            "checkout/sessions",
            {**SESSION, "discounts[0][coupon]": "NONE"},
            ("resource_missing", "discounts[0][coupon]"),
        ),
        (
            "checkout/sessions",
            {**SESSION, "discounts[0][coupon]": "A", "allow_promotion_codes": "true"},
            ("parameters_exclusive", "allow_promotion_codes"),
        ),
        (
            "checkout/sessions",
            {**SESSION, "line_items[0][price_data][currency]": "xxx"},
            (None, "line_items[0][price_data][currency]"),
        ),
        (
            "checkout/sessions",
            {**SESSION, "line_items[0][price_data][unit_amount]": "15.00"},
            ("parameter_invalid_integer", "line_items[0][price_data][unit_amount]"),
        ),
        (
            "checkout/sessions",
            {**SESSION, "line_items[0][price_data][unit_amount]": "100000000"},
            ("amount_too_large", "line_items[0][price_data][unit_amount]"),
        ),
        (
            "checkout/sessions",
            {**SESSION, "line_items[0][price]": "price_1SandboxOnce"},
            ("parameters_exclusive", "line_items[0][price_data]"),
        ),
        (
            "checkout/sessions",
            {**SESSION, "line_items[1][price]": "price_none"},
            ("resource_missing", "line_items[1][price]"),
        ),
        ("checkout/sessions", {**SESSION, "line_items[1][price]": "price_1SandboxMonthly"}, (None, "mode")),
        ("payment_links", {}, ("parameter_missing", "line_items")),
        (
            "payment_links",
            without(ITEM, "line_items[0][quantity]"),
            ("parameter_missing", "line_items[0][quantity]"),
        ),
        (
            "payment_links",
            {**ITEM, "after_completion[type]": "redirect", "after_completion[redirect][url]": "x"},
            ("url_invalid", "after_completion[redirect][url]"),
        ),
        ("coupons", {}, ("parameter_missing", "percent_off")),
        ("coupons", {"amount_off": "100"}, ("parameter_missing", "percent_off")),
        ("coupons", {**OFF, "amount_off": "100", "currency": "eur"}, ("parameters_exclusive", "amount_off")),
        ("coupons", {"percent_off": "101"}, (None, "percent_off")),
        ("coupons", {**OFF, "duration": "repeating"}, ("parameter_missing", "duration_in_months")),
        ("coupons", {**OFF, "redeem_by": "1"}, (None, "redeem_by")),
        ("promotion_codes", {"coupon": "A"}, ("parameter_unknown", "coupon")),
        ("promotion_codes", {"promotion[type]": "coupon"}, ("parameter_missing", "promotion[coupon]")),
        ("refunds", {"payment_intent": "pi_none", "charge": "ch_none"}, ("parameters_exclusive", "payment_intent")),
        ("refunds", {"payment_intent": "pi_none", "amount": "0"}, ("parameter_invalid_integer", "amount")),
        ("refunds", {"payment_intent": "pi_none", "reason": "regret"}, (None, "reason")),
    ],
)
def test_what_stripe_refuses_is_refused_in_its_words(
    box: Box, path: str, fields: dict[str, str], error: tuple[str | None, str]
) -> None:
    before = box.last_effect()
    answer = box.stripe_call(path, fields or {"expand[0]": "x"})
    assert refusal(answer) == (400, *error)
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert box.last_effect() == before


@pytest.mark.parametrize("body", ["a[b=1", "name=Ana&name=Eva", "address=x&address[city]=y", "name", "name=%FF"])
def test_a_form_that_cannot_be_read_is_refused(box: Box, body: str) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    url, secret = f"{box.url}/api.stripe.com/v1/customers", box.stripe["credential"]["secret_key"]
    answer = box.http.post(url, data=body, headers={**form, "Authorization": f"Bearer {secret}"}, timeout=10)
    assert refusal(answer)[0] == 400


def test_keys_are_told_apart_by_what_they_may(box: Box) -> None:
    limited = box.stripe["limited_credential"]["secret_key"]
    secret = box.stripe["credential"]["secret_key"]
    assert box.stripe_call("customers", secret="sk_test_wrong").status_code == 401
    assert box.stripe_call("customers", headers={"Authorization": ""}).status_code == 401
    assert box.stripe_call("customers", headers={"Authorization": None}, auth=(secret, "")).status_code == 200
    assert box.stripe_call("customers", secret=limited).status_code == 200
    assert box.stripe_call("coupons", OFF, secret=limited).status_code == 403


def test_requests_that_fit_no_address_version_or_type_are_refused(box: Box) -> None:
    assert box.stripe_call("charges").status_code == 404
    assert box.stripe_call("customers", {}, method="DELETE").status_code == 404
    assert box.stripe_call("customers", headers={"Stripe-Version": "2026-10-28.endive"}).status_code == 200
    assert box.stripe_call("customers", headers={"Stripe-Version": "2019-01-01"}).status_code == 400
    assert box.stripe_call("customers", method="POST", json={"name": "Ana"}).status_code == 400
    assert refusal(box.stripe_call("customers?limit=101")) == (400, "parameter_invalid_integer", "limit")
    assert refusal(box.stripe_call("customers?colour=red")) == (400, "parameter_unknown", "colour")


def test_lists_are_in_pages_the_newest_first_and_can_be_cut_by_time(box: Box) -> None:
    email = "pages@example.com"
    people = [made(box.stripe_call("customers", {"email": email}))["id"] for _ in range(5)][::-1]
    path = f"customers?email={email}"
    assert ids(box.stripe_call(path)) == people
    assert ids(box.stripe_call("customers?email=Pages@example.com")) == []
    first = made(box.stripe_call(f"{path}&limit=2"))
    assert ([one["id"] for one in first["data"]], first["has_more"]) == (people[:2], True)
    assert ids(box.stripe_call(f"{path}&limit=2&starting_after={people[1]}")) == people[2:4]
    assert ids(box.stripe_call(f"{path}&limit=2&ending_before={people[3]}")) == people[1:3]
    now = int(box.now())
    assert ids(box.stripe_call(f"{path}&created[gte]={now - 60}&created[lt]={now + 60}")) == people
    assert ids(box.stripe_call(f"{path}&created[gt]={now + 60}")) == []
    assert refusal(box.stripe_call("customers?starting_after=cus_none"))[1] == "resource_missing"


def test_what_is_not_shown_yet_is_missing_in_lists_only(box: Box) -> None:
    box.fault("delayed_visibility", connector="stripe", operation="createCustomer", times=1, seconds=60)
    hidden = made(box.stripe_call("customers", {"email": "hidden@example.com"}))["id"]
    assert ids(box.stripe_call("customers?email=hidden@example.com")) == []
    assert made(box.stripe_call(f"customers/{hidden}"))["id"] == hidden
    box.control("POST", "clock", {"advance_s": 61})
    assert ids(box.stripe_call("customers?email=hidden@example.com")) == [hidden]


def test_search_lags_behind(box: Box) -> None:
    found = made(box.stripe_call("customers", {"metadata[tag]": "late"}))["id"]
    path = "customers/search?query=metadata['tag']:'late'"
    assert ids(box.stripe_call(path)) == []
    box.control("POST", "clock", {"advance_s": 61})
    assert ids(box.stripe_call(path)) == [found]
    assert refusal(box.stripe_call("customers/search?query=tag=late")) == (400, None, "query")


def test_a_session_is_closed_by_hand_once_or_by_its_time(box: Box) -> None:
    before = box.last_effect()
    session, other = (made(box.stripe_call("checkout/sessions", SESSION)) for _ in range(2))
    assert session["url"].startswith(f"https://checkout.stripe.com/c/pay/{session['id']}")
    closed = made(box.stripe_call(f"checkout/sessions/{session['id']}/expire", {}))
    assert (closed["status"], closed["url"]) == ("expired", None)
    assert box.stripe_call(f"checkout/sessions/{session['id']}/expire", {}).status_code == 400
    actions = [effect["action"] for effect in box.effects("stripe", since_id=before)]
    assert actions == ["createCheckoutSession", "createCheckoutSession", "expireCheckoutSession"]
    assert other["id"] in ids(box.stripe_call("checkout/sessions?status=open&limit=100"))
    box.control("POST", "clock", {"advance_s": 86_401})
    assert made(box.stripe_call(f"checkout/sessions/{other['id']}"))["status"] == "expired"
    assert box.stripe_call(f"checkout/sessions/{other['id']}/expire", {}).status_code == 400


def test_a_payment_is_paid_back_in_parts_up_to_the_whole(box: Box) -> None:
    payment = box.stripe["payments"][1]
    ask = {"payment_intent": payment["payment_intent"]}
    part = made(box.stripe_call("refunds", {**ask, "amount": "1000", "reason": "requested_by_customer"}))
    assert (part["amount"], part["currency"], part["charge"]) == (1000, payment["currency"], payment["charge"])
    assert refusal(box.stripe_call("refunds", {**ask, "amount": str(payment["amount"])})) == (400, None, "amount")
    rest = made(box.stripe_call("refunds", {"charge": payment["charge"]}))
    assert rest["amount"] == payment["amount"] - 1000
    assert refusal(box.stripe_call("refunds", ask))[1] == "charge_already_refunded"
    assert ids(box.stripe_call(f"refunds?payment_intent={payment['payment_intent']}")) == [rest["id"], part["id"]]
    assert refusal(box.stripe_call("refunds", {"payment_intent": "pi_none"})) == (
        404,
        "resource_missing",
        "payment_intent",
    )


def test_a_coupons_id_is_unique_until_it_is_deleted(box: Box) -> None:
    assert made(box.stripe_call("coupons", {**OFF, "id": "SPRING"}))["percent_off"] == 12.5
    assert refusal(box.stripe_call("coupons", {**OFF, "id": "SPRING"})) == (400, "resource_already_exists", "id")
    assert made(box.stripe_call("coupons/SPRING", method="DELETE"))["deleted"] is True
    assert refusal(box.stripe_call("coupons/SPRING", method="DELETE"))[:2] == (404, "resource_missing")
    assert made(box.stripe_call("coupons", {**OFF, "id": "SPRING"}))["id"] == "SPRING"


def test_a_code_is_unique_among_the_active_ones_whatever_its_case(box: Box) -> None:
    made(box.stripe_call("coupons", {**OFF, "id": "FOR-CODES"}))
    wanted = {"promotion[type]": "coupon", "promotion[coupon]": "FOR-CODES"}
    first = made(box.stripe_call("promotion_codes", {**wanted, "code": "Hello"}))
    assert refusal(box.stripe_call("promotion_codes", {**wanted, "code": "HELLO"})) == (400, None, "code")
    assert made(box.stripe_call(f"promotion_codes/{first['id']}", {"active": "false"}))["active"] is False
    second = made(box.stripe_call("promotion_codes", {**wanted, "code": "HELLO"}))
    assert refusal(box.stripe_call(f"promotion_codes/{first['id']}", {"active": "true"})) == (400, None, "code")
    assert ids(box.stripe_call("promotion_codes?code=hello")) == [second["id"], first["id"]]
    assert ids(box.stripe_call("promotion_codes?code=hello&active=true&coupon=FOR-CODES")) == [second["id"]]


def test_what_happened_is_told_as_events(box: Box) -> None:
    customer = made(box.stripe_call("customers", {"name": "Eve"}))
    [event] = made(box.stripe_call("events?type=customer.created&limit=1"))["data"]
    assert (event["type"], event["data"]["object"]["id"]) == ("customer.created", customer["id"])


def test_stripes_answers_keep_its_contract(box: Box) -> None:
    spec = json.loads(resources.files("connectors.specs").joinpath("stripe.json").read_text())

    def fits(component: str, answer: requests.Response) -> dict[str, Any]:
        schema = {"$ref": f"#/components/schemas/{component}", "components": spec["components"]}
        found: dict[str, Any] = answer.json()
        whole = found["data"][0] if found.get("object") == "list" else found
        jsonschema_rs.validate(schema, whole)
        return found

    monthly = {"mode": "subscription", "line_items[0][price]": "price_1SandboxMonthly"}
    customer = fits("Customer", box.stripe_call("customers", {"name": "Ana", "address[city]": "Ulm"}))
    session = fits(
        "CheckoutSession",
        box.stripe_call(
            "checkout/sessions",
            {**monthly, "success_url": "https://example.com", "customer": customer["id"], "line_items[0][quantity]": 1},
        ),
    )
    fits("CheckoutSession", box.stripe_call(f"checkout/sessions/{session['id']}"))
    link = fits("PaymentLink", box.stripe_call("payment_links", ITEM))
    fits("PaymentLink", box.stripe_call(f"payment_links/{link['id']}", {"active": "false"}))
    assert fits("PaymentLink", box.stripe_call(f"payment_links/{link['id']}"))["active"] is False
    refund = {"charge": box.stripe["payments"][0]["charge"], "amount": 5}
    fits("Refund", box.stripe_call(f"refunds/{fits('Refund', box.stripe_call('refunds', refund))['id']}"))
    coupon = fits("Coupon", box.stripe_call("coupons", OFF))
    code = {"promotion[type]": "coupon", "promotion[coupon]": coupon["id"], "customer": customer["id"]}
    fits("PromotionCode", box.stripe_call("promotion_codes", code))
    fits("Deleted", box.stripe_call(f"coupons/{coupon['id']}", method="DELETE"))
    fits("Error", box.stripe_call("customers/cus_none"))
    fits("Event", box.stripe_call("events"))
    fits("Customer", box.stripe_call("customers"))
