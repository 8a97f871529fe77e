"""Which runs are due and not yet on their way?"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import Connection, text

from neonhub_worker.dispatch.publish import Due
from neonhub_worker.ledger.states import DUE

WINDOW = 2000
"""Runs that may be published and unclaimed at once; the rest of a backlog waits in Postgres, where it is ordered."""

_STATES = [str(state) for state in DUE]

_IN_FLIGHT = text(
    """
    select count(*) from (
        select 1 from run
        where state = any(:states) and run_at <= clock_timestamp()
              and published_at >= clock_timestamp() - make_interval(secs => :redispatch_s)
        limit :window) as published
    """
)

_TAKE = text(
    """
    with picked as (
        select id from run
        where state = any(:states) and run_at <= clock_timestamp()
              and (published_at is null or published_at < clock_timestamp() - make_interval(secs => :redispatch_s))
        order by priority, run_at, id
        limit :limit
        for update skip locked
    )
    update run r set published_at = clock_timestamp()
    from picked where r.id = picked.id
    returning r.id, r.queue, r.name, r.connection_id
    """
)

_NEXT = text(
    """
    select extract(epoch from min(run_at) - clock_timestamp()) from run
    where state = any(:states) and run_at > clock_timestamp()
    """
)

_UNPUBLISH = text("update run set published_at = null where id = any(:ids) and state = 'queued'")


def take(connection: Connection, *, redispatch_s: float) -> list[Due]:
    """Mark due runs as published and return them, the most urgent first.

    The caller publishes them and then commits: a crash in between publishes twice, which is harmless, instead of
    never. Runs whose message was lost are taken again after ``redispatch_s`` seconds.
    """
    values = {"states": _STATES, "redispatch_s": redispatch_s}
    in_flight: int = connection.execute(_IN_FLIGHT, {**values, "window": WINDOW}).scalar_one()
    if in_flight >= WINDOW:
        return []
    rows = connection.execute(_TAKE, {**values, "limit": WINDOW - in_flight})
    return [Due(row.id, row.queue, row.name, row.connection_id) for row in rows]


def seconds_to_next(connection: Connection) -> float | None:
    """Seconds until the next run becomes due; None if none waits for a time."""
    value = connection.execute(_NEXT, {"states": _STATES}).scalar()
    return None if value is None else float(value)


def unpublish(connection: Connection, run_ids: Sequence[uuid.UUID]) -> None:
    """Take back the mark of runs whose messages could not be sent: the dispatcher sends them at its next tick."""
    connection.execute(_UNPUBLISH, {"ids": list(run_ids)})
