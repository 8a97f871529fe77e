"""How does the supervisor keep its keeper? Through a pipe that tells each of the other's end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence

import structlog

from neonhub_worker import clock
from neonhub_worker.local import identity, keeper, state
from neonhub_worker.local.home import Home
from neonhub_worker.local.logs import open_log

log = structlog.get_logger("neonhub.local")

_FAREWELL_S = 5.0


def say_farewell(descriptor: int) -> None:
    """Tell the keeper at the other end of a pipe that it is not needed any more."""
    with contextlib.suppress(BrokenPipeError):
        os.write(descriptor, keeper.FAREWELL)
    os.close(descriptor)


class Keepership:
    """The keeper of this supervisor; started again if it dies.

    Args:
        command: What the keeper starts if the supervisor is killed.
        descriptor: The write end of the pipe to the keeper that started this supervisor; None if none did.
    """

    def __init__(self, home: Home, *, stack_id: str, command: Sequence[str], descriptor: int | None) -> None:
        self._home = home
        self._stack_id = stack_id
        self._command = list(command)
        self._write = descriptor
        self._process: subprocess.Popen[bytes] | None = None
        self.record = None if descriptor is None else state.load_record(home, state.KEEPER)

    @property
    def pids(self) -> list[int]:
        """The keeper's pid, if there is one."""
        return [] if self.record is None else [self.record.pid]

    def tick(self) -> None:
        """Start the keeper if it does not run."""
        if self._runs():
            return
        if self.record is not None:
            log.warning("died", process=state.KEEPER, pid=self.record.pid)
        if self._write is not None:
            os.close(self._write)
            self._write = None
        self._start()

    def _runs(self) -> bool:
        if self._process is not None:
            return self._process.poll() is None
        return self.record is not None and self.record.alive

    def _start(self) -> None:
        output = open_log(self._home.log_file(state.KEEPER))
        # Neither end is inherited by other children: only our own end closes the pipe.
        read, self._write = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", keeper.__file__, str(read), *self._command],
                env={**os.environ, identity.MARK: f"{self._stack_id}/{state.KEEPER}"},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[read],
                start_new_session=True,
            )
        finally:
            os.close(read)
            os.close(output)
        self.record = state.Record(
            name=state.KEEPER,
            pid=self._process.pid,
            mark=identity.start_mark(self._process.pid) or "ended",
            started_at=clock.now().isoformat(),
            restarts=0 if self.record is None else self.record.restarts + 1,
            tier=state.GUARD_TIER,
        )
        self.record.save(self._home)

    def dismiss(self) -> None:
        """Say farewell and wait for the keeper's end."""
        if self._write is None or self.record is None:
            return
        say_farewell(self._write)
        self._write = None
        if not identity.wait_gone(self._runs, timeout_s=_FAREWELL_S):
            identity.send(self.record.pid, self.record.mark, signal.SIGKILL)
