"""How does everything end? Clean signals in reverse order, patience, then SIGKILL; and nothing is left over."""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Callable, Iterable

import psutil
import structlog

from neonhub_worker.local import identity, state
from neonhub_worker.local.child import Child
from neonhub_worker.local.home import Home
from neonhub_worker.local.state import Record

log = structlog.get_logger("neonhub.local")

_LAST_WARNING_S = 5.0


def stop(records: Iterable[Record], *, reap: Callable[[], None], tell: Callable[[str], None]) -> None:
    """Stop processes, the highest tier first, those of one tier together.

    Args:
        reap: Called while waiting: takes the exit codes of our own children.
    """
    ordered = sorted(records, key=lambda record: -record.tier)
    for _, group in itertools.groupby(ordered, key=lambda record: record.tier):
        _stop_tier([record for record in group if record.alive], reap=reap, tell=tell)


def _stop_tier(records: list[Record], *, reap: Callable[[], None], tell: Callable[[str], None]) -> None:
    if records:
        tell(f"stopping {', '.join(record.name for record in records)}")
    began = time.monotonic()
    for record in records:
        identity.send(record.pid, record.mark, signal.Signals(record.stop_signal))
    for record in records:
        if _wait(record, began + record.stop_s, reap):
            continue
        # Postgres alone answers this one: it ends at once, without a clean last checkpoint.
        if record.stop_signal == signal.SIGINT and identity.send(record.pid, record.mark, signal.SIGQUIT):
            _wait(record, time.monotonic() + _LAST_WARNING_S, reap)
        if identity.send(record.pid, record.mark, signal.SIGKILL):
            log.warning("killed", process=record.name, pid=record.pid, after_s=record.stop_s)
            tell(f"{record.name} did not stop within {record.stop_s:.0f} s and was killed")
            _wait(record, time.monotonic() + _LAST_WARNING_S, reap)


def _wait(record: Record, until: float, reap: Callable[[], None]) -> bool:
    def running() -> bool:
        reap()
        return record.alive

    return identity.wait_gone(running, timeout_s=max(0.0, until - time.monotonic()))


def end_strays(home: Home, stack_id: str, *, keep: Iterable[Child] = (), keep_pids: Iterable[int] = ()) -> int:
    """Kill the processes of a stack that nobody watches.

    Args:
        keep: Running children whose processes stay.
        keep_pids: Further processes that stay.

    Returns:
        How many were found.
    """
    kept, pids = list(keep), {os.getpid(), *keep_pids}
    strays: list[psutil.Process] = [
        process
        for process in identity.marked(stack_id)
        if process.pid not in pids and not any(child.owns(process) for child in kept)
    ]
    names = {child.spec.name for child in kept}
    # These two overwrite the environment that they show to others; their working directory gives them away.
    if "postgres" not in names:
        strays += identity.in_folder("postgres", home.pgdata)
    if "broker" not in names:
        strays += identity.in_folder("valkey", home.broker)
    for process in strays:
        log.warning("stray_ended", pid=process.pid)
    return identity.kill(strays)


def end_leftovers(home: Home, *, tell: Callable[[str], None]) -> bool:
    """Stop what a stack without supervisor has left running. The caller holds the lock.

    Returns:
        Whether there was anything.
    """
    records = state.load_records(home)
    kill_guards(home)
    rest = [record for record in records if record.tier != state.GUARD_TIER]
    found = any(record.alive for record in rest)
    stop(rest, reap=lambda: None, tell=tell)
    found = end_strays(home, state.stack_id(home)) > 0 or found
    clear(home)
    return found


def ask(supervisor: Record) -> None:
    """Ask a supervisor to stop its stack; asking again changes nothing."""
    identity.send(supervisor.pid, supervisor.mark, signal.SIGTERM)


def wait_gone(supervisor: Record) -> None:
    """Wait for the end of a supervisor that has given the lock up."""
    identity.wait_gone(lambda: supervisor.alive, timeout_s=_LAST_WARNING_S)


def kill_guards(home: Home) -> None:
    """Kill the supervisor and the keeper, the keeper first so that it does not heal."""
    for name in (state.KEEPER, state.SUPERVISOR):
        record = state.load_record(home, name)
        if record is not None and record.pid != os.getpid():
            identity.send(record.pid, record.mark, signal.SIGKILL)


def clear(home: Home) -> None:
    """Write down that nothing runs any more; what workers died of stays for the next start."""
    for record in state.load_records(home):
        if not record.worker_id:
            state.forget(home, record.name)
    home.stack_file.unlink(missing_ok=True)
    state.save_state(home, "stopped")
