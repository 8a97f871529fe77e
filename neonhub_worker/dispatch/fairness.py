"""Who is next? Pure: lanes and what is on its way already give how many runs to take from each lane.

Organizations take turns, whatever they have waiting: the one with the fewest runs on the broker comes first. Within an
organization the most urgent priority comes first, and then the lane whose head has waited longest.
"""

from __future__ import annotations

import heapq
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from neonhub_worker.ledger.acceptance import FEW, KEPT, WINDOW

CROWD_BATCH = 16
"""A crowd gets no fewer places at once: its messages are as long, so that they occupy few threads of the workers."""


@dataclass(frozen=True)
class Lane:
    """The waiting runs of one organization, connection and action at one priority.

    Attributes:
        since: When the run at its head became due.
        ready: How many may go now; at most one more than there is room for on the broker.
        room: Where limits or gates hold it: how many of its connection may be on their way; None if nothing does.
    """

    queue: str
    organization_id: str
    connection_id: uuid.UUID
    name: str
    priority: int
    since: datetime
    ready: int
    room: int | None = None


def share(
    lanes: Sequence[Lane],
    published: Iterable[tuple[str, str, uuid.UUID | None, int]],
    *,
    window: int = WINDOW,
    kept: int = KEPT,
    few: int = FEW,
    batch: int = CROWD_BATCH,
) -> list[int]:
    """Share the room on the broker out.

    Args:
        published: Queue, organization, connection and count of the runs that are published and unclaimed.
        window: Published and unclaimed runs that a queue may have at once.
        kept: How many of these places are for organizations that have fewer than ``few``.
        batch: Whoever has ``few`` and finds less room than this leaves it until there is more.

    Returns:
        How many runs to take from each lane.
    """
    on_broker: Counter[str] = Counter()
    of_organization: Counter[tuple[str, str]] = Counter()
    of_connection: Counter[uuid.UUID | None] = Counter()
    for queue, organization_id, connection_id, count in published:
        on_broker[queue] += count
        of_organization[queue, organization_id] += count
        of_connection[connection_id] += count
    counts = [0] * len(lanes)
    left: set[tuple[str, str]] = set()
    waiting = _by_turn(lanes)

    def exhausted(number: int) -> bool:
        lane = lanes[number]
        full = lane.room is not None and of_connection[lane.connection_id] >= lane.room
        return full or counts[number] >= lane.ready

    turns = [(of_organization[key], lanes[numbers[-1]].since, key) for key, numbers in waiting.items()]
    heapq.heapify(turns)
    while turns:
        level, since, key = heapq.heappop(turns)
        numbers = waiting[key]
        while numbers and exhausted(numbers[-1]):
            numbers.pop()
        if not numbers:
            continue
        if on_broker[key[0]] >= window - (kept if level >= few else 0):
            if of_organization[key] >= few and level - of_organization[key] < batch:
                left.add(key)
            continue
        counts[numbers[-1]] += 1
        on_broker[key[0]] += 1
        of_connection[lanes[numbers[-1]].connection_id] += 1
        heapq.heappush(turns, (level + 1, since, key))
    return [
        0 if (lane.queue, lane.organization_id) in left else count for lane, count in zip(lanes, counts, strict=True)
    ]


def crowds(
    taken: Iterable[tuple[Lane, int]], published: Iterable[tuple[str, str, uuid.UUID | None, int]], *, few: int = FEW
) -> set[tuple[str, str]]:
    """Queue and organization of those that have many runs on the broker once these are taken.

    Their messages wait for all others' there: else a single post would wait for the whole window, which takes the
    longer the slower the platform is.
    """
    held: Counter[tuple[str, str]] = Counter()
    for queue, organization_id, _, count in published:
        held[queue, organization_id] += count
    for lane, count in taken:
        held[lane.queue, lane.organization_id] += count
    return {key for key, count in held.items() if count > few}


def _by_turn(lanes: Sequence[Lane]) -> dict[tuple[str, str], list[int]]:
    """The lanes of each organization and queue by their numbers, the one whose turn comes first at the end."""
    numbers: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number in sorted(range(len(lanes)), key=lambda n: (lanes[n].priority, lanes[n].since), reverse=True):
        numbers[lanes[number].queue, lanes[number].organization_id].append(number)
    return numbers
