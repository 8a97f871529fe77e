"""How is one process kept alive? Started, watched, started again after a growing pause, stopped."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import structlog

from neonhub_worker import clock
from neonhub_worker.ids import digest
from neonhub_worker.local import identity
from neonhub_worker.local.errors import StackError
from neonhub_worker.local.home import Home
from neonhub_worker.local.logs import open_log, tail
from neonhub_worker.local.state import Record, load_record

log = structlog.get_logger("neonhub.local")


def _out_of_memory_kills() -> int | None:
    """How many processes the kernel has killed for want of memory since it started; None where it does not say."""
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/vmstat").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("oom_kill ")).split()[1])
    return None


def _at_once(failures: int) -> bool:
    del failures
    return True


@dataclass(frozen=True)
class Spec:
    """What to run.

    Attributes:
        tier: Higher tiers are stopped first.
        ready: Asks the process whether it can be used; None: once it has lived for half a second.
        before: Called before each start with the number of failures since it was last ready; False: not yet.
        stop_s: Seconds between the stop signal and SIGKILL.
        privileges: Arguments of ``subprocess.Popen`` that change the account.
    """

    name: str
    tier: int
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    ready: Callable[[], bool] | None = None
    before: Callable[[int], bool] = _at_once
    stop_signal: signal.Signals = signal.SIGTERM
    stop_s: float = 10.0
    privileges: Mapping[str, object] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Two processes with the same one may stand in for each other."""
        own = {name: value for name, value in self.environment.items() if name.startswith("NEONHUB_")}
        return digest([list(self.arguments), own, str(self.folder)])


class Backoff:
    """The pause before the next start: doubles with each death, and is short again after a long life."""

    def __init__(self, *, first_s: float = 0.2, longest_s: float = 10.0, calm_s: float = 5.0) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._calm_s = calm_s
        self._next_s = first_s

    def after(self, lived_s: float) -> float:
        """Seconds to wait after a life of this length."""
        if lived_s >= self._calm_s:
            self._next_s = self._first_s
        pause_s = self._next_s
        self._next_s = min(pause_s * 2, self._longest_s)
        return pause_s


