"""Who may send when? Permits, counted by each limit of a connection, and given out in the transaction that claims."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from neonhub_worker import clock
from neonhub_worker.dispatch.contact import Contact
from neonhub_worker.dispatch.limits import LONGEST_S, Limit, Window, next_slot

AHEAD_S = 0.1
"""A permit may be given out this long before its time: the sender waits for it, so that no time is lost on the way."""

LATE_S = 0.25
"""A sender that is later than this gives its permit back."""

ARRIVE_S = 1.0
"""A request counts as arrived when it is answered, and at the latest so long after it was written: only the answer
proves it, but a platform that thinks for seconds has counted it long before."""

SPARE_S = 0.01
"""What a window is longer than the platform's, for clocks that are read apart."""


@dataclass(frozen=True)
class Slot:
    """When a permit may be used, by ``clock.elapsed_clock()`` of this process.

    Attributes:
        taken: When the permit was taken; what ``Outcome.sent_s`` is counted from.
        begin: Not before this.
        end: Not after this.
    """

    taken: float
    begin: float
    end: float


@dataclass(frozen=True)
class Reading:
    """The database's clock, read between two readings of this process's own."""

    now: datetime
    asked: float
    answered: float

    def slot(self, at: datetime) -> Slot:
        """A moment of the database's clock on this process's: never too early by one reading, too late by the other."""
        wait_s = (at - self.now).total_seconds()
        return Slot(taken=self.asked, begin=self.answered + wait_s, end=self.asked + wait_s + LATE_S)


@dataclass(frozen=True)
class Wanted:
    """A due run, and what it has to pass.

    Attributes:
        in_doubt: It has to find out first whether it was sent, which reaches nobody.
        grant_dead: Its connection waits for a person.
    """

    id: uuid.UUID
    name: str
    connection_id: uuid.UUID | None
    target: str | None
    limits: tuple[Limit, ...]
    closed_until: datetime | None
    target_closed: bool
    half_open: bool
    in_doubt: bool
    grant_dead: bool
    contact: Contact | None

    @property
    def waits_for_something(self) -> bool:
        """Whether anything at all may keep it from going at once."""
        return bool(self.limits or self.closed_until or self.half_open or self.grant_dead or self.contact)


# Held until the transaction ends: claims on one connection take turns while they count its permits.
_LOCK = text("select pg_advisory_xact_lock(hashtextextended(cast(:connection_id as text), 7))")

# The last row stands for no window; it tells the time when there is none.
_WINDOWS = text(
    """
    with windows as (
        select l.nth, cardinality(newest.used_at) as length, newest.used_at[1:l.wanted] as oldest
        from unnest(cast(:connection_id as uuid[]), cast(:action as text[]), cast(:target as text[]),
                    cast(:count as int[]), cast(:per_s as float8[]), cast(:wanted as int[])) with ordinality
             as l(connection_id, action, target, count, per_s, wanted, nth)
        cross join lateral (
            select coalesce(array_agg(p.used_at order by p.used_at), '{}') as used_at
            from (select used_at from permit
                  where connection_id = l.connection_id and (l.action is null or action = l.action)
                        and (l.target is null or target = l.target)
                        and used_at > statement_timestamp() - make_interval(secs => l.per_s)
                  order by used_at desc limit l.count) p
        ) newest
    )
    select clock_timestamp() as now, nth, length, oldest from windows
    union all
    select clock_timestamp(), null, null, null
    order by nth nulls last
    """
)

_TAKE = text(
    """
    insert into permit (run_id, fence, step, connection_id, action, target, taken_at, used_at)
    select * from unnest(cast(:run_id as uuid[]), cast(:fence as int[]), cast(:step as text[]),
                         cast(:connection_id as uuid[]), cast(:action as text[]), cast(:target as text[]),
                         cast(:taken_at as timestamptz[]), cast(:used_at as timestamptz[]))
    on conflict do nothing
    """
)


def lock(connection: Connection, connection_id: uuid.UUID) -> None:
    """Take turns with others that count this connection's permits, until the transaction ends."""
    connection.execute(_LOCK, {"connection_id": connection_id})


