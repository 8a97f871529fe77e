"""Which instants became runs? Every occurrence makes at most one, however many schedulers fire at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from neonhub_worker import faults, ids
from neonhub_worker.ledger import runs
from neonhub_worker.ledger.runs import Draft
from neonhub_worker.schedules import rules
from neonhub_worker.schedules.rows import COLUMNS, Schedule

MISSED_AFTER = timedelta(seconds=60)
"""An occurrence that is later than this was missed: its schedule's misfire policy decides about it."""

_DUE = text(
    f"""
    select {COLUMNS}, clock_timestamp() as now from schedule
    where next_at <= clock_timestamp() and not paused
    order by next_at limit :limit for update skip locked
    """  # noqa: S608 (a constant)
)

_OCCURRENCES = text(
    """
    insert into occurrence (schedule_id, due_at, outcome, run_id)
    select * from unnest(cast(:schedule_ids as uuid[]), cast(:due_at as timestamptz[]), cast(:outcomes as text[]),
                         cast(:run_ids as uuid[]))
    on conflict do nothing
    returning schedule_id, due_at, outcome
    """
)

_ADVANCE = text(
    """
    update schedule s set next_at = a.next_at, last_at = a.last_at
    from unnest(cast(:ids as uuid[]), cast(:next_at as timestamptz[]), cast(:last_at as timestamptz[]))
         as a(id, next_at, last_at)
    where s.id = a.id
    """
)


@dataclass(frozen=True)
class Occurrence:
    """One due instant and what becomes of it: ``fired`` or ``skipped``."""

    schedule: Schedule
    due_at: datetime
    outcome: str


def fire_due(connection: Connection, *, limit: int | None = 100) -> int:
    """Turn due occurrences into runs, in the caller's transaction; a rollback leaves everything due.

    Args:
        limit: Schedules taken at most; None takes all.

    Returns:
        How many runs were made.
    """
    schedules = _due_schedules(connection, limit)
    if not schedules:
        return 0
    occurrences = [one for schedule, now in schedules for one in _due(schedule, now)]
    drafts = {(one.schedule.id, one.due_at): _draft(one) for one in occurrences if one.outcome == "fired"}
    recorded = connection.execute(
        _OCCURRENCES,
        {
            "schedule_ids": [one.schedule.id for one in occurrences],
            "due_at": [one.due_at for one in occurrences],
            "outcomes": [one.outcome for one in occurrences],
            "run_ids": [
                draft.id if (draft := drafts.get((one.schedule.id, one.due_at))) else None for one in occurrences
            ],
        },
    ).all()
    wanted = [drafts[row.schedule_id, row.due_at] for row in recorded if row.outcome == "fired"]
    runs.accept(connection, wanted, published=False)
    faults.point("schedule.inserted")
    connection.execute(
        _ADVANCE,
        {
            "ids": [schedule.id for schedule, _ in schedules],
            "next_at": [_next(schedule, now) for schedule, now in schedules],
            "last_at": [
                max(one.due_at for one in occurrences if one.schedule is schedule) for schedule, _ in schedules
            ],
        },
    )
    return len(wanted)


def due(connection: Connection) -> list[Occurrence]:
    """The occurrences that would fire or be skipped now; their schedules stay locked until the transaction ends."""
    return [one for schedule, now in _due_schedules(connection, None) for one in _due(schedule, now)]


def _due_schedules(connection: Connection, limit: int | None) -> list[tuple[Schedule, datetime]]:
    rows = connection.execute(_DUE, {"limit": limit}).mappings()
    return [(Schedule(**{k: v for k, v in row.items() if k != "now"}), row["now"]) for row in rows]


def _due(schedule: Schedule, now: datetime) -> list[Occurrence]:
    """The occurrences from ``next_at`` until now, with what the misfire policy makes of those that were missed."""
    instants = _instants(schedule, now)
    missed = [instant for instant in instants if instant < now - MISSED_AFTER]
    fired = instants[len(missed) :]
    if schedule.misfire == "fire_once" and missed and not fired:
        fired = missed[-1:]
    if schedule.misfire == "catch_up":
        fired = (missed + fired)[-schedule.catch_up_limit :]
    return [Occurrence(schedule, instant, "fired" if instant in fired else "skipped") for instant in instants]


def _instants(schedule: Schedule, now: datetime) -> list[datetime]:
    """Due instants, oldest first; of a long downtime only the newest thousand, which no limit exceeds."""
    assert schedule.next_at is not None
    instants = [schedule.next_at]
    while (due := schedule.after(instants[-1])) is not None and due <= now:
        instants.append(due)
        if len(instants) > 1000:
            del instants[0]
    return instants


def _next(schedule: Schedule, now: datetime) -> datetime | None:
    return None if schedule.rule == "once" else schedule.after(now)


def _draft(one: Occurrence) -> Draft:
    delay = rules.jitter(one.schedule.id, one.due_at, one.schedule.jitter_s)
    return Draft(
        id=ids.run_id_of_occurrence(one.schedule.id, one.due_at),
        organization_id=one.schedule.organization_id,
        idempotency_key=ids.occurrence_key(one.schedule.id, one.due_at),
        run_at=one.due_at + delay,
        **one.schedule.template,
    )
