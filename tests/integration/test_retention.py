"""Old finished runs are removed, and nothing else; whoever works meanwhile does not notice."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from neonhub_worker import cancel, enqueue, enqueue_many, get_run
from neonhub_worker.db import engine as db
from neonhub_worker.db.engine import transaction
from neonhub_worker.errors import UnknownRun
from neonhub_worker.ledger import decisions, retention, steps
from neonhub_worker.ledger.states import EffectState
from tests.conftest import ConnectionFactory
from tests.factories import sms
from tests.integration.ages import age, count, kept
from tests.integration.ledgers import GONE_S, Ledger
from tests.races import at_once

DAYS = 90


def prune(days: int = DAYS, *, limit: int = retention.BATCH) -> int:
    """A whole sweep; how many it removed."""
    removed, mark = 0, None
    while True:
        with transaction() as connection:
            count, mark = retention.prune(connection, days=days, mark=mark, limit=limit)
        removed += count
        if mark is None:
            return removed


def done(ledger: Ledger, *, provider_id: str = "SM1", **changes: Any) -> uuid.UUID:
    """A run that succeeded."""
    run_id = ledger.accept(**changes)
    (claimed,) = ledger.claim(run_id)
    ledger.settle(claimed, "succeed", EffectState.CONFIRMED, provider_id=provider_id)
    return run_id


def test_an_old_finished_run_goes_with_its_steps_and_events(ledger: Ledger, engine: Engine) -> None:
    old, young = done(ledger), done(ledger)
    age(old)
    age(young, days=DAYS - 1)
    assert prune() == 1
    assert kept(old, young) == [False, True]
    assert (count(engine, "step"), count(engine, "run_event")) == (1, 2)
    with pytest.raises(UnknownRun):
        get_run(old)


def test_every_way_to_end_is_pruned(ledger: Ledger, engine: Engine) -> None:
    failed, cancelled = ledger.accept(), ledger.accept()
    ledger.settle(ledger.claim(failed)[0], "fail", EffectState.REFUSED)
    cancel(cancelled)
    expired = ledger.accept()
    ledger.settle(ledger.claim(expired)[0], "run_out", EffectState.REFUSED)
    run_ids = (done(ledger), failed, cancelled, expired)
    age(*run_ids)
    assert prune() == 4
    assert count(engine, "run") == count(engine, "run_event") == 0


def test_what_is_parked_or_unfinished_stays_whatever_its_age(ledger: Ledger) -> None:
    parked, running, retrying, waiting, queued = (ledger.accept() for _ in range(5))
    ledger.settle(ledger.claim(parked)[0], "park", EffectState.PARKED)
    ledger.claim(running)
    ledger.settle(ledger.claim(retrying)[0], "back_off", EffectState.PLANNED, delay_s=60)
    ledger.settle(ledger.claim(waiting)[0], "snooze", EffectState.PLANNED, delay_s=60)
    run_ids = (parked, running, retrying, waiting, queued)
    age(*run_ids, days=1000)
    assert prune() == 0
    assert all(kept(*run_ids))


def test_a_run_that_was_accepted_long_ago_and_has_just_ended_stays(ledger: Ledger) -> None:
    run_id = done(ledger)
    age(run_id)
    with transaction() as connection:
        connection.execute(text("update run set finished_at = now()"))
    assert prune() == 0


def test_small_batches_remove_the_same_of_every_organization(ledger: Ledger, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("insert into organization (id, name) values ('beta', 'B'), ('empty', 'E')"))
    old = [done(ledger, organization_id=name) for name in ("acme", "beta") for _ in range(5)]
    unfinished = [ledger.accept(organization_id=name) for name in ("acme", "beta")]
    age(*old, *unfinished)
    assert prune(limit=2) == 10
    assert all(kept(*unfinished))


def test_two_pruners_at_once_remove_each_run_once(ledger: Ledger) -> None:
    old = [done(ledger) for _ in range(60)]
    young = done(ledger)
    age(*old)
    removed: list[int] = []
    at_once(*[lambda: removed.append(prune(limit=7))] * 3)
    # One may have passed over what another held at that moment; the next sweep finds it, if it is still there.
    assert sum(removed) == 60
    assert kept(young) == [True]
    assert not any(kept(*old))


def test_a_pruner_waits_for_nobody_and_passes_over_a_run_that_somebody_retries(ledger: Ledger) -> None:
    retried, old = ledger.accept(), done(ledger)
    ledger.settle(ledger.claim(retried)[0], "fail", EffectState.REFUSED)
    age(retried, old)
    with ledger.engine.begin() as connection:
        decisions.retry(connection, retried)
        assert prune() == 1
    assert prune() == 0
    assert kept(retried, old) == [True, False]


def test_workers_settle_while_old_runs_are_pruned(ledger: Ledger) -> None:
    old = [done(ledger) for _ in range(40)]
    age(*old)
    fresh = [ledger.accept() for _ in range(40)]
    settled: list[object] = []

    def work() -> None:
        for run_id in fresh:
            (claimed,) = ledger.claim(run_id)
            settled.append(ledger.settle(claimed, "succeed", EffectState.CONFIRMED))

    removed: list[int] = []
    at_once(work, lambda: removed.append(prune(limit=3)))
    assert settled == ["succeeded"] * 40
    assert removed == [40]
    assert all(kept(*fresh))


def in_doubt(ledger: Ledger, **changes: Any) -> uuid.UUID:
    """A run whose worker died while sending."""
    run_id = ledger.accept(**changes)
    assert ledger.claim(run_id, lease_s=GONE_S)
    return run_id


def test_what_a_read_back_must_not_take_for_its_own_stays(ledger: Ledger) -> None:
    earlier, long_before = done(ledger, alike="a", provider_id="SM1"), done(ledger, alike="b", provider_id="SM2")
    asks = in_doubt(ledger, alike="c")
    age(earlier, days=DAYS + 10)
    age(long_before, days=DAYS + 12)
    with transaction() as connection:
        connection.execute(
            text("update step set first_sent_at = now() - make_interval(days => :days) where run_id = :id"),
            {"days": DAYS + 10, "id": asks},
        )
    assert prune() == 1
    assert kept(earlier, long_before) == [True, False]
    with transaction() as connection:
        assert steps.taken(connection, ledger.link, {"SM1"}, besides=asks) == {"SM1"}
    ledger.rescue()
    ledger.settle(ledger.claim(asks)[0], "succeed", EffectState.CONFIRMED, provider_id="SM3")
    assert prune() == 1, "nothing is in doubt any more"


def test_another_connections_doubt_keeps_nothing(ledger: Ledger, connection_factory: ConnectionFactory) -> None:
    other = connection_factory("slack", credential={}, settings={})
    old = done(ledger, alike="a", connection_id=other)
    in_doubt(ledger, alike="a")
    age(old)
    assert prune() == 1


def test_a_child_stays_as_long_as_its_parent_goes_on_or_may_be_retried(ledger: Ledger) -> None:
    parent = ledger.accept(effect=None)
    child = done(ledger, parent_id=parent)
    age(parent, child)
    assert prune() == 0, "the parent has not ended"
    ledger.settle(ledger.claim(parent)[0], "fail")
    assert prune() == 0, "the parent has just failed and may be retried"
    age(parent)
    assert prune() == 2


def test_nothing_is_pruned_if_everything_is_to_be_kept(ledger: Ledger) -> None:
    old = done(ledger)
    age(old, days=10_000)
    assert prune(0) == 0


@pytest.fixture
def sms_connection(connection_factory: ConnectionFactory) -> uuid.UUID:
    return connection_factory("sms", credential={}, settings={})


def test_a_key_is_known_as_long_as_its_run_is_kept(sms_connection: uuid.UUID) -> None:
    first = enqueue(sms(idempotency_key="k"))
    cancel(first)
    assert enqueue(sms(idempotency_key="k")) == first
    age(first)
    prune()
    second = enqueue(sms(idempotency_key="k"))
    assert second != first
    assert kept(first, second) == [False, True]


def test_a_key_whose_run_is_pruned_at_that_very_moment_is_accepted_anew(sms_connection: uuid.UUID) -> None:
    first = enqueue(sms(idempotency_key="k"))
    cancel(first)
    age(first)
    asked: list[str] = []

    def between(_: Any, __: Any, statement: str, *___: Any) -> None:
        """The producer has found its key taken, and looks whose it is."""
        if "r.input_hash" in statement and not asked:
            asked.append(statement)
            prune()

    event.listen(db.engine(), "before_cursor_execute", between)
    try:
        second, third = enqueue_many([sms(idempotency_key="k"), sms(idempotency_key="other")])
    finally:
        event.remove(db.engine(), "before_cursor_execute", between)
    assert asked
    assert kept(first, second, third) == [False, True, True]
