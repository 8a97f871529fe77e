"""``up`` and ``down``: what the command line calls."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

from neonhub_worker import clock
from neonhub_worker.local import launch, state, stopping
from neonhub_worker.local.errors import StackError
from neonhub_worker.local.home import Home
from neonhub_worker.local.ports import Ports
from neonhub_worker.local.state import ProcessState, StackInfo

__all__ = ["Ports", "ProcessState", "StackError", "StackInfo", "down", "info", "processes", "up"]

_STOPPING_S = 150.0
_NOBODY_S = 6.0
_POLL_S = 0.05


def up(
    home: Path,
    *,
    detach: bool,
    procfile: Path | None = None,
    ports: Ports | None = None,
    on_progress: Callable[[str], None],
) -> StackInfo:
    """Start the stack, or find it running.

    Args:
        home: Folder of its state; created if need be.
        detach: Return once everything is ready; else stay until SIGTERM, SIGINT or SIGHUP, which stop the stack.
        procfile: Another Procfile than that of this installation.
        ports: Ports that servers must have; free ones are taken where nothing is said.
        on_progress: Receives one line at a time.

    Raises:
        StackError: It could not be started; nothing is left running.
        KeyboardInterrupt: A signal came while it was starting; nothing is left running.
    """
    place = Home.at(home)
    place.prepare()
    tell = _to_whoever_listens(on_progress)
    with _signals_interrupt():
        if _await_stop(place):
            # Whoever ran it may have been killed at this very moment: then it is ours to start.
            with contextlib.suppress(launch.Ended):
                found = launch.wait_ready(place)
                tell("already running")
                return found
        start = functools.partial(launch.start, place, procfile=procfile, ports=ports or Ports(), on_progress=tell)
        attending = False
        try:
            found = start()
            attending = not detach
            while attending and not _attend(place, tell):
                tell("the supervisor and its keeper were killed; starting again")
                found = start()
        except KeyboardInterrupt:
            down(home, on_progress=tell)
            if not attending:
                raise
        return found


def _to_whoever_listens(on_progress: Callable[[str], None]) -> Callable[[str], None]:
    """A terminal that was closed, or a pipe whose reader left, must not keep the work from being done."""

    def tell(text: str) -> None:
        with contextlib.suppress(OSError):
            on_progress(text)

    return tell


def _await_stop(home: Home) -> bool:
    """Whether a stack runs; one that is stopping is waited for."""
    until = time.monotonic() + _STOPPING_S
    while state.is_locked(home):
        if state.load_state(home) != "stopping" or time.monotonic() > until:
            return True
        time.sleep(_POLL_S)
    return False


def _attend(home: Home, on_progress: Callable[[str], None]) -> bool:
    """Stay until the stack has stopped.

    Returns:
        False if nobody is left who could stop it, or keep it alive.
    """
    on_progress("running; Ctrl-C stops it")
    seen_at = time.monotonic()
    while state.load_state(home) != "stopped":
        time.sleep(0.3)
        _reap_orphans()
        if state.is_locked(home):
            seen_at = time.monotonic()
        elif time.monotonic() - seen_at > _NOBODY_S:
            return False
    return True


def _reap_orphans() -> None:
    """As the first process of a container we inherit what a killed supervisor leaves, and must take its exit codes."""
    if os.getpid() != 1:
        return
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


@contextlib.contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Let SIGTERM and SIGHUP do what Ctrl-C does, once, unless the caller has plans of its own for them."""

    def interrupt(number: int, _: FrameType | None) -> NoReturn:
        # A closing terminal sends it twice, from the kernel and from the shell; the second must not end the stopping.
        signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    changed = [one for one in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) is signal.SIG_DFL]
    for number in changed:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)


def down(home: Path, *, on_progress: Callable[[str], None]) -> bool:
    """Stop the stack, also one whose supervisor was killed.

    Returns:
        Whether anything was running.

    Raises:
        StackError: It belongs to another user.
    """
    place = Home.at(home)
    if not place.run.is_dir():
        return False
    try:
        return _down(place, _to_whoever_listens(on_progress))
    except PermissionError as error:
        raise StackError(
            f"cannot stop the stack in {place.path}: {error.strerror}; it belongs to another user"
        ) from None


def _down(home: Home, on_progress: Callable[[str], None]) -> bool:
    found = False
    until = time.monotonic() + _STOPPING_S
    supervisor: state.Record | None = None
    while True:
        with state.lock(home) as ours:
            if ours:
                if supervisor is not None:
                    stopping.wait_gone(supervisor)
                return stopping.end_leftovers(home, tell=on_progress) or found
        if time.monotonic() > until:
            stopping.kill_guards(home)
        supervisor = state.load_record(home, state.SUPERVISOR)
        if supervisor is not None and supervisor.alive:
            if not found:
                on_progress("stopping")
            found = True
            stopping.ask(supervisor)
        time.sleep(_POLL_S)


def info(home: Path) -> StackInfo | None:
    """The stack of a home, as its stack file says; None if it is not ready or has stopped."""
    return state.load_stack(Home.at(home))


def processes(home: Path) -> list[ProcessState]:
    """Every process of the stack, the supervisor and the keeper included; none once it was stopped."""
    place = Home.at(home)
    if state.load_state(place) == "stopped":
        return []
    return [
        ProcessState(
            name=record.name,
            pid=record.pid,
            alive=record.alive,
            restarts=record.restarts,
            started_at=clock.utc_from_iso(record.started_at),
        )
        for record in state.load_records(place)
    ]