class Child:
    """One process of the stack, whether we started it or took it over."""

    def __init__(self, home: Home, spec: Spec, *, stack_id: str) -> None:
        self.spec = spec
        self.ready = False
        self.failures = 0
        self.record: Record | None = None
        self._home = home
        self._stack_id = stack_id
        self._process: subprocess.Popen[bytes] | None = None
        self._backoff = Backoff()
        self._started_at = time.monotonic()
        self._due_at: float | None = None
        self._restarts = 0
        before = load_record(home, spec.name)
        self._dead = [] if before is None else [name for name in (*before.dead, before.worker_id) if name]
        self._killed = [] if before is None else list(before.killed)
        self._out_of_memory: int | None = None

    @property
    def running(self) -> bool:
        """Whether its process runs now."""
        if self.record is None:
            return False
        if self._process is not None:
            return self._process.poll() is None
        return self.record.alive

    def adopt(self) -> bool:
        """Take over the process that an earlier supervisor started, if it still runs and is what we would start."""
        found = load_record(self._home, self.spec.name)
        if found is None or not found.alive or found.fingerprint != self.spec.fingerprint:
            return False
        self.record = found
        self._restarts = found.restarts
        self._dead = list(found.dead)
        self._killed = list(found.killed)
        self._started_at = time.monotonic()
        log.info("adopted", process=self.spec.name, pid=found.pid)
        return True

    def revive(self) -> None:
        """Have the next ``tick`` start it, as one that died while nobody watched."""
        before = load_record(self._home, self.spec.name)
        self._restarts = 0 if before is None else before.restarts + 1
        self._due_at = time.monotonic()

    def start(self) -> None:
        """Start it, unless it has to wait for something; ``tick`` tries again then.

        Raises:
            StackError: Its program cannot be run.
        """
        self._due_at = time.monotonic()
        if not self.spec.before(self.failures):
            self._due_at += 0.2
            return
        self._home.ready_file(self.spec.name).unlink(missing_ok=True)
        worker_id = f"{self.spec.name}-{secrets.token_hex(6)}"
        environment = {
            **self.spec.environment,
            identity.MARK: f"{self._stack_id}/{self.spec.name}",
            "NEONHUB_WORKER_ID": worker_id,
            "NEONHUB_DEAD_WORKERS": ",".join(self._dead),
            "NEONHUB_KILLED_WORKERS": ",".join(self._killed),
        }
        self._out_of_memory = _out_of_memory_kills()
        self._process = self._popen(environment)
        self._due_at = None
        self.ready = False
        self._started_at = time.monotonic()
        self.record = Record(
            name=self.spec.name,
            pid=self._process.pid,
            mark=identity.start_mark(self._process.pid) or "ended",
            started_at=clock.now().isoformat(),
            tier=self.spec.tier,
            restarts=self._restarts,
            stop_signal=int(self.spec.stop_signal),
            stop_s=self.spec.stop_s,
            fingerprint=self.spec.fingerprint,
            worker_id=worker_id,
            dead=list(self._dead),
            killed=list(self._killed),
        )
        log.info("started", process=self.spec.name, pid=self._process.pid)
        self.record.save(self._home)

    def _popen(self, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        output = open_log(self._home.log_file(self.spec.name))
        try:
            # Its own session: a terminal's Ctrl-C reaches the one who waits for the stack, not each process.
            return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
                self.spec.arguments,
                env=environment,
                cwd=self.spec.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                **self.spec.privileges,
            )
        except (OSError, subprocess.SubprocessError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise StackError(f"cannot run {self.spec.arguments[0]} for {self.spec.name}: {reason.lower()}") from None
        finally:
            os.close(output)

    def tick(self) -> None:
        """Notice its death or readiness; start it again when its pause is over."""
        now = time.monotonic()
        if self._due_at is not None:
            if now >= self._due_at:
                self._again()
        elif self.record is not None and not self.running:
            self._bury(now - self._started_at)
        elif not self.ready and self._is_ready(now):
            self.ready = True
            self.failures = 0
            self._forget_dead()

    def _again(self) -> None:
        try:
            self.start()
        except StackError as error:
            self.failures += 1
            self._due_at = time.monotonic() + self._backoff.after(0)
            log.warning("not_started", process=self.spec.name, reason=str(error))

    def _is_ready(self, now: float) -> bool:
        return self.spec.ready() if self.spec.ready else now - self._started_at > 0.5

    def _forget_dead(self) -> None:
        self._dead, self._killed = [], []
        if self.record is not None and self.record.dead:
            self.record.dead, self.record.killed = [], []
            self.record.save(self._home)

    def _bury(self, lived_s: float) -> None:
        """End what the dead process left behind and set the time of its next start."""
        assert self.record is not None
        self.end_rest()
        pause_s = self._backoff.after(lived_s)
        code = None if self._process is None else self._process.returncode
        log.warning("died", process=self.spec.name, pid=self.record.pid, exit_code=code, again_in_s=pause_s)
        self._dead = [*self._dead[-19:], self.record.worker_id]
        if self._was_killed(code):
            self._killed = [*self._killed[-19:], self.record.worker_id]
        self._restarts = self.record.restarts + 1
        self.failures += not self.ready
        self.ready = False
        self._process = None
        self._due_at = time.monotonic() + pause_s

    def _was_killed(self, code: int | None) -> bool:
        """Whether somebody else ended it: by SIGKILL, and not the system for want of memory."""
        return (
            code == -signal.SIGKILL
            and self._out_of_memory is not None
            and _out_of_memory_kills() == self._out_of_memory
        )

    def end_rest(self) -> None:
        """Kill what a process that ended has left running.

        The group of our own child is certain at this moment; that of an adopted one may be another's by now, so there
        the mark in the environment decides.
        """
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        elif self.record is not None:
            identity.kill(identity.marked(self._stack_id, self.spec.name))

    def reap(self) -> None:
        """Take the exit code of our own child if it has ended."""
        if self._process is not None:
            self._process.poll()

    def owns(self, process: psutil.Process) -> bool:
        """Whether a process belongs to this running child."""
        if self.record is None:
            return False
        try:
            return process.pid == self.record.pid or os.getsid(process.pid) == self.record.pid
        except ProcessLookupError:
            return True

    def last_words(self) -> str:
        """The end of its log."""
        return tail(self._home.log_file(self.spec.name))
