"""How does the supervisor keep its keeper? Through a pipe that tells each of the other's end."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence

import structlog

from neonhub_worker import clock
from neonhub_worker.local import identity, keeper, state
from neonhub_worker.local.home import Home
from neonhub_worker.local.logs import open_log

log = structlog.get_logger("neonhub.local")


class Keepership:
    """The keeper of this supervisor; started again if it dies.

    Args:
        command: What the keeper becomes if the supervisor is killed.
    """

    def __init__(self, home: Home, *, stack_id: str, command: Sequence[str]) -> None:
        self._home = home
        self._stack_id = stack_id
        self._command = list(command)
        self._process: subprocess.Popen[bytes] | None = None
        self._write: int | None = None
        self.record: state.Record | None = None

    def tick(self) -> None:
        """Start the keeper if it does not run."""
        if self._process is not None and self._process.poll() is None:
            return
        if self._process is not None:
            log.warning("died", process=state.KEEPER, pid=self._process.pid, exit_code=self._process.returncode)
        self._close()
        self._start()

    def _start(self) -> None:
        # Neither end is inherited by other children: only our own end closes the pipe.
        read, self._write = os.pipe()
        output = open_log(self._home.log_file(state.KEEPER))
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", keeper.__file__, str(read), *self._command],
                env={**os.environ, identity.MARK: f"{self._stack_id}/{state.KEEPER}"},
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

    def _close(self) -> None:
        if self._write is not None:
            os.close(self._write)
            self._write = None

    def dismiss(self) -> None:
        """Say farewell and wait for the keeper's end."""
        if self._process is None or self._write is None:
            return
        with contextlib.suppress(BrokenPipeError):
            os.write(self._write, keeper.FAREWELL)
        self._close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        state.forget(self._home, state.KEEPER)
