"""How does everything fare? What ``neonhub status`` shows."""

from __future__ import annotations

from typing import Any

import structlog
from sqlalchemy import text

from neonhub_worker.app import app
from neonhub_worker.db.engine import transaction
from neonhub_worker.ledger import guard
from neonhub_worker.ledger.states import RunState
from neonhub_worker.local import stack
from neonhub_worker.settings import settings
from neonhub_worker.webhooks import refusals, store

log = structlog.get_logger("neonhub.status")

# Each part by an index of its own that holds no finished run.
_OLDEST_DUE = text(
    """
    select extract(epoch from clock_timestamp() - min(run_at)) from (
        select min(run_at) as run_at from run where state = 'queued' and published_at is null
        union all select min(run_at) from run where state = 'queued' and published_at is not null
        union all select min(run_at) from run where state in ('scheduled', 'retrying', 'waiting')
    ) due where run_at <= clock_timestamp()
    """
)


def read() -> dict[str, Any]:
    """Runs by state, messages by queue (None where the broker does not answer), age of the oldest due run, processes.

    ``restore_guard`` says why nothing is sent; None if nothing keeps runs from being sent. ``webhooks`` counts events
    that wait to be worked off, and deliveries that were refused.

    Raises:
        Unreachable: The database does not answer.
    """
    with transaction() as connection:
        grouped = connection.execute(text("select state, count(*) as number from run group by state"))
        counts = {row.state: row.number for row in grouped}
        oldest = connection.execute(_OLDEST_DUE).scalar()
        engaged = guard.engaged(connection)
        refused = refusals.read(connection)
        backlog = store.backlog(connection)
    return {
        "runs": {str(state): counts.get(str(state), 0) for state in RunState},
        "queues": _queues(),
        "oldest_due_s": None if oldest is None else float(oldest),
        "restore_guard": None if engaged is None else engaged.sentence,
        "webhooks": {
            "waiting": backlog.waiting,
            "refused": [
                {"connector": one.connector, "reason": one.reason, "number": one.number, "last_at": one.last_at}
                for one in refused
            ],
        },
        "processes": [
            {"name": p.name, "pid": p.pid, "alive": p.alive, "restarts": p.restarts}
            for p in stack.processes(settings().home)
        ],
    }


def _queues() -> dict[str, int | None]:
    names = [queue.name for queue in app.conf.task_queues]
    try:
        with app.connection_for_read() as connection:
            return {name: _length(connection, name) for name in names}
    except Exception as error:
        log.warning("broker_unreachable", error=type(error).__name__)
        return dict.fromkeys(names)


def _length(connection: Any, name: str) -> int:
    try:
        return int(connection.default_channel.queue_declare(name, passive=True).message_count)
    except connection.channel_errors:
        return 0  # nobody has declared it yet: Redis knows a queue only while something is in it
