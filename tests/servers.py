"""The real servers that integration tests talk to: Postgres and the broker, started once per test process."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from neonhub_worker.local.broker import Broker
from neonhub_worker.local.home import Home
from neonhub_worker.local.postgres import Postgres

ROOT = Path(__file__).parents[1]

_READY_S = 30.0


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A Postgres of its own.

    Yields:
        The URL of its database ``neonhub``, which is empty.
    """
    home = Home.at(folder)
    home.prepare()
    server = Postgres(home, port=free_port())
    with serving(server, home):
        yield server.url


@contextmanager
def serving(server: Postgres, home: Home, **changes: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Postgres on the data that its home holds; ``changes`` are settings of postgresql.conf."""
    assert server.make_way(0)
    # The tests kill processes, never the machine: nothing has to reach the disk.
    settings = {"fsync": "off", "full_page_writes": "off", "max_connections": "300", **changes}
    command = [*server.command, *(word for name, value in settings.items() for word in ("-c", f"{name}={value}"))]
    with _running(command, home.log_file("postgres"), server.account.popen) as process:
        _until(server.ready, process)
        yield process


@contextmanager
def broker(folder: Path) -> Iterator[str]:
    """A Redis-protocol server of its own; yields its URL."""
    home = Home.at(folder)
    home.prepare()
    server = Broker(home, port=free_port())
    server.configure(0)
    with _running(server.command, home.log_file("broker"), {}) as process:
        _until(server.ready, process)
        yield server.url


@contextmanager
def _running(command: list[str], log: Path, options: dict[str, Any]) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as output:
        process = subprocess.Popen(command, cwd="/", stdin=subprocess.DEVNULL, stdout=output, stderr=output, **options)
    with ended(process):
        yield process


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is asked to stop on leaving, and made to if it does not."""
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def database(postgres_url: str) -> Iterator[str]:
    """A migrated database of its own: a copy of the one at ``postgres_url``; yields its URL."""
    name = f"test_{uuid.uuid4().hex}"
    template = make_url(postgres_url)
    admin_url = template.set(drivername="postgresql+psycopg", database="postgres")
    admin = create_engine(admin_url, isolation_level="AUTOCOMMIT", pool_pre_ping=True)
    with admin.connect() as connection:
        connection.execute(text(f"create database {name} template {template.database}"))
    yield template.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"drop database {name} with (force)"))
    admin.dispose()


@contextmanager
def sandbox(folder: Path) -> Iterator[str]:
    """A sandbox with empty state, as a process of its own; yields its URL."""
    port_file = folder / "port"
    command = [sys.executable, "-m", "connectors.sandbox", "--port", "0", "--state", str(folder / "sandbox")]
    with ended(subprocess.Popen([*command, "--port-file", str(port_file)], cwd=ROOT)):
        wait_for(lambda: port_file.exists() and port_file.read_text().strip().isdigit(), "the sandbox's port")
        yield f"http://127.0.0.1:{port_file.read_text().strip()}"


def _until(ready: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    wait_for(lambda: process.poll() is not None or ready(), f"process {process.pid}", timeout_s=_READY_S)
    assert process.poll() is None, f"process {process.pid} ended with {process.returncode}"


def wait_for(condition: Callable[[], object], what: str, *, timeout_s: float = 30.0) -> None:
    """Ask until something is so.

    Raises:
        AssertionError: It is not so after ``timeout_s`` seconds.
    """
    pause = threading.Event()
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {timeout_s:.0f} s in vain for {what}"
        pause.wait(0.02)
