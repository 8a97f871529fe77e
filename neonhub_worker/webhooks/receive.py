"""What becomes of one delivery? It is proved, read and kept, and only then thanked for."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from connectors.kit.webhook import Answer, Delivery, DeliveryRefused
from connectors.webhooks import WEBHOOKS
from neonhub_worker import clock, faults
from neonhub_worker.db.engine import transaction
from neonhub_worker.vault import cipher
from neonhub_worker.webhooks import store
from neonhub_worker.webhooks.refusals import Refusals

NOBODY = "-"
"""In place of a connector that does not exist."""

NOT_FOUND = Answer(404)
REFUSED = Answer(401)
"""For whatever reason: who probes learns nothing. Discord insists on this status."""

_CREDENTIAL = text(
    "select credential from connection where id = :id and connector = :connector and state <> 'disabled'"
)


def receive(slug: str, delivery: Delivery, refusals: Refusals) -> Answer:
    """Take a delivery in.

    Raises:
        Unreachable: The database does not answer; nothing was kept, and the platform will send it again.
        VaultError: The connection's credential cannot be read.
    """
    webhooks = WEBHOOKS.get(slug)
    if webhooks is None:
        refusals.count(NOBODY, "unknown_address")
        return NOT_FOUND
    connection_id = _uuid(delivery.connection_id)
    secrets = None if connection_id is None else _secrets(connection_id, slug)
    if connection_id is None or secrets is None:
        refusals.count(slug, "unknown_address")
        return NOT_FOUND
    try:
        if delivery.method == "GET":
            return webhooks.handshake(delivery, secrets)
        now = clock.now()
        webhooks.verify(delivery, secrets, now=now)
        reading = webhooks.read(delivery, now=now)
    except DeliveryRefused as refused:
        refusals.count(slug, refused.reason)
        return REFUSED
    try:
        with transaction() as connection:
            store.keep(connection, connection_id, reading.events)
    except IntegrityError:  # the connection was removed a moment ago
        refusals.count(slug, "unknown_address")
        return NOT_FOUND
    faults.point("webhook.kept")
    return webhooks.answer if reading.answer is None else reading.answer


def _uuid(value: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(value)
    except ValueError:
        return None


def _secrets(connection_id: uuid.UUID, slug: str) -> Mapping[str, Any] | None:
    with transaction() as connection:
        found = connection.execute(_CREDENTIAL, {"id": connection_id, "connector": slug}).scalar()
    return None if found is None else cipher.decrypt(bytes(found))
