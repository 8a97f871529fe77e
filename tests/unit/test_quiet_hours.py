"""Quiet hours on the wall clock of wherever a person is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neonhub_worker.consent import contact_rules, quiet
from neonhub_worker.consent.contact_rules import Cap, ContactRule

NEW_YORK = ZoneInfo("America/New_York")
NIGHT = quiet.parse_hours("20:00-09:00")


def at(text: str, zone: ZoneInfo = NEW_YORK) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-25T19:59:59", None),
        ("2026-11-25T20:00:00", "2026-11-26T09:00:00"),
        ("2026-11-26T00:00:00", "2026-11-26T09:00:00"),
        ("2026-11-26T08:59:59", "2026-11-26T09:00:00"),
        ("2026-11-26T09:00:00", None),
    ],
)
def test_the_night_is_quiet_from_its_first_second_to_its_last(now: str, until: str | None) -> None:
    found = quiet.quiet_until(NIGHT, [NEW_YORK], at(now))
    assert found == (None if until is None else at(until))


def test_hours_within_one_day_are_quiet_that_day_only() -> None:
    noon = quiet.parse_hours("12:00-14:00")
    assert quiet.quiet_until(noon, [NEW_YORK], at("2026-11-25T13:00:00")) == at("2026-11-25T14:00:00")
    assert quiet.quiet_until(noon, [NEW_YORK], at("2026-11-25T23:00:00")) is None


def test_an_hour_that_comes_twice_is_quiet_both_times_and_one_that_never_comes_ends_with_the_jump() -> None:
    early = quiet.parse_hours("00:30-01:30")
    first = datetime(2026, 11, 1, 5, 15, tzinfo=UTC)  # 01:15, before the clocks go back
    assert quiet.quiet_until(early, [NEW_YORK], first) == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    jump = quiet.parse_hours("01:00-02:30")
    found = quiet.quiet_until(jump, [NEW_YORK], datetime(2026, 3, 8, 6, 30, tzinfo=UTC))
    assert found is not None
    assert quiet.quiet_until(jump, [NEW_YORK], found) is None


def test_a_number_that_may_be_anywhere_in_a_country_is_left_in_peace_wherever_it_is_night() -> None:
    rule = ContactRule("sms", NIGHT, "UTC", (), "hold")
    toll_free = "+18005550123"
    assert len(quiet.zones("sms", toll_free, known=None, otherwise="UTC")) > 1
    found = rule.quiet_until(toll_free, at("2026-11-25T19:00:00"), zone=None)
    assert found is not None, "it is night already further east"
    for place in quiet.zones("sms", toll_free, known=None, otherwise="UTC"):
        assert NIGHT.end_after(found, place) is None
    assert rule.quiet_until(toll_free, at("2026-11-25T19:00:00"), zone="America/New_York") is None


def test_the_zone_comes_from_the_sender_then_the_number_then_the_rule() -> None:
    assert quiet.zones("sms", "+493012345678", known="Asia/Tokyo", otherwise="UTC") == [ZoneInfo("Asia/Tokyo")]
    assert quiet.zones("sms", "+493012345678", known=None, otherwise="UTC") == [ZoneInfo("Europe/Berlin")]
    assert quiet.zones("email", "ana@example.com", known=None, otherwise="Europe/Paris") == [ZoneInfo("Europe/Paris")]
    assert quiet.zones("sms", "not a number", known=None, otherwise="UTC") == [ZoneInfo("UTC")]


moments = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001
some_zones = st.lists(
    st.sampled_from(["America/New_York", "America/Los_Angeles", "Europe/Berlin", "Asia/Kolkata", "Pacific/Apia"]),
    min_size=1,
    max_size=2,
    unique=True,
)


@given(moments, some_zones, st.integers(0, 1439), st.integers(1, 700))
def test_the_end_is_later_never_quiet_and_within_two_days(
    now: datetime, names: list[str], begin: int, length: int
) -> None:
    hours = quiet.parse_hours("-".join(f"{m // 60:02}:{m % 60:02}" for m in (begin, (begin + length) % 1440)))
    places = [ZoneInfo(name) for name in names]
    until = quiet.quiet_until(hours, places, now)
    quiet_now = any(hours.end_after(now, place) is not None for place in places)
    assert (until is not None) == quiet_now
    if until is not None:
        assert now < until < now + timedelta(days=2)
        assert all(hours.end_after(until, place) is None for place in places)


@pytest.mark.parametrize("text", ["", "20-9", "20:00", "24:00-09:00", "20:60-09:00", "20:00-20:00", "20:00-09:00 UTC"])
def test_what_are_no_quiet_hours_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="quiet hours"):
        quiet.parse_hours(text)


@pytest.mark.parametrize(
    ("text", "cap"), [("3/day", Cap(3, 86_400)), ("10/week", Cap(10, 604_800)), ("1/4h", Cap(1, 14_400))]
)
def test_a_cap_reads_and_shows_alike(text: str, cap: Cap) -> None:
    assert contact_rules.parse_cap(text) == cap
    assert str(cap) == text


@pytest.mark.parametrize("text", ["", "0/day", "3", "3/0day", "3/year", "1/99week", "-1/day", "3/day per target"])
def test_what_is_no_cap_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"cap|count"):
        contact_rules.parse_cap(text)


def test_every_cap_must_leave_room() -> None:
    rule = ContactRule("sms", None, "UTC", (Cap(2, 86_400), Cap(3, 604_800)), "hold")
    now = datetime(2026, 11, 25, 12, tzinfo=UTC)
    used = [now - timedelta(hours=hours) for hours in (1, 30, 50)]
    assert rule.capped_until(used[:2], now) is None
    assert rule.capped_until(used, now) == used[2] + timedelta(days=7)
    assert rule.capped_until([used[0], used[0]], now) == used[0] + timedelta(days=1)
