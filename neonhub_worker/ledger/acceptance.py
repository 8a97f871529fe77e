"""How does a run get in?"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from neonhub_worker import faults
from neonhub_worker.db import jsonb
from neonhub_worker.errors import IdempotencyConflict, TaskIdTaken
from neonhub_worker.ledger.states import RunState

DUE_CHANNEL = "neonhub_due"
"""The NOTIFY channel that says: something is due."""

WINDOW = 128
"""Runs of one queue that may be published and unclaimed at once, so that whoever comes next never waits for long. The
rest of a backlog stands in Postgres, where it can be ordered, shared out, cancelled and not lost."""

KEPT = WINDOW // 8
"""Places of the window that are kept for organizations with few runs published."""

FEW = 8
"""Runs of one organization that are published before it is taken for a crowd, whose messages wait for all others'."""

NO_CONNECTION = "00000000-0000-0000-0000-000000000000"
"""Stands in an index for the connection of a run that has none."""


@dataclass(frozen=True)
class Draft:
    """A request that passed validation: one row of ``run`` to be.

    Attributes:
        effect: Name of the step that the claim writes ahead; None for reads and for actions of several steps.
        alike: Digest that is equal for two runs whose effects the platform would show alike; None if it shows our key.
        recipient: Normalised address that consent is looked up for, with its channel.
        recipient_zone: Where the recipient is, if known.
        transactional: The recipient waits for it: neither quiet hours nor caps hold it.
        target: Digest of what limits ``of="target"`` count.
        limits: The action's limits, as JSON, whose permits the claim takes; None if its effects take them one by one.
        run_at: When it becomes due, UTC; None means now, by the database's clock.
    """

    id: uuid.UUID
    organization_id: str
    kind: str
    name: str
    connection_id: uuid.UUID | None
    input: dict[str, Any]
    input_hash: str
    queue: str
    max_retries: int
    effect: str | None = None
    alike: str | None = None
    channel: str | None = None
    recipient: str | None = None
    recipient_zone: str | None = None
    transactional: bool = False
    target: str | None = None
    limits: list[dict[str, Any]] | None = None
    idempotency_key: str | None = None
    parent_id: uuid.UUID | None = None
    priority: int = 5
    run_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Accepted:
    """What became of one draft.

    Attributes:
        id: The run's id: the draft's own, or that of the run accepted earlier under the same idempotency key.
        publish: The caller is to publish it after its commit.
    """

    id: uuid.UUID
    publish: bool


