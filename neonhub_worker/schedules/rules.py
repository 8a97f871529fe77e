"""When is a rule due? Pure: a rule, a zone and an instant give the next instant.

Daylight saving: a local time that is skipped fires at the next valid instant, one that is repeated fires once, at its
first occurrence.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from neonhub_worker import clock
from neonhub_worker.errors import FieldError, InvalidInput

_LONGEST = timedelta(days=3660)

MISFIRES = ("skip", "fire_once", "catch_up")


@dataclass(frozen=True)
class Rule:
    """A checked rule.

    Attributes:
        kind: ``once``, ``every`` or ``cron``.
        expression: An ISO instant, a number of seconds, or five cron fields.
        zone: IANA zone in which the cron fields are meant.
        anchor: Instant that ``every`` counts from, aware.
    """

    kind: str
    expression: str
    zone: str
    anchor: datetime

    def next_after(self, moment: datetime) -> datetime | None:
        """The first due instant after ``moment``, in UTC; None if there is none.

        >>> nine = Rule("cron", "30 2 * * *", "Europe/Berlin", datetime(2026, 1, 1, tzinfo=UTC))
        >>> nine.next_after(datetime(2026, 3, 28, 12, tzinfo=UTC)).isoformat()  # 02:30 is skipped on the 29th
        '2026-03-29T01:00:00+00:00'
        """
        if self.kind == "once":
            due = datetime.fromisoformat(self.expression)
            return due if due > moment else None
        if self.kind == "every":
            return self._next_every(moment)
        return self._next_cron(moment)

    def _next_every(self, moment: datetime) -> datetime:
        every = timedelta(seconds=float(self.expression))
        if moment < self.anchor:
            return self.anchor
        return self.anchor + every * ((moment - self.anchor) // every + 1)

    def _next_cron(self, moment: datetime) -> datetime | None:
        zone = ZoneInfo(self.zone)
        # Asked in wall-clock time, so that the zone's jumps are decided here and nowhere else.
        wall = moment.astimezone(zone).replace(tzinfo=None) - timedelta(hours=3)
        for candidate in CronSim(self.expression, wall):
            due = _instant(candidate, zone)
            if due > moment:
                return due
        return None


def _instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant of a wall-clock time: its first if there are two, the end of the gap if there is none."""
    due = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if due.astimezone(zone).replace(tzinfo=None) == wall:
        return due
    # In a gap: read with the offset from before it, the instant lies past the gap's end by less than the gap's length.
    gap = _offset(wall + timedelta(days=1), zone) - _offset(wall - timedelta(days=1), zone)
    moment = due - gap
    while moment.astimezone(zone).replace(tzinfo=None) < wall:
        moment += timedelta(minutes=1)
    return moment


def _offset(wall: datetime, zone: ZoneInfo) -> timedelta:
    offset = wall.replace(tzinfo=zone).utcoffset()
    assert offset is not None
    return offset


def jitter(schedule_id: uuid.UUID, due_at: datetime, longest_s: int) -> timedelta:
    """How much later one occurrence starts: the same whenever it is asked, spread evenly over ``longest_s`` seconds."""
    if longest_s <= 0:
        return timedelta()
    seed = hashlib.sha256(f"{schedule_id}:{due_at.isoformat()}".encode()).digest()
    return timedelta(seconds=longest_s * int.from_bytes(seed[:8], "big") / 2**64)


def check(*, cron: str | None, every: timedelta | None, at: datetime | None, zone: str, anchor: datetime) -> Rule:
    """Read a rule.

    Args:
        anchor: Where ``every`` counts from.

    Raises:
        InvalidInput: Not exactly one of cron, every and at is given, or one is wrong.
    """
    given = [name for name, value in (("cron", cron), ("every", every), ("at", at)) if value is not None]
    if len(given) != 1:
        raise InvalidInput(
            [FieldError("rule", f"needs exactly one of cron, every and at; got {', '.join(given) or 'none'}")]
        )
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput([FieldError("timezone", f"{zone!r} is no IANA zone, such as Europe/Berlin")]) from None
    if at is not None:
        return Rule("once", _aware("at", at).isoformat(), zone, anchor)
    if every is not None:
        if not timedelta(seconds=1) <= every <= _LONGEST:
            raise InvalidInput([FieldError("every", f"must be between a second and {_LONGEST.days} days")])
        return Rule("every", repr(every.total_seconds()), zone, anchor)
    return Rule("cron", _cron(str(cron)), zone, anchor)


def _aware(field: str, moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise InvalidInput([FieldError(field, "needs a zone or an offset")])
    if not clock.within_reach(moment):
        raise InvalidInput([FieldError(field, f"must lie between the years 1970 and {clock.LAST_YEAR}")])
    return moment.astimezone(UTC)


def _cron(expression: str) -> str:
    if len(expression.split()) != 5:
        raise InvalidInput([FieldError("cron", "needs five fields: minute hour day-of-month month day-of-week")])
    try:
        next(CronSim(expression, datetime(2026, 1, 1)))  # noqa: DTZ001 (wall-clock time is meant)
    except CronSimError as error:
        raise InvalidInput([FieldError("cron", f"{error} in {expression!r}")]) from None
    except StopIteration:
        raise InvalidInput([FieldError("cron", f"{expression!r} never comes")]) from None
    return expression
