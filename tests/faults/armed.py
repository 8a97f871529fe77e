"""A worker process that is armed with a fault.

It performs one message as the Celery worker does, through ``batch.perform``, without Celery around it: of the matrix's
hundreds of workers each costs a fork then, not three seconds. Workers of the Procfile are armed in ``test_beats.py``.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import signal
import uuid
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess

import psutil

from neonhub_worker import faults
from neonhub_worker.performing import batch
from tests.servers import wait_for

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__, "pytest.__main__"])


class Armed:
    """A process that performs runs until its fault strikes."""

    def __init__(self, run_ids: Sequence[uuid.UUID], fault: str) -> None:
        environment = {name: value for name, value in os.environ.items() if name.startswith("NEONHUB_")}
        self._process: BaseProcess = _FORKS.Process(
            target=_perform, args=(list(run_ids), {**environment, faults.VARIABLE: fault}), daemon=True
        )
        self._process.start()

    def wait(self) -> int:
        """Wait for its end; its exit code, or minus the signal that killed it."""
        self._process.join(60)
        assert self._process.exitcode is not None, "it neither ended nor was killed"
        return self._process.exitcode

    def wait_frozen(self) -> None:
        """Wait until it is stopped."""
        wait_for(lambda: self._process.exitcode is not None or self._is_frozen(), "a frozen worker")
        assert self._process.exitcode is None, f"it ended with {self._process.exitcode} before it came to the point"

    def _is_frozen(self) -> bool:
        with contextlib.suppress(psutil.NoSuchProcess):  # it ends just now
            return psutil.Process(self._process.pid).status() == psutil.STATUS_STOPPED
        return False

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def end(self) -> None:
        """Kill it if it still runs."""
        self._process.kill()
        self._process.join()


def _perform(run_ids: Sequence[uuid.UUID], environment: Mapping[str, str]) -> None:
    os.environ.update(environment)
    importlib.reload(faults)  # it reads the environment when it is imported
    batch.perform(run_ids)
