"""How does ``up`` start a supervisor that outlives it, and learn how that went?"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from neonhub_worker.local import identity, plan, state
from neonhub_worker.local import procfile as procfiles
from neonhub_worker.local.errors import StackError
from neonhub_worker.local.home import Home
from neonhub_worker.local.logs import open_log, tail
from neonhub_worker.local.ports import Ports
from neonhub_worker.local.state import StackInfo

_READY_S = 180.0
_NOBODY_S = 6.0
_HEALING_S = 10.0
_POLL_S = 0.05
_TRIES = 3


def start(home: Home, *, procfile: Path | None, ports: Ports, on_progress: Callable[[str], None]) -> StackInfo:
    """Start a supervisor and wait until its stack is ready.

    Raises:
        StackError: It said why it could not; nothing is left running.
    """
    config = _config(procfile, ports)
    for _ in range(_TRIES):
        if _told(home, config, on_progress):
            break
        on_progress("the supervisor was killed before it had a keeper; starting again")
    # Also reached when it was killed later: its keeper starts the next one, which goes on.
    return wait_ready(home)


def _told(home: Home, config: plan.Config, on_progress: Callable[[str], None]) -> bool:
    """Start a supervisor and pass on what it tells.

    Returns:
        False if it was killed and nobody will follow it.

    Raises:
        StackError: It said why it could not start the stack.
    """
    read, write = os.pipe()
    process = _spawn(home, config, write)
    os.close(write)
    with os.fdopen(read) as lines:
        for line in lines:
            kind, text = next(iter(json.loads(line).items()))
            if kind == "progress":
                on_progress(text)
            elif kind == "error":
                process.wait()
                raise StackError(text)
            elif kind == "busy":
                on_progress("already running")
            if kind in {"ready", "busy"}:
                return True
    return process.wait() != -signal.SIGKILL or _guarded(home)


def _config(place: Path | None, ports: Ports) -> plan.Config:
    found = procfiles.find() if place is None else place.resolve()
    return plan.Config(procfile=procfiles.load(found), folder=str(found.parent), ports=ports)


def _spawn(home: Home, config: plan.Config, report: int) -> subprocess.Popen[bytes]:
    output = open_log(home.log_file(state.SUPERVISOR))
    arguments = [sys.executable, "-P", "-m", "neonhub_worker.local.supervise", "--home", str(home.path)]
    # libpq takes defaults from variables that begin so; they are meant for another server.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    try:
        process = subprocess.Popen(
            [*arguments, "--report", str(report), "--config", config.dump()],
            env={**environment, **plan.python_path(), identity.MARK: f"{state.stack_id(home)}/{state.SUPERVISOR}"},
            cwd=home.path,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[report],
            start_new_session=True,
        )
    finally:
        os.close(output)
    # It outlives this call; someone has to take its exit code if it does not outlive this process.
    threading.Thread(target=process.wait, daemon=True).start()
    return process


class Ended(StackError):
    """Nobody runs the stack any more."""


def wait_ready(home: Home) -> StackInfo:
    """Wait until the stack that someone is starting, or has started, is ready.

    Raises:
        Ended: Nobody is at it any more.
        StackError: It takes too long.
    """
    began = seen_at = time.monotonic()
    while time.monotonic() < began + _READY_S:
        locked = state.is_locked(home)
        found = state.load_stack(home)
        if locked and found is not None and state.load_state(home) == "ready" and _servers_run(home, found):
            return found
        if locked:
            seen_at = time.monotonic()
        elif time.monotonic() - seen_at > (_NOBODY_S if _guarded(home) else _POLL_S * 4):
            raise Ended(f"the stack ended while starting; the end of its log:\n{_last_words(home)}")
        if home.is_full and time.monotonic() > began + _HEALING_S:
            raise StackError(f"no space is left for {home.path}; free some, and the stack goes on by itself")
        time.sleep(_POLL_S)
    raise StackError(f"the stack is not ready after {_READY_S:.0f} s; the end of its log:\n{_last_words(home)}")


def _servers_run(home: Home, found: StackInfo) -> bool:
    """Whether the servers can be used: one that is being started again is not there yet."""
    if not all(record.alive for record in state.load_records(home) if 0 <= record.tier < plan.WORKER_TIER):
        return False
    try:
        psycopg.connect(found.urls["database"], connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _guarded(home: Home) -> bool:
    """Whether a supervisor or a keeper runs."""
    return any(record.alive for record in state.load_records(home) if record.tier == state.GUARD_TIER)


def _last_words(home: Home) -> str:
    return tail(home.log_file(state.SUPERVISOR))
