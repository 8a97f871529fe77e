"""From enqueue to effect, against the real sandbox: what it counted is the judge."""

from __future__ import annotations

import os
import uuid

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, text

from neonhub_worker import cancel, clock, enqueue, enqueue_many, get_run
from neonhub_worker.consent import opt_outs
from neonhub_worker.db.engine import transaction
from neonhub_worker.ledger import leases, rescue
from neonhub_worker.performing import batch
from neonhub_worker.performing.attempt import Attempt
from neonhub_worker.performing.run_ledger import LeaseLost
from neonhub_worker.performing.seats import Seats
from neonhub_worker.vault import connections
from tests.conftest import forget_settings
from tests.factories import TO, sms
from tests.integration.sandboxes import Sandbox


def make_due(engine: Engine, run_id: uuid.UUID) -> None:
    """Let the time pass that a run waits for."""
    with engine.begin() as connection:
        connection.execute(text("update run set run_at = now() where id = :id"), {"id": run_id})


def let_settling_time_pass(engine: Engine, run_id: uuid.UUID) -> None:
    """As if the send had happened an hour ago."""
    with engine.begin() as connection:
        connection.execute(
            text("update step set sent_by = sent_by - interval '1 hour' where run_id = :id"), {"id": run_id}
        )
    make_due(engine, run_id)


def die_holding(run_id: uuid.UUID) -> None:
    """What a worker leaves behind that is killed right after its claim was committed."""
    with transaction() as connection:
        assert leases.claim(connection, [run_id], worker="dead", lease_s=-1)
        assert rescue.rescue(connection) == [run_id]


def test_a_message_is_sent_once_and_its_id_recorded(sandbox: Sandbox) -> None:
    run_id = enqueue(sms())
    batch.perform([run_id])
    run = get_run(run_id)
    (effect,) = sandbox.effects()
    assert run.state == "succeeded"
    assert run.provider_id == effect["provider_id"]
    assert effect["recipient"] == TO


def test_a_batch_is_sent_side_by_side(sandbox: Sandbox) -> None:
    run_ids = enqueue_many(sms(input={"to": TO, "body": f"Number {n}"}) for n in range(40))
    batch.perform(run_ids)
    assert {get_run(run_id).state for run_id in run_ids} == {"succeeded"}
    assert len(sandbox.effects()) == 40


def test_any_number_of_deliveries_send_once(sandbox: Sandbox) -> None:
    run_id = enqueue(sms())
    for _ in range(3):
        batch.perform([run_id])
    assert len(sandbox.effects()) == 1


def test_killed_after_the_send_the_message_is_found_by_read_back(sandbox: Sandbox, engine: Engine) -> None:
    sandbox.fault(connector="sms", operation="sendSMS", kind="error_500_after", times=1)
    run_id = enqueue(sms())
    batch.perform([run_id])
    assert get_run(run_id).state == "retrying"
    make_due(engine, run_id)
    batch.perform([run_id])
    run = get_run(run_id)
    assert run.state == "succeeded"
    assert run.timeline[-1].detail == {
        "provider_id": sandbox.effects()[0]["provider_id"],
        "settled": "read-back: it was sent",
    }
    assert len(sandbox.effects()) == 1


def test_killed_before_the_send_the_message_is_sent_only_after_the_settling_time(
    sandbox: Sandbox, engine: Engine
) -> None:
    run_id = enqueue(sms())
    die_holding(run_id)
    batch.perform([run_id])
    assert get_run(run_id).state == "waiting"
    assert sandbox.effects() == []
    let_settling_time_pass(engine, run_id)
    batch.perform([run_id])
    assert get_run(run_id).state == "succeeded"
    assert len(sandbox.effects()) == 1


