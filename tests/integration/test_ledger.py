"""The ledger's promises, on a real Postgres: one holder at a time, nothing repeated without knowing, nothing lost."""

from __future__ import annotations

import threading

from sqlalchemy import Engine, text

from neonhub_worker.ledger import leases, rescue, steps
from neonhub_worker.ledger.leases import Claimed
from neonhub_worker.ledger.states import EffectState, RunState
from tests.integration.ledgers import GONE_S, Ledger
from tests.races import at_once
from tests.servers import wait_for


def test_a_run_is_held_by_one_worker_however_many_ask(ledger: Ledger) -> None:
    run_ids = [ledger.accept() for _ in range(20)]
    won: list[Claimed] = []
    at_once(*[lambda: won.extend(ledger.claim(*run_ids))] * 6)
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


def test_what_a_worker_seen_dead_held_is_due_again_at_once(ledger: Ledger) -> None:
    run_id = ledger.accept()
    ledger.claim(run_id, worker="dead")
    assert ledger.rescue() == []
    with ledger.engine.begin() as connection:
        rescue.release(connection, ["dead"])
    assert ledger.get(run_id).state is RunState.QUEUED


def test_a_lease_begins_anew_only_for_who_still_holds_it(ledger: Ledger) -> None:
    run_id = ledger.accept()
    (claimed,) = ledger.claim(run_id)
    before = ledger.get(run_id).lease_until
    with ledger.engine.begin() as connection:
        assert leases.renew(connection, run_id, fence=claimed.fence, lease_s=600)
        assert not leases.renew(connection, run_id, fence=claimed.fence - 1, lease_s=600)
    after = ledger.get(run_id).lease_until
    assert before is not None
    assert after is not None
    assert after > before
    with ledger.engine.begin() as connection:
        connection.execute(text("update run set lease_until = clock_timestamp()"))
        assert not leases.renew(connection, run_id, fence=claimed.fence, lease_s=600)


def test_a_worker_that_was_killed_from_outside_is_not_held_against_its_runs(ledger: Ledger) -> None:
    run_id = ledger.accept()
    for _ in range(rescue.MAX_CRASHES + 1):
        ledger.claim(run_id, worker="dead")
        with ledger.engine.begin() as connection:
            rescue.release(connection, ["dead"], killed=["dead"])
        assert ledger.get(run_id).state is RunState.QUEUED
    for _ in range(rescue.MAX_CRASHES):
        ledger.claim(run_id, worker="dead")
        with ledger.engine.begin() as connection:
            rescue.release(connection, ["dead"], killed=["another"])
    assert ledger.get(run_id).state is not RunState.QUEUED


def test_a_rescued_run_goes_before_those_that_have_not_begun(ledger: Ledger) -> None:
    first, second = ledger.accept(), ledger.accept()
    ledger.claim(first, worker="dead")
    with ledger.engine.begin() as connection:
        rescue.release(connection, ["dead"])
        heads = connection.execute(text("select id from run where state = 'queued' order by run_at, id")).scalars()
        assert list(heads) == [first, second]


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


def test_what_a_dead_worker_sent_had_left_before_the_quiet_end_of_its_lease(ledger: Ledger) -> None:
    run_id = ledger.accept()
    (claimed,) = ledger.claim(run_id)
    with ledger.engine.begin() as connection:
        first = steps.read(connection, run_id, "send")
        steps.write(connection, run_id, "send", fence=claimed.fence, state=EffectState.SENDING, effect=True)
        again = steps.read(connection, run_id, "send")
    lease_until = ledger.get(run_id).lease_until
    assert first is not None
    assert again is not None
    assert lease_until is not None
    for step in (first, again):
        assert step.sent_by is not None
        assert abs((lease_until - step.sent_by).total_seconds() - steps.QUIET_S) < 0.1
