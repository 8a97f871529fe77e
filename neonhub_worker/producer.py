"""How does work get in, and what can be done about it afterwards? What ``import neonhub_worker`` offers."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection

from neonhub_worker import faults, requests
from neonhub_worker.db.engine import transaction
from neonhub_worker.dispatch import due
from neonhub_worker.dispatch.publish import Due, publish
from neonhub_worker.errors import UnknownRun, Unreachable
from neonhub_worker.ledger import acceptance, decisions, runs
from neonhub_worker.ledger.acceptance import Accepted, Draft
from neonhub_worker.ledger.runs import Run
from neonhub_worker.ledger.states import FINAL, RunState
from neonhub_worker.requests import RunRequest
from neonhub_worker.schedules import rows

log = structlog.get_logger("neonhub.producer")

_POLL_S = 0.2


def enqueue(request: RunRequest | Mapping[str, Any], *, connection: Connection | None = None) -> uuid.UUID:
    """Accept one request.

    Args:
        request: What is to be done; see ``RunRequest`` for the fields.
        connection: Your own SQLAlchemy connection: the run is then accepted when your transaction commits and gone if
            it rolls back; the dispatcher publishes it after the commit. Without it, the run is committed here and
            published at once.

    Returns:
        The run's id, which is also its Celery task id; that of the earlier run if the idempotency key is known.

    Raises:
        InvalidInput: Names each field and the rule it breaks; nothing was accepted.
        IdempotencyConflict: The key was used before with another input.
        Unreachable: The database does not answer; ask again with the same idempotency key.
    """
    return enqueue_many([request], connection=connection)[0]


def enqueue_many(
    wanted: Iterable[RunRequest | Mapping[str, Any]], *, connection: Connection | None = None
) -> list[uuid.UUID]:
    """Accept many requests, all or none of them, in one transaction.

    Args and errors are those of ``enqueue``; the fields of broken rules begin with the item's number, from 1.

    Returns:
        The runs' ids, in the order of the requests.
    """
    parsed = requests.parse_all(list(wanted))
    # In the caller's transaction a savepoint: what is refused leaves the rest of it as it was.
    with transaction(connection) as opened, nullcontext() if connection is None else opened.begin_nested():
        drafts = requests.drafts(opened, parsed)
        accepted = acceptance.accept(opened, drafts, published=connection is None)
    if connection is None:
        _publish_new(drafts, accepted)
    return [one.id for one in accepted]


def validate(request: RunRequest | Mapping[str, Any], *, connection: Connection | None = None) -> None:
    """Check a request as ``enqueue`` would, and accept nothing.

    Raises:
        InvalidInput: Names each field and the rule it breaks.
    """
    with transaction(connection) as opened:
        requests.drafts(opened, [requests.parse(request)])


def _publish_new(drafts: Sequence[Draft], accepted: Sequence[Accepted]) -> None:
    """Wake workers at once; whatever the broker does not take now, the dispatcher publishes."""
    faults.point("accept.committed")
    fresh = [
        Due(draft.id, draft.queue, draft.name, draft.connection_id)
        for draft, one in zip(drafts, accepted, strict=True)
        if one.publish
    ]
    try:
        publish(fresh)
    except Exception as error:
        log.warning("broker_unreachable", count=len(fresh), error=type(error).__name__, then="the dispatcher publishes")
        _leave_to_dispatcher([one.id for one in fresh])


def _leave_to_dispatcher(run_ids: Sequence[uuid.UUID]) -> None:
    try:
        with transaction() as opened:
            due.unpublish(opened, run_ids)
    except Unreachable:
        log.warning("unpublish_failed", count=len(run_ids), then="published again after NEONHUB_REDISPATCH_S")


def schedule(
    request: RunRequest | Mapping[str, Any],
    *,
    name: str,
    cron: str | None = None,
    every: timedelta | None = None,
    at: datetime | None = None,
    timezone: str = "UTC",
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    misfire: str = "fire_once",
    catch_up_limit: int = 10,
    jitter_s: int = 0,
    connection: Connection | None = None,
) -> uuid.UUID:
    """Make a schedule whose every occurrence makes one run.

    Args:
        request: What each run does; checked now. Its ``at``, ``expires_at`` and ``idempotency_key`` must be
                left out.
        name: Unique within the organization.
        cron: Five fields in ``timezone``. A local time that daylight saving skips fires at the next valid instant; one
            that it repeats fires once. A rule of every hour keeps its pace through both.
        every: The time that elapses between two occurrences, counted from ``starts_at``, or from now.
        at: The one instant, aware. Give exactly one of cron, every and at.
        timezone: An IANA zone.
        starts_at: The first instant, aware, that may be an occurrence.
        ends_at: The last instant, aware, that may be an occurrence.
        misfire: What happens to occurrences that come more than a minute late, because nothing ran: ``skip``;
            ``fire_once`` (the newest of them, unless one is on time); ``catch_up`` (the newest ``catch_up_limit``).
        jitter_s: Each occurrence is moved later by up to this many seconds, by a fixed amount per occurrence, and never
            beyond the next one or ``ends_at``.
        connection: Your own transaction, as in ``enqueue``.

    Returns:
        The schedule's id.

    Raises:
        InvalidInput: Names each field and the rule it breaks.
    """
    parsed = requests.parse(request)
    requests.forbid(parsed, "at", "idempotency_key", why="each occurrence has its own")
    requests.forbid(parsed, "expires_at", why="it would expire every later occurrence; ends_at ends a schedule")
    with transaction(connection) as opened:
        (draft,) = requests.drafts(opened, [parsed])
        return rows.create(
            organization_id=parsed.organization_id,
            name=name,
            template=requests.template(draft),
            cron=cron,
            every=every,
            at=at,
            timezone=timezone,
            starts_at=starts_at,
            ends_at=ends_at,
            misfire=misfire,
            catch_up_limit=catch_up_limit,
            jitter_s=jitter_s,
            connection=opened,
        )


def get_run(run_id: uuid.UUID | str, *, connection: Connection | None = None) -> Run:
    """Read a run with its timeline.

    Raises:
        UnknownRun: There is none with this id.
    """
    with transaction(connection) as opened:
        return runs.get(opened, _uuid(run_id))


def wait(run_id: uuid.UUID | str, *, timeout_s: float = 60.0, until: Callable[[Run], bool] | None = None) -> Run:
    """Wait until a run has ended or is parked.

    Args:
        timeout_s: Seconds; afterwards the run is returned as it is then.
        until: Another condition to wait for.

    Raises:
        UnknownRun: There is none with this id.
    """
    ended = until or (lambda run: run.state in (*FINAL, RunState.PARKED))
    deadline = time.monotonic() + timeout_s
    while True:
        run = get_run(run_id)
        if ended(run) or time.monotonic() >= deadline:
            return run
        time.sleep(min(_POLL_S, max(0.0, deadline - time.monotonic())))


def cancel(run_id: uuid.UUID | str, *, connection: Connection | None = None) -> Run:
    """Call a run off; see ``ledger.decisions.cancel`` for what happens to one that is being sent.

    Raises:
        MoveRefused: The run has ended or is parked.
        UnknownRun: There is none with this id.
    """
    return _decide(lambda opened: decisions.cancel(opened, _uuid(run_id)), run_id, connection)


def retry(run_id: uuid.UUID | str, *, connection: Connection | None = None) -> Run:
    """Make a failed, cancelled or expired run due again, under the same keys.

    Raises:
        MoveRefused: The run is in another state.
        UnknownRun: There is none with this id.
    """
    return _decide(lambda opened: decisions.retry(opened, _uuid(run_id)), run_id, connection)


def settle(
    run_id: uuid.UUID | str, *, sent: str | None = None, not_sent: bool = False, connection: Connection | None = None
) -> Run:
    """Say what happened to a parked run: give exactly one of ``sent`` and ``not_sent``.

    Args:
        sent: The provider's id of the effect that happened.
        not_sent: It certainly did not happen; the run fails and may be retried.

    Raises:
        MoveRefused: The run is not parked.
        UnknownRun: There is none with this id.
        ValueError: Both or neither were given.
    """
    if (sent is not None) == not_sent:
        raise ValueError("give either sent=PROVIDER_ID or not_sent=True")
    return _decide(lambda opened: decisions.settle(opened, _uuid(run_id), sent=sent), run_id, connection)


def _decide(decision: Callable[[Connection], object], run_id: uuid.UUID | str, connection: Connection | None) -> Run:
    with transaction(connection) as opened:
        decision(opened)
        return runs.get(opened, _uuid(run_id))


def _uuid(run_id: uuid.UUID | str) -> uuid.UUID:
    if isinstance(run_id, uuid.UUID):
        return run_id
    try:
        return uuid.UUID(run_id)
    except ValueError:
        raise UnknownRun(f"{run_id!r} is not a run id; `neonhub runs list` shows the latest") from None
