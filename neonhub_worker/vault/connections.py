"""Which connections does an organization have? Credentials are encrypted and appear in no repr, log or error."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, RowMapping, text
from sqlalchemy.exc import IntegrityError

from neonhub_worker import ids
from neonhub_worker.db.engine import transaction
from neonhub_worker.errors import ConnectionExists, MoveRefused, NeonhubError, UnknownConnection, VaultError
from neonhub_worker.ledger.acceptance import DUE_CHANNEL
from neonhub_worker.vault import cipher, organizations


@dataclass(frozen=True)
class Described:
    """A connection without its secrets.

    Attributes:
        state: ``active``, ``reauthorize`` (its grant is dead; its runs wait until a person renews it) or ``disabled``.
        trouble: Why its token could not be renewed the last time, ``{"class", "code", "message"}``; None if it could.
    """

    id: uuid.UUID
    organization_id: str
    name: str
    connector: str
    account: str
    settings: dict[str, Any]
    limits: list[dict[str, Any]]
    state: str
    trouble: dict[str, Any] | None


@dataclass(frozen=True)
class Opened:
    """A connection with its secrets.

    Attributes:
        version: Counts the credentials that the connection has had.
        refused: The platform has refused this credential before its time.
        renewed_s: Seconds since it was renewed; None if it never was.
        trouble: Why it could not be renewed the last time; None if it could.
    """

    id: uuid.UUID
    connector: str
    account: str
    settings: dict[str, Any]
    limits: list[dict[str, Any]]
    state: str
    version: int
    refused: bool
    renewed_s: float | None
    trouble: dict[str, Any] | None
    credential: dict[str, Any] = field(repr=False)


_COLUMNS = "id, organization_id, name, connector, account, settings, limits, state, renewal_error as trouble"


def add(
    *,
    organization_id: str,
    name: str,
    connector: str,
    account: str,
    credential: dict[str, Any],
    settings: dict[str, Any],
    limits: Sequence[Mapping[str, Any]] = (),
    connection: Connection | None = None,
) -> uuid.UUID:
    """Add a connection.

    Args:
        limits: What this account may do, besides what its platform allows everyone; ``Limit.as_json``.

    Raises:
        ConnectionExists: The organization has one of this name.
        VaultError: The credential cannot be encrypted.
    """
    values = {
        "id": ids.new_id(),
        "organization_id": organization_id,
        "name": name,
        "connector": connector,
        "account": account,
        "credential": cipher.encrypt(credential),
        "settings": json.dumps(settings),
        "limits": json.dumps(list(limits)),
    }
    insert = text(
        "insert into connection (id, organization_id, name, connector, account, credential, settings, limits) values "
        "(:id, :organization_id, :name, :connector, :account, :credential, cast(:settings as jsonb), "
        "cast(:limits as jsonb))"
    )
    try:
        with transaction(connection) as opened:
            opened.execute(insert, values)
    except IntegrityError:
        raise ConnectionExists(
            f"{organization_id} has a connection {name!r} already; remove it first, or give this one another name"
        ) from None
    return uuid.UUID(str(values["id"]))


def replace_credential(
    connection_id: uuid.UUID,
    credential: dict[str, Any],
    settings: dict[str, Any],
    *,
    connection: Connection | None = None,
) -> None:
    """Store a new credential and new settings; the connection is active from now on, and what waited for it goes on."""
    with transaction(connection) as opened:
        opened.execute(
            text(
                "update connection set credential = :credential, settings = cast(:settings as jsonb), "
                "state = 'active', updated_at = now(), credential_version = credential_version + 1, "
                "refused_version = null, refreshing_until = null, refreshing_by = null, renewed_at = null, "
                "renew_after = null, renewal_failures = 0, renewal_error = null where id = :id"
            ),
            {"id": connection_id, "credential": cipher.encrypt(credential), "settings": json.dumps(settings)},
        )
        opened.execute(text(f"notify {DUE_CHANNEL}"))


def get_by_name(organization_id: str, name: str, *, connection: Connection | None = None) -> Described:
    """Find a connection.

    Raises:
        UnknownOrganization: There is no such organization.
        UnknownConnection: The organization has no connection of this name.
    """
    with transaction(connection) as opened:
        found = find(organization_id, name, connection=opened)
        if found is not None:
            return found
        organizations.need(organization_id, connection=opened)
    raise UnknownConnection(
        f"{organization_id} has no connection {name!r}; `neonhub connections list --org {organization_id}` shows them"
    )


def find(organization_id: str, name: str, *, connection: Connection | None = None) -> Described | None:
    """Find a connection; None if there is none."""
    query = text(f"select {_COLUMNS} from connection where organization_id = :organization_id and name = :name")  # noqa: S608
    with transaction(connection) as opened:
        row = opened.execute(query, {"organization_id": organization_id, "name": name}).mappings().first()
    return None if row is None else Described(**row)


def open_connection(connection_id: uuid.UUID | None, *, connection: Connection | None = None) -> Opened:
    """Read a connection with its secrets.

    Raises:
        UnknownConnection: It is gone or disabled.
        VaultError: Its credential cannot be read.
    """
    with transaction(connection) as opened:
        found = open_connections([connection_id], connection=opened)[connection_id]
    if isinstance(found, NeonhubError):
        raise found
    return found


def open_connections(
    connection_ids: Collection[uuid.UUID | None], *, connection: Connection
) -> dict[uuid.UUID | None, Opened | NeonhubError]:
    """Read connections with their secrets, in one statement.

    Returns:
        Each by its id; in place of one that cannot be opened, why.
    """
    query = text(
        "select id, connector, account, settings, limits, state, credential, credential_version as version, "
        "coalesce(refused_version = credential_version, false) as refused, renewal_error as trouble, "
        "cast(extract(epoch from clock_timestamp() - renewed_at) as float8) as renewed_s "
        "from connection where id = any(:ids)"
    )
    rows = {row["id"]: row for row in connection.execute(query, {"ids": list(connection_ids)}).mappings()}
    return {connection_id: _open(rows.get(connection_id)) for connection_id in connection_ids}


def _open(row: RowMapping | None) -> Opened | NeonhubError:
    if row is None:
        return UnknownConnection("the run's connection is gone; add it again and enqueue a new run")
    if row["state"] == "disabled":
        return UnknownConnection("the run's connection is disabled; enable it and retry the run")
    try:
        credential = cipher.decrypt(row["credential"])
    except VaultError as error:
        return error
    return Opened(**{**row, "credential": credential})


def list_all(organization_id: str, *, connection: Connection | None = None) -> list[Described]:
    """An organization's connections, by name."""
    query = text(f"select {_COLUMNS} from connection where organization_id = :organization_id order by name")  # noqa: S608
    with transaction(connection) as opened:
        return [Described(**row) for row in opened.execute(query, {"organization_id": organization_id}).mappings()]


