"""How is a worker woken? A message carries run ids and nothing else: no input, no personal data, no secret."""

from __future__ import annotations

import math
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from neonhub_worker.app import app
from neonhub_worker.dispatch.fairness import CROWD_BATCH

PERFORM_TASK = "runs.perform"
MAX_BATCH = 64
"""Runs that one message may name."""

# A small burst is cut into at least this many messages, so that all workers get a share of it.
_SPREAD = 8
_PIPELINE = 500
# The last of the lists that a worker asks Redis for; a message without a priority goes into the first one.
_LAST = 9


@dataclass(frozen=True)
class Due:
    """A run that a worker should take.

    Attributes:
        paced: Limits say how many may go: they share one message, for whoever claims on a connection takes turns.
        crowd: Its organization has many on the broker: whatever others have there goes first.
    """

    id: uuid.UUID
    queue: str
    name: str
    connection_id: uuid.UUID | None
    paced: bool = False
    crowd: bool = False


def batches(due: Sequence[Due]) -> Iterator[list[Due]]:
    """Cut runs into messages: each of one queue, one action and one connection, at most ``MAX_BATCH`` runs long."""
    groups: dict[tuple[str, str, uuid.UUID | None, bool], list[Due]] = defaultdict(list)
    for run in due:
        groups[run.queue, run.name, run.connection_id, run.crowd].append(run)
    for group in groups.values():
        size = _size(group)
        for start in range(0, len(group), size):
            yield group[start : start + size]


def _size(group: Sequence[Due]) -> int:
    if group[0].paced:
        return MAX_BATCH
    return min(MAX_BATCH, max(math.ceil(len(group) / _SPREAD), CROWD_BATCH if group[0].crowd else 1))


def publish(due: Sequence[Due]) -> None:
    """Send the messages for these runs, in pipelines.

    Publishing a run twice is harmless: the second claim finds nothing to take.

    Raises:
        Exception: Whatever kombu raises when the broker does not take them; some may have arrived.
    """
    if not due:
        return
    # On RabbitMQ 9 would be first, in a queue that knows priorities at all.
    last = _LAST if app.conf.broker_url.startswith("redis") else None
    with app.producer_pool.acquire(block=True, timeout=5) as producer, producer.batch(_PIPELINE):
        for batch in batches(due):
            alone = batch[0].id if len(batch) == 1 else None
            app.send_task(
                PERFORM_TASK,
                kwargs={"run_ids": [str(run.id) for run in batch]},
                task_id=str(alone) if alone else None,
                queue=batch[0].queue,
                priority=last if batch[0].crowd else None,
                producer=producer,
                ignore_result=True,
            )
