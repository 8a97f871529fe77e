"""How runs are cut into messages."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from neonhub_worker.dispatch.publish import MAX_BATCH, Due, batches


def due(count: int, *, queue: str = "actions", name: str = "sms.sendSMS", connection: int = 1) -> list[Due]:
    return [Due(uuid.uuid4(), queue, name, uuid.UUID(int=connection)) for _ in range(count)]


@pytest.mark.parametrize("count", [1, 7, 8, 100, 513, 2000])
def test_every_run_is_in_exactly_one_message(count: int) -> None:
    runs = due(count)
    cut = list(batches(runs))
    assert [run for batch in cut for run in batch] == runs
    assert max(len(batch) for batch in cut) <= MAX_BATCH


def test_a_small_burst_is_spread_over_the_workers() -> None:
    assert len(list(batches(due(8)))) == 8
    assert len(list(batches(due(100)))) >= 8


def test_a_crowd_is_cut_into_few_messages_that_occupy_few_threads() -> None:
    crowd = [replace(run, crowd=True) for run in due(24)]
    assert [len(batch) for batch in batches(crowd)] == [16, 8]


def test_a_message_holds_runs_of_one_queue_action_and_connection() -> None:
    mixed = due(20) + due(20, queue="bulk") + due(20, name="slack.sendMessage") + due(20, connection=2)
    for batch in batches(mixed):
        assert len({(run.queue, run.name, run.connection_id) for run in batch}) == 1
