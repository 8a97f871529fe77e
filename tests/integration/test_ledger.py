"""The ledger's promises, on a real Postgres: one holder at a time, nothing repeated without knowing, nothing lost."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from sqlalchemy import Engine, text

from neonhub_worker import ids
from neonhub_worker.errors import IdempotencyConflict, MoveRefused, UnknownRun
from neonhub_worker.ledger import decisions, leases, runs, steps
from neonhub_worker.ledger.leases import Claimed, Outcome
from neonhub_worker.ledger.runs import Draft, Run
from neonhub_worker.ledger.states import EffectState, RunState
from tests.servers import wait_for

LONG_S = 60.0
GONE_S = -1.0
"""A lease of negative length has run out at once: what a test needs instead of waiting."""


@pytest.fixture
def link(engine: Engine) -> uuid.UUID:
    """A connection of the organization acme."""
    connection_id = uuid.uuid4()
    with engine.begin() as connection:
        connection.execute(text("insert into organization (id, name) values ('acme', 'Acme') on conflict do nothing"))
        connection.execute(
            text(
                "insert into connection (id, organization_id, name, connector, account, credential) "
                "values (:id, 'acme', 'ledger-test', 'sms', 'AC1', '')"
            ),
            {"id": connection_id},
        )
    return connection_id


class Ledger:
    """The ledger's statements, each in a transaction of its own, as workers use them."""

    def __init__(self, engine: Engine, link: uuid.UUID) -> None:
        self.engine = engine
        self.link = link

    def draft(self, **changes: Any) -> Draft:
        values: dict[str, Any] = {
            "id": ids.new_id(),
            "organization_id": "acme",
            "kind": "action",
            "name": "sms.sendSMS",
            "connection_id": self.link,
            "input": {"to": "+14155550123"},
            "input_hash": "one",
            "queue": "actions",
            "max_retries": 3,
            "effect": "send",
        }
        return Draft(**{**values, **changes})

    def accept(self, **changes: Any) -> uuid.UUID:
        with self.engine.begin() as connection:
            return runs.accept(connection, [self.draft(**changes)], published=False)[0].id

    def claim(self, *run_ids: uuid.UUID, worker: str = "w1", lease_s: float = LONG_S) -> list[Claimed]:
        with self.engine.begin() as connection:
            return leases.claim(connection, run_ids, worker=worker, lease_s=lease_s)

    def settle(self, claimed: Claimed, move: str, effect: EffectState | None = None, **fields: Any) -> RunState | None:
        outcome = Outcome(claimed.id, claimed.fence, move, effect=effect, **fields)
        with self.engine.begin() as connection:
            return leases.settle(connection, [outcome], worker="w1").get(claimed.id)

    def rescue(self) -> list[uuid.UUID]:
        with self.engine.begin() as connection:
            return leases.rescue(connection)

    def get(self, run_id: uuid.UUID) -> Run:
        with self.engine.connect() as connection:
            return runs.get(connection, run_id)

    def effect(self, run_id: uuid.UUID) -> str:
        with self.engine.connect() as connection:
            found = steps.read(connection, run_id, "send")
        assert found is not None
        return str(found.state)


@pytest.fixture
def ledger(engine: Engine, link: uuid.UUID) -> Ledger:
    return Ledger(engine, link)


def test_a_run_is_held_by_one_worker_however_many_ask(ledger: Ledger) -> None:
    run_ids = [ledger.accept() for _ in range(20)]
    won: list[Claimed] = []
    gate = threading.Barrier(6)

    def grab() -> None:
        gate.wait()
        won.extend(ledger.claim(*run_ids))

    threads = [threading.Thread(target=grab) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.id for one in won) == sorted(run_ids)


def test_the_effect_is_on_record_before_the_claim_returns(ledger: Ledger) -> None:
    run_id = ledger.accept()
    (claimed,) = ledger.claim(run_id)
    assert ledger.effect(run_id) == "sending"
    assert claimed.effect_before is None
    assert claimed.first_sent_at is None


