"""What else grows is forgotten in time, and beat does it all by itself."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from neonhub_worker import clock, enqueue_many, schedule
from neonhub_worker.app import app
from neonhub_worker.db.engine import transaction
from neonhub_worker.dispatch import gates, permits, scheduler
from neonhub_worker.dispatch.scheduler import PostgresScheduler
from neonhub_worker.schedules import firing, rows
from tests.conftest import ConnectionFactory, forget_settings
from tests.factories import sms
from tests.integration.ages import age, count, kept
from tests.integration.ledgers import Ledger

DAYS = 90


@pytest.fixture
def sms_connection(connection_factory: ConnectionFactory) -> uuid.UUID:
    return connection_factory("sms", credential={}, settings={})


def test_permits_are_forgotten_once_no_window_counts_them(ledger: Ledger, engine: Engine) -> None:
    insert = text(
        "insert into permit (run_id, fence, step, connection_id, action, taken_at, used_at) "
        "select gen_random_uuid(), 1, 'send', :link, 'sms.sendSMS', now(), now() - make_interval(hours => hours) "
        "from unnest(cast(:hours as int[])) as hours"
    )
    removed_since = uuid.uuid4()
    with engine.begin() as connection:
        for link in (ledger.link, removed_since):
            connection.execute(insert, {"link": link, "hours": [0, 23, 25, 26, 1000]})
    with engine.begin() as connection:
        assert permits.forget_past(connection, limit=2) == 2
        assert permits.forget_past(connection) == 4
        assert permits.forget_past(connection) == 0
    assert count(engine, "permit") == 4


def test_gates_that_close_nothing_any_more_are_forgotten(ledger: Ledger, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into gate (connection_id, scope, closed_until, failures) values "
                "(:link, 'target:a', now() - interval '2 hours', 0), (:link, 'target:c', now(), 0), "
                "(:link, 'circuit', now() - interval '2 hours', 5), (:link, 'target:b', now() + interval '1 hour', 0)"
            ),
            {"link": ledger.link},
        )
        assert gates.forget_past(connection) == 1
    assert count(engine, "gate") == 3


def test_past_occurrences_are_forgotten_but_none_that_is_yet_to_come(sms_connection: uuid.UUID, engine: Engine) -> None:
    schedule(sms(), name="daily", cron="0 9 * * *")
    (daily,) = rows.list_all("acme")
    insert = text(
        "insert into occurrence (schedule_id, due_at, outcome) "
        "select :id, now() - make_interval(days => days), 'fired' from unnest(cast(:days as int[])) as days"
    )
    with engine.begin() as connection:
        connection.execute(insert, {"id": daily.id, "days": [-5, 1, 89, 91, 92, 500]})
        connection.execute(text("update schedule set next_at = now() - interval '91 days 1 hour'"))
        assert firing.forget_past(connection, days=0) == 0
        assert firing.forget_past(connection, days=DAYS) == 2, "beat was away: what it has to come by stays"
        connection.execute(text("update schedule set next_at = now() + interval '1 day'"))
        assert firing.forget_past(connection, days=DAYS) == 1
    assert count(engine, "occurrence") == 3


@pytest.fixture
def beat(monkeypatch: pytest.MonkeyPatch, settings: object) -> Iterator[PostgresScheduler]:
    monkeypatch.setattr(scheduler, "TICK_S", 0.001)
    made = PostgresScheduler(app=app)
    yield made
    made.close()


def test_beat_prunes_a_batch_with_every_tick_until_nothing_is_old(
    beat: PostgresScheduler, sms_connection: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEONHUB_RETENTION_DAYS", "2")
    forget_settings()
    run_ids = enqueue_many([sms() for _ in range(501)])
    with transaction() as connection:
        connection.execute(text("update run set state = 'cancelled', finished_at = now()"))
    age(*run_ids[:500], days=3)
    left = []
    for _ in range(4):
        beat.tick()
        left.append(sum(kept(*run_ids)))
    assert left == [301, 101, 1, 1]
    age(run_ids[-1], days=3)
    beat.tick()
    assert kept(run_ids[-1]) == [True], "the next sweep begins a minute later"
    now = clock.elapsed_clock()
    monkeypatch.setattr(clock, "elapsed_clock", lambda: now + scheduler.PRUNE_S)
    beat.tick()
    assert kept(run_ids[-1]) == [False]
