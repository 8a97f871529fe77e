"""Until when does a connection work without a person? What its tokens and its platform's version let us foresee."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import cast

from pydantic import ValidationError

from connectors import registry
from connectors.kit.connector import Connector
from connectors.kit.oauth import OAuthCredential
from neonhub_worker import clock
from neonhub_worker.db.engine import transaction
from neonhub_worker.errors import NeonhubError
from neonhub_worker.vault import connections
from neonhub_worker.vault.connections import Opened

SOON = timedelta(days=14)
"""How long before the end of a grant people are told."""

SUNSET_SOON = timedelta(days=60)
"""How long before a platform's version ends people are told."""


@dataclass(frozen=True)
class Grant:
    """What is known of the tokens of a connection.

    Attributes:
        expires_at: When its access token ends; None if it does not.
        renewed: Whether it is renewed by itself.
        ends_at: When a person has to act at the latest; None if the platform names no such day.
        missing: Scopes that were asked for and not granted.
    """

    expires_at: datetime | None
    renewed: bool
    ends_at: datetime | None
    missing: tuple[str, ...]


def of(opened: Opened) -> Grant | None:
    """The grant of a connection; None if its credential is none that ends."""
    try:
        connector = registry.connector(opened.connector)
        if connector.oauth is None:
            return None
        credential = cast("OAuthCredential", connector.credential.model_validate(opened.credential))
    except (registry.UnknownConnector, ValidationError):
        return None
    oauth = connector.oauth
    return Grant(credential.expires_at, oauth.renews(credential), oauth.ends_at(credential), oauth.missing(credential))


@dataclass(frozen=True)
class Outlook:
    """What is foreseen of a connection.

    Attributes:
        warnings: What a person should know or do, a sentence each.
    """

    grant: Grant | None
    warnings: tuple[str, ...]


def outlooks(connection_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Outlook]:
    """What is foreseen of connections; nothing of one whose credential cannot be read, or that is out of use."""
    with transaction() as connection:
        found = connections.open_connections(connection_ids, connection=connection)
    now = clock.now()
    return {connection_id: _outlook(found[connection_id], now) for connection_id in connection_ids}


def _outlook(opened: Opened | NeonhubError, now: datetime) -> Outlook:
    if isinstance(opened, NeonhubError):
        return Outlook(None, ())
    grant = of(opened)
    return Outlook(grant, tuple(warnings(opened, grant, now)))


def warnings(opened: Opened, grant: Grant | None, now: datetime) -> list[str]:
    """What a person should know or do, a sentence each; nothing if all is well."""
    said = []
    if opened.state == "reauthorize":
        why = "its grant is dead" if opened.trouble is None else str(opened.trouble["message"])
        said.append(f"its runs wait until a person agrees again: {why}")
    elif opened.trouble is not None:
        said.append(str(opened.trouble["message"]))
    if grant is None:
        return said
    if opened.state == "active" and grant.ends_at is not None and grant.ends_at - now < SOON:
        verb = "ended" if grant.ends_at <= now else "ends"
        said.append(f"its grant {verb} on {grant.ends_at:%Y-%m-%d}: agree again before that")
    if grant.missing:
        said.append(f"not granted: {', '.join(grant.missing)}")
    return said


def sunsets(today: date) -> list[tuple[Connector, date]]:
    """The connectors whose platform ends the version they speak within 60 days, or has ended it."""
    found = [(connector, connector.api_sunset) for connector in registry.CONNECTORS]
    return [(connector, on) for connector, on in found if on is not None and on - today < SUNSET_SOON]
