"""Beat's tick on a real Postgres and broker: what is due is on its way, whatever was lost; any number of beats."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import redis
from celery.schedules import schedule as celery_schedule
from sqlalchemy import Engine, text

from neonhub_worker import enqueue, get_run, schedule
from neonhub_worker.app import app
from neonhub_worker.db.engine import transaction
from neonhub_worker.dispatch import due, scheduler
from neonhub_worker.dispatch.scheduler import PostgresScheduler
from neonhub_worker.ledger import leases
from neonhub_worker.ledger.acceptance import KEPT, WINDOW
from tests.conftest import ConnectionFactory
from tests.factories import sms
from tests.integration.beats import accept_unpublished, messages, published
from tests.races import at_once


@pytest.fixture(autouse=True)
def sms_connection(connection_factory: ConnectionFactory) -> None:
    connection_factory("sms", credential={}, settings={})


def test_a_run_accepted_in_a_producers_transaction_is_published(beat: PostgresScheduler, broker: redis.Redis) -> None:
    (run_id,) = accept_unpublished()
    beat.tick()
    (message,) = messages(broker)
    assert (message["task"], message["id"]) == ("runs.perform", str(run_id))
    assert "+1415" not in str(message)
    beat.tick()
    assert messages(broker) == []


def test_a_run_whose_message_was_lost_is_published_again(
    beat: PostgresScheduler, broker: redis.Redis, engine: Engine
) -> None:
    run_id = enqueue(sms())
    assert len(messages(broker)) == 1
    beat.tick()
    assert messages(broker) == []
    with engine.begin() as connection:
        connection.execute(text("update run set published_at = now() - interval '11 seconds'"))
    beat.tick()
    assert [message["id"] for message in messages(broker)] == [str(run_id)]


def test_a_run_of_the_bulk_queue_goes_there(beat: PostgresScheduler, broker: redis.Redis) -> None:
    accept_unpublished(queue="bulk")
    beat.tick()
    assert messages(broker) == []
    assert len(messages(broker, "bulk")) == 1


def test_a_run_ahead_of_its_time_waits_in_postgres(
    beat: PostgresScheduler, broker: redis.Redis, engine: Engine
) -> None:
    with engine.connect() as connection:
        later = connection.execute(text("select now() + interval '1 hour'")).scalar_one()
    run_id = enqueue(sms(at=later))
    beat.tick()
    assert messages(broker) == []
    with engine.begin() as connection:
        connection.execute(text("update run set run_at = now()"))
    beat.tick()
    assert [message["id"] for message in messages(broker)] == [str(run_id)]


def test_a_dead_workers_run_is_rescued_and_published(beat: PostgresScheduler, broker: redis.Redis) -> None:
    (run_id,) = accept_unpublished()
    with transaction() as connection:
        assert leases.claim(connection, [run_id], worker="dead", lease_s=-1)
    beat.tick()
    assert [message["id"] for message in messages(broker)] == [str(run_id)]
    assert [event.move for event in get_run(run_id).timeline] == ["accept", "claim", "rescue"]


def test_what_expired_is_ended_and_not_published(beat: PostgresScheduler, broker: redis.Redis, engine: Engine) -> None:
    (run_id,) = accept_unpublished()
    with engine.begin() as connection:
        connection.execute(text("update run set expires_at = now()"))
    beat.tick()
    assert get_run(run_id).state == "expired"
    assert messages(broker) == []


def test_an_occurrence_is_fired_and_published_in_one_tick(
    beat: PostgresScheduler, broker: redis.Redis, engine: Engine
) -> None:
    with engine.connect() as connection:
        moment = connection.execute(text("select now()")).scalar_one()
    schedule(sms(), name="soon", at=moment)
    beat.tick()
    assert len(messages(broker)) == 1


def test_only_a_window_of_a_backlog_is_on_the_broker(beat: PostgresScheduler, broker: redis.Redis) -> None:
    run_ids = accept_unpublished(WINDOW + 100)
    beat.tick()
    beat.tick()
    assert published(run_ids) == WINDOW - KEPT
    with transaction() as connection:
        connection.execute(
            text(
                "update run set state = 'cancelled' "
                "where id in (select id from run where published_at is not null limit 60)"
            )
        )
    beat.tick()
    assert published(run_ids) == WINDOW - KEPT + 60
    assert len(messages(broker)) < WINDOW / 4


def test_a_lane_that_fills_the_broker_and_has_more_is_looked_at_again_soon(broker: redis.Redis) -> None:
    room = WINDOW - KEPT
    accept_unpublished(2 * room + 1)

    def tick() -> tuple[int, bool]:
        with transaction() as connection:
            taken = due.take(connection)
        return len(taken.due), taken.more

    def drain() -> None:
        with transaction() as connection:
            connection.execute(text("update run set state = 'cancelled' where published_at is not null"))

    assert tick() == (room, True)
    assert tick() == (0, True)
    drain()
    assert tick() == (room, True)
    drain()
    assert tick() == (1, False)


def test_what_fails_costs_only_its_own_part_of_the_tick(
    beat: PostgresScheduler, broker: redis.Redis, engine: Engine
) -> None:
    (run_id,) = accept_unpublished()
    with engine.begin() as connection:
        connection.execute(text("alter table schedule rename to schedule_away"))
    beat.tick()
    assert [message["id"] for message in messages(broker)] == [str(run_id)]


def test_a_commit_elsewhere_ends_the_wait_for_the_next_tick(monkeypatch: pytest.MonkeyPatch, settings: object) -> None:
    monkeypatch.setattr(scheduler, "TICK_S", 100.0)
    beat = PostgresScheduler(app=app)
    beat.tick()  # the first one only begins to listen
    tick = threading.Thread(target=beat.tick)
    tick.start()
    accept_unpublished()
    tick.join(timeout=20)
    assert not tick.is_alive()
    beat.close()


def test_a_lost_listening_connection_is_opened_again(beat: PostgresScheduler, broker: redis.Redis) -> None:
    beat.tick()
    with transaction() as connection:
        connection.execute(text("select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen%'"))
    beat.tick()
    (run_id,) = accept_unpublished()
    beat.tick()
    assert [message["id"] for message in messages(broker)] == [str(run_id)]


def test_entries_of_beat_schedule_are_sent_once_however_many_beats_run(
    broker: redis.Redis, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "TICK_S", 0.001)
    entry = {"task": "nightly.report", "schedule": celery_schedule(timedelta(hours=1)), "options": {"queue": "agents"}}
    monkeypatch.setitem(app.conf.beat_schedule, "report", entry)
    beats = [PostgresScheduler(app=app) for _ in range(3)]
    at_once(*[beat.tick for beat in beats])
    assert messages(broker, "agents") == [], "the first one is due an hour after the entry was first seen"
    with engine.begin() as connection:
        connection.execute(text("update beat_entry set last_run_at = now() - interval '1 hour'"))
    at_once(*[beat.tick for beat in beats])
    assert [message["task"] for message in messages(broker, "agents")] == ["nightly.report"]
    at_once(*[beat.tick for beat in beats])
    assert messages(broker, "agents") == []
    for beat in beats:
        beat.close()
