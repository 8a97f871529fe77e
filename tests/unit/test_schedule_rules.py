"""When is a rule due? Daylight saving, leap days, limits and what is refused."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from neonhub_worker.errors import InvalidInput
from neonhub_worker.schedules.rules import Rule, check, jitter


def due(expression: str, zone: str, after: str, count: int) -> list[str]:
    """The next instants of a cron rule, in local time."""
    moment = datetime.fromisoformat(after)
    rule = Rule("cron", expression, zone, moment)
    found = []
    for _ in range(count):
        following = rule.next_after(moment)
        assert following is not None
        moment = following
        found.append(moment.astimezone(ZoneInfo(zone)).isoformat(timespec="minutes"))
    return found


@pytest.mark.parametrize(
    ("expression", "zone", "after", "expected"),
    [
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00+00:00",
         ["2026-03-28T02:30+01:00", "2026-03-29T03:00+02:00", "2026-03-30T02:30+02:00"]),
        ("30 2 * * *", "America/New_York", "2026-03-07T12:00+00:00",
         ["2026-03-08T03:00-04:00", "2026-03-09T02:30-04:00"]),
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00+00:00",
         ["2026-10-04T02:30+11:00", "2026-10-05T02:15+11:00"]),
        ("*/20 2 * * *", "America/New_York", "2026-03-08T05:00+00:00",
         ["2026-03-08T03:00-04:00", "2026-03-09T02:00-04:00"]),
    ],
)  # fmt: skip
def test_a_skipped_local_time_fires_once_at_the_next_valid_instant(
    expression: str, zone: str, after: str, expected: list[str]
) -> None:
    assert due(expression, zone, after, len(expected)) == expected


@pytest.mark.parametrize(
    ("expression", "zone", "after", "expected"),
    [
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00+00:00",
         ["2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"]),
        ("30 1 * * *", "America/New_York", "2026-10-31T12:00+00:00",
         ["2026-11-01T01:30-04:00", "2026-11-02T01:30-05:00"]),
        ("45 1 * * *", "Australia/Lord_Howe", "2026-04-03T20:00+00:00",
         ["2026-04-05T01:45+11:00", "2026-04-06T01:45+10:30"]),
    ],
)  # fmt: skip
def test_a_repeated_local_time_fires_once(expression: str, zone: str, after: str, expected: list[str]) -> None:
    assert due(expression, zone, after, len(expected)) == expected


def test_a_rule_of_every_hour_keeps_its_pace_when_the_clock_is_set() -> None:
    assert due("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:15+00:00", 3) == [
        "2026-03-29T01:30+01:00", "2026-03-29T03:00+02:00", "2026-03-29T03:30+02:00",
    ]  # fmt: skip
    assert due("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:15+00:00", 4) == [
        "2026-10-25T02:30+02:00", "2026-10-25T02:00+01:00", "2026-10-25T02:30+01:00", "2026-10-25T03:00+01:00",
    ]  # fmt: skip
    assert due("10 * * * *", "Australia/Lord_Howe", "2026-10-03T14:00+00:00", 3) == [
        "2026-10-04T01:10+10:30", "2026-10-04T03:10+11:00", "2026-10-04T04:10+11:00",
    ]  # fmt: skip


def test_the_second_pass_of_a_rare_day_is_not_forgotten_until_next_year() -> None:
    # Beirut sets its clock back at midnight: the last hour of 24 October 2026 comes twice.
    assert due("50 * 24 10 *", "Asia/Beirut", "2026-10-24T20:55+00:00", 2) == [
        "2026-10-24T23:50+02:00", "2027-10-24T00:50+03:00",
    ]  # fmt: skip


def test_hours_that_are_named_are_due_once_a_day_whatever_the_step() -> None:
    assert due("0 */2 * * *", "Europe/Berlin", "2026-03-28T23:30+00:00", 3) == [
        "2026-03-29T03:00+02:00", "2026-03-29T04:00+02:00", "2026-03-29T06:00+02:00",
    ]  # fmt: skip
    assert due("0 */2 * * *", "Europe/Berlin", "2026-10-24T23:30+00:00", 3) == [
        "2026-10-25T02:00+02:00", "2026-10-25T04:00+01:00", "2026-10-25T06:00+01:00",
    ]  # fmt: skip


def test_a_day_that_a_zone_skips_is_made_up_for_when_the_next_one_begins() -> None:
    assert due("0 9 * * *", "Pacific/Apia", "2011-12-29T00:00+00:00", 3) == [
        "2011-12-29T09:00-10:00", "2011-12-31T00:00+14:00", "2011-12-31T09:00+14:00",
    ]  # fmt: skip


def test_a_day_of_the_month_and_one_of_the_week_are_either_or() -> None:
    assert due("0 9 13 * fri", "UTC", "2026-11-07T00:00+00:00", 3) == [
        "2026-11-13T09:00+00:00", "2026-11-20T09:00+00:00", "2026-11-27T09:00+00:00",
    ]  # fmt: skip
    assert due("0 9 31 * *", "UTC", "2026-11-07T00:00+00:00", 2) == ["2026-12-31T09:00+00:00", "2027-01-31T09:00+00:00"]
    assert due("0 9 L * *", "UTC", "2027-02-01T00:00+00:00", 2) == ["2027-02-28T09:00+00:00", "2027-03-31T09:00+00:00"]


def test_a_rule_ends_with_the_calendar() -> None:
    late = datetime(9990, 1, 1, tzinfo=UTC)
    assert Rule("every", str(3660 * 86400.0), "UTC", late).next_after(late) is None
    assert Rule("cron", "0 0 * 2 mon#5", "UTC", late).next_after(late) is None


def test_a_zone_that_is_not_known_here_is_named() -> None:
    with pytest.raises(InvalidInput, match="'Mars/Olympus' is no IANA zone"):
        Rule("cron", "* * * * *", "Mars/Olympus", datetime(2026, 1, 1, tzinfo=UTC)).next_after(
            datetime(2026, 1, 1, tzinfo=UTC)
        )


def test_a_rule_means_its_zones_wall_clock() -> None:
    assert due("0 9 * * mon", "Asia/Kolkata", "2026-11-24T00:00+00:00", 1) == ["2026-11-30T09:00+05:30"]


def test_a_leap_day_comes_every_four_years() -> None:
    assert due("0 0 29 2 *", "UTC", "2026-01-01T00:00+00:00", 2) == ["2028-02-29T00:00+00:00", "2032-02-29T00:00+00:00"]


def test_every_counts_from_its_anchor_however_late_it_is_asked() -> None:
    anchor = datetime(2026, 1, 1, tzinfo=UTC)
    rule = Rule("every", "90.0", "UTC", anchor)
    assert rule.next_after(anchor - timedelta(days=1)) == anchor
    assert rule.next_after(anchor) == anchor + timedelta(seconds=90)
    assert rule.next_after(anchor + timedelta(days=1, seconds=1)) == anchor + timedelta(days=1, seconds=90)


def test_once_is_due_once() -> None:
    at = datetime(2026, 6, 1, 9, tzinfo=UTC)
    rule = Rule("once", at.isoformat(), "UTC", at)
    assert rule.next_after(at - timedelta(seconds=1)) == at
    assert rule.next_after(at) is None


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"cron": "61 * * * *"}, "cron"),
        ({"cron": "* * * *"}, "cron"),
        ({"cron": "0 0 31 2 *"}, "cron"),
        ({"cron": "0 0 30 feb *"}, "cron"),
        ({"cron": "0 0 31 4,6,9,11 *"}, "cron"),
        ({"cron": "9" * 5000 + " * * * *"}, "cron"),
        ({"cron": "1," * 200 + "1 * * * *"}, "cron"),
        ({"every": timedelta(milliseconds=10)}, "every"),
        ({"at": datetime(2026, 1, 1)}, "at"),  # noqa: DTZ001 (that is what is refused)
        ({"cron": "* * * * *", "zone": "Europe/Atlantis"}, "timezone"),
        ({}, "rule"),
        ({"cron": "* * * * *", "every": timedelta(hours=1)}, "rule"),
    ],
)
def test_a_wrong_rule_is_refused_by_field(wrong: dict[str, object], field: str) -> None:
    values: dict[str, object] = {"cron": None, "every": None, "at": None, "zone": "UTC"}
    with pytest.raises(InvalidInput) as caught:
        check(**{**values, **wrong}, anchor=datetime(2026, 1, 1, tzinfo=UTC))  # type: ignore[arg-type]
    assert [error.field for error in caught.value.errors] == [field]


def test_jitter_is_fixed_per_occurrence_and_spread_over_its_room() -> None:
    schedule_id, start, room = uuid.uuid4(), datetime(2026, 1, 1, tzinfo=UTC), timedelta(minutes=1)
    moved = [jitter(schedule_id, start + timedelta(hours=n), room).total_seconds() for n in range(500)]
    assert moved == [jitter(schedule_id, start + timedelta(hours=n), room).total_seconds() for n in range(500)]
    assert 0 <= min(moved) < 6
    assert 54 < max(moved) < 60
    assert jitter(schedule_id, start, timedelta()) == timedelta()
