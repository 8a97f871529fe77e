"""What ``import neonhub_worker`` offers: accepted with the caller's commit, or not at all."""

from __future__ import annotations

import subprocess
import sys
import threading
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

import neonhub_worker
from neonhub_worker import (
    IdempotencyConflict,
    InvalidInput,
    MoveRefused,
    UnknownRun,
    cancel,
    enqueue,
    enqueue_many,
    get_run,
    retry,
    schedule,
    settle,
    validate,
    wait,
)
from neonhub_worker.ledger import leases
from neonhub_worker.ledger.leases import Outcome
from neonhub_worker.ledger.states import EffectState
from neonhub_worker.schedules import rows
from tests.conftest import ConnectionFactory
from tests.factories import TO, sms
from tests.races import at_once


@pytest.fixture(autouse=True)
def sms_connection(connection_factory: ConnectionFactory) -> None:
    connection_factory("sms", credential={}, settings={})


def count_runs(engine: Engine) -> int:
    with engine.connect() as connection:
        count: int = connection.execute(text("select count(*) from run")).scalar_one()
        return count


def end(engine: Engine, run_id: uuid.UUID, move: str, effect: EffectState) -> None:
    """Have a worker claim the run and end it so."""
    with engine.begin() as connection:
        (claimed,) = leases.claim(connection, [run_id], worker="w", lease_s=60)
        outcome = Outcome(run_id, claimed.fence, move, effect=effect, provider_id="SM1" if move == "succeed" else None)
        assert leases.settle(connection, [outcome], worker="w")


def test_every_name_it_offers_is_there() -> None:
    assert all(getattr(neonhub_worker, name) is not None for name in neonhub_worker.__all__)
    with pytest.raises(AttributeError, match="no attribute 'enqeue'"):
        neonhub_worker.enqeue  # noqa: B018


def test_importing_it_loads_neither_celery_nor_sqlalchemy() -> None:
    script = "import neonhub_worker, sys; print(sorted({'celery', 'sqlalchemy', 'twilio', 'torch'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "[]\n"


def test_a_run_in_the_callers_transaction_lives_and_dies_with_it(engine: Engine) -> None:
    with engine.connect() as connection:
        run_id = enqueue(sms(), connection=connection)
        connection.rollback()
    with pytest.raises(UnknownRun):
        get_run(run_id)
    with engine.begin() as connection:
        run_id = enqueue(sms(), connection=connection)
    assert get_run(run_id).state == "queued"


@pytest.mark.parametrize("wrong", [sms(input={"to": "nobody", "body": "hi"}), sms(idempotency_key="used")])
def test_a_refused_request_leaves_the_callers_transaction_as_it_was(engine: Engine, wrong: dict[str, Any]) -> None:
    enqueue(sms(input={"to": TO, "body": "earlier"}, idempotency_key="used"))
    with engine.begin() as connection:
        kept = enqueue(sms(), connection=connection)
        with pytest.raises((InvalidInput, IdempotencyConflict)):
            enqueue_many([sms(), wrong], connection=connection)
    assert get_run(kept).state == "queued"
    assert count_runs(engine) == 2


def test_of_many_requests_all_are_accepted_or_none(engine: Engine) -> None:
    with pytest.raises(InvalidInput) as refused:
        enqueue_many([sms(), sms(input={"to": "12", "body": ""}), sms(action="sms.sendSms"), sms(connection="smss")])
    assert count_runs(engine) == 0
    said = [str(error) for error in refused.value.errors]
    assert said[0].startswith("item 2: input.to: must be a phone number")
    assert said[1].startswith("item 2: input.body: ")
    assert said[2] == "item 3: action: no action 'sms.sendSms'; did you mean sms.sendSMS?"
    assert said[3].startswith("item 4: connection: ")
    run_ids = enqueue_many(sms(input={"to": TO, "body": f"Number {n}"}) for n in range(500))
    assert len(set(run_ids)) == count_runs(engine) == 500


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"organization_id": "nobody"}, "organization_id"),
        ({"organization": "acme"}, "organization"),
        ({"input": {"to": TO, "body": "hi", "colour": "red"}}, "input.colour"),
        ({"input": {"to": TO}}, "input"),
        ({"priority": 11}, "priority"),
        ({"queue": "agents"}, "queue"),
        ({"at": datetime(2026, 1, 1)}, "at"),  # noqa: DTZ001 (without a zone: that is the fault)
        ({"idempotency_key": ""}, "idempotency_key"),
    ],
)
def test_what_is_wrong_is_named_by_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        validate(sms(**change))
    assert field in {error.field for error in refused.value.errors}
    assert TO not in str(refused.value)


