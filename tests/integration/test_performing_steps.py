"""An action of several steps, crashed between any two: no finished step is repeated, nothing is posted twice."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import requests
from sqlalchemy import Engine, text

from neonhub_worker import cancel, enqueue, get_run, retry, settle
from neonhub_worker.db.engine import transaction
from neonhub_worker.ledger import decisions, leases, rescue, steps
from neonhub_worker.ledger.states import EffectState
from neonhub_worker.vault import connections
from tests.integration.attempts import crash, let_settling_time_pass, perform, step_states
from tests.integration.sandboxes import Sandbox


@pytest.fixture
def upload(sandbox: Sandbox) -> uuid.UUID:
    """A file that is to be shared: a ticket, the bytes, the post, and a look whether it is there."""
    channels = requests.get(f"{sandbox.url}/_sandbox/accounts", timeout=10).json()["slack"]["channels"]
    channel = next(iter(channels.values()))
    return enqueue(
        {
            "action": "slack.uploadFile",
            "organization_id": "acme",
            "connection": "slack",
            "input": {
                "channel": channel if isinstance(channel, str) else channel["id"],
                "filename": "plan.txt",
                "text": "Launch at nine.",
            },
        }
    )


def perform_to_the_end(run_id: uuid.UUID, sandbox: Sandbox) -> Any:
    for _ in range(10):
        run = perform(run_id)
        if run.finished_at is not None:
            return run
        requests.post(f"{sandbox.url}/_sandbox/clock", json={"advance_s": 1}, timeout=10).raise_for_status()
    raise AssertionError(f"{run.state} after ten attempts: {run.error}")


def uploads(sandbox: Sandbox) -> int:
    return len([effect for effect in sandbox.effects("slack") if effect["action"] == "uploadFile"])


def test_waiting_for_the_platform_holds_no_worker_and_uses_no_attempt(upload: uuid.UUID, sandbox: Sandbox) -> None:
    run = perform(upload)
    assert (run.state, run.attempts) == ("waiting", 0)
    run = perform_to_the_end(upload, sandbox)
    assert (run.state, uploads(sandbox)) == ("succeeded", 1)
    assert run.provider_id == sandbox.effects("slack")[0]["provider_id"]


@pytest.mark.parametrize("lost", ["reset_after", "error_500_after", "truncated_body_after"])
def test_a_post_whose_answer_was_lost_is_found_and_not_repeated(upload: uuid.UUID, sandbox: Sandbox, lost: str) -> None:
    sandbox.fault(connector="slack", operation="completeUpload", kind=lost, times=1)
    assert perform(upload).state == "retrying"
    run = perform_to_the_end(upload, sandbox)
    assert (run.state, uploads(sandbox)) == ("succeeded", 1)


def test_a_post_that_never_arrived_is_sent_after_the_settling_time(
    upload: uuid.UUID, sandbox: Sandbox, engine: Engine
) -> None:
    sandbox.fault(connector="slack", operation="completeUpload", kind="reset_before", times=1)
    assert perform(upload).state == "retrying"
    assert perform(upload).state == "waiting"
    assert uploads(sandbox) == 0
    let_settling_time_pass()
    run = perform_to_the_end(upload, sandbox)
    assert (run.state, uploads(sandbox)) == ("succeeded", 1)
    assert step_states(engine) == {"upload": "confirmed", "complete": "confirmed", "wait:shared": "confirmed"}


def test_a_finished_step_is_not_repeated_after_a_crash(upload: uuid.UUID, sandbox: Sandbox, engine: Engine) -> None:
    sandbox.fault(connector="slack", operation="completeUpload", kind="rate_limit", times=1)
    assert perform(upload).state == "waiting"
    assert step_states(engine) == {"upload": "confirmed", "complete": "planned"}
    with engine.connect() as connection:
        before = steps.read(connection, upload, "upload")
    with transaction() as connection:
        connection.execute(text("update run set run_at = now()"))
        assert leases.claim(connection, [upload], worker="dead", lease_s=60)
    crash()
    perform_to_the_end(upload, sandbox)
    with engine.connect() as connection:
        after = steps.read(connection, upload, "upload")
    assert before is not None
    assert after is not None
    assert after.result == before.result
    assert uploads(sandbox) == 1


def test_a_crash_while_posting_is_settled_before_anything_else(
    upload: uuid.UUID, sandbox: Sandbox, engine: Engine
) -> None:
    sandbox.fault(connector="slack", operation="completeUpload", kind="rate_limit", times=1)
    perform(upload)
    with transaction() as connection:
        connection.execute(text("update run set run_at = now()"))
        (claimed,) = leases.claim(connection, [upload], worker="dead", lease_s=60)
        assert steps.write(connection, upload, "complete", fence=claimed.fence, state=EffectState.SENDING, effect=True)
    crash()
    run = perform(upload)
    assert run.state == "waiting"
    assert uploads(sandbox) == 0, "not before the platform would have shown it"
    let_settling_time_pass()
    run = perform_to_the_end(upload, sandbox)
    assert (run.state, uploads(sandbox)) == ("succeeded", 1)


def test_what_was_posted_cannot_be_called_off_any_more(upload: uuid.UUID, sandbox: Sandbox) -> None:
    assert perform(upload).state == "waiting"
    assert uploads(sandbox) == 1
    cancel(upload)
    run = perform_to_the_end(upload, sandbox)
    assert run.state == "succeeded"


def test_what_was_posted_does_not_expire_nor_fail_when_its_workers_die(
    upload: uuid.UUID, sandbox: Sandbox, engine: Engine
) -> None:
    assert perform(upload).state == "waiting"
    with transaction() as connection:
        connection.execute(text("update run set expires_at = now()"))
        assert decisions.expire(connection) == 0
    for _ in range(rescue.MAX_CRASHES):
        with transaction() as connection:
            connection.execute(text("update run set run_at = now()"))
            assert leases.claim(connection, [upload], worker="dead", lease_s=60)
        crash()
    assert get_run(upload).state == "parked"
    assert uploads(sandbox) == 1


def test_what_was_posted_is_left_to_a_person_when_its_connection_is_gone(upload: uuid.UUID, sandbox: Sandbox) -> None:
    assert perform(upload).state == "waiting"
    connections.set_state("acme", "slack", "disabled")
    assert perform(upload).state == "parked"


def test_what_a_person_says_was_not_posted_is_posted_by_a_retry(
    upload: uuid.UUID, sandbox: Sandbox, engine: Engine
) -> None:
    assert perform(upload).state == "waiting"
    with engine.begin() as connection:
        connection.execute(text("update run set state = 'parked'"))
    settle(upload, not_sent=True)
    retry(upload)
    run = perform_to_the_end(upload, sandbox)
    assert run.state == "succeeded"
    assert uploads(sandbox) == 2, "the second one is what the person asked for"


def test_what_was_posted_is_known_to_belong_to_its_run(upload: uuid.UUID, sandbox: Sandbox, engine: Engine) -> None:
    run = perform_to_the_end(upload, sandbox)
    with engine.connect() as connection:
        (link,) = connection.execute(text("select connection_id from run")).scalars()
        others = steps.taken(connection, link, [run.provider_id, "F0NOTOURS001"], besides=uuid.uuid4())
    assert others == {run.provider_id}
