"""How many deliveries were refused, and why? Counted in memory and written down once a second.

Who sends unsigned requests must not be able to make the database work.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import Connection, text

from neonhub_worker.db.engine import transaction

log = structlog.get_logger("neonhub.webhooks")

_ADD = text(
    """
    insert into webhook_refusal (connector, reason, number, last_at)
    select connector, reason, number, clock_timestamp()
    from unnest(cast(:connector as text[]), cast(:reason as text[]), cast(:number as bigint[]))
         as t(connector, reason, number)
    order by connector, reason
    on conflict (connector, reason) do update
    set number = webhook_refusal.number + excluded.number, last_at = excluded.last_at
    """
)


class Refusals:
    """The refusals of this process that are not written down yet."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def count(self, connector: str, reason: str) -> None:
        """Count one.

        Args:
            connector: A known slug, or ``-``: never what the sender wrote.
        """
        with self._lock:
            self._counts[connector, reason] += 1

    def write(self) -> None:
        """Write down and log what was counted; it stays counted if that fails.

        Raises:
            Unreachable: The database does not answer.
        """
        with self._lock:
            counts = dict(self._counts)
        if not counts:
            return
        keys = list(counts)
        with transaction() as connection:
            connection.execute(
                _ADD,
                {
                    "connector": [connector for connector, _ in keys],
                    "reason": [reason for _, reason in keys],
                    "number": [counts[key] for key in keys],
                },
            )
        with self._lock:
            self._counts -= Counter(counts)
        for (connector, reason), number in counts.items():
            log.warning("deliveries_refused", connector=connector, reason=reason, number=number)


@dataclass(frozen=True)
class Refused:
    """How often deliveries of one platform were refused for one reason, ever."""

    connector: str
    reason: str
    number: int
    last_at: datetime


def read(connection: Connection) -> list[Refused]:
    """All that were written down."""
    query = text("select connector, reason, number, last_at from webhook_refusal order by connector, reason")
    return [Refused(**row) for row in connection.execute(query).mappings()]
