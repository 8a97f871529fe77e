"""How is the result told? As a table, as JSON, and, where something went wrong, run by run."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from neonhub_worker.ledger.states import RunState
from tests.acceptance.chaos import judge
from tests.acceptance.chaos.actions import KINDS, Kind
from tests.acceptance.chaos.bare_celery import BareResult
from tests.acceptance.chaos.experiment import Result
from tests.acceptance.chaos.judge import Fault, Finding
from tests.acceptance.chaos.plan import Way

_SHOWN = 20
_COMPARED = ("actions", "kills", "restarts", "lost", "stuck", "duplicated")
_OURS_ALONE = (
    "parked",
    "failed",
    "frozen",
    "attempts",
    "asked_again",
    "settled_sent",
    "settled_not_sent",
    "in_flight_at_kill",
    "taken_up_p50_s",
    "taken_up_p99_s",
    "recovery_p50_s",
    "recovery_p99_s",
    "lease_s",
)


def figures(result: Result, bare: Mapping[str, BareResult], *, seed: int) -> dict[str, Any]:
    """All of it, as build/chaos.json holds it."""
    faults = judge.by_fault(result.findings)
    recovered = judge.recoveries(result.runs, result.struck)
    taken_up_s = [one.taken_up_s for one in recovered]
    settled_s = [one.settled_s for one in recovered]
    sent, not_sent = judge.settled(result.runs)
    kills = [one for one in result.struck if one.way is not Way.FREEZE]
    p99_s = judge.percentile(settled_s, 0.99)
    return {
        "seed": seed,
        "seconds": round(result.seconds, 1),
        "actions": len(result.runs),
        "effects": sum(len(found) for found in result.effects.values()),
        "lost": faults[Fault.LOST],
        "duplicated": faults[Fault.DUPLICATED],
        "stuck": faults[Fault.UNSETTLED],
        "parked": sum(run.state is RunState.PARKED for run in result.runs),
        "failed": sum(run.state is RunState.FAILED for run in result.runs),
        "kills": len(kills),
        "restarts": sum(one.process in ("broker", "postgres") for one in kills),
        "frozen": len(result.struck) - len(kills),
        "asked_again": result.asked_again,
        "attempts": sum(run.attempts for run in result.runs),
        "settled_sent": sent,
        "settled_not_sent": not_sent,
        "in_flight_at_kill": len(recovered),
        "taken_up_p50_s": judge.percentile(taken_up_s, 0.5),
        "taken_up_p99_s": judge.percentile(taken_up_s, 0.99),
        "recovery_p50_s": judge.percentile(settled_s, 0.5),
        "recovery_p99_s": p99_s,
        "lease_s": result.lease_s,
        "findings": {fault.name.lower(): number for fault, number in sorted(faults.items())},
        "by_action": {kind.name: _of_kind(kind, result) for kind in KINDS},
        "bare_celery": {name: dataclasses.asdict(one) for name, one in bare.items()},
        "held": not result.findings and p99_s is not None and p99_s < 2 * result.lease_s,
    }


def _of_kind(kind: Kind, result: Result) -> dict[str, Any]:
    runs = [run for run in result.runs if run.action == kind.name]
    return {
        "policy": kind.policy,
        "actions": len(runs),
        "effects": sum(len(result.effects.get(run.mark, ())) for run in runs),
        **{str(state): sum(run.state is state for run in runs) for state in sorted({run.state for run in runs})},
    }


def show(found: Mapping[str, Any], findings: Sequence[Finding]) -> None:
    """For people, on standard output."""
    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
    console.print(_comparison(found), _by_action(found))
    for finding in findings[:_SHOWN]:
        console.print("\n".join(_told(finding)), markup=False)
    if len(findings) > _SHOWN:
        console.print(f"... and {len(findings) - _SHOWN} more")
    verdict = "held" if found["held"] else "NOT held"
    console.print(
        f"{verdict}: nothing lost, nothing done twice, parked only by policy, p99 of the recovery under two leases"
    )


def _comparison(found: Mapping[str, Any]) -> Table:
    bare: Mapping[str, Mapping[str, int]] = found["bare_celery"]
    table = Table("", "neonhub", *(f"Celery, {name}" for name in bare), box=None, pad_edge=False)
    for name in _COMPARED:
        table.add_row(_words(name), str(found[name]), *(str(one[name]) for one in bare.values()))
    for name in _OURS_ALONE:
        value = found[name]
        table.add_row(_words(name), f"{value:.1f}" if isinstance(value, float) else str(value))
    return table


def _by_action(found: Mapping[str, Any]) -> Table:
    states = [str(state) for state in RunState if any(str(state) in one for one in found["by_action"].values())]
    table = Table("action", "policy", "actions", "effects", *states, box=None, pad_edge=False)
    for name, one in found["by_action"].items():
        table.add_row(name, one["policy"], *(str(one.get(column, 0)) for column in ("actions", "effects", *states)))
    return table


def _words(name: str) -> str:
    return name.replace("_", " ").removesuffix(" s") + (" (s)" if name.endswith("_s") else "")


def _told(finding: Finding) -> list[str]:
    """One finding with the timeline of its run; texts and addresses are in none of it."""
    lines = [f"{finding.fault.name}: {finding.mark or 'an effect without a mark'} {finding.fault}"]
    lines.append(
        f"  the sandbox counted {len(finding.effects)}: {', '.join(effect.provider_id for effect in finding.effects)}"
    )
    if finding.run is not None:
        lines.append(f"  run {finding.run.id}, {finding.run.action}, {finding.run.state}")
        lines += [
            f"  {event.at:%H:%M:%S.%f} {event.move:10} {event.state:9} attempt {event.attempt} {event.worker or ''} "
            f"{json.dumps(event.detail) if event.detail else ''}"
            for event in finding.run.events
        ]
    return lines
