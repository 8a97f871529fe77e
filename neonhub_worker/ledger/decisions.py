"""What may a person, a platform or the passing of time decide about a run? Each decision is one guarded statement."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from neonhub_worker.db import jsonb
from neonhub_worker.errors import MoveRefused
from neonhub_worker.ledger import acceptance, guard, runs
from neonhub_worker.ledger.states import IN_DOUBT, PERHAPS_DONE, EffectState, RunState, sources
from neonhub_worker.ledger.steps import ANY

_PERHAPS_DONE = [str(state) for state in PERHAPS_DONE]

_CERTAINLY_NOT_DONE = f"""
    not exists (select 1 from step s where s.run_id = run.id and s.effect and s.state = any(:perhaps_done))
    and {guard.TRUSTED}
"""  # noqa: S608 (a constant)

# What will not be sent any more makes way for a run with the same content.
_UNPLANNED = """
    update step s set state = 'refused' from moved where s.run_id = moved.id and s.effect and s.state = 'planned'
"""

_CANCEL = text(
    f"""
    with moved as (
        update run set state = 'cancelled', finished_at = clock_timestamp()
        where id = :id and state = any(:sources) and {_CERTAINLY_NOT_DONE}
        returning id, fence
    ), unplanned as ({_UNPLANNED}), logged as (
        insert into run_event (run_id, at, move, state, fence)
        select id, clock_timestamp(), 'cancel', 'cancelled', fence from moved
    )
    select id from moved
    """  # noqa: S608 (constants)
)


def cancel(connection: Connection, run_id: uuid.UUID) -> RunState:
    """Call a run off: at once if certainly nothing was sent, else as soon as that is known.

    Returns:
        The state after the call. ``running``, or a state that waits for something, means: asked for; it is cancelled
        if it turns out that nothing was sent, and goes on to its end if something was.

    Raises:
        MoveRefused: The run has ended or is parked.
        UnknownRun: There is none with this id.
    """
    # Locked first, so that the next statement sees the effect as whoever held the run has left it.
    connection.execute(text("select 1 from run where id = :id for update"), {"id": run_id})
    values = {"id": run_id, "sources": sources("cancel"), "perhaps_done": _PERHAPS_DONE}
    if connection.execute(_CANCEL, values).first() is not None:
        return RunState.CANCELLED
    asked = connection.execute(
        text(
            "update run set cancel_requested = true "
            "where id = :id and state in ('scheduled', 'queued', 'running', 'retrying', 'waiting') returning state"
        ),
        {"id": run_id},
    ).first()
    if asked is not None:
        return RunState(asked.state)
    run = runs.get(connection, run_id)
    hint = "settle it with `neonhub runs settle`" if run.state is RunState.PARKED else "it has ended"
    raise MoveRefused(f"run {run_id} is {run.state} and cannot be cancelled: {hint}")


# In a ledger that was restored since it ended, it may have been retried before, and been done.
_RETRY = text(
    f"""
    with lost as (
        select g.lost_from, g.lost_until from restore_guard g, run r
        where r.id = :id and r.finished_at <= g.lost_until
    ), moved as (
        update run set state = 'queued', run_at = clock_timestamp(), published_at = null, attempts = 0, crashes = 0,
                       cancel_requested = false, expires_at = null, error = null, finished_at = null
        where id = :id and state = any(:sources)
        returning id, fence, connection_id
    ), effects as (
        update step s
        set state = case when lost.lost_from is null then 'planned' else 'unknown' end,
            first_sent_at = coalesce(lost.lost_from, s.first_sent_at), sent_by = coalesce(lost.lost_until, s.sent_by)
        from moved left join lost on true
        where s.run_id = moved.id and s.effect and s.state = 'refused'
        returning s.run_id
    ), doubted as (
        insert into step (run_id, name, effect, state, connection_id, first_sent_at, sent_by, fence)
        select moved.id, '{ANY}', true, 'unknown', moved.connection_id, lost.lost_from, lost.lost_until, moved.fence
        from moved, lost where not exists (select 1 from effects)
        on conflict do nothing
    ), anew as (
        delete from step s using moved where s.run_id = moved.id and not s.effect
    ), logged as (
        insert into run_event (run_id, at, move, state, fence)
        select id, clock_timestamp(), 'retry', 'queued', fence from moved
    )
    select id from moved
    """  # noqa: S608 (a constant)
)


def retry(connection: Connection, run_id: uuid.UUID) -> None:
    """Make a run that ended without its effect due again, with its attempts counted anew and no expiry.

    Steps that may be repeated without harm are forgotten: what they brought may have gone stale meanwhile.

    Raises:
        MoveRefused: It succeeded, has not ended, is parked, or a run with the same content is being sent.
        UnknownRun: There is none with this id.
    """
    try:
        with connection.begin_nested():
            moved = connection.execute(_RETRY, {"id": run_id, "sources": sources("retry")}).first()
    except IntegrityError:
        raise MoveRefused(f"a run with the same content as {run_id} is being sent; wait until it has ended") from None
    if moved is None:
        run = runs.get(connection, run_id)
        hint = {
            RunState.PARKED: "say first what happened with `neonhub runs settle`",
            RunState.SUCCEEDED: "it was done; a second effect needs a new run",
        }.get(run.state, "it has not ended")
        raise MoveRefused(f"run {run_id} is {run.state} and cannot be retried: {hint}")
    connection.execute(text(f"notify {acceptance.DUE_CHANNEL}"))


_SETTLE = text(
    """
    with moved as (
        update run set state = :state, provider_id = coalesce(:provider_id, provider_id),
                       error = case when :state = 'failed' then jsonb_build_object(
                           'class', 'NotSent', 'code', null, 'message', 'settled by a person: it was not sent') end,
                       finished_at = clock_timestamp(), cancel_requested = false
        where id = :id and state = any(:sources)
        returning id, fence
    ), effects as (
        update step s set state = :effect, provider_id = coalesce(:provider_id, s.provider_id) from moved
        where s.run_id = moved.id and s.effect and s.state = any(:settled)
    ), logged as (
        insert into run_event (run_id, at, move, state, fence, detail)
        select id, clock_timestamp(), :move, :state, fence, cast(:detail as jsonb) from moved
    )
    select id from moved
    """
)


def settle(connection: Connection, run_id: uuid.UUID, *, sent: str | None) -> None:
    """End a parked run as a person has found out.

    Args:
        sent: The provider's id of the effect that happened; None if it certainly did not.

    Raises:
        MoveRefused: The run is not parked.
        UnknownRun: There is none with this id.
    """
    move = "settle_not_sent" if sent is None else "settle_sent"
    values: dict[str, Any] = {
        "id": run_id,
        "move": move,
        "sources": sources(move),
        "state": "failed" if sent is None else "succeeded",
        "effect": "refused" if sent is None else "confirmed",
        "provider_id": sent,
        # A step that was confirmed and of which a person says that it did not happen after all is done anew on a retry.
        "settled": _PERHAPS_DONE if sent is None else [str(state) for state in IN_DOUBT],
        "detail": '{"by": "a person"}',
    }
    if connection.execute(_SETTLE, values).first() is None:
        run = runs.get(connection, run_id)
        raise MoveRefused(f"run {run_id} is {run.state}; only a parked run can be settled")


def hear(connection: Connection, run_id: uuid.UUID, *, provider_id: str | None, source: str) -> RunState | None:
    """End a run that is in doubt, for the platform has told that its effect happened.

    The caller holds the run's row and knows that the effect is the run's own: it carries the run's key.

    Args:
        source: What told so, for the timeline.

    Returns:
        The state it had; None if it is neither parked nor waiting, and was left as it is.
    """
    state: str = connection.execute(text("select state from run where id = :id"), {"id": run_id}).scalar_one()
    move = "settle_sent" if state == RunState.PARKED else "hear"
    values: dict[str, Any] = {
        "id": run_id,
        "move": move,
        "sources": sources(move),
        "state": "succeeded",
        "effect": "confirmed",
        "provider_id": None if provider_id is None else jsonb.text(provider_id),
        # Also one that was thought not to have been sent, and is to be sent again.
        "settled": [str(effect) for effect in (*IN_DOUBT, EffectState.PLANNED)],
        "detail": jsonb.dumps({"by": "the platform", "source": source}),
    }
    return None if connection.execute(_SETTLE, values).first() is None else RunState(state)


_WAITING_FOR = text(
    """
    select id from run
    where organization_id = :organization_id and channel = :channel and recipient = :recipient
          and state in ('scheduled', 'queued', 'retrying', 'waiting')
    order by id for update
    """
)

_CALL_OFF = text(
    f"""
    with moved as (
        update run set state = 'cancelled', finished_at = clock_timestamp(),
                       error = jsonb_build_object('class', 'RecipientOptedOut', 'code', null, 'message',
                                                  'the recipient wants no more messages on this channel')
        where id = any(cast(:ids as uuid[])) and state = any(:sources) and {_CERTAINLY_NOT_DONE}
        returning id, fence
    ), unplanned as ({_UNPLANNED}), logged as (
        insert into run_event (run_id, at, move, state, fence, detail)
        select id, clock_timestamp(), 'cancel', 'cancelled', fence, '{{"by": "an opt-out"}}' from moved
    ), asked as (
        update run set cancel_requested = true
        where id = any(cast(:ids as uuid[])) and id not in (select id from moved) and state = any(:sources)
    )
    select id from moved
    """  # noqa: S608 (constants)
)


def call_off(connection: Connection, *, organization_id: str, channel: str, recipient: str) -> int:
    """Cancel everything that waits to be sent to a person; what may have been sent ends once that is known.

    Returns:
        How many runs were cancelled at once.
    """
    # Locked first, as in ``cancel``.
    whom = {"organization_id": organization_id, "channel": channel, "recipient": recipient}
    ids = [row.id for row in connection.execute(_WAITING_FOR, whom)]
    if not ids:
        return 0
    values = {"ids": ids, "sources": sources("cancel"), "perhaps_done": _PERHAPS_DONE}
    return len(connection.execute(_CALL_OFF, values).all())


_EXPIRE = text(
    f"""
    with gone as (
        select id from run
        where expires_at <= statement_timestamp() and state = any(:sources) and {_CERTAINLY_NOT_DONE}
        order by expires_at limit :limit for update skip locked
    ), moved as (
        update run set state = 'expired', finished_at = clock_timestamp()
        from gone where run.id = gone.id
        returning run.id, run.fence
    ), unplanned as ({_UNPLANNED}), logged as (
        insert into run_event (run_id, at, move, state, fence)
        select id, clock_timestamp(), 'expire', 'expired', fence from moved
    )
    select id from moved
    """  # noqa: S608 (constants)
)


def expire(connection: Connection, *, limit: int = 500) -> int:
    """End the runs whose ``expires_at`` has passed and that certainly did nothing; how many there were."""
    values = {"sources": sources("expire"), "limit": limit, "perhaps_done": _PERHAPS_DONE}
    return len(connection.execute(_EXPIRE, values).all())
