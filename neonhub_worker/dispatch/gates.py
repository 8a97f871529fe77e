"""What must wait at a connection? What its platform limited, and everything while it does not work.

A gate is closed until a time. A rate limit closes exactly what the platform limited: the connection, one action or one
target. A connection that keeps failing has its circuit opened: nothing is sent until a time, then one run goes as a
probe; if the platform works again all others follow, if not the circuit stays open for longer.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import structlog
from sqlalchemy import Connection, text

log = structlog.get_logger("neonhub.dispatch")

CIRCUIT = "circuit"
FAILURES = 5
"""Failures without a success in between that open the circuit of a connection."""

_OPEN_S = 5.0
_LONGEST_OPEN_S = 300.0
_LONGEST_CLOSED_S = 86_400.0

SCOPES = "array['circuit', 'connection', 'action:' || {name}, 'target:' || {target}]"
"""SQL: the gates that a run of an action and target has to pass."""


@dataclass(frozen=True)
class Report:
    """What an attempt found out about a connection.

    Attributes:
        failed: The platform did not work; not the run's fault.
        limited: What the platform limited, and for how many seconds.
        reason: Class of the error, for people.
    """

    run_id: uuid.UUID
    connection_id: uuid.UUID
    action: str
    target: str | None
    failed: bool = False
    limited: tuple[Literal["connection", "action", "target"], float] | None = None
    reason: str | None = None


_CLOSE = text(
    """
    insert into gate (connection_id, scope, closed_until, reason)
    values (:connection_id, :scope, clock_timestamp() + make_interval(secs => :seconds), :reason)
    on conflict (connection_id, scope) do update
    set closed_until = greatest(gate.closed_until, excluded.closed_until), reason = excluded.reason
    """
)

_SEEN = text("insert into gate (connection_id, scope) values (:connection_id, 'circuit') on conflict do nothing")

_LOCK = text(
    """
    select failures, trips, coalesce(closed_until > clock_timestamp(), false) as closed
    from gate where connection_id = :connection_id and scope = 'circuit' for update
    """
)

_COUNT = text(
    "update gate set failures = :failures, reason = :reason where connection_id = :connection_id and scope = 'circuit'"
)

_OPEN = text(
    """
    update gate
    set failures = :failures, trips = trips + 1, probe = null, reason = :reason,
        closed_until = clock_timestamp() + make_interval(secs => :seconds)
    where connection_id = :connection_id and scope = 'circuit'
    """
)


def record(connection: Connection, reports: Sequence[Report]) -> None:
    """Close what the platform limited and count failures, in the transaction that ends the attempts.

    That a platform works is recorded by ``leases.settle`` itself: it is the common case and must cost nothing.
    """
    failures: dict[uuid.UUID, list[Report]] = defaultdict(list)
    for report in sorted(reports, key=lambda one: (one.connection_id, one.action, one.target or "")):
        if report.limited is not None:
            _close(connection, report, *report.limited)
        if report.failed:
            failures[report.connection_id].append(report)
    for connection_id, failed in failures.items():
        _count_failures(connection, connection_id, failed)


def _close(connection: Connection, report: Report, of: str, seconds: float) -> None:
    scope = {"action": f"action:{report.action}", "target": f"target:{report.target}"}.get(of, "connection")
    connection.execute(
        _CLOSE,
        {
            "connection_id": report.connection_id,
            "scope": "connection" if of == "target" and report.target is None else scope,
            "seconds": min(seconds, _LONGEST_CLOSED_S),
            "reason": report.reason,
        },
    )


def _count_failures(connection: Connection, connection_id: uuid.UUID, failed: Sequence[Report]) -> None:
    connection.execute(_SEEN, {"connection_id": connection_id})
    gate = connection.execute(_LOCK, {"connection_id": connection_id}).one()
    values = {"connection_id": connection_id, "failures": gate.failures + len(failed), "reason": failed[-1].reason}
    # Whoever was under way when the circuit opened fails too, and says nothing new.
    if gate.closed or values["failures"] < FAILURES:
        connection.execute(_COUNT, values)
        return
    seconds = min(_LONGEST_OPEN_S, _OPEN_S * 2.0**gate.trips)
    connection.execute(_OPEN, {**values, "seconds": seconds})
    log.warning("circuit_opened", connection_id=str(connection_id), reason=values["reason"], seconds=seconds)


_PROBE = text(
    """
    update gate set probe = :run_id, closed_until = clock_timestamp() + make_interval(secs => :seconds)
    where connection_id = :connection_id and scope = 'circuit'
    """
)


def probe(connection: Connection, connection_id: uuid.UUID, run_id: uuid.UUID, *, seconds: float) -> None:
    """Let one run through an open circuit whose time has passed; the others wait for it, at most so many seconds."""
    connection.execute(_PROBE, {"connection_id": connection_id, "run_id": run_id, "seconds": seconds})


@dataclass(frozen=True)
class Closed:
    """A gate that is closed, or a circuit that waits for a probe.

    Attributes:
        closed_until: None if its time has passed and a probe decides.
    """

    scope: str
    closed_until: datetime | None
    failures: int
    reason: str | None


def closed(connection: Connection, connection_id: uuid.UUID) -> list[Closed]:
    """The closed gates of a connection, for people."""
    rows = connection.execute(
        text(
            "select scope, case when closed_until > clock_timestamp() then closed_until end as closed_until, failures, "
            "reason from gate where connection_id = :connection_id "
            "and (closed_until > clock_timestamp() or failures >= :failures) order by scope"
        ),
        {"connection_id": connection_id, "failures": FAILURES},
    )
    return [Closed(**row) for row in rows.mappings()]


def forget_past(connection: Connection, *, limit: int = 1000) -> int:
    """Remove gates that closed nothing for an hour, one for each target that was ever limited; how many there were."""
    forgotten = connection.execute(
        text(
            "delete from gate where (connection_id, scope) in (select connection_id, scope from gate "
            "where failures = 0 and closed_until < clock_timestamp() - interval '1 hour' limit :limit "
            "for update skip locked) returning 1"
        ),
        {"limit": limit},
    )
    return len(forgotten.all())
