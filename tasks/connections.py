"""The task that keeps connections alive which are not used."""

from __future__ import annotations

from neonhub_worker.app import app
from neonhub_worker.performing import tokens
from tasks.edge import EdgeTask


@app.task(base=EdgeTask, name="connections.renew_idle")
def renew_idle() -> None:
    """Renew the tokens of idle connections; safe to deliver any number of times."""
    tokens.renew_idle()
