"""Any rule, in any zone, over any stretch of time: its instants are those that a patient clock watcher writes down."""

from __future__ import annotations

import functools
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from neonhub_worker.schedules.rules import MISFIRES, Rule, jitter
from neonhub_worker.schedules.schedule import Schedule, decide

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
WATCHED = 2 * DAY

# Shifts of an hour, of half an hour and of two; at midnight; offsets of 45 minutes; years with four shifts; none.
ZONES = (
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Antarctica/Troll", "America/Havana", "Asia/Beirut",
    "Atlantic/Azores", "Africa/Cairo", "Pacific/Chatham", "Africa/Casablanca", "Asia/Kathmandu", "UTC",
)  # fmt: skip
moments = st.integers(0, 4 * 10**9).map(lambda seconds: datetime(1970, 1, 2, tzinfo=UTC) + timedelta(seconds=seconds))
DAYS_OF_WEEK = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


class Field:
    """One field of a cron rule, as text and as the numbers that it means."""

    def __init__(self, text: str, numbers: set[int]) -> None:
        self.text, self.numbers = text, numbers

    def __repr__(self) -> str:
        return self.text


def fields(low: int, high: int, *, mostly: int | None = None) -> st.SearchStrategy[Field]:
    number = st.integers(low, mostly or high)
    return st.one_of(
        st.just(Field("*", set(range(low, high + 1)))),
        st.integers(2, max(2, high // 2)).map(lambda n: Field(f"*/{n}", set(range(low, high + 1, n)))),
        number.map(lambda n: Field(str(n), {n})),
        st.sets(number, min_size=2, max_size=4).map(lambda ns: Field(",".join(map(str, ns)), ns)),
        st.tuples(number, number).map(lambda ab: Field(f"{min(ab)}-{max(ab)}", set(range(min(ab), max(ab) + 1)))),
    )


@st.composite
def crons(draw: st.DrawFn) -> tuple[Field, Field, Field, Field]:
    """Minute, hour, day of the month, day of the week; the hours are often the small ones, where clocks are set."""
    days_of_week = st.sets(st.integers(0, 6), min_size=1, max_size=3).map(
        lambda days: Field(",".join(DAYS_OF_WEEK[day] for day in days), days)
    )
    any_day = Field("*", set(range(32)))
    return (
        draw(fields(0, 59)),
        draw(st.one_of(fields(0, 23), fields(0, 23, mostly=3))) if draw(st.booleans()) else Field("*", set(range(24))),
        draw(st.one_of(st.just(any_day), fields(1, 31))),
        draw(st.one_of(st.just(any_day), days_of_week)),
    )


@functools.cache
def days_with_a_shift(zone: str) -> list[datetime]:
    """The days (UTC) of some years in which a zone's clock is set."""
    days = [datetime(2023, 1, 1, tzinfo=UTC) + n * DAY for n in range(4 * 365)]
    offsets = [day.astimezone(ZoneInfo(zone)).utcoffset() for day in days]
    return [day for day, before, after in zip(days, offsets, offsets[1:], strict=False) if before != after]


@st.composite
def stretches(draw: st.DrawFn) -> tuple[str, datetime]:
    """A zone and the beginning of what is watched there: mostly around a day on which its clock is set."""
    if draw(st.integers(0, 9)) == 0:
        return "Pacific/Apia", datetime(2011, 12, 28, 12, tzinfo=UTC)  # there was no 30 December
    zone = draw(st.sampled_from(ZONES))
    days = days_with_a_shift(zone) or [datetime(2024, 2, 28, tzinfo=UTC)]
    begin = draw(st.sampled_from(days)) - DAY
    return zone, begin + MINUTE * draw(st.integers(0, 600))


def matches(cron: tuple[Field, Field, Field, Field], wall: datetime) -> bool:
    minute, hour, day, day_of_week = cron
    on_day, on_weekday = wall.day in day.numbers, wall.isoweekday() % 7 in day_of_week.numbers
    either = not day.text.startswith("*") and not day_of_week.text.startswith("*")
    return (
        wall.minute in minute.numbers
        and wall.hour in hour.numbers
        and ((on_day or on_weekday) if either else (on_day and on_weekday))
    )


def watch(cron: tuple[Field, Field, Field, Field], zone: str, begin: datetime) -> list[datetime]:
    """Look at the wall clock every minute and write down when the rule is due."""
    every_hour = cron[1].numbers == set(range(24))
    local = ZoneInfo(zone)
    # From a day before, so that it is known what the clock has shown already.
    latest = (begin - DAY).astimezone(local).replace(tzinfo=None)
    found = []
    for moment in (begin - DAY + MINUTE * n for n in range(1, (WATCHED + DAY) // MINUTE + 1)):
        wall = moment.astimezone(local).replace(tzinfo=None)
        # What is new since the latest it has shown: nothing if it was set back, much if it was set forward.
        new = [latest + MINUTE * n for n in range(1, (wall - latest) // MINUTE + 1)]
        shown = [wall] if every_hour else new
        latest = max(latest, wall)
        if moment > begin and any(matches(cron, one) for one in shown):
            found.append(moment)
    return found


@settings(max_examples=40, deadline=None)
@given(crons(), stretches(), st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_a_cron_rule_is_due_exactly_when_the_wall_clock_says_so(
    cron: tuple[Field, Field, Field, Field], stretch: tuple[str, datetime], places: list[float]
) -> None:
    zone, begin = stretch
    minute, hour, day, day_of_week = cron
    rule = Rule("cron", f"{minute} {hour} {day} * {day_of_week}", zone, begin)
    expected = watch(cron, zone, begin)
    found, moment = [], rule.next_after(begin)
    while moment is not None and moment <= begin + WATCHED:
        found.append(moment)
        moment = rule.next_after(moment)
    assert found == expected
    for place in places:  # wherever one begins to ask, the next is the next
        asked = begin + WATCHED * place
        later = [moment for moment in expected if moment > asked]
        following = rule.next_after(asked)
        assert following == later[0] if later else following is None or following > begin + WATCHED


@given(st.integers(1, 3660 * 86_400), moments, st.integers(-(10**7), 10**9))
def test_every_is_elapsed_time_whatever_the_clocks_show(every_s: int, begin: datetime, later_s: int) -> None:
    every = timedelta(seconds=every_s)
    moment = begin + timedelta(seconds=later_s)
    following = Rule("every", repr(every.total_seconds()), "Europe/Berlin", begin).next_after(moment)
    assert following is not None
    assert (following - begin) % every == timedelta()
    assert following == begin if moment < begin else moment < following <= moment + every


SCHEDULE = Schedule(
    id=uuid.UUID(int=1), organization_id="acme", name="x", rule="cron", expression="*/7 * * * *", timezone="UTC",
    misfire="skip", catch_up_limit=3, jitter_s=0, paused=False, starts_at=None, ends_at=None, next_at=None,
    last_at=None, created_at=datetime(2026, 1, 1, tzinfo=UTC), error=None, retry_at=None, template={},
)  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(crons(), stretches(), st.sampled_from(MISFIRES), st.lists(st.floats(0, 1), max_size=30), st.randoms())
def test_however_time_is_split_each_instant_is_decided_once_and_in_order(
    cron: tuple[Field, Field, Field, Field],
    stretch: tuple[str, datetime],
    misfire: str,
    places: list[float],
    random: Random,
) -> None:
    zone, begin = stretch
    minute, hour, day, day_of_week = cron
    expression = f"{minute} {hour} {day} * {day_of_week}"
    made = replace(SCHEDULE, expression=expression, timezone=zone, misfire=misfire, created_at=begin)
    expected: list[datetime] = []
    due = made.after(begin)
    while due is not None and due <= begin + DAY and len(expected) < 90:
        expected.append(due)
        due = made.after(due)
    cancelled = {instant for instant in expected if random.random() < 0.2}
    schedule = replace(made, next_at=made.after(begin, without=cancelled))
    end = expected[-1] if expected else begin
    fired: list[datetime] = []
    decided: list[datetime] = []
    for now in sorted(begin + (end - begin) * place for place in [*places, 1.0]):
        decision = decide(schedule, now, taken=cancelled)
        fired += decision.fired
        decided += sorted(decision.fired + decision.skipped)
        assert decision.next_at is None or decision.next_at > now
        assert decision.next_at not in cancelled
        schedule = replace(schedule, next_at=decision.next_at)
    assert decided == [instant for instant in expected if instant not in cancelled]
    assert fired == sorted(set(fired))


@given(st.uuids(), moments, st.integers(1, 10**12))
def test_jitter_is_shorter_than_its_room(schedule_id: uuid.UUID, due_at: datetime, room_us: int) -> None:
    room = timedelta(microseconds=room_us)
    moved = jitter(schedule_id, due_at, room)
    assert timedelta() <= moved < room
    assert moved == jitter(schedule_id, due_at.astimezone(ZoneInfo("Asia/Kolkata")), room)