def test_the_same_key_gives_the_same_run_until_the_input_changes() -> None:
    first = enqueue(sms(idempotency_key="k"))
    assert enqueue(sms(idempotency_key="k")) == first
    with pytest.raises(IdempotencyConflict, match="give a new key to a new request"):
        enqueue(sms(idempotency_key="k", input={"to": TO, "body": "Summer is here."}))


def test_keys_of_two_organizations_have_nothing_to_do_with_each_other(engine: Engine) -> None:
    from neonhub_worker.vault import connections, organizations

    organizations.ensure("other", "Other")
    connections.add(organization_id="other", name="sms", connector="sms", account="x", credential={}, settings={})
    assert enqueue(sms(idempotency_key="k")) != enqueue(sms(idempotency_key="k", organization_id="other"))
    assert count_runs(engine) == 2


def test_producers_that_race_with_one_key_get_one_run(engine: Engine) -> None:
    found: list[uuid.UUID] = []
    at_once(*[lambda: found.append(enqueue(sms(idempotency_key="k")))] * 8)
    assert len(found) == 8
    assert len(set(found)) == count_runs(engine) == 1


def test_waiting_ends_with_the_run_or_with_the_time(engine: Engine) -> None:
    run_id = enqueue(sms())
    assert wait(run_id, timeout_s=0.01).state == "queued"
    assert wait(run_id, timeout_s=60, until=lambda run: run.state == "queued").state == "queued"
    ender = threading.Thread(target=end, args=(engine, run_id, "succeed", EffectState.CONFIRMED))
    ender.start()
    assert wait(str(run_id), timeout_s=60).state == "succeeded"
    ender.join()


def test_decisions_join_the_callers_transaction(engine: Engine) -> None:
    run_id = enqueue(sms())
    with engine.connect() as connection:
        assert cancel(run_id, connection=connection).state == "cancelled"
        connection.rollback()
    assert get_run(run_id).state == "queued"


def test_a_failed_run_is_retried_and_a_parked_one_is_settled(engine: Engine) -> None:
    run_id = enqueue(sms())
    end(engine, run_id, "fail", EffectState.REFUSED)
    assert retry(run_id).state == "queued"
    end(engine, run_id, "park", EffectState.PARKED)
    with pytest.raises(MoveRefused, match="runs settle"):
        retry(run_id)
    with pytest.raises(ValueError, match="give either"):
        settle(run_id)
    assert settle(run_id, sent="SM9").provider_id == "SM9"


@pytest.mark.parametrize("run_id", ["not-an-id", str(uuid.UUID(int=7))])
def test_an_unknown_run_says_where_to_look(run_id: str) -> None:
    for ask in (get_run, cancel, retry):
        with pytest.raises(UnknownRun, match="neonhub runs list"):
            ask(run_id)


def test_a_schedule_is_checked_when_it_is_made(engine: Engine) -> None:
    with pytest.raises(InvalidInput, match=r"input\.to"):
        schedule(sms(input={"to": "nobody", "body": "hi"}), name="daily", cron="0 9 * * *")
    with pytest.raises(InvalidInput, match="each occurrence has its own"):
        schedule(sms(idempotency_key="k"), name="daily", cron="0 9 * * *")
    schedule(sms(), name="daily", cron="0 9 * * *", timezone="Europe/Berlin")
    found = rows.get("acme", "daily")
    assert found.next_at is not None
    assert timedelta() < found.next_at - datetime.now(UTC) < timedelta(days=1, hours=1)
