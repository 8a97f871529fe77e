"""Posts on X and messages on Discord, crashed or unheard: each is there once, and its id is known."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy import Engine, text

from neonhub_worker import enqueue
from neonhub_worker.consent import opt_outs
from neonhub_worker.db.engine import transaction
from neonhub_worker.ledger import leases
from neonhub_worker.ledger.runs import Run
from tests.integration.attempts import crash, let_settling_time_pass, perform, step_states
from tests.integration.sandboxes import Sandbox

LAUNCH, PERSON = "1100000000000000001", "810000000000000001"
CLIP = "https://media.example/clip-640x360-5s-9MB.mp4"
LOST = ("reset_after", "error_500_after", "truncated_body_after")
NEVER_SENT = ("reset_before", "error_503_before")
TWEET = ("x.postTweet", {"text": "Spring is here https://shop.example.com/a"}, "postTweet")
POST = ("discord.sendMessage", {"channel": LAUNCH, "content": "Spring is here"}, "sendMessage")
DIRECT = ("discord.sendDirectMessage", {"user": PERSON, "content": "Spring is here"}, "sendMessage")
each = pytest.mark.parametrize(("action", "given", "operation"), [TWEET, POST, DIRECT], ids=lambda v: str(v)[:24])


def request(action: str, given: dict[str, Any]) -> uuid.UUID:
    slug = action.partition(".")[0]
    return enqueue({"action": action, "organization_id": "acme", "connection": slug, "input": given})


def to_the_end(run_id: uuid.UUID, sandbox: Sandbox) -> Run:
    for _ in range(20):
        run = perform(run_id)
        if run.finished_at is not None or run.state == "parked":
            return run
        let_settling_time_pass()
        sandbox.advance(1)
    raise AssertionError(f"{run.state} after twenty attempts: {run.error}")


def posts(sandbox: Sandbox, action: str) -> list[str]:
    slug, _, name = action.partition(".")
    return [one["provider_id"] for one in sandbox.effects(slug) if one["action"] == name]


@each
@pytest.mark.parametrize("fault", [*LOST, *NEVER_SENT])
def test_a_post_whose_answer_is_lost_is_there_once(
    sandbox: Sandbox, action: str, given: dict[str, Any], operation: str, fault: str
) -> None:
    sandbox.fault(connector=action.partition(".")[0], operation=operation, kind=fault, times=1)
    run_id = request(action, given)
    assert perform(run_id).state == "retrying"

    run = to_the_end(run_id, sandbox)

    assert (run.state, [run.provider_id]) == ("succeeded", posts(sandbox, action))


@each
def test_a_post_of_a_killed_worker_is_there_once(
    sandbox: Sandbox, action: str, given: dict[str, Any], operation: str
) -> None:
    run_id = request(action, given)
    with transaction() as connection:
        assert leases.claim(connection, [run_id], worker="dead", lease_s=60)
    crash()

    run = to_the_end(run_id, sandbox)

    assert (run.state, [run.provider_id]) == ("succeeded", posts(sandbox, action))


def test_a_file_is_brought_in_parts_over_crashes_and_waits(sandbox: Sandbox, engine: Engine) -> None:
    run_id = request("x.uploadMedia", {"url": CLIP, "kind": "video", "alt_text": "A walk"})
    sandbox.fault(connector="x", operation="appendMediaUpload", kind="error_503_before", times=1, after=1)
    assert perform(run_id).state == "retrying"
    assert step_states(engine)["append:0"] == "confirmed"
    begun, brought = sandbox.count("x", "initializeMediaUpload"), sandbox.count("x", "appendMediaUpload")
    sandbox.fault(connector="x", operation="finalizeMediaUpload", kind="reset_after", times=1)

    run = to_the_end(run_id, sandbox)

    (media_id,) = posts(sandbox, "x.uploadMedia")
    assert (run.state, run.output) == ("succeeded", {"media_id": media_id, "state": "succeeded"})
    assert (begun(), brought()) == (0, 2)
    tweet = to_the_end(request("x.postTweet", {"text": "Walk with us", "media_ids": [media_id]}), sandbox)
    assert tweet.state == "succeeded"


def test_two_posts_of_the_same_words_are_not_mistaken_for_each_other(sandbox: Sandbox) -> None:
    first, second = (request(POST[0], POST[1]) for _ in range(2))
    assert to_the_end(first, sandbox).state == "succeeded"
    sandbox.fault(connector="discord", operation="sendMessage", kind="reset_before", times=1)
    assert perform(second).state == "retrying"

    run = to_the_end(second, sandbox)

    assert [run.provider_id] == posts(sandbox, POST[0])[1:]


def test_a_person_who_takes_no_messages_is_not_written_to_again(sandbox: Sandbox) -> None:
    sandbox.opt_out(PERSON, "discord")
    refused = to_the_end(request(DIRECT[0], DIRECT[1]), sandbox)
    assert refused.state == "failed"
    assert opt_outs.status("acme", "discord", PERSON) is not None
    count = sandbox.count("discord", "openDM")

    assert to_the_end(request(DIRECT[0], {**DIRECT[1], "content": "Again"}), sandbox).state == "failed"
    assert count() == 0


def test_a_direct_message_on_x_in_doubt_is_left_to_a_person(sandbox: Sandbox) -> None:
    sandbox.fault(connector="x", operation="sendDirectMessage", kind="reset_after", times=1)

    run = perform(request("x.sendDirectMessage", {"user_id": "16000000001", "text": "Hi"}))

    assert run.state == "parked"
    assert run.error is not None
    assert "Look into the conversation" in run.error["message"]


def test_names_of_steps_hold_nothing_personal(sandbox: Sandbox, engine: Engine) -> None:
    to_the_end(request(DIRECT[0], DIRECT[1]), sandbox)

    with engine.connect() as connection:
        names = [row.name for row in connection.execute(text("select name from step"))]
    assert not [name for name in names if PERSON in name]


@pytest.mark.parametrize(("action", "given", "operation"), [POST, DIRECT], ids=lambda v: str(v)[:24])
def test_of_two_that_look_alike_the_second_waits_until_the_first_is_known(
    sandbox: Sandbox, action: str, given: dict[str, Any], operation: str
) -> None:
    sandbox.fault(connector="discord", operation=operation, kind="reset_after", times=1)
    first, second = request(action, given), request(action, given)
    assert perform(first).state == "retrying"
    assert len(posts(sandbox, action)) == 1
    assert perform(second).state == "waiting"
    assert len(posts(sandbox, action)) == 1
    ended = [to_the_end(first, sandbox), to_the_end(second, sandbox)]
    assert [run.state for run in ended] == ["succeeded", "succeeded"]
    assert sorted(str(run.provider_id) for run in ended) == sorted(posts(sandbox, action))
