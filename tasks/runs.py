"""The task that our own messages carry: take these runs and carry them out."""

from __future__ import annotations

import uuid

from neonhub_worker.app import app
from neonhub_worker.dispatch.publish import PERFORM_TASK
from neonhub_worker.performing import batch
from tasks.edge import EdgeTask


@app.task(base=EdgeTask, name=PERFORM_TASK)
def perform(run_ids: list[str]) -> None:
    """Carry out the due runs among these; safe to deliver any number of times.

    Args:
        run_ids: UUIDs of rows of ``run``. The rows hold all else, so the message is small and holds no secret.
    """
    batch.perform([uuid.UUID(run_id) for run_id in run_ids])