def test_a_read_plans_no_effect(ledger: Ledger) -> None:
    run_id = ledger.accept(effect=None)
    (claimed,) = ledger.claim(run_id)
    assert claimed.effect is None
    with ledger.engine.connect() as connection:
        assert steps.read(connection, run_id, "send") is None


def test_after_a_crash_the_next_attempt_is_told_that_the_effect_may_have_been_sent(ledger: Ledger) -> None:
    run_id = ledger.accept()
    ledger.claim(run_id, lease_s=GONE_S)
    assert ledger.rescue() == [run_id]
    (again,) = ledger.claim(run_id, worker="w2")
    assert again.effect_before is EffectState.SENDING
    assert again.fence == 2
    assert again.first_sent_at is not None
    assert again.sent_by is not None


def test_a_worker_that_lost_its_lease_writes_nothing(ledger: Ledger) -> None:
    run_id = ledger.accept()
    (old,) = ledger.claim(run_id, lease_s=GONE_S)
    ledger.rescue()
    (new,) = ledger.claim(run_id, worker="w2")
    assert ledger.settle(old, "succeed", EffectState.CONFIRMED, provider_id="SM-old") is None
    with ledger.engine.begin() as connection:
        assert not steps.write(connection, run_id, "send", fence=old.fence, state=EffectState.SENDING, effect=True)
    assert ledger.settle(new, "succeed", EffectState.CONFIRMED, provider_id="SM-new") is RunState.SUCCEEDED
    assert ledger.get(run_id).provider_id == "SM-new"


def test_a_run_that_certainly_was_not_sent_is_planned_afresh(ledger: Ledger) -> None:
    run_id = ledger.accept()
    (claimed,) = ledger.claim(run_id)
    assert ledger.settle(claimed, "back_off", EffectState.PLANNED, delay_s=0.0) is RunState.RETRYING
    (again,) = ledger.claim(run_id)
    assert again.effect_before is EffectState.PLANNED
    assert again.first_sent_at is None
    assert again.attempts == 2
    assert ledger.effect(run_id) == "sending"


def test_a_snooze_uses_up_no_attempt_but_a_new_fence(ledger: Ledger) -> None:
    run_id = ledger.accept()
    (claimed,) = ledger.claim(run_id)
    assert ledger.settle(claimed, "snooze", EffectState.PLANNED, delay_s=0.0) is RunState.WAITING
    (again,) = ledger.claim(run_id)
    assert (again.attempts, again.fence) == (1, 2)


def test_runs_whose_effects_would_look_alike_take_turns(ledger: Ledger) -> None:
    first, second = ledger.accept(alike="same"), ledger.accept(alike="same")
    (claimed,) = ledger.claim(first, second)
    assert claimed.id == first
    assert ledger.claim(second) == []
    ledger.settle(claimed, "back_off", EffectState.UNKNOWN, delay_s=0.0)
    assert ledger.claim(second) == [], "the first one is still in doubt"
    (claimed,) = ledger.claim(first)
    ledger.settle(claimed, "succeed", EffectState.CONFIRMED, provider_id="SM1")
    (claimed,) = ledger.claim(second)
    with ledger.engine.connect() as connection:
        assert steps.taken(connection, ledger.link, {"SM1", "SM2"}, besides=second) == {"SM1"}


def test_a_run_ahead_of_its_time_is_not_claimed(ledger: Ledger) -> None:
    with ledger.engine.begin() as connection:
        later = connection.execute(text("select now() + interval '1 hour'")).scalar_one()
    run_id = ledger.accept(run_at=later)
    assert ledger.get(run_id).state is RunState.SCHEDULED
    assert ledger.claim(run_id) == []


