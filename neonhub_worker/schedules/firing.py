"""Which instants became runs? Every occurrence makes at most one, however many schedulers fire at once.

What keeps it so: the schedule's row is locked while its instants are decided, each decision is a row whose key is the
instant, and the run's idempotency key is made of the two. Only the database's clock is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import structlog
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError

from neonhub_worker import faults, ids
from neonhub_worker.errors import NeonhubError
from neonhub_worker.ledger import acceptance
from neonhub_worker.ledger.acceptance import Draft
from neonhub_worker.schedules import occurrences
from neonhub_worker.schedules.occurrences import Decided, Outcome
from neonhub_worker.schedules.rows import COLUMNS
from neonhub_worker.schedules.schedule import Decision, Schedule, decide

log = structlog.get_logger("neonhub.schedules")

HELD_FOR = timedelta(minutes=1)
"""How long a schedule is let alone whose occurrences cannot be made into runs."""

# Those that were held come last: however many they are, they keep nobody waiting.
_DUE = text(
    f"""
    select {COLUMNS}, statement_timestamp() as now from schedule
    where next_at <= statement_timestamp() and not paused
          and (retry_at is null or retry_at <= statement_timestamp())
    order by retry_at nulls first, next_at limit :limit for update skip locked
    """  # noqa: S608 (a constant)
)

_ADVANCE = text(
    """
    update schedule s set next_at = a.next_at, last_at = a.last_at, error = null, retry_at = null
    from unnest(cast(:ids as uuid[]), cast(:next_at as timestamptz[]), cast(:last_at as timestamptz[]))
         as a(id, next_at, last_at)
    where s.id = a.id
    """
)

_HOLD = text("update schedule set error = :error, retry_at = statement_timestamp() + :held_for where id = :id")

# None that its schedule has yet to come by: it may have been cancelled.
_FORGET = text(
    """
    with past as materialized (
        select o.schedule_id, o.due_at from schedule s cross join lateral (
            select schedule_id, due_at from occurrence
            where schedule_id = s.id and due_at < statement_timestamp() - make_interval(days => :days)
                  and (s.next_at is null or due_at < s.next_at)
            order by due_at limit :limit for update skip locked
        ) o limit :limit
    ), gone as (
        delete from occurrence o using past where (o.schedule_id, o.due_at) = (past.schedule_id, past.due_at)
    )
    select count(*) from past
    """
)


def fire_due(connection: Connection, *, limit: int | None = 1000) -> int:
    """Turn due occurrences into runs, in the caller's transaction; a rollback leaves everything due.

    A schedule of which this cannot be done is held: it says why, is tried again after ``HELD_FOR`` and stops no other.

    Args:
        limit: Schedules taken at most; None takes all.

    Returns:
        How many runs were made.
    """
    schedules, now = _due_schedules(connection, limit)
    if not schedules:
        return 0
    decisions = _fire(connection, schedules, now, occurrences.taken(connection, schedules))
    faults.point("schedule.inserted")
    connection.execute(
        _ADVANCE,
        {
            "ids": [decision.schedule.id for decision in decisions],
            "next_at": [decision.next_at for decision in decisions],
            "last_at": [decision.last_at for decision in decisions],
        },
    )
    return sum(len(decision.fired) for decision in decisions)


def due(connection: Connection) -> list[Decision]:
    """What would be fired and left out now; the schedules stay locked until the transaction ends."""
    schedules, now = _due_schedules(connection, None)
    taken = occurrences.taken(connection, schedules)
    return [decide(one, now, taken=taken[one.id]) for one in schedules]


def _due_schedules(connection: Connection, limit: int | None) -> tuple[list[Schedule], datetime]:
    rows = connection.execute(_DUE, {"limit": limit}).mappings().all()
    schedules = [Schedule(**{name: value for name, value in row.items() if name != "now"}) for row in rows]
    return schedules, rows[0]["now"] if rows else datetime.min.replace(tzinfo=UTC)


def _fire(
    connection: Connection, schedules: Sequence[Schedule], now: datetime, taken: Mapping[UUID, set[datetime]]
) -> list[Decision]:
    """Fire all of these at once; if that fails, halve them until only those are left out that fail alone."""
    try:
        with connection.begin_nested():
            return _make_runs(connection, [decide(one, now, taken=taken[one.id]) for one in schedules])
    except (OperationalError, InterfaceError):
        raise  # the database's fault and not a schedule's: all of it stays due
    except Exception as error:
        if len(schedules) == 1:
            _hold(connection, schedules[0], error)
            return []
    half = len(schedules) // 2
    return _fire(connection, schedules[:half], now, taken) + _fire(connection, schedules[half:], now, taken)


def _make_runs(connection: Connection, decisions: list[Decision]) -> list[Decision]:
    fired = [(decision.schedule, due_at) for decision in decisions for due_at in decision.fired]
    accepted = acceptance.accept(connection, [_draft(schedule, due_at) for schedule, due_at in fired], published=False)
    made = [
        Decided(schedule.id, due_at, Outcome.FIRED, run.id)
        for (schedule, due_at), run in zip(fired, accepted, strict=True)
    ]
    left_out = [
        Decided(decision.schedule.id, due_at, Outcome.SKIPPED) for decision in decisions for due_at in decision.skipped
    ]
    occurrences.record(connection, made + left_out)
    return decisions


def _draft(schedule: Schedule, due_at: datetime) -> Draft:
    return Draft(
        id=ids.run_id_of_occurrence(schedule.id, due_at),
        organization_id=schedule.organization_id,
        idempotency_key=ids.occurrence_key(schedule.id, due_at.astimezone(UTC)),
        run_at=schedule.run_at(due_at),
        **schedule.template,
    )


def forget_past(connection: Connection, *, days: int, limit: int = 1000) -> int:
    """Remove occurrences that were due more than ``days`` days ago (0 keeps them); how many there were."""
    if days == 0:
        return 0
    count: int = connection.execute(_FORGET, {"days": days, "limit": limit}).scalar_one()
    return count


def _hold(connection: Connection, schedule: Schedule, error: Exception) -> None:
    reason = _reason(error)
    connection.execute(_HOLD, {"id": schedule.id, "error": reason, "held_for": HELD_FOR})
    if reason != schedule.error:
        log.warning(
            "schedule_held", organization_id=schedule.organization_id, schedule_id=str(schedule.id), reason=reason
        )


def _reason(error: Exception) -> str:
    """What a person is told; of what was not expected only its kind, for the text may hold values of the run."""
    if isinstance(error, IntegrityError) and isinstance(error.orig, psycopg.errors.ForeignKeyViolation):
        return "its connection is gone; add one and make the schedule anew"
    if isinstance(error, NeonhubError):
        return str(error)
    return f"unexpected {type(error).__name__}; make the schedule anew"
