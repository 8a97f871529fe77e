"""A mail, crashed or unheard between any two steps: it is sent once, and a draft at most is left behind."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy import Engine, text

from neonhub_worker import enqueue
from neonhub_worker.consent import opt_outs
from neonhub_worker.db.engine import transaction
from neonhub_worker.ledger import leases, steps
from neonhub_worker.ledger.runs import Run
from neonhub_worker.ledger.states import EffectState
from tests.integration.attempts import crash, let_settling_time_pass, perform, step_states
from tests.integration.sandboxes import Sandbox

TO = "ada@example.org"


def request(**more: Any) -> uuid.UUID:
    given = {"to": TO, "subject": "Spring sale", "text": "Hello Ada", **more}
    return enqueue({"action": "email.sendEmail", "organization_id": "acme", "connection": "email", "input": given})


@pytest.fixture
def mail(sandbox: Sandbox) -> uuid.UUID:
    """A mail that is to be sent: a draft, and its sending."""
    return request()


def sent(sandbox: Sandbox) -> list[str]:
    return [one["provider_id"] for one in sandbox.effects("email") if one["action"] == "sendEmail"]


def to_the_end(run_id: uuid.UUID) -> Run:
    for _ in range(10):
        run = perform(run_id)
        if run.finished_at is not None or run.state == "parked":
            return run
        let_settling_time_pass()
    raise AssertionError(f"{run.state} after ten attempts: {run.error}")


def die_while(run_id: uuid.UUID, state: EffectState | None = None) -> None:
    """A worker takes the run and is killed: before it does anything, or with the sending in that state."""
    with transaction() as connection:
        connection.execute(text("update run set run_at = now()"))
        (claimed,) = leases.claim(connection, [run_id], worker="dead", lease_s=60)
        if state is not None:
            assert steps.write(connection, run_id, "send", fence=claimed.fence, state=state, effect=True)
    crash()


def test_a_mail_is_sent_in_one_attempt(mail: uuid.UUID, sandbox: Sandbox, engine: Engine) -> None:
    run = perform(mail)

    assert (run.state, [run.provider_id]) == ("succeeded", sent(sandbox))
    assert step_states(engine) == {"draft": "confirmed", "send": "confirmed"}


def test_a_crash_between_draft_and_sending_makes_no_second_draft(
    mail: uuid.UUID, sandbox: Sandbox, engine: Engine
) -> None:
    drafts = sandbox.count("email", "createDraft")
    sandbox.fault(connector="email", operation="sendDraft", kind="rate_limit", times=1)
    assert perform(mail).state == "waiting"
    assert step_states(engine) == {"draft": "confirmed", "send": "planned"}
    die_while(mail)

    assert to_the_end(mail).state == "succeeded"
    assert (drafts(), len(sent(sandbox))) == (1, 1)


def test_a_crash_while_sending_is_settled_by_the_draft(mail: uuid.UUID, sandbox: Sandbox) -> None:
    sandbox.fault(connector="email", operation="sendDraft", kind="rate_limit", times=1)
    perform(mail)
    die_while(mail, EffectState.SENDING)

    assert perform(mail).state == "waiting", "not before a sending on its way would show"
    assert sent(sandbox) == []
    assert to_the_end(mail).state == "succeeded"
    assert len(sent(sandbox)) == 1


@pytest.mark.parametrize("lost", ["reset_after", "error_500_after", "error_503_after", "truncated_body_after"])
def test_a_mail_whose_answer_was_lost_is_found_with_its_id(mail: uuid.UUID, sandbox: Sandbox, lost: str) -> None:
    requests = sandbox.count("email", "sendDraft")
    sandbox.fault(connector="email", operation="sendDraft", kind=lost, times=1)
    assert perform(mail).state == "retrying"

    run = to_the_end(mail)
    assert (run.state, [run.provider_id]) == ("succeeded", sent(sandbox))
    assert requests() == 1


def test_a_lost_answer_to_the_draft_costs_a_draft_that_nobody_else_sees(mail: uuid.UUID, sandbox: Sandbox) -> None:
    sandbox.fault(connector="email", operation="createDraft", kind="reset_after", times=1)
    assert perform(mail).state == "retrying"

    assert to_the_end(mail).state == "succeeded"
    assert [one["action"] for one in sandbox.effects("email")] == ["createDraft", "createDraft", "sendEmail"]


def test_two_equal_mails_whose_answers_were_lost_are_told_apart(sandbox: Sandbox) -> None:
    first, second = request(), request()
    sandbox.fault(connector="email", operation="sendDraft", kind="reset_after", times=2)
    perform(first)
    perform(second)

    runs = to_the_end(second), to_the_end(first)
    assert [run.provider_id for run in runs] == sent(sandbox)[::-1]


def test_a_mail_of_which_nothing_tells_is_parked_and_not_sent_again(mail: uuid.UUID, sandbox: Sandbox) -> None:
    sandbox.fault(connector="email", operation="sendDraft", kind="delayed_visibility", seconds=3600, times=1)
    sandbox.fault(connector="email", operation="sendDraft", kind="reset_after", times=1)
    perform(mail)

    for _ in range(30):
        run = perform(mail)
        let_settling_time_pass()
        if run.state == "parked":
            break
    assert run.state == "parked"
    assert len(sent(sandbox)) == 1


def test_who_opted_out_meanwhile_gets_nothing(mail: uuid.UUID, sandbox: Sandbox) -> None:
    opt_outs.record("acme", "email", "Ada@Example.org", opted_out=True, source="unsubscribe link")

    run = perform(mail)
    assert (run.state, sandbox.effects("email")) == ("cancelled", []), "an opt-out cancels what waits for that person"


def test_a_copy_to_someone_who_opted_out_stops_the_mail(sandbox: Sandbox) -> None:
    opt_outs.record("acme", "email", "bob@example.org", opted_out=True, source="unsubscribe link")

    run = perform(request(bcc=["Bob <Bob@example.org>"]))
    assert (run.state, sandbox.effects("email")) == ("failed", [])
    assert "bob" not in str(run.error).lower()


def test_a_token_that_ended_is_renewed_and_the_mail_is_sent_once(mail: uuid.UUID, sandbox: Sandbox) -> None:
    # An access token of Google's lives for an hour, by the platform's clock.
    sandbox.advance(3700)

    assert to_the_end(mail).state == "succeeded"
    assert len(sent(sandbox)) == 1
