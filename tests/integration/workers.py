"""Real worker processes, started as the Procfile says, with a database, a broker and a sandbox of their own."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
import requests
from celery import Celery
from cryptography.fernet import Fernet
from sqlalchemy.engine import make_url

from neonhub_worker import get_run
from neonhub_worker.errors import UnknownRun
from neonhub_worker.ledger.runs import Run
from neonhub_worker.ledger.states import FINAL
from neonhub_worker.local import procfile
from neonhub_worker.vault import connections, organizations
from tests import servers
from tests.conftest import forget_settings
from tests.integration.sandboxes import Sandbox
from tests.servers import wait_for

ROOT = Path(__file__).parent.parent.parent


class Worker:
    """One process of the Procfile, a worker of ``actions`` if not told otherwise.

    Args:
        environment: What it is told beyond this process's own environment.
    """

    def __init__(self, folder: Path, name: str = "actions", **environment: str) -> None:
        self._log = folder / f"{uuid.uuid4().hex}.log"
        ready = self._log.with_suffix(".ready")
        (line,) = (line for line in procfile.parse(procfile.find().read_text()) if line.name == name)
        words, own = line.command({**os.environ, "NEONHUB_PROCESS": f"test-{uuid.uuid4().hex}"})
        program = str(Path(sys.executable).with_name(words[0]))
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                [program, *words[1:]],
                cwd=ROOT,
                env={**os.environ, **own, "NEONHUB_READY_FILE": str(ready), **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        wait_for(lambda: self.process.poll() is not None or ready.exists(), f"{name} to be ready")
        assert self.alive, self.log

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    @property
    def log(self) -> str:
        return self._log.read_text()

    def wait_log(self, pattern: str, *, after: int = 0) -> None:
        """Wait for a line, beyond so many characters."""
        wait_for(lambda: not self.alive or re.search(pattern, self.log[after:]), f"{pattern} in the worker's log")
        assert self.alive, self.log[-2000:]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.alive:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(15)
        self.kill()


@dataclass(frozen=True)
class Place:
    """Where workers run and clients send."""

    folder: Path
    broker_url: str
    database_url: str
    sandbox: Sandbox

    @contextlib.contextmanager
    def worker(self) -> Iterator[Worker]:
        worker = Worker(self.folder)
        try:
            yield worker
        finally:
            worker.stop()

    @contextlib.contextmanager
    def beat(self) -> Iterator[Worker]:
        beat = Worker(self.folder, "beat")
        try:
            yield beat
        finally:
            beat.stop()

    def drained(self) -> bool:
        """Whether every message was taken and acknowledged."""
        with redis.Redis.from_url(self.broker_url) as broker:
            waiting = ("actions", "actions\x06\x169", "unacked")
            return not broker.exists(*waiting)

    def let_delivery_time_out(self) -> None:
        """As if the visibility timeout of the messages that were handed out had passed."""
        with redis.Redis.from_url(self.broker_url) as broker:
            for tag in broker.zrange("unacked_index", 0, -1):
                broker.zadd("unacked_index", {tag: 0})

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Nothing can be recorded; who tries waits."""
        with psycopg.connect(self.database_url) as holder:
            holder.execute("lock table organization in access exclusive mode")
            yield

    @contextlib.contextmanager
    def database_away(self) -> Iterator[None]:
        """Postgres takes no connection to this database."""
        name = make_url(self.database_url).database
        admin_url = make_url(self.database_url).set(database="postgres").render_as_string(hide_password=False)
        with psycopg.connect(admin_url, autocommit=True) as admin:
            admin.execute(f"alter database {name} allow_connections false")
            admin.execute(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'")
            try:
                yield
            finally:
                admin.execute(f"alter database {name} allow_connections true")

    def somebody_waits(self) -> bool:
        """Whether a statement waits for a lock."""
        with psycopg.connect(self.database_url) as connection:
            query = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
            return connection.execute(query).fetchone() is not None

    @contextlib.contextmanager
    def client(self, **configuration: Any) -> Iterator[Celery]:
        """A Celery app that knows nothing of ours."""
        app = Celery("somebody", broker=self.broker_url, set_as_current=False)
        app.conf.update(configuration)
        try:
            yield app
        finally:
            app.close()


@contextlib.contextmanager
def place(postgres_url: str, folder: Path, *, organization_id: str = "acme") -> Iterator[Place]:
    """A database, a broker and a sandbox; the organization has a connection to each of its accounts."""
    with contextlib.ExitStack() as opened:
        database_url = opened.enter_context(servers.database(postgres_url))
        broker_url = opened.enter_context(servers.broker(folder))
        sandbox_url = opened.enter_context(servers.sandbox(folder))
        patch = opened.enter_context(pytest.MonkeyPatch.context())
        for name, value in {
            "HOME": str(folder / "home"),
            "DATABASE_URL": database_url,
            "BROKER_URL": broker_url,
            "SANDBOX_URL": sandbox_url,
            "VAULT_KEYS": Fernet.generate_key().decode(),
        }.items():
            patch.setenv(f"NEONHUB_{name}", value)
        forget_settings()
        opened.callback(forget_settings)
        organizations.ensure(organization_id, organization_id)
        for slug, account in requests.get(f"{sandbox_url}/_sandbox/accounts", timeout=10).json().items():
            connections.add(
                organization_id=organization_id,
                name=slug,
                connector=slug,
                account="test",
                credential=account["credential"],
                settings=account["settings"],
            )
        yield Place(folder, broker_url, database_url, Sandbox(sandbox_url))


def run_of(task_id: str | uuid.UUID, *states: str) -> Run:
    """Wait until there is a run of this id, in one of these states; it must not end in another."""
    found: list[Run] = []

    def there() -> bool:
        with contextlib.suppress(UnknownRun):
            found[:] = [get_run(task_id)]
        return bool(found) and found[0].state in (*states, *FINAL)

    wait_for(there, f"run {task_id} to be {' or '.join(states)}")
    assert found[0].state in states, found[0].error
    return found[0]