def test_a_second_crash_after_a_read_back_is_settled_the_same_way(sandbox: Sandbox, engine: Engine) -> None:
    run_id = enqueue(sms())
    die_holding(run_id)
    let_settling_time_pass(engine, run_id)
    sandbox.fault(connector="sms", operation="sendSMS", kind="reset_after", times=1)
    batch.perform([run_id])
    assert get_run(run_id).state == "retrying"
    make_due(engine, run_id)
    batch.perform([run_id])
    assert get_run(run_id).state == "succeeded"
    assert len(sandbox.effects()) == 1


def test_two_equal_messages_to_one_person_are_both_sent_and_told_apart(sandbox: Sandbox, engine: Engine) -> None:
    first, second = enqueue_many([sms(), sms()])
    sandbox.fault(connector="sms", operation="sendSMS", kind="error_500_after", times=1)
    batch.perform([first, second])
    assert (get_run(first).state, get_run(second).state) == ("retrying", "waiting")
    assert [event.move for event in get_run(second).timeline] == ["accept", "hold"]
    make_due(engine, first)
    make_due(engine, second)
    batch.perform([first])
    die_holding(second)
    let_settling_time_pass(engine, second)
    batch.perform([second])
    states = [get_run(run_id) for run_id in (first, second)]
    assert [run.state for run in states] == ["succeeded", "succeeded"]
    assert len({run.provider_id for run in states}) == 2
    assert len(sandbox.effects()) == 2


def test_a_rate_limit_waits_as_long_as_the_platform_says_and_uses_no_attempt(sandbox: Sandbox) -> None:
    sandbox.fault(connector="sms", operation="sendSMS", kind="rate_limit", times=1, seconds=7)
    run_id = enqueue(sms())
    batch.perform([run_id])
    run = get_run(run_id)
    assert (run.state, run.attempts) == ("waiting", 0)
    assert 6 < (run.run_at - run.timeline[-1].at).total_seconds() < 8
    assert sandbox.effects() == []


def test_an_opt_out_known_to_us_is_honoured_without_asking_the_platform(sandbox: Sandbox) -> None:
    earlier = enqueue(sms())
    opt_outs.record("acme", "sms", TO, opted_out=True, source="test")
    assert get_run(earlier).state == "cancelled", "what waits is called off at once"
    run_id = enqueue(sms())
    batch.perform([earlier, run_id])
    run = get_run(run_id)
    assert (run.state, sandbox.effects()) == ("failed", [])
    assert run.error is not None
    assert run.error["class"] == "RecipientOptedOut"


def test_an_opt_out_known_to_the_platform_is_learned(sandbox: Sandbox) -> None:
    sandbox.opt_out(TO)
    run_id = enqueue(sms())
    batch.perform([run_id])
    run = get_run(run_id)
    assert run.error is not None
    assert (run.state, run.error["class"], run.error["code"]) == ("failed", "RecipientOptedOut", "21610")
    assert opt_outs.status("acme", "sms", TO) is not None


def test_a_run_cancelled_while_in_doubt_is_not_sent_again(sandbox: Sandbox, engine: Engine) -> None:
    run_id = enqueue(sms())
    die_holding(run_id)
    cancel(run_id)
    let_settling_time_pass(engine, run_id)
    batch.perform([run_id])
    assert get_run(run_id).state == "cancelled"
    assert sandbox.effects() == []


def test_a_worker_whose_lease_is_nearly_over_gives_the_run_back_unsent(sandbox: Sandbox) -> None:
    run_id = enqueue(sms())
    with transaction() as connection:
        (claimed,) = leases.claim(connection, [run_id], worker="slow", lease_s=30)
    opened = connections.open_connection(claimed.connection_id)
    ended = Attempt(claimed, opened, deadline=clock.elapsed_clock() + 5, slot=None).run()
    with transaction() as connection:
        leases.settle(connection, [ended.outcome], worker="slow")
    run = get_run(run_id)
    assert (run.state, run.attempts) == ("queued", 0)
    assert sandbox.effects() == []