def test_the_same_key_gives_the_same_run_and_another_input_is_refused(ledger: Ledger) -> None:
    first = ledger.accept(idempotency_key="k", input_hash="one")
    assert ledger.accept(idempotency_key="k", input_hash="one") == first
    with pytest.raises(IdempotencyConflict, match="another input"):
        ledger.accept(idempotency_key="k", input_hash="two")


def test_the_same_key_twice_in_one_batch_is_one_run(ledger: Ledger) -> None:
    with ledger.engine.begin() as connection:
        drafts = [ledger.draft(idempotency_key="k"), ledger.draft(idempotency_key="k")]
        first, second = runs.accept(connection, drafts, published=False)
    assert first.id == second.id
    assert (first.new, second.new) == (True, False)


def test_accepting_joins_the_callers_transaction(ledger: Ledger) -> None:
    draft = ledger.draft()
    with ledger.engine.connect() as connection:
        runs.accept(connection, [draft], published=False)
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
    for _ in range(leases.MAX_CRASHES):
        assert len(ledger.claim(run_id, lease_s=GONE_S)) == 1
        ledger.rescue()
    run = ledger.get(run_id)
    assert run.state is RunState.PARKED
    assert run.error is not None
    assert "died 5 times" in run.error["message"]


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


def test_the_leases_of_a_worker_seen_dead_end_at_once(ledger: Ledger) -> None:
    run_id = ledger.accept()
    ledger.claim(run_id, worker="dead")
    assert ledger.rescue() == []
    with ledger.engine.begin() as connection:
        leases.release(connection, ["dead"])
    assert ledger.rescue() == [run_id]


def test_an_opted_out_recipient_is_reported_by_the_claim(ledger: Ledger) -> None:
    run_id = ledger.accept(channel="sms", recipient="+14155550123")
    with ledger.engine.begin() as connection:
        connection.execute(
            text(
                "insert into opt_out (organization_id, channel, address, source) "
                "values ('acme', 'sms', '+14155550123', 'test')"
            )
        )
    (claimed,) = ledger.claim(run_id)
    assert claimed.opted_out


def test_the_timeline_tells_every_move(ledger: Ledger) -> None:
    run_id = ledger.accept()
    ledger.claim(run_id, lease_s=GONE_S)
    ledger.rescue()
    (claimed,) = ledger.claim(run_id, worker="w2")
    ledger.settle(claimed, "succeed", EffectState.CONFIRMED, provider_id="SM1", detail={"settled": "read-back"})
    timeline = ledger.get(run_id).timeline
    assert [event.move for event in timeline] == ["accept", "claim", "rescue", "claim", "succeed"]
    assert timeline[-1].detail == {"settled": "read-back"}


def test_a_claim_that_waited_for_a_lock_sees_what_was_sent_meanwhile(ledger: Ledger) -> None:
    blocker, run_id = ledger.accept(), ledger.accept()
    (claimed,) = ledger.claim(run_id)
    ledger.settle(claimed, "back_off", EffectState.PLANNED, delay_s=0.0)
    late: list[Claimed] = []
    with ledger.engine.begin() as holder:
        holder.execute(text("select 1 from run where id = :id for update"), {"id": blocker})
        waiting = threading.Thread(target=lambda: late.extend(ledger.claim(blocker, run_id, worker="late")))
        waiting.start()
        wait_for(lambda: blocked(ledger.engine), "the claim that waits for the lock")
        (claimed,) = ledger.claim(run_id, worker="quick")
        ledger.settle(claimed, "back_off", EffectState.UNKNOWN, delay_s=0.0)
    waiting.join()
    (again,) = (one for one in late if one.id == run_id)
    assert again.effect_before is EffectState.UNKNOWN
    assert again.first_sent_at is not None


def blocked(engine: Engine) -> bool:
    """Whether some statement in this database waits for a lock."""
    with engine.connect() as connection:
        found = connection.execute(
            text("select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
        )
        return found.first() is not None


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
