"""Who may work on a run now, and how does an attempt end? Only the database's clock decides."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from neonhub_worker.db import jsonb
from neonhub_worker.ledger import guard
from neonhub_worker.ledger.acceptance import DUE_CHANNEL
from neonhub_worker.ledger.states import FINAL, IN_DOUBT, MOVES, PERHAPS_DONE, EffectState, RunState, sources
from neonhub_worker.ledger.steps import ANY, QUIET_S


@dataclass(frozen=True)
class Claimed:
    """A run that this worker holds, and what is known of its effect.

    Attributes:
        fence: The attempt's number: every write of this attempt is guarded by it.
        effect_before: State of the effect before this attempt; None if this is the first to plan it.
        first_sent_at: When the effect may first have left this side; None if it certainly never did.
        sent_by: Until when the latest earlier send may have left this side.
        now: The database's clock at the claim.
    """

    id: uuid.UUID
    organization_id: str
    name: str
    connection_id: uuid.UUID | None
    target: str | None
    input: dict[str, Any]
    fence: int
    attempts: int
    max_retries: int
    effect: str | None
    effect_before: EffectState | None
    first_sent_at: datetime | None
    sent_by: datetime | None
    opted_out: bool
    cancel_requested: bool
    expired: bool
    now: datetime


@dataclass(frozen=True)
class Outcome:
    """How one attempt ends.

    Attributes:
        move: A key of ``states.MOVES`` that starts at ``running``.
        effect: What is now known of the effect that the claim planned; None leaves it as it is.
        delay_s: Seconds until the run is due again, for the moves that put it off.
        error: ``{"class", "code", "message"}``; nothing personal.
        detail: What the timeline says besides.
        sent_s: Seconds after its permit was taken by which its request had arrived; None if certainly none left.
        healthy: The platform works, whatever it thinks of this run: an open circuit closes. If a probe ends without
            saying so, another may go.
    """

    id: uuid.UUID
    fence: int
    move: str
    effect: EffectState | None = None
    delay_s: float | None = None
    output: dict[str, Any] | None = None
    provider_id: str | None = None
    error: dict[str, Any] | None = None
    detail: dict[str, Any] | None = None
    sent_s: float | None = None
    healthy: bool = False


# Both rows are locked before they are believed: while this statement waited for a lock, another attempt may have sent
# the effect, and only a locked row is read as it is now instead of as it was when the statement began.
_CLAIM = text(
    f"""
    with due as (
        select r.id, r.effect, r.alike, r.connection_id, r.fence,
               exists (select 1 from opt_out o where o.organization_id = r.organization_id
                       and o.channel = r.channel and o.address = r.recipient) as opted_out
        from run r
        where r.id = any(cast(:ids as uuid[])) and r.state = any(:sources) and r.run_at <= clock_timestamp()
              and {guard.OPEN}
        order by r.id
        for update of r
    ), held as (
        select s.run_id, s.state, s.first_sent_at, s.sent_by
        from step s join due on due.id = s.run_id and due.effect = s.name
        for update of s
    ), doubted as (
        select s.run_id, s.first_sent_at, s.sent_by from step s join due on due.id = s.run_id
        where s.name = '{ANY}' and s.state = 'unknown'
    ), fresh as (
        insert into step (run_id, name, effect, state, connection_id, alike, first_sent_at, sent_by, fence)
        select due.id, due.effect, true, case when d.run_id is null then 'sending' else 'unknown' end,
               due.connection_id, due.alike, coalesce(d.first_sent_at, clock_timestamp()),
               coalesce(d.sent_by, clock_timestamp() + make_interval(secs => :lease_s - :quiet_s)), due.fence + 1
        from due left join doubted d on d.run_id = due.id
        where due.effect is not null and not exists (select 1 from held where held.run_id = due.id)
        order by due.id
        on conflict do nothing
        returning run_id
    ), named as (
        delete from step s using doubted, fresh
        where s.run_id = doubted.run_id and s.run_id = fresh.run_id and s.name = '{ANY}'
    ), moved as (
        update run r
        set state = 'running', fence = r.fence + 1, attempts = r.attempts + 1, worker = :worker,
            lease_until = clock_timestamp() + make_interval(secs => :lease_s)
        from due
        where r.id = due.id and (due.effect is null or due.id in (select run_id from fresh)
                                 or due.id in (select run_id from held))
        returning r.id, r.organization_id, r.name, r.connection_id, r.target, r.input, r.fence, r.attempts,
                  r.max_retries, r.effect, r.cancel_requested, due.opted_out,
                  coalesce(r.expires_at <= clock_timestamp(), false) as expired
    ), planned_again as (
        update step s
        set state = 'sending', fence = moved.fence, first_sent_at = clock_timestamp(),
            sent_by = clock_timestamp() + make_interval(secs => :lease_s - :quiet_s)
        from moved join held on held.run_id = moved.id
        where s.run_id = moved.id and s.name = moved.effect and s.state = 'planned'
    ), logged as (
        insert into run_event (run_id, at, move, state, fence, worker)
        select id, clock_timestamp(), 'claim', 'running', fence, :worker from moved
    )
    select moved.*, coalesce(held.state, case when d.run_id is not null then 'unknown' end) as effect_before,
           coalesce(held.first_sent_at, d.first_sent_at) as first_sent_at, coalesce(held.sent_by, d.sent_by) as sent_by,
           clock_timestamp() as now
    from moved left join held on held.run_id = moved.id
         left join doubted d on d.run_id = moved.id and moved.effect is not null
    """  # noqa: S608 (constants)
)


def claim(connection: Connection, run_ids: Sequence[uuid.UUID], *, worker: str, lease_s: float) -> list[Claimed]:
    """Take the leases of the due runs among ``run_ids``, count the attempts and write their effects ahead.

    One statement; it must be committed before anything is sent. A run that is not returned is over, not due, held by
    someone else, or waits for another run whose effect would look alike: its message can be dropped, the dispatcher
    publishes it again if it is still due.

    Args:
        worker: Who holds it, unique per process.
        lease_s: Seconds until the lease ends unless the attempt ends first.
    """
    values = {
        "ids": list(run_ids),
        "sources": sources("claim"),
        "worker": worker,
        "lease_s": lease_s,
        "quiet_s": QUIET_S,
    }
    rows = connection.execute(_CLAIM, {**values, **guard.known(connection)}).mappings()
    return sorted((_claimed(dict(row)) for row in rows), key=lambda one: one.id)


def _claimed(row: dict[str, Any]) -> Claimed:
    state = row["effect_before"]
    row["effect_before"] = None if state is None else EffectState(state)
    if row["effect_before"] not in IN_DOUBT:
        row["first_sent_at"] = row["sent_by"] = None
    return Claimed(**row)


_RENEW = text(
    """
    update run set lease_until = clock_timestamp() + make_interval(secs => :lease_s)
    where id = :id and fence = :fence and state = 'running' and lease_until > clock_timestamp()
    returning id
    """
)


def renew(connection: Connection, run_id: uuid.UUID, *, fence: int, lease_s: float) -> bool:
    """Let the lease of an attempt begin anew, for what takes longer than one: a transfer in many parts.

    Returns:
        False if it has run out or the run was taken over; nothing may be written or sent then.
    """
    return connection.execute(_RENEW, {"id": run_id, "fence": fence, "lease_s": lease_s}).first() is not None


_SETTLE = text(
    """
    with o as (
        select * from unnest(cast(:id as uuid[]), cast(:fence as int[]), cast(:move as text[]),
                             cast(:state as text[]), cast(:effect as text[]), cast(:delay_s as float8[]),
                             cast(:output as text[]), cast(:provider_id as text[]), cast(:error as text[]),
                             cast(:detail as text[]), cast(:burns as bool[]), cast(:sent_s as float8[]),
                             cast(:healthy as bool[]))
             as t(id, fence, move, state, effect, delay_s, output, provider_id, error, detail, burns, sent_s, healthy)
    ), moved as (
        update run r
        set state = case when r.cancel_requested and o.state in ('retrying', 'waiting', 'queued')
                              and case when r.effect is not null then o.effect = 'planned'
                                       else not exists (select 1 from step s where s.run_id = r.id and s.effect
                                                        and s.state = any(:perhaps_done)) end
                         then 'cancelled' else o.state end,
            run_at = case when o.delay_s is null then r.run_at
                          else clock_timestamp() + make_interval(secs => o.delay_s) end,
            lease_until = null, worker = null, published_at = null, crashes = 0,
            attempts = r.attempts - case when o.burns then 0 else 1 end,
            output = coalesce(o.output::jsonb, r.output), provider_id = coalesce(o.provider_id, r.provider_id),
            error = o.error::jsonb,
            finished_at = case when o.state = any(:final) then clock_timestamp() end
        from o
        where r.id = o.id and r.fence = o.fence and r.state = 'running'
        returning r.id, r.state, r.fence, r.effect, r.connection_id
    ), effects as (
        update step s
        set state = case when moved.state = 'cancelled' then 'refused' else o.effect end,
            provider_id = coalesce(o.provider_id, s.provider_id),
            sent_by = case when o.effect = 'unknown' and s.state = 'sending' and o.move = 'back_off'
                           then least(s.sent_by, clock_timestamp()) else s.sent_by end
        from o join moved on moved.id = o.id
        where s.run_id = o.id and s.name = moved.effect and o.effect is not null
    ), logged as (
        insert into run_event (run_id, at, move, state, fence, worker, detail)
        select moved.id, clock_timestamp(), case moved.state when 'cancelled' then 'call_off' else o.move end,
               moved.state, moved.fence, :worker, coalesce(o.detail::jsonb, o.error::jsonb)
        from moved join o on o.id = moved.id
    ), used as (
        update permit p set used_at = least(p.used_at, p.taken_at + make_interval(secs => o.sent_s))
        from moved join o on o.id = moved.id
        where p.run_id = moved.id and p.fence = moved.fence and o.sent_s is not null
    ), unused as (
        delete from permit p using moved join o on o.id = moved.id
        where p.run_id = moved.id and p.fence = moved.fence and o.sent_s is null
    ), probed as (
        update gate g
        set probe = null, failures = case when c.healthy then 0 else g.failures end,
            trips = case when c.healthy then 0 else g.trips end,
            closed_until = case when not c.healthy then clock_timestamp() end
        from (select moved.connection_id, bool_or(o.healthy) as healthy, array_agg(moved.id) as ids
              from moved join o on o.id = moved.id group by 1) c
        where g.connection_id = c.connection_id and g.scope = 'circuit' and g.failures > 0
              and (c.healthy or g.probe = any(c.ids))
        returning 1
    )
    select id, state, exists (select 1 from probed) as probed from moved
    """
)

_BURNS_NO_ATTEMPT = {"snooze", "give_back", "call_off", "run_out"}


def settle(connection: Connection, outcomes: Sequence[Outcome], *, worker: str) -> dict[uuid.UUID, RunState]:
    """End attempts: one statement, each row guarded by its fencing token.

    Returns:
        The new state of each run that was moved. A run that is missing was taken over by someone else in the
        meantime; nothing of it was written.
    """
    dumps = _dump_or_none
    rows = connection.execute(
        _SETTLE,
        {
            "id": [o.id for o in outcomes],
            "fence": [o.fence for o in outcomes],
            "move": [o.move for o in outcomes],
            "state": [str(MOVES[o.move].target) for o in outcomes],
            "effect": [None if o.effect is None else str(o.effect) for o in outcomes],
            "delay_s": [o.delay_s for o in outcomes],
            "output": [dumps(o.output) for o in outcomes],
            "provider_id": [None if o.provider_id is None else jsonb.text(o.provider_id) for o in outcomes],
            "error": [dumps(o.error) for o in outcomes],
            "detail": [dumps(o.detail) for o in outcomes],
            "burns": [o.move not in _BURNS_NO_ATTEMPT for o in outcomes],
            "sent_s": [o.sent_s for o in outcomes],
            "healthy": [o.healthy for o in outcomes],
            "final": [str(state) for state in FINAL],
            "perhaps_done": [str(state) for state in PERHAPS_DONE],
            "worker": worker,
        },
    ).all()
    if any(row.probed or row.state == RunState.QUEUED for row in rows):
        connection.execute(text(f"notify {DUE_CHANNEL}"))
    return {row.id: RunState(row.state) for row in rows}


def _dump_or_none(value: dict[str, Any] | None) -> str | None:
    return None if value is None else jsonb.dumps(value)
