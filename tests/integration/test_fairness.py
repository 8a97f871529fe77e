"""One organization's campaign and another one's single post: who is first, and what looking costs."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, Engine, event, text

from neonhub_worker import enqueue, get_run
from neonhub_worker.app import app
from neonhub_worker.db.engine import engine as product_engine
from neonhub_worker.dispatch.fairness import CROWD_BATCH
from neonhub_worker.dispatch.scheduler import PostgresScheduler
from neonhub_worker.ledger.acceptance import FEW, KEPT, WINDOW
from neonhub_worker.performing import batch
from neonhub_worker.vault import connections, organizations
from tests.conftest import ConnectionFactory
from tests.factories import sms
from tests.integration.beats import accept_unpublished, published

CAMPAIGN = 100_000
PLACES = WINDOW - KEPT
"""As many of its runs are on the broker at once."""


@pytest.fixture(autouse=True)
def two_organizations(connection_factory: ConnectionFactory) -> None:
    connection_factory("sms", credential={}, settings={})
    organizations.ensure("other", "Other")
    connections.add(organization_id="other", name="sms", connector="sms", account="test", credential={}, settings={})


def single_post() -> uuid.UUID:
    return enqueue(sms(organization_id="other"))


def taken_first() -> list[str]:
    """The runs of the message that a worker gets next, as a worker asks for it."""
    with app.connection_for_read() as connection:
        (queue,) = (one for one in app.conf.task_queues if one.name == "actions")
        message = queue.bind(connection.default_channel).get()
        message.ack()
    found: list[str] = message.payload[1]["run_ids"]
    return found


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


def test_a_worker_takes_a_single_post_before_a_campaign_that_fills_the_broker(beat: PostgresScheduler) -> None:
    campaign = accept_unpublished(WINDOW)
    beat.tick()
    assert published(campaign) == PLACES
    post = single_post()
    assert taken_first() == [str(post)]
    assert len(taken_first()) == CROWD_BATCH


def test_what_the_dispatcher_adds_to_a_campaign_waits_for_a_single_post_too(beat: PostgresScheduler) -> None:
    campaign = accept_unpublished(PLACES - 1)
    beat.tick()
    assert published(campaign) == PLACES - 1
    with app.connection_for_write() as connection:
        connection.default_channel.queue_purge("actions")
    accept_unpublished(1)
    post = accept_unpublished(organization_id="other")
    beat.tick()  # there is room for one: that of the organization with fewer
    assert taken_first() == [str(post[0])]


def test_a_campaign_sent_one_by_one_becomes_a_crowd_too(beat: PostgresScheduler) -> None:
    campaign = [str(enqueue(sms())) for _ in range(FEW + 3)]
    beat.tick()
    post = single_post()
    assert [taken_first() for _ in range(FEW)] == [[run_id] for run_id in campaign[:FEW]]
    assert taken_first() == [str(post)]
    assert taken_first() == campaign[FEW:]


def test_who_has_few_on_the_broker_takes_turns_with_others(beat: PostgresScheduler) -> None:
    first = accept_unpublished(FEW)
    beat.tick()
    post = single_post()
    assert [taken_first()[0] for _ in range(FEW)] == [str(run_id) for run_id in first]
    assert taken_first() == [str(post)]


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
