"""How runs get in, and what a person or the passing of time decides about them, on a real Postgres."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from neonhub_worker.errors import IdempotencyConflict, MoveRefused, UnknownRun
from neonhub_worker.ledger import acceptance, decisions, rescue, runs
from neonhub_worker.ledger.states import EffectState, RunState
from tests.integration.ledgers import GONE_S, Ledger


def test_the_same_key_gives_the_same_run_and_another_input_is_refused(ledger: Ledger) -> None:
    first = ledger.accept(idempotency_key="k", input_hash="one")
    assert ledger.accept(idempotency_key="k", input_hash="one") == first
    with pytest.raises(IdempotencyConflict, match="another input"):
        ledger.accept(idempotency_key="k", input_hash="two")


def test_the_same_key_twice_in_one_batch_is_one_run(ledger: Ledger) -> None:
    with ledger.engine.begin() as connection:
        drafts = [ledger.draft(idempotency_key="k"), ledger.draft(idempotency_key="k")]
        first, second = acceptance.accept(connection, drafts, published=False)
    assert first.id == second.id
    with ledger.engine.connect() as connection:
        assert connection.execute(text("select count(*) from run")).scalar_one() == 1


def test_accepting_joins_the_callers_transaction(ledger: Ledger) -> None:
    draft = ledger.draft()
    with ledger.engine.connect() as connection:
        acceptance.accept(connection, [draft], published=False)
        connection.rollback()
    with pytest.raises(UnknownRun):
        ledger.get(draft.id)


def test_a_queued_run_is_cancelled_at_once(ledger: Ledger) -> None:
    run_id = ledger.accept()
    with ledger.engine.begin() as connection:
        assert decisions.cancel(connection, run_id) is RunState.CANCELLED
    assert ledger.claim(run_id) == []


def test_a_run_in_doubt_is_cancelled_only_once_it_is_known_that_nothing_was_sent(ledger: Ledger) -> None:
    run_id = ledger.accept()
    (claimed,) = ledger.claim(run_id)
    ledger.settle(claimed, "back_off", EffectState.UNKNOWN, delay_s=0.0)
    with ledger.engine.begin() as connection:
        assert decisions.cancel(connection, run_id) is RunState.RETRYING
    (claimed,) = ledger.claim(run_id)
    assert claimed.cancel_requested
    assert ledger.settle(claimed, "snooze", EffectState.UNKNOWN, delay_s=0.0) is RunState.WAITING
    (claimed,) = ledger.claim(run_id)
    assert ledger.settle(claimed, "back_off", EffectState.PLANNED, delay_s=0.0) is RunState.CANCELLED


def test_only_runs_without_an_effect_may_be_retried_by_a_person(ledger: Ledger) -> None:
    run_id = ledger.accept()
    (claimed,) = ledger.claim(run_id)
    ledger.settle(claimed, "fail", EffectState.REFUSED)
    with ledger.engine.begin() as connection:
        decisions.retry(connection, run_id)
    (claimed,) = ledger.claim(run_id)
    assert claimed.attempts == 1
    ledger.settle(claimed, "succeed", EffectState.CONFIRMED)
    with ledger.engine.begin() as connection, pytest.raises(MoveRefused, match="a second effect needs a new run"):
        decisions.retry(connection, run_id)


@pytest.mark.parametrize(("sent", "state", "effect"), [("SM7", "succeeded", "confirmed"), (None, "failed", "refused")])
def test_a_person_settles_a_parked_run(ledger: Ledger, sent: str | None, state: str, effect: str) -> None:
    run_id = ledger.accept()
    (claimed,) = ledger.claim(run_id)
    assert ledger.settle(claimed, "park", EffectState.PARKED) is RunState.PARKED
    assert ledger.claim(run_id) == []
    with ledger.engine.begin() as connection:
        decisions.settle(connection, run_id, sent=sent)
    run = ledger.get(run_id)
    assert (run.state, run.provider_id, ledger.effect(run_id)) == (state, sent, effect)
    with ledger.engine.begin() as connection, pytest.raises(MoveRefused, match="only a parked run"):
        decisions.settle(connection, run_id, sent=sent)


def test_a_run_whose_workers_keep_dying_stops_and_says_so(ledger: Ledger) -> None:
    run_id = ledger.accept()
    for _ in range(rescue.MAX_CRASHES):
        assert len(ledger.claim(run_id, lease_s=GONE_S)) == 1
        ledger.rescue()
    run = ledger.get(run_id)
    assert run.state is RunState.PARKED
    assert run.error is not None
    assert "died 3 times in a row" in run.error["message"]


def test_workers_that_die_while_others_carry_the_run_on_do_not_stop_it(ledger: Ledger) -> None:
    run_id = ledger.accept()
    for _ in range(2 * rescue.MAX_CRASHES):
        assert len(ledger.claim(run_id, lease_s=GONE_S)) == 1
        ledger.rescue()
        (claimed,) = ledger.claim(run_id)
        assert ledger.settle(claimed, "snooze", EffectState.UNKNOWN, delay_s=0.0) is RunState.WAITING
    assert ledger.get(run_id).state is RunState.WAITING


def test_what_expired_ends_unless_it_is_in_doubt(ledger: Ledger) -> None:
    with ledger.engine.begin() as connection:
        past = connection.execute(text("select now() - interval '1 s'")).scalar_one()
    idle, doubtful = ledger.accept(expires_at=past), ledger.accept(expires_at=past)
    (claimed,) = ledger.claim(doubtful)
    assert claimed.expired
    ledger.settle(claimed, "back_off", EffectState.UNKNOWN, delay_s=0.0)
    with ledger.engine.begin() as connection:
        assert decisions.expire(connection) == 1
    assert ledger.get(idle).state is RunState.EXPIRED
    assert ledger.get(doubtful).state is RunState.RETRYING


def test_the_timeline_tells_every_move(ledger: Ledger) -> None:
    run_id = ledger.accept()
    ledger.claim(run_id, lease_s=GONE_S)
    ledger.rescue()
    (claimed,) = ledger.claim(run_id, worker="w2")
    ledger.settle(claimed, "succeed", EffectState.CONFIRMED, provider_id="SM1", detail={"settled": "read-back"})
    timeline = ledger.get(run_id).timeline
    assert [event.move for event in timeline] == ["accept", "claim", "rescue", "claim", "succeed"]
    assert timeline[-1].detail == {"settled": "read-back"}


@pytest.mark.parametrize("how", ["cancel", "expire", "cancel while running"])
def test_a_run_that_ends_unsent_makes_way_for_one_with_the_same_content(ledger: Ledger, how: str) -> None:
    first, second = ledger.accept(alike="same"), ledger.accept(alike="same")
    (claimed,) = ledger.claim(first)
    with ledger.engine.begin() as connection:
        if how == "cancel while running":
            decisions.cancel(connection, first)
    ledger.settle(claimed, "snooze", EffectState.PLANNED, delay_s=0.0)
    with ledger.engine.begin() as connection:
        if how == "cancel":
            decisions.cancel(connection, first)
        if how == "expire":
            connection.execute(text("update run set expires_at = now() where id = :id"), {"id": first})
            assert decisions.expire(connection) == 1
    assert ledger.get(first).state in (RunState.CANCELLED, RunState.EXPIRED)
    assert [one.id for one in ledger.claim(second)] == [second]


def test_a_retry_that_would_look_like_a_run_in_flight_is_refused_and_the_transaction_goes_on(ledger: Ledger) -> None:
    first, second = ledger.accept(alike="same"), ledger.accept(alike="same")
    (claimed,) = ledger.claim(first)
    ledger.settle(claimed, "fail", EffectState.REFUSED)
    ledger.claim(second)
    with ledger.engine.begin() as connection:
        with pytest.raises(MoveRefused, match="the same content"):
            decisions.retry(connection, first)
        assert runs.get(connection, first).state is RunState.FAILED
