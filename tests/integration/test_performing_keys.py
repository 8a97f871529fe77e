"""What a platform does once per key is sent again with the same key: the first answer comes back, and one effect."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, text

from connectors.kit.action import JsonValue
from connectors.kit.errors import OutcomeUnknown, Unavailable
from neonhub_worker import cancel, clock, enqueue, get_run
from neonhub_worker.ledger.runs import Run
from neonhub_worker.performing import batch
from neonhub_worker.performing.run_ledger import PostgresRunLedger
from tests.integration.ledgers import Ledger
from tests.integration.sandboxes import Sandbox
from tests.integration.test_performing import die_holding, make_due

HOUR_S = 3600


def customer(**changes: Any) -> dict[str, Any]:
    return {
        "action": "stripe.createCustomer",
        "organization_id": "acme",
        "connection": "stripe",
        "input": {"email": "ana@example.com", "name": "Ana Ruiz"},
        **changes,
    }


def perform(engine: Engine, run_id: uuid.UUID) -> Run:
    """One attempt, as if the time had passed that the run waits for."""
    make_due(engine, run_id)
    with engine.begin() as connection:
        connection.execute(text("update gate set closed_until = now() where closed_until > now()"))
    batch.perform([run_id])
    return get_run(run_id)


def let_hours_pass(engine: Engine, hours: float) -> None:
    """As if whatever was sent had been sent so much earlier."""
    with engine.begin() as connection:
        connection.execute(
            text("update step set first_sent_at = first_sent_at - make_interval(secs => :s)"), {"s": hours * HOUR_S}
        )


@pytest.mark.parametrize("lost", ["reset_after", "truncated_body_after", "error_500_after"])
def test_a_lost_answer_is_asked_for_again_with_the_same_key(sandbox: Sandbox, engine: Engine, lost: str) -> None:
    sandbox.fault(connector="stripe", operation="createCustomer", kind=lost, times=1)
    run_id = enqueue(customer())
    assert perform(engine, run_id).state == "retrying"

    run = perform(engine, run_id)

    (effect,) = sandbox.effects("stripe")
    assert (run.state, run.provider_id) == ("succeeded", effect["provider_id"])
    assert effect["key"] == run_id.hex


def test_a_worker_that_died_before_it_sent_is_followed_by_one_that_sends(sandbox: Sandbox, engine: Engine) -> None:
    run_id = enqueue(customer())
    die_holding(run_id)

    assert perform(engine, run_id).state == "succeeded"
    assert len(sandbox.effects("stripe")) == 1


def test_a_key_that_stripe_may_have_forgotten_is_not_used_again(sandbox: Sandbox, engine: Engine) -> None:
    sandbox.fault(connector="stripe", operation="createCustomer", kind="reset_after", times=1)
    run_id = enqueue(customer())
    perform(engine, run_id)
    let_hours_pass(engine, 21)

    run = perform(engine, run_id)

    assert run.state == "parked"
    assert run.error is not None
    assert "remembers a key for 72000 s" in run.error["message"]
    assert len(sandbox.effects("stripe")) == 1


@pytest.mark.parametrize("kind", ["rate_limit", "auth_expired"])
def test_a_repeat_that_did_nothing_does_not_make_the_key_new(sandbox: Sandbox, engine: Engine, kind: str) -> None:
    sandbox.fault(connector="stripe", operation="createCustomer", kind="reset_after", times=1)
    sandbox.fault(connector="stripe", operation="createCustomer", kind=kind, times=1)
    run_id = enqueue(customer())
    perform(engine, run_id)
    perform(engine, run_id)
    let_hours_pass(engine, 21)

    assert perform(engine, run_id).state == "parked"
    assert len(sandbox.effects("stripe")) == 1


def failing(error: Exception) -> Callable[[], JsonValue]:
    """A send that ends so."""

    def send() -> JsonValue:
        raise error

    return send


@pytest.mark.parametrize(("leaves_doubt", "state"), [(True, "sending"), (False, "planned")])
def test_a_step_whose_repeat_did_nothing_is_as_much_in_doubt_as_before(
    ledger: Ledger, leaves_doubt: bool, state: str
) -> None:
    (claimed,) = ledger.claim(ledger.accept(effect=None))
    steps = PostgresRunLedger(
        claimed,
        deadline=clock.elapsed_clock() + 60,
        slot=None,
        pace=(),
        settle_effect=lambda step: None,
        repeat_leaves_doubt=leaves_doubt,
        provider_id_of=lambda result: None,
    )
    for error in (OutcomeUnknown("no answer"), Unavailable("down")):
        with pytest.raises(type(error)):
            steps.effect("send", failing(error))
    assert ledger.effect(claimed.id) == state


def test_a_run_cancelled_in_doubt_is_neither_sent_again_nor_called_undone(sandbox: Sandbox, engine: Engine) -> None:
    sandbox.fault(connector="stripe", operation="createCustomer", kind="reset_after", times=1)
    run_id = enqueue(customer())
    perform(engine, run_id)
    cancel(run_id)

    run = perform(engine, run_id)

    assert run.state == "parked"
    assert run.error is not None
    assert "must not be sent any more" in run.error["message"]
    assert len(sandbox.effects("stripe")) == 1


def test_a_stored_refusal_is_told_again_and_the_run_has_failed(sandbox: Sandbox, engine: Engine) -> None:
    sandbox.fault(connector="stripe", operation="createCustomer", kind="reset_after", times=1)
    run_id = enqueue(customer(input={"payment_method": "pm_card_chargeDeclined"}))
    assert perform(engine, run_id).state == "retrying"

    run = perform(engine, run_id)

    assert run.error is not None
    assert (run.state, run.error["class"], run.error["code"]) == ("failed", "PolicyRejected", "card_declined")
    assert sandbox.effects("stripe") == []
