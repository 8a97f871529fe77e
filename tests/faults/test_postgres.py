"""Postgres refuses, or cuts the connection, while a producer asks, a worker claims, or records what it has done."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy.engine import make_url

from neonhub_worker import enqueue, get_run
from neonhub_worker.errors import Unreachable
from neonhub_worker.performing import batch
from tests.faults.armed import Armed
from tests.faults.cases import CASES, Case
from tests.faults.endings import accept, finish, wrong
from tests.integration.workers import Place
from tests.servers import wait_for

# What nobody can ask about afterwards shows whether a result that is known was kept.
PARKS = next(case for case in CASES if case.may_park)

REFUSALS = {
    "53100": "the disk is full",
    "53200": "out of memory",
    "55P03": "a lock was not had in time",
    "40P01": "a deadlock",
    "40001": "two wrote at once",
    "57014": "cancelled by an administrator",
    "25006": "another server was made the primary",
}
"""By SQLSTATE."""


@contextmanager
def refusing(place: Place, state: str, event: str) -> Iterator[psycopg.Connection]:
    """Postgres refuses what a trigger is asked about; yields a connection that can tell how often it has."""
    with psycopg.connect(place.database_url, autocommit=True) as connection:
        # A sequence keeps its count when the transaction that moved it on fails.
        connection.execute("create sequence refused")
        connection.execute(
            "create function refuse() returns trigger language plpgsql as $$ begin "
            f"perform nextval('refused'); raise exception 'no' using errcode = '{state}'; end $$"
        )
        connection.execute(f"create trigger refuse before insert on {event} execute function refuse()")
        try:
            yield connection
        finally:
            connection.execute("drop function refuse() cascade")
            connection.execute("drop sequence refused")


def refused(connection: psycopg.Connection) -> int:
    found = connection.execute("select case when is_called then last_value else 0 end from refused").fetchone()
    assert found is not None
    return int(found[0])


@pytest.mark.parametrize("state", REFUSALS, ids=REFUSALS.get)
def test_a_producer_whom_postgres_refuses_is_told_that_nothing_was_accepted(place: Place, state: str) -> None:
    request = PARKS.request(PARKS.make(place.sandbox))
    with refusing(place, state, "run for each row"), pytest.raises(Unreachable, match="nothing was changed"):
        enqueue(request)


@pytest.mark.parametrize("state", REFUSALS, ids=REFUSALS.get)
def test_a_claim_that_postgres_refuses_holds_and_sends_nothing(place: Place, state: str) -> None:
    given = PARKS.make(place.sandbox)
    run_id = accept(PARKS, given)
    with refusing(place, state, "run_event for each row when (new.move = 'claim')"), pytest.raises(Unreachable):
        batch.perform([run_id])
    assert (get_run(run_id).state, PARKS.count(place.sandbox, given)) == ("queued", 0)
    finish(place, run_id, PARKS)
    assert get_run(run_id).state == "succeeded"
    assert wrong(place, run_id, PARKS, given) is None


@pytest.mark.parametrize("state", REFUSALS, ids=REFUSALS.get)
def test_a_result_that_postgres_refuses_is_kept_until_it_takes_it(place: Place, state: str) -> None:
    given = PARKS.make(place.sandbox)
    run_id = accept(PARKS, given)
    worker = threading.Thread(target=batch.perform, args=([run_id],))
    with refusing(place, state, "run_event for each row when (new.move = 'succeed')") as connection:
        worker.start()
        wait_for(lambda: refused(connection) >= 2 or not worker.is_alive(), "a second try")
        assert get_run(run_id).state == "running"
    worker.join()
    assert get_run(run_id).state == "succeeded"
    assert wrong(place, run_id, PARKS, given) is None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.action)
def test_a_claim_whose_connection_is_cut_before_its_commit_holds_and_sends_nothing(place: Place, case: Case) -> None:
    given = case.make(place.sandbox)
    run_id = accept(case, given)
    worker = Armed([run_id], "claim.written:stop")
    worker.wait_frozen()
    cut(place)
    worker.thaw()
    assert worker.wait() == 1, "the message's task fails, and the dispatcher publishes again"
    run = get_run(run_id)
    assert (run.state, run.attempts) == ("queued", 0)
    finish(place, run_id, case)
    assert wrong(place, run_id, case, given) is None


def test_a_result_whose_connection_is_cut_before_its_commit_is_recorded_by_the_same_worker(place: Place) -> None:
    given = PARKS.make(place.sandbox)
    run_id = accept(PARKS, given)
    worker = Armed([run_id], "settle.written:stop")
    worker.wait_frozen()
    cut(place)
    worker.thaw()
    assert worker.wait() == 0
    assert get_run(run_id).state == "succeeded"
    assert wrong(place, run_id, PARKS, given) is None


def cut(place: Place) -> None:
    """End the one connection to the database that is inside a transaction."""
    admin_url = make_url(place.database_url).set(database="postgres").render_as_string(hide_password=False)
    with psycopg.connect(admin_url, autocommit=True) as admin:
        ended = admin.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
            "where datname = %s and state = 'idle in transaction'",
            [make_url(place.database_url).database],
        ).fetchall()
    assert ended == [(True,)]
