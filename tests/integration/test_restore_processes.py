"""Real workers and beats on a restored database, and a role that may do nothing but its work."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from neonhub_worker import enqueue, get_run, wait
from neonhub_worker.db.engine import transaction
from neonhub_worker.dispatch import heartbeat
from neonhub_worker.ledger import guard
from neonhub_worker.performing import batch
from neonhub_worker.settings import Settings
from tests.conftest import forget_settings
from tests.factories import sms
from tests.integration import restores
from tests.integration.cli import as_process
from tests.integration.workers import Place, Worker, place


@pytest.fixture
def here(postgres_url: str, tmp_path: Path) -> Iterator[Place]:
    with place(postgres_url, tmp_path) as made:
        yield made


def test_workers_and_beats_wait_say_so_once_and_go_on_when_it_was_compared(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert heartbeat.beat()
    run_id = enqueue(sms())
    copy = restores.copied(here.database_url)
    batch.perform([run_id])
    restores.use(copy, monkeypatch)
    beat = Worker(here.folder, name="beat")
    try:
        with here.worker() as worker, here.client() as client:
            beat.wait_log("restore_guard_engaged")
            request = sms(input={"to": "+14155550124", "body": "Accepted meanwhile."})
            del request["action"]
            accepted = client.send_task("connectors.sms.sendSMS", kwargs=request, queue="actions")
            worker.wait_log("restore_guard_engaged")
            assert {get_run(one).state for one in (run_id, accepted.id)} == {"queued"}
            assert len(here.sandbox.effects()) == 1
            assert as_process("doctor", "--after-restore", "--yes", "--json").json["compared"] == 2
            beat.wait_log("restore_guard_released")
            assert wait(run_id, timeout_s=30).state == "succeeded"
            assert len(here.sandbox.effects()) == 1
            said = [process.log.count("restore_guard_engaged") for process in (beat, worker)]
    finally:
        beat.stop()
        restores.dropped(copy)
    assert said == [1, 1]


@pytest.fixture
def plain_role(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[psycopg.Connection]:
    """This process works under a role that may do nothing but its work; yields a connection of the owner's."""
    role = f"plain_{uuid.uuid4().hex}"
    url = make_url(settings.need_database_url()).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as owner:
        owner.execute(f"create role {role} login password 'plain'".encode())
        owner.execute(f"grant select, insert, update on restore_guard to {role}".encode())
        restores.use(url.set(username=role, password="plain").render_as_string(hide_password=False), monkeypatch)
        yield owner
        restores.use(url.render_as_string(hide_password=False), monkeypatch)
        owner.execute(f"drop owned by {role}".encode())
        owner.execute(f"drop role {role}".encode())


def test_a_role_without_privileges_can_tell_one_cluster_from_another(plain_role: psycopg.Connection) -> None:
    with transaction() as connection:
        assert guard.may_ask(connection)
        assert guard.identity(connection).system_id is not None
    assert heartbeat.beat()


def test_a_role_that_may_not_ask_which_cluster_it_is_raises_no_alarm(plain_role: psycopg.Connection) -> None:
    assert heartbeat.beat()
    plain_role.execute("revoke execute on function pg_control_system() from public")
    forget_settings()
    with transaction() as connection:
        assert not guard.may_ask(connection)
        assert guard.identity(connection).system_id is None
    assert heartbeat.beat()
