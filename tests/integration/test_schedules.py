"""Schedules on a real Postgres: every occurrence makes at most one run, however many schedulers fire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, text

from neonhub_worker import enqueue, get_run, past_occurrences, schedule
from neonhub_worker.errors import InvalidInput, UnknownSchedule
from neonhub_worker.schedules import firing, rows
from tests.conftest import ConnectionFactory
from tests.factories import sms
from tests.integration.schedules import fire, make_every_minute, now
from tests.races import at_once


@pytest.fixture(autouse=True)
def sms_connection(connection_factory: ConnectionFactory) -> None:
    connection_factory("sms", credential={}, settings={})


def pretend_due(engine: Engine, *, ago: timedelta) -> None:
    """As if the only schedule had last been looked at some time ago."""
    with engine.begin() as connection:
        connection.execute(
            text("update schedule set created_at = now() - :ago - interval '1 day', next_at = now() - :ago"),
            {"ago": ago},
        )


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
    assert {one.outcome for one in past_occurrences("acme", "minutely", count=100)} == {"skipped"}
    assert len(past_occurrences("acme", "minutely", count=100)) in (60, 61)


def test_a_schedule_paused_over_its_only_instant_has_ended_and_says_so() -> None:
    schedule(sms(), name="once", at=now())
    rows.pause("acme", "once")
    rows.resume("acme", "once")
    assert fire() == 0
    assert rows.get("acme", "once").next_at is None
    assert [one.outcome for one in past_occurrences("acme", "once")] == ["skipped"]


def test_resuming_what_is_not_paused_skips_nothing() -> None:
    schedule(sms(), name="once", at=now())
    rows.resume("acme", "once")
    assert fire() == 1


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


def test_a_schedule_fires_at_its_end_and_not_after_it() -> None:
    at = now()
    schedule(sms(), name="x", at=at, starts_at=at, ends_at=at)
    with pytest.raises(InvalidInput, match="never due"):
        schedule(sms(), name="y", at=at, ends_at=at - timedelta(microseconds=1))
    with pytest.raises(InvalidInput, match="never due"):
        schedule(sms(), name="y", at=at + timedelta(hours=1), starts_at=at + timedelta(hours=2))
    assert fire() == 1


def test_an_instant_that_has_passed_is_refused_instead_of_sent_at_once() -> None:
    with pytest.raises(InvalidInput, match=r"at: has passed; `neonhub enqueue` does it now"):
        schedule(sms(), name="x", at=now() - timedelta(minutes=2))


def test_a_start_in_the_past_only_says_what_every_counts_from() -> None:
    start = now().replace(microsecond=0) - timedelta(days=3, minutes=10)
    schedule(sms(), name="hourly", every=timedelta(hours=1), starts_at=start)
    assert fire() == 0
    following = rows.get("acme", "hourly").next_at
    assert following is not None
    assert (following - start) % timedelta(hours=1) == timedelta()


@pytest.mark.parametrize("field", ["starts_at", "ends_at"])
def test_a_limit_that_is_no_instant_is_refused(field: str) -> None:
    for wrong, says in ((datetime(2030, 1, 1), "offset"), (datetime(9999, 1, 1, tzinfo=UTC), "years")):  # noqa: DTZ001
        with pytest.raises(InvalidInput, match=f"{field}: .*{says}"):
            schedule(sms(), name="x", every=timedelta(hours=1), **{field: wrong})  # type: ignore[arg-type]


def test_jitter_delays_the_run_and_not_the_occurrence(engine: Engine) -> None:
    at = now()
    schedule(sms(), name="x", at=at, jitter_s=86_400)
    assert fire() == 1
    (occurrence,) = past_occurrences("acme", "x")
    assert occurrence.due_at == at
    assert occurrence.run_id is not None
    assert at < get_run(occurrence.run_id).run_at < at + timedelta(days=1)
    assert occurrence.run_state == "scheduled"


def test_a_wrong_request_is_refused_when_the_schedule_is_made() -> None:
    with pytest.raises(InvalidInput, match=r"input\.to"):
        schedule({**sms(), "input": {"to": "12", "body": "x"}}, name="x", cron="0 9 * * *")
    with pytest.raises(InvalidInput, match=r"expires_at: .*ends_at ends a schedule"):
        schedule({**sms(), "expires_at": now()}, name="x", cron="0 9 * * *")
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
