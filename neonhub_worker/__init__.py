"""Marketing actions as Celery tasks that are never lost and never done twice.

What a producer calls; everything is imported at first use, so that ``import neonhub_worker`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neonhub_worker.errors import (
        IdempotencyConflict,
        InvalidInput,
        MoveRefused,
        NeonhubError,
        UnknownRun,
        UnknownSchedule,
        Unreachable,
    )
    from neonhub_worker.ledger.runs import Run
    from neonhub_worker.ledger.states import RunState
    from neonhub_worker.producer import (
        cancel,
        enqueue,
        enqueue_many,
        get_run,
        retry,
        schedule,
        settle,
        validate,
        wait,
    )
    from neonhub_worker.requests import RunRequest
    from neonhub_worker.schedules.planning import (
        cancel_occurrence,
        next_occurrences,
        past_occurrences,
        restore_occurrence,
    )

__version__ = "0.1.0"

__all__ = [
    # ask
    "RunRequest",
    "enqueue",
    "enqueue_many",
    "schedule",
    "validate",
    # find out
    "Run",
    "RunState",
    "get_run",
    "next_occurrences",
    "past_occurrences",
    "wait",
    # decide
    "cancel",
    "cancel_occurrence",
    "restore_occurrence",
    "retry",
    "settle",
    # errors
    "NeonhubError",
    "IdempotencyConflict",
    "InvalidInput",
    "MoveRefused",
    "UnknownRun",
    "UnknownSchedule",
    "Unreachable",
]

_HOMES = {
    "neonhub_worker.errors": (
        "IdempotencyConflict",
        "InvalidInput",
        "MoveRefused",
        "NeonhubError",
        "UnknownRun",
        "UnknownSchedule",
        "Unreachable",
    ),
    "neonhub_worker.ledger.runs": ("Run",),
    "neonhub_worker.ledger.states": ("RunState",),
    "neonhub_worker.producer": (
        "cancel",
        "enqueue",
        "enqueue_many",
        "get_run",
        "retry",
        "schedule",
        "settle",
        "validate",
        "wait",
    ),
    "neonhub_worker.requests": ("RunRequest",),
    "neonhub_worker.schedules.planning": (
        "cancel_occurrence",
        "next_occurrences",
        "past_occurrences",
        "restore_occurrence",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME_OF[name]), name)
