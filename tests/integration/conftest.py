"""The sandbox, as a process of its own, and connections to it."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import Engine, text

from neonhub_worker.settings import Settings
from tests.conftest import ConnectionFactory, forget_settings
from tests.integration.ledgers import Ledger
from tests.integration.local_stacks import LocalStack
from tests.servers import wait_for


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox: the judge of what really reached the platforms."""

    url: str

    def effects(self, connector: str = "sms") -> list[dict[str, Any]]:
        answer = requests.get(f"{self.url}/_sandbox/effects", params={"connector": connector}, timeout=10)
        found: list[dict[str, Any]] = answer.json()["effects"]
        return found

    def fault(self, **fault: Any) -> None:
        requests.post(f"{self.url}/_sandbox/faults", json=fault, timeout=10).raise_for_status()

    def opt_out(self, address: str) -> None:
        body = {"connector": "sms", "address": address}
        requests.post(f"{self.url}/_sandbox/opt-outs", json=body, timeout=10).raise_for_status()


@pytest.fixture
def sandbox(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, connection_factory: ConnectionFactory
) -> Iterator[Sandbox]:
    """A sandbox with empty state; the organization acme has a connection to each of its accounts."""
    port_file = tmp_path / "port"
    command = [sys.executable, "-m", "connectors.sandbox", "--port", "0", "--state", str(tmp_path / "sandbox")]
    process = subprocess.Popen([*command, "--port-file", str(port_file)])
    try:
        wait_for(lambda: port_file.exists() and port_file.read_text().strip().isdigit(), "the sandbox's port")
        url = f"http://127.0.0.1:{port_file.read_text().strip()}"
        monkeypatch.setenv("NEONHUB_SANDBOX_URL", url)
        forget_settings()
        for slug, account in requests.get(f"{url}/_sandbox/accounts", timeout=10).json().items():
            connection_factory(slug, credential=account["credential"], settings=account["settings"])
        yield Sandbox(url)
    finally:
        process.terminate()
        process.wait(10)


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
