"""The tasks that any Celery client may send: one per action, ``connectors.<slug>.<action>``.

Keyword arguments: ``organization_id``, ``connection``, ``input`` and optionally ``idempotency_key``. The run is
recorded under the task's id; only then is the message acknowledged. Bad input ends as a failed run that says why.
"""

from __future__ import annotations

import time
from typing import Any

import structlog
from celery import Task, signals
from celery.exceptions import Reject

from connectors.registry import CONNECTORS
from neonhub_worker import foreign
from neonhub_worker.app import app
from neonhub_worker.errors import Unreachable
from tasks.edge import EntryTask

log = structlog.get_logger("neonhub.entry")

_DATABASE_AWAY_S = 1.0


def record(task: Task, *args: Any, **kwargs: Any) -> None:
    """Record the run that this message asks for."""
    request = task.request
    try:
        foreign.record(
            task_id=request.id,
            action=task.name.removeprefix("connectors."),
            args=args,
            kwargs=kwargs,
            eta=getattr(request, "neonhub_eta", None),
            expires=getattr(request, "neonhub_expires", None),
        )
    except Unreachable as error:
        # Back to the queue: this message is the only trace of the request.
        log.warning("entry_waits", task_id=request.id, reason=str(error))
        time.sleep(_DATABASE_AWAY_S)
        raise Reject(requeue=True) from error


for _connector in CONNECTORS:
    for _action in _connector.actions.values():
        app.task(record, base=EntryTask, name=_action.task_name, bind=True)


@signals.task_unknown.connect
def record_unknown(name: str = "", id: str = "", message: Any = None, **_: Any) -> None:  # noqa: A002 (Celery's name)
    """A task of ours that does not exist, such as a misspelt action, ends as a failed run too."""
    if name.startswith("connectors."):
        payload = message.payload
        kwargs = payload.get("kwargs", {}) if isinstance(payload, dict) else payload[1]
        foreign.record(task_id=id, action=name.removeprefix("connectors."), args=(), kwargs=kwargs)
