"""``python -m neonhub_worker.local.supervise``: become the supervisor of a home, for ``up`` or after a kill."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from neonhub_worker.local import plan, state
from neonhub_worker.local.errors import StackError
from neonhub_worker.local.home import Home, write_private
from neonhub_worker.local.keeping import say_farewell
from neonhub_worker.local.logs import open_log
from neonhub_worker.local.supervisor import Supervisor
from neonhub_worker.local.wakeups import Wakeups
from neonhub_worker.telemetry import logging as log_shape

log = structlog.get_logger("neonhub.local")

_LOCK_S = 5.0


class Report:
    """Tells ``up`` how the start goes, as JSON lines; nobody may be listening.

    Args:
        descriptor: Write end of a pipe; None tells nobody.
    """

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        if descriptor is not None:
            os.set_inheritable(descriptor, False)

    @property
    def closed(self) -> bool:
        """Whether nothing more is said."""
        return self._descriptor is None

    def say(self, kind: str, text: str = "") -> None:
        """Send one line."""
        log.info("progress", kind=kind, text=text)
        if self._descriptor is not None:
            with contextlib.suppress(BrokenPipeError):
                os.write(self._descriptor, json.dumps({kind: text}).encode() + b"\n")

    def close(self) -> None:
        """Say nothing more."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def main() -> int:
    """Supervise until asked to stop.

    Returns:
        0, or 1 if the stack could not be started.
    """
    parser = argparse.ArgumentParser(prog="python -m neonhub_worker.local.supervise")
    parser.add_argument("--home", type=Path, required=True, help="folder of the stack")
    parser.add_argument("--report", type=int, help="descriptor that receives progress")
    parser.add_argument("--config", help="what to run, as JSON; left out to continue a killed supervisor's work")
    parser.add_argument("--keeper", type=int, help="descriptor of the pipe to the keeper that starts this supervisor")
    options = parser.parse_args()
    home = Home(options.home)
    if options.keeper is not None:
        os.set_inheritable(options.keeper, False)
        _log_to(home)
    log_shape.configure()
    wakeups, report = Wakeups(), Report(options.report)
    lock = _take_lock(home, wakeups)
    if lock is not None:
        return _supervise(home, lock, options, report, wakeups)
    report.say("busy")
    if options.keeper is not None:
        say_farewell(options.keeper)
    return 0


def _log_to(home: Home) -> None:
    """Write to the supervisor's log, not to that of the keeper which started us."""
    with contextlib.suppress(FileNotFoundError):
        output = open_log(home.log_file(state.SUPERVISOR))
        for standard in (1, 2):
            os.dup2(output, standard)
        os.close(output)


def _take_lock(home: Home, wakeups: Wakeups) -> state.Lock | None:
    """Take the lock; the kernel may need a moment to take it from one who was killed."""
    if not home.run.is_dir():
        return None
    lock, until = state.Lock(home), time.monotonic() + _LOCK_S
    while not lock.take():
        if time.monotonic() > until or wakeups.stop:
            return None
        wakeups.wait(0.05)
    return lock


def _supervise(home: Home, lock: state.Lock, options: argparse.Namespace, report: Report, wakeups: Wakeups) -> int:
    kept = home.run / "config.json"
    try:
        if options.config is None:
            before = state.load_state(home)
        else:
            before = "starting"
            write_private(kept, options.config)
        if before == "stopped" or not kept.exists():
            if options.keeper is not None:
                say_farewell(options.keeper)
            return 0
        supervisor = Supervisor(
            home,
            plan.Config.load(kept.read_text()),
            lock=lock,
            keeper=options.keeper,
            again=[sys.executable, "-P", "-m", "neonhub_worker.local.supervise", "--home", str(home.path)],
            tell=_telling(report),
            wakeups=wakeups,
        )
        supervisor.run(before="healing" if before == "ready" else before, announce=lambda: _announce(report))
        if not report.closed:
            report.say("error", "the stack was stopped while it was starting")
    except StackError as error:
        report.say("error", str(error))
        return 1
    except OSError as error:
        if options.config is None:
            raise
        report.say("error", str(StackError.of_system(error, home.path)))
        return 1
    return 0


def _telling(report: Report) -> Callable[[str], None]:
    return lambda text: report.say("progress", text)


def _announce(report: Report) -> None:
    report.say("ready")
    report.close()


if __name__ == "__main__":
    sys.exit(main())