# A run is published by its producer if there is room on the broker and nobody of its lane waits before it; of an
# organization only a few, and of a paced connection only one at a time, for the dispatcher knows how many may go.
# Whether somebody waits is asked with a limit, not with `exists`: of that the planner may make a table of all who wait,
# in every queue.
_ACCEPT = text(
    f"""
    with d as (
        select *, coalesce(run_at > now(), false) as ahead, coalesce(connection_id, '{NO_CONNECTION}') as lane,
               row_number() over (partition by queue order by nth) as place,
               row_number() over (partition by queue, organization_id order by nth) as place_of_own,
               row_number() over (partition by queue, connection_id order by nth) as place_in_lane
        from unnest(cast(:id as uuid[]), cast(:organization_id as text[]), cast(:kind as text[]),
                    cast(:name as text[]), cast(:connection_id as uuid[]), cast(:parent_id as uuid[]),
                    cast(:input as text[]), cast(:input_hash as text[]), cast(:idempotency_key as text[]),
                    cast(:queue as text[]), cast(:priority as smallint[]), cast(:effect as text[]),
                    cast(:alike as text[]), cast(:channel as text[]), cast(:recipient as text[]),
                    cast(:recipient_zone as text[]), cast(:transactional as bool[]), cast(:target as text[]),
                    cast(:limits as text[]), cast(:max_retries as int[]), cast(:run_at as timestamptz[]),
                    cast(:expires_at as timestamptz[])) with ordinality
             as t(id, organization_id, kind, name, connection_id, parent_id, input, input_hash, idempotency_key, queue,
                  priority, effect, alike, channel, recipient, recipient_zone, transactional, target, limits,
                  max_retries, run_at, expires_at, nth)
    ), room as (
        select q.queue, :window - (select count(*) from (
                   select 1 from run r where r.queue = q.queue and r.state = 'queued' and r.published_at is not null
                   limit :window) used) as room
        from (select distinct queue from d where :published) q
    ), lane as (
        select q.*, coalesce((
                   select true from run r
                   where r.queue = q.queue and r.organization_id = q.organization_id
                         and coalesce(r.connection_id, '{NO_CONNECTION}') = q.lane
                         and r.state = 'queued' and r.published_at is null limit 1), false) as taken,
               coalesce(c.limits <> '[]', false) as paced
        from (select distinct queue, organization_id, lane from d where :published) q
        left join connection c on c.id = q.lane
    ), before as (
        select q.queue, q.organization_id,
               (select count(*) from run r where r.queue = q.queue and r.organization_id = q.organization_id
                       and r.state = 'queued' and r.published_at is not null) as runs
        from (select distinct queue, organization_id from d where :published) q
    )
    insert into run (id, organization_id, kind, name, connection_id, parent_id, input, input_hash, idempotency_key,
                     queue, priority, effect, alike, channel, recipient, recipient_zone, transactional, target,
                     limits, max_retries, run_at, expires_at, state, published_at)
    select d.id, d.organization_id, d.kind, d.name, d.connection_id, d.parent_id, d.input::jsonb, d.input_hash,
           d.idempotency_key, d.queue, d.priority, d.effect, d.alike, d.channel, d.recipient,
           d.recipient_zone, d.transactional, d.target, d.limits::jsonb, d.max_retries, coalesce(d.run_at, now()),
           d.expires_at,
           case when d.ahead then 'scheduled' else 'queued' end,
           case when not d.ahead and d.place <= room.room and not lane.taken and before.runs + d.place_of_own <= :few
                     and (d.place_in_lane = 1 or not lane.paced and coalesce(d.limits, '[]') = '[]') then now() end
    from d left join room on room.queue = d.queue
         left join before on (before.queue, before.organization_id) = (d.queue, d.organization_id)
         left join lane on (lane.queue, lane.organization_id, lane.lane) = (d.queue, d.organization_id, d.lane)
    order by d.nth
    on conflict do nothing
    returning id, state, published_at is not null as published
    """  # noqa: S608 (a constant)
)

# Two looks into two indexes; with "or" it would be one through the whole table.
_EARLIER = text(
    """
    select r.id, r.organization_id, r.name, r.idempotency_key, r.input_hash
    from run r where r.id = any(cast(:ids as uuid[]))
    union
    select r.id, r.organization_id, r.name, r.idempotency_key, r.input_hash
    from unnest(cast(:organization_ids as text[]), cast(:names as text[]), cast(:keys as text[]))
         as k(organization_id, name, idempotency_key)
    join run r on r.organization_id = k.organization_id and r.name = k.name
                  and r.idempotency_key = k.idempotency_key
    """
)

_COLUMNS = tuple(name for name in Draft.__dataclass_fields__ if name != "input")


