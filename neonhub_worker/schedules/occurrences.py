"""Which instants of a schedule are decided? One row each: what is decided is not decided again."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, text

from neonhub_worker.schedules.schedule import Schedule


class Outcome(StrEnum):
    """What became of an occurrence: it made a run, the misfire policy left it out, or a person cancelled it."""

    FIRED = "fired"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Decided:
    """One row to be."""

    schedule_id: uuid.UUID
    due_at: datetime
    outcome: Outcome
    run_id: uuid.UUID | None = None


_TAKEN = text(
    """
    select o.schedule_id, o.due_at from occurrence o
    join unnest(cast(:ids as uuid[]), cast(:since as timestamptz[])) as s(id, since)
         on o.schedule_id = s.id and o.due_at >= s.since
    """
)

_RECORD = text(
    """
    insert into occurrence (schedule_id, due_at, outcome, run_id)
    select * from unnest(cast(:schedule_ids as uuid[]), cast(:due_at as timestamptz[]), cast(:outcomes as text[]),
                         cast(:run_ids as uuid[]))
    on conflict do nothing
    """
)


def taken(
    connection: Connection, schedules: Sequence[Schedule], *, since: datetime | None = None
) -> dict[uuid.UUID, set[datetime]]:
    """The instants of each schedule that are decided already.

    Args:
        schedules: Locked by the caller if it goes on to decide.
        since: From which instant on; from each schedule's ``next_at`` if left out.
    """
    found: dict[uuid.UUID, set[datetime]] = {schedule.id: set() for schedule in schedules}
    values = {"ids": list(found), "since": [since or schedule.next_at for schedule in schedules]}
    for row in connection.execute(_TAKEN, values):
        found[row.schedule_id].add(row.due_at)
    return found


def record(connection: Connection, decided: Sequence[Decided]) -> None:
    """Put decisions on record; the first one about an instant stands."""
    connection.execute(
        _RECORD,
        {
            "schedule_ids": [one.schedule_id for one in decided],
            "due_at": [one.due_at for one in decided],
            "outcomes": [str(one.outcome) for one in decided],
            "run_ids": [one.run_id for one in decided],
        },
    )
