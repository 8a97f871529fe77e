"""One organization's campaign and another one's single post: who is first, and what looking costs."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, Engine, event, text

from neonhub_worker import enqueue, get_run
from neonhub_worker.db.engine import engine as product_engine
from neonhub_worker.dispatch.scheduler import PostgresScheduler
from neonhub_worker.performing import batch
from neonhub_worker.vault import connections, organizations
from tests.conftest import ConnectionFactory
from tests.factories import sms
from tests.integration.beats import accept_unpublished, published

CAMPAIGN = 100_000


@pytest.fixture(autouse=True)
def two_organizations(connection_factory: ConnectionFactory) -> None:
    connection_factory("sms", credential={}, settings={})
    organizations.ensure("other", "Other")
    connections.add(organization_id="other", name="sms", connector="sms", account="test", credential={}, settings={})


def single_post() -> uuid.UUID:
    return enqueue(sms(organization_id="other"))


def copy(engine: Engine, run_id: uuid.UUID, times: int) -> None:
    """As if a run had been accepted so many times more."""
    names = "organization_id, kind, name, connection_id, input, input_hash, queue, effect, limits, max_retries, state"
    with engine.begin() as connection:
        connection.execute(
            text(
                f"insert into run (id, run_at, {names}) select gen_random_uuid(), run_at, {names} "
                "from run, generate_series(1, :times) where id = :id"
            ),
            {"id": run_id, "times": times},
        )


@contextmanager
def rows_read() -> Iterator[list[int]]:
    """How many rows of the table of runs each transaction of the product looks at, at least."""
    found: list[int] = []

    def note(connection: Connection) -> None:
        counted = connection.connection.cursor().execute(
            "select seq_tup_read + coalesce(idx_tup_fetch, 0) from pg_stat_xact_user_tables where relname = 'run'"
        )
        found.append(counted.fetchone()[0])

    event.listen(product_engine(), "commit", note)
    try:
        yield found
    finally:
        event.remove(product_engine(), "commit", note)


@pytest.mark.parametrize("analyzed", [True, False], ids=["analyzed", "right after it came in"])
def test_a_hundred_thousand_waiting_messages_are_never_looked_through(
    beat: PostgresScheduler, engine: Engine, analyzed: bool
) -> None:
    (campaign,) = accept_unpublished()
    copy(engine, campaign, CAMPAIGN)
    if analyzed:
        with engine.begin() as connection:
            connection.execute(text("analyze"))
    with rows_read() as looked_at:
        beat.tick()
        post = single_post()
        with engine.begin() as connection:  # a worker takes some of the campaign
            taken = "update run set state = 'running' where published_at is not null and organization_id = 'acme'"
            connection.execute(text(taken))
        beat.tick()
        assert published([post]) == 1
        batch.perform([post])
    assert get_run(post).attempts == 1
    assert 0 < max(looked_at) < CAMPAIGN / 50
