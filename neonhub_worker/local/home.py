"""Where does the embedded stack keep what it must remember? One folder, private files, atomic writes."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neonhub_worker.local.errors import StackError

_NEEDED_BYTES = 150_000_000
# Postgres writes ahead in files of 16 MiB, and needs one to start again after a crash.
_FULL_BYTES = 17_000_000


@dataclass(frozen=True)
class Home:
    """The folder of one stack, as an absolute path."""

    path: Path

    @classmethod
    def at(cls, path: Path) -> Home:
        """The home at a path, which need not exist yet."""
        return cls(path.expanduser().resolve())

    @property
    def stack_file(self) -> Path:
        """Present from the first readiness until the stack has stopped."""
        return self.path / "stack.json"

    @property
    def state_file(self) -> Path:
        """What the supervisor is up to; unlike the stack file also present while it starts."""
        return self.run / "state.json"

    @property
    def run(self) -> Path:
        """Records of processes, ports and readiness: worth nothing once everything has stopped."""
        return self.path / "run"

    @property
    def logs(self) -> Path:
        """One log file per process."""
        return self.path / "logs"

    @property
    def lock_file(self) -> Path:
        """Locked by the one supervisor; the kernel unlocks it with its holder."""
        return self.run / "lock"

    @property
    def pgdata(self) -> Path:
        """Postgres's data directory."""
        return self.path / "postgres"

    @property
    def broker(self) -> Path:
        """Valkey's append-only file."""
        return self.path / "broker"

    @property
    def sandbox(self) -> Path:
        """The sandbox's own record of effects."""
        return self.path / "sandbox"

    def log_file(self, name: str) -> Path:
        """The log of a process."""
        return self.logs / f"{name}.log"

    def ready_file(self, name: str) -> Path:
        """The file that a process creates when it is ready."""
        return self.run / f"{name}.ready"

    def prepare(self) -> None:
        """Create the folders.

        Raises:
            StackError: The place cannot be written, or has too little room for a new database.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            for folder in (self.run, self.path / "secrets"):
                folder.mkdir(mode=0o700, exist_ok=True)
            for folder in (self.logs, self.broker, self.sandbox):
                folder.mkdir(mode=0o750, exist_ok=True)
            for folder in (self.path, self.run):
                write_private(folder / "probe", "")
                (folder / "probe").unlink(missing_ok=True)
            free = shutil.disk_usage(self.path).free
        except OSError as error:
            raise StackError(
                f"cannot write to {self.path}: {(error.strerror or str(error)).lower()}; "
                "set NEONHUB_HOME to a folder that you may write to"
            ) from None
        if free < _NEEDED_BYTES and not self.pgdata.exists():
            raise StackError(
                f"only {free // 1_000_000} MB are free for {self.path}; "
                f"a new stack needs {_NEEDED_BYTES // 1_000_000} MB"
            )

    @property
    def is_full(self) -> bool:
        """Whether a server that dies may be unable to come back for want of space."""
        return shutil.disk_usage(self.path).free < _FULL_BYTES

    def secret(self, name: str) -> str:
        """A password of 192 random bits, made at its first use and kept in a private file."""
        place = self.path / "secrets" / name
        with contextlib.suppress(FileNotFoundError):
            if found := place.read_text().strip():
                return found
        write_private(place, secrets.token_urlsafe(24))
        return place.read_text()


def write_private(place: Path, content: str) -> None:
    """Replace a file in one step, for its owner alone: a crash leaves the old or the new content, never a part."""
    with _written_beside(place, content) as made:
        made.rename(place)


def keep_private(place: Path, content: str) -> str:
    """Write a file unless it is there, for its owner alone; returns what it holds, whoever was first."""
    if place.exists():
        return place.read_text()
    with _written_beside(place, content) as made, contextlib.suppress(FileExistsError):
        # Unlike a rename, a link fails if another process was first.
        os.link(made, place)
    return place.read_text()


@contextlib.contextmanager
def _written_beside(place: Path, content: str) -> Iterator[Path]:
    """A new file in the same folder that is safely on the disk; it is gone afterwards, unless it was renamed."""
    made = place.with_name(f".{place.name}.{os.getpid()}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield made
    finally:
        made.unlink(missing_ok=True)


def read_json(place: Path) -> dict[str, Any]:
    """A JSON object from a file; empty if there is none or it cannot be read."""
    try:
        found = json.loads(place.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