def unchanged(slugs: Sequence[str], *, days: int, connection: Connection) -> list[uuid.UUID]:
    """The active connections to these platforms whose credential has not changed for so many days."""
    query = text(
        "select id from connection where connector = any(:slugs) and state = 'active' "
        "and updated_at < now() - make_interval(days => :days) order by updated_at"
    )
    return list(connection.execute(query, {"slugs": list(slugs), "days": days}).scalars())


def set_state(organization_id: str, name: str, state: str, *, connection: Connection | None = None) -> None:
    """Set a connection's state.

    Raises:
        UnknownConnection: The organization has none of this name.
    """
    found = get_by_name(organization_id, name, connection=connection)
    with transaction(connection) as opened:
        opened.execute(
            text("update connection set state = :state, updated_at = now() where id = :id"),
            {"id": found.id, "state": state},
        )
        opened.execute(text(f"notify {DUE_CHANNEL}"))


def set_limits(
    organization_id: str, name: str, limits: Sequence[Mapping[str, Any]], *, connection: Connection | None = None
) -> None:
    """Set what this account may do; it holds for what waits already.

    Raises:
        UnknownConnection: The organization has none of this name.
    """
    with transaction(connection) as opened:
        found = get_by_name(organization_id, name, connection=opened)
        opened.execute(
            text("update connection set limits = cast(:limits as jsonb), updated_at = now() where id = :id"),
            {"id": found.id, "limits": json.dumps(list(limits))},
        )


def remove(organization_id: str, name: str, *, connection: Connection | None = None) -> None:
    """Delete a connection.

    Raises:
        UnknownConnection: The organization has none of this name.
        MoveRefused: Runs refer to it.
    """
    found = get_by_name(organization_id, name, connection=connection)
    try:
        with transaction(connection) as opened:
            opened.execute(text("delete from connection where id = :id"), {"id": found.id})
    except IntegrityError:
        raise MoveRefused(
            f"runs refer to {name!r}, so it stays on record; `neonhub connections disable {name}` puts it out of use"
        ) from None


def rotate_all(*, connection: Connection | None = None) -> int:
    """Encrypt every credential anew with the first vault key, in one transaction; how many there were."""
    with transaction(connection) as opened:
        rows = opened.execute(text("select id, credential from connection for update")).all()
        for row in rows:
            opened.execute(
                text("update connection set credential = :credential where id = :id"),
                {"id": row.id, "credential": cipher.rotate(row.credential)},
            )
    return len(rows)
