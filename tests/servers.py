"""The real servers that integration tests talk to: Postgres and the broker, started once per test process."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neonhub_worker.local.broker import Broker
from neonhub_worker.local.home import Home
from neonhub_worker.local.postgres import Postgres

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
    assert server.make_way(0)
    # The tests kill processes, never the machine: nothing has to reach the disk.
    command = [*server.command, "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=300"]
    with _running(command, home.log_file("postgres"), server.account.popen) as process:
        _until(server.ready, process)
        yield server.url


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
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


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
