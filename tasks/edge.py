"""What do all our tasks have in common at Celery's edge? Arguments stay private; nothing waits in a worker's memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import Task
from celery.worker.request import Request
from celery.worker.strategy import default

HIDDEN = "(kept private)"


class PrivateRequest(Request):
    """A request whose arguments appear in no log, event or inspection: they may hold phone numbers and texts."""

    @property
    def argsrepr(self) -> str:
        """A fixed text."""
        return HIDDEN

    @property
    def kwargsrepr(self) -> str:
        """A fixed text."""
        return HIDDEN

    def info(self, safe: bool = False) -> dict[str, Any]:
        """What ``celery inspect`` and Flower's worker page show."""
        return {**super().info(safe=safe), "args": HIDDEN, "kwargs": HIDDEN}

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.humaninfo()}>"


class EdgeTask(Task):
    """Base of our tasks: Flower sees runs through dispatch/events.py, not through the messages that carry them."""

    Request = "tasks.edge:PrivateRequest"
    send_events = False
    ignore_result = True
    typing = False


class EntryTask(EdgeTask):
    """A task that other Celery clients send. Its message is acknowledged once the run is recorded, and only then."""

    Strategy = "tasks.edge:record_at_once"
    acks_late = True
    reject_on_worker_lost = True


def record_at_once(task: Task, app: Any, consumer: Any, **options: Any) -> Callable[..., Any]:
    """Celery's strategy, but a message with ``eta`` or ``expires`` is handed over at once.

    The ledger keeps both instants. Celery would hold an eta in the worker's memory, where Redis redelivers it every
    visibility timeout, and would drop an expired message unrecorded.
    """
    handle = default(task, app, consumer, **options)

    def handle_now(message: Any, body: Any, *args: Any, **kwargs: Any) -> Any:
        old_protocol = isinstance(message.payload, dict) and "args" in message.payload
        fields = message.payload if old_protocol else message.headers
        for name in ("eta", "expires"):
            message.headers[f"neonhub_{name}"] = fields.get(name)
            fields[name] = None
        return handle(message, body, *args, **kwargs)

    return handle_now
