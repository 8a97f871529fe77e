"""What beat's ticks leave on the broker and in the ledger."""

from __future__ import annotations

import json
import uuid
from typing import Any

import redis
from sqlalchemy import text

from neonhub_worker import enqueue_many
from neonhub_worker.db.engine import transaction
from tests.factories import sms


def messages(broker: redis.Redis, queue: str = "actions") -> list[dict[str, Any]]:
    """The kwargs of the messages in a queue, which is empty afterwards."""
    found = []
    for name in (queue, *(f"{queue}\x06\x16{priority}" for priority in (3, 6, 9))):
        while (message := broker.rpop(name)) is not None:
            assert isinstance(message, bytes)
            headers = json.loads(message)["headers"]
            found.append({"task": headers["task"], "id": headers["id"], "kwargs": headers["kwargsrepr"]})
            found[-1]["size"] = len(message)
    return found


def accept_unpublished(count: int = 1, **changes: Any) -> list[uuid.UUID]:
    """Accepted in a producer's own transaction: the dispatcher has to publish it."""
    with transaction() as connection:
        return enqueue_many([sms(**changes)] * count, connection=connection)


def published(run_ids: list[uuid.UUID]) -> int:
    with transaction() as connection:
        query = text("select count(*) from run where published_at is not null and id = any(:ids)")
        count: int = connection.execute(query, {"ids": run_ids}).scalar_one()
        return count
