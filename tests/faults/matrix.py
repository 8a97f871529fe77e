"""Which points does a worker pass with which action, and what has happened outside by then?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from neonhub_worker import faults
from tests.faults.cases import CASES, Case

PRODUCER = {"accept.inserted", "accept.committed"}
BEAT = {"dispatch.taken", "dispatch.published", "dispatch.committed", "rescue.written", "schedule.inserted"}
WORKER = faults.POINTS.keys() - PRODUCER - BEAT


@dataclass(frozen=True)
class Cell:
    """One fault of a worker.

    Attributes:
        at: Which time the worker comes to the point.
        done: How often the effect has happened by then.
        prior: A fault that killed an earlier worker, so that this one meets an effect in doubt.
    """

    case: Case
    point: str
    kind: str
    at: int = 1
    done: int = 0
    prior: str | None = None

    def __str__(self) -> str:
        after = f" after {self.prior}" if self.prior else ""
        return f"{self.case.policy} {self.case.action} {self.fault}{after}"

    @property
    def fault(self) -> str:
        """As ``NEONHUB_FAULT`` names it."""
        return f"{self.point}:{self.kind}:{self.at}"

    @property
    def sends_late(self) -> bool:
        """Whether it freezes between the last check of its lease and the write that completes the request."""
        return (self.point, self.kind, self.at) == ("send.allowed", "stop", self.case.writes)


def cells(kind: str) -> list[Cell]:
    """All faults of one kind: every point of a worker, with every repeat policy."""
    return [cell for case in CASES for cell in _cells(case, kind)]


def _cells(case: Case, kind: str) -> Iterator[Cell]:
    for point in ("claim.begin", "claim.written", "claim.committed"):
        yield Cell(case, point, kind)
    for at in range(1, case.writes + 1):
        yield Cell(case, "send.before", kind, at)
        yield Cell(case, "send.allowed", kind, at)
        yield Cell(case, "send.written", kind, at, done=int(at == case.writes))
    for at, done in enumerate(case.steps, start=1):
        yield Cell(case, "step.done", kind, at, done=int(done))
        yield Cell(case, "step.recorded", kind, at, done=int(done))
    for point in ("send.answered", "settle.written", "settle.committed"):
        yield Cell(case, point, kind, done=1)
    if not case.may_park:
        yield Cell(case, "doubt.answered", kind, prior="send.before:kill")
        yield Cell(case, "doubt.answered", kind, done=1, prior=f"send.written:kill:{case.writes}")
