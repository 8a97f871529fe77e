"""What runs, and what did we write down about it? Records of processes, and the stack file that others read."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import os
import secrets
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from neonhub_worker import clock
from neonhub_worker.local import identity
from neonhub_worker.local.home import Home, keep_private, read_json, write_private

SUPERVISOR = "supervisor"
KEEPER = "keeper"
GUARD_TIER = -2
"""The tier of these two, which stop the others."""


@dataclass(frozen=True)
class StackInfo:
    """A stack that has become ready.

    Attributes:
        urls: ``database``, ``broker``, ``sandbox``, ``flower`` and ``webhooks``; the first two contain passwords.
        processes: Pid by name, the supervisor and the keeper included.
        state: ``ready`` or ``stopping``.
        started_at: When it became ready.
    """

    urls: dict[str, str] = field(repr=False)
    processes: dict[str, int]
    state: str
    started_at: datetime


@dataclass(frozen=True)
class ProcessState:
    """One process of the stack.

    Attributes:
        restarts: How often it was started again since ``up``.
    """

    name: str
    pid: int
    alive: bool
    restarts: int
    started_at: datetime


@dataclass
class Record:
    """What is kept of one process, so that who comes after us can watch or stop it.

    Attributes:
        mark: Start mark: with the pid it identifies the process for ever.
        tier: Processes of a higher tier are stopped before those of a lower one.
        fingerprint: Digest of command and environment.
        worker_id: Under which name this start of a worker holds leases.
        dead: Worker ids of earlier starts that certainly ended, until the present one is ready.
        killed: Those among them that somebody else killed.
    """

    name: str
    pid: int
    mark: str
    started_at: str
    tier: int = 0
    restarts: int = 0
    stop_signal: int = 15
    stop_s: float = 10.0
    fingerprint: str = ""
    worker_id: str = ""
    dead: list[str] = field(default_factory=list)
    killed: list[str] = field(default_factory=list)

    @property
    def alive(self) -> bool:
        """Whether this very process still runs."""
        return identity.alive(self.pid, self.mark)

    def save(self, home: Home) -> None:
        """Write it down, unless it is written already."""
        if load_record(home, self.name) != self:
            write_private(home.run / f"process-{self.name}.json", json.dumps(dataclasses.asdict(self)))


def load_record(home: Home, name: str) -> Record | None:
    """The record of a process, dead or alive; None if there is none."""
    found = read_json(home.run / f"process-{name}.json")
    names = {one.name for one in dataclasses.fields(Record)}
    try:
        return Record(**{key: value for key, value in found.items() if key in names})
    except TypeError:
        return None


def load_records(home: Home) -> list[Record]:
    """All records, in the order in which the processes are started."""
    names = [place.stem.removeprefix("process-") for place in home.run.glob("process-*.json")]
    found = [record for name in names if (record := load_record(home, name))]
    return sorted(found, key=lambda record: (record.tier, record.name))


def forget(home: Home, name: str) -> None:
    """Remove the record of a process."""
    (home.run / f"process-{name}.json").unlink(missing_ok=True)


def forget_others(home: Home, names: Collection[str]) -> None:
    """Remove the records of processes that are not of these names; the supervisor's and the keeper's stay."""
    for record in load_records(home):
        if record.name not in names and record.tier != GUARD_TIER:
            forget(home, record.name)


def record_self(home: Home, name: str, *, healing: bool) -> Record:
    """Write down the process that calls; ``healing`` counts it as a restart."""
    before = load_record(home, name) if healing else None
    made = Record(
        name=name,
        pid=os.getpid(),
        mark=identity.start_mark(os.getpid()) or "",
        started_at=clock.now().isoformat(),
        restarts=0 if before is None else before.restarts + 1,
        tier=GUARD_TIER,
    )
    made.save(home)
    return made


def stack_id(home: Home) -> str:
    """A random name of this home, which its processes carry in their environment."""
    return keep_private(home.run / "id", secrets.token_hex(8))


def save_state(home: Home, state: str) -> None:
    """Write down what the supervisor is up to: ``starting``, ``healing``, ``ready``, ``stopping``, ``stopped``."""
    write_private(home.state_file, json.dumps({"state": state, "at": clock.now().isoformat()}))


def load_state(home: Home) -> str:
    """What the latest supervisor was up to; ``stopped`` if there never was one."""
    state = read_json(home.state_file).get("state")
    return state if isinstance(state, str) else "stopped"


def save_stack(
    home: Home, *, urls: dict[str, str], records: Sequence[Record], state: str, started_at: datetime
) -> None:
    """Write the stack file anew if anything in it has changed."""
    content: dict[str, Any] = {
        "urls": urls,
        "processes": [{"name": record.name, "pid": record.pid} for record in records],
        "state": state,
        "started_at": started_at.isoformat(),
        "supervisor": next((record.pid for record in records if record.name == SUPERVISOR), None),
    }
    if read_json(home.stack_file) != content:
        write_private(home.stack_file, json.dumps(content, indent=2) + "\n")


def load_stack(home: Home) -> StackInfo | None:
    """What the stack file says; None if there is none."""
    found = read_json(home.stack_file)
    try:
        return StackInfo(
            urls=dict(found["urls"]),
            processes={str(one["name"]): int(one["pid"]) for one in found["processes"]},
            state=str(found.get("state", "ready")),
            started_at=clock.utc_from_iso(found["started_at"]),
        )
    except (KeyError, TypeError, ValueError):
        return None


class Lock:
    """The lock that the one supervisor of a home holds; the kernel frees it with its holder."""

    def __init__(self, home: Home) -> None:
        self._place = home.lock_file
        self._descriptor = os.open(self._place, os.O_RDWR | os.O_CREAT, 0o600)

    def take(self) -> bool:
        """Whether it is ours now."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    @property
    def lost(self) -> bool:
        """Whether the home was deleted, or replaced, under us."""
        try:
            return not os.path.samestat(self._place.stat(), os.fstat(self._descriptor))
        except FileNotFoundError:
            return True

    def close(self) -> None:
        """Free it."""
        os.close(self._descriptor)


@contextlib.contextmanager
def lock(home: Home) -> Iterator[bool]:
    """Hold the lock if it is free; gives False at once if another holds it."""
    made = Lock(home)
    try:
        yield made.take()
    finally:
        made.close()


def is_locked(home: Home) -> bool:
    """Whether a supervisor holds the lock now."""
    if not home.lock_file.exists():
        return False
    with lock(home) as ours:
        return not ours
