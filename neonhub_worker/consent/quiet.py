"""When may a person be written to? Pure: quiet hours on the wall clock of wherever the person is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from phonenumbers import NumberParseException, parse, timezone

from neonhub_worker.consent.opt_outs import PHONE_CHANNELS

_SHAPE = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_UNKNOWN = "Etc/Unknown"
# Two zones whose nights follow upon each other need two steps; a third that covers the rest of the day never ends.
_MOST_STEPS = 4


@dataclass(frozen=True)
class QuietHours:
    """From one time of day to another, usually past midnight.

    Attributes:
        begin: The first moment at which nothing is sent.
        end: The first moment at which something is sent again.
    """

    begin: time
    end: time

    def __str__(self) -> str:
        return f"{self.begin:%H:%M}-{self.end:%H:%M}"

    def end_after(self, moment: datetime, zone: ZoneInfo) -> datetime | None:
        """When the quiet hours that hold at this moment end there; None if none hold.

        Args:
            moment: Aware.
        """
        local = moment.astimezone(zone)
        now = local.time()
        over_midnight = self.begin > self.end
        holds = (now >= self.begin or now < self.end) if over_midnight else self.begin <= now < self.end
        if not holds:
            return None
        day = local.date() + timedelta(days=over_midnight and now >= self.begin)
        end = datetime.combine(day, self.end, tzinfo=zone)
        # A time that comes twice, or that the clocks jump over, has two readings: it is quiet until the later one.
        return max(end.replace(fold=fold).astimezone(UTC) for fold in (0, 1))


def parse_hours(text: str) -> QuietHours:
    """Read quiet hours as people write them: ``20:00-09:00``.

    Raises:
        ValueError: It has another shape, or no length.
    """
    found = _SHAPE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} are no quiet hours; write them as 20:00-09:00")
    parts = [int(part) for part in found.groups()]
    hours = QuietHours(time(parts[0], parts[1]), time(parts[2], parts[3]))
    if hours.begin == hours.end:
        raise ValueError("quiet hours must begin and end at different times")
    return hours


def zones(channel: str, address: str, *, known: str | None, otherwise: str) -> list[ZoneInfo]:
    """Where a person may be.

    Args:
        known: The zone that the sender gave.
        otherwise: The zone of whoever nothing is known of.

    Returns:
        One zone; several if only the country is known, and it has several.
    """
    names = [known] if known is not None else _of_number(address) if channel in PHONE_CHANNELS else []
    return [ZoneInfo(name) for name in names or [otherwise]]


def _of_number(address: str) -> list[str]:
    try:
        found = timezone.time_zones_for_number(parse(address))
    except NumberParseException:
        return []
    return [name for name in found if name != _UNKNOWN]


def quiet_until(hours: QuietHours, places: Sequence[ZoneInfo], now: datetime) -> datetime | None:
    """The first moment at which it is quiet in none of these places; None if that is now.

    Where the nights of the places leave no such moment, the end of the last one looked at is taken.
    """
    moment = now
    for _ in range(_MOST_STEPS):
        ends = [end for place in places if (end := hours.end_after(moment, place)) is not None]
        if not ends:
            break
        moment = max(ends)
    return None if moment == now else moment
