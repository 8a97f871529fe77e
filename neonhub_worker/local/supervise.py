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
    options = parser.parse_args()
    log_shape.configure()
    wakeups = Wakeups()
    home, report = Home.at(options.home), Report(options.report)
    with contextlib.ExitStack() as held:
        if not _take_lock(home, held.enter_context, wakeups):
            report.say("busy")
            return 0
        return _supervise(home, options.config, report, wakeups)


def _take_lock(home: Home, enter: Callable[[contextlib.AbstractContextManager[bool]], bool], wakeups: Wakeups) -> bool:
    """Take the lock; the kernel may need a moment to take it from one who was killed."""
    until = time.monotonic() + _LOCK_S
    while not enter(state.lock(home)):
        if time.monotonic() > until or wakeups.stop:
            return False
        wakeups.wait(0.05)
    return True


def _supervise(home: Home, config_text: str | None, report: Report, wakeups: Wakeups) -> int:
    kept = home.run / "config.json"
    before = "starting"
    healing = config_text is None
    try:
        if config_text is None:
            config_text = kept.read_text()
            before = state.load_state(home)
            if before == "stopped":
                return 0
        else:
            write_private(kept, config_text)
            state.save_state(home, "starting")
        again = [sys.executable, "-P", "-m", "neonhub_worker.local.supervise", "--home", str(home.path)]
        supervisor = Supervisor(
            home,
            plan.Config.load(config_text),
            healing=healing,
            again=again,
            tell=_telling(report),
            wakeups=wakeups,
        )
        supervisor.run(before=before, announce=lambda: _announce(report))
    except StackError as error:
        report.say("error", str(error))
        return 1
    return 0


def _telling(report: Report) -> Callable[[str], None]:
    return lambda text: report.say("progress", text)


def _announce(report: Report) -> None:
    report.say("ready")
    report.close()


if __name__ == "__main__":
    sys.exit(main())
