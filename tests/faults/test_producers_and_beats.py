"""A producer or a beat that is killed, breaks or freezes at any point of its own; others go on, then it goes on too."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest
import redis
from sqlalchemy import text

from neonhub_worker import enqueue, faults, schedule
from neonhub_worker.db.engine import transaction
from neonhub_worker.ledger import leases
from tests.faults.beats import TICKS, tick
from tests.faults.cases import CASES
from tests.faults.endings import accept, finish, wrong
from tests.faults.matrix import BEAT, PRODUCER
from tests.integration.workers import Place
from tests.servers import wait_for

SMS = next(case for case in CASES if case.action == "sms.sendSMS")

ASKS = """
import json, sys
from neonhub_worker import enqueue
enqueue(json.load(sys.stdin))
"""


@contextmanager
def struck(program: str, point: str, kind: str, given: Any = None) -> Iterator[None]:
    """A process that was struck at its point; a frozen one goes on at the end, and must come to its end."""
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, faults.VARIABLE: f"{point}:{kind}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdin is not None
        process.stdin.write(json.dumps(given))
        process.stdin.close()
        if kind == "stop":
            seen = psutil.Process(process.pid)
            wait_for(lambda: seen.status() in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE), "a frozen process")
            assert seen.status() == psutil.STATUS_STOPPED
            yield
            process.send_signal(signal.SIGCONT)
            process.wait(30)
            return
        code = process.wait(30)
        assert code == -signal.SIGKILL if kind == "kill" else code >= 0
        yield
    finally:
        process.kill()
        process.wait()


def messages(place: Place) -> int:
    """How many messages are on the broker, which is empty afterwards."""
    with redis.Redis.from_url(place.broker_url) as client:
        count = sum(int(client.llen(key)) for key in client.keys("actions*"))
        client.flushall()
        return count


def lose_messages(place: Place) -> None:
    """As if what was published had been lost, and the time had passed after which it is published again."""
    messages(place)
    with transaction() as connection:
        connection.execute(
            text("update run set published_at = now() - interval '1 hour' where published_at is not null")
        )


@pytest.mark.parametrize("kind", faults.KINDS)
@pytest.mark.parametrize("point", sorted(PRODUCER))
def test_what_a_producer_asks_for_again_with_its_key_is_done_once(place: Place, point: str, kind: str) -> None:
    given = SMS.make(place.sandbox)
    request = SMS.request(given, idempotency_key=uuid.uuid4().hex)
    with struck(ASKS, point, kind, request):
        lose_messages(place)
    run_id = enqueue(request)
    lose_messages(place)
    tick()
    assert messages(place) == 1
    finish(place, run_id, SMS)
    assert wrong(place, run_id, SMS, given) is None


@pytest.mark.parametrize("kind", faults.KINDS)
@pytest.mark.parametrize("point", sorted(point for point in BEAT if point.startswith("dispatch.")))
def test_what_a_beat_was_about_to_publish_is_published_and_done_once(place: Place, point: str, kind: str) -> None:
    messages(place)
    given = SMS.make(place.sandbox)
    run_id = accept(SMS, given)
    with struck(TICKS, point, kind):
        tick()
    tick()
    assert messages(place) >= 1
    finish(place, run_id, SMS)
    assert wrong(place, run_id, SMS, given) is None


@pytest.mark.parametrize("kind", faults.KINDS)
def test_a_rescue_that_was_not_committed_is_made_by_another_beat(place: Place, kind: str) -> None:
    given = SMS.make(place.sandbox)
    run_id = accept(SMS, given)
    with transaction() as connection:
        assert leases.claim(connection, [run_id], worker="dead", lease_s=-1)
    with struck(TICKS, "rescue.written", kind):
        tick()
    tick()
    with transaction() as connection:
        query = text("select count(*) from run_event where run_id = :id and move = 'rescue'")
        assert connection.execute(query, {"id": run_id}).scalar_one() == 1
    finish(place, run_id, SMS)
    assert wrong(place, run_id, SMS, given) is None


@pytest.mark.parametrize("kind", faults.KINDS)
def test_an_occurrence_whose_beat_did_not_commit_it_makes_one_run(place: Place, kind: str) -> None:
    given = SMS.make(place.sandbox)
    with transaction() as connection:
        now = connection.execute(text("select now()")).scalar_one()
    schedule_id = schedule(SMS.request(given), name=uuid.uuid4().hex, at=now)
    with struck(TICKS, "schedule.inserted", kind):
        tick()
    tick()
    with transaction() as connection:
        query = text("select id from run where idempotency_key like :key")
        (run_id,) = connection.execute(query, {"key": f"schedule:{schedule_id}:%"}).scalars().all()
    finish(place, run_id, SMS)
    assert wrong(place, run_id, SMS, given) is None
