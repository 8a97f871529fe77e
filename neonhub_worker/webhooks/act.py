"""What follows from an event? A run is settled, a delivery noted, a wish recorded; a repeat changes nothing."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from connectors.kit.webhook import ConsentChange, DeliveryStatus
from neonhub_worker import faults
from neonhub_worker.consent import opt_outs
from neonhub_worker.db.engine import transaction
from neonhub_worker.errors import InvalidInput, NeonhubError
from neonhub_worker.ledger import evidence
from neonhub_worker.ledger.evidence import Evidence, Verdict
from neonhub_worker.webhooks import store
from neonhub_worker.webhooks.store import Taken

log = structlog.get_logger("neonhub.webhooks")

BATCH = 20
"""Events worked off in one transaction: few, because the runs that they settle are held as long."""

_MOST_TRIES = 12
_SHORTEST_WAIT_S, _LONGEST_WAIT_S = 1.0, 600.0
_RESULT_WRITTEN_S = 120.0
"""A platform may tell of an effect before the run knows its id: as long as the longest answer takes, and its commit."""


@dataclass(frozen=True)
class _Outcome:
    said: str
    run_id: uuid.UUID | None = None
    again_in_s: float | None = None


def work_off(*, limit: int = BATCH) -> int:
    """Work off events that are due, in one transaction; how many there were.

    Raises:
        Unreachable: The database does not answer; they stay due.
    """
    with transaction() as connection:
        found = store.take(connection, limit=limit)
        if found:
            faults.point("webhook.taken")
        for taken in found:
            _work_off_one(connection, taken)
        if found:
            faults.point("webhook.acted")
    return len(found)


def _work_off_one(connection: Connection, taken: Taken) -> None:
    try:
        # A savepoint: what one event runs into must not undo what came of the others.
        with connection.begin_nested():
            outcome = _act(connection, taken)
    except (SQLAlchemyError, NeonhubError, ValueError) as error:
        if getattr(error, "connection_invalidated", False):
            raise
        _failed(connection, taken, error)
        return
    if outcome.again_in_s is None:
        store.done(connection, taken, outcome=outcome.said, run_id=outcome.run_id)
    else:
        store.later(connection, taken, delay_s=outcome.again_in_s, outcome=outcome.said, failed=False)


def _failed(connection: Connection, taken: Taken, error: Exception) -> None:
    kind = type(error).__name__
    # Without the id of the event: that of a WhatsApp message holds a phone number.
    log.warning("event_failed", connection_id=str(taken.connection_id), error=kind, tries=taken.tries + 1)
    if taken.tries + 1 >= _MOST_TRIES:
        store.done(connection, taken, outcome=f"gave up: {kind}")
    else:
        delay_s = min(_LONGEST_WAIT_S, _SHORTEST_WAIT_S * 2.0**taken.tries)
        store.later(connection, taken, delay_s=delay_s, outcome=f"failed: {kind}", failed=True)


def _act(connection: Connection, taken: Taken) -> _Outcome:
    event = taken.event()
    if isinstance(event, DeliveryStatus):
        return _delivery(connection, taken, event)
    if isinstance(event, ConsentChange):
        return _consent(connection, taken, event)
    return _Outcome("nothing to do")


def _delivery(connection: Connection, taken: Taken, event: DeliveryStatus) -> _Outcome:
    found = evidence.weigh(
        connection,
        Evidence(
            organization_id=taken.organization_id,
            connector=taken.connector,
            stage=event.stage,
            said=event.said,
            source=f"webhook {taken.event_id}",
            provider_id=event.provider_id,
            effect_key=event.effect_key,
            code=event.code,
            at=event.at,
        ),
    )
    perhaps_soon = found.verdict is Verdict.UNKNOWN and taken.age_s < _RESULT_WRITTEN_S
    if found.verdict is Verdict.TOO_EARLY or perhaps_soon:
        # Doubling its age each time: soon for what is soon settled, seldom for what takes long.
        return _Outcome(found.verdict, found.run_id, again_in_s=min(30.0, max(_SHORTEST_WAIT_S, taken.age_s)))
    if found.verdict is Verdict.SETTLED:
        log.info("settled", run_id=str(found.run_id), connector=taken.connector)
    return _Outcome(found.verdict, found.run_id)


def _consent(connection: Connection, taken: Taken, event: ConsentChange) -> _Outcome:
    try:
        opt_outs.record(
            taken.organization_id,
            event.channel,
            event.address,
            opted_out=event.opted_out,
            source=event.proof,
            # A platform's clock may be ahead of ours; what it tells next must not seem older for that.
            said_at=min(event.at or taken.received_at, taken.received_at),
            connection=connection,
        )
    except InvalidInput:
        return _Outcome("no address that could be written to")
    return _Outcome("opted out" if event.opted_out else "opted in")
