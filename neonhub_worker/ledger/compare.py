"""What must be found out before a restored ledger may send again? Of every unfinished run, whether it was done since.

Each effect that the ledger takes for not sent is put in doubt, from the time of the backup on. The repeat policy of its
action then settles it like any other effect in doubt: before anything is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from neonhub_worker.ledger import guard
from neonhub_worker.ledger.acceptance import DUE_CHANNEL
from neonhub_worker.ledger.guard import Engaged
from neonhub_worker.ledger.states import sources
from neonhub_worker.ledger.steps import ANY

_FENCE_GAP = 1000
"""More attempts than a run had since the backup: a worker from before the restore holds none of the new ones."""


# What was scheduled for a time that is still to come cannot have been sent; the margin is for clocks of two servers.
_PERHAPS_DONE = "(state <> 'scheduled' or run_at <= clock_timestamp() + interval '10 minutes')"


@dataclass(frozen=True)
class Unfinished:
    """Runs of one action that the ledger takes for unfinished.

    Attributes:
        perhaps_done: May have been done since the backup.
        later: Scheduled for a time that is still to come.
    """

    name: str
    perhaps_done: int
    later: int


_COUNT = text(
    f"""
    select name, count(*) filter (where {_PERHAPS_DONE}) as perhaps_done,
           count(*) filter (where not {_PERHAPS_DONE}) as later
    from run where state = any(:sources) group by name order by name
    """  # noqa: S608 (constants)
)


def unfinished(connection: Connection) -> list[Unfinished]:
    """The runs that the ledger takes for unfinished, by action."""
    return [Unfinished(*row) for row in connection.execute(_COUNT, {"sources": sources("compare")})]


# What is of several steps records its effects under names that only its action knows: one stands for them all. So it
# does for a run whose effect was never begun, until the claim gives it its name: two that look alike take turns.
_COMPARE = text(
    f"""
    with moved as (
        update run r
        set state = case when state = 'running' or run_at <= clock_timestamp() then 'queued' else state end,
            fence = fence + {_FENCE_GAP}, published_at = null, lease_until = null, worker = null
        where state = any(:sources) and {_PERHAPS_DONE}
        returning r.id, r.state, r.fence, r.effect, r.connection_id, r.name = any(:multi_step) as multi_step
    ), doubted as (
        update step s
        set state = 'unknown', sent_by = clock_timestamp() + make_interval(secs => :lease_s),
            first_sent_at = case when s.state in ('sending', 'unknown') then least(s.first_sent_at, :backup_at)
                                 else :backup_at end
        from moved
        where s.run_id = moved.id and s.effect and s.state in ('planned', 'sending', 'unknown')
    ), added as (
        insert into step (run_id, name, effect, state, connection_id, first_sent_at, sent_by, fence)
        select id, '{ANY}', true, 'unknown', connection_id, :backup_at,
               clock_timestamp() + make_interval(secs => :lease_s), fence
        from moved
        where multi_step or effect is not null and not exists (select 1 from step s where s.run_id = moved.id
                                                               and s.name = moved.effect)
        on conflict (run_id, name) do update
        set state = 'unknown', first_sent_at = least(step.first_sent_at, excluded.first_sent_at),
            sent_by = excluded.sent_by, fence = excluded.fence
    ), logged as (
        insert into run_event (run_id, at, move, state, fence, detail)
        select id, clock_timestamp(), 'compare', state, fence,
               jsonb_build_object('reason', 'restored: compared before sending', 'backup_at', cast(:shown_at as text))
        from moved
    )
    select count(*) from moved
    """  # noqa: S608 (constants)
)


def lock(connection: Connection) -> None:
    """Wait until nobody holds a run or a schedule, and let nobody until the transaction ends; reading goes on.

    Who claims looks at the guard and at the steps in one statement: none may have looked and wait for a run's lock.
    """
    connection.execute(text("lock table schedule, run in exclusive mode"))


def doubt(connection: Connection, engaged: Engaged, *, multi_step: Sequence[str], lease_s: float) -> int:
    """Put what every unfinished run may have done in doubt, and release the guard; under ``lock``.

    Args:
        multi_step: Names of the actions that record their own effects.
        lease_s: Seconds for which a worker from before the restore may still believe in its lease, and send.

    Returns:
        How many runs there are.
    """
    values = {
        "sources": sources("compare"),
        "multi_step": list(multi_step),
        "backup_at": engaged.backup_at,
        "shown_at": _shown(engaged.backup_at),
        "lease_s": lease_s,
    }
    count: int = connection.execute(_COMPARE, values).scalar_one()
    guard.note_gap(connection, lease_s=lease_s)
    guard.release(connection)
    connection.execute(text(f"notify {DUE_CHANNEL}"))
    return count


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
