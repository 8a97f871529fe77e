"""``neonhub runs``: find a run, see all of it, and decide what a person may decide."""

from __future__ import annotations

import uuid

from neonhub_worker import get_run
from neonhub_worker.performing import batch
from tests.integration.cli import INPUT, TO, Neonhub, claim, fail, park, sms_run
from tests.integration.sandboxes import Sandbox


def test_runs_are_listed_newest_first_and_by_what_is_asked(neonhub: Neonhub, sandbox: Sandbox) -> None:
    first, second = (str(sms_run(input={**INPUT, "body": str(number)})) for number in range(2))
    other = str(sms_run(action="sms.checkCredentials", input={}))
    batch.perform([uuid.UUID(first)])

    def listed(*options: str) -> list[str]:
        return [run["id"] for run in neonhub("runs", "list", "--json", *options).json]

    assert listed() == [other, second, first]
    assert listed("--limit", "1") == [other]
    assert listed("--state", "queued") == [other, second]
    assert listed("--state", "queued", "--state", "succeeded") == [other, second, first]
    assert listed("--name", "sms.sendSMS", "--state", "queued") == [second]
    assert listed("--org", "acme") == [other, second, first]
    assert f"{first} sms.sendSMS succeeded 1 20" in neonhub("runs", "list").words


NO_LISTS: list[tuple[list[str], str]] = [
    (["--state", "lost"], "no state lost; there are scheduled, queued"),
    (["--org", "nobody"], "no organization 'nobody'"),
    (["--limit", "0"], "'--limit'"),
]


def test_what_cannot_be_listed_is_named(neonhub: Neonhub) -> None:
    for arguments, says in NO_LISTS:
        assert says in neonhub("runs", "list", *arguments).refusal


def test_a_run_is_shown_with_its_result_and_timeline(neonhub: Neonhub, sandbox: Sandbox) -> None:
    run_id = sms_run()
    batch.perform([run_id])
    (effect,) = sandbox.effects()
    data = neonhub("runs", "show", run_id, "--json").json
    assert (data["id"], data["name"], data["state"], data["attempts"]) == (str(run_id), "sms.sendSMS", "succeeded", 1)
    assert (data["error"], data["provider_id"]) == (None, effect["provider_id"])
    assert effect["provider_id"] in data["output"].values()
    assert [event["move"] for event in data["timeline"]] == ["accept", "claim", "succeed"]
    words = neonhub("runs", "show", run_id).words
    assert f"id {run_id} organization_id acme name sms.sendSMS connection sms state succeeded attempts 1" in words
    assert f"provider_id {effect['provider_id']}" in words
    assert "output {" in words


def test_a_failed_run_is_shown_with_its_error(neonhub: Neonhub, sandbox: Sandbox) -> None:
    run_id = sms_run()
    fail(run_id, sandbox)
    error = neonhub("runs", "show", run_id, "--json").json["error"]
    assert (error["class"], error["code"]) == ("RecipientOptedOut", "21610")
    said = neonhub("runs", "show", run_id)
    assert "error RecipientOptedOut: " in said.words
    assert TO not in said.out


def test_a_failed_run_is_tried_again_under_the_same_id(neonhub: Neonhub, sandbox: Sandbox) -> None:
    run_id = sms_run()
    fail(run_id, sandbox)
    assert neonhub("runs", "retry", run_id).words == f"{run_id} queued"
    assert "is queued and cannot be retried: it has not ended" in neonhub("runs", "retry", run_id).refusal


def test_a_waiting_run_is_cancelled_and_not_sent(neonhub: Neonhub, sandbox: Sandbox) -> None:
    run_id = sms_run()
    assert neonhub("runs", "cancel", run_id, "--json").json["state"] == "cancelled"
    batch.perform([run_id])
    assert sandbox.effects() == []
    assert "is cancelled and cannot be cancelled: it has ended" in neonhub("runs", "cancel", run_id).refusal


def test_cancelling_a_run_that_is_being_sent_says_that_it_may_be_too_late(neonhub: Neonhub, unsent: None) -> None:
    run_id = sms_run()
    claim(run_id)
    said = neonhub("runs", "cancel", run_id)
    assert said.words == f"{run_id} running"
    assert "it will be cancelled if it turns out that nothing was sent" in said.err


def test_a_parked_run_is_settled_as_sent(neonhub: Neonhub, unsent: None) -> None:
    run_id = sms_run()
    park(run_id)
    assert neonhub("runs", "settle", run_id, "--sent", "SM1").words == f"{run_id} succeeded"
    assert get_run(run_id).provider_id == "SM1"


def test_a_parked_run_is_settled_as_not_sent_and_may_then_be_retried(neonhub: Neonhub, unsent: None) -> None:
    run_id = sms_run()
    park(run_id)
    assert "is parked and cannot be retried: say first what happened" in neonhub("runs", "retry", run_id).refusal
    assert "settle it with `neonhub runs settle`" in neonhub("runs", "cancel", run_id).refusal
    said = neonhub("runs", "settle", run_id, "--not-sent", "--json")
    assert said.json["state"] == "failed"
    assert f"`neonhub runs retry {run_id}` sends it after all" in said.err
    assert neonhub("runs", "retry", run_id, "--json").json["state"] == "queued"


NO_ANSWERS: list[list[str]] = [[], ["--sent", "SM1", "--not-sent"]]


def test_settling_needs_one_answer(neonhub: Neonhub, unsent: None) -> None:
    for answer in NO_ANSWERS:
        run_id = sms_run()
        park(run_id)
        assert "give either --sent PROVIDER_ID or --not-sent" in neonhub("runs", "settle", run_id, *answer).refusal
        assert get_run(run_id).state == "parked"


def test_only_a_parked_run_can_be_settled(neonhub: Neonhub, sandbox: Sandbox) -> None:
    run_id = sms_run()
    assert "is queued; only a parked run can be settled" in neonhub("runs", "settle", run_id, "--not-sent").refusal
    batch.perform([run_id])
    assert "it was done; a second effect needs a new run" in neonhub("runs", "retry", run_id).refusal


COMMANDS: list[list[str]] = [
    ["runs", "show"],
    ["runs", "retry"],
    ["runs", "cancel"],
    ["runs", "settle", "--not-sent"],
    ["why"],
]


def test_an_unknown_run_is_named(neonhub: Neonhub) -> None:
    for command in COMMANDS:
        unknown = uuid.uuid4()
        assert f"no run {unknown}; `neonhub runs list` shows the latest" in neonhub(*command, unknown).refusal
        assert "'nope' is not a run id; `neonhub runs list` shows the latest" in neonhub(*command, "nope").refusal
