"""Single occurrences: seen ahead, left out, let come after all, and looked up afterwards."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from neonhub_worker import (
    cancel_occurrence,
    get_run,
    next_occurrences,
    past_occurrences,
    restore_occurrence,
    schedule,
)
from neonhub_worker.db.engine import transaction
from neonhub_worker.errors import InvalidInput, UnknownSchedule
from neonhub_worker.schedules import firing, rows
from tests.factories import sms
from tests.integration.schedules import clock_jumps, fire, make_every_minute, now, outcomes
from tests.servers import wait_for

pytestmark = pytest.mark.usefixtures("unsent")

MINUTE = timedelta(minutes=1)


def due(count: int = 3) -> list[datetime]:
    return [one.due_at for one in next_occurrences("acme", "minutely", count=count)]


def waits_for() -> datetime | None:
    return rows.get("acme", "minutely").next_at


def test_the_next_occurrences_are_shown_in_the_schedules_zone() -> None:
    start = datetime(2035, 3, 24, tzinfo=UTC)
    schedule(sms(), name="x", cron="30 2 * * *", timezone="Europe/Berlin", starts_at=start, jitter_s=600)
    found = next_occurrences("acme", "x", count=3)
    assert [one.due_at.isoformat() for one in found] == [
        "2035-03-24T02:30:00+01:00", "2035-03-25T03:00:00+02:00", "2035-03-26T02:30:00+02:00",
    ]  # fmt: skip
    assert all(timedelta() <= one.run_at - one.due_at < timedelta(minutes=10) for one in found)
    assert len({one.run_at - one.due_at for one in found}) == 3


def test_the_preview_is_what_happens() -> None:
    make_every_minute(jitter_s=30)
    (ahead,) = next_occurrences("acme", "minutely", count=1)
    with transaction() as connection:
        connection.exec_driver_sql("update schedule set next_at = next_at - interval '1 minute'")
    assert fire() == 1
    (past,) = past_occurrences("acme", "minutely")
    assert past.run_id is not None
    assert past.due_at == ahead.due_at - MINUTE
    assert past.run_state == get_run(past.run_id).state
    assert next_occurrences("acme", "minutely", count=1) == [ahead]


def test_a_cancelled_occurrence_is_marked_and_makes_no_run(engine: Engine) -> None:
    make_every_minute()
    first, second, third = due()
    cancel_occurrence("acme", "minutely", second)
    assert [one.cancelled for one in next_occurrences("acme", "minutely", count=3)] == [False, True, False]
    assert waits_for() == first
    cancel_occurrence("acme", "minutely", first)
    assert waits_for() == third
    clock_jumps(engine, 3 * MINUTE)
    assert fire() == 1
    assert outcomes(engine) == ["cancelled", "cancelled", "fired"]
    newest, *others = past_occurrences("acme", "minutely")
    assert (newest.outcome, newest.run_state) == ("fired", "queued")
    assert [(one.outcome, one.run_id) for one in others] == [("cancelled", None)] * 2


def test_a_cancelled_occurrence_can_come_after_all_while_it_is_ahead(engine: Engine) -> None:
    make_every_minute()
    first, second, _ = due()
    for one in (first, second):
        cancel_occurrence("acme", "minutely", one)
    restore_occurrence("acme", "minutely", first)
    assert waits_for() == first
    restore_occurrence("acme", "minutely", second)
    assert waits_for() == first
    assert not any(one.cancelled for one in next_occurrences("acme", "minutely"))
    clock_jumps(engine, MINUTE)
    assert fire() == 1


def test_the_last_occurrence_can_be_cancelled_and_restored() -> None:
    at = now() + timedelta(hours=1)
    schedule(sms(), name="minutely", at=at)
    cancel_occurrence("acme", "minutely", at)
    assert waits_for() is None
    assert [one.cancelled for one in next_occurrences("acme", "minutely")] == [True]
    assert past_occurrences("acme", "minutely") == []
    restore_occurrence("acme", "minutely", at)
    assert waits_for() == at


def test_what_has_passed_is_not_restored(engine: Engine) -> None:
    make_every_minute()
    cancel_occurrence("acme", "minutely", due()[0])
    clock_jumps(engine, MINUTE)
    (past,) = past_occurrences("acme", "minutely")
    with pytest.raises(InvalidInput, match="is not cancelled, or has passed"):
        restore_occurrence("acme", "minutely", past.due_at)


def test_an_occurrence_that_is_overdue_and_has_not_fired_can_be_cancelled(engine: Engine) -> None:
    make_every_minute(misfire="catch_up")
    clock_jumps(engine, 3 * MINUTE)
    overdue = waits_for()
    assert overdue is not None
    cancel_occurrence("acme", "minutely", overdue)
    assert fire() == 2
    assert outcomes(engine) == ["cancelled", "fired", "fired"]


def test_what_cannot_be_cancelled_is_refused_with_the_next_that_can(engine: Engine) -> None:
    make_every_minute()
    first, second, _ = due()
    wrong: list[tuple[Any, str]] = [
        (first + timedelta(seconds=7), f"is not due at .*; the next one after that is {second.isoformat()}"),
        (first - MINUTE, f"is not due at .*; the next one after that is {first.isoformat()}"),
        (first.replace(tzinfo=None), "needs a zone or an offset"),
    ]
    for due_at, says in wrong:
        with pytest.raises(InvalidInput, match="due_at: .*" + says.replace("+", r"\+")):
            cancel_occurrence("acme", "minutely", due_at)
    cancel_occurrence("acme", "minutely", first)
    with pytest.raises(InvalidInput, match="has fired, or is left out already"):
        cancel_occurrence("acme", "minutely", first)
    with pytest.raises(InvalidInput, match="is not cancelled"):
        restore_occurrence("acme", "minutely", second)
    assert waits_for() == second


def test_an_occurrence_that_fires_while_it_is_cancelled_is_not_said_to_be_cancelled(engine: Engine) -> None:
    at = now()
    schedule(sms(), name="x", at=at)
    with ThreadPoolExecutor(1) as pool, engine.connect() as beat:
        assert firing.fire_due(beat) == 1
        cancelling = pool.submit(cancel_occurrence, "acme", "x", at)
        wait_for(lambda: somebody_waits(engine), "the cancellation to wait for beat")
        beat.commit()
        with pytest.raises(InvalidInput, match="has fired"):
            cancelling.result(30)
    assert outcomes(engine) == ["fired"]


def test_an_occurrence_that_is_cancelled_while_it_is_due_does_not_fire(engine: Engine) -> None:
    at = now()
    schedule(sms(), name="x", at=at)
    with engine.connect() as person:
        cancel_occurrence("acme", "x", at, connection=person)
        assert fire() == 0
        person.commit()
    assert fire() == 0
    assert outcomes(engine) == ["cancelled"]


def somebody_waits(engine: Engine) -> bool:
    """Whether a statement waits for a lock."""
    query = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    with engine.connect() as connection:
        return connection.exec_driver_sql(query).first() is not None


def test_a_schedule_that_is_not_there_is_named() -> None:
    for ask in (next_occurrences, past_occurrences):
        with pytest.raises(UnknownSchedule, match="'nope'"):
            ask("acme", "nope")
    with pytest.raises(UnknownSchedule, match="'nope'"):
        restore_occurrence("acme", "nope", now())


def test_a_count_out_of_range_is_refused() -> None:
    make_every_minute()
    for count in (0, 1001):
        with pytest.raises(InvalidInput, match="count: must be between 1 and 1000"):
            next_occurrences("acme", "minutely", count=count)
