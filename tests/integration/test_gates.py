"""A 429 pauses exactly what the platform limited; a connection that does not work is left alone until a probe works."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import pytest
import requests
from sqlalchemy import Engine, text

from neonhub_worker import enqueue, enqueue_many, get_run
from neonhub_worker.db.engine import transaction
from neonhub_worker.dispatch import due, gates
from neonhub_worker.performing import batch
from neonhub_worker.settings import settings
from neonhub_worker.vault import connections
from tests.factories import TO, sms
from tests.integration.sandboxes import Sandbox


def messages(count: int, *, first: int = 0, connection: str = "sms") -> list[uuid.UUID]:
    return enqueue_many(
        sms(connection=connection, input={"to": TO, "body": f"Number {first + number}"}) for number in range(count)
    )


def states(run_ids: Sequence[uuid.UUID]) -> list[str]:
    return [str(get_run(run_id).state) for run_id in run_ids]


@pytest.fixture
def second(sandbox: Sandbox) -> str:
    """Another connection of the organization."""
    account = requests.get(f"{sandbox.url}/_sandbox/accounts", timeout=10).json()["sms"]
    connections.add(
        organization_id="acme", name="second", connector="sms", account="other",
        credential=account["credential"], settings=account["settings"],
    )  # fmt: skip
    return "second"


def let_pass(engine: Engine) -> None:
    """As if the time had come for which gates are closed and runs are put off."""
    with engine.begin() as connection:
        connection.execute(text("update gate set closed_until = now() where closed_until > now()"))
        connection.execute(text("update run set run_at = now() where state in ('waiting', 'retrying')"))


def gate(engine: Engine, scope: str) -> Any:
    query = text(
        "select failures, trips, extract(epoch from closed_until - clock_timestamp()) as closed_s, probe from gate "
        "where scope = :scope"
    )
    with engine.connect() as connection:
        return connection.execute(query, {"scope": scope}).one_or_none()


def dispatchable() -> set[uuid.UUID]:
    """What a tick of the dispatcher would publish now."""
    with transaction() as connection:
        due.ripen(connection, redispatch_s=settings().redispatch_s)
        found = {one.id for one in due.take(connection).due}
        due.unpublish(connection, list(found))
    return found


def test_a_rate_limit_pauses_the_connection_and_no_other(sandbox: Sandbox, second: str, engine: Engine) -> None:
    sandbox.fault(connector="sms", operation="sendSMS", kind="rate_limit", times=1, seconds=60)
    (limited,) = messages(1)
    batch.perform([limited])
    waiting, free = messages(2, first=10), messages(2, first=20, connection=second)
    batch.perform(waiting + free)
    assert states(waiting) == ["queued", "queued"]
    assert [get_run(run_id).attempts for run_id in waiting] == [0, 0]
    assert states(free) == ["succeeded", "succeeded"]
    assert dispatchable() == set()
    let_pass(engine)
    assert dispatchable() == {limited, *waiting}
    batch.perform([limited, *waiting])
    assert states([limited, *waiting]) == ["succeeded"] * 3
    assert len(sandbox.effects()) == 5


def test_a_limited_method_pauses_its_action_and_no_other(sandbox: Sandbox) -> None:
    channels = requests.get(f"{sandbox.url}/_sandbox/accounts", timeout=10).json()["slack"]["channels"].values()
    channel = next(one if isinstance(one, str) else one["id"] for one in channels)
    sandbox.fault(connector="slack", operation="sendMessage", kind="rate_limit", times=1, seconds=60)

    def ask(action: str, **data: Any) -> uuid.UUID:
        request = {"action": action, "organization_id": "acme", "connection": "slack", "input": data}
        run_id = enqueue(request)
        batch.perform([run_id])
        return run_id

    first, second = (ask("slack.sendMessage", channel=channel, text=text) for text in ("One", "Two"))
    other = ask("slack.getChannels")
    assert states([first, second, other]) == ["waiting", "queued", "succeeded"]


def test_a_connection_that_keeps_failing_is_left_alone(sandbox: Sandbox, second: str, engine: Engine) -> None:
    sandbox.fault(connector="sms", operation="sendSMS", kind="error_500_before", times=gates.FAILURES)
    failing = messages(gates.FAILURES)
    for run_id in failing:
        batch.perform([run_id])
    assert gate(engine, "circuit").failures == gates.FAILURES
    assert 4 < gate(engine, "circuit").closed_s <= 5
    waiting, free = messages(3, first=10), messages(1, first=20, connection=second)
    batch.perform(waiting + free)
    assert states(waiting) == ["queued"] * 3
    assert states(free) == ["succeeded"]
    assert {get_run(run_id).attempts for run_id in waiting} == {0}


def test_one_run_tries_an_open_circuit_and_all_follow_if_it_works(sandbox: Sandbox, engine: Engine) -> None:
    open_circuit(sandbox)
    waiting = messages(3, first=10)
    let_pass(engine)
    assert len(dispatchable() & {*waiting}) <= 1
    batch.perform(waiting)
    assert sorted(states(waiting)) == ["queued", "queued", "succeeded"]
    assert gate(engine, "circuit").failures == 0
    batch.perform(waiting)
    assert states(waiting) == ["succeeded"] * 3


def test_a_probe_that_fails_keeps_the_circuit_open_for_longer(sandbox: Sandbox, engine: Engine) -> None:
    open_circuit(sandbox)
    sandbox.fault(connector="sms", operation="sendSMS", kind="error_500_before", times=1)
    waiting = messages(3, first=10)
    let_pass(engine)
    batch.perform(waiting)
    assert sorted(states(waiting)) == ["queued", "queued", "retrying"]
    assert 9 < gate(engine, "circuit").closed_s <= 10
    assert gate(engine, "circuit").trips == 2


def test_a_probe_whose_worker_died_is_followed_by_another(sandbox: Sandbox, engine: Engine) -> None:
    from neonhub_worker.dispatch import admission
    from neonhub_worker.ledger import leases, rescue

    open_circuit(sandbox)
    waiting = messages(2, first=10)
    let_pass(engine)
    with transaction() as connection:
        admitted = admission.admit(connection, waiting, lease_s=30).admitted
        assert len(admitted) == 1
        assert leases.claim(connection, admitted, worker="dead", lease_s=-1)
    with transaction() as connection:
        assert admission.admit(connection, waiting, lease_s=30).admitted == [], "the probe is under way"
        rescue.rescue(connection)
    batch.perform([run_id for run_id in waiting if run_id not in admitted])
    assert gate(engine, "circuit").failures == 0


def test_failures_with_successes_in_between_open_nothing(sandbox: Sandbox, engine: Engine) -> None:
    for number in range(gates.FAILURES):
        sandbox.fault(connector="sms", operation="sendSMS", kind="error_500_before", times=1)
        failing, working = messages(2, first=2 * number)
        batch.perform([failing])
        batch.perform([working])
        assert get_run(working).state == "succeeded"
    assert gate(engine, "circuit").failures == 0


def test_what_the_platform_refuses_is_no_failure_of_the_connection(sandbox: Sandbox, engine: Engine) -> None:
    run_ids = enqueue_many(
        sms(input={"to": "+15005550001", "body": f"Number {number}"}) for number in range(gates.FAILURES + 1)
    )
    batch.perform(run_ids)
    assert set(states(run_ids)) == {"failed"}
    assert gate(engine, "circuit") is None


def open_circuit(sandbox: Sandbox) -> None:
    sandbox.fault(connector="sms", operation="sendSMS", kind="error_500_before", times=gates.FAILURES)
    for run_id in messages(gates.FAILURES):
        batch.perform([run_id])
