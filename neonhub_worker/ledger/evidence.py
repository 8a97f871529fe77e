"""What does a platform's own word prove? That an effect of ours happened, and how far it got.

A word that carries our key proves the effect by itself: it settles a run that is parked, and one that is in doubt
before its read-back. A word that carries the platform's id alone belongs to a run that knows that id already.
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import structlog
from sqlalchemy import Connection, text

from neonhub_worker import ids
from neonhub_worker.db import jsonb
from neonhub_worker.ledger import decisions
from neonhub_worker.ledger.states import DUE, EffectState, RunState

log = structlog.get_logger("neonhub.evidence")

DELIVERY = "delivery"
"""What the timeline calls it; the run's state does not change by it."""

RANKS = ("accepted", "sent", "failed", "undelivered", "delivered", "read")
"""Stages, each outranking those before it: in whatever order they are told, the highest stays."""

_KEY = re.compile(r"([0-9a-f]{32})(?:-(.+))?")


@dataclass(frozen=True)
class Evidence:
    """What a platform told of an effect.

    Attributes:
        organization_id: Whose account told it; nobody else's runs are touched.
        connector: The platform.
        stage: One of ``RANKS``.
        said: The platform's own word.
        source: What told so, for the timeline.
    """

    organization_id: str
    connector: str
    stage: str
    said: str
    source: str
    provider_id: str | None = None
    effect_key: str | None = None
    code: str | None = None
    at: datetime | None = None


class Verdict(StrEnum):
    """What came of it."""

    SETTLED = "settled"
    NOTED = "noted"
    NOTHING_NEW = "nothing_new"
    TOO_EARLY = "too_early"
    """A worker still holds the run; what became of it shows later."""
    UNKNOWN = "unknown"
    """No run of the organization is known to have done that, perhaps not yet."""
    CONTRADICTS = "contradicts"
    """The run ended as certainly not done; a person has to look."""


@dataclass(frozen=True)
class Found:
    """Which run it is about, and what came of it."""

    verdict: Verdict
    run_id: uuid.UUID | None = None


_OF_KEY = text(
    """
    select r.id from run r join connection c on c.id = r.connection_id
    where r.id = :id and r.organization_id = :organization_id and c.connector = :connector
    """
)

_OF_PROVIDER_ID = text(
    """
    select s.run_id as id from step s join connection c on c.id = s.connection_id
    where c.organization_id = :organization_id and c.connector = :connector and s.provider_id = :provider_id
    order by s.run_id limit 1
    """
)

_LOCK = text("select state, effect from run where id = :id for update")
_EFFECT = text("select state from step where run_id = :id and name = :name and effect")

_NOTE = text(
    """
    with moved as (
        update run set delivery = cast(:delivery as jsonb)
        where id = :id and coalesce(array_position(cast(:ranks as text[]), delivery ->> 'stage'), 0)
                           < array_position(cast(:ranks as text[]), :stage)
        returning id, state, fence
    )
    insert into run_event (run_id, at, move, state, fence, detail)
    select id, clock_timestamp(), :move, state, fence, cast(:delivery as jsonb) from moved
    returning run_id
    """
)


def weigh(connection: Connection, evidence: Evidence) -> Found:
    """Do what the evidence allows, in the caller's transaction; the same again changes nothing."""
    key = _KEY.fullmatch(evidence.effect_key or "")
    run_id = _of_key(connection, evidence, key[1]) if key else _of_provider_id(connection, evidence)
    if run_id is None:
        return Found(Verdict.UNKNOWN)
    # Locked before it is believed: whoever held the run has left it as it is now.
    run = connection.execute(_LOCK, {"id": run_id}).one()
    if run.state == RunState.RUNNING:
        return Found(Verdict.TOO_EARLY, run_id)
    proved = key is not None and run.effect is not None and evidence.effect_key == ids.effect_key(run_id, run.effect)
    verdict = _settle(connection, run_id, run.state, run.effect, evidence) if proved else None
    noted = _note(connection, run_id, evidence)
    return Found(verdict or (Verdict.NOTED if noted else Verdict.NOTHING_NEW), run_id)


def _of_key(connection: Connection, evidence: Evidence, run_hex: str) -> uuid.UUID | None:
    values = {"organization_id": evidence.organization_id, "connector": evidence.connector}
    found: uuid.UUID | None = connection.execute(_OF_KEY, {**values, "id": uuid.UUID(run_hex)}).scalar()
    return found


def _of_provider_id(connection: Connection, evidence: Evidence) -> uuid.UUID | None:
    if evidence.provider_id is None:
        return None
    values = {"organization_id": evidence.organization_id, "connector": evidence.connector}
    found: uuid.UUID | None = connection.execute(
        _OF_PROVIDER_ID, {**values, "provider_id": jsonb.text(evidence.provider_id)}
    ).scalar()
    return found


def _settle(connection: Connection, run_id: uuid.UUID, state: str, effect: str, evidence: Evidence) -> Verdict | None:
    """End a run by the proof that its effect happened; None if that is known already."""
    known = connection.execute(_EFFECT, {"id": run_id, "name": effect}).scalar()
    if known == EffectState.CONFIRMED or state == RunState.SUCCEEDED:
        return None
    # Even one that was never claimed: a ledger that was restored has forgotten that it was.
    if state in (RunState.PARKED, *DUE):
        decisions.hear(connection, run_id, provider_id=evidence.provider_id, source=evidence.source)
        return Verdict.SETTLED
    log.error("evidence_contradicts", run_id=str(run_id), state=state)
    return Verdict.CONTRADICTS


def _note(connection: Connection, run_id: uuid.UUID, evidence: Evidence) -> bool:
    """Note how far it got, unless it is known to have got further. That it was accepted, the run itself says."""
    if evidence.stage == RANKS[0]:
        return False
    told = {
        "stage": evidence.stage,
        "said": evidence.said,
        "code": evidence.code,
        "at": None if evidence.at is None else evidence.at.isoformat(),
    }
    values = {"id": run_id, "stage": evidence.stage, "ranks": list(RANKS), "move": DELIVERY}
    return connection.execute(_NOTE, {**values, "delivery": jsonb.dumps(told)}).first() is not None
