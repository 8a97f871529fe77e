"""How does Flower see runs? As Celery task events, one task per run, under the run's own name and id.

The messages that carry runs to workers are left out of Flower (``send_events = False``): a batch is not what a person
looks for. Arguments are never part of an event: they hold phone numbers and texts. Events are best effort.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import structlog
from celery.events import EventDispatcher

from neonhub_worker.app import app
from neonhub_worker.ledger.leases import Claimed, Outcome
from neonhub_worker.ledger.states import RunState

log = structlog.get_logger("neonhub.telemetry")

HIDDEN = "(kept in the ledger)"

_lock = threading.Lock()
_hostname = "worker"


def set_hostname(hostname: str) -> None:
    """The Celery node name that the events come from, so that Flower links them to their worker."""
    global _hostname
    _hostname = hostname


@functools.lru_cache(maxsize=1)
def _dispatcher() -> EventDispatcher:
    return EventDispatcher(
        app.connection_for_write(), hostname=_hostname, app=app, buffer_while_offline=False, groups=["task"]
    )


def _send(events: Iterable[tuple[str, dict[str, Any]]]) -> None:
    if not app.conf.worker_send_task_events:
        return
    try:
        with _lock:
            dispatcher = _dispatcher()
            for kind, fields in events:
                dispatcher.send(kind, **fields)
    except Exception as error:
        log.debug("events_dropped", error=type(error).__name__)
        _dispatcher.cache_clear()


def started(claimed: Sequence[Claimed]) -> None:
    """These runs were claimed by this worker."""
    _send(event for one in claimed for event in _started_events(one))


def _started_events(one: Claimed) -> Iterable[tuple[str, dict[str, Any]]]:
    yield (
        "task-received",
        {
            "uuid": str(one.id),
            "name": f"connectors.{one.name}",
            "args": HIDDEN,
            "kwargs": HIDDEN,
            "retries": one.attempts - 1,
            "root_id": str(one.id),
            "parent_id": None,
        },
    )
    yield "task-started", {"uuid": str(one.id)}


def settled(outcomes: Sequence[Outcome], moved: Mapping[UUID, RunState], *, runtime_s: float) -> None:
    """These attempts ended.

    Args:
        moved: The new states of those that were still held.
        runtime_s: Seconds since they were claimed.
    """
    _send(_ended_event(o, moved[o.id], runtime_s) for o in outcomes if o.id in moved)


def _ended_event(outcome: Outcome, state: RunState, runtime_s: float) -> tuple[str, dict[str, Any]]:
    uuid = str(outcome.id)
    why = "" if outcome.error is None else f"{outcome.error['class']}: {outcome.error['message']}"
    if state is RunState.SUCCEEDED:
        return "task-succeeded", {"uuid": uuid, "result": outcome.provider_id or "ok", "runtime": runtime_s}
    if state in (RunState.RETRYING, RunState.WAITING, RunState.QUEUED):
        return "task-retried", {"uuid": uuid, "exception": why or outcome.move, "traceback": ""}
    if state in (RunState.CANCELLED, RunState.EXPIRED):
        return "task-revoked", {"uuid": uuid, "terminated": False, "signum": None, "expired": state is RunState.EXPIRED}
    return "task-failed", {"uuid": uuid, "exception": f"{state}: {why}" if why else str(state), "traceback": ""}
