"""Done at the other end, and the answer lost on the way: by Postgres, by the broker and by each kind of platform."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from sqlalchemy import text
from sqlalchemy.engine import make_url

from neonhub_worker import enqueue, get_run
from neonhub_worker.db.engine import transaction
from neonhub_worker.errors import Unreachable
from neonhub_worker.ledger import leases
from neonhub_worker.ledger.states import RunState
from neonhub_worker.performing import batch
from tests.conftest import forget_settings
from tests.faults.beats import tick
from tests.faults.cases import CASES, Case
from tests.faults.endings import accept, finish, let_lease_run_out, wrong
from tests.faults.proxy import Proxy, proxy
from tests.integration.workers import Place

SMS = next(case for case in CASES if case.action == "sms.sendSMS")


def between(patch: pytest.MonkeyPatch, variable: str, url: str) -> Iterator[Proxy]:
    """A proxy that this process goes through to one of its servers."""
    parsed = make_url(url)
    assert parsed.port is not None
    with proxy(parsed.port) as made:
        patch.setenv(variable, parsed.set(port=made.port).render_as_string(hide_password=False))
        forget_settings()
        yield made
    patch.undo()
    forget_settings()


@pytest.fixture
def postgres(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    yield from between(monkeypatch, "NEONHUB_DATABASE_URL", place.database_url)


@pytest.fixture
def platforms(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    yield from between(monkeypatch, "NEONHUB_SANDBOX_URL", place.sandbox.url)


def test_a_producer_that_asks_again_with_its_key_gets_the_run_of_the_commit_that_was_not_answered(
    place: Place, postgres: Proxy
) -> None:
    given = SMS.make(place.sandbox)
    key = uuid.uuid4().hex
    with transaction() as connection:
        connection.execute(text("select 1"))
    postgres.lose_answer(b"COMMIT")
    with pytest.raises(Unreachable, match="same idempotency key"):
        enqueue(SMS.request(given, idempotency_key=key))
    assert postgres.lost == 1
    run_id = enqueue(SMS.request(given, idempotency_key=key))
    with transaction() as connection:
        query = text("select id from run where idempotency_key = :key")
        assert connection.execute(query, {"key": key}).scalars().all() == [run_id]
    finish(place, run_id, SMS)
    assert wrong(place, run_id, SMS, given) is None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.action)
def test_a_claim_that_was_not_answered_sends_nothing_and_is_settled_like_any_dead_workers(
    place: Place, postgres: Proxy, case: Case
) -> None:
    given = case.make(place.sandbox)
    run_id = accept(case, given)
    postgres.lose_answer(b"COMMIT")
    with pytest.raises(Unreachable):
        batch.perform([run_id])
    assert postgres.lost == 1
    assert get_run(run_id).state == "running"
    assert case.count(place.sandbox, given) == 0
    let_lease_run_out(run_id)
    finish(place, run_id, case)
    assert wrong(place, run_id, case, given) is None


def test_a_result_whose_commit_was_not_answered_stands(
    place: Place, postgres: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = SMS.make(place.sandbox)
    run_id = accept(SMS, given)
    settle = leases.settle

    def lose_its_commit(*args: Any, **kwargs: Any) -> dict[uuid.UUID, RunState]:
        moved = settle(*args, **kwargs)
        postgres.lose_answer(b"COMMIT")
        monkeypatch.setattr(leases, "settle", settle)
        return moved

    monkeypatch.setattr(leases, "settle", lose_its_commit)
    batch.perform([run_id])
    assert postgres.lost == 1
    assert wrong(place, run_id, SMS, given) is None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.action)
def test_a_platform_that_did_it_and_was_not_heard_is_not_asked_twice(
    place: Place, platforms: Proxy, case: Case
) -> None:
    given = case.make(place.sandbox)
    run_id = accept(case, given)
    # Headers and body are written apart: an answer comes once the last of them has arrived.
    platforms.lose_answer(b"POST ")
    batch.perform([run_id])
    assert platforms.lost == 1
    finish(place, run_id, case)
    assert wrong(place, run_id, case, given) is None


PRODUCER = """
import json, sys
from neonhub_worker import enqueue
print(enqueue(json.load(sys.stdin)))
"""


def test_a_message_that_the_broker_took_and_did_not_acknowledge_is_sent_twice_and_done_once(
    place: Place,
) -> None:
    given = SMS.make(place.sandbox)
    parsed = make_url(place.broker_url)
    assert parsed.port is not None
    with redis.Redis.from_url(place.broker_url) as client:
        client.flushall()
    with proxy(parsed.port) as broker:
        broker.lose_answer(b"LPUSH")
        through = parsed.set(port=broker.port).render_as_string(hide_password=False)
        producer = subprocess.run(
            [sys.executable, "-c", PRODUCER],
            input=json.dumps(SMS.request(given)),
            env={**os.environ, "NEONHUB_BROKER_URL": through},
            capture_output=True,
            text=True,
            check=True,
        )
        assert broker.lost == 1
    run_id = uuid.UUID(producer.stdout.split()[-1])
    with transaction() as connection:  # what other tests did to the connection is not this one's
        connection.execute(text("delete from gate"))
    tick()
    with redis.Redis.from_url(place.broker_url) as client:
        assert sum(client.llen(name) for name in client.keys("actions*")) == 2
        client.flushall()
    for _ in range(2):
        batch.perform([run_id])
    assert wrong(place, run_id, SMS, given) is None
