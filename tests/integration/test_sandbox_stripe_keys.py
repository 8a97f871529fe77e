"""The sandbox's Stripe does a thing once per idempotency key, as Stripe does, and forgets the key after a day."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.servers import wait_for
from tests.unit.sandbox.process import Box, running

DAY_S = 86_400
ANA = {"email": "ana@example.com", "name": "Ana Ruiz"}
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def running_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


@pytest.fixture
def box(running_box: Box) -> Iterator[Box]:
    yield running_box
    running_box.no_faults()


@pytest.fixture
def key() -> str:
    """An idempotency key that no other test uses."""
    return f"key-{next(_numbers)}"


def replayed(answer: requests.Response) -> bool:
    return answer.headers.get("Idempotent-Replayed") == "true"


def code_of(answer: requests.Response) -> tuple[int, str | None]:
    error: dict[str, Any] = answer.json()["error"]
    return answer.status_code, error.get("code") or error["type"]


def made(box: Box, before: int) -> list[str]:
    return [effect["provider_id"] for effect in box.effects("stripe", since_id=before)]


def test_the_same_key_and_parameters_get_the_first_answer_again(box: Box, key: str) -> None:
    before = box.last_effect()
    first, second = box.stripe_call("customers", ANA, key=key), box.stripe_call("customers", ANA, key=key)
    assert (first.status_code, replayed(first)) == (200, False)
    assert (second.status_code, replayed(second)) == (200, True)
    assert first.json() == second.json()
    [effect] = box.effects("stripe", since_id=before)
    assert (effect["action"], effect["provider_id"], effect["key"]) == ("createCustomer", first.json()["id"], key)
    assert (effect["recipient"], effect["text"]) == ("ana@example.com", "Ana Ruiz")


def test_without_a_key_the_same_customer_is_created_twice(box: Box) -> None:
    before = box.last_effect()
    assert len({box.stripe_call("customers", ANA).json()["id"] for _ in range(2)}) == 2
    assert len(made(box, before)) == 2


@pytest.mark.parametrize("lost", ["reset_after", "truncated_body_after"])
def test_an_answer_that_was_lost_is_given_to_the_repeat(box: Box, key: str, lost: str) -> None:
    before = box.last_effect()
    box.fault(lost, connector="stripe", operation="createCustomer", times=1)
    with pytest.raises(requests.RequestException):
        box.stripe_call("customers", ANA, key=key)
    again = box.stripe_call("customers", ANA, key=key)
    assert replayed(again)
    assert made(box, before) == [again.json()["id"]]


def test_a_failure_of_stripes_own_is_repeated_although_the_work_was_done(box: Box, key: str) -> None:
    before = box.last_effect()
    box.fault("error_500_after", connector="stripe", operation="createCustomer", times=1)
    assert code_of(box.stripe_call("customers", ANA, key=key)) == (500, "api_error")
    again = box.stripe_call("customers", ANA, key=key)
    assert code_of(again) == (500, "api_error")
    assert (replayed(again), again.headers["Stripe-Should-Retry"]) == (True, "false")
    [customer] = made(box, before)
    assert box.stripe_call("customers?limit=1").json()["data"][0]["id"] == customer


@pytest.mark.parametrize(
    "early", ["reset_before", "error_500_before", "error_503_before", "rate_limit", "auth_expired"]
)
def test_a_key_is_not_used_up_by_a_request_that_never_began(box: Box, key: str, early: str) -> None:
    before = box.last_effect()
    box.fault(early, connector="stripe", operation="createCustomer", times=1)
    try:
        assert box.stripe_call("customers", ANA, key=key).status_code >= 400
    except requests.ConnectionError:
        assert early == "reset_before"
    again = box.stripe_call("customers", ANA, key=key)
    assert (again.status_code, replayed(again)) == (200, False)
    assert len(made(box, before)) == 1


def test_other_parameters_or_another_address_with_the_same_key_are_refused(box: Box, key: str) -> None:
    assert box.stripe_call("customers", ANA, key=key).ok
    before = box.last_effect()
    other = {**ANA, "name": "Ana R."}
    assert code_of(box.stripe_call("customers", other, key=key)) == (400, "idempotency_error")
    assert code_of(box.stripe_call("coupons", {"percent_off": 5}, key=key)) == (400, "idempotency_error")
    assert made(box, before) == []
    # The order of the parameters does not count.
    assert replayed(box.stripe_call("customers", dict(reversed(ANA.items())), key=key))


def test_parameters_that_break_a_rule_leave_the_key_unused(box: Box, key: str) -> None:
    for wrong in ({"colour": "red"}, {"email": "nobody"}):
        refused = box.stripe_call("customers", wrong, key=key)
        assert (refused.status_code, replayed(refused)) == (400, False)
    assert box.stripe_call("customers", ANA, key=key).ok


def test_a_refusal_of_work_that_began_is_repeated_even_when_it_would_work_by_now(box: Box, key: str) -> None:
    wanted = {"promotion[type]": "coupon", "promotion[coupon]": f"LATE-{key}"}
    assert code_of(box.stripe_call("promotion_codes", wanted, key=key)) == (400, "resource_missing")
    assert box.stripe_call("coupons", {"id": f"LATE-{key}", "percent_off": 5}).ok
    again = box.stripe_call("promotion_codes", wanted, key=key)
    assert (code_of(again), replayed(again)) == ((400, "resource_missing"), True)
    assert box.stripe_call("promotion_codes", wanted, key=f"{key}-2").ok


def test_a_declined_card_is_a_stored_refusal_that_undoes_its_work(box: Box, key: str) -> None:
    before = box.last_effect()
    wanted = {**ANA, "payment_method": "pm_card_chargeDeclined"}
    for again in (False, True):
        answer = box.stripe_call("customers", wanted, key=key)
        assert (code_of(answer), replayed(answer)) == ((402, "card_declined"), again)
    assert made(box, before) == []


def test_a_key_whose_first_request_is_not_finished_is_in_use(box: Box, key: str) -> None:
    before = box.last_effect()
    fault = box.fault("latency", connector="stripe", operation="createCustomer", times=1, seconds=1.0)
    answers: list[requests.Response] = []
    url = f"{box.url}/api.stripe.com/v1/customers"
    headers = {"Authorization": f"Bearer {box.stripe['credential']['secret_key']}", "Idempotency-Key": key}
    first = threading.Thread(target=lambda: answers.append(requests.post(url, data=ANA, headers=headers, timeout=10)))
    first.start()
    fired = {"id": fault["id"], "fired": 1}
    wait_for(lambda: fired.items() <= box.control("GET", "faults")["faults"][0].items(), "the first request")

    conflict = box.stripe_call("customers", ANA, key=key)
    assert code_of(conflict) == (409, "idempotency_key_in_use")
    assert box.stripe_call("customers", ANA, key=f"{key}-other").ok
    first.join()

    again = box.stripe_call("customers", ANA, key=key)
    assert (again.json(), replayed(again)) == (answers[0].json(), True)
    assert len(made(box, before)) == 2


def test_a_key_counts_in_its_mode_only(box: Box, key: str) -> None:
    live = box.stripe["live_credential"]["secret_key"]
    answers = [box.stripe_call("customers", ANA, key=key), box.stripe_call("customers", ANA, key=key, secret=live)]
    assert [(replayed(one), one.json()["livemode"]) for one in answers] == [(False, False), (False, True)]
    wrong = box.stripe_call(f"customers/{answers[0].json()['id']}", secret=live)
    assert code_of(wrong) == (404, "resource_missing")


def test_a_key_is_remembered_across_kill_9_and_for_a_day(tmp_path_factory: pytest.TempPathFactory, key: str) -> None:
    with running(tmp_path_factory.mktemp("kept")) as box:
        first = box.stripe_call("customers", ANA, key=key).json()
        box.kill()
        box.start()
        box.control("POST", "clock", {"advance_s": DAY_S - 60})
        assert box.stripe_call("customers", ANA, key=key).json() == first
        box.control("POST", "clock", {"advance_s": 120})
        anew = box.stripe_call("customers", ANA, key=key)
        assert not replayed(anew)
        assert made(box, 0) == [first["id"], anew.json()["id"]]
