"""How does the schema change? Alembic, driven from here; no ini file.

A revision either adds, which the version before does not mind, or says ``finish = True`` and removes what only the
version before needs: it waits until ``neonhub migrate --finish`` says that no process of that version is left.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, text

from neonhub_worker.errors import SchemaAhead

# Any constant: two migrations of one database take turns on it.
_ADVISORY_LOCK = 0x6E656F6E
_ASK_AGAIN_S = 0.1


@dataclass(frozen=True)
class Schema:
    """Where a database stands.

    Attributes:
        current: Its revision; None if it has none of our tables.
        needed: The revision that this program needs at least.
        newest: The newest one that it knows: ``needed`` and what finishes the upgrade.
        passed: The revisions that the database has come by, as far as this program knows them.
    """

    current: str | None
    needed: str
    newest: str
    passed: frozenset[str]

    @property
    def ahead(self) -> bool:
        """A newer program has changed it."""
        return self.current is not None and not self.passed

    @property
    def behind(self) -> bool:
        """This program cannot work with it."""
        return not self.ahead and self.needed not in self.passed

    @property
    def unfinished(self) -> bool:
        """It still has what only the version before needs."""
        return not self.ahead and not self.behind and self.newest not in self.passed


def config(url: str) -> Config:
    """Alembic's configuration for a database URL (``postgresql://`` or ``postgresql+psycopg://``)."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    made.attributes["url"] = "postgresql+psycopg://" + url.partition("://")[2]
    return made


def upgrade(url: str, *, finish: bool = False) -> None:
    """Bring the schema up to date; several callers at once take turns, and a second run changes nothing.

    Args:
        finish: Also remove what only the version before needs. A database without tables has no such version.

    Raises:
        SchemaAhead: A newer program has changed it.
    """
    made = config(url)
    with _engine(made) as engine, _turn(engine):
        found = _schema(engine, made)
        if found.ahead:
            raise SchemaAhead(
                f"the database's schema is at {found.current}, which is newer than this program, whose newest is "
                f"{found.newest}; migrate with the newest version that you run"
            )
        if found.behind or finish:
            command.upgrade(made, found.newest if finish or found.current is None else found.needed)


def schema(url: str) -> Schema:
    """Where the database stands."""
    made = config(url)
    with _engine(made) as engine:
        return _schema(engine, made)


@contextlib.contextmanager
def _engine(made: Config) -> Iterator[Engine]:
    engine = create_engine(made.attributes["url"])
    try:
        yield engine
    finally:
        engine.dispose()


@contextlib.contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """Wait for other migrations of this database."""
    # Without a transaction, and asking again instead of waiting: an index that is built concurrently waits for every
    # older statement and transaction to end.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as lock:
        while not lock.execute(text("select pg_try_advisory_lock(:key)"), {"key": _ADVISORY_LOCK}).scalar_one():
            time.sleep(_ASK_AGAIN_S)
        try:
            yield
        finally:
            lock.execute(text("select pg_advisory_unlock(:key)"), {"key": _ADVISORY_LOCK})


def _schema(engine: Engine, made: Config) -> Schema:
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    revisions = list(ScriptDirectory.from_config(made).walk_revisions())  # the newest first
    numbers = [one.revision for one in revisions]
    # One that removes and has been followed by others belongs to an earlier upgrade, whose processes are long gone.
    needed = next(one.revision for one in revisions if not getattr(one.module, "finish", False))
    passed = numbers[numbers.index(current) :] if current in numbers else []
    return Schema(current, needed, numbers[0], frozenset(passed))
