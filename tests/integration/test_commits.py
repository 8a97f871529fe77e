"""What an action costs: one commit to accept it, one to claim it, one to settle it."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, event

from neonhub_worker import enqueue, enqueue_many
from neonhub_worker.db import engine as db
from neonhub_worker.dispatch import limits
from neonhub_worker.performing import batch
from neonhub_worker.vault import connections
from tests.factories import TO, sms
from tests.integration.sandboxes import Sandbox


def commits(work: Callable[[], object]) -> int:
    """How many transactions this process commits during some work, those that only read included."""
    seen: list[Connection] = []

    def note(connection: Connection) -> None:
        seen.append(connection)

    event.listen(db.engine(), "commit", note)
    try:
        work()
    finally:
        event.remove(db.engine(), "commit", note)
    return len(seen)


def test_a_single_action_costs_three_commits(sandbox: Sandbox) -> None:
    run_ids = []
    assert commits(lambda: run_ids.append(enqueue(sms(input={"to": TO, "body": "Two"})))) == 1
    assert commits(lambda: batch.perform(run_ids)) == 2
    assert len(sandbox.effects()) == 1


def test_limits_cost_no_further_commit(sandbox: Sandbox) -> None:
    connections.set_limits("acme", "sms", [limits.parse("100/s").as_json(), limits.parse("1/s per target").as_json()])
    run_ids = [enqueue(sms(input={"to": "+14155550124", "body": "Two"}))]
    assert commits(lambda: batch.perform(run_ids)) == 2
    assert len(sandbox.effects()) == 1


def test_runs_that_are_carried_out_together_share_their_claim(sandbox: Sandbox) -> None:
    run_ids = enqueue_many(sms(input={"to": TO, "body": f"Number {number}"}) for number in range(16))
    assert commits(lambda: batch.perform(run_ids)) <= 1 + 16
    assert len(sandbox.effects()) == 16
