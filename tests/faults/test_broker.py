"""Workers and a beat of the Procfile, and a broker that loses, doubles, turns around, delays and cuts off."""

from __future__ import annotations

import signal
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
import redis

from neonhub_worker import get_run
from tests.conftest import forget_settings
from tests.faults.cases import CASES
from tests.faults.endings import accept, wrong
from tests.integration.workers import Place, Worker
from tests.servers import wait_for

_RUNS = 10
_PAUSE_MS = 2000

Broker = redis.Redis


def waiting(broker: Broker) -> dict[Any, list[Any]]:
    """The messages that wait for a worker, by their list: each priority has its own."""
    return {key: broker.lrange(key, 0, -1) for key in broker.keys("actions*") if broker.type(key) == b"list"}


def lose_half(broker: Broker) -> None:
    for key in waiting(broker):
        broker.ltrim(key, 0, broker.llen(key) // 2 - 1)


def double(broker: Broker) -> None:
    for key, messages in waiting(broker).items():
        broker.rpush(key, *messages)


def turn_around(broker: Broker) -> None:
    for key, messages in waiting(broker).items():
        broker.delete(key)
        broker.rpush(key, *reversed(messages))


def lose_everything(broker: Broker) -> None:
    broker.flushall()


def cut_everybody_off(broker: Broker) -> None:
    broker.client_kill_filter(_type="normal", skipme=True)


def pause(broker: Broker) -> None:
    broker.client_pause(_PAUSE_MS)


TROUBLES: tuple[Callable[[Broker], None], ...] = (
    lose_half,
    double,
    turn_around,
    lose_everything,
    cut_everybody_off,
    pause,
)


@pytest.fixture
def broker(place: Place) -> Iterator[Broker]:
    with redis.Redis.from_url(place.broker_url) as client:
        yield client


@contextmanager
def frozen(worker: Worker) -> Iterator[None]:
    """The worker takes no messages meanwhile."""
    worker.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        worker.process.send_signal(signal.SIGCONT)


def all_ended(run_ids: Sequence[uuid.UUID]) -> bool:
    return all(get_run(run_id).finished_at is not None for run_id in run_ids)


def test_whatever_a_broker_does_to_messages_every_run_is_done_once(
    place: Place, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEONHUB_REDISPATCH_S", "1")
    forget_settings()
    runs, late = [], []
    with place.worker() as worker, place.beat() as beat:
        for trouble in TROUBLES:
            made = [(case, case.make(place.sandbox)) for case in CASES if not case.steps for _ in range(_RUNS)]
            with frozen(worker):
                accepted = [(accept(case, given), case, given) for case, given in made]
                wait_for(lambda: waiting(broker), "messages")
                late += [(key, message) for key, messages in waiting(broker).items() for message in messages]
                trouble(broker)
            wait_for(partial(all_ended, [run_id for run_id, *_ in accepted]), f"runs to end after {trouble.__name__}")
            runs += accepted
        assert len(late) >= len(TROUBLES)
        # Delivered once more, long after their runs have ended.
        for key, message in late:
            broker.rpush(key, message)
        wait_for(place.drained, "the late messages to be taken")
        assert (worker.alive, beat.alive) == (True, True)
    assert [said for run in runs if (said := wrong(place, *run)) is not None] == []
