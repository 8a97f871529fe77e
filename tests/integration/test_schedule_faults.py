"""A schedule whose occurrences cannot be made into runs says why, and stops no other."""

from __future__ import annotations

from typing import Any

import pytest
import structlog
from sqlalchemy import Engine, text

from neonhub_worker import cancel_occurrence, enqueue, next_occurrences, past_occurrences, schedule
from neonhub_worker.db.engine import transaction
from neonhub_worker.errors import InvalidInput
from neonhub_worker.schedules import firing, rows
from neonhub_worker.vault import connections
from tests.conftest import ConnectionFactory
from tests.factories import TO, sms
from tests.integration.schedules import clock_jumps, fire, make_every_minute, now, outcomes, runs_per_instant

pytestmark = pytest.mark.usefixtures("unsent")


def change(engine: Engine, name: str, what: str) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"update schedule set {what} where name = :name"), {"name": name})


def held(name: str) -> str | None:
    return rows.get("acme", name).error


def test_a_bad_schedule_stops_no_other_and_says_why(engine: Engine, connection_factory: ConnectionFactory) -> None:
    connection_factory("sms", name="gone", credential={}, settings={})
    schedule(sms(connection="gone"), name="gone", at=now())
    for number in range(5):
        schedule(sms(), name=f"good {number}", at=now())
    schedule(sms(), name="no zone", cron="* * * * *", timezone="Europe/Berlin")
    change(engine, "no zone", "timezone = 'Mars/Olympus', next_at = now()")
    schedule(sms(), name="odd", at=now())
    change(engine, "odd", "template = template || '{\"colour\": 1}'")
    connections.remove("acme", "gone")
    with structlog.testing.capture_logs() as logs:
        assert fire() == 5
    assert held("gone") == "its connection is gone; add one and make the schedule anew"
    assert held("no zone") == "timezone: 'Mars/Olympus' is no IANA zone, such as Europe/Berlin"
    assert held("odd") == "unexpected TypeError; make the schedule anew"
    assert {one["reason"] for one in logs} == {held("gone"), held("no zone"), held("odd")}
    assert {(one["event"], one["log_level"]) for one in logs} == {("schedule_held", "warning")}
    assert TO not in str(logs)
    assert all(held(f"good {number}") is None for number in range(5))
    assert rows.get("acme", "gone").next_at is not None  # it is still due
    with pytest.raises(InvalidInput, match="Mars/Olympus"):
        next_occurrences("acme", "no zone")


def test_a_held_schedule_is_tried_again_and_fires_once_it_can(engine: Engine) -> None:
    make_every_minute()
    change(engine, "minutely", "rule = 'cron', expression = '* * * * *', timezone = 'Mars/Olympus', next_at = now()")
    assert fire() == 0
    change(engine, "minutely", "timezone = 'UTC'")
    assert fire() == 0
    clock_jumps(engine, firing.HELD_FOR)
    assert fire() > 0
    assert held("minutely") is None
    assert rows.get("acme", "minutely").retry_at is None
    assert set(runs_per_instant(engine)) == {1}


def test_a_held_schedule_that_is_resumed_is_tried_at_once(engine: Engine) -> None:
    schedule(sms(), name="x", at=now())
    change(engine, "x", "template = template || '{\"colour\": 1}'")
    assert fire() == 0
    change(engine, "x", "template = template - 'colour'")
    rows.resume("acme", "x")
    assert fire() == 1


def test_a_held_schedule_keeps_no_other_waiting_when_it_is_tried_again(engine: Engine) -> None:
    make_every_minute("bad", misfire="catch_up")
    change(engine, "bad", "next_at = now(), template = template || '{\"colour\": 1}'")
    assert fire() == 0
    clock_jumps(engine, firing.HELD_FOR)
    schedule(sms(), name="good", at=now())
    with transaction() as connection:
        assert firing.fire_due(connection, limit=1) == 1
    assert rows.get("acme", "good").next_at is None


def test_a_reason_is_logged_once(engine: Engine) -> None:
    schedule(sms(), name="x", at=now())
    change(engine, "x", "template = template || '{\"colour\": 1}'")
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            fire()
            clock_jumps(engine, firing.HELD_FOR)
    assert len(logs) == 1


def keyed(name: str, **changes: Any) -> Any:
    """Accept what somebody else asks under the key of a schedule's next occurrence."""
    found = rows.get("acme", name)
    assert found.next_at is not None
    return enqueue({**sms(), "idempotency_key": f"schedule:{found.id}:{found.next_at.isoformat()}", **changes})


def test_an_occurrence_whose_run_was_accepted_before_is_that_run(engine: Engine) -> None:
    schedule(sms(), name="x", at=now())
    run_id = keyed("x")
    assert fire() == 1
    assert [one.run_id for one in past_occurrences("acme", "x")] == [run_id]
    assert runs_per_instant(engine) == [1]


def test_an_occurrence_whose_key_was_used_for_something_else_is_held_and_can_be_cancelled(engine: Engine) -> None:
    schedule(sms(), name="x", at=now())
    run_id = keyed("x", input={"to": TO, "body": "Something else."})
    assert fire() == 0
    error, overdue = held("x"), rows.get("acme", "x").next_at
    assert error is not None
    assert f"with another input by run {run_id}" in error
    assert overdue is not None
    cancel_occurrence("acme", "x", overdue)
    assert outcomes(engine) == ["cancelled"]
    assert rows.get("acme", "x").next_at is None


def test_hundreds_of_bad_schedules_are_set_aside_and_hundreds_of_good_ones_fire(engine: Engine) -> None:
    with engine.begin() as connection:
        schedule(sms(), name="good", at=now(), connection=connection)
        columns = "organization_id, rule, expression, timezone, misfire, created_at"
        for name, template in (("good", "template"), ("bad", "template || '{\"colour\": 1}'")):
            connection.execute(
                text(
                    f"insert into schedule (id, name, template, next_at, {columns}) select gen_random_uuid(), "
                    f"'{name} ' || n, {template}, next_at, {columns} "
                    "from schedule, generate_series(1, 300) n where name = 'good'"
                )
            )
    assert fire() == 301
    assert runs_per_instant(engine) == [1] * 301
    with engine.connect() as connection:
        assert connection.execute(text("select count(*) from schedule where error is not null")).scalar_one() == 300
    assert fire() == 0
