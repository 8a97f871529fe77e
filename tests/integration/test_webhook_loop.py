"""From the platform and back: the sandbox's own webhooks settle what nothing else can, whatever happens to them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
import requests

from neonhub_worker import get_run
from neonhub_worker.consent import opt_outs
from neonhub_worker.vault import connections
from tests.integration.attempts import perform
from tests.integration.cli import sms_run
from tests.integration.sandboxes import Sandbox
from tests.integration.test_webhook_acts import TO, template
from tests.integration.webhooks import Hooks, outcomes, scalar, serving_hooks
from tests.servers import wait_for


@pytest.fixture
def hooks(sandbox: Sandbox) -> Iterator[Hooks]:
    with serving_hooks() as found:
        for one in connections.list_all("acme"):
            wanted = {"connector": one.connector, "url": found.address(one.connector, one.id)}
            requests.post(f"{sandbox.url}/_sandbox/webhooks", json=wanted, timeout=10).raise_for_status()
        yield found


def parked(sandbox: Sandbox) -> uuid.UUID:
    sandbox.fault(connector="whatsapp", operation="sendTemplate", kind="reset_after", times=1)
    run_id = template()
    assert perform(run_id).state == "parked"
    return run_id


@pytest.mark.parametrize("disorder", [(), ("duplicate_webhooks",), ("duplicate_webhooks", "reordered_webhooks")])
def test_a_parked_template_settles_by_itself(sandbox: Sandbox, hooks: Hooks, disorder: tuple[str, ...]) -> None:
    for kind in disorder:
        sandbox.fault(connector="whatsapp", operation="sendTemplate", kind=kind)
    run_id = parked(sandbox)
    sandbox.advance(10)
    wait_for(lambda: (get_run(run_id).delivery or {}).get("stage") == "delivered", "the statuses")
    run = get_run(run_id)
    (effect,) = sandbox.effects("whatsapp")
    assert (run.state, run.provider_id) == ("succeeded", effect["provider_id"])
    assert [event.move for event in run.timeline].count("settle_sent") == 1
    assert perform(run_id).state == "succeeded"
    assert len(sandbox.effects("whatsapp")) == 1


def test_nothing_settles_a_template_that_was_never_sent(sandbox: Sandbox, hooks: Hooks) -> None:
    sandbox.fault(connector="whatsapp", operation="sendTemplate", kind="reset_before", times=1)
    lost, sent = template(), template(input={"to": TO, "template": "welcome", "language": "en_US"})
    perform(lost)
    perform(sent)
    sandbox.advance(10)
    wait_for(lambda: (get_run(sent).delivery or {}).get("stage") == "delivered", "the other one's statuses")
    assert (get_run(lost).state, get_run(lost).delivery) == ("parked", None)


def test_an_sms_is_followed_until_it_is_delivered(sandbox: Sandbox, hooks: Hooks) -> None:
    run_id = sms_run()
    assert perform(run_id).state == "succeeded"
    sandbox.advance(10)
    wait_for(lambda: (get_run(run_id).delivery or {}).get("stage") == "delivered", "Twilio's callbacks")


def test_a_stop_at_the_platform_cancels_what_waits_and_a_start_lets_it_through(sandbox: Sandbox, hooks: Hooks) -> None:
    waiting = sms_run(at="2030-01-01T00:00:00Z")
    address = get_run(waiting).input["to"]
    sandbox.opt_out(address)
    wait_for(lambda: get_run(waiting).state == "cancelled", "the STOP")
    assert opt_outs.status("acme", "sms", address) is not None
    requests.delete(
        f"{sandbox.url}/_sandbox/opt-outs", json={"connector": "sms", "address": address}, timeout=10
    ).raise_for_status()
    wait_for(lambda: opt_outs.status("acme", "sms", address) is None, "the START")
    assert perform(sms_run()).state == "succeeded"


def test_whatsapps_preferences_reach_consent(sandbox: Sandbox, hooks: Hooks) -> None:
    sandbox.opt_out(TO, connector="whatsapp")
    wait_for(lambda: opt_outs.status("acme", "whatsapp", TO) is not None, "the preference")
    found = opt_outs.status("acme", "whatsapp", TO)
    assert found is not None
    assert found.source == "whatsapp user_preferences stop"
    assert scalar("select count(*) from webhook_event where event_id like '%4915112345678%'") == 0


def test_every_post_of_the_sandbox_is_believed(sandbox: Sandbox, hooks: Hooks) -> None:
    parked(sandbox)
    perform(sms_run())
    sandbox.hear("instagram", "5550009")
    sandbox.hear("whatsapp", TO)
    sandbox.advance(10)
    wait_for(lambda: len(outcomes()) >= 8, "statuses and messages")
    callbacks = requests.get(f"{sandbox.url}/_sandbox/callbacks", timeout=10).json()["callbacks"]
    assert "not_delivered" not in {one["state"] for one in callbacks}
    assert scalar("select count(*) from webhook_refusal") == 0
