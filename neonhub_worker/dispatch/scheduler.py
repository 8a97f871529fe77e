"""What does ``celery beat`` do here? One idempotent tick over Postgres; any number of beats may run.

A tick fires due occurrences, rescues expired leases, expires what is too late, publishes what is due, sends the entries
of ``beat_schedule``, and removes some of what is past. Rows are taken with ``for update skip locked``, so that no beat
has to be elected. Before all of it the ledger's mark is moved on; nothing of it is done while the restore guard is
engaged.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import psycopg
import structlog
from celery.beat import ScheduleEntry, Scheduler
from sqlalchemy import text
from sqlalchemy.engine import make_url

from neonhub_worker import clock, faults
from neonhub_worker.consent import contact_rules
from neonhub_worker.db.engine import transaction
from neonhub_worker.dispatch import due, gates, heartbeat, permits
from neonhub_worker.dispatch.publish import publish
from neonhub_worker.errors import first_line
from neonhub_worker.ledger import decisions, rescue, retention
from neonhub_worker.ledger.acceptance import DUE_CHANNEL
from neonhub_worker.schedules import firing
from neonhub_worker.settings import settings

log = structlog.get_logger("neonhub.dispatch")

TICK_S = 1.0
"""Longest time between two ticks: what a lost notification can cost."""

BACKLOG_S = 0.03
"""Time between two looks while runs wait for room on the broker: workers make room without saying so."""

PRUNE_S = 60.0
"""Time between two sweeps over what is past; within one, each second's tick removes a batch."""


class PostgresScheduler(Scheduler):
    """Celery's scheduler seam, on Postgres: ``beat_scheduler`` of celeryconfig names it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._listener: psycopg.Connection | None = None
        self._kept_house_at = -math.inf
        self._open = False
        self._prune_at = -math.inf
        self._pruned: retention.Mark | None = None
        super().__init__(*args, **kwargs)

    def tick(self, *_: Any, **__: Any) -> float:
        """Do what is due, then wait until something may be: at most ``TICK_S``.

        Returns:
            0: the waiting is done in here, on the database's notifications.
        """
        wait_s = TICK_S
        if clock.elapsed_clock() - self._kept_house_at >= TICK_S:
            self._kept_house_at = clock.elapsed_clock()
            self._open = False
            self._safely(self._move_on)
            works = (self._fire, self._rescue, self._send_entries, self._prune) if self._open else ()
            for work in works:
                wait_s = min(wait_s, self._safely(work))
        if self._open:
            wait_s = min(wait_s, self._safely(self._publish))
        if wait_s > 0:
            self._listen(wait_s)
        return 0

    def close(self) -> None:
        """Close the listening connection; beat calls it on its way out."""
        if self._listener is not None:
            self._listener.close()
        super().close()

    def _safely(self, work: Callable[[], float]) -> float:
        """Run one part of the tick; a failure is logged and costs only this part of this tick."""
        try:
            return work()
        except Exception as error:
            log.warning(
                "tick_failed", part=work.__name__.strip("_"), error=type(error).__name__, reason=first_line(error)
            )
            return TICK_S

    def _move_on(self) -> float:
        self._open = heartbeat.beat()
        return TICK_S

    def _fire(self) -> float:
        with transaction() as connection:
            fired = firing.fire_due(connection)
        if fired:
            log.info("occurrences_fired", count=fired)
        return TICK_S

    def _rescue(self) -> float:
        with transaction() as connection:
            rescued = rescue.rescue(connection)
            decisions.expire(connection)
            faults.point("rescue.written")
        for run_id in rescued:
            log.warning("lease_expired", run_id=str(run_id))
        return TICK_S

    def _prune(self) -> float:
        now = clock.elapsed_clock()
        if now < self._prune_at:
            return TICK_S
        self._prune_at = now + PRUNE_S
        days = settings().retention_days
        with transaction() as connection:
            runs, mark = retention.prune(connection, days=days, mark=self._pruned)
            others = (
                permits.forget_past(connection)
                + firing.forget_past(connection, days=days)
                + gates.forget_past(connection)
                + contact_rules.forget_past(connection)
            )
        self._pruned = mark
        if mark is not None or others:
            self._prune_at = now
        if runs:
            log.info("pruned", runs=runs)
        return TICK_S

    def _publish(self) -> float:
        with transaction() as connection:
            due.ripen(connection, redispatch_s=settings().redispatch_s)
            taken = due.take(connection)
            faults.point("dispatch.taken")
            publish(taken.due)
            faults.point("dispatch.published")
            next_s = due.seconds_to_next(connection)
        faults.point("dispatch.committed")
        if taken.due:
            log.info("published", count=len(taken.due))
        waits = [wait_s for wait_s in (next_s, taken.opens_s, BACKLOG_S if taken.more else None) if wait_s is not None]
        return max(0.0, min(waits, default=TICK_S))

    def _send_entries(self) -> float:
        """Send the due entries of ``beat_schedule``; their last run is a row, so that several beats share it."""
        if not self.schedule:
            return TICK_S
        wait_s = TICK_S
        with transaction() as connection:
            for name, entry in self.schedule.items():
                wait_s = min(wait_s, self._send_entry(connection, name, entry))
        return wait_s

    def _send_entry(self, connection: Any, name: str, entry: ScheduleEntry) -> float:
        now = clock.now()
        connection.execute(_ENTRY_SEEN, {"name": name, "now": now})
        last_run_at: datetime | None = connection.execute(_ENTRY_LOCK, {"name": name}).scalar()
        if last_run_at is None:  # another beat holds this entry's row at this moment
            return TICK_S
        is_due, next_s = entry.schedule.is_due(last_run_at)
        if is_due:
            # Sent before the commit: a crash here sends it twice, as Celery's own beat may, but never loses it.
            self.apply_async(entry, producer=self.producer, advance=False)
            connection.execute(_ENTRY_RAN, {"name": name, "now": now})
            log.info("entry_sent", entry=name, task=entry.task)
        return max(0.05, float(next_s or TICK_S))

    def _listen(self, wait_s: float) -> None:
        try:
            if self._listener is None or self._listener.closed:
                url = make_url(settings().need_database_url()).set(drivername="postgresql")
                self._listener = psycopg.connect(
                    url.render_as_string(hide_password=False), autocommit=True, connect_timeout=5
                )
                self._listener.execute(f"listen {DUE_CHANNEL}")
                return  # what was notified before we listened is found by the next tick
            for _ in self._listener.notifies(timeout=wait_s, stop_after=1):
                pass
        except psycopg.Error as error:
            log.warning("listen_failed", error=type(error).__name__, reason=first_line(error))
            self._listener = None
            time.sleep(TICK_S)


_ENTRY_SEEN = text("insert into beat_entry (name, last_run_at) values (:name, :now) on conflict (name) do nothing")
_ENTRY_LOCK = text("select last_run_at from beat_entry where name = :name for update skip locked")
_ENTRY_RAN = text("update beat_entry set last_run_at = :now, total_run_count = total_run_count + 1 where name = :name")
