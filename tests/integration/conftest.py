"""What integration tests ask for: the sandbox, the ledger's statements, an embedded stack, the command."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import requests
from sqlalchemy import Engine, text

from neonhub_worker.app import app
from neonhub_worker.dispatch import scheduler
from neonhub_worker.dispatch.scheduler import PostgresScheduler
from neonhub_worker.settings import Settings
from tests import servers
from tests.conftest import ConnectionFactory, forget_settings
from tests.integration.cli import Neonhub, in_process
from tests.integration.ledgers import Ledger
from tests.integration.local_stacks import LocalStack
from tests.integration.sandboxes import Sandbox


@pytest.fixture(scope="session")
def sandbox_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the sandbox of this test process keeps its state."""
    return tmp_path_factory.mktemp("sandbox")


@pytest.fixture(scope="session")
def sandbox_server(sandbox_folder: Path) -> Iterator[str]:
    """One sandbox per test process; ``sandbox`` lets it start over."""
    with servers.sandbox(sandbox_folder) as url:
        yield url


@pytest.fixture
def sandbox(
    settings: Settings,
    sandbox_server: str,
    monkeypatch: pytest.MonkeyPatch,
    connection_factory: ConnectionFactory,
) -> Sandbox:
    """A sandbox with empty state; the organization acme has a connection to each of its accounts."""
    requests.delete(f"{sandbox_server}/_sandbox/state", timeout=10).raise_for_status()
    monkeypatch.setenv("NEONHUB_SANDBOX_URL", sandbox_server)
    forget_settings()
    for slug, account in requests.get(f"{sandbox_server}/_sandbox/accounts", timeout=10).json().items():
        connection_factory(slug, credential=account["credential"], settings=account["settings"])
    return Sandbox(sandbox_server)


@pytest.fixture
def link(engine: Engine) -> uuid.UUID:
    """A connection of the organization acme."""
    connection_id = uuid.uuid4()
    with engine.begin() as connection:
        connection.execute(text("insert into organization (id, name) values ('acme', 'Acme') on conflict do nothing"))
        connection.execute(
            text(
                "insert into connection (id, organization_id, name, connector, account, credential) "
                "values (:id, 'acme', 'ledger-test', 'sms', 'AC1', '')"
            ),
            {"id": connection_id},
        )
    return connection_id


@pytest.fixture
def ledger(engine: Engine, link: uuid.UUID) -> Ledger:
    return Ledger(engine, link)


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalStack]:
    """An embedded stack that is not running yet."""
    made = LocalStack(tmp_path / "home")
    yield made
    made.clean()


@pytest.fixture
def neonhub(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, organization: str) -> Neonhub:
    """The command, in this process; there is an organization."""
    return in_process(capsys, monkeypatch)


@pytest.fixture
def unsent(connection_factory: ConnectionFactory) -> None:
    """The organization has a connection for runs that are never sent."""
    connection_factory("sms", credential={}, settings={})


@pytest.fixture
def beat(monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresScheduler]:
    """A scheduler that does not wait between two ticks."""
    monkeypatch.setattr(scheduler, "TICK_S", 0.001)
    made = PostgresScheduler(app=app)
    yield made
    made.close()


@pytest.fixture
def broker(broker_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(broker_url) as client:
        yield client
