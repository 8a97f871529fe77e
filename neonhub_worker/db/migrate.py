"""How does the schema change? Alembic, driven from here; no ini file."""

from __future__ import annotations

import contextlib
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

# Any constant: two migrations of one database take turns on it.
_ADVISORY_LOCK = 0x6E656F6E


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
    with contextlib.closing(engine.connect()) as lock:
        lock.execute(text("select pg_advisory_lock(:key)"), {"key": _ADVISORY_LOCK})
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