def wait_s(windows: Sequence[Window], now: datetime) -> float:
    """Seconds until all of these windows have a permit."""
    slot = next_slot(windows, now)
    if slot is None:
        return max(window.limit.per_s for window in windows)
    return (slot - now).total_seconds()


Key = tuple[uuid.UUID, str | None, str | None, Limit]


def keys(one: Wanted) -> list[Key]:
    """The windows that a run needs a permit of."""
    if one.connection_id is None:
        return []
    return [
        (
            one.connection_id,
            None if limit.of == "connection" else one.name,
            one.target if limit.of == "target" else None,
            limit,
        )
        for limit in one.limits
        if limit.of != "target" or one.target is not None
    ]


def windows(connection: Connection, wanted: Sequence[Wanted]) -> tuple[dict[Key, Window], Reading]:
    """The windows of these runs, as full as they are at this reading of the database's clock."""
    users: dict[Key, int] = {}
    for one in wanted:
        for key in keys(one):
            users[key] = users.get(key, 0) + 1
    asked = clock.elapsed_clock()
    rows = connection.execute(
        _WINDOWS,
        {
            "connection_id": [key[0] for key in users],
            "action": [key[1] for key in users],
            "target": [key[2] for key in users],
            "count": [key[3].count for key in users],
            "per_s": [key[3].per_s + SPARE_S for key in users],
            "wanted": list(users.values()),
        },
    ).all()
    reading = Reading(rows[0].now, asked, clock.elapsed_clock())
    found = {
        key: Window(key[3], row.oldest, length=row.length, spare_s=SPARE_S)
        for key, row in zip(users, rows, strict=False)
    }
    return found, reading


def record(
    connection: Connection,
    taken: Sequence[tuple[Wanted, datetime]],
    fences: Mapping[uuid.UUID, int],
    *,
    step: str,
    now: datetime,
) -> None:
    """Use permits, from so long on; until more is known each counts as used as late as it may be."""
    connection.execute(
        _TAKE,
        {
            "run_id": [one.id for one, _ in taken],
            "fence": [fences[one.id] for one, _ in taken],
            "step": [step for _ in taken],
            "connection_id": [one.connection_id for one, _ in taken],
            "action": [one.name for one, _ in taken],
            "target": [one.target for one, _ in taken],
            "taken_at": [now for _ in taken],
            "used_at": [slot + timedelta(seconds=LATE_S + ARRIVE_S) for _, slot in taken],
        },
    )


def give_back(connection: Connection, run_id: uuid.UUID, *, fence: int, step: str) -> None:
    """Remove a permit that certainly was not used."""
    query = text("delete from permit where (run_id, fence, step) = (:run_id, :fence, :step)")
    connection.execute(query, {"run_id": run_id, "fence": fence, "step": step})


# Each round of the recursion jumps to the next connection: what is past stands at the head of each one's permits. Not
# by the table of connections, for one that is removed leaves its permits.
_FORGET = text(
    """
    with recursive one as (
        (select connection_id from permit order by connection_id limit 1)
        union all
        select (select p.connection_id from permit p where p.connection_id > one.connection_id
                order by p.connection_id limit 1)
        from one where one.connection_id is not null
    ), past as materialized (
        select p.run_id, p.fence, p.step from one cross join lateral (
            select run_id, fence, step from permit
            where connection_id = one.connection_id
                  and used_at < clock_timestamp() - make_interval(secs => :longest_s)
            order by used_at limit :limit for update skip locked
        ) p limit :limit
    ), gone as (
        delete from permit p using past
        where (p.run_id, p.fence, p.step) = (past.run_id, past.fence, past.step)
    )
    select count(*) from past
    """
)


def forget_past(connection: Connection, *, limit: int = 1000) -> int:
    """Remove permits that no window can count any more; how many there were."""
    values = {"longest_s": LONGEST_S + 60, "limit": limit}
    count: int = connection.execute(_FORGET, values).scalar_one()
    return count
