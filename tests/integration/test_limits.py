"""Limits of a connection, as the sandbox saw them kept."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
import requests
from sqlalchemy import Engine, text

from neonhub_worker import enqueue, enqueue_many, get_run
from neonhub_worker.dispatch import limits
from neonhub_worker.performing import batch
from neonhub_worker.vault import connections
from tests.conftest import forget_settings
from tests.factories import TO, sms
from tests.integration.sandboxes import Sandbox
from tests.servers import free_port, wait_for

OTHER = "+14155550124"


def limit(*texts: str) -> None:
    connections.set_limits("acme", "sms", [limits.parse(one).as_json() for one in texts])


def message(number: int, to: str = TO) -> dict[str, Any]:
    return sms(input={"to": to, "body": f"Number {number}"})


def states(run_ids: Sequence[uuid.UUID]) -> list[str]:
    return [str(get_run(run_id).state) for run_id in run_ids]


def let_pass(engine: Engine, seconds: float) -> None:
    """As if so much time had passed since everything that was sent and put off."""
    values = {"seconds": seconds}
    with engine.begin() as connection:
        connection.execute(text("update permit set used_at = used_at - make_interval(secs => :seconds)"), values)
        connection.execute(
            text("update run set run_at = run_at - make_interval(secs => :seconds) where state = 'waiting'"), values
        )


def permits(engine: Engine) -> int:
    with engine.connect() as connection:
        count: int = connection.execute(text("select count(*) from permit")).scalar_one()
        return count


def test_who_prepares_longer_than_a_permit_is_good_for_takes_another_and_uses_one(
    sandbox: Sandbox, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit("2/h")
    monkeypatch.setattr("neonhub_worker.dispatch.permits.LATE_S", -1.0)
    run_ids = [enqueue(message(number)) for number in range(3)]
    for run_id in run_ids:
        batch.perform([run_id])
    assert states(run_ids) == ["succeeded", "succeeded", "queued"]
    assert [get_run(run_id).attempts for run_id in run_ids] == [1, 1, 0]
    assert permits(engine) == len(sandbox.effects()) == 2


def test_no_second_sees_more_than_its_limit_however_many_workers_push(sandbox: Sandbox) -> None:
    limit("5/s")
    run_ids = enqueue_many(message(number) for number in range(22))
    with ThreadPoolExecutor(3) as workers:

        def push() -> None:
            while any(state == "queued" for state in states(run_ids)):
                batch.perform(run_ids)

        for pushing in [workers.submit(push) for _ in range(3)]:
            pushing.result()
    wait_for(lambda: set(states(run_ids)) == {"succeeded"}, "all messages")
    at = sorted(datetime.fromisoformat(effect["at"]).timestamp() for effect in sandbox.effects())
    assert len(at) == 22
    assert min(later - earlier for earlier, later in zip(at, at[5:], strict=False)) >= 1.0
    assert {get_run(run_id).attempts for run_id in run_ids} == {1}


def test_a_permit_counts_until_the_platform_had_the_request_however_long_that_took(
    sandbox: Sandbox, engine: Engine
) -> None:
    limit("1/day")
    sandbox.fault(connector="sms", kind="latency", seconds=0.4)
    batch.perform([enqueue(message(1))])
    with engine.connect() as connection:
        used_at: datetime = connection.execute(text("select used_at from permit")).scalar_one()
    assert used_at >= datetime.fromisoformat(sandbox.effects()[0]["at"])


def test_who_waits_for_a_permit_uses_up_no_attempt_and_goes_when_there_is_one(sandbox: Sandbox, engine: Engine) -> None:
    limit("2/day")
    run_ids = enqueue_many(message(number) for number in range(3))
    batch.perform(run_ids)
    assert states(run_ids) == ["succeeded", "succeeded", "queued"]
    assert get_run(run_ids[2]).attempts == 0
    batch.perform(run_ids)
    assert len(sandbox.effects()) == 2
    let_pass(engine, 86_401)
    batch.perform(run_ids)
    assert len(sandbox.effects()) == 3


def test_one_persons_limit_holds_up_no_other_person(sandbox: Sandbox, engine: Engine) -> None:
    limit("1/6s per target", "10/s")
    run_ids = enqueue_many([message(1), message(2), message(3, to=OTHER)])
    batch.perform(run_ids)
    assert states(run_ids) == ["succeeded", "waiting", "succeeded"]
    held = get_run(run_ids[1])
    assert held.attempts == 0
    assert [event.move for event in held.timeline] == ["accept", "hold"]
    assert 4 < (held.run_at - held.timeline[-1].at).total_seconds() < 7
    let_pass(engine, 7)
    batch.perform(run_ids)
    assert states(run_ids) == ["succeeded"] * 3


def test_the_strictest_of_several_limits_decides(sandbox: Sandbox, engine: Engine) -> None:
    limit("100/s", "3/min", "1000/day")
    run_ids = enqueue_many(message(number) for number in range(6))
    batch.perform(run_ids)
    assert len(sandbox.effects()) == 3
    let_pass(engine, 61)
    batch.perform(run_ids)
    assert len(sandbox.effects()) == 6


def test_a_changed_limit_holds_for_what_waits_already(sandbox: Sandbox) -> None:
    run_ids = enqueue_many(message(number) for number in range(4))
    limit("1/day")
    batch.perform(run_ids)
    assert len(sandbox.effects()) == 1
    limit()
    batch.perform(run_ids)
    assert len(sandbox.effects()) == 4


def test_what_was_never_sent_gives_its_permit_back(
    sandbox: Sandbox, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit("1/day")
    run_id = enqueue(message(1))
    monkeypatch.setenv("NEONHUB_SANDBOX_URL", f"http://127.0.0.1:{free_port()}")
    forget_settings()
    batch.perform([run_id])
    assert get_run(run_id).state == "retrying"
    assert permits(engine) == 0
    monkeypatch.setenv("NEONHUB_SANDBOX_URL", sandbox.url)
    forget_settings()
    with engine.begin() as connection:
        connection.execute(text("update run set run_at = now()"))
    batch.perform([run_id])
    assert get_run(run_id).state == "succeeded"
    assert permits(engine) == 1


def test_finding_out_whether_it_was_sent_needs_no_permit(sandbox: Sandbox, engine: Engine) -> None:
    limit("1/day")
    sandbox.fault(connector="sms", operation="sendSMS", kind="reset_after", times=1)
    run_id = enqueue(message(1))
    batch.perform([run_id])
    assert get_run(run_id).state == "retrying"
    with engine.begin() as connection:
        connection.execute(text("update run set run_at = now()"))
    batch.perform([run_id])
    assert get_run(run_id).state == "succeeded"
    assert len(sandbox.effects()) == 1


def test_what_was_found_not_sent_waits_for_a_permit_like_any_other(sandbox: Sandbox, engine: Engine) -> None:
    limit("1/day")
    sandbox.fault(connector="sms", operation="sendSMS", kind="reset_before", times=1)
    run_id = enqueue(message(1))
    batch.perform([run_id])
    with engine.begin() as connection:
        connection.execute(text("update run set run_at = now()"))
        connection.execute(text("update step set sent_by = sent_by - interval '1 hour'"))
    batch.perform([run_id])
    run = get_run(run_id)
    assert (run.state, run.attempts) == ("waiting", 1)
    assert run.timeline[-1].detail is not None
    assert run.timeline[-1].detail["settled"] == "read-back: it was not sent"
    assert sandbox.effects() == [], "its first send may have counted at the platform"
    let_pass(engine, 86_401)
    batch.perform([run_id])
    assert get_run(run_id).state == "succeeded"
    assert len(sandbox.effects()) == 1


def test_an_actions_own_limit_counts_each_place_by_itself(sandbox: Sandbox) -> None:
    channels = requests.get(f"{sandbox.url}/_sandbox/accounts", timeout=10).json()["slack"]["channels"].values()
    one, other = [channel if isinstance(channel, str) else channel["id"] for channel in channels][:2]
    run_ids = enqueue_many(
        {
            "action": "slack.sendMessage",
            "organization_id": "acme",
            "connection": "slack",
            "input": {"channel": channel, "text": "Hello"},
        }
        for channel in (one, one, other)
    )
    batch.perform(run_ids)
    assert states(run_ids) == ["succeeded", "waiting", "succeeded"]


@pytest.mark.parametrize("step", ["complete"])
def test_the_effects_of_several_steps_take_their_own_permits(sandbox: Sandbox, engine: Engine, step: str) -> None:
    connections.set_limits("acme", "slack", [limits.parse("1/day").as_json()])
    channels = requests.get(f"{sandbox.url}/_sandbox/accounts", timeout=10).json()["slack"]["channels"].values()
    channel = next(iter(channels))
    run_ids = enqueue_many(
        {
            "action": "slack.uploadFile",
            "organization_id": "acme",
            "connection": "slack",
            "input": {
                "channel": channel if isinstance(channel, str) else channel["id"],
                "filename": f"{number}.txt",
                "text": "Launch at nine.",
            },
        }
        for number in range(2)
    )
    batch.perform([run_ids[0]])
    batch.perform([run_ids[1]])
    with engine.connect() as connection:
        taken = connection.execute(text("select run_id, step from permit")).all()
    assert [tuple(row) for row in taken] == [(run_ids[0], step)]
    held = get_run(run_ids[1])
    assert (held.state, held.attempts) == ("waiting", 0)
    assert held.timeline[-1].detail is not None
    assert held.timeline[-1].detail["reason"] == "its turn has not come"
    assert held.timeline[-1].detail["delay_s"] > 80_000
