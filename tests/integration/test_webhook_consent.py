"""STOP and START feed consent from every side, cancel what waits, and keep their proof."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from neonhub_worker import enqueue, get_run
from neonhub_worker.consent import opt_outs
from neonhub_worker.db.engine import transaction
from neonhub_worker.webhooks import recall
from tests import signing
from tests.integration.attempts import let_settling_time_pass, perform
from tests.integration.cli import sms_run
from tests.integration.sandboxes import Sandbox
from tests.integration.test_webhook_acts import SID, TO, template
from tests.integration.webhooks import Hooks, outcomes, scalar, serving_hooks


@pytest.fixture
def hooks(sandbox: Sandbox) -> Iterator[Hooks]:
    with serving_hooks() as found:
        yield found


def stop(text_: str = "STOP", *, number: int = 0, **more: str) -> dict[str, Any]:
    return signing.twilio_message(f"SM{number:032x}", text_, **more)


def test_a_stop_cancels_what_waits_for_that_person_and_keeps_its_proof(sandbox: Sandbox, hooks: Hooks) -> None:
    soon, later_on = (
        sms_run(input={"to": "+14155550123", "body": "1"}),
        sms_run(input={"to": "+14155550123", "body": "2"}, at="2030-01-01T00:00:00Z"),
    )
    others = sms_run(input={"to": "+14155550124", "body": "3"}, at="2030-01-01T00:00:00Z")
    elsewhere = template(input={"to": "+14155550123", "template": "welcome", "language": "en_US"})
    hooks.tell("sms", stop(number=7))
    assert [get_run(one).state for one in (soon, later_on, others, elsewhere)] == [
        "cancelled",
        "cancelled",
        "scheduled",
        "queued",
    ]
    error = get_run(soon).error
    assert error is not None
    assert error["class"] == "RecipientOptedOut"
    found = opt_outs.status("acme", "sms", "+14155550123")
    assert found is not None
    assert found.source == f"STOP in message SM{7:032x}"
    assert perform(sms_run(input={"to": "+14155550123", "body": "4"})).state == "failed"
    assert sandbox.effects() == []


def test_what_may_have_been_sent_is_not_cancelled_by_a_stop(sandbox: Sandbox, hooks: Hooks) -> None:
    sandbox.fault(connector="sms", operation="sendSMS", kind="reset_after", times=1)
    run_id = sms_run(input={"to": "+14155550123", "body": "1"})
    assert perform(run_id).state == "retrying"
    hooks.tell("sms", stop())
    assert (get_run(run_id).state, get_run(run_id).cancel_requested) == ("retrying", True)
    let_settling_time_pass()
    assert perform(run_id).state == "succeeded", "it was sent, and the read-back says so"
    assert len(sandbox.effects()) == 1


def test_what_twilio_holds_for_who_said_stop_is_cancelled_there(sandbox: Sandbox, hooks: Hooks) -> None:
    request = {"action": "sms.scheduleSMS", "organization_id": "acme", "connection": "sms"}
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    run = perform(enqueue({**request, "input": {"to": "+14155550123", "body": "Soon", "send_at": at}}))
    assert run.state == "succeeded"
    opt_outs.record("acme", "sms", "+14155550123", opted_out=True, source="a letter")
    with transaction() as connection:
        recall.take_back(connection)
    with transaction() as connection:
        assert recall.take_back(connection) == 0, "once is enough"
    asked = scalar("select id from run where name = 'sms.cancelScheduled'")
    assert perform(asked).state == "succeeded"
    assert [effect["action"] for effect in sandbox.effects()] == ["scheduleSMS", "cancelScheduled"]


def test_start_lets_messages_through_again_and_every_wish_stays_on_record(sandbox: Sandbox, hooks: Hooks) -> None:
    for number, said in enumerate(("STOP", "Please stop!", "START", "unsubscribe", "unstop")):
        hooks.tell("sms", stop(said, number=number))
    assert opt_outs.status("acme", "sms", "+14155550123") is None
    with transaction() as connection:
        kept = connection.execute(text("select opted_out from consent_event order by id")).scalars().all()
    assert kept == [True, True, False, True, False]
    assert perform(sms_run(input={"to": "+14155550123", "body": "1"})).state == "succeeded"


def test_the_wish_that_was_said_last_counts_and_not_the_one_that_came_last(sandbox: Sandbox, hooks: Hooks) -> None:
    now = time.time()
    hooks.tell("whatsapp", signing.wa_message("wamid.2", "STOP", at=now - 10))
    hooks.tell("whatsapp", signing.wa_message("wamid.1", "START", at=now - 20))
    assert opt_outs.status("acme", "whatsapp", TO) is not None
    hooks.tell("whatsapp", signing.wa_message("wamid.3", "START", at=now - 10))
    assert opt_outs.status("acme", "whatsapp", TO) is not None, "of one instant the opt-out counts"
    hooks.tell("whatsapp", signing.wa_message("wamid.4", "START", at=now - 5))
    assert opt_outs.status("acme", "whatsapp", TO) is None
    hooks.tell("whatsapp", signing.wa_message("wamid.0", "STOP", at=now - 8))
    assert opt_outs.status("acme", "whatsapp", TO) is None


def test_21610_and_131050_of_a_message_are_opt_outs(sandbox: Sandbox, hooks: Hooks) -> None:
    hooks.tell("sms", signing.twilio_status(SID, "failed", ErrorCode="21610"))
    hooks.tell("whatsapp", signing.wa_status("wamid.A", "failed", code=131050))
    assert {(one.channel, one.source) for one in opt_outs.list_all("acme")} == {
        ("sms", f"twilio 21610 of message {SID}"),
        ("whatsapp", "whatsapp 131050 of a message"),
    }


def test_an_address_that_nobody_could_write_to_is_passed_over(sandbox: Sandbox, hooks: Hooks) -> None:
    hooks.tell("sms", stop(From="whoever"))
    assert opt_outs.list_all("acme") == []
    assert outcomes()[f"SM{0:032x}:consent"] == "no address that could be written to"
