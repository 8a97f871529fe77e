"""How long is a finished run kept? Old ones are removed with their steps and events, a few at a time.

A run is known by its idempotency key and task id as long as it is kept, and not longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from neonhub_worker.ledger.states import FINAL

BATCH = 200
"""Runs removed in one transaction at most."""

# Organizations looked at in one transaction at most.
_ORGANIZATIONS = 20

_FINAL = [str(state) for state in FINAL]

# Forced into a loop: one look into run_by_organization for each organization, until one has something that is old.
_NEXT_ORGANIZATION = text(
    """
    select o.id, old.since from organization o cross join lateral (
        select r.created_at as since from run r
        where r.organization_id = o.id and r.created_at < statement_timestamp() - make_interval(days => :days)
        order by r.created_at limit 1
    ) old
    where o.id > :after order by o.id limit 1
    """
)

# A read-back must not take what an earlier run did for its own effect (``steps.taken``), so what ended since a day
# before the oldest send that is in doubt at a connection stays. A child stays as long as its parent: it is how an agent
# that goes on, or is retried, knows what it has done.
_PRUNE = text(
    """
    with doubt as materialized (
        select s.connection_id, min(s.first_sent_at) - interval '1 day' as since from step s
        where s.alike is not null and s.state in ('sending', 'unknown') group by s.connection_id
    ), old as materialized (
        select r.id, r.created_at from run r
        where r.organization_id = :organization_id and r.created_at >= :since
              and r.created_at < clock_timestamp() - make_interval(days => :days)
              and r.state = any(:final) and r.finished_at < clock_timestamp() - make_interval(days => :days)
              and not exists (select 1 from doubt d
                              where d.connection_id = r.connection_id and r.finished_at >= d.since)
              and (r.parent_id is null or not exists (
                  select 1 from run p where p.id = r.parent_id
                  and not (p.state = any(:final) and p.finished_at < clock_timestamp() - make_interval(days => :days))))
        order by r.created_at limit :limit
        for update of r skip locked
    ), gone as (
        delete from run r using old where r.id = old.id
    )
    select count(*) as removed, max(created_at) as until from old
    """
)


@dataclass(frozen=True)
class Mark:
    """How far a sweep over the runs has come.

    Without it each batch would pass over what earlier ones left, and over the index entries of what they removed.

    Attributes:
        since: Older runs of the organization were looked at; None if all were.
    """

    organization_id: str
    since: datetime | None = None


def prune(
    connection: Connection, *, days: int, mark: Mark | None = None, limit: int = BATCH
) -> tuple[int, Mark | None]:
    """Remove some of the runs that ended more than ``days`` days ago. Any number of processes may do so at once.

    What is unfinished or parked is never removed, whatever its age.

    Args:
        days: At least 2: limits and read-backs look back one day. 0 keeps every run.
        mark: Where the call before ended.

    Returns:
        How many were removed, and where to go on; None if the sweep has come to its end.
    """
    count = 0
    for _ in range(_ORGANIZATIONS if days else 0):
        mark = _begin(connection, mark, days)
        if mark is None:
            return count, None
        values = {"organization_id": mark.organization_id, "since": mark.since, "days": days, "final": _FINAL}
        batch = connection.execute(_PRUNE, {**values, "limit": limit - count}).one()
        count += batch.removed
        if count >= limit:
            return count, Mark(mark.organization_id, batch.until)
        mark = Mark(mark.organization_id)
    return count, mark


def _begin(connection: Connection, mark: Mark | None, days: int) -> Mark | None:
    """The mark itself if there may be more at its organization, else the next organization that has something old."""
    if mark is not None and mark.since is not None:
        return mark
    after = "" if mark is None else mark.organization_id
    row = connection.execute(_NEXT_ORGANIZATION, {"after": after, "days": days}).first()
    return None if row is None else Mark(row.id, row.since)
