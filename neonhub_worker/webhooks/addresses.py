"""Where must a platform send what it has to tell?"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from connectors.dialects.meta_webhooks import MetaWebhooks
from connectors.kit.webhook import DeliveryRefused
from connectors.webhooks import WEBHOOKS
from neonhub_worker.db.engine import transaction
from neonhub_worker.errors import NeonhubError
from neonhub_worker.vault import connections, organizations


@dataclass(frozen=True)
class Address:
    """What a platform's settings page asks for.

    Attributes:
        connection: Its name.
        secret: The field of the credential that proves what comes in.
        ready: Whether the credential has it.
        token: What Meta calls the verify token; None elsewhere, and while the secret is missing.
    """

    connection: str
    connector: str
    url: str
    secret: str
    ready: bool
    token: str | None = field(repr=False, default=None)


def path(connector: str, connection_id: uuid.UUID) -> str:
    """The path of a connection's address."""
    return f"/webhooks/{connector}/{connection_id}"


def of(organization_id: str, *, base_url: str) -> list[Address]:
    """The addresses of an organization's connections whose platforms tell something unasked, by name.

    Raises:
        UnknownOrganization: There is no such organization.
    """
    organizations.need(organization_id)
    with transaction() as opened:
        known = [one for one in connections.list_all(organization_id, connection=opened) if one.connector in WEBHOOKS]
        secrets = connections.open_connections([one.id for one in known], connection=opened)
    found = []
    for one in known:
        opened_one = secrets[one.id]
        credential = {} if isinstance(opened_one, NeonhubError) else opened_one.credential
        webhooks, token = WEBHOOKS[one.connector], None
        try:
            webhooks.secret_of(credential)
            ready = True
        except DeliveryRefused:
            ready = False
        if ready and isinstance(webhooks, MetaWebhooks):
            token = webhooks.verify_token(credential, str(one.id))
        url = base_url + path(one.connector, one.id)
        found.append(Address(one.name, one.connector, url, webhooks.secret, ready, token))
    return found
