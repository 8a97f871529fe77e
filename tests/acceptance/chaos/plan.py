"""What is killed, and when? Drawn from the seed, before anything runs."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

GUARDS = frozenset({"supervisor", "keeper"})
"""Killed in the same second, nobody is left to start anything again; so they are never struck one after the other."""


class Way(StrEnum):
    """How a process is struck."""

    KILL = "SIGKILL"
    KILL_AND_EMPTY = "SIGKILL, its data removed"
    IMMEDIATE = "pg_ctl -m immediate"
    FREEZE = "SIGSTOP for longer than the lease"


@dataclass(frozen=True)
class Strike:
    """One blow.

    Attributes:
        process: Name in the stack.
        after_s: Seconds since the blow before it.
        lead_s: Seconds before it at which new requests are made, which are then in flight, or being accepted.
        freeze_s: How long it stays frozen, if that is the way.
    """

    process: str
    way: Way
    after_s: float
    lead_s: float
    freeze_s: float = 0.0


STACK = (
    ("actions.1", Way.KILL),
    ("actions.1", Way.KILL),
    ("actions.2", Way.KILL),
    ("actions.2", Way.KILL),
    ("beat", Way.KILL),
    ("supervisor", Way.KILL),
    ("keeper", Way.KILL),
    ("broker", Way.KILL_AND_EMPTY),
    ("postgres", Way.IMMEDIATE),
    ("postgres", Way.KILL),
    ("sandbox", Way.KILL),
    ("webhooks", Way.KILL),
    ("flower", Way.KILL),
)
"""The deck: every kind of process of the stack, the busiest more often. Any one round of it strikes them all."""

CELERY = (
    ("worker", Way.KILL),
    ("worker", Way.KILL),
    ("child", Way.KILL),
    ("child", Way.KILL),
    ("broker", Way.KILL_AND_EMPTY),
)
"""The same for Celery alone."""


def strikes(
    seed: int, count: int, *, deck: Sequence[tuple[str, Way]], gap_s: tuple[float, float], freeze_s: float | None = None
) -> list[Strike]:
    """Draw the blows.

    Args:
        count: Kills; a freeze comes on top of them.
        gap_s: Shortest and longest time between two.
        freeze_s: Freeze the second worker for so long, a third of the way through; None: not at all.
    """
    draw = random.Random(seed)
    cards: list[tuple[str, Way]] = []
    while len(cards) < count:
        round_ = draw.sample(deck, len(deck))
        if not _guards_meet([*cards[-1:], *round_]):
            cards += round_
    drawn = [Strike(name, way, draw.uniform(*gap_s), draw.uniform(0, 0.9)) for name, way in cards[:count]]
    return drawn if freeze_s is None else _with_freeze(drawn, freeze_s)


def _guards_meet(cards: Sequence[tuple[str, Way]]) -> bool:
    return any({one[0], next_[0]} == GUARDS for one, next_ in itertools.pairwise(cards))


def _with_freeze(drawn: Sequence[Strike], freeze_s: float) -> list[Strike]:
    """Let nothing kill the frozen worker before it wakes up."""
    begin = len(drawn) // 3
    made = [*drawn[:begin], replace(drawn[begin], process="actions.2", way=Way.FREEZE, freeze_s=freeze_s)]
    passed_s = 0.0
    for strike in drawn[begin:]:
        passed_s += strike.after_s
        spared = strike.process == "actions.2" and passed_s <= freeze_s + strike.after_s
        made.append(replace(strike, process="actions.1") if spared else strike)
    return made
