"""What comes next of a schedule, what has come, and what does a person leave out?"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from neonhub_worker.db.engine import transaction
from neonhub_worker.errors import FieldError, InvalidInput
from neonhub_worker.schedules import occurrences, rows, rules
from neonhub_worker.schedules.occurrences import Decided, Outcome
from neonhub_worker.schedules.schedule import Schedule

MOST = 1000
"""Occurrences that are listed at once."""


@dataclass(frozen=True)
class Upcoming:
    """An occurrence that is ahead; instants in the schedule's zone.

    Attributes:
        run_at: When its run begins: ``due_at``, moved by the schedule's jitter.
        cancelled: It makes no run.
    """

    due_at: datetime
    run_at: datetime
    cancelled: bool


@dataclass(frozen=True)
class Past:
    """An occurrence that has come; ``due_at`` in the schedule's zone.

    Attributes:
        run_id: The run it made, if it fired.
        run_state: That run's state; None if the run is no longer kept.
    """

    due_at: datetime
    outcome: Outcome
    run_id: uuid.UUID | None
    run_state: str | None


_NOW = text("select clock_timestamp()")

_PAST = text(
    """
    select o.due_at, o.outcome, o.run_id, r.state as run_state
    from occurrence o left join run r on r.id = o.run_id
    where o.schedule_id = :id and (o.due_at <= clock_timestamp() or o.outcome <> 'cancelled')
    order by o.due_at desc limit :count
    """
)

_WAIT_FOR = text("update schedule set next_at = :next_at where id = :id")

_UNDO = text(
    """
    delete from occurrence
    where schedule_id = :id and due_at = :due_at and outcome = 'cancelled' and due_at > clock_timestamp()
    """
)


def next_occurrences(
    organization_id: str, name: str, *, count: int = 10, connection: Connection | None = None
) -> list[Upcoming]:
    """The next occurrences of a schedule, cancelled ones among them; also of one that is paused.

    Args:
        count: How many at most, 1 to 1000.

    Raises:
        UnknownSchedule: The organization has none of this name.
        InvalidInput: ``count`` is out of range, or the schedule's zone is not known here any more.
    """
    _check_count(count)
    with transaction(connection) as opened:
        schedule = rows.get(organization_id, name, connection=opened)
        moment: datetime = opened.execute(_NOW).scalar_one()
        cancelled = occurrences.taken(opened, [schedule], since=moment)[schedule.id]
    found: list[Upcoming] = []
    due_at = schedule.after(moment)
    while due_at is not None and len(found) < count:
        found.append(Upcoming(_local(schedule, due_at), _local(schedule, schedule.run_at(due_at)), due_at in cancelled))
        due_at = schedule.after(due_at)
    return found


def past_occurrences(
    organization_id: str, name: str, *, count: int = 20, connection: Connection | None = None
) -> list[Past]:
    """What became of a schedule's latest occurrences, the newest first.

    Args:
        count: How many at most, 1 to 1000.

    Raises:
        UnknownSchedule: The organization has none of this name.
        InvalidInput: ``count`` is out of range.
    """
    _check_count(count)
    with transaction(connection) as opened:
        schedule = rows.get(organization_id, name, connection=opened)
        found = opened.execute(_PAST, {"id": schedule.id, "count": count}).all()
    return [Past(_local(schedule, row.due_at), Outcome(row.outcome), row.run_id, row.run_state) for row in found]


def cancel_occurrence(
    organization_id: str, name: str, due_at: datetime, *, connection: Connection | None = None
) -> None:
    """Leave out one occurrence that has not fired.

    Raises:
        UnknownSchedule: The organization has none of this name.
        InvalidInput: The schedule is not due at that instant, or what becomes of it is decided already.
    """
    with transaction(connection) as opened:
        schedule = _about(opened, organization_id, name, due_at)
        taken = occurrences.taken(opened, [schedule], since=due_at)[schedule.id]
        if due_at in taken:
            raise _refused(f"{due_at.isoformat()} has fired, or is left out already")
        # What it waits for stands, even if the rules of its zone have changed since.
        waits = schedule.next_at is None or due_at <= schedule.next_at
        closest = schedule.next_at if waits else schedule.after(due_at - timedelta(microseconds=1))
        if closest != due_at:
            raise _refused(_not_due(schedule, due_at, closest))
        occurrences.record(opened, [Decided(schedule.id, due_at, Outcome.CANCELLED)])
        if due_at == schedule.next_at:
            next_at = schedule.after(due_at, without=taken)
            opened.execute(_WAIT_FOR, {"id": schedule.id, "next_at": next_at})


def restore_occurrence(
    organization_id: str, name: str, due_at: datetime, *, connection: Connection | None = None
) -> None:
    """Let an occurrence that was cancelled come after all, while it is ahead.

    Raises:
        UnknownSchedule: The organization has none of this name.
        InvalidInput: It is not cancelled, or it has passed.
    """
    with transaction(connection) as opened:
        schedule = _about(opened, organization_id, name, due_at)
        if opened.execute(_UNDO, {"id": schedule.id, "due_at": due_at}).rowcount == 0:
            raise _refused(f"{due_at.isoformat()} is not cancelled, or has passed")
        next_at = due_at if schedule.next_at is None else min(schedule.next_at, due_at)
        opened.execute(_WAIT_FOR, {"id": schedule.id, "next_at": next_at})


def _about(connection: Connection, organization_id: str, name: str, due_at: datetime) -> Schedule:
    """The schedule, locked: beats wait, or skip it, until this is decided."""
    if due_at.tzinfo is None:
        raise _refused("needs a zone or an offset")
    return rows.get(organization_id, name, lock=True, connection=connection)


def _not_due(schedule: Schedule, due_at: datetime, closest: datetime | None) -> str:
    following = "" if closest is None else f"; the next one after that is {_local(schedule, closest).isoformat()}"
    return f"{schedule.name!r} is not due at {due_at.isoformat()}{following}"


def _check_count(count: int) -> None:
    if not 1 <= count <= MOST:
        raise InvalidInput([FieldError("count", f"must be between 1 and {MOST}")])


def _local(schedule: Schedule, moment: datetime) -> datetime:
    return moment.astimezone(rules.zone_named(schedule.timezone))


def _refused(rule: str) -> InvalidInput:
    return InvalidInput([FieldError("due_at", rule)])
