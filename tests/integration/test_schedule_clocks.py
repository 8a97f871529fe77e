"""Beat was down, or the database's clock was set: the misfire policy decides, and no occurrence comes twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from neonhub_worker import cancel_occurrence, schedule
from neonhub_worker.schedules import rows
from tests.factories import sms
from tests.integration.schedules import clock_jumps, fire, make_every_minute, now, outcomes, runs_per_instant

pytestmark = pytest.mark.usefixtures("unsent")

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(("misfire", "fired", "skipped"), [("skip", 0, 10), ("fire_once", 1, 9), ("catch_up", 4, 6)])
def test_an_hour_without_beat_is_made_up_for_by_the_misfire_policy(
    engine: Engine, misfire: str, fired: int, skipped: int
) -> None:
    # Due in 15 minutes, then every 5: an hour and two minutes later ten have come, the last one two minutes ago.
    start = now().replace(microsecond=0) + timedelta(minutes=15)
    schedule(sms(), name="x", every=timedelta(minutes=5), starts_at=start, misfire=misfire, catch_up_limit=4)
    clock_jumps(engine, HOUR + timedelta(minutes=2))
    assert fire() == fired
    counted = outcomes(engine)
    assert (counted.count("fired"), counted.count("skipped")) == (fired, skipped)
    assert counted == ["skipped"] * skipped + ["fired"] * fired
    assert runs_per_instant(engine) == [1] * fired
    following = rows.get("acme", "x").next_at
    assert following is not None
    assert timedelta() < following - now() <= timedelta(minutes=5)
    assert fire() == 0


def test_a_cancelled_occurrence_among_the_missed_ones_is_not_the_one_that_is_made_up_for(engine: Engine) -> None:
    start = now().replace(microsecond=0) + timedelta(minutes=15)
    schedule(sms(), name="x", every=timedelta(minutes=15), starts_at=start)
    cancel_occurrence("acme", "x", start + timedelta(minutes=45))
    clock_jumps(engine, HOUR + timedelta(minutes=5))
    assert fire() == 1
    assert outcomes(engine) == ["skipped", "skipped", "fired", "cancelled"]


def test_a_clock_that_jumps_back_an_hour_repeats_no_occurrence(engine: Engine) -> None:
    make_every_minute()
    for _ in range(3):
        clock_jumps(engine, timedelta(minutes=1))
        assert fire() == 1
    clock_jumps(engine, -HOUR)
    assert fire() == 0
    for minutes in (30, 29):
        clock_jumps(engine, timedelta(minutes=minutes))
        assert fire() == 0
    clock_jumps(engine, timedelta(minutes=2))
    assert fire() == 1
    assert runs_per_instant(engine) == [1, 1, 1, 1]


@pytest.mark.parametrize(("misfire", "fired"), [("skip", 1), ("fire_once", 1), ("catch_up", 11)])
def test_a_clock_that_jumps_ahead_a_day_and_back_is_downtime_once(engine: Engine, misfire: str, fired: int) -> None:
    make_every_minute(misfire=misfire)
    clock_jumps(engine, timedelta(days=1))
    assert fire() == fired
    assert outcomes(engine).count("fired") == fired
    clock_jumps(engine, timedelta(days=-1))
    assert fire() == 0
    clock_jumps(engine, timedelta(days=1, minutes=1))
    assert fire() == 1
    assert runs_per_instant(engine) == [1] * (fired + 1)
