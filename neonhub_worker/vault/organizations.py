"""Which organizations are there?"""

from __future__ import annotations

import re

from sqlalchemy import Connection, text

from neonhub_worker.db.engine import transaction
from neonhub_worker.errors import FieldError, InvalidInput, UnknownOrganization

_SHAPE = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def ensure(organization_id: str, name: str, *, connection: Connection | None = None) -> None:
    """Create an organization unless it is there.

    Raises:
        InvalidInput: The id is not one.
    """
    if not _SHAPE.fullmatch(organization_id):
        rule = "1 to 63 of a-z, 0-9, - and _, beginning with a letter or digit"
        raise InvalidInput([FieldError("organization_id", rule)])
    with transaction(connection) as opened:
        opened.execute(
            text("insert into organization (id, name) values (:id, :name) on conflict (id) do nothing"),
            {"id": organization_id, "name": name},
        )


def exists(organization_id: str, *, connection: Connection | None = None) -> bool:
    """Whether there is an organization with this id."""
    with transaction(connection) as opened:
        query = text("select 1 from organization where id = :id")
        return opened.execute(query, {"id": organization_id}).first() is not None


def need(organization_id: str, *, connection: Connection | None = None) -> None:
    """Make sure that there is an organization with this id.

    Raises:
        UnknownOrganization: There is none.
    """
    if not exists(organization_id, connection=connection):
        raise UnknownOrganization(f"no organization {organization_id!r}; `neonhub connections add` makes one")
