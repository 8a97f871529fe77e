"""What does the sandbox remember? One sqlite file, committed before any request is answered."""

from __future__ import annotations

import fcntl
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA_VERSION = 1

_CORE_TABLES = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seeded (connector TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rate (connector TEXT PRIMARY KEY, per_second REAL NOT NULL) WITHOUT ROWID;
"""


class StateUnusableError(Exception):
    """The state directory cannot be used; the message says why and what to do."""


class Store:
    """The sandbox's state in one directory.

    Nothing here is thread-safe: every call comes from the one event loop, and no handler yields inside a transaction.

    Args:
        directory: Created when missing. Held by a lock until this process ends, however it ends.

    Raises:
        StateUnusableError: another sandbox holds the directory, or it was written by another version.
    """

    def __init__(self, directory: Path) -> None:
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._lock = (directory / "lock").open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise StateUnusableError(f"another sandbox uses {directory}; stop it or choose another --state") from None
        except OSError as error:
            raise StateUnusableError(f"cannot use {directory}: {error.strerror}; choose another --state") from None
        self.db = sqlite3.connect(directory / "sandbox.sqlite3", isolation_level=None, check_same_thread=False)
        self.db.row_factory = sqlite3.Row
        # NORMAL survives kill -9 (the log is in the page cache); only a power cut may lose the last commits.
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000", "foreign_keys=OFF"):
            self.db.execute(f"PRAGMA {pragma}")
        self._check_version(directory)
        self.create(_CORE_TABLES)
        row = self.db.execute("SELECT value FROM setting WHERE name = 'clock_offset_s'").fetchone()
        self._offset_s: float = row["value"] if row else 0.0

    def create(self, tables: str) -> None:
        """Create tables; every statement must say IF NOT EXISTS."""
        self.db.executescript(tables)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One write transaction: committed at the end, rolled back when the block raises."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield self.db
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def now(self) -> float:
        """Seconds since 1970 on the sandbox's own clock, which can be moved ahead of the real one."""
        return time.time() + self._offset_s

    def advance(self, seconds: float) -> float:
        """Move the sandbox's clock ahead, for good, and return the new now."""
        with self.transaction() as db:
            self._offset_s += seconds
            db.execute("INSERT OR REPLACE INTO setting VALUES ('clock_offset_s', ?)", (self._offset_s,))
        return self.now()

    def empty(self) -> None:
        """Forget everything, the time included."""
        with self.transaction() as db:
            tables = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for row in tables:
                db.execute(f'DELETE FROM "{row["name"]}"')  # noqa: S608 (a table's name)
            self._offset_s = 0.0

    def close(self) -> None:
        """Close the file and give the directory back."""
        self.db.close()
        self._lock.close()

    def _check_version(self, directory: Path) -> None:
        found: int = self.db.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, SCHEMA_VERSION):
            self.close()
            raise StateUnusableError(
                f"{directory} holds sandbox state of version {found}, this is version {SCHEMA_VERSION}; remove it"
            )
        self.db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
