"""Schedules on a real Postgres: every occurrence makes at most one run, however many schedulers fire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from neonhub_worker import cancel_occurrence, enqueue, get_run, schedule
from neonhub_worker.db.engine import transaction
from neonhub_worker.errors import InvalidInput, UnknownSchedule
from neonhub_worker.schedules import firing, rows
from tests.conftest import ConnectionFactory
from tests.factories import sms
from tests.races import at_once


@pytest.fixture(autouse=True)
def sms_connection(connection_factory: ConnectionFactory) -> None:
    connection_factory("sms", credential={}, settings={})


def fire() -> int:
    with transaction() as connection:
        return firing.fire_due(connection)


def now() -> datetime:
    with transaction() as connection:
        moment: datetime = connection.execute(text("select now()")).scalar_one()
        return moment


def pretend_due(engine: Engine, *, ago: timedelta) -> None:
    """As if the only schedule had last been looked at some time ago."""
    with engine.begin() as connection:
        connection.execute(
            text("update schedule set created_at = now() - :ago - interval '1 day', next_at = now() - :ago"),
            {"ago": ago},
        )


def outcomes(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(text("select outcome from occurrence order by due_at")).scalars())


def make_every_minute(**changes: Any) -> None:
    schedule(sms(), name="minutely", every=timedelta(minutes=1), **changes)


def test_an_occurrence_becomes_a_run_with_the_schedules_input(engine: Engine) -> None:
    schedule(sms(), name="soon", at=now() - timedelta(seconds=1))
    assert fire() == 1
    with engine.connect() as connection:
        run_id = connection.execute(text("select run_id from occurrence")).scalar_one()
    run = get_run(run_id)
    assert (run.state, run.name, run.input["body"]) == ("queued", "sms.sendSMS", "Spring is here.")
    assert fire() == 0
    assert rows.get("acme", "soon").next_at is None


def test_five_schedulers_fire_each_occurrence_once(engine: Engine) -> None:
    for number in range(20):
        schedule(sms(), name=f"s{number}", at=now() - timedelta(seconds=1))
    fired: list[int] = []
    at_once(*[lambda: fired.append(fire())] * 5)
    assert sum(fired) == 20
    with engine.connect() as connection:
        assert connection.execute(text("select count(*) from run")).scalar_one() == 20


def test_a_crash_before_the_commit_leaves_everything_due(engine: Engine) -> None:
    schedule(sms(), name="soon", at=now() - timedelta(seconds=1))
    with engine.connect() as connection:
        assert firing.fire_due(connection) == 1
        connection.rollback()
    assert fire() == 1


@pytest.mark.parametrize(("misfire", "fired", "skipped"), [("skip", 0, 10), ("fire_once", 1, 9), ("catch_up", 4, 6)])
def test_downtime_is_made_up_for_by_the_misfire_policy(engine: Engine, misfire: str, fired: int, skipped: int) -> None:
    schedule(sms(), name="five minutes", every=timedelta(minutes=5), misfire=misfire, catch_up_limit=4)
    with engine.begin() as connection:
        # Due ten times while nothing ran, the last time two minutes ago.
        down_since = "now() - interval '47 minutes'"
        connection.execute(text(f"update schedule set created_at = {down_since}, next_at = {down_since}"))
    assert fire() == fired
    counted = outcomes(engine)
    assert (counted.count("fired"), counted.count("skipped")) == (fired, skipped)
    following = rows.get("acme", "five minutes").next_at
    assert following is not None
    assert timedelta() < following - now() <= timedelta(minutes=5)


def test_a_little_late_is_not_missed(engine: Engine) -> None:
    make_every_minute(misfire="skip")
    pretend_due(engine, ago=timedelta(seconds=20))
    assert fire() == 1


def test_a_paused_schedule_does_not_fire_and_owes_nothing_when_resumed(engine: Engine) -> None:
    make_every_minute()
    rows.pause("acme", "minutely")
    pretend_due(engine, ago=timedelta(hours=1))
    assert fire() == 0
    rows.resume("acme", "minutely")
    assert fire() == 0
    following = rows.get("acme", "minutely").next_at
    assert following is not None
    assert following > now()


def test_a_cancelled_occurrence_is_left_out(engine: Engine) -> None:
    schedule(sms(), name="once", at=now() + timedelta(hours=1))
    due_at = rows.get("acme", "once").next_at
    assert due_at is not None
    cancel_occurrence("acme", "once", due_at)
    with engine.begin() as connection:
        connection.execute(text("update schedule set next_at = now() where name = 'once'"))
        connection.execute(text("update occurrence set due_at = (select next_at from schedule)"))
    assert fire() == 0
    with pytest.raises(InvalidInput, match="not due at"):
        cancel_occurrence("acme", "once", due_at + timedelta(minutes=7))


def test_a_schedule_ends(engine: Engine) -> None:
    make_every_minute(ends_at=now() + timedelta(minutes=1, seconds=30))
    pretend_due(engine, ago=timedelta(seconds=1))
    with engine.begin() as connection:
        connection.execute(text("update schedule set ends_at = now()"))
    assert fire() == 1
    assert rows.get("acme", "minutely").next_at is None


def test_a_schedule_that_could_never_fire_is_refused() -> None:
    start = datetime(2030, 1, 1, tzinfo=UTC)
    with pytest.raises(InvalidInput, match="never due"):
        schedule(sms(), name="x", cron="0 9 * * *", starts_at=start, ends_at=start + timedelta(hours=1))


def test_a_wrong_request_is_refused_when_the_schedule_is_made() -> None:
    with pytest.raises(InvalidInput, match=r"input\.to"):
        schedule({**sms(), "input": {"to": "12", "body": "x"}}, name="x", cron="0 9 * * *")
    with pytest.raises(InvalidInput, match="each occurrence has its own"):
        schedule({**sms(), "idempotency_key": "k"}, name="x", cron="0 9 * * *")


def test_two_schedules_of_one_name_are_refused_and_unknown_ones_named() -> None:
    make_every_minute()
    with pytest.raises(InvalidInput, match="already"):
        make_every_minute()
    assert [one.name for one in rows.list_all("acme")] == ["minutely"]
    rows.remove("acme", "minutely")
    with pytest.raises(UnknownSchedule, match="minutely"):
        rows.remove("acme", "minutely")


def test_a_run_with_a_time_needs_no_schedule(engine: Engine) -> None:
    run_id = enqueue({**sms(), "at": now() + timedelta(hours=1)})
    assert get_run(run_id).state == "scheduled"
