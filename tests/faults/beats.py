"""One tick of a beat, in a process of its own: this one may be bound to another broker."""

from __future__ import annotations

import subprocess
import sys

TICKS = """
from neonhub_worker.app import app
from neonhub_worker.dispatch import scheduler
scheduler.TICK_S = 0.001
scheduler.PostgresScheduler(app=app).tick()
"""


def tick() -> None:
    """Do all that a beat does in a tick."""
    subprocess.run([sys.executable, "-c", TICKS], check=True, capture_output=True, timeout=60)