def test_a_worker_that_was_taken_over_while_it_asked_sends_nothing(sandbox: Sandbox, engine: Engine) -> None:
    run_id = enqueue(sms())
    die_holding(run_id)
    let_settling_time_pass(engine, run_id)
    with transaction() as connection:
        (claimed,) = leases.claim(connection, [run_id], worker="frozen", lease_s=60)
        connection.execute(text("update run set lease_until = now() - interval '1 s'"))
        rescue.rescue(connection)
    opened = connections.open_connection(claimed.connection_id)
    with pytest.raises(LeaseLost):
        Attempt(claimed, opened, deadline=clock.elapsed_clock() + 60, slot=None).run()
    assert sandbox.effects() == []


def test_a_run_whose_connection_cannot_be_used_fails_and_says_why(sandbox: Sandbox, engine: Engine) -> None:
    run_id = enqueue(sms())
    connections.set_state("acme", "sms", "disabled")
    batch.perform([run_id])
    run = get_run(run_id)
    assert run.state == "failed"
    assert run.error is not None
    assert "disabled" in run.error["message"]


def test_a_worker_with_a_wrong_vault_key_leaves_runs_for_later(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, engine: Engine
) -> None:
    run_id = enqueue(sms())
    right = os.environ["NEONHUB_VAULT_KEYS"]
    monkeypatch.setenv("NEONHUB_VAULT_KEYS", Fernet.generate_key().decode())
    forget_settings()
    batch.perform([run_id])
    run = get_run(run_id)
    assert (run.state, run.attempts) == ("waiting", 0)
    assert run.error is not None
    assert "none of NEONHUB_VAULT_KEYS fits" in run.error["message"]
    monkeypatch.setenv("NEONHUB_VAULT_KEYS", right)
    forget_settings()
    make_due(engine, run_id)
    batch.perform([run_id])
    assert get_run(run_id).state == "succeeded"


def test_one_bad_run_of_a_batch_does_not_hold_up_the_others(sandbox: Sandbox, engine: Engine) -> None:
    run_ids = enqueue_many(sms(input={"to": TO, "body": f"Number {n}"}) for n in range(5))
    with engine.begin() as connection:
        connection.execute(text('update run set input = \'{"colour": "red"}\' where id = :id'), {"id": run_ids[2]})
    batch.perform(run_ids)
    states = [get_run(run_id).state for run_id in run_ids]
    assert states == ["succeeded", "succeeded", "failed", "succeeded", "succeeded"]
    assert len(sandbox.effects()) == 4


def test_no_phone_number_or_text_is_in_errors_or_timelines(sandbox: Sandbox) -> None:
    sandbox.fault(connector="sms", operation="sendSMS", kind="error_500_after", times=1)
    run_id = enqueue(sms())
    batch.perform([run_id])
    run = get_run(run_id)
    said = f"{run.error} {run.timeline}"
    assert TO not in said
    assert "Spring" not in said


def test_a_slack_message_lost_in_doubt_is_found_by_our_key(sandbox: Sandbox, engine: Engine) -> None:
    import requests

    channel = next(
        iter(requests.get(f"{sandbox.url}/_sandbox/accounts", timeout=10).json()["slack"]["channels"].values())
    )
    channel_id = channel if isinstance(channel, str) else channel["id"]
    sandbox.fault(connector="slack", operation="sendMessage", kind="reset_after", times=1)
    run_id = enqueue(
        {
            "action": "slack.sendMessage",
            "organization_id": "acme",
            "connection": "slack",
            "input": {"channel": channel_id, "text": "Launch!"},
        }
    )
    batch.perform([run_id])
    assert get_run(run_id).state == "retrying"
    make_due(engine, run_id)
    batch.perform([run_id])
    assert get_run(run_id).state == "succeeded"
    (effect,) = sandbox.effects("slack")
    assert effect["key"] == run_id.hex


def test_a_run_that_comes_alone_is_sent_although_batches_fill_the_worker(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = Seats(0)
    monkeypatch.setattr(batch, "_seats", lambda: full)
    run_id = enqueue(sms())
    batch.perform([run_id])
    assert len(sandbox.effects()) == 1
