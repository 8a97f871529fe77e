"""Who renews a connection's token, and what came of it? One process at a time, one guarded statement per move.

The right to renew is a lease on the connection's row, so that no transaction is open while the platform is asked. What
is stored is guarded by the version of the credential that was renewed: whoever comes late with the answer to the same
question still brings the only refresh token that works, unless somebody has stored another credential meanwhile.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from neonhub_worker.db import jsonb
from neonhub_worker.ledger.acceptance import DUE_CHANNEL
from neonhub_worker.vault import cipher

YOUNG_S = 60.0
"""A token that is refused so soon after it was renewed would not get better by being renewed again."""


@dataclass(frozen=True)
class Begun:
    """This process may renew.

    Attributes:
        cut_off: The process that renewed before ended without saying how that went: the platform may have replaced a
            refresh token that nobody stored.
    """

    cut_off: bool


@dataclass(frozen=True)
class Elsewhere:
    """Another process renews, or the next try has to wait.

    Attributes:
        wait_s: Seconds after which it is worth looking again.
    """

    wait_s: float


class Changed:
    """The connection has another credential by now, or is out of use."""


# The old holder is read from the locked row: only then is it the one that this statement follows.
_BEGIN = text(
    """
    update connection c
    set refreshing_until = clock_timestamp() + make_interval(secs => :lease_s), refreshing_by = :by
    from (select id, refreshing_by from connection where id = :id for update) before
    where c.id = before.id and c.credential_version = :version and c.state = any(:states)
          and (c.refreshing_until is null or c.refreshing_until <= clock_timestamp())
          and (c.renew_after is null or c.renew_after <= clock_timestamp() or :at_once)
    returning before.refreshing_by is not null as cut_off
    """
)

_WHY_NOT = text(
    """
    select credential_version = :version and state = any(:states) as same,
           cast(extract(epoch from refreshing_until - clock_timestamp()) as float8) as held_s,
           cast(extract(epoch from renew_after - clock_timestamp()) as float8) as after_s
    from connection where id = :id
    """
)

_SHORTEST_WAIT_S = 0.5


def begin(
    connection: Connection, connection_id: uuid.UUID, *, version: int, by: str, lease_s: float, at_once: bool = False
) -> Begun | Elsewhere | Changed:
    """Take the right to renew a credential; it must be committed before the platform is asked.

    Args:
        version: The credential that is to be renewed.
        by: Who asks; unique.
        lease_s: Seconds after which another may try, unless this one says how it went before.
        at_once: A person asks: neither a dead grant nor the time until the next try is minded.
    """
    states = ["active", "reauthorize"] if at_once else ["active"]
    values = {"id": connection_id, "version": version, "states": states}
    row = connection.execute(_BEGIN, {**values, "by": by, "lease_s": lease_s, "at_once": at_once}).one_or_none()
    if row is not None:
        return Begun(row.cut_off)
    found = connection.execute(_WHY_NOT, values).one_or_none()
    if found is None or not found.same:
        return Changed()
    if found.held_s is None or found.held_s <= 0:
        return Elsewhere(max(found.after_s or 0.0, _SHORTEST_WAIT_S))
    # As long as it has taken already: an answer mostly comes soon, that of a dead process never.
    return Elsewhere(max(_SHORTEST_WAIT_S, min(found.held_s, lease_s - found.held_s)))


_STORE = text(
    """
    update connection
    set credential = :credential, credential_version = credential_version + 1, refused_version = null,
        state = case when state = 'reauthorize' then 'active' else state end,
        refreshing_until = null, refreshing_by = null, renewed_at = clock_timestamp(), renew_after = null,
        renewal_failures = 0, renewal_error = null, updated_at = now()
    where id = :id and credential_version = :version
    returning 1
    """
)


def store(connection: Connection, connection_id: uuid.UUID, credential: dict[str, Any], *, version: int) -> bool:
    """Keep a renewed credential; it must be committed before it is used.

    Returns:
        False if the connection has another one by now.
    """
    values = {"id": connection_id, "version": version, "credential": cipher.encrypt(credential)}
    if connection.execute(_STORE, values).first() is None:
        return False
    connection.execute(text(f"notify {DUE_CHANNEL}"))
    return True


_FAIL = text(
    """
    update connection
    set refreshing_until = null, refreshing_by = null, renewal_failures = renewal_failures + 1,
        renewal_error = cast(:error as jsonb), renew_after = clock_timestamp() + make_interval(secs => least(
            :longest_s, greatest(:wait_s, :first_s * power(2, least(renewal_failures, 20)))))
    where id = :id and credential_version = :version and refreshing_by = :by
    returning cast(extract(epoch from renew_after - clock_timestamp()) as float8) as wait_s
    """
)

_FIRST_S = 2.0
_LONGEST_S = 300.0
_LONGEST_ASKED_S = 3600.0


def fail(
    connection: Connection, connection_id: uuid.UUID, error: dict[str, Any], *, version: int, by: str, wait_s: float
) -> float:
    """Note that a renewal did not work this time, and give the right back.

    Args:
        wait_s: Seconds that the platform asks to wait.

    Returns:
        Seconds until the next try, twice as many after each failure.
    """
    values = {
        "id": connection_id,
        "error": jsonb.dumps(error),
        "version": version,
        "by": by,
        "wait_s": min(wait_s, _LONGEST_ASKED_S),
        "first_s": _FIRST_S,
        "longest_s": max(_LONGEST_S, min(wait_s, _LONGEST_ASKED_S)),
    }
    row = connection.execute(_FAIL, values).one_or_none()
    return _FIRST_S if row is None else float(row.wait_s)


_END = text(
    """
    update connection
    set state = case when state = 'active' then 'reauthorize' else state end, renewal_error = cast(:error as jsonb),
        refreshing_until = null, refreshing_by = null, updated_at = now()
    where id = :id and credential_version = :version and refreshing_by = :by
    """
)


def end(connection: Connection, connection_id: uuid.UUID, error: dict[str, Any], *, version: int, by: str) -> None:
    """Note that the grant is dead: the connection's runs wait until a person has agreed again."""
    values = {"id": connection_id, "error": jsonb.dumps(error), "version": version, "by": by}
    connection.execute(_END, values)


_REFUSE = text(
    """
    update connection c set refused_version = c.credential_version
    from unnest(cast(:ids as uuid[]), cast(:versions as int[])) as r(id, version)
    where c.id = r.id and c.credential_version = r.version and c.refused_version is distinct from r.version
    """
)


def refuse(connection: Connection, refused: Collection[tuple[uuid.UUID, int]]) -> None:
    """Note that a platform refused credentials before their time, so that they are renewed before the next use."""
    if refused:
        # In one order, for those who do the same at the same time.
        ordered = sorted(set(refused))
        values = {"ids": [one for one, _ in ordered], "versions": [version for _, version in ordered]}
        connection.execute(_REFUSE, values)
