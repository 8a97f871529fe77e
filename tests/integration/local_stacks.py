"""A stack of a test's own: real Postgres, broker and sandbox, and small processes in place of the workers."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from neonhub_worker.local import identity, stack, state
from neonhub_worker.local.home import Home
from tests.servers import wait_for

ROOT = Path(__file__).parent.parent.parent

PROCFILE = """
actions: sleep 1000
flower: python -m http.server --bind 127.0.0.1 $PORT
"""

NAMES = {"supervisor", "keeper", "postgres", "broker", "sandbox", "actions.1", "actions.2", "flower"}

_SCRIPT = """
import sys
from pathlib import Path
from neonhub_worker.local import stack
home, procfile, detach = sys.argv[1:]
def say(line):
    print(line, flush=True)
stack.up(Path(home), detach=detach == "detach", procfile=Path(procfile), on_progress=say)
"""


class LocalStack:
    """One home and what runs in it."""

    def __init__(self, home: Path, *, procfile: str = PROCFILE) -> None:
        self.home = Home.at(home)
        self.procfile = home.parent / "Procfile"
        self.procfile.write_text(procfile)
        self.said: list[str] = []

    def up(self, *, ports: stack.Ports | None = None) -> stack.StackInfo:
        return stack.up(self.home.path, detach=True, procfile=self.procfile, ports=ports, on_progress=self.said.append)

    def down(self) -> bool:
        return stack.down(self.home.path, on_progress=self.said.append)

    def command(self, *, detach: bool) -> list[str]:
        """``up`` as a process of its own."""
        how = "detach" if detach else "stay"
        return [sys.executable, "-c", _SCRIPT, str(self.home.path), str(self.procfile), how]

    def start_up(self, *, detach: bool, stderr: int | None = None, prefix: Sequence[str] = ()) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*prefix, *self.command(detach=detach)],
            cwd=ROOT,
            # Measured, it would have coverage's own SIGTERM handler, and what a signal does is what tests want to see.
            env={name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")},
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )

    def pids(self) -> dict[str, int]:
        return {process.name: process.pid for process in stack.processes(self.home.path) if process.alive}

    def kill(self, *names: str) -> None:
        """Kill all of these before any other can act on it; returns once they are dead."""
        pids = self.pids()
        os.kill(pids["supervisor"], signal.SIGSTOP)
        for name in names:
            os.kill(pids[name], signal.SIGKILL)
        wait_for(lambda: not any(self.pids().get(name) == pids[name] for name in names), f"the end of {names}")
        if "supervisor" not in names:
            os.kill(pids["supervisor"], signal.SIGCONT)

    def wait_healed(self, before: Mapping[str, int], *killed: str) -> dict[str, int]:
        """Wait until the killed ones run again under new pids and the stack file says so."""

        def healed() -> bool:
            now, info = self.pids(), stack.info(self.home.path)
            alive = now.keys() == before.keys() and all(now[name] != before[name] for name in killed)
            return alive and info is not None and info.processes == now

        wait_for(healed, f"healing of {', '.join(killed)}")
        return self.pids()

    def left(self) -> list[psutil.Process]:
        """What of this stack runs, by whatever sign it can be known."""
        found = {process.pid: process for process in identity.marked(state.stack_id(self.home))}
        for program, folder in (("postgres", self.home.pgdata), ("valkey", self.home.broker)):
            found |= {process.pid: process for process in identity.in_folder(program, folder)}
        return list(found.values())

    def clean(self) -> None:
        """Leave nothing behind, whatever the test has done."""
        if self.home.run.is_dir():
            with contextlib.suppress(Exception):
                self.down()
            identity.kill(self.left())
