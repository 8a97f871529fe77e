"""What becomes of the runs of a worker that died?"""

from __future__ import annotations

import uuid
from collections.abc import Collection

from sqlalchemy import Connection, text

from neonhub_worker.ledger.acceptance import DUE_CHANNEL
from neonhub_worker.ledger.states import IN_DOUBT, PERHAPS_DONE, RunState

MAX_CRASHES = 3
"""Workers that may die under one run in a row before it is taken for the cause: an attempt that ends clears it.

One that somebody saw being killed from outside does not count.
"""


# A rescued run keeps its place in its lane: it was being worked on and goes before what has not begun.
_RESCUE = text(
    """
    with gone as (
        select r.id, r.worker, not coalesce(r.worker = any(cast(:killed as text[])), false) as blamed,
               exists (select 1 from step s where s.run_id = r.id and s.effect
                       and s.state = any(:perhaps_done)) as perhaps_done
        from run r
        where r.state = 'running' and (r.lease_until < clock_timestamp() or r.worker = any(cast(:dead as text[])))
        order by r.lease_until
        limit :limit
        for update of r skip locked
    ), ends as (
        select gone.*, gone.blamed and r.crashes + 1 >= :max_crashes as hopeless from gone join run r on r.id = gone.id
    ), moved as (
        update run r
        set state = case when not ends.hopeless then 'queued' when ends.perhaps_done then 'parked' else 'failed' end,
            lease_until = null, worker = null, published_at = null,
            crashes = r.crashes + ends.blamed::int, attempts = r.attempts - 1,
            error = case when ends.hopeless then jsonb_build_object(
                'class', 'WorkerLost', 'code', null, 'message',
                'its worker died ' || r.crashes + 1 || ' times in a row; see the worker log before retrying it') end,
            finished_at = case when ends.hopeless and not ends.perhaps_done then clock_timestamp() end
        from ends where r.id = ends.id
        returning r.id, r.state, r.fence, r.organization_id
    ), steps as (
        update step s
        set state = case when moved.state = 'parked' then 'parked' else s.state end,
            sent_by = least(s.sent_by, clock_timestamp())
        from moved where s.run_id = moved.id and s.effect and s.state = any(:in_doubt)
    ), logged as (
        insert into run_event (run_id, at, move, state, fence, worker, detail)
        select moved.id, clock_timestamp(),
               case moved.state when 'queued' then 'rescue' when 'parked' then 'rescue_park' else 'rescue_fail' end,
               moved.state, moved.fence, ends.worker, jsonb_build_object('lease_of', ends.worker)
        from moved join ends on ends.id = moved.id
    ), unprobed as (
        update gate g set probe = null, closed_until = clock_timestamp() from moved where g.probe = moved.id
    )
    select id, state from moved
    """
)


def rescue(
    connection: Connection, *, dead: Collection[str] = (), killed: Collection[str] = (), limit: int = 500
) -> list[uuid.UUID]:
    """Take over runs whose lease ran out or whose worker is dead; those that kept killing workers end here.

    Any number of processes may do this at once.

    Args:
        dead: Unique ids of workers that certainly do not run any more. Only who has seen the process end may say so.
        killed: Those among them that somebody else killed: no run is blamed for it.

    Returns:
        The ids of the runs that are due again.
    """
    values = {
        "dead": list(dead),
        "killed": list(killed),
        "max_crashes": MAX_CRASHES,
        "limit": limit,
        "in_doubt": [str(state) for state in IN_DOUBT],
        "perhaps_done": [str(state) for state in PERHAPS_DONE],
    }
    rows = connection.execute(_RESCUE, values)
    return [row.id for row in rows if row.state == RunState.QUEUED]


# A worker takes messages before it claims their runs; those of a dead one are gone, and nobody knows which they were.
_WAKE_AGAIN = text("update run set published_at = null where state = 'queued' and published_at is not null")


def release(connection: Connection, dead: Collection[str], *, killed: Collection[str] = ()) -> None:
    """Take over all that dead workers held or may have taken, instead of waiting for their leases to run out.

    What was published and not claimed is published again: at most a window's worth, and a message too many is harmless.
    The arguments are those of ``rescue``.
    """
    rescue(connection, dead=dead, killed=killed)
    connection.execute(_WAKE_AGAIN)
    connection.execute(text(f"notify {DUE_CHANNEL}"))
