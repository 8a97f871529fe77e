"""What happens to a run between its attempts: time passes, workers die."""

from __future__ import annotations

import uuid

from sqlalchemy import Engine, text

from neonhub_worker import get_run
from neonhub_worker.db.engine import transaction
from neonhub_worker.ledger import rescue
from neonhub_worker.ledger.runs import Run
from neonhub_worker.performing import batch


def perform(run_id: uuid.UUID) -> Run:
    """One attempt, now, whatever it was to wait for."""
    with transaction() as connection:
        connection.execute(text("update run set run_at = now() where id = :id"), {"id": run_id})
        connection.execute(text("update gate set closed_until = now() where closed_until > now()"))
    batch.perform([run_id])
    return get_run(run_id)


def let_settling_time_pass() -> None:
    """As if every send had happened an hour ago."""
    with transaction() as connection:
        connection.execute(text("update step set sent_by = sent_by - interval '1 hour'"))


def crash() -> None:
    """What a worker leaves behind that is killed: its lease runs out."""
    with transaction() as connection:
        connection.execute(text("update run set lease_until = now() - interval '1 s' where state = 'running'"))
        rescue.rescue(connection)


def step_states(engine: Engine) -> dict[str, str]:
    """The state of each step by its name."""
    with engine.connect() as connection:
        return {row.name: row.state for row in connection.execute(text("select name, state from step"))}
