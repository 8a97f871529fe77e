"""Which runs are due and not yet on their way, and who is next?

The backlog stands in Postgres, in lanes: the waiting runs of one organization, connection and action at one priority.
A tick looks at each lane once, shares the room on the broker out among organizations, and takes from each lane's head.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from neonhub_worker.dispatch import gates
from neonhub_worker.dispatch.fairness import Lane, crowds, share
from neonhub_worker.dispatch.permits import AHEAD_S, SPARE_S
from neonhub_worker.dispatch.publish import Due
from neonhub_worker.ledger.acceptance import NO_CONNECTION, WINDOW

# Who has begun keeps its place among those accepted since: somebody may wait to hear what became of it.
_RIPEN = text(
    """
    with timers as (
        select id from run
        where state in ('scheduled', 'retrying', 'waiting') and run_at <= statement_timestamp()
        order by run_at limit :limit for update skip locked
    ), lost as (
        select id from run
        where state = 'queued' and published_at < statement_timestamp() - make_interval(secs => :redispatch_s)
        limit :limit for update skip locked
    )
    update run set state = 'queued', published_at = null,
                   run_at = case when fence > 0 then least(run_at, created_at) else run_at end
    where id in (select id from timers union all select id from lost)
    """
)

# Each round of the recursion jumps to the next lane by one look into the index, however long the lanes are. Of each
# lane one run more is read than there is room for on the broker: then it is known that some are left.
_LANES = text(
    f"""
    with recursive lane as (
        (select queue, organization_id, coalesce(connection_id, '{NO_CONNECTION}') as connection_id, name, priority
         from run where state = 'queued' and published_at is null
         order by queue, organization_id, coalesce(connection_id, '{NO_CONNECTION}'), name, priority limit 1)
        union all
        select next.* from lane l cross join lateral (
            select queue, organization_id, coalesce(connection_id, '{NO_CONNECTION}'), name, priority
            from run where state = 'queued' and published_at is null
                  and (queue, organization_id, coalesce(connection_id, '{NO_CONNECTION}'), name, priority)
                      > (l.queue, l.organization_id, l.connection_id, l.name, l.priority)
            order by queue, organization_id, coalesce(connection_id, '{NO_CONNECTION}'), name, priority limit 1
        ) next
    )
    select l.*, head.since, head.ready,
           least(pace.room, gate.room, case when c.state = 'reauthorize' then 0 end) as room,
           greatest(pace.opens_s, gate.opens_s) as opens_s
    from lane l
    left join connection c on c.id = l.connection_id
    left join (
        select queue, count(*) as runs from run where state = 'queued' and published_at is not null group by queue
    ) broker on broker.queue = l.queue
    cross join lateral (
        select min(first.run_at) as since, count(*) as ready,
               coalesce((array_agg(first.limits order by first.run_at, first.id))[1], 'null') as limits
        from (select run_at, id, limits from run r
              where r.state = 'queued' and r.published_at is null and r.queue = l.queue
                    and r.organization_id = l.organization_id
                    and coalesce(r.connection_id, '{NO_CONNECTION}') = l.connection_id
                    and r.name = l.name and r.priority = l.priority
              order by r.run_at, r.id limit greatest(:window - coalesce(broker.runs, 0), 0) + 1) first
    ) head
    left join lateral (
        select min(room) as room, max(case when room <= 0 then opens_s end) as opens_s
        from jsonb_to_recordset(case when head.limits = 'null' then '[]' else head.limits || c.limits end)
             as lim(of text, count int, per_s float8)
        cross join lateral (
            select lim.count - count(*) as room,
                   extract(epoch from min(used.used_at) - statement_timestamp()) + lim.per_s - :early_s as opens_s
            from (select used_at from permit p
                  where p.connection_id = l.connection_id and (lim.of = 'connection' or p.action = l.name)
                        and p.used_at > statement_timestamp() + make_interval(secs => :early_s - lim.per_s)
                  order by used_at desc limit lim.count) used
        ) left_over
        where lim.of <> 'target'
    ) pace on true
    left join lateral (
        select case when bool_or(g.closed_until > statement_timestamp()) then 0
                    when bool_or(g.failures >= :failures) then 1 end as room,
               extract(epoch from max(g.closed_until) - statement_timestamp()) as opens_s
        from gate g where g.connection_id = l.connection_id
             and g.scope in ('circuit', 'connection', 'action:' || l.name)
             and (g.closed_until > statement_timestamp() or g.failures >= :failures)
    ) gate on true
    """  # noqa: S608 (constants)
)

_PUBLISHED = text(
    """
    select queue, organization_id, connection_id, count(*) as runs
    from run where state = 'queued' and published_at is not null group by 1, 2, 3
    """
)

_TAKE = text(
    f"""
    with picked as (
        select r.id
        from unnest(cast(:queue as text[]), cast(:organization_id as text[]), cast(:connection_id as uuid[]),
                    cast(:name as text[]), cast(:priority as int[]), cast(:count as int[]))
             as l(queue, organization_id, connection_id, name, priority, count)
        cross join lateral (
            select id from run
            where state = 'queued' and published_at is null and queue = l.queue
                  and organization_id = l.organization_id
                  and coalesce(connection_id, '{NO_CONNECTION}') = l.connection_id
                  and name = l.name and priority = l.priority
            order by run_at, id limit l.count for update skip locked
        ) r
    )
    update run r set published_at = statement_timestamp()
    from picked where r.id = picked.id
    returning r.id, r.queue, r.organization_id, r.name, r.connection_id
    """  # noqa: S608 (constants)
)

_NEXT = text(
    """
    select extract(epoch from min(run_at) - statement_timestamp()) from run
    where state in ('scheduled', 'retrying', 'waiting')
    """
)

_UNPUBLISH = text("update run set published_at = null where id = any(:ids) and state = 'queued'")


@dataclass(frozen=True)
class Taken:
    """What a tick found.

    Attributes:
        due: To be published now.
        more: Runs wait for room on the broker, which workers make at any moment.
        opens_s: Seconds until a lane that waits for its limits may go on; None if none does.
    """

    due: list[Due]
    more: bool
    opens_s: float | None


def ripen(connection: Connection, *, redispatch_s: float, limit: int = 1000) -> None:
    """Put runs whose time has come into their lanes, and those whose message was lost back into them."""
    connection.execute(_RIPEN, {"redispatch_s": redispatch_s, "limit": limit})


def take(connection: Connection) -> Taken:
    """Mark due runs as published and return them.

    The caller publishes them and then commits: a crash in between publishes twice, which is harmless, instead of
    never. ``ripen`` brings back runs whose message was lost.
    """
    values = {"window": WINDOW, "early_s": AHEAD_S - SPARE_S, "failures": gates.FAILURES}
    rows = connection.execute(_LANES, values).all()
    if not rows:
        return Taken([], more=False, opens_s=None)
    published = connection.execute(_PUBLISHED).all()
    lanes = [_lane(row) for row in rows]
    on_broker = [(one.queue, one.organization_id, one.connection_id, one.runs) for one in published]
    counts = share(lanes, on_broker)
    shut = [row.room is not None and row.room <= 0 for row in rows]
    wanted = [(lane, count) for lane, count in zip(lanes, counts, strict=True) if count > 0]
    return Taken(
        _take(connection, wanted, crowds(wanted, on_broker)),
        more=any(not s and count < lane.ready for s, lane, count in zip(shut, lanes, counts, strict=True)),
        opens_s=min((float(row.opens_s) for row, s in zip(rows, shut, strict=True) if s and row.opens_s), default=None),
    )


def _lane(row: Any) -> Lane:
    return Lane(
        row.queue, row.organization_id, row.connection_id, row.name, row.priority, row.since, row.ready, row.room
    )


def _take(
    connection: Connection, wanted: Sequence[tuple[Lane, int]], crowded: Collection[tuple[str, str]]
) -> list[Due]:
    if not wanted:
        return []
    fields = ("queue", "organization_id", "connection_id", "name", "priority")
    values = {field: [getattr(lane, field) for lane, _ in wanted] for field in fields}
    rows = connection.execute(_TAKE, {**values, "count": [count for _, count in wanted]})
    paced = {lane.connection_id for lane, _ in wanted if lane.room is not None}
    return [
        Due(
            row.id,
            row.queue,
            row.name,
            row.connection_id,
            paced=row.connection_id in paced,
            crowd=(row.queue, row.organization_id) in crowded,
        )
        for row in rows
    ]


def seconds_to_next(connection: Connection) -> float | None:
    """Seconds until the next run that waits for a time becomes due; None if none does."""
    value = connection.execute(_NEXT).scalar()
    return None if value is None else float(value)


def unpublish(connection: Connection, run_ids: Sequence[uuid.UUID]) -> None:
    """Take back the mark of runs whose messages could not be sent: the dispatcher sends them at its next tick."""
    connection.execute(_UNPUBLISH, {"ids": list(run_ids)})
