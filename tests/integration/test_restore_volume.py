"""A server whose data went back in time is noticed, by whoever lived through it or by the broker; a restart is not."""

from __future__ import annotations

import signal
import uuid
from collections.abc import Iterator

import pytest
import redis

from neonhub_worker import enqueue, get_run
from neonhub_worker.db.engine import transaction
from neonhub_worker.dispatch.scheduler import PostgresScheduler
from neonhub_worker.ledger import guard
from neonhub_worker.ledger.guard import Engaged
from neonhub_worker.performing import batch
from neonhub_worker.settings import Settings
from tests.conftest import forget_settings
from tests.factories import sms
from tests.integration import restores
from tests.integration.cli import Neonhub
from tests.integration.gaps import carry_out, effects
from tests.integration.restores import Server
from tests.integration.sandboxes import Sandbox


@pytest.fixture
def server() -> Iterator[Server]:
    with restores.server(wal_level="replica", max_wal_senders="2") as made:
        yield made


@pytest.fixture
def database_url(server: Server) -> str:
    return server.url


def engaged() -> Engaged | None:
    with transaction() as connection:
        return guard.engaged(connection)


def new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on as in a process that has seen nothing yet."""
    monkeypatch.setattr(guard, "_seen", {})
    forget_settings()


def send_after_backup(server: Server, beat: PostgresScheduler) -> uuid.UUID:
    """A run that was carried out after the backup that its server is then restored from."""
    beat.tick()
    run_id = enqueue(sms())
    saved = server.saved()
    beat.tick()
    batch.perform([run_id])
    assert get_run(run_id).state == "succeeded"
    server.put_back(saved)
    return run_id


def test_a_beat_that_lived_through_it_notices_without_the_broker(
    server: Server, sandbox: Sandbox, beat: PostgresScheduler, broker: redis.Redis, neonhub: Neonhub
) -> None:
    run_id = send_after_backup(server, beat)
    broker.flushall()
    beat.tick()
    found = engaged()
    assert found is not None
    assert found.reason.startswith("the ledger went back in time: it was seen at ")
    batch.perform([run_id])
    assert (get_run(run_id).state, len(effects(sandbox))) == ("queued", 1)
    assert neonhub("doctor", "--after-restore", "--yes", "--json").json["compared"] == 1
    beat.tick()
    carry_out(sandbox)
    assert (get_run(run_id).state, len(effects(sandbox))) == ("succeeded", 1)
    assert engaged() is None


def test_a_worker_that_lived_through_it_notices_before_any_beat(
    server: Server, sandbox: Sandbox, beat: PostgresScheduler
) -> None:
    run_id = send_after_backup(server, beat)
    batch.perform([run_id])
    assert engaged() is not None
    assert (get_run(run_id).state, len(effects(sandbox))) == ("queued", 1)


@pytest.mark.parametrize("first", ["worker", "beat"])
def test_a_new_process_notices_by_what_the_broker_knows(
    server: Server, sandbox: Sandbox, beat: PostgresScheduler, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    run_id = send_after_backup(server, beat)
    new_process(monkeypatch)
    if first == "beat":
        beat.tick()
    batch.perform([run_id])
    assert engaged() is not None
    assert len(effects(sandbox)) == 1


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT, signal.SIGKILL])
def test_a_restart_of_any_kind_raises_no_alarm(
    server: Server, sandbox: Sandbox, beat: PostgresScheduler, monkeypatch: pytest.MonkeyPatch, how: signal.Signals
) -> None:
    beat.tick()
    run_id = enqueue(sms())
    server.stop(how)
    server.start()
    beat.tick()
    batch.perform([run_id])
    new_process(monkeypatch)
    beat.tick()
    assert engaged() is None
    assert (get_run(run_id).state, len(effects(sandbox))) == ("succeeded", 1)


@pytest.mark.parametrize("lagged", [False, True])
def test_a_standby_that_takes_over_is_trusted_unless_it_lagged(
    server: Server, settings: Settings, beat: PostgresScheduler, monkeypatch: pytest.MonkeyPatch, lagged: bool
) -> None:
    beat.tick()
    with restores.standby(server) as standby:
        beat.tick()
        standby.wait_caught_up(server)
        if lagged:
            standby.cut_off()
            beat.tick()
        server.stop(signal.SIGQUIT)
        standby.promote()
        restores.use(standby.url, monkeypatch)
        beat.tick()
        assert (engaged() is not None) == lagged
        forget_settings()
