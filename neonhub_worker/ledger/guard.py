"""Does the ledger still know everything that was done? Not after its database was restored from an older backup.

A restored ledger takes for unfinished what was carried out after the backup, and would do it again. Two signs tell.
The ledger's own mark, ``seen_at``, which beat moves on about once a second, is older than what a process or the broker
has seen of it: it went back in time, whether by a dump, a base backup, a volume snapshot or a standby that lagged. Or
the database is another one than the mark was written in: a copy. While the guard is engaged nothing is claimed, fired
or published; requests are still accepted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

OPEN = """
    not exists (select 1 from restore_guard g
                where g.engaged_at is not null or g.seen_at < cast(:seen_at as timestamptz))
"""
"""SQL: nothing is known to be missing; ``known`` gives its value. One look at one row for all of a statement's runs."""

TRUSTED = "not exists (select 1 from restore_guard g where g.engaged_at is not null)"
"""SQL: the ledger may say of an effect that it certainly did not happen."""

_IDENTITY, _TRUSTED = "neonhub_identity", "neonhub_trusted"


@dataclass(frozen=True)
class Identity:
    """Which database is it?

    Attributes:
        system_id: Of the cluster and all that was copied from it as a whole; None if asking is not allowed.
        database_oid: Unique within the cluster.
    """

    system_id: str | None
    database_oid: int

    def __str__(self) -> str:
        return f"{self.system_id or 'unknown'}/{self.database_oid}"


@dataclass(frozen=True)
class Engaged:
    """Why nothing is sent.

    Attributes:
        backup_at: When the backup was taken, at the earliest: the latest mark that the ledger holds.
    """

    engaged_at: datetime
    reason: str
    backup_at: datetime

    @property
    def sentence(self) -> str:
        """What a person has to know, with the next step."""
        return (
            f"nothing is sent since {self.engaged_at:%Y-%m-%d %H:%M:%S} UTC: {self.reason}; "
            "`neonhub doctor --after-restore` explains what is missing and lets runs be sent again"
        )


_ALLOWED = text("select has_function_privilege('pg_control_system()', 'execute')")
_SYSTEM = text("select system_identifier::text from pg_control_system()")
_OID = text("select oid::bigint from pg_database where datname = current_database()")


def may_ask(connection: Connection) -> bool:
    """Whether this role may ask which cluster it is connected to."""
    return bool(connection.execute(_ALLOWED).scalar_one())


def identity(connection: Connection) -> Identity:
    """Which database this is; asked once per connection to the server, which it outlives."""
    known: Identity | None = connection.info.get(_IDENTITY)
    if known is None:
        system_id = connection.execute(_SYSTEM).scalar_one() if may_ask(connection) else None
        known = Identity(system_id, connection.execute(_OID).scalar_one())
        connection.info[_IDENTITY] = known
    return known


def is_trusted(connection: Connection) -> bool:
    """Whether the ledger was found to be whole before, on this connection to the server."""
    return _TRUSTED in connection.info


_seen: dict[Identity, datetime] = {}


def remember(database: Identity, seen_at: datetime) -> None:
    """Note that this mark was committed: a ledger whose mark is older has lost something."""
    _seen[database] = max(seen_at, _seen.get(database, seen_at))


def remembered(database: Identity) -> datetime | None:
    """The latest mark that this process knows of."""
    return _seen.get(database)


def known(connection: Connection) -> dict[str, datetime | None]:
    """The value of ``OPEN``."""
    database: Identity | None = connection.info.get(_IDENTITY)
    return {"seen_at": None if database is None else _seen.get(database)}


_READ = text("select system_id, database_oid, seen_at, engaged_at, reason, backup_at from restore_guard")

_BEGIN = text(
    """
    insert into restore_guard (system_id, database_oid, seen_at)
    values (:system_id, :database_oid, clock_timestamp())
    on conflict do nothing
    """
)

_MOVE_ON = text(
    """
    update restore_guard
    set seen_at = greatest(clock_timestamp(), seen_at + interval '1 microsecond'),
        system_id = coalesce(system_id, :system_id)
    where engaged_at is null
    returning seen_at
    """
)

