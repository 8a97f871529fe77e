"""``neonhub why``: in each state a run can be in, what happened and what comes next, in sentences."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from sqlalchemy import text

from neonhub_worker import cancel
from neonhub_worker.db.engine import transaction
from neonhub_worker.ledger import decisions, late
from neonhub_worker.ledger.states import DESCRIPTION, RunState
from neonhub_worker.performing import batch
from tests.integration.cli import Neonhub, claim, fail, park, sms_run
from tests.integration.sandboxes import Sandbox


def why(neonhub: Neonhub, run_id: uuid.UUID, state: str) -> list[str]:
    """The sentences after the first, which tells the state; all of them are in the text for people too."""
    answer = neonhub("why", run_id, "--json").json
    sentences: list[str] = answer["why"]
    first, *others = sentences
    assert (answer["id"], answer["state"]) == (str(run_id), state)
    assert first == f"sms.sendSMS of acme is {state}: {DESCRIPTION[RunState(state)]}."
    assert answer["timeline"][0]["move"] == "accept"
    shown = neonhub("why", run_id).out
    assert first in shown
    assert "accept" in shown
    assert not any(".." in sentence for sentence in others)
    return others


def test_why_scheduled(neonhub: Neonhub, unsent: None) -> None:
    (due,) = why(neonhub, sms_run(at=datetime(2035, 1, 1, tzinfo=UTC)), "scheduled")
    assert due.startswith("It is due at 2035-01-01 00:00:00 UTC, in ")


def test_why_says_that_a_frozen_worker_sent_too_late(neonhub: Neonhub, unsent: None) -> None:
    run_id = sms_run()
    park(run_id)
    with transaction() as connection:
        late.tell(connection, run_id, fence=1)
    said = " ".join(why(neonhub, run_id, "parked"))
    assert "Attempt 1 was frozen and sent after it had lost the run" in said


def test_why_queued(neonhub: Neonhub, unsent: None) -> None:
    run_id = sms_run()
    with transaction() as connection:
        connection.execute(text("update run set run_at = now() - interval '90 seconds'"))
    (due,) = why(neonhub, run_id, "queued")
    assert due.startswith("It has been due for 9")
    assert due.endswith(" s and waits for a free worker.")


def test_why_running(neonhub: Neonhub, unsent: None) -> None:
    run_id = sms_run()
    claim(run_id)
    attempts, lease = why(neonhub, run_id, "running")
    assert attempts == "1 attempt so far."
    assert lease.startswith("Its worker holds it until ")
    assert lease.endswith("if the worker dies it is rescued then.")


def test_why_running_and_to_be_cancelled(neonhub: Neonhub, unsent: None) -> None:
    run_id = sms_run()
    claim(run_id)
    cancel(run_id)
    last = why(neonhub, run_id, "running")[-1]
    assert last == "It was asked to be cancelled and will be, if it turns out that nothing was sent."


def test_why_retrying(neonhub: Neonhub, sandbox: Sandbox) -> None:
    sandbox.fault(connector="sms", operation="sendSMS", kind="error_500_after", times=1)
    run_id = sms_run()
    batch.perform([run_id])
    said, attempts, due = why(neonhub, run_id, "retrying")
    assert said.startswith("The last attempt ended with OutcomeUnknown")
    assert attempts == "1 attempt so far."
    assert due.startswith("It is due at ")


def test_why_waiting(neonhub: Neonhub, sandbox: Sandbox) -> None:
    sandbox.fault(connector="sms", operation="sendSMS", kind="rate_limit", times=1, seconds=60)
    run_id = sms_run()
    batch.perform([run_id])
    said, due = why(neonhub, run_id, "waiting")
    assert said.startswith("The last attempt ended with RateLimited (code ")
    assert due.startswith("It is due at ")


def test_why_succeeded(neonhub: Neonhub, sandbox: Sandbox) -> None:
    run_id = sms_run()
    batch.perform([run_id])
    (effect,) = sandbox.effects()
    provider_id, attempts = why(neonhub, run_id, "succeeded")
    assert provider_id == f"The platform's id of the effect is {effect['provider_id']}."
    assert attempts == "1 attempt so far."


def test_why_failed(neonhub: Neonhub, sandbox: Sandbox) -> None:
    run_id = sms_run()
    fail(run_id, sandbox)
    said, _, hint = why(neonhub, run_id, "failed")
    assert said.startswith("The last attempt ended with RecipientOptedOut (code 21610): ")
    assert hint == f"`neonhub runs retry {run_id}` tries it again."


def test_why_cancelled(neonhub: Neonhub, unsent: None) -> None:
    run_id = sms_run()
    cancel(run_id)
    assert why(neonhub, run_id, "cancelled") == [f"`neonhub runs retry {run_id}` tries it again."]


def test_why_expired(neonhub: Neonhub, unsent: None) -> None:
    run_id = sms_run(expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    with transaction() as connection:
        assert decisions.expire(connection) == 1
    assert why(neonhub, run_id, "expired") == [f"`neonhub runs retry {run_id}` tries it again."]


def test_why_parked(neonhub: Neonhub, unsent: None) -> None:
    run_id = sms_run()
    park(run_id)
    said, hint = why(neonhub, run_id, "parked")
    assert "its worker died 3 times in a row" in said
    assert hint == (
        "Look at the platform, then say what happened: "
        f"`neonhub runs settle {run_id} --sent PROVIDER_ID`, or the same with --not-sent."
    )
