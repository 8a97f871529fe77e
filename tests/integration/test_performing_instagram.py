"""An Instagram post, crashed or unheard between any two steps: no finished step is repeated, it is published once."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy import Engine, text

from neonhub_worker import cancel, enqueue
from neonhub_worker.db.engine import transaction
from neonhub_worker.ledger import leases, steps
from neonhub_worker.ledger.runs import Run
from neonhub_worker.ledger.states import EffectState
from tests.integration.attempts import crash, let_settling_time_pass, perform, step_states
from tests.integration.sandboxes import Sandbox

IMAGE, VIDEO = "https://cdn.example.com/spring.jpg", "https://cdn.example.com/spring.mp4"
A_DAY_S = 86_400.0
PUBLISHED = {
    "container:1": "confirmed",
    "wait:ready:1": "confirmed",
    "ready:1": "confirmed",
    "publish:1": "confirmed",
}


def request(action: str = "publishPost", **given: Any) -> uuid.UUID:
    return enqueue(
        {"action": f"instagram.{action}", "organization_id": "acme", "connection": "instagram", "input": given}
    )


@pytest.fixture
def post(sandbox: Sandbox) -> uuid.UUID:
    """An image that is to be posted: a container, a wait, and the publishing."""
    return request(image_url=IMAGE, caption="Spring is here")


def to_the_end(run_id: uuid.UUID, sandbox: Sandbox) -> Run:
    for _ in range(20):
        run = perform(run_id)
        if run.finished_at is not None or run.state == "parked":
            return run
        sandbox.advance(1)
    raise AssertionError(f"{run.state} after twenty attempts: {run.error}")


def die_holding(run_id: uuid.UUID) -> None:
    with transaction() as connection:
        connection.execute(text("update run set run_at = now()"))
        assert leases.claim(connection, [run_id], worker="dead", lease_s=60)
    crash()


def test_waiting_for_the_container_holds_no_worker_and_uses_no_attempt(post: uuid.UUID, sandbox: Sandbox) -> None:
    run = perform(post)
    assert (run.state, run.attempts) == ("waiting", 0)
    assert sandbox.effects("instagram") == []
    sandbox.advance(5)
    run = perform(post)
    (effect,) = sandbox.effects("instagram")
    assert (run.state, run.provider_id) == ("succeeded", effect["provider_id"])
    assert run.output == {"media_id": effect["provider_id"], "container_id": effect["key"]}


def test_a_crash_after_each_step_repeats_none_of_them(post: uuid.UUID, sandbox: Sandbox, engine: Engine) -> None:
    containers, publishes = (sandbox.count("instagram", name) for name in ("createMediaContainer", "publishMedia"))
    die_holding(post)
    assert perform(post).state == "waiting"
    die_holding(post)
    sandbox.advance(5)
    sandbox.fault(connector="instagram", operation="publishMedia", kind="rate_limit", times=1)
    assert perform(post).state == "waiting"
    assert step_states(engine) == {**PUBLISHED, "publish:1": "planned"}
    die_holding(post)
    assert to_the_end(post, sandbox).state == "succeeded"
    assert step_states(engine) == PUBLISHED
    assert (containers(), publishes()) == (1, 2), "the second publish is the one after the rate limit"
    assert len(sandbox.effects("instagram")) == 1


def test_a_crash_after_the_publishing_was_recorded_only_ends_the_run(
    post: uuid.UUID, sandbox: Sandbox, engine: Engine
) -> None:
    perform(post)
    sandbox.advance(5)
    with transaction() as connection:
        connection.execute(text("update run set run_at = now()"))
        (claimed,) = leases.claim(connection, [post], worker="dead", lease_s=60)
        result = {"media_id": "18000000000000001", "container_id": "17900000000000003"}
        for name, effect in (("ready:1", False), ("publish:1", True)):
            state, made = EffectState.CONFIRMED, result if effect else True
            assert steps.write(connection, post, name, fence=claimed.fence, state=state, effect=effect, result=made)
    crash()
    asked = sandbox.count("instagram", "getContainerStatus")
    run = perform(post)
    assert (run.state, run.output) == ("succeeded", result)
    assert asked() == 0
    assert sandbox.effects("instagram") == []


@pytest.mark.parametrize("lost", ["reset_after", "error_500_after", "truncated_body_after"])
def test_a_post_whose_answer_was_lost_is_found_with_its_id(post: uuid.UUID, sandbox: Sandbox, lost: str) -> None:
    perform(post)
    sandbox.advance(5)
    containers, publishes = (sandbox.count("instagram", name) for name in ("createMediaContainer", "publishMedia"))
    sandbox.fault(connector="instagram", operation="publishMedia", kind=lost, times=1)
    assert perform(post).state == "retrying"
    run = to_the_end(post, sandbox)
    (effect,) = sandbox.effects("instagram")
    assert (run.state, run.provider_id) == ("succeeded", effect["provider_id"])
    assert (containers(), publishes()) == (0, 1)


def test_a_publishing_that_never_arrived_is_sent_after_the_settling_time(post: uuid.UUID, sandbox: Sandbox) -> None:
    perform(post)
    sandbox.advance(5)
    sandbox.fault(connector="instagram", operation="publishMedia", kind="reset_before", times=1)
    assert perform(post).state == "retrying"
    assert perform(post).state == "waiting"
    assert sandbox.effects("instagram") == []
    let_settling_time_pass()
    assert perform(post).state == "succeeded"
    assert len(sandbox.effects("instagram")) == 1


def test_a_crash_while_publishing_is_settled_by_the_container(post: uuid.UUID, sandbox: Sandbox) -> None:
    perform(post)
    sandbox.advance(5)
    sandbox.fault(connector="instagram", operation="publishMedia", kind="rate_limit", times=1)
    perform(post)
    with transaction() as connection:
        connection.execute(text("update run set run_at = now()"))
        (claimed,) = leases.claim(connection, [post], worker="dead", lease_s=60)
        assert steps.write(connection, post, "publish:1", fence=claimed.fence, state=EffectState.SENDING, effect=True)
    crash()
    assert perform(post).state == "waiting", "not before a publishing on its way would show"
    let_settling_time_pass()
    assert to_the_end(post, sandbox).state == "succeeded"
    assert len(sandbox.effects("instagram")) == 1


def test_a_lost_answer_to_the_first_step_costs_a_container_that_nobody_sees(post: uuid.UUID, sandbox: Sandbox) -> None:
    containers = sandbox.count("instagram", "createMediaContainer")
    sandbox.fault(connector="instagram", operation="createMediaContainer", kind="reset_after", times=1)
    assert perform(post).state == "retrying"
    assert to_the_end(post, sandbox).state == "succeeded"
    assert containers() == 2
    assert len(sandbox.effects("instagram")) == 1


def test_two_posts_with_the_same_caption_are_told_apart(sandbox: Sandbox) -> None:
    first, second = (request(image_url=IMAGE, caption="Same words") for _ in range(2))
    to_the_end(first, sandbox)
    perform(second)
    sandbox.advance(5)
    sandbox.fault(connector="instagram", operation="publishMedia", kind="reset_after", times=1)
    runs = to_the_end(first, sandbox), to_the_end(second, sandbox)
    assert [run.provider_id for run in runs] == [one["provider_id"] for one in sandbox.effects("instagram")]


def test_a_post_among_others_that_nobody_recorded_keeps_the_containers_id(sandbox: Sandbox, engine: Engine) -> None:
    first, second = (request("publishStory", image_url=IMAGE) for _ in range(2))
    to_the_end(first, sandbox)
    with engine.begin() as connection:
        connection.execute(text("delete from step where run_id = :id"), {"id": first})
    perform(second)
    sandbox.advance(5)
    sandbox.fault(connector="instagram", operation="publishMedia", kind="reset_after", times=1)
    run = to_the_end(second, sandbox)
    assert run.state == "succeeded"
    assert run.output is not None
    assert run.output["media_id"] is None
    assert run.provider_id == sandbox.effects("instagram")[1]["key"]


def test_a_container_that_expired_unpublished_gives_way_to_a_new_one(
    post: uuid.UUID, sandbox: Sandbox, engine: Engine
) -> None:
    perform(post)
    sandbox.advance(A_DAY_S + 1)
    run = to_the_end(post, sandbox)
    assert run.state == "succeeded"
    assert step_states(engine)["lost:1"] == "confirmed"
    assert len(sandbox.effects("instagram")) == 1


def test_a_container_that_expired_when_it_was_ready_gives_way_to_a_new_one(post: uuid.UUID, sandbox: Sandbox) -> None:
    perform(post)
    sandbox.advance(5)
    sandbox.fault(connector="instagram", operation="publishMedia", kind="rate_limit", times=1)
    assert perform(post).state == "waiting"
    sandbox.advance(A_DAY_S)
    run = to_the_end(post, sandbox)
    (effect,) = sandbox.effects("instagram")
    assert (run.state, run.provider_id) == ("succeeded", effect["provider_id"])


def test_a_container_in_doubt_that_expired_was_not_published(post: uuid.UUID, sandbox: Sandbox) -> None:
    perform(post)
    sandbox.advance(5)
    sandbox.fault(connector="instagram", operation="publishMedia", kind="reset_before", times=1)
    assert perform(post).state == "retrying"
    sandbox.advance(A_DAY_S)
    let_settling_time_pass()
    assert to_the_end(post, sandbox).state == "succeeded"
    assert len(sandbox.effects("instagram")) == 1


def test_media_that_cannot_be_loaded_is_given_up_after_three_containers(sandbox: Sandbox) -> None:
    containers = sandbox.count("instagram", "createMediaContainer")
    run = to_the_end(request(video_url="https://cdn.invalid/spring.mp4"), sandbox)
    assert (run.state, containers()) == ("failed", 3)
    assert run.error is not None
    assert "could not be fetched" in run.error["message"]
    assert sandbox.effects("instagram") == []


def test_a_carousel_is_one_post_and_crashes_repeat_none_of_its_items(sandbox: Sandbox) -> None:
    containers = sandbox.count("instagram", "createMediaContainer")
    run_id = request(carousel=[{"image_url": IMAGE}, {"video_url": VIDEO}], caption="Both")
    for _ in range(3):
        perform(run_id)
        die_holding(run_id)
    run = to_the_end(run_id, sandbox)
    (effect,) = sandbox.effects("instagram")
    assert (run.state, run.provider_id, containers()) == ("succeeded", effect["provider_id"], 3)


def test_a_post_is_called_off_until_it_is_published(post: uuid.UUID, sandbox: Sandbox) -> None:
    perform(post)
    cancel(post)
    sandbox.advance(5)
    assert perform(post).state == "cancelled"
    assert sandbox.effects("instagram") == []


def test_an_answer_that_the_conversation_does_not_show_is_never_sent_again(sandbox: Sandbox) -> None:
    sandbox.hear("instagram", "5550123")
    sandbox.fault(connector="instagram", operation="respondDM", kind="reset_before", times=1)
    asked = sandbox.count("instagram", "respondDM")
    run_id = request("respondDM", to="5550123", text="We open at nine.")
    assert perform(run_id).state == "retrying"
    let_settling_time_pass()
    run = to_the_end(run_id, sandbox)
    assert (run.state, asked()) == ("parked", 1)
    assert sandbox.effects("instagram") == []


def test_an_answer_whose_receipt_was_lost_is_found_in_the_conversation(sandbox: Sandbox) -> None:
    sandbox.hear("instagram", "5550123")
    sandbox.fault(connector="instagram", operation="respondDM", kind="error_500_after", times=1)
    run_id = request("respondDM", to="5550123", text="We open at nine.")
    assert perform(run_id).state == "retrying"
    run = perform(run_id)
    (effect,) = sandbox.effects("instagram")
    assert (run.state, run.provider_id, effect["key"]) == ("succeeded", effect["provider_id"], run_id.hex)
