"""What does a zone's wall clock show, and when is it set forward or back? Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


def offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    """How far the zone's wall clock is ahead of UTC at an instant."""
    ahead = moment.astimezone(zone).utcoffset()
    assert ahead is not None
    return ahead


def shift_between(after: datetime, until: datetime, zone: ZoneInfo) -> datetime | None:
    """The first instant in (after, until] at which the wall clock is set forward or back, in UTC; None if it is not.

    A day is looked at as a whole: no zone has set its clock twice within one and ended where it began.
    """
    before, low = offset(after, zone), after
    while low < until:
        high = min(low + _DAY, until)
        if offset(high, zone) != before:
            return _find_shift(low, high, zone, before)
        low = high
    return None


def _find_shift(low: datetime, high: datetime, zone: ZoneInfo, before: timedelta) -> datetime:
    """Clocks are set at whole seconds of UTC."""
    low = low.astimezone(UTC).replace(microsecond=0)
    high = high.astimezone(UTC).replace(microsecond=0)
    while high - low > _SECOND:
        middle = low + (high - low) // _SECOND // 2 * _SECOND
        low, high = (middle, high) if offset(middle, zone) == before else (low, middle)
    return high


def instant_of(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant at which the wall clock shows ``wall`` (naive), in UTC.

    The first one if the clock shows it twice; if it never does, the instant at which the clock is set forward over it.
    """
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == wall:
        return first
    # Skipped: read with the offset from after the shift it lies before the shift, and the other way round.
    shift = shift_between(wall.replace(tzinfo=zone, fold=1).astimezone(UTC), first, zone)
    assert shift is not None
    return shift