def accept(connection: Connection, drafts: Sequence[Draft], *, published: bool) -> list[Accepted]:
    """Insert runs in the caller's transaction; they are accepted once it commits.

    Args:
        drafts: Any number; one statement for all.
        published: The caller publishes what it is told to after its commit; the dispatcher is notified of the others
            (PostgreSQL delivers the notification at commit).

    Returns:
        One entry per draft, in order.

    Raises:
        IdempotencyConflict: A key was used before with another input; the caller's transaction must be rolled back.
    """
    if not drafts:
        return []
    values: dict[str, Any] = {name: [getattr(draft, name) for draft in drafts] for name in _COLUMNS}
    values["input"] = [json.dumps(draft.input) for draft in drafts]
    values["limits"] = [None if draft.limits is None else json.dumps(draft.limits) for draft in drafts]
    rows = connection.execute(_ACCEPT, {**values, "published": published, "window": WINDOW, "few": FEW})
    inserted = {row.id: row for row in rows}
    missing = [draft for draft in drafts if draft.id not in inserted]
    earlier = _find_earlier(connection, missing) if missing else {}
    # What stood in their way was pruned a moment later.
    free = [draft for draft in missing if draft.id not in earlier]
    late = dict(zip([draft.id for draft in free], accept(connection, free, published=published), strict=True))
    if any(row.state == RunState.QUEUED and not row.published for row in inserted.values()):
        connection.execute(text(f"notify {DUE_CHANNEL}"))
    faults.point("accept.inserted")
    return [
        Accepted(draft.id, publish=inserted[draft.id].published)
        if draft.id in inserted
        else late.get(draft.id) or Accepted(earlier[draft.id], publish=False)
        for draft in drafts
    ]


def _find_earlier(connection: Connection, drafts: Sequence[Draft]) -> dict[uuid.UUID, uuid.UUID]:
    """The runs that have the drafts' ids or idempotency keys, by the drafts' ids."""
    keyed = [draft for draft in drafts if draft.idempotency_key is not None]
    rows = connection.execute(
        _EARLIER,
        {
            "ids": [draft.id for draft in drafts],
            "organization_ids": [draft.organization_id for draft in keyed],
            "names": [draft.name for draft in keyed],
            "keys": [draft.idempotency_key for draft in keyed],
        },
    ).all()
    by_key = {(row.organization_id, row.name, row.idempotency_key): row for row in rows}
    by_id = {row.id: row for row in rows}
    found = {}
    for draft in drafts:
        asked = (draft.organization_id, draft.name, draft.input_hash)
        row = by_id.get(draft.id) or by_key.get((draft.organization_id, draft.name, draft.idempotency_key))
        if row is None:
            continue
        if (row.organization_id, row.name, row.input_hash) != asked:
            if row.id == draft.id:
                raise TaskIdTaken(f"task id {row.id} was used before with another request; give each task its own")
            raise IdempotencyConflict(
                f"idempotency key {draft.idempotency_key!r} was used for {draft.name} with another input by run "
                f"{row.id}; give a new key to a new request, or send the same input to get that run"
            )
        found[draft.id] = row.id
    return found


_RECORD_REFUSED = text(
    """
    with recorded as (
        insert into run (id, organization_id, kind, name, input, input_hash, queue, max_retries, state, run_at, error,
                         finished_at)
        select :id, coalesce((select o.id from organization o where o.id = :organization_id), :fallback),
               'action', :name, cast(:input as jsonb), '', 'actions', 0, 'failed', now(), cast(:error as jsonb), now()
        on conflict do nothing
        returning id
    )
    insert into run_event (run_id, at, move, state, detail)
    select id, clock_timestamp(), 'refuse', 'failed', cast(:error as jsonb) from recorded
    """
)


def record_refused(
    connection: Connection,
    *,
    run_id: uuid.UUID,
    organization_id: str,
    fallback_organization_id: str,
    name: str,
    input: dict[str, Any],  # noqa: A002 (the column's name)
    error: dict[str, Any],
) -> None:
    """Record a foreign task's request that was refused as a failed run, so that its sender finds out why.

    Args:
        fallback_organization_id: Owns the run if ``organization_id`` is not known.
    """
    values = {
        "id": run_id,
        "organization_id": organization_id,
        "fallback": fallback_organization_id,
        "name": name,
        "input": jsonb.dumps(input),
        "error": jsonb.dumps(error),
    }
    connection.execute(_RECORD_REFUSED, values)
