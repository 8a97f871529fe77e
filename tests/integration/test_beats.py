"""Beats as the Procfile starts them: five at once, killed while they fire, their database away."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from neonhub_worker import schedule
from neonhub_worker.dispatch.scheduler import PostgresScheduler
from tests.factories import sms
from tests.integration.sandboxes import Sandbox
from tests.integration.schedules import clock_jumps, make_every_minute, outcomes, runs_per_instant
from tests.integration.workers import Place, Worker
from tests.servers import wait_for

pytestmark = pytest.mark.usefixtures("unsent")

BEATS = 5


@contextlib.contextmanager
def beats(folder: Path, **environment: str) -> Iterator[list[Worker]]:
    """Five beat processes, begun together."""
    with ThreadPoolExecutor(BEATS) as pool:
        started = list(pool.map(lambda _: Worker(folder, "beat", **environment), range(BEATS)))
    try:
        yield started
    finally:
        for beat in started:
            beat.kill()


def test_five_beats_that_are_all_killed_while_they_fire_make_one_run_of_each_instant(
    engine: Engine, tmp_path: Path
) -> None:
    schedule(sms(), name="every second", every=timedelta(seconds=1), misfire="catch_up", catch_up_limit=1000)
    # Each of them dies the second time it fires: its runs are inserted, and nothing is committed.
    with beats(tmp_path, NEONHUB_FAULT="schedule.inserted:kill:2") as first:
        wait_for(lambda: not any(beat.alive for beat in first), "the last beat to die")
    before = len(outcomes(engine))
    with beats(tmp_path) as second:
        wait_for(lambda: len(outcomes(engine)) >= before + 3, "occurrences that the second five fire")
        assert all(beat.alive for beat in second)
    with engine.connect() as connection:
        instants = list(connection.execute(text("select due_at from occurrence order by due_at")).scalars())
        begun, next_at = connection.execute(text("select created_at, next_at from schedule")).one()
    assert instants == [begun + timedelta(seconds=n) for n in range(1, len(instants) + 1)]
    assert next_at == instants[-1] + timedelta(seconds=1)
    assert runs_per_instant(engine) == [1] * len(instants)


def test_a_database_that_was_away_costs_no_occurrence(
    beat: PostgresScheduler, engine: Engine, tmp_path: Path, database_url: str, broker_url: str
) -> None:
    make_every_minute()
    beat.tick()
    clock_jumps(engine, timedelta(seconds=70))
    with Place(tmp_path, broker_url, database_url, Sandbox("")).database_away():
        beat.tick()
    beat.tick()
    assert runs_per_instant(engine) == [1]
