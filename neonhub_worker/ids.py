"""How is every id and key made? All in this file, from random bits or other ids, never from text shown to people."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import uuid
from datetime import UTC, datetime
from typing import Any

from neonhub_worker import clock

_FOREIGN_TASKS = uuid.UUID("5f0c2f5e-6c1e-5d0b-9f3a-6e656f6e6875")


_last = 0
_lock = threading.Lock()


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562); ids of one process sort as they were made, which keeps index inserts at the edge."""
    global _last
    milliseconds = int(clock.now().timestamp() * 1000)
    value = _version_7(milliseconds, os.urandom(10)).int
    with _lock:
        _last = max(value, _last + 1)
        return uuid.UUID(int=_last)


def _version_7(milliseconds: int, chance: bytes) -> uuid.UUID:
    value = (milliseconds << 80) | int.from_bytes(chance, "big")
    value = value & ~(0xF << 76) | (0x7 << 76)
    value = value & ~(0x3 << 62) | (0x2 << 62)
    return uuid.UUID(int=value)


def run_id_of_task(task_id: str) -> uuid.UUID:
    """The run id of a task that another Celery client sent.

    A UUID is taken as it is. Any other text gives a UUIDv5, the same for every delivery of that message.
    """
    try:
        return uuid.UUID(task_id)
    except ValueError:
        return uuid.uuid5(_FOREIGN_TASKS, task_id.encode(errors="backslashreplace").decode())


def run_id_of_second(run_id: uuid.UUID, content: Any) -> uuid.UUID:
    """The id of the refused run of a task whose id another request has already; the same for every delivery."""
    return uuid.uuid5(_FOREIGN_TASKS, f"{run_id} {digest(content)}")


def task_id_of_body(body: bytes) -> str:
    """What stands in for the id of a message that has none; the same for every delivery."""
    return f"without an id: {hashlib.sha256(body).hexdigest()}"


def effect_key(run_id: uuid.UUID, step: str) -> str:
    """The key of one effect, the same in every attempt: what is given to the platform wherever it offers a field."""
    return run_id.hex if step == "send" else f"{run_id.hex}-{step}"


def run_id_of_occurrence(schedule_id: uuid.UUID, due_at: datetime) -> uuid.UUID:
    """The id of the run that one occurrence makes, a UUIDv7: the same for a ledger that has forgotten that it fired.

    So the effect key is the same too, and the platform knows what was done under it.
    """
    milliseconds = int(due_at.timestamp() * 1000)
    chance = hashlib.sha256(occurrence_key(schedule_id, due_at).encode()).digest()[:10]
    return _version_7(milliseconds, chance)


def occurrence_key(schedule_id: uuid.UUID, due_at: datetime) -> str:
    """The idempotency key of the run that one occurrence makes."""
    return f"schedule:{schedule_id}:{due_at.astimezone(UTC).isoformat()}"


def digest(value: Any) -> str:
    """SHA-256 in hex of a JSON value; key order does not matter."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
