"""A WhatsApp template in doubt: nothing can tell whether it was sent, so it is never sent again by itself."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from neonhub_worker import clock, enqueue, get_run, retry, settle
from neonhub_worker.consent import opt_outs
from neonhub_worker.db.engine import transaction
from neonhub_worker.ledger import leases
from tests.integration.attempts import crash, perform
from tests.integration.sandboxes import Sandbox

TO, ABROAD = "+14155550123", "+4915112345678"


def template(**changes: Any) -> uuid.UUID:
    given = {"to": TO, "template": "order_shipped", "language": "en_US", "body_values": ["Ana", "1042"]}
    return enqueue(
        {
            "action": "whatsapp.sendTemplate",
            "organization_id": "acme",
            "connection": "whatsapp",
            "input": {**given, "url_endings": {"0": "1042"}, **changes},
        }
    )


def sale(to: str) -> dict[str, Any]:
    image = "https://cdn.example.com/spring.jpg"
    blanks = {"body_values": ["Ana", "20 %"], "header_image_url": image, "url_endings": {}}
    return {"to": to, "template": "spring_sale", **blanks}


def test_a_template_is_sent_once_and_carries_the_runs_key(sandbox: Sandbox) -> None:
    run_id = template()
    for _ in range(2):
        run = perform(run_id)
    (effect,) = sandbox.effects("whatsapp")
    assert (run.state, run.provider_id) == ("succeeded", effect["provider_id"])
    assert effect["key"] == run_id.hex
    assert effect["text"] == "Hello Ana, your order 1042 is on its way."


@pytest.mark.parametrize(
    ("fault", "sent"),
    [
        ("reset_after", 1),
        ("error_500_after", 1),
        ("truncated_body_after", 1),
        ("reset_before", 0),
        ("error_503_before", 0),
    ],
)
def test_a_template_whose_answer_is_lost_parks_and_says_where_to_look(sandbox: Sandbox, fault: str, sent: int) -> None:
    sandbox.fault(connector="whatsapp", operation="sendTemplate", kind=fault, times=1)
    run_id = template()
    run = perform(run_id)
    assert run.state == "parked"
    assert run.error is not None
    assert run.error["class"] == "OutcomeUnknown"
    assert "Look into the chat with the recipient" in run.error["message"]
    assert perform(run_id).state == "parked", "nothing repeats it"
    assert len(sandbox.effects("whatsapp")) == sent


def test_a_worker_killed_while_sending_leaves_a_template_to_a_person(sandbox: Sandbox) -> None:
    run_id = template()
    with transaction() as connection:
        assert leases.claim(connection, [run_id], worker="dead", lease_s=60)
    crash()
    run = perform(run_id)
    assert run.state == "parked"
    assert run.error is not None
    assert "biz_opaque_callback_data" in run.error["message"]
    assert sandbox.effects("whatsapp") == []


def test_a_person_who_found_the_message_ends_the_run_with_its_id(sandbox: Sandbox) -> None:
    sandbox.fault(connector="whatsapp", operation="sendTemplate", kind="reset_after", times=1)
    run_id = template()
    perform(run_id)
    (effect,) = sandbox.effects("whatsapp")
    settle(run_id, sent=effect["provider_id"])
    run = get_run(run_id)
    assert (run.state, run.provider_id) == ("succeeded", effect["provider_id"])
    assert perform(run_id).state == "succeeded"
    assert len(sandbox.effects("whatsapp")) == 1


def test_a_person_who_found_no_message_may_have_it_sent_again(sandbox: Sandbox) -> None:
    sandbox.fault(connector="whatsapp", operation="sendTemplate", kind="reset_before", times=1)
    run_id = template()
    perform(run_id)
    settle(run_id, not_sent=True)
    assert get_run(run_id).state == "failed"
    assert sandbox.effects("whatsapp") == []
    retry(run_id)
    assert perform(run_id).state == "succeeded"
    assert len(sandbox.effects("whatsapp")) == 1


def test_a_rate_limit_is_no_doubt_and_waits_the_minutes_that_meta_says(sandbox: Sandbox) -> None:
    sandbox.fault(connector="whatsapp", operation="sendTemplate", kind="rate_limit", times=1, seconds=120)
    run_id = template()
    run = perform(run_id)
    assert (run.state, run.attempts) == ("waiting", 0)
    assert timedelta(seconds=100) < run.run_at - clock.now() < timedelta(seconds=130)
    assert perform(run_id).state == "succeeded"
    assert len(sandbox.effects("whatsapp")) == 1


def test_who_stopped_marketing_in_the_app_is_not_written_to_again(sandbox: Sandbox) -> None:
    sandbox.opt_out(ABROAD, connector="whatsapp")
    run = perform(template(**sale(ABROAD)))
    assert run.error is not None
    assert (run.state, run.error["class"], run.error["code"]) == ("failed", "RecipientOptedOut", "131050")
    known = opt_outs.status("acme", "whatsapp", ABROAD)
    assert known is not None
    assert known.source == "whatsapp 131050"
    asked = sandbox.count("whatsapp", "sendTemplate")
    assert perform(template(**sale(ABROAD))).state == "failed"
    assert asked() == 0, "the second time we know it ourselves"


def test_no_phone_number_or_text_is_in_a_parked_runs_error_or_timeline(sandbox: Sandbox) -> None:
    sandbox.fault(connector="whatsapp", operation="sendTemplate", kind="error_500_after", times=1)
    run = perform(template())
    said = f"{run.error} {run.timeline}"
    assert TO.removeprefix("+") not in said
    assert "1042" not in said


def test_a_message_outside_the_window_fails_and_says_to_send_a_template(sandbox: Sandbox) -> None:
    request = {"action": "whatsapp.sendSessionMessage", "organization_id": "acme", "connection": "whatsapp"}
    first = enqueue({**request, "input": {"to": TO, "body": "Hello"}})
    run = perform(first)
    assert run.error is not None
    assert (run.state, run.error["class"], run.error["code"]) == ("failed", "PolicyRejected", "131047")
    assert "send a template" in run.error["message"]
    sandbox.hear("whatsapp", TO)
    assert perform(enqueue({**request, "input": {"to": TO, "body": "Hello"}})).state == "succeeded"
    with transaction() as connection:
        assert connection.execute(text("select count(*) from run where state = 'parked'")).scalar_one() == 0
