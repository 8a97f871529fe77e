"""Was anything lost or done twice? Pure: what the ledger says and what the sandbox counted in, findings out."""

from __future__ import annotations

import math
import re
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from neonhub_worker.ledger.runs import Event
from neonhub_worker.ledger.states import FINAL, RunState
from tests.acceptance.chaos.plan import Way
from tests.acceptance.chaos.strikes import Struck

ENDED = frozenset({*FINAL, RunState.PARKED})

_WAS_SENT = re.compile(r"was sent|done already")
_WAS_NOT_SENT = re.compile(r"was not sent")


class Fault(StrEnum):
    """What must never be."""

    LOST = "accepted, and nothing happened"
    DUPLICATED = "happened more than once"
    UNSETTLED = "has not ended"
    DENIED = "ended as certainly not done, and happened"
    PARKED = "parked, though its policy is not Park"
    MISNAMED = "recorded under another id than the platform's"
    UNACCEPTED = "never accepted"


@dataclass(frozen=True)
class Effect:
    """What the sandbox counted once.

    Attributes:
        provider_id: The platform's id.
        key: The sender's effect key, or what else the platform knows it by.
    """

    provider_id: str
    key: str | None = None


@dataclass(frozen=True)
class RunRecord:
    """What the ledger says of one run.

    Attributes:
        may_park: Whether its action leaves an unknown outcome to a person.
    """

    id: uuid.UUID
    mark: str
    action: str
    may_park: bool
    state: RunState
    attempts: int
    provider_id: str | None
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Finding:
    """One thing that must never be.

    Attributes:
        run: The run it is about; None if there is none.
        effects: What happened, by the sandbox's count.
    """

    fault: Fault
    mark: str
    run: RunRecord | None
    effects: tuple[Effect, ...]


def judge(
    accepted: Mapping[str, uuid.UUID], runs: Iterable[RunRecord], effects: Mapping[str, Sequence[Effect]]
) -> list[Finding]:
    """Compare.

    Args:
        accepted: The run that the producer was given for each mark.
        runs: Every run in the ledger.
        effects: What the sandbox counted, by mark.
    """
    found: list[Finding] = []
    known: set[str] = set()
    for run in runs:
        happened = tuple(effects.get(run.mark, ()))
        faults = _faults(run, happened)
        if accepted.get(run.mark) != run.id:
            faults.append(Fault.UNACCEPTED)
        else:
            known.add(run.mark)
        found += [Finding(fault, run.mark, run, happened) for fault in faults]
    found += [Finding(Fault.LOST, mark, None, tuple(effects.get(mark, ()))) for mark in accepted.keys() - known]
    strange = effects.keys() - accepted.keys()
    return found + [Finding(Fault.UNACCEPTED, mark, None, tuple(effects[mark])) for mark in sorted(strange)]


def _faults(run: RunRecord, happened: Sequence[Effect]) -> list[Fault]:
    faults = []
    if run.state not in ENDED:
        faults.append(Fault.UNSETTLED)
    if not happened and (run.state is RunState.SUCCEEDED or run.state not in ENDED):
        faults.append(Fault.LOST)
    if len(happened) > 1:
        faults.append(Fault.DUPLICATED)
    if happened and run.state in FINAL and run.state is not RunState.SUCCEEDED:
        faults.append(Fault.DENIED)
    if run.state is RunState.PARKED and not run.may_park:
        faults.append(Fault.PARKED)
    known_as = {name for effect in happened for name in (effect.provider_id, effect.key)}
    if run.state is RunState.SUCCEEDED and happened and run.provider_id not in known_as:
        faults.append(Fault.MISNAMED)
    return faults


def settled(runs: Iterable[RunRecord]) -> tuple[int, int]:
    """How many effects in doubt were found to have been sent, and how many not, by the timelines."""
    said = [str((event.detail or {}).get("settled", "")) for run in runs for event in run.events]
    not_sent = sum(_WAS_NOT_SENT.search(text) is not None for text in said)
    return sum(_WAS_SENT.search(text) is not None for text in said), not_sent


@dataclass(frozen=True)
class Recovery:
    """One run that was in flight on a worker when that was killed.

    Attributes:
        taken_up_s: Seconds until another worker had it.
        settled_s: Seconds until it was known what had become of it.
    """

    taken_up_s: float
    settled_s: float


def recoveries(runs: Iterable[RunRecord], struck: Iterable[Struck]) -> list[Recovery]:
    """How long it took to recover each run that was in flight on a worker when that was killed."""
    killed_at = {one.worker_id: one.at for one in struck if one.worker_id and one.way is not Way.FREEZE}
    return [
        Recovery((taken_up.at - at).total_seconds(), (settled.at - at).total_seconds())
        for run in runs
        for at, rest in _cut_short(run, killed_at)
        if (taken_up := next((event for event in rest if event.move == "claim"), None))
        and (settled := next((event for event in rest if _knows(event)), None))
    ]


def _cut_short(run: RunRecord, killed_at: Mapping[str, datetime]) -> Iterable[tuple[datetime, Sequence[Event]]]:
    """When a worker was killed that held this run, and what is said of the run after that."""
    for number, event in enumerate(run.events):
        at, rest = killed_at.get(event.worker or ""), run.events[number + 1 :]
        # Whatever came after the claim and before the kill ended the worker's hold.
        if event.move == "claim" and at is not None and event.at <= at and (not rest or rest[0].at > at):
            yield at, rest


def _knows(event: Event) -> bool:
    """Whether an attempt ended in knowing what the one before it had left open.

    It does not if the platform is still waited for, or could not be asked. A new attempt of unknown outcome was not
    begun before it was certain that the old one had done nothing.
    """
    if "settled" in (event.detail or {}):
        return True
    if event.move == "snooze":
        return str((event.detail or {}).get("reason", "")).startswith("waiting for")
    if event.move == "back_off":
        return (event.detail or {}).get("class") == "OutcomeUnknown"
    return event.state in ENDED


def percentile(times: Sequence[float], share: float) -> float | None:
    """The time that this share of the times does not exceed; None if there are none."""
    return None if not times else sorted(times)[math.ceil(share * len(times)) - 1]


def by_fault(findings: Iterable[Finding]) -> Counter[Fault]:
    """How many of each."""
    return Counter(finding.fault for finding in findings)
