"""What happened, by the sandbox's own count? Pure: runs and effects in, verdict out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from neonhub_worker.ledger.states import FINAL, RunState

SENDS = {"sendSMS", "sendMessage"}
"""Actions of the sandbox's effects that a campaign's messages make."""


@dataclass(frozen=True)
class RunResult:
    """What the ledger says of one accepted message.

    Attributes:
        why: Class of its last error, with the platform's code.
    """

    id: str
    name: str
    state: RunState
    recipient: str
    text: str
    attempts: int
    why: str | None
    read_back: bool


@dataclass(frozen=True)
class Report:
    """The verdict.

    Attributes:
        effects: Messages that really reached a platform, as the sandbox counted.
        duplicates: Effects beyond those of succeeded runs; a parked run may account for one.
        lost: Accepted messages without an end, and succeeded ones that the sandbox never saw.
    """

    accepted: int
    states: dict[str, int]
    refused: dict[str, int]
    effects: int
    duplicates: int
    lost: int
    attempts: int
    read_backs: int
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Nothing lost and nothing done twice."""
        return self.lost == 0 and self.duplicates == 0


def judge(runs: Sequence[RunResult], effects: Iterable[Mapping[str, Any]], *, left_out: Mapping[str, int]) -> Report:
    """Compare the ledger with what the sandbox counted.

    Args:
        effects: The sandbox's, of this campaign only.
        left_out: Contacts that were refused before anything was accepted, by reason.
    """
    seen = Counter((e["recipient"], e["text"]) for e in effects if e["action"] in SENDS)
    succeeded = Counter((r.recipient, r.text) for r in runs if r.state is RunState.SUCCEEDED)
    parked = Counter((r.recipient, r.text) for r in runs if r.state is RunState.PARKED)
    unfinished = [r for r in runs if r.state not in (*FINAL, RunState.PARKED)]
    places = seen.keys() | succeeded.keys()
    refused = Counter(left_out)
    ended_without = [r for r in runs if r.state in FINAL and r.state is not RunState.SUCCEEDED]
    refused.update(r.why or str(r.state) for r in ended_without)
    return Report(
        accepted=len(runs),
        states=dict(Counter(str(r.state) for r in runs)),
        refused=dict(refused),
        effects=seen.total(),
        duplicates=sum(max(0, seen[place] - succeeded[place] - parked[place]) for place in places),
        lost=len(unfinished) + sum(max(0, succeeded[place] - seen[place]) for place in places),
        attempts=sum(r.attempts for r in runs),
        read_backs=sum(r.read_back for r in runs),
    )
