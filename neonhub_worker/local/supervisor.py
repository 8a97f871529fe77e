"""Who keeps the stack alive? One process: starts the others in order, starts again what dies, stops them in reverse.

Killed itself, it is followed by another (keeper.py), which takes over the processes that are running.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from neonhub_worker import clock
from neonhub_worker.local import identity, logs, plan, state, stopping
from neonhub_worker.local.child import Child
from neonhub_worker.local.errors import StackError
from neonhub_worker.local.home import Home
from neonhub_worker.local.keeping import Keepership
from neonhub_worker.local.wakeups import Stopped, Wakeups

log = structlog.get_logger("neonhub.local")

_GIVE_UP_AFTER = 4
_READY_S = 90.0
_TICK_S = 0.2
_STARTING_TICK_S = 0.03
_ROTATE_S = 5.0
_PREPARE_TRIES = 3


class Supervisor:
    """Runs one stack until it is asked to stop.

    Args:
        lock: The held lock of the home.
        keeper: The pipe to the keeper that started this supervisor because another was killed; None if ``up`` did.
        again: The command that continues this supervisor's work if it is killed.
        tell: Receives progress lines.
    """

    def __init__(
        self,
        home: Home,
        config: plan.Config,
        *,
        lock: state.Lock,
        keeper: int | None,
        again: Sequence[str],
        tell: Callable[[str], None],
        wakeups: Wakeups,
    ) -> None:
        self._home = home
        self._config = config
        self._tell = tell
        self._wakeups = wakeups
        self._stack_id = state.stack_id(home)
        self._self = state.record_self(home, state.SUPERVISOR, healing=keeper is not None)
        self._lock = lock
        self._keeper = Keepership(home, stack_id=self._stack_id, command=again, descriptor=keeper)
        self._children: list[Child] = []
        self._urls: dict[str, str] = {}
        self._ready_at: datetime | None = None
        self._rotate_at = 0.0

    def run(self, *, before: str, announce: Callable[[], None]) -> None:
        """Start or take over the stack, keep it alive, stop it when asked.

        Args:
            before: What is to be done: ``starting``, or what a killed supervisor leaves: ``healing`` or ``stopping``.
            announce: Called once everything is ready.

        Raises:
            StackError: It could not be started; what was started is stopped again.
        """
        try:
            state.save_state(self._home, before)
            self._keeper.tick()
            self._load(before=before)
            if before == "starting":
                self._start()
            if before != "stopping":
                self._watch(announce)
        except Stopped:
            log.info("stop_requested")
        except StackError:
            self._stop()
            raise
        except OSError as error:
            if before != "starting":
                raise
            self._stop()
            raise StackError.of_system(error, self._home.path) from None
        # Any other exception is a fault of this program: it ends here, and the keeper starts the next supervisor.
        self._stop()

    def _load(self, *, before: str) -> None:
        """Make the plan and take over what runs already."""
        if before == "starting":
            self._home.stack_file.unlink(missing_ok=True)
        running = frozenset(record.name for record in state.load_records(self._home) if record.alive)
        made = plan.make(self._home, self._config, running=running)
        self._urls, self._environment = made.urls, made.environment
        self._children = [Child(self._home, spec, stack_id=self._stack_id) for spec in made.specs]
        adopted = [child for child in self._children if child.adopt()]
        taken = {child.spec.name for child in adopted} | {state.SUPERVISOR, state.KEEPER}
        others = [record for record in state.load_records(self._home) if record.name not in taken]
        stopping.stop(others, reap=lambda: None, tell=self._tell)
        stopping.end_strays(self._home, self._stack_id, keep=adopted, keep_pids=self._keeper.pids)
        state.forget_others(self._home, {child.spec.name for child in self._children})
        if before == "healing":
            found = state.load_stack(self._home)
            self._ready_at = clock.now() if found is None else found.started_at
            for child in self._children:
                if not child.running:
                    child.revive()

    def _start(self) -> None:
        self._bring_up([child for child in self._children if child.spec.tier < plan.WORKER_TIER])
        self._prepare()
        self._bring_up([child for child in self._children if child.spec.tier >= plan.WORKER_TIER])
        self._ready_at = clock.now()

    def _start_missing(self, children: Sequence[Child]) -> None:
        for child in children:
            if not child.running:
                child.start()

    def _bring_up(self, children: Sequence[Child]) -> None:
        """Start these and wait until all are ready."""
        began = time.monotonic()
        self._start_missing(children)
        told: set[str] = set()
        while not all(child.ready for child in children):
            self._tick(_STARTING_TICK_S)
            for child in children:
                if child.ready and child.spec.name not in told:
                    told.add(child.spec.name)
                    self._tell(f"{child.spec.name} is ready ({time.monotonic() - began:.1f} s)")
                elif child.failures >= _GIVE_UP_AFTER:
                    raise StackError(f"{child.spec.name} keeps dying; the end of its log:\n{child.last_words()}")
            late = [child for child in children if not child.ready]
            if late and time.monotonic() - began > _READY_S:
                name = late[0].spec.name
                raise StackError(
                    f"{name} is not ready after {_READY_S:.0f} s; the end of its log:\n{late[0].last_words()}"
                )

    def _prepare(self) -> None:
        """Create or update the schema and the demo organization, in a process of its own."""
        self._tell("preparing the database")
        for _ in range(_PREPARE_TRIES):
            if self._prepared():
                return
        words = logs.tail(self._home.log_file("prepare"))
        raise StackError(f"the database could not be prepared; the end of the log:\n{words}")

    def _prepared(self) -> bool:
        output = logs.open_log(self._home.log_file("prepare"))
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "neonhub_worker.local.prepare"],
                env={**self._environment, identity.MARK: f"{self._stack_id}/prepare"},
                cwd=self._config.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        finally:
            os.close(output)
        try:
            while process.poll() is None:
                self._tick(_STARTING_TICK_S)
        finally:
            process.kill()
            process.wait()
        return process.returncode == 0

    def _watch(self, announce: Callable[[], None]) -> None:
        while not all(child.ready for child in self._children):
            self._tick(_STARTING_TICK_S)
        self._write_stack()
        state.save_state(self._home, "ready")
        log.info("ready")
        announce()
        while True:
            self._tick(_TICK_S)

    def _tick(self, wait_s: float) -> None:
        self._wakeups.wait(wait_s)
        if self._wakeups.stop or self._lock.lost:
            raise Stopped
        for part in (self._keeper.tick, *(child.tick for child in self._children), self._housekeep):
            try:
                part()
            except OSError as error:
                # A full disk must not end the supervision; what could not be done is tried again at the next tick.
                log.warning("tick_failed", reason=error.strerror or str(error), file=error.filename)

    def _housekeep(self) -> None:
        for record in self._records():
            # Only what could not be written when it was new, because the disk was full.
            record.save(self._home)
        self._write_stack()
        if time.monotonic() >= self._rotate_at:
            self._rotate_at = time.monotonic() + _ROTATE_S
            logs.rotate(self._home.logs)

    def _write_stack(self, *, as_state: str = "ready") -> None:
        if self._ready_at is None:
            return
        state.save_stack(
            self._home, urls=self._urls, records=self._records(), state=as_state, started_at=self._ready_at
        )

    def _records(self) -> list[state.Record]:
        found = [self._self, self._keeper.record, *(child.record for child in self._children)]
        return [record for record in found if record is not None]

    def _stop(self) -> None:
        self._keep_record("stopping")
        records = [child.record for child in self._children if child.record is not None]
        stopping.stop(records, reap=self._reap, tell=self._tell)
        for child in self._children:
            child.end_rest()
        if self._lock.lost:
            # Another stack may live at the place by now: nothing there is ours to touch.
            identity.kill(one for one in identity.marked(self._stack_id) if one.pid not in self._keeper.pids)
            self._keeper.dismiss()
        else:
            stopping.end_strays(self._home, self._stack_id, keep_pids=self._keeper.pids)
            self._keeper.dismiss()
            stopping.clear(self._home)
        log.info("stopped")

    def _keep_record(self, what: str) -> None:
        """Write down what this supervisor is at, if there still is a place for it."""
        if not self._lock.lost:
            with contextlib.suppress(OSError):
                state.save_state(self._home, what)
                self._write_stack(as_state=what)

    def _reap(self) -> None:
        for child in self._children:
            child.reap()
