"""Reddit posts, crashed and unheard: nothing is posted twice, and what nothing tells is left to a person."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import Engine

from neonhub_worker import enqueue
from neonhub_worker.ledger.runs import Run
from tests.integration.attempts import crash, let_settling_time_pass, perform, step_states
from tests.integration.sandboxes import Sandbox

IMAGE = "https://media.example/photo-640x480.png"


def request(action: str = "submitPost", **given: Any) -> uuid.UUID:
    wanted = {"subreddit": "gardening", "title": f"Spring {uuid.uuid4().hex}", **given}
    return enqueue({"action": f"reddit.{action}", "organization_id": "acme", "connection": "reddit", "input": wanted})


def to_the_end(run_id: uuid.UUID, sandbox: Sandbox) -> Run:
    for _ in range(20):
        run = perform(run_id)
        if run.finished_at is not None or run.state == "parked":
            return run
        sandbox.advance(2)
        let_settling_time_pass()
    raise AssertionError(f"{run.state} after twenty attempts: {run.error}")


def test_a_text_whose_answer_was_lost_is_found_among_the_accounts_posts(sandbox: Sandbox) -> None:
    run_id = request(text="Hi")
    sandbox.fault(connector="reddit", operation="submitPost", kind="reset_after", times=1)

    run = to_the_end(run_id, sandbox)

    (effect,) = sandbox.effects("reddit")
    assert (run.state, run.provider_id) == ("succeeded", effect["provider_id"])


def test_a_text_that_is_not_listed_is_looked_for_again_and_then_left_to_a_person(sandbox: Sandbox) -> None:
    asked = sandbox.count("reddit", "listMySubmissions")
    run_id = request(text="Hi")
    sandbox.fault(connector="reddit", operation="submitPost", kind="reset_before", times=1)

    run = to_the_end(run_id, sandbox)

    assert run.state == "parked"
    assert asked() >= 8
    assert run.error is not None
    assert "look into the subreddit" in run.error["message"]
    assert sandbox.effects("reddit") == []


def test_a_link_that_did_not_arrive_is_submitted_again(sandbox: Sandbox) -> None:
    run_id = request(url=f"https://example.com/{uuid.uuid4().hex}")
    sandbox.fault(connector="reddit", operation="submitPost", kind="reset_before", times=1)

    run = to_the_end(run_id, sandbox)

    (effect,) = sandbox.effects("reddit")
    assert (run.state, run.provider_id) == ("succeeded", effect["provider_id"])


def test_a_picture_is_posted_once_through_crashes_and_ends_with_its_name(sandbox: Sandbox, engine: Engine) -> None:
    brought = sandbox.count("reddit", "putMediaBytes")
    run_id = request("submitMediaPost", image_url=IMAGE)
    sandbox.fault(connector="reddit", operation="submitPost", kind="error_500_after", times=1)
    assert perform(run_id).state == "retrying"
    crash()

    run = to_the_end(run_id, sandbox)

    (effect,) = sandbox.effects("reddit")
    assert (run.state, run.provider_id, brought()) == ("succeeded", effect["provider_id"], 1)
    assert set(step_states(engine).values()) == {"confirmed"}


def test_two_pictures_of_one_title_one_after_the_other_are_two_posts(sandbox: Sandbox) -> None:
    first = to_the_end(request("submitMediaPost", title="Jacket", image_url=IMAGE), sandbox)
    second = to_the_end(request("submitMediaPost", title="Jacket", image_url=IMAGE), sandbox)

    assert [first.state, second.state] == ["succeeded", "succeeded"]
    assert {first.provider_id, second.provider_id} == {one["provider_id"] for one in sandbox.effects("reddit")}


def test_a_job_whose_id_was_lost_is_left_to_a_person(sandbox: Sandbox) -> None:
    run_id = enqueue(
        {
            "action": "reddit.createAdPost",
            "organization_id": "acme",
            "connection": "reddit",
            "input": {"headline": "Sale", "body": "Now"},
        }
    )
    sandbox.fault(connector="reddit", operation="createAdPostJob", kind="reset_after", times=1)

    run = to_the_end(run_id, sandbox)

    assert run.state == "parked"
    assert run.error is not None
    assert "Look into the profile's ad posts" in run.error["message"]
    assert len(sandbox.effects("reddit")) == 1
