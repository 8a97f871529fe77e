"""Which states and moves exist? Data: the statements, the diagram (docs/states.md) and the tests are made from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RunState(StrEnum):
    """Where a run stands."""

    SCHEDULED = "scheduled"
    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "retrying"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    PARKED = "parked"


class EffectState(StrEnum):
    """What is known of one change of the outside world."""

    PLANNED = "planned"
    SENDING = "sending"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    PARKED = "parked"


DESCRIPTION = {
    RunState.SCHEDULED: "accepted; its time has not come",
    RunState.QUEUED: "due; a worker may take it",
    RunState.RUNNING: "one worker holds it under a lease",
    RunState.RETRYING: "an attempt failed; it is tried again at run_at",
    RunState.WAITING: "put off without using up an attempt: a rate limit, its turn, a poll, a read-back",
    RunState.SUCCEEDED: "the outside effect happened, once; the provider's id is recorded",
    RunState.FAILED: "the outside effect certainly did not happen; it is not tried again by itself",
    RunState.CANCELLED: "the outside effect certainly did not happen; a person called it off",
    RunState.EXPIRED: "the outside effect certainly did not happen; its expires_at passed first",
    RunState.PARKED: "it cannot be known whether the effect happened; nothing is repeated; a person settles it",
}

DUE = (RunState.SCHEDULED, RunState.QUEUED, RunState.RETRYING, RunState.WAITING)
"""States from which a run may be claimed once run_at has come."""

FINAL = (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED, RunState.EXPIRED)
"""States in which everything is known and nothing happens any more by itself."""

IN_DOUBT = (EffectState.SENDING, EffectState.UNKNOWN, EffectState.PARKED)
"""Effect states of which nobody knows whether the outside world has changed."""

PERHAPS_DONE = (*IN_DOUBT, EffectState.CONFIRMED)
"""Effect states in which the outside world has changed, or may have."""


@dataclass(frozen=True)
class Move:
    """One allowed change of a run's state.

    Attributes:
        sources: The states it may start from; the guard of its statement.
        target: The state it leads to.
        cause: What makes it happen, in a few words.
    """

    sources: tuple[RunState, ...]
    target: RunState
    cause: str


_RUNNING = (RunState.RUNNING,)
_TIMED = (RunState.SCHEDULED, RunState.RETRYING, RunState.WAITING)

MOVES = {
    "ripen": Move(_TIMED, RunState.QUEUED, "its time has come; too common for the timeline"),
    "hold": Move(
        DUE,
        RunState.WAITING,
        "its turn has not come, its recipient is left in peace, or one just like it is being sent",
    ),
    "claim": Move(DUE, RunState.RUNNING, "a worker takes the lease"),
    "succeed": Move(_RUNNING, RunState.SUCCEEDED, "the platform confirmed the effect"),
    "fail": Move(_RUNNING, RunState.FAILED, "refused, or out of retries, and certainly not done"),
    "back_off": Move(_RUNNING, RunState.RETRYING, "not done or unknown; later again"),
    "snooze": Move(_RUNNING, RunState.WAITING, "rate limit, poll or read-back; no attempt used"),
    "park": Move(_RUNNING, RunState.PARKED, "outcome unknown and nothing can tell"),
    "give_back": Move(_RUNNING, RunState.QUEUED, "too little of the lease was left to send, or its slot had passed"),
    "rescue": Move(_RUNNING, RunState.QUEUED, "the lease ran out: its worker is gone"),
    "rescue_fail": Move(_RUNNING, RunState.FAILED, "its worker died too often, before anything was sent"),
    "rescue_park": Move(_RUNNING, RunState.PARKED, "its worker died too often while sending"),
    "call_off": Move(_RUNNING, RunState.CANCELLED, "cancelled before anything was sent"),
    "run_out": Move(_RUNNING, RunState.EXPIRED, "claimed after expires_at, before anything was sent"),
    "compare": Move((*DUE, RunState.RUNNING), RunState.QUEUED, "a restored database: perhaps done since the backup"),
    "cancel": Move(DUE, RunState.CANCELLED, "a person cancels; nothing is in doubt"),
    "expire": Move(DUE, RunState.EXPIRED, "expires_at passed; nothing is in doubt"),
    "drop": Move(DUE, RunState.EXPIRED, "its recipient is to be left in peace now, and the rule says not to wait"),
    "retry": Move((RunState.FAILED, RunState.CANCELLED, RunState.EXPIRED), RunState.QUEUED, "a person asks again"),
    "hear": Move(DUE, RunState.SUCCEEDED, "while it was in doubt, the platform's own word: it happened"),
    "settle_sent": Move((RunState.PARKED,), RunState.SUCCEEDED, "a person, or the platform's own word: it happened"),
    "settle_not_sent": Move((RunState.PARKED,), RunState.FAILED, "a person: it did not happen"),
}
"""Every move there is. A statement that makes a move guards itself with ``state = any(sources)``."""


def sources(move: str) -> list[str]:
    """The states from which a move may start, as a list for SQL."""
    return [str(state) for state in MOVES[move].sources]


def mermaid() -> str:
    """The diagram of MOVES, in Mermaid's notation."""
    lines = ["stateDiagram-v2", "    [*] --> scheduled: accepted, run_at ahead", "    [*] --> queued: accepted"]
    lines.append("    [*] --> failed: a foreign task's input was refused")
    for name, move in MOVES.items():
        lines += [f"    {source} --> {move.target}: {name}" for source in move.sources]
    lines += [f"    {state} --> [*]" for state in FINAL]
    return "\n".join(lines)


def document() -> str:
    """docs/states.md: the states, the moves and the diagram, in Markdown."""
    states = "\n".join(f"| `{state}` | {DESCRIPTION[state]} |" for state in RunState)
    moves = "\n".join(
        f"| `{name}` | {', '.join(f'`{s}`' for s in move.sources)} | `{move.target}` | {move.cause} |"
        for name, move in MOVES.items()
    )
    return (
        "# States of a run\n\n"
        "Rendered from `neonhub_worker/ledger/states.py`; `make docs` writes it and a test compares.\n\n"
        f"```mermaid\n{mermaid()}\n```\n\n"
        f"| state | meaning |\n| --- | --- |\n{states}\n\n"
        f"| move | from | to | cause |\n| --- | --- | --- | --- |\n{moves}\n"
    )
