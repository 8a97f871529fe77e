"""What does a worker or beat do when it starts? Log in our shape, say it is ready, free its predecessor's leases."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import Any

import structlog
from celery import signals

from neonhub_worker.db.engine import transaction
from neonhub_worker.dispatch import events
from neonhub_worker.errors import Unreachable
from neonhub_worker.ledger import rescue
from neonhub_worker.settings import settings
from neonhub_worker.telemetry import logging as log_shape

log = structlog.get_logger("neonhub.process")

_AGAIN_S = 0.5


@signals.setup_logging.connect
def configure_logging(loglevel: int = logging.INFO, **_: Any) -> None:
    """Take Celery's logging over."""
    log_shape.configure(level=loglevel or logging.INFO)


@signals.worker_ready.connect
def worker_ready(sender: Any = None, **_: Any) -> None:
    """The worker consumes from now on."""
    events.set_hostname(sender.hostname)
    _release_dead()
    _mark_ready()


@signals.beat_init.connect
def beat_ready(**_: Any) -> None:
    """Beat ticks from now on."""
    _mark_ready()


def _release_dead() -> None:
    """End the leases of earlier incarnations of this worker, which the supervisor has seen die.

    While the database is away nothing could be done anyway; once the leases have run out by themselves it is in vain.
    """
    dead, killed = _names("NEONHUB_DEAD_WORKERS"), _names("NEONHUB_KILLED_WORKERS")
    until = time.monotonic() + settings().lease_s
    while dead and time.monotonic() < until:
        try:
            with transaction() as connection:
                rescue.release(connection, dead, killed=killed)
            return
        except Unreachable:
            log.warning("release_waits", then="asked again until the leases have run out by themselves")
            time.sleep(_AGAIN_S)


def _names(variable: str) -> list[str]:
    return [name for name in os.environ.get(variable, "").split(",") if name]


def _mark_ready() -> None:
    ready_file = os.environ.get("NEONHUB_READY_FILE")
    if ready_file:
        Path(ready_file).touch()
