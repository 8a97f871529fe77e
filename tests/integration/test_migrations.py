"""The schema that the migrations make is the one the program uses, and a database with data can be brought there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from neonhub_worker.db import migrate
from neonhub_worker.db.tables import metadata
from neonhub_worker.errors import SchemaAhead
from tests.servers import wait_for


def test_the_migrations_make_exactly_the_tables_of_the_program(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_every_table_has_the_storage_settings_of_the_program(engine: Engine) -> None:
    query = text("select relname, reloptions from pg_class where reloptions is not null and relkind = 'r'")
    with engine.connect() as connection:
        made = {row.relname: dict(one.split("=") for one in row.reloptions) for row in connection.execute(query)}
    wanted = {
        table.name: {name: str(value) for name, value in options.items()}
        for table in metadata.tables.values()
        if (options := table.dialect_options["postgresql"].get("with"))
    }
    assert {name: options for name, options in made.items() if name in metadata.tables} == wanted


def test_upgrading_again_keeps_the_data(engine: Engine, database_url: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("insert into organization (id, name) values ('kept', 'Kept')"))
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: migrate.upgrade(database_url), range(3)))
    found = migrate.schema(database_url)
    assert found.current == found.newest
    with engine.connect() as connection:
        assert connection.execute(text("select name from organization where id = 'kept'")).scalar_one() == "Kept"


def test_the_schema_can_be_taken_down_and_made_again(database_url: str, engine: Engine) -> None:
    command.downgrade(migrate.config(database_url), "base")
    assert migrate.schema(database_url).current is None
    migrate.upgrade(database_url)
    found = migrate.schema(database_url)
    assert (found.current, found.unfinished) == (found.newest, False), "an empty database has no version before"
    with engine.connect() as connection:
        assert connection.execute(text("select count(*) from run")).scalar_one() == 0


def indexes(engine: Engine) -> set[str]:
    """Those that can be used."""
    query = text("select indexrelid::regclass::text as name from pg_index where indisvalid")
    with engine.connect() as connection:
        return {row.name for row in connection.execute(query)}


def test_what_the_version_before_needs_stays_until_the_upgrade_is_finished(database_url: str, engine: Engine) -> None:
    command.downgrade(migrate.config(database_url), "0001")
    migrate.upgrade(database_url)
    found = migrate.schema(database_url)
    assert (found.current, found.behind, found.unfinished) == (found.needed, False, True)
    assert {"run_due", "run_lane"} <= indexes(engine)
    migrate.upgrade(database_url, finish=True)
    assert not migrate.schema(database_url).unfinished
    assert "run_due" not in indexes(engine)
    migrate.upgrade(database_url)
    assert not migrate.schema(database_url).unfinished, "migrating again brings nothing back"


def test_a_migration_that_broke_off_is_done_by_running_it_again(database_url: str, engine: Engine) -> None:
    made = ScriptDirectory.from_config(migrate.config(database_url)).get_revision("0002").module
    command.downgrade(migrate.config(database_url), "0001")
    with engine.begin() as connection:
        for statement in made.STATEMENTS:
            connection.execute(text(statement))
        # What is left of an index whose building was broken off: it is kept up to date, and never used.
        connection.execute(text(f"create index run_lane on {made.INDEXES['run_lane']}"))
        connection.execute(text("update pg_index set indisvalid = false where indexrelid = 'run_lane'::regclass"))
    assert "run_lane" not in indexes(engine)
    migrate.upgrade(database_url)
    assert not migrate.schema(database_url).behind
    assert set(made.INDEXES) <= indexes(engine)


def test_a_transaction_that_takes_long_only_makes_a_migration_wait(database_url: str, engine: Engine) -> None:
    command.downgrade(migrate.config(database_url), "0001")
    with engine.connect() as reader, ThreadPoolExecutor(1) as pool:
        # It holds nothing that the migration changes.
        reader.execute(text("set transaction isolation level repeatable read"))
        reader.execute(text("select * from opt_out"))
        migration = pool.submit(migrate.upgrade, database_url)
        wait_for(lambda: builds_an_index(engine), "the migration to wait for the reader", timeout_s=20)
        with engine.begin() as connection:  # what producers and workers do meanwhile is not held up
            connection.execute(text("insert into organization (id, name) values ('new', 'New')"))
            connection.execute(text("select * from run for update"))
        assert not migration.done()
        reader.rollback()
        migration.result(20)
    assert not migrate.schema(database_url).behind


def builds_an_index(engine: Engine) -> bool:
    query = text("select 1 from pg_stat_progress_create_index where phase like 'waiting%' and datname = :name")
    with engine.connect() as connection:
        return connection.execute(query, {"name": engine.url.database}).first() is not None


def test_an_older_program_leaves_a_newer_schema_alone(database_url: str, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    assert migrate.schema(database_url).ahead
    with pytest.raises(SchemaAhead, match="is at 9999, which is newer than this program"):
        migrate.upgrade(database_url)
