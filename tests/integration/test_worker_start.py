"""What does a worker do when it starts? It frees what its predecessor held, as soon as that can be done."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from neonhub_worker import enqueue, get_run
from neonhub_worker.db.engine import transaction
from neonhub_worker.dispatch import due
from neonhub_worker.ledger import leases
from tasks import processes
from tests.integration import workers
from tests.servers import wait_for


@pytest.fixture
def place(postgres_url: str, tmp_path: Path) -> Iterator[workers.Place]:
    with workers.place(postgres_url, tmp_path) as found:
        yield found


def test_a_predecessors_leases_end_even_if_the_database_was_away_at_the_start(
    place: workers.Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    sms = {"to": "+14155550123", "body": "Spring is here."}
    run_id = enqueue({"action": "sms.sendSMS", "organization_id": "acme", "connection": "sms", "input": sms})
    with transaction() as connection:
        assert leases.claim(connection, [run_id], worker="dead", lease_s=600)
    monkeypatch.setenv("NEONHUB_DEAD_WORKERS", "dead")
    ready = place.folder / "ready"
    monkeypatch.setenv("NEONHUB_READY_FILE", str(ready))

    with capture_logs() as logged, ThreadPoolExecutor(1) as starting:
        with place.database_away():
            started = starting.submit(processes.worker_ready, sender=SimpleNamespace(hostname="next@here"))
            wait_for(lambda: "release_waits" in [line["event"] for line in logged], "the first attempt")
            assert not ready.exists(), "a worker that cannot reach the database is not ready"
        started.result(timeout=30)

    assert ready.exists()
    assert [event.move for event in get_run(run_id).timeline][-2:] == ["claim", "rescue"]


def test_what_a_predecessor_may_have_taken_without_claiming_it_is_published_again_at_once(
    place: workers.Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    sms = {"to": "+14155550123", "body": "Spring is here."}
    run_id = enqueue({"action": "sms.sendSMS", "organization_id": "acme", "connection": "sms", "input": sms})
    with transaction() as connection:
        assert due.take(connection).due == [], "it is on its way"
    monkeypatch.setenv("NEONHUB_DEAD_WORKERS", "dead")
    processes.worker_ready(sender=SimpleNamespace(hostname="next@here"))
    with transaction() as connection:
        assert [one.id for one in due.take(connection).due] == [run_id]
