"""What becomes of a message that Celery does not know or cannot read? Ours are recorded; no other stops the worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from celery.worker.consumer import Consumer
from celery.worker.consumer.tasks import Tasks

from tasks.entry import PREFIX

log = structlog.get_logger("neonhub.entry")

UNKNOWN_ACTION = f"{PREFIX}unknown"
"""The task that records requests for actions that do not exist."""

# What a message of the wrong shape raises. A lost connection is left to Celery, which takes a KeyError for one.
_MALFORMED = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


class Strategies(dict[str, Callable[..., Any]]):
    """What handles a message, by its task's name."""

    def __getitem__(self, name: object) -> Callable[..., Any]:
        if not isinstance(name, str):
            raise KeyError(name)
        known = name in self or not name.startswith(PREFIX)
        return super().__getitem__(name if known else UNKNOWN_ACTION)


class PatientConsumer(Consumer):
    """Celery's consumer; ``worker_consumer`` of celeryconfig names it."""

    Strategies = Strategies

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for step in self.steps:
            if isinstance(step, Tasks):
                # RabbitMQ's quorum queues refuse a limit that all queues of a channel share, which is Celery's default.
                step.qos_global = lambda _: False

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], None]:
        """What takes each message; a message that it chokes on is dropped with one line in the log.

        Celery would stop the worker, and the next worker would stop at the same message.
        """
        handle = super().create_task_handler(*args, **kwargs)

        def handle_any(message: Any) -> None:
            try:
                handle(message)
            except _MALFORMED as error:
                self._drop(message, type(error).__name__)

        return handle_any

    def on_unknown_task(self, body: Any, message: Any, exc: Any) -> None:
        """A name that is not one of our tasks'."""
        self._drop(message, "no task of that name")

    def on_unknown_message(self, body: Any, message: Any) -> None:
        """No Celery message."""
        self._drop(message, "no Celery message")

    def on_invalid_task(self, body: Any, message: Any, exc: Any) -> None:
        """A task of ours, but not as Celery writes it."""
        self._drop(message, type(exc).__name__)

    def on_decode_error(self, message: Any, exc: Any) -> None:
        """Its body is not what its content type says."""
        self._drop(message, type(exc).__name__)

    def _drop(self, message: Any, why: str) -> None:
        headers = message.headers if isinstance(message.headers, dict) else {}
        named = {key: repr(headers.get(key))[:100] for key in ("task", "id")}
        log.error("message_dropped", why=why, **named)
        if not message.acknowledged:
            message.reject_log_error(log, self.connection_errors)
