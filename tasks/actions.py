"""The tasks that any Celery client may send: one per action, ``connectors.<slug>.<action>``.

Keyword arguments: ``organization_id``, ``connection``, ``input`` and optionally ``idempotency_key``. The run is
recorded under the task's id; only then is the message acknowledged. Bad input ends as a failed run that says why.
"""

from __future__ import annotations

import time
from typing import Any

import structlog
from celery import Task
from celery.exceptions import Reject

from connectors.registry import CONNECTORS
from neonhub_worker import foreign
from neonhub_worker.app import app
from tasks.consumer import UNKNOWN_ACTION
from tasks.entry import EntryTask

log = structlog.get_logger("neonhub.entry")

_DATABASE_AWAY_S = 1.0


def record(task: Task, *, sent: dict[str, Any]) -> None:
    """Record the run that this message asks for."""
    try:
        foreign.record(**sent)
    except Exception as error:
        # Back to the queue: this message is the only trace of the request. What is wrong with it is recorded, so this
        # is the database's fault: away, not migrated, out of space. The text may quote the message and is not logged.
        log.warning("entry_waits", run_id=task.request.id, error=type(error).__name__)
        time.sleep(_DATABASE_AWAY_S)
        raise Reject(requeue=True) from None


for _connector in CONNECTORS:
    for _action in _connector.actions.values():
        app.task(record, base=EntryTask, name=_action.task_name, bind=True)

app.task(record, base=EntryTask, name=UNKNOWN_ACTION, bind=True)
