"""A LinkedIn post, held until its time and unheard when it was sent: it is published once, and can be called off."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, text

from neonhub_worker import cancel, enqueue, get_run
from neonhub_worker.db.engine import transaction
from tests.integration.attempts import crash, perform, step_states
from tests.integration.sandboxes import Sandbox

IMAGE = "https://media.example/photo-1200x628.jpg"


def request(action: str = "publishPost", **given: Any) -> uuid.UUID:
    wanted = {"text": f"Spring is here {uuid.uuid4().hex}", **given}
    return enqueue(
        {"action": f"linkedin.{action}", "organization_id": "acme", "connection": "linkedin", "input": wanted}
    )


def test_a_lost_answer_is_settled_by_the_same_post_again(sandbox: Sandbox, engine: Engine) -> None:
    run_id = request()
    sandbox.fault(connector="linkedin", operation="publishPost", kind="reset_after", times=1)

    first, second = perform(run_id), perform(run_id)

    (effect,) = sandbox.effects("linkedin")
    assert (first.state, second.state, second.provider_id) == ("retrying", "succeeded", effect["provider_id"])
    assert second.output is not None
    assert second.output["post_urn"] == effect["provider_id"]
    assert step_states(engine) == {"publish": "confirmed"}


def test_two_runs_of_one_text_are_one_post_and_one_refusal(sandbox: Sandbox) -> None:
    said = uuid.uuid4().hex
    first, second = request(text=said), request(text=said)

    states = [perform(first).state, perform(second).state]

    assert states == ["succeeded", "failed"]
    assert len(sandbox.effects("linkedin")) == 1
    error = get_run(second).error
    assert error is not None
    assert "change the text" in error["message"]


def test_a_repeat_long_after_is_left_to_a_person(sandbox: Sandbox) -> None:
    run_id = request()
    sandbox.fault(connector="linkedin", operation="publishPost", kind="reset_after", times=1)
    perform(run_id)
    with transaction() as connection:
        connection.execute(text("update step set first_sent_at = first_sent_at - interval '3 hours'"))

    run = perform(run_id)

    assert run.state == "parked"
    assert run.error is not None
    assert "7200 s" in run.error["message"]


def test_a_scheduled_post_waits_without_a_worker_and_can_be_called_off(sandbox: Sandbox) -> None:
    at = datetime.now(UTC) + timedelta(days=3)
    run_id = request("schedulePost", publish_at=at.isoformat())

    run = perform(run_id)
    assert (run.state, run.attempts) == ("waiting", 0)
    assert run.run_at is not None
    assert abs(run.run_at - at + timedelta(minutes=10)) < timedelta(seconds=30)

    cancel(run_id)
    assert get_run(run_id).state == "cancelled"
    assert sandbox.effects("linkedin") == []


def test_a_picture_is_brought_once_whatever_happens_between(sandbox: Sandbox) -> None:
    brought = sandbox.count("linkedin", "putUploadBytes")
    run_id = request(images=[{"url": IMAGE}])
    assert perform(run_id).state == "waiting"
    crash()
    sandbox.advance(5)
    sandbox.fault(connector="linkedin", operation="publishPost", kind="rate_limit", times=1)
    assert perform(run_id).state == "waiting"

    run = perform(run_id)

    (effect,) = sandbox.effects("linkedin")
    assert (run.state, run.provider_id, brought()) == ("succeeded", effect["provider_id"], 1)


def test_a_limit_without_a_time_is_waited_out_a_minute_first(sandbox: Sandbox) -> None:
    run_id = request()
    sandbox.fault(connector="linkedin", operation="publishPost", kind="rate_limit", times=2)

    run = perform(run_id)
    assert run.state == "waiting"
    assert run.run_at is not None
    assert 50 < (run.run_at - datetime.now(UTC)).total_seconds() < 70
    assert perform(run_id).state == "waiting"
    assert perform(run_id).state == "succeeded"
