"""Limits: how people write them, and that no window ever holds more than its limit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neonhub_worker.dispatch.limits import Limit, Window, next_slot, of_json, parse

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("10/s", Limit(10, 1.0)),
        ("1/6s per target", Limit(1, 6.0, "target")),
        ("30/min per action", Limit(30, 60.0, "action")),
        ("1000/day", Limit(1000, 86_400.0)),
        ("50/15min", Limit(50, 900.0)),
    ],
)
def test_a_limit_is_read_as_people_write_it_and_written_the_same_way(text: str, limit: Limit) -> None:
    assert parse(text) == limit
    assert str(limit) == text
    assert of_json([limit.as_json()]) == (limit,)


@pytest.mark.parametrize("text", ["", "10", "10/", "0/s", "10/0s", "2/2day", "-1/s", "10/s per person", "1.5/s", "٣/s"])
def test_what_is_no_limit_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"at least 1|10/s"):
        parse(text)


def window(limit: Limit, used: list[datetime], wanted: int) -> Window:
    """As the database reads it: of the newest permits in the window the oldest, as far as they matter."""
    newest = sorted(at for at in used if at > NOW - timedelta(seconds=limit.per_s))[-limit.count :]
    return Window(limit, newest[:wanted], length=len(newest))


ages = st.lists(st.floats(0, 90), max_size=12)


@given(st.integers(1, 5), st.floats(1, 60), ages, st.integers(1, 8))
def test_however_permits_were_used_no_window_holds_more_than_its_limit(
    count: int, per_s: float, ages: list[float], wanted: int
) -> None:
    limit = Limit(count, per_s)
    used: list[datetime] = []
    for age in sorted(ages, reverse=True):  # a past in which the limit was kept
        at = NOW - timedelta(seconds=age)
        if len(used) < count or at - used[-count] >= timedelta(seconds=per_s):
            used.append(at)
    open_window = window(limit, used, wanted)
    for _ in range(wanted):
        slot = open_window.next_slot(NOW)
        if slot is None:
            break
        assert slot >= NOW
        used.append(slot)
        open_window.take()
    assert used == sorted(used)
    assert all(later - earlier >= timedelta(seconds=per_s) for earlier, later in zip(used, used[count:], strict=False))


def test_no_permit_waits_longer_than_it_has_to() -> None:
    used = [NOW - timedelta(seconds=0.9), NOW - timedelta(seconds=0.4)]
    two_a_second = window(Limit(2, 1.0), used, 2)
    assert two_a_second.next_slot(NOW) == NOW + timedelta(seconds=0.1)
    two_a_second.take()
    assert two_a_second.next_slot(NOW) == NOW + timedelta(seconds=0.6)
    assert window(Limit(3, 1.0), used, 1).next_slot(NOW) == NOW


def test_several_limits_hold_at_once() -> None:
    second = window(Limit(1, 1.0), [NOW - timedelta(seconds=0.5)], 1)
    day = window(Limit(2, 86_400.0), [NOW - timedelta(hours=23), NOW - timedelta(seconds=0.5)], 1)
    assert next_slot([second], NOW) == NOW + timedelta(seconds=0.5)
    assert next_slot([second, day], NOW) == NOW + timedelta(hours=1)
    assert next_slot([], NOW) == NOW
