"""The backlog in lanes: who is next, how many, and what stays in Postgres."""

from __future__ import annotations

import pytest
import redis
from sqlalchemy import Engine, text

from neonhub_worker import enqueue, enqueue_many
from neonhub_worker.dispatch import limits
from neonhub_worker.dispatch.scheduler import PostgresScheduler
from neonhub_worker.ledger.acceptance import FEW, KEPT, WINDOW
from neonhub_worker.vault import connections, organizations
from tests.conftest import ConnectionFactory
from tests.factories import sms
from tests.integration.beats import accept_unpublished, messages, published
from tests.servers import wait_for


@pytest.fixture(autouse=True)
def sms_connection(connection_factory: ConnectionFactory) -> None:
    connection_factory("sms", credential={}, settings={})


def test_a_producer_leaves_to_the_dispatcher_what_the_broker_has_no_room_for(
    beat: PostgresScheduler, broker: redis.Redis
) -> None:
    run_ids = enqueue_many([sms()] * (WINDOW + 50))
    assert published(run_ids) == FEW
    late = enqueue(sms())
    assert published([late]) == 0, "it would overtake its own lane"
    beat.tick()
    assert published([late]) == 0
    assert published([*run_ids, late]) == WINDOW - KEPT


def test_another_organizations_single_post_goes_at_once_whatever_waits(beat: PostgresScheduler) -> None:
    campaign = enqueue_many([sms(priority=0)] * (2 * WINDOW))
    beat.tick()
    other_organization()
    post = enqueue(sms(organization_id="other", priority=9))
    assert published([post]) == 1
    assert published(campaign) == WINDOW - KEPT


def test_the_more_urgent_runs_of_an_organization_go_first(beat: PostgresScheduler) -> None:
    accept_unpublished(WINDOW)
    urgent = accept_unpublished(3, priority=0)
    beat.tick()
    assert published(urgent) == 3


def test_who_has_begun_keeps_the_place_in_the_lane_that_it_had(beat: PostgresScheduler, engine: Engine) -> None:
    (begun,) = accept_unpublished()
    backlog = accept_unpublished(WINDOW)
    with engine.begin() as connection:
        connection.execute(
            text("update run set state = 'retrying', fence = 1, run_at = statement_timestamp() where id = :id"),
            {"id": begun},
        )
    beat.tick()
    assert published([begun]) == 1
    assert published(backlog) < WINDOW


def test_a_limited_connection_has_no_more_on_the_broker_than_may_go(
    beat: PostgresScheduler, broker: redis.Redis, engine: Engine
) -> None:
    connections.set_limits("acme", "sms", [limits.parse("3/s").as_json(), limits.parse("1000/day").as_json()])
    run_ids = accept_unpublished(50)
    for _ in range(3):
        beat.tick()
    assert published(run_ids) == 3
    (message,) = messages(broker)
    assert len(eval(message["kwargs"])["run_ids"]) == 3
    with engine.begin() as connection:  # a worker took them and used their permits
        connection.execute(
            text(
                "insert into permit select id, 1, 'send', connection_id, name, null, clock_timestamp(), "
                "clock_timestamp() from run where published_at is not null"
            )
        )
        connection.execute(text("update run set state = 'running' where published_at is not null"))
    beat.tick()
    assert published(run_ids) == 3
    wait_for(lambda: (beat.tick(), published(run_ids) == 6)[1], "the next second's permits")


def test_a_closed_gate_keeps_its_lane_from_the_broker_and_no_other(
    beat: PostgresScheduler, connection_factory: ConnectionFactory, engine: Engine
) -> None:
    link = connection_factory("sms", name="second", credential={}, settings={})
    closed, free = accept_unpublished(connection="second"), accept_unpublished()
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into gate (connection_id, scope, closed_until) "
                "values (:id, 'action:sms.sendSMS', now() + interval '1 hour')"
            ),
            {"id": link},
        )
    beat.tick()
    assert (published(closed), published(free)) == (0, 1)
    with engine.begin() as connection:
        connection.execute(text("update gate set closed_until = now()"))
    beat.tick()
    assert published(closed) == 1


def other_organization() -> None:
    organizations.ensure("other", "Other")
    connections.add(organization_id="other", name="sms", connector="sms", account="test", credential={}, settings={})
