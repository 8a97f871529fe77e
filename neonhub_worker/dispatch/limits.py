"""How many may go, and when? Pure: limits, and when the latest permits were used, give the next slots.

A permit allows one send at one connection. A limit of ``count`` in ``per_s`` seconds is a sliding window: a permit may
be used again ``per_s`` after the one ``count`` places before it was used, so that no window of that length ever holds
more. That is stricter than a token bucket, which lets up to twice as many through around a burst.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

Of = Literal["connection", "action", "target"]

LONGEST_S = 86_400.0
"""Permits older than this are forgotten, so no window may be longer."""

_PER = {"s": 1.0, "min": 60.0, "h": 3600.0, "day": 86_400.0}
_SHAPE = re.compile(r"(\d{1,6})/(\d{0,5})(s|min|h|day)(?: per (action|target))?", re.ASCII)


@dataclass(frozen=True)
class Limit:
    """At most ``count`` sends in any ``per_s`` seconds.

    Attributes:
        of: What is counted: all sends of a connection, those of one action, or those to one target (a recipient or
            place, by its digest).
    """

    count: int
    per_s: float
    of: Of = "connection"

    def __str__(self) -> str:
        unit, length_s = next(
            ((unit, length) for unit, length in reversed(_PER.items()) if self.per_s % length == 0), ("s", 1.0)
        )
        length = f"{self.per_s / length_s:g}"
        rate = f"{self.count}/{'' if length == '1' else length}{unit}"
        return rate if self.of == "connection" else f"{rate} per {self.of}"

    def as_json(self) -> dict[str, Any]:
        """As it stands in the database."""
        return {"count": self.count, "per_s": self.per_s, "of": self.of}


def parse(text: str) -> Limit:
    """Read a limit as people write it: ``10/s``, ``100/day``, ``1/6s per target``.

    Raises:
        ValueError: It has another shape, or is none.
    """
    found = _SHAPE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no limit; write it as 10/s, 1000/day or 1/6s per target (s, min, h, day)")
    count, length, unit, of = found.groups()
    per_s = _PER[unit] * int(length or 1)
    if int(count) == 0 or not 0 < per_s <= LONGEST_S:
        raise ValueError(f"{text!r}: at least 1, in at most one day; disable the connection to send nothing")
    return Limit(int(count), per_s, "connection" if of is None else "action" if of == "action" else "target")


def of_json(stored: Sequence[Mapping[str, Any]] | None) -> tuple[Limit, ...]:
    """Limits as they stand in the database."""
    return tuple(Limit(one["count"], one["per_s"], one["of"]) for one in stored or ())


class Window:
    """One limit of one connection, action or target, while slots are given out.

    Args:
        oldest: When the latest ``limit.count`` permits were used, as far as they matter, the oldest first.
        length: Of the newest ``limit.count`` permits in the window, how many there are.
        spare_s: Seconds by which the window is longer than the platform's.
    """

    def __init__(self, limit: Limit, oldest: Sequence[datetime], *, length: int, spare_s: float = 0.0) -> None:
        self.limit = limit
        # Permits that may be used at once; None stands for them.
        free = limit.count - length
        per = timedelta(seconds=limit.per_s + spare_s)
        self._slots: list[datetime | None] = [None] * free + [at + per for at in oldest]

    def next_slot(self, now: datetime) -> datetime | None:
        """When the next permit may be used; None if not within this window."""
        if not self._slots:
            return None
        slot = self._slots[0]
        return now if slot is None else max(now, slot)

    def take(self) -> None:
        """Use the next permit."""
        self._slots.pop(0)


def next_slot(windows: Sequence[Window], now: datetime) -> datetime | None:
    """When all of these windows have a permit; None if one has none left to give."""
    slots = [window.next_slot(now) for window in windows]
    if any(slot is None for slot in slots):
        return None
    return max((slot for slot in slots if slot is not None), default=now)
