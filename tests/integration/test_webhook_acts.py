"""What platforms tell settles runs and notes deliveries; repeats and disorder change nothing."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from neonhub_worker import enqueue, get_run, retry, settle
from neonhub_worker.db.engine import transaction
from neonhub_worker.ledger import evidence, leases
from neonhub_worker.ledger.evidence import Evidence
from neonhub_worker.ledger.runs import Run
from neonhub_worker.ledger.states import EffectState
from neonhub_worker.vault import organizations
from neonhub_worker.webhooks import act
from tests import signing
from tests.conftest import ConnectionFactory
from tests.integration.attempts import crash, let_settling_time_pass, perform
from tests.integration.cli import claim, sms_run
from tests.integration.sandboxes import Sandbox
from tests.integration.webhooks import Hooks, now_due, outcomes, serving_hooks, wait_until_worked_off

TO = "+4915112345678"
SID = "SM" + "b" * 32


@pytest.fixture
def hooks(sandbox: Sandbox) -> Iterator[Hooks]:
    with serving_hooks() as found:
        yield found


def template(**more: Any) -> uuid.UUID:
    given = {"to": TO, "template": "order_shipped", "language": "en_US", "body_values": ["Ana", "1042"]}
    request = {"action": "whatsapp.sendTemplate", "organization_id": "acme", "connection": "whatsapp"}
    return enqueue({**request, "input": {**given, "url_endings": {"0": "1042"}}, **more})


def parked(sandbox: Sandbox, fault: str = "reset_after") -> uuid.UUID:
    sandbox.fault(connector="whatsapp", operation="sendTemplate", kind=fault, times=1)
    run_id = template()
    assert perform(run_id).state == "parked"
    return run_id


def moves(run: Run) -> list[str]:
    return [event.move for event in run.timeline]


def test_a_parked_template_is_settled_by_its_status_with_the_event_as_the_proof(sandbox: Sandbox, hooks: Hooks) -> None:
    run_id = parked(sandbox)
    (effect,) = sandbox.effects("whatsapp")
    hooks.tell("whatsapp", signing.wa_status(effect["provider_id"], "delivered", key=run_id.hex))
    run = get_run(run_id)
    assert (run.state, run.provider_id, run.error) == ("succeeded", effect["provider_id"], None)
    (settled,) = [event for event in run.timeline if event.move == "settle_sent"]
    assert settled.detail == {"by": "the platform", "source": f"webhook {effect['provider_id']}:delivered"}
    assert perform(run_id).state == "succeeded"
    assert len(sandbox.effects("whatsapp")) == 1


def test_a_template_that_failed_later_was_sent_all_the_same(sandbox: Sandbox, hooks: Hooks) -> None:
    run_id = parked(sandbox)
    hooks.tell("whatsapp", signing.wa_status("wamid.A", "failed", key=run_id.hex, code=131026))
    run = get_run(run_id)
    assert run.state == "succeeded"
    assert run.delivery is not None
    assert (run.delivery["stage"], run.delivery["code"]) == ("failed", "131026")


def test_a_status_that_comes_while_the_run_is_being_sent_settles_it_once_it_is_parked(
    sandbox: Sandbox, hooks: Hooks
) -> None:
    run_id = template()
    claim(run_id)
    hooks.tell("whatsapp", signing.wa_status("wamid.A", "sent", key=run_id.hex))
    assert (get_run(run_id).state, outcomes()) == ("running", {"wamid.A:sent": "too_early"})
    crash()
    assert perform(run_id).state == "parked"
    now_due()
    assert (get_run(run_id).state, get_run(run_id).provider_id) == ("succeeded", "wamid.A")
    assert sandbox.effects("whatsapp") == [], "the test told of it; nothing was sent again"


def test_a_run_in_doubt_is_settled_before_its_read_back(sandbox: Sandbox, hooks: Hooks) -> None:
    sandbox.fault(connector="sms", operation="sendSMS", kind="reset_after", times=1)
    run_id = sms_run()
    assert perform(run_id).state == "retrying"
    asked = sandbox.count("sms", "listMessages")
    (effect,) = sandbox.effects()
    told = signing.twilio_status(effect["provider_id"], "sent", AccountSid="AC1")
    hooks.tell("sms", told, query=f"?effect={run_id.hex}")
    run = get_run(run_id)
    assert (run.state, run.provider_id) == ("succeeded", effect["provider_id"])
    assert "hear" in moves(run)
    let_settling_time_pass()
    assert perform(run_id).state == "succeeded"
    assert (len(sandbox.effects()), asked()) == (1, 0)


def test_a_run_thought_not_to_have_been_sent_is_not_sent_again(sandbox: Sandbox, hooks: Hooks) -> None:
    run_id = parked(sandbox)
    settle(run_id, not_sent=True)
    retry(run_id)
    hooks.tell("whatsapp", signing.wa_status("wamid.A", "sent", key=run_id.hex))
    assert perform(run_id).state == "succeeded"
    assert len(sandbox.effects("whatsapp")) == 1


def test_a_run_that_ended_as_not_sent_stays_so_and_the_contradiction_is_on_its_timeline(
    sandbox: Sandbox, hooks: Hooks
) -> None:
    run_id = parked(sandbox)
    settle(run_id, not_sent=True)
    hooks.tell("whatsapp", signing.wa_status("wamid.A", "delivered", key=run_id.hex))
    run = get_run(run_id)
    assert (run.state, moves(run)[-1]) == ("failed", "delivery")
    assert outcomes() == {"wamid.A:delivered": "contradicts"}


@pytest.mark.parametrize("order", list(itertools.permutations(["sent", "delivered", "read"])))
def test_in_whatever_order_statuses_come_the_furthest_stays(
    sandbox: Sandbox, hooks: Hooks, order: tuple[str, ...]
) -> None:
    run_id = parked(sandbox)
    for status in (*order, *order):
        hooks.tell("whatsapp", signing.wa_status("wamid.A", status, key=run_id.hex))
    run = get_run(run_id)
    assert run.delivery is not None
    assert (run.state, run.delivery["stage"]) == ("succeeded", "read")
    assert moves(run).count("settle_sent") == 1
    assert len(outcomes()) == 3


def test_a_status_by_sid_alone_is_noted_on_the_run_that_knows_it(sandbox: Sandbox, hooks: Hooks) -> None:
    run = perform(sms_run())
    assert run.provider_id is not None
    hooks.tell("sms", signing.twilio_status(run.provider_id, "queued"))
    assert get_run(run.id).delivery is None, "that it was accepted, the run says itself"
    hooks.tell("sms", signing.twilio_status(run.provider_id, "undelivered", ErrorCode="30003"))
    hooks.tell("sms", signing.twilio_status(run.provider_id, "sent"))
    run = get_run(run.id)
    assert run.delivery is not None
    assert (run.delivery["stage"], run.delivery["code"]) == ("undelivered", "30003")
    (line,) = [event for event in run.timeline if event.move == "delivery"]
    assert (line.state, line.detail) == ("succeeded", run.delivery)


def test_a_status_that_overtakes_the_runs_result_is_heard_a_little_later(sandbox: Sandbox, hooks: Hooks) -> None:
    run = perform(sms_run())
    with transaction() as connection:
        connection.execute(text("update step set provider_id = null"))
    assert run.provider_id is not None
    hooks.tell("sms", signing.twilio_status(run.provider_id, "delivered"))
    assert outcomes() == {f"{run.provider_id}:delivered": "unknown"}
    with transaction() as connection:
        connection.execute(text("update step set provider_id = :id"), {"id": run.provider_id})
    now_due()
    assert outcomes() == {f"{run.provider_id}:delivered": "noted"}


def test_what_another_system_sent_is_forgotten_after_two_minutes(sandbox: Sandbox, hooks: Hooks) -> None:
    hooks.tell("sms", signing.twilio_status(SID, "delivered"))
    with transaction() as connection:
        connection.execute(text("update webhook_event set received_at = received_at - interval '3 minutes'"))
    now_due()
    assert now_due() == 0
    assert outcomes() == {f"{SID}:delivered": "unknown"}


def test_nobody_settles_another_organizations_runs(
    sandbox: Sandbox, hooks: Hooks, connection_factory: ConnectionFactory
) -> None:
    run_id = parked(sandbox)
    organizations.ensure("other", "Other")
    with transaction() as connection:
        connection.execute(text("update connection set organization_id = 'other', name = 'sms2' where name = 'stripe'"))
    told = Evidence("other", "whatsapp", "sent", "sent", "a test", provider_id="wamid.A", effect_key=run_id.hex)
    wrong_platform = Evidence("acme", "sms", "sent", "sent", "a test", provider_id="SM1", effect_key=run_id.hex)
    with transaction() as connection:
        assert evidence.weigh(connection, told).verdict == "unknown"
        assert evidence.weigh(connection, wrong_platform).verdict == "unknown"
    assert get_run(run_id).state == "parked"


@pytest.mark.parametrize("key", ["", "nonsense", "0" * 32, "0" * 31 + "g", "é" * 32])
def test_a_key_that_is_not_ours_settles_nothing(sandbox: Sandbox, hooks: Hooks, key: str) -> None:
    run_id = parked(sandbox)
    hooks.tell("whatsapp", signing.wa_status("wamid.A", "sent", key=key))
    assert get_run(run_id).state == "parked"


def test_an_object_of_stripes_settles_a_run_in_doubt(sandbox: Sandbox, hooks: Hooks) -> None:
    sandbox.fault(connector="stripe", operation="createCustomer", kind="reset_after", times=1)
    request = {"action": "stripe.createCustomer", "organization_id": "acme", "connection": "stripe"}
    run_id = enqueue({**request, "input": {"email": "ana@example.com"}})
    assert perform(run_id).state == "retrying"
    (effect,) = sandbox.effects("stripe")
    made = {"id": effect["provider_id"], "object": "customer", "metadata": {"neonhub_effect": run_id.hex}}
    hooks.tell("stripe", {"id": "evt_1", "type": "customer.created", "data": {"object": made}})
    assert (get_run(run_id).state, get_run(run_id).provider_id) == ("succeeded", effect["provider_id"])


def test_an_event_that_cannot_be_worked_off_stops_no_other_and_is_given_up_in_the_end(
    sandbox: Sandbox, hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = parked(sandbox)
    with transaction() as connection:
        connection.execute(
            text(
                "insert into webhook_event (connection_id, event_id, kind, payload, act_at) "
                "select id, 'bad', 'other', 'no ciphertext', clock_timestamp() from connection where name = 'whatsapp'"
            )
        )
    hooks.tell("whatsapp", signing.wa_status("wamid.A", "sent", key=run_id.hex))
    assert get_run(run_id).state == "succeeded"
    for _ in range(12):
        now_due()
    assert now_due() == 0
    assert outcomes()["bad"] == "gave up: VaultError"


def test_events_are_worked_off_by_one_worker_each(sandbox: Sandbox, hooks: Hooks) -> None:
    run_ids = [parked(sandbox) for _ in range(2)]
    for number, run_id in enumerate(run_ids):
        hooks.tell("whatsapp", signing.wa_status(f"wamid.{number}", "sent", key=run_id.hex))
    with transaction() as connection:
        connection.execute(text("update webhook_event set act_at = clock_timestamp()"))
        assert act.work_off() == 0, "another transaction holds them"


def test_old_events_are_forgotten_and_those_that_wait_are_not(sandbox: Sandbox, hooks: Hooks) -> None:
    from neonhub_worker.webhooks import store

    for number in range(3):
        hooks.tell("slack", {"type": "event_callback", "event_id": f"Ev{number}", "event": {"type": "x"}})
    with transaction() as connection:
        connection.execute(
            text("update webhook_event set received_at = now() - interval '31 days' where event_id <> 'Ev2'")
        )
        connection.execute(text("update webhook_event set act_at = now() + interval '1 day' where event_id = 'Ev1'"))
        assert store.forget_past(connection, days=0) == 0
        assert store.forget_past(connection, days=2) == 1
    assert outcomes().keys() == {"Ev1", "Ev2"}


def test_a_lease_that_is_held_keeps_its_run(sandbox: Sandbox, hooks: Hooks) -> None:
    """The worker that holds the run writes how it ended; the webhook waits for that."""
    run_id = template()
    with transaction() as connection:
        (held,) = leases.claim(connection, [run_id], worker="w1", lease_s=60)
    hooks.tell("whatsapp", signing.wa_status("wamid.A", "delivered", key=run_id.hex))
    with transaction() as connection:
        outcome = leases.Outcome(run_id, held.fence, "park", effect=EffectState.PARKED)
        assert leases.settle(connection, [outcome], worker="w1") == {run_id: "parked"}
    now_due()
    wait_until_worked_off()
    assert get_run(run_id).state == "succeeded"
