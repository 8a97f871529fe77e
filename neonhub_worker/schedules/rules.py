"""When is a rule due? Pure: a rule, a zone and an instant give the next instant.

``every`` counts elapsed time. A cron rule means its zone's wall clock, which is set forward and back:

- A rule that names hours (``30 2 * * *``, ``0 */6 * * *``) is due once at each local time that it names. One that is
  skipped is due at the next valid instant, together with the others of that gap; one that is repeated, when it comes
  first.
- A rule of every hour (``*/15 * * * *``) is due whenever the wall clock shows one of its minutes. It keeps its pace
  through a repeated hour, and an hour that is skipped does not come.

Cron implementations that know zones (Debian's cron, cronsim) make the same difference, but count a rule as of the
second kind as soon as its minute or its hour begins with ``*``; here the hours alone decide, so that no day is lost.
"""

from __future__ import annotations

import functools
import hashlib
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from neonhub_worker import clock
from neonhub_worker.errors import FieldError, InvalidInput
from neonhub_worker.schedules import zones

_LONGEST = timedelta(days=3660)
_LONGEST_CRON = 200
_EVERY_HOUR = set(range(24))
_ANY_WALL = datetime(2026, 1, 1)  # noqa: DTZ001 (wall-clock time is meant)

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

        Raises:
            InvalidInput: This machine's zone data does not know the zone.

        >>> nine = Rule("cron", "30 2 * * *", "Europe/Berlin", datetime(2026, 1, 1, tzinfo=UTC))
        >>> nine.next_after(datetime(2026, 3, 28, 12, tzinfo=UTC)).isoformat()  # 02:30 is skipped on the 29th
        '2026-03-29T01:00:00+00:00'
        """
        following = {"once": self._next_once, "every": self._next_every, "cron": self._next_cron}[self.kind]
        try:
            return following(moment.astimezone(UTC))
        except OverflowError:  # past the last year that a date can have
            return None

    def _next_once(self, moment: datetime) -> datetime | None:
        due = datetime.fromisoformat(self.expression).astimezone(UTC)
        return due if due > moment else None

    def _next_every(self, moment: datetime) -> datetime:
        every, anchor = timedelta(seconds=float(self.expression)), self.anchor.astimezone(UTC)
        if moment < anchor:
            return anchor
        return anchor + every * ((moment - anchor) // every + 1)

    def _next_cron(self, moment: datetime) -> datetime | None:
        # Asked in wall-clock time without a zone, so that its shifts are decided here and nowhere else.
        zone = zone_named(self.zone)
        if _of_every_hour(self.expression):
            return self._next_shown(moment, zone)
        walls = CronSim(self.expression, _wall(moment, zones.offset(moment, zone)))
        return next((due for wall in walls if (due := zones.instant_of(wall, zone)) > moment), None)

    def _next_shown(self, moment: datetime, zone: ZoneInfo) -> datetime | None:
        """The first instant after ``moment`` at which the wall clock shows a time of the rule."""
        constant_from, begin = moment, moment
        while True:
            offset = zones.offset(constant_from, zone)
            wall = next(CronSim(self.expression, _wall(begin, offset)), None)
            if wall is None:
                return None
            due: datetime = (wall - offset).replace(tzinfo=UTC)
            shift = zones.shift_between(constant_from, due, zone)
            if shift is None:
                return due
            # The clock is set before that; what it shows from then on, and at that instant, is looked at anew.
            constant_from, begin = shift, shift - timedelta(seconds=1)


@functools.lru_cache(maxsize=1024)
def _of_every_hour(expression: str) -> bool:
    return CronSim(expression, _ANY_WALL).hours == _EVERY_HOUR


def _wall(moment: datetime, offset: timedelta) -> datetime:
    return (moment + offset).replace(tzinfo=None)


def jitter(schedule_id: uuid.UUID, due_at: datetime, room: timedelta) -> timedelta:
    """How much later one occurrence starts: spread evenly over ``room`` and shorter, the same whenever it is asked."""
    seed = hashlib.sha256(f"{schedule_id}:{due_at.astimezone(UTC).isoformat()}".encode()).digest()
    microseconds = room // timedelta(microseconds=1)
    return timedelta(microseconds=microseconds * int.from_bytes(seed[:8], "big") >> 64)


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
    zone_named(zone)
    if at is not None:
        if broken := broken_instant("at", at):
            raise InvalidInput(broken)
        return Rule("once", at.astimezone(UTC).isoformat(), zone, anchor)
    if every is not None:
        if not timedelta(seconds=1) <= every <= _LONGEST:
            raise InvalidInput([FieldError("every", f"must be between a second and {_LONGEST.days} days")])
        return Rule("every", repr(every.total_seconds()), zone, anchor)
    return Rule("cron", _cron(str(cron)), zone, anchor)


def zone_named(name: str) -> ZoneInfo:
    """An IANA zone.

    Raises:
        InvalidInput: This machine's zone data does not know it.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput([FieldError("timezone", f"{name!r} is no IANA zone, such as Europe/Berlin")]) from None


def broken_instant(field: str, moment: datetime) -> list[FieldError]:
    """What keeps an instant from being one, in words."""
    if moment.tzinfo is None:
        return [FieldError(field, "needs a zone or an offset")]
    if not clock.within_reach(moment):
        return [FieldError(field, f"must lie between the years 1970 and {clock.LAST_YEAR}")]
    return []


def _cron(expression: str) -> str:
    if len(expression.split()) != 5:
        raise InvalidInput([FieldError("cron", "needs five fields: minute hour day-of-month month day-of-week")])
    if len(expression) > _LONGEST_CRON:
        raise InvalidInput([FieldError("cron", f"must have at most {_LONGEST_CRON} characters")])
    try:
        next(CronSim(expression, _ANY_WALL))
    except (CronSimError, ValueError) as error:
        raise InvalidInput([FieldError("cron", f"{error} in {expression!r}")]) from None
    except StopIteration:
        raise InvalidInput([FieldError("cron", f"{expression!r} never comes")]) from None
    return expression