# Where beat has never run, nothing tells but the runs themselves.
_HELD_UNTIL = text(
    """
    select coalesce((select seen_at from restore_guard), (select max(at) from run_event),
                    (select max(created_at) from run), clock_timestamp())
    """
)

_ENGAGE = text(
    """
    insert into restore_guard (system_id, database_oid, seen_at, engaged_at, reason, backup_at)
    values (:system_id, :database_oid, :held_until, clock_timestamp(), :reason, :held_until)
    on conflict (one) do update
    set engaged_at = excluded.engaged_at, reason = excluded.reason, backup_at = restore_guard.seen_at
    where restore_guard.engaged_at is null
    """
)

_RELEASE = text(
    """
    update restore_guard
    set engaged_at = null, reason = null, system_id = :system_id, database_oid = :database_oid,
        backup_at = null,
        seen_at = greatest(clock_timestamp(), seen_at + interval '1 microsecond',
                           cast(:seen_at as timestamptz) + interval '1 microsecond')
    """
)


def engaged(connection: Connection) -> Engaged | None:
    """Why nothing is sent; None if the guard is not engaged."""
    row = connection.execute(_READ).first()
    return None if row is None or row.engaged_at is None else Engaged(row.engaged_at, row.reason, row.backup_at)


def look(connection: Connection) -> Engaged | None:
    """Compare the ledger with what this process knows of it, in the caller's transaction, which must be committed.

    Returns:
        Why nothing may be sent, if the guard is engaged or was engaged by this call; None if all is well.
    """
    database = identity(connection)
    row = connection.execute(_READ).first()
    if row is not None and row.engaged_at is not None:
        return Engaged(row.engaged_at, row.reason, row.backup_at)
    reason = _reason(row, database)
    if reason is not None:
        return engage(connection, reason)
    if row is None:
        connection.execute(_BEGIN, _columns(database))
    else:
        remember(database, row.seen_at)
    connection.info[_TRUSTED] = True
    return None


def _reason(row: Any, database: Identity) -> str | None:
    """What tells that the ledger is not the one it was; None if nothing does."""
    latest = remembered(database)
    if row is None:
        return None if latest is None else "the database is older than the guard itself, which had been seen in it"
    other_system = row.system_id != database.system_id and None not in (row.system_id, database.system_id)
    if other_system or row.database_oid != database.database_oid:
        return "the ledger was copied here from another database: a restored dump, or a copy"
    if latest is not None and row.seen_at < latest:
        return f"the ledger went back in time: it was seen at {latest:%Y-%m-%d %H:%M:%S} UTC, and holds nothing of that"
    return None


def held_until(connection: Connection) -> datetime:
    """The last instant that the ledger is known to hold; a restored one holds little that came after it."""
    at: datetime = connection.execute(_HELD_UNTIL).scalar_one()
    return at


def engage(connection: Connection, reason: str) -> Engaged:
    """Let nothing be sent until the ledger was compared with the platforms; as it was, if engaged already."""
    values = {**_columns(identity(connection)), "reason": reason, "held_until": held_until(connection)}
    connection.execute(_ENGAGE, values)
    found = engaged(connection)
    assert found is not None
    return found


def move_on(connection: Connection) -> datetime | None:
    """Move the ledger's mark on; the new one, to be remembered after the commit. None if the guard is engaged."""
    at: datetime | None = connection.execute(_MOVE_ON, _columns(identity(connection))).scalar()
    return at


_NOTE_GAP = text(
    """
    update restore_guard
    set lost_from = least(lost_from, backup_at), lost_until = clock_timestamp() + make_interval(secs => :lease_s)
    """
)


def note_gap(connection: Connection, *, lease_s: float) -> None:
    """Note from when until when something may have been done of which the ledger knows nothing."""
    connection.execute(_NOTE_GAP, {"lease_s": lease_s})


def release(connection: Connection) -> None:
    """Let runs be sent again, and take this database for the ledger's from now on.

    The mark jumps ahead of every mark that was seen before.
    """
    database = identity(connection)
    connection.execute(_RELEASE, {**_columns(database), "seen_at": remembered(database)})


def _columns(database: Identity) -> dict[str, Any]:
    return {"system_id": database.system_id, "database_oid": database.database_oid}
