"""Who works events off? A thread of the process that takes them in; what a killed one left, the next one finds."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from neonhub_worker import clock
from neonhub_worker.db.engine import transaction
from neonhub_worker.errors import first_line
from neonhub_worker.settings import settings
from neonhub_worker.webhooks import act, recall, store
from neonhub_worker.webhooks.refusals import Refusals

log = structlog.get_logger("neonhub.webhooks")

TICK_S = 1.0
"""Seconds after which it looks without being woken: for what another process left, or what was put off."""

_TAKE_BACK_S = 10.0
_PRUNE_S = 60.0
_STOP_S = 10.0


@contextmanager
def working(refusals: Refusals) -> Iterator[threading.Event]:
    """Work events off in a thread of its own; yields what wakes it."""
    wake, stop = threading.Event(), threading.Event()
    thread = threading.Thread(target=_work, args=(wake, stop, refusals), name="webhooks", daemon=True)
    thread.start()
    try:
        yield wake
    finally:
        stop.set()
        wake.set()
        thread.join(_STOP_S)


def _work(wake: threading.Event, stop: threading.Event, refusals: Refusals) -> None:
    due_at = {"take_back": 0.0, "prune": clock.elapsed_clock() + _PRUNE_S}
    while not stop.is_set():
        wake.clear()
        try:
            busy = act.work_off() == act.BATCH
            refusals.write()
            _keep_house(due_at)
        except Exception as error:
            # Whatever it is, it must not end the only thread that works.
            log.warning("work_failed", error=type(error).__name__, reason=first_line(error))
            busy = False
        if not busy:
            wake.wait(TICK_S)
    refusals.write()


def _keep_house(due_at: dict[str, float]) -> None:
    now = clock.elapsed_clock()
    if now >= due_at["take_back"]:
        due_at["take_back"] = now + _TAKE_BACK_S
        with transaction() as connection:
            taken_back = recall.take_back(connection)
        if taken_back:
            log.info("taken_back", count=taken_back)
    if now >= due_at["prune"]:
        due_at["prune"] = now + _PRUNE_S
        with transaction() as connection:
            if store.forget_past(connection, days=settings().retention_days):
                due_at["prune"] = now
