"""What other workers make of a run that was left behind, and how it may end."""

from __future__ import annotations

import uuid

import requests
from sqlalchemy import text

from neonhub_worker import enqueue, get_run
from neonhub_worker.db.engine import transaction
from neonhub_worker.ledger import rescue, runs
from neonhub_worker.ledger.runs import Run
from neonhub_worker.ledger.states import FINAL, RunState
from neonhub_worker.performing import batch
from tests.faults.cases import Case, Input
from tests.integration.sandboxes import Sandbox
from tests.integration.workers import Place

_ATTEMPTS = 12


def accept(case: Case, given: Input) -> uuid.UUID:
    """A run that is accepted and that nobody was woken for."""
    with transaction() as connection:
        return enqueue(case.request(given), connection=connection)


def let_lease_run_out(run_id: uuid.UUID) -> None:
    """As if the lease of a worker that is dead had run out."""
    with transaction() as connection:
        connection.execute(
            text(
                "update run set lease_until = clock_timestamp() - interval '1 s' where id = :id and state = 'running'"
            ),
            {"id": run_id},
        )


def let_waits_pass(run_id: uuid.UUID) -> None:
    """As if the time had passed that it waits for, and that a platform takes to show what was sent."""
    with transaction() as connection:
        connection.execute(
            text("update run set run_at = clock_timestamp() where id = :id and run_at > clock_timestamp()"),
            {"id": run_id},
        )
        connection.execute(
            text("update step set sent_by = sent_by - interval '1 hour' where run_id = :id"), {"id": run_id}
        )
        connection.execute(text("update gate set closed_until = clock_timestamp() where closed_until is not null"))


def take_over() -> None:
    with transaction() as connection:
        rescue.rescue(connection)


def show(sandbox: Sandbox) -> None:
    """As if the platform had done and shown all that was asked of it."""
    requests.post(f"{sandbox.url}/_sandbox/clock", json={"advance_s": 2}, timeout=10).raise_for_status()


def attempt(place: Place, run_id: uuid.UUID, case: Case) -> Run:
    """Let another worker make an attempt, after all that there is to wait for."""
    if case.steps:
        show(place.sandbox)
    take_over()
    let_waits_pass(run_id)
    batch.perform([run_id])
    return get_run(run_id)


def finish(place: Place, run_id: uuid.UUID, case: Case) -> None:
    """Let other workers bring a run to its end."""
    for _ in range(_ATTEMPTS):
        run = attempt(place, run_id, case)
        if run.state in (*FINAL, RunState.PARKED):
            return
    raise AssertionError(f"{run.state} after {_ATTEMPTS} attempts: {run.error}")


def wrong(place: Place, run_id: uuid.UUID, case: Case, given: Input) -> str | None:
    """What is wrong with how a run ended, judged by what the sandbox counted; None if nothing is."""
    run, count = get_run(run_id), case.count(place.sandbox, given)
    told = [event.state for event in run.timeline][-1]
    if run.state is RunState.SUCCEEDED and count == 1 and told == run.state:
        return None
    if run.state is RunState.PARKED and case.may_park and count <= 1 and told == run.state and _is_listed(run_id):
        return None
    return f"{run.state} with {count} effects: {[(event.move, event.attempt) for event in run.timeline]} {run.error}"


def _is_listed(run_id: uuid.UUID) -> bool:
    with transaction() as connection:
        parked = runs.find(connection, organization_id="acme", states=["parked"], limit=1000)
    return run_id in [run.id for run in parked]
