"""A schedule's limits, its jitter, and what its misfire policy makes of instants that have come."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from neonhub_worker.schedules.schedule import Schedule, decide

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)

HOURLY = Schedule(
    id=uuid.UUID(int=1), organization_id="acme", name="hourly", rule="cron", expression="0 * * * *", timezone="UTC",
    misfire="skip", catch_up_limit=2, jitter_s=0, paused=False, starts_at=None, ends_at=None, next_at=NOON,
    last_at=None, created_at=NOON - HOUR, error=None, retry_at=None, template={},
)  # fmt: skip


def hours(*after_noon: int) -> list[datetime]:
    return [NOON + HOUR * n for n in after_noon]


@pytest.mark.parametrize(
    ("misfire", "late", "cancelled", "fired", "skipped"),
    [
        # Noon to three o'clock have come; the last one is on time if it is at most a minute late.
        ("skip", MINUTE, [], [3], [0, 1, 2]),
        ("skip", 2 * MINUTE, [], [], [0, 1, 2, 3]),
        ("fire_once", MINUTE, [], [3], [0, 1, 2]),
        ("fire_once", 2 * MINUTE, [], [3], [0, 1, 2]),
        ("fire_once", 2 * MINUTE, [3], [2], [0, 1]),
        ("fire_once", MINUTE, [3], [2], [0, 1]),
        ("fire_once", 2 * MINUTE, [1, 2, 3], [0], []),
        ("fire_once", 2 * MINUTE, [0, 1, 2, 3], [], []),
        ("catch_up", MINUTE, [], [1, 2, 3], [0]),
        ("catch_up", 2 * MINUTE, [], [2, 3], [0, 1]),
        ("catch_up", 2 * MINUTE, [2], [1, 3], [0]),
        ("catch_up", 2 * MINUTE, [0, 1, 2], [3], []),
    ],
)
def test_the_misfire_policy_decides_about_what_was_missed(
    misfire: str, late: timedelta, cancelled: list[int], fired: list[int], skipped: list[int]
) -> None:
    decision = decide(replace(HOURLY, misfire=misfire), NOON + 3 * HOUR + late, taken=hours(*cancelled))
    assert (decision.fired, decision.skipped) == (hours(*fired), hours(*skipped))
    assert decision.next_at == NOON + 4 * HOUR


def test_a_schedule_waits_for_the_first_occurrence_that_is_not_cancelled() -> None:
    assert decide(HOURLY, NOON, taken=hours(1, 2, 4)).next_at == NOON + 3 * HOUR
    assert decide(replace(HOURLY, ends_at=NOON + 2 * HOUR), NOON, taken=hours(1, 2)).next_at is None


def test_the_first_and_the_last_instant_may_be_occurrences() -> None:
    limited = replace(HOURLY, starts_at=NOON, ends_at=NOON + HOUR)
    assert limited.after(NOON - 5 * HOUR) == NOON
    assert limited.after(NOON) == NOON + HOUR
    assert limited.after(NOON + HOUR) is None
    assert replace(limited, ends_at=NOON + HOUR - timedelta(microseconds=1)).after(NOON) is None
    assert replace(limited, starts_at=NOON + timedelta(microseconds=1)).after(NOON - HOUR) == NOON + HOUR


def test_every_counts_from_the_start_whether_it_is_ahead_or_past() -> None:
    every = replace(HOURLY, rule="every", expression="3600.0", starts_at=NOON + 10 * MINUTE)
    assert every.after(NOON - 100 * HOUR) == NOON + 10 * MINUTE
    assert every.after(NOON + 5 * HOUR) == NOON + 5 * HOUR + 10 * MINUTE


def test_jitter_ends_before_the_next_occurrence_and_before_the_end() -> None:
    spread = replace(HOURLY, jitter_s=86_400)
    moved = [spread.run_at(NOON + HOUR * n) - NOON - HOUR * n for n in range(200)]
    assert HOUR * 0.9 < max(moved) < HOUR
    ending = replace(spread, ends_at=NOON + MINUTE)
    assert NOON < ending.run_at(NOON) < NOON + MINUTE
    assert replace(spread, ends_at=NOON).run_at(NOON) == NOON
    # The only occurrence has no next one.
    once = replace(HOURLY, rule="once", expression=NOON.isoformat(), jitter_s=60)
    assert NOON < once.run_at(NOON) < NOON + MINUTE


def test_years_of_downtime_cost_no_time() -> None:
    every_second = replace(HOURLY, rule="every", expression="1.0", misfire="fire_once")
    begun = time.process_time()
    for one in (every_second, replace(HOURLY, expression="* * * * *"), replace(HOURLY, misfire="fire_once")):
        decision = decide(one, NOON + timedelta(days=3650), taken=())
        assert decision.fired[-1] > NOON + timedelta(days=3649)
        assert len(decision.fired) + len(decision.skipped) < 1000
    assert time.process_time() - begun < 2
