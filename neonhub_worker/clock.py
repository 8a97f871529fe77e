"""What time is it? The only place that asks.

Leases are decided by the database's clock alone. This process's clocks serve two ends: instants that are shown to
people or sent to a platform, and the length of time since a claim was sent (``elapsed_clock``).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

LAST_YEAR = 9990

# CLOCK_MONOTONIC stops while a Linux machine is suspended: a worker that wakes up late would believe in its lease.
_ELAPSED_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def now() -> datetime:
    """The current instant, aware, in UTC."""
    return datetime.now(UTC)


def elapsed_clock() -> float:
    """Seconds on a clock that never goes back nor stops while the machine sleeps; only differences mean anything."""
    return time.clock_gettime(_ELAPSED_CLOCK)


def within_reach(moment: datetime) -> bool:
    """Whether an aware instant lies well within what Python and Postgres can hold, in every zone."""
    return 1970 <= moment.year <= LAST_YEAR


def utc_from_iso(text: str) -> datetime:
    """An instant from ISO 8601; without an offset it is UTC, as Celery writes it."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
