"""Which points does a worker pass with which action, and what has happened outside by then?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from neonhub_worker import faults
from tests.faults.cases import CASES, Case

PRODUCER = {"accept.inserted", "accept.committed"}
BEAT = {"dispatch.taken", "dispatch.published", "dispatch.committed", "rescue.written", "schedule.inserted"}
RENEWAL = {"renew.answered", "renew.stored"}
"""What a worker passes only where a token has to be renewed: ``test_renewals.py``."""

WEBHOOKS = {"webhook.kept", "webhook.taken", "webhook.acted"}
"""What is passed only where a platform tells something: ``tests/integration/test_webhooks*.py``."""

WORKER = faults.POINTS.keys() - PRODUCER - BEAT - RENEWAL - WEBHOOKS


@dataclass(frozen=True)
class Cell:
    """One fault of a worker.

    Attributes:
        at: Which time the worker comes to the point.
        done: How often the effect has happened by then.
        before: Attempts without a fault that come first.
        prior: A fault that killed an earlier worker, so that this one meets an effect in doubt.
    """

    case: Case
    point: str
    kind: str
    at: int = 1
    done: int = 0
    before: int = 0
    prior: str | None = None

    def __str__(self) -> str:
        after = f" after {self.prior}" if self.prior else f" in attempt {self.before + 1}" if self.before else ""
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
    last = max(0, len(case.steps) - 1)
    for point in ("claim.begin", "claim.written", "claim.committed"):
        yield Cell(case, point, kind, before=last)
    for at in range(1, case.writes + 1):
        yield Cell(case, "send.before", kind, at, before=last)
        yield Cell(case, "send.allowed", kind, at, before=last)
        yield Cell(case, "send.written", kind, at, done=int(at == case.writes), before=last)
    for before, recorded in enumerate(case.steps):
        for at, done in enumerate(recorded, start=1):
            yield Cell(case, "step.done", kind, at, done=int(done), before=before)
            yield Cell(case, "step.recorded", kind, at, done=int(done), before=before)
    for point in ("send.answered", "settle.written", "settle.committed"):
        yield Cell(case, point, kind, done=1, before=last)
    if not case.may_park:
        yield Cell(case, "doubt.answered", kind, before=last, prior="send.before:kill")
        yield Cell(case, "doubt.answered", kind, done=1, before=last, prior=f"send.written:kill:{case.writes}")
