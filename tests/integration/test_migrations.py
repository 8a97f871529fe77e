"""The schema that the migrations make is the one the program uses, and a database with data can be brought there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text

from neonhub_worker.db import migrate
from neonhub_worker.db.tables import metadata


def test_the_migrations_make_exactly_the_tables_of_the_program(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_upgrading_again_keeps_the_data(engine: Engine, database_url: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("insert into organization (id, name) values ('kept', 'Kept')"))
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: migrate.upgrade(database_url), range(3)))
    current, newest = migrate.versions(database_url)
    assert current == newest
    with engine.connect() as connection:
        assert connection.execute(text("select name from organization where id = 'kept'")).scalar_one() == "Kept"


def test_the_schema_can_be_taken_down_and_made_again(database_url: str, engine: Engine) -> None:
    command.downgrade(migrate.config(database_url), "base")
    assert migrate.versions(database_url)[0] is None
    migrate.upgrade(database_url)
    with engine.connect() as connection:
        assert connection.execute(text("select count(*) from run")).scalar_one() == 0
