"""What did a run do so far? Steps of actions that need several, and questions that read-back asks."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from neonhub_worker.db import jsonb
from neonhub_worker.ledger.states import PERHAPS_DONE, EffectState

ANY = "*"
"""Name of the effect that stands for any that a restored ledger knows nothing of: each that a run has not begun since
may have been sent before."""


QUIET_S = 10.0
"""No request of an effect leaves in the last seconds of a lease: whoever takes a run over knows since when to wait."""


@dataclass(frozen=True)
class Step:
    """A recorded step.

    Attributes:
        fence: The attempt that recorded it.
        result: What it returned, a JSON value; meaningful once ``state`` is confirmed.
        first_sent_at: For an effect: when it may first have left this side.
        sent_by: For an effect: until when the latest send may have left this side.
        now: The database's clock at the reading.
    """

    name: str
    state: EffectState
    fence: int
    result: Any
    first_sent_at: datetime | None
    sent_by: datetime | None
    now: datetime


_READ = text(
    "select name, state, fence, result, first_sent_at, sent_by, clock_timestamp() as now "
    "from step where run_id = :run_id and name = any(:names) order by name = :any limit 1"
)

# The inner select is the guard: an attempt that lost its lease writes nothing. It waits for a rescue that is under way.
_WRITE = text(
    """
    insert into step (run_id, name, effect, state, connection_id, alike, result, provider_id, fence, first_sent_at,
                      sent_by)
    select r.id, :name, :effect, :state, r.connection_id, case when :sends then r.alike end, cast(:result as jsonb),
           :provider_id, r.fence,
           case when :sends then clock_timestamp() end,
           case when :sends then r.lease_until - make_interval(secs => :quiet_s) end
    from run r where r.id = :run_id and r.fence = :fence and r.state = 'running'
    for no key update of r
    on conflict (run_id, name) do update
    set state = excluded.state, alike = coalesce(excluded.alike, step.alike),
        result = coalesce(excluded.result, step.result), fence = excluded.fence,
        provider_id = coalesce(excluded.provider_id, step.provider_id),
        first_sent_at = case when step.state = 'planned' then excluded.first_sent_at
                             else coalesce(step.first_sent_at, excluded.first_sent_at) end,
        sent_by = case when excluded.state = 'unknown' then least(step.sent_by, clock_timestamp())
                       else coalesce(excluded.sent_by, step.sent_by) end
    returning name
    """
)


def read(connection: Connection, run_id: uuid.UUID, name: str) -> Step | None:
    """One step of a run, or None if it was never begun."""
    return _first(connection, run_id, [name])


def read_effect(connection: Connection, run_id: uuid.UUID, name: str) -> Step | None:
    """An effect of a run, or else what stands for it in a restored ledger; None if it certainly was never begun."""
    return _first(connection, run_id, [name, ANY])


def _first(connection: Connection, run_id: uuid.UUID, names: list[str]) -> Step | None:
    row = connection.execute(_READ, {"run_id": run_id, "names": names, "any": ANY}).mappings().first()
    return None if row is None else Step(**{**row, "state": EffectState(row["state"])})


def write(
    connection: Connection,
    run_id: uuid.UUID,
    name: str,
    *,
    fence: int,
    state: EffectState,
    effect: bool,
    result: Any = None,
    provider_id: str | None = None,
) -> bool:
    """Record a step under this attempt's fencing token.

    ``SENDING`` is the write-ahead of a send: it must be committed before the request leaves.

    Returns:
        False if this attempt does not hold the run any more; nothing was written and nothing may be sent.

    Raises:
        sqlalchemy.exc.IntegrityError: Another run is sending an effect that would look alike.
    """
    values = {
        "run_id": run_id,
        "name": name,
        "fence": fence,
        "state": str(state),
        "effect": effect,
        "result": None if result is None else jsonb.dumps(result),
        "provider_id": provider_id,
        "sends": state is EffectState.SENDING,
        "quiet_s": QUIET_S,
    }
    return connection.execute(_WRITE, values).first() is not None


def taken(
    connection: Connection, connection_id: uuid.UUID, provider_ids: Collection[str], *, besides: uuid.UUID
) -> set[str]:
    """Which of these provider ids are recorded as the effects of other runs of this connection."""
    rows = connection.execute(
        text(
            "select provider_id from step where connection_id = :connection_id and run_id <> :besides "
            "and provider_id = any(:provider_ids)"
        ),
        {"connection_id": connection_id, "besides": besides, "provider_ids": list(provider_ids)},
    )
    return {row.provider_id for row in rows}


def first_sent_at(connection: Connection, run_id: uuid.UUID) -> datetime | None:
    """When the first effect of this run happened or may have happened; None if certainly none did."""
    found: datetime | None = connection.execute(
        text("select min(first_sent_at) from step where run_id = :run_id and effect and state = any(:states)"),
        {"run_id": run_id, "states": [str(state) for state in PERHAPS_DONE]},
    ).scalar_one()
    return found


_PARKED_TWIN = text(
    """
    select 1 from step mine join step other
        on other.connection_id = mine.connection_id and other.alike = mine.alike and other.run_id <> mine.run_id
    where mine.run_id = :run_id and mine.alike is not null and other.state = 'parked' limit 1
    """
)


def has_parked_twin(connection: Connection, run_id: uuid.UUID) -> bool:
    """Whether a read-back could find what a parked run did: its effect would look like this one's on the platform."""
    return connection.execute(_PARKED_TWIN, {"run_id": run_id}).first() is not None
