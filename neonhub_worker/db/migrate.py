"""How does the schema change? Alembic, driven from here; no ini file."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

# Any constant: two migrations of one database take turns on it.
_ADVISORY_LOCK = 0x6E656F6E
_ASK_AGAIN_S = 0.1


def config(url: str) -> Config:
    """Alembic's configuration for a database URL (``postgresql://`` or ``postgresql+psycopg://``)."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    made.attributes["url"] = "postgresql+psycopg://" + url.partition("://")[2]
    return made


def upgrade(url: str, *, revision: str = "head") -> None:
    """Bring the schema up to a revision; several callers at once take turns, and a second run changes nothing."""
    made = config(url)
    engine = create_engine(made.attributes["url"])
    # Without a transaction, and asking again instead of waiting: an index that is built concurrently waits for every
    # older statement and transaction to end.
    with contextlib.closing(engine.connect().execution_options(isolation_level="AUTOCOMMIT")) as lock:
        while not lock.execute(text("select pg_try_advisory_lock(:key)"), {"key": _ADVISORY_LOCK}).scalar_one():
            time.sleep(_ASK_AGAIN_S)
        try:
            command.upgrade(made, revision)
        finally:
            lock.execute(text("select pg_advisory_unlock(:key)"), {"key": _ADVISORY_LOCK})
    engine.dispose()


def versions(url: str) -> tuple[str | None, str | None]:
    """The schema revision of the database and the newest one that this program knows."""
    made = config(url)
    engine = create_engine(made.attributes["url"])
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    engine.dispose()
    return current, ScriptDirectory.from_config(made).get_current_head()
