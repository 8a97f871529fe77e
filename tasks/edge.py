"""What do all our tasks have in common at Celery's edge? Their arguments appear in no log, event or inspection."""

from __future__ import annotations

from typing import Any

from celery import Task
from celery.worker.request import Request

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
