"""How does a message of another Celery client reach our code? Opened by us, with nothing left for Celery to judge.

Celery would hold an ``eta`` in the worker's memory, drop what has expired or what it cannot read, and stop the worker
for an envelope of the wrong shape. The ledger keeps both instants, and every message has to leave a run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from celery.worker.strategy import default

from neonhub_worker import ids
from neonhub_worker.errors import FieldError
from tasks.edge import EdgeTask

PREFIX = "connectors."


class EntryTask(EdgeTask):
    """A task that other Celery clients send. Its message is acknowledged once the run is recorded, and only then."""

    Strategy = "tasks.entry:record_at_once"
    acks_late = True
    reject_on_worker_lost = True


@dataclass(frozen=True)
class Opened:
    """What Celery gets in place of the message: the run's id, and what was sent as one argument.

    It has the shape of a message of protocol 1, which needs no decoding.
    """

    payload: Mapping[str, Any]
    properties: Mapping[str, Any]
    delivery_info: Mapping[str, Any]
    headers: Mapping[str, Any] = field(default_factory=dict)
    body: bytes = b""


def record_at_once(task: EntryTask, app: Any, consumer: Any, **options: Any) -> Callable[..., Any]:
    """Celery's strategy, but whatever the message holds it is handed over at once."""
    handle = default(task, app, consumer, **options)

    def handle_now(message: Any, _: Any, *args: Any, **kwargs: Any) -> Any:
        sent = read(message)
        payload = {
            "task": task.name,
            "id": str(ids.run_id_of_task(sent["task_id"])),
            "args": [],
            "kwargs": {"sent": sent},
        }
        return handle(Opened(payload, message.properties, message.delivery_info), None, *args, **kwargs)

    return handle_now


def read(message: Any) -> dict[str, Any]:
    """The arguments of ``foreign.record``, from an envelope of protocol 1 or 2 that may hold anything."""
    flaw = None
    try:
        payload = message.decode()
    except Exception as error:
        payload, flaw = None, FieldError("body", f"must be readable JSON ({type(error).__name__})")
    fields, args, kwargs = _parts(payload, message.headers)
    task_id = fields.get("id")
    if not isinstance(task_id, str) or not task_id:
        flaw = flaw or FieldError("id", "must be a text of the task's own, such as a UUID")
        task_id = ids.task_id_of_body(_bytes(message.body))
    return {
        "task_id": task_id,
        "action": str(fields["task"]).removeprefix(PREFIX),
        "args": args,
        "kwargs": kwargs,
        "eta": fields.get("eta"),
        "expires": fields.get("expires"),
        "flaw": flaw,
    }


def _parts(payload: Any, headers: Mapping[str, Any]) -> tuple[Mapping[str, Any], Any, Any]:
    if isinstance(payload, Mapping):  # protocol 1: all in one object
        return {**payload, **headers}, payload.get("args"), payload.get("kwargs", {})
    if isinstance(payload, (list, tuple)) and len(payload) >= 2:
        return headers, payload[0], payload[1]
    return headers, None, None


def _bytes(body: Any) -> bytes:
    # As RabbitMQ or Redis hands it over.
    return bytes(body) if isinstance(body, (bytes, memoryview)) else str(body).encode(errors="backslashreplace")
