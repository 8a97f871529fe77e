"""What happened, by the sandbox's own count? Pure: runs and effects in, verdict out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from neonhub_worker.ledger.states import FINAL, RunState


@dataclass(frozen=True)
class RunResult:
    """What the ledger says of one accepted message.

    Attributes:
        why: Class of its last error, with the platform's code.
    """

    id: str
    name: str
    state: RunState
    provider_id: str | None
    attempts: int
    why: str | None
    read_back: bool


@dataclass(frozen=True)
class Report:
    """The verdict.

    Attributes:
        effects: Messages that really reached a platform, as the sandbox counted.
        duplicates: Effects beyond those of succeeded runs; a parked run may account for one.
        by_action: How many messages of each action were accepted.
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
    by_action: dict[str, int] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Nothing lost and nothing done twice."""
        return self.lost == 0 and self.duplicates == 0


def judge(runs: Sequence[RunResult], effects: Iterable[Mapping[str, Any]], *, left_out: Mapping[str, int]) -> Report:
    """Compare the ledger with what the sandbox counted.

    Args:
        effects: The sandbox's, since the campaign began; those of other actions than the campaign's do not count.
        left_out: Contacts that were refused before anything was accepted, by reason.
    """
    names = {run.name for run in runs}
    seen = [effect for effect in effects if f"{effect['connector']}.{effect['action']}" in names]
    unclaimed, missing = _match(runs, seen)
    parked = Counter(run.name for run in runs if run.state is RunState.PARKED)
    unfinished = [run for run in runs if run.state not in (*FINAL, RunState.PARKED)]
    refused = Counter(left_out)
    ended_without = [run for run in runs if run.state in FINAL and run.state is not RunState.SUCCEEDED]
    refused.update(run.why or str(run.state) for run in ended_without)
    return Report(
        accepted=len(runs),
        states=dict(Counter(str(run.state) for run in runs)),
        refused=dict(refused),
        effects=len(seen),
        duplicates=sum(max(0, count - parked[name]) for name, count in unclaimed.items()),
        lost=len(unfinished) + missing,
        attempts=sum(run.attempts for run in runs),
        read_backs=sum(run.read_back for run in runs),
        by_action=dict(sorted(Counter(run.name for run in runs).items())),
    )


def _match(runs: Sequence[RunResult], effects: Sequence[Mapping[str, Any]]) -> tuple[Counter[str], int]:
    """How many effects of each action no succeeded run accounts for, and how many of those runs have none.

    A platform knows what it did by its own id, or by a key that the run's id stands for.
    """
    left: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, effect in enumerate(effects):
        for known_as in {effect["provider_id"], effect["key"]} - {None}:
            left[f"{effect['connector']}.{effect['action']}", str(known_as)].append(number)
    claimed: set[int] = set()
    missing = 0
    for run in runs:
        if run.state is RunState.SUCCEEDED:
            free = [number for number in left[run.name, str(run.provider_id)] if number not in claimed]
            claimed.update(free[:1])
            missing += not free
    unclaimed = (effect for number, effect in enumerate(effects) if number not in claimed)
    return Counter(f"{effect['connector']}.{effect['action']}" for effect in unclaimed), missing
