"""How is a run read?"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from neonhub_worker.errors import UnknownRun
from neonhub_worker.ledger.states import RunState


@dataclass(frozen=True)
class Event:
    """One line of a run's timeline."""

    at: datetime
    move: str
    state: str
    attempt: int
    worker: str | None
    detail: dict[str, Any] | None


@dataclass(frozen=True)
class Run:
    """A run as it stands. ``error`` holds ``class``, ``code`` and ``message``; ``output`` is the action's output.

    ``delivery`` is how far the effect got, as the platform told: ``stage``, ``said`` (its own word), ``code``, ``at``.
    """

    id: uuid.UUID
    organization_id: str
    kind: str
    name: str
    state: RunState
    attempts: int
    input: dict[str, Any]
    output: dict[str, Any] | None
    error: dict[str, Any] | None
    provider_id: str | None
    delivery: dict[str, Any] | None
    connection: str | None
    queue: str
    idempotency_key: str | None
    cancel_requested: bool
    run_at: datetime
    expires_at: datetime | None
    lease_until: datetime | None
    created_at: datetime
    finished_at: datetime | None
    timeline: tuple[Event, ...] = field(default=())


_SELECT = """
    select r.id, r.organization_id, r.kind, r.name, r.state, r.attempts, r.input, r.output, r.error, r.provider_id,
           r.delivery, c.name as connection, r.queue, r.idempotency_key, r.cancel_requested, r.run_at, r.expires_at,
           r.lease_until, r.created_at, r.finished_at
    from run r left join connection c on c.id = r.connection_id
"""

_TIMELINE = text("select at, move, state, fence, worker, detail from run_event where run_id = :id order by id")


def get(connection: Connection, run_id: uuid.UUID) -> Run:
    """Read one run with its timeline.

    Raises:
        UnknownRun: There is none with this id.
    """
    row = connection.execute(text(_SELECT + " where r.id = :id"), {"id": run_id}).mappings().first()
    if row is None:
        raise UnknownRun(f"no run {run_id}; `neonhub runs list` shows the latest")
    events = [
        Event(e.at, e.move, e.state, e.fence, e.worker, e.detail) for e in connection.execute(_TIMELINE, {"id": run_id})
    ]
    if not events or events[0].move != "refuse":  # that one was never accepted
        events.insert(0, Event(row["created_at"], "accept", "accepted", 0, None, None))
    return Run(**{**row, "state": RunState(row["state"])}, timeline=tuple(events))


def find(
    connection: Connection,
    *,
    organization_id: str | None = None,
    states: Sequence[str] = (),
    name: str | None = None,
    limit: int = 50,
) -> list[Run]:
    """The newest runs that fit, without their timelines."""
    where = ["true"]
    values: dict[str, Any] = {"limit": limit}
    for condition, key, value in (
        ("r.organization_id = :organization_id", "organization_id", organization_id),
        ("r.state = any(:states)", "states", list(states) or None),
        ("r.name = :name", "name", name),
    ):
        if value is not None:
            where.append(condition)
            values[key] = value
    query = _SELECT + f" where {' and '.join(where)} order by r.created_at desc, r.id desc limit :limit"
    return [
        Run(**{**row, "state": RunState(row["state"])}) for row in connection.execute(text(query), values).mappings()
    ]
