"""Is this still the process that we started? A pid alone does not tell: the kernel gives it to others later."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

MARK = "NEONHUB_STACK_PROCESS"
"""Environment variable of every process of a stack: ``<stack id>/<name>``. Finds what no record speaks of."""

_KILLED_S = 3.0


def start_mark(pid: int) -> str | None:
    """What tells a process from any other that ever has its pid; None if no such process runs.

    A zombie does not run.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return _linux_mark(pid) if psutil.LINUX else repr(process.create_time())
    except (psutil.Error, OSError):
        return None


def _linux_mark(pid: int) -> str:
    """Ticks since boot: unlike psutil's time of day they do not move when the clock is set."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot}:{after_name[19]}"


def alive(pid: int, mark: str) -> bool:
    """Whether the process that had this start mark still runs."""
    return start_mark(pid) == mark


def send(pid: int, mark: str, number: signal.Signals) -> bool:
    """Signal exactly this process.

    Returns:
        False if it does not run any more; nobody was signalled then.
    """
    if not alive(pid, mark):
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False


def wait_gone(running: Callable[[], bool], *, timeout_s: float) -> bool:
    """Wait until something has ended.

    Returns:
        False if it still runs after ``timeout_s``.
    """
    until = time.monotonic() + timeout_s
    while running():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def marked(stack_id: str, name: str | None = None) -> list[psutil.Process]:
    """The running processes that carry a stack's mark, their descendants included; of one name if given."""

    def carries(process: psutil.Process) -> bool:
        mark = process.environ().get(MARK, "")
        return mark.startswith(f"{stack_id}/") if name is None else mark == f"{stack_id}/{name}"

    return _all(carries)


def in_folder(program: str, folder: Path) -> list[psutil.Process]:
    """The running processes of a program whose working directory is this folder."""
    return _all(lambda process: process.name().startswith(program) and Path(process.cwd()) == folder)


def _all(wanted: Callable[[psutil.Process], bool]) -> list[psutil.Process]:
    """The other running processes that are wanted; those that we may not look into are not ours."""
    # psutil keeps what it has seen, also of pids that have gone to other processes since.
    psutil.process_iter.cache_clear()
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and wanted(process) and _runs(process):
                found.append(process)
    return found


def kill(processes: Iterable[psutil.Process], *, first: signal.Signals = signal.SIGKILL, grace_s: float = 0.0) -> int:
    """End processes: with a signal first, after the grace period with SIGKILL.

    Returns:
        How many there were.
    """
    found = list(processes)
    _signal_all(found, first)
    if not wait_gone(lambda: any(map(_runs, found)), timeout_s=grace_s or _KILLED_S):
        _signal_all(found, signal.SIGKILL)
        wait_gone(lambda: any(map(_runs, found)), timeout_s=_KILLED_S)
    return len(found)


def _signal_all(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        # psutil looks at the start time again, so that nobody else is hit.
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)


def _runs(process: psutil.Process) -> bool:
    """Whether it still runs; one that only waits for its parent to take its exit code does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
