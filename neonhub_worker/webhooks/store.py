"""Which events are known? Each once per connection, kept before the platform hears that it was taken in.

What an event says is encrypted, and gone once it was worked off; its id stays, so that a repeat is known as one.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection, text

from connectors.kit.webhook import EVENT, ConsentChange, DeliveryStatus, MessageReceived, Other
from neonhub_worker.db import jsonb
from neonhub_worker.vault import cipher

AnyEvent: TypeAlias = DeliveryStatus | ConsentChange | MessageReceived | Other

SHORTEST_MEMORY_DAYS = 30
"""A delivery that carries no signed time can be replayed as long as its id is not known."""

_PRUNED_AT_ONCE = 1000

_KEEP = text(
    """
    insert into webhook_event (connection_id, event_id, kind, payload, act_at)
    select :connection_id, event_id, kind, payload, case when payload is not null then clock_timestamp() end
    from unnest(cast(:event_id as text[]), cast(:kind as text[]), cast(:payload as bytea[]))
         as t(event_id, kind, payload)
    order by event_id
    on conflict do nothing
    returning event_id
    """
)

_TAKE = text(
    """
    select e.connection_id, e.event_id, e.payload, e.tries, e.received_at, c.organization_id, c.connector,
           extract(epoch from clock_timestamp() - e.received_at) as age_s
    from webhook_event e join connection c on c.id = e.connection_id
    where e.act_at <= clock_timestamp()
    order by e.act_at limit :limit
    for update of e skip locked
    """
)

_DONE = text(
    """
    update webhook_event set act_at = null, payload = null, outcome = :outcome, run_id = :run_id
    where connection_id = :connection_id and event_id = :event_id
    """
)

_LATER = text(
    """
    update webhook_event
    set act_at = clock_timestamp() + make_interval(secs => :delay_s), tries = tries + :tries, outcome = :outcome
    where connection_id = :connection_id and event_id = :event_id
    """
)

_FORGET = text(
    """
    delete from webhook_event where ctid = any(array(
        select ctid from webhook_event
        where received_at < clock_timestamp() - make_interval(days => :days) and act_at is null
        order by received_at limit :limit for update skip locked))
    """
)


@dataclass(frozen=True)
class Taken:
    """An event that is being worked off; nobody else works on it meanwhile.

    Attributes:
        tries: How often that has failed.
        age_s: Seconds since it came in.
    """

    connection_id: uuid.UUID
    event_id: str
    organization_id: str
    connector: str
    payload: bytes
    tries: int
    received_at: datetime
    age_s: float

    def event(self) -> AnyEvent:
        """What was told.

        Raises:
            VaultError: No key fits.
        """
        return EVENT.validate_python(cipher.decrypt(self.payload))


def keep(connection: Connection, connection_id: uuid.UUID, events: Sequence[AnyEvent]) -> int:
    """Keep events, in the caller's transaction; those that are known already stay as they are.

    Returns:
        How many were new.

    Raises:
        VaultError: They cannot be encrypted.
    """
    if not events:
        return 0
    rows = connection.execute(
        _KEEP,
        {
            "connection_id": connection_id,
            "event_id": [jsonb.text(event.id) for event in events],
            "kind": [event.kind for event in events],
            "payload": [_payload(event) for event in events],
        },
    )
    return len(rows.all())


def _payload(event: AnyEvent) -> bytes | None:
    """What has to be worked off; of anything else it is enough to know that it came."""
    if isinstance(event, (MessageReceived, Other)):
        return None
    return cipher.encrypt(event.model_dump(mode="json"))


def take(connection: Connection, *, limit: int) -> list[Taken]:
    """Events that are due, held until the caller's transaction ends."""
    return [Taken(**row) for row in connection.execute(_TAKE, {"limit": limit}).mappings()]


def done(connection: Connection, taken: Taken, *, outcome: str, run_id: uuid.UUID | None = None) -> None:
    """An event is worked off; what it said is forgotten."""
    connection.execute(_DONE, {**_key(taken), "outcome": outcome, "run_id": run_id})


def later(connection: Connection, taken: Taken, *, delay_s: float, outcome: str, failed: bool) -> None:
    """An event is to be worked off again."""
    connection.execute(_LATER, {**_key(taken), "delay_s": delay_s, "outcome": outcome, "tries": int(failed)})


def _key(taken: Taken) -> dict[str, Any]:
    return {"connection_id": taken.connection_id, "event_id": taken.event_id}


def forget_past(connection: Connection, *, days: int) -> int:
    """Remove events that were worked off long ago, some at a time; how many.

    Args:
        days: As long as runs are kept; 0 keeps all.
    """
    if days == 0:
        return 0
    values = {"days": max(days, SHORTEST_MEMORY_DAYS), "limit": _PRUNED_AT_ONCE}
    return connection.execute(_FORGET, values).rowcount


@dataclass(frozen=True)
class Backlog:
    """What is still to be done.

    Attributes:
        waiting: Events that are to be worked off.
        oldest_s: Seconds for which the first of them waits; None if none does.
        given_up: Events that failed again and again, within the last 30 days.
    """

    waiting: int
    oldest_s: float | None
    given_up: int


_BACKLOG = text(
    """
    select (select count(*) from webhook_event where act_at is not null) as waiting,
           (select extract(epoch from clock_timestamp() - min(received_at)) from webhook_event
            where act_at is not null) as oldest_s,
           (select count(*) from webhook_event
            where act_at is null and outcome like 'gave up%' and received_at > now() - interval '30 days') as given_up
    """
)


def backlog(connection: Connection) -> Backlog:
    """How much is still to be done."""
    row = connection.execute(_BACKLOG).one()
    return Backlog(row.waiting, None if row.oldest_s is None else float(row.oldest_s), row.given_up)
