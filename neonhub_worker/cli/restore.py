"""``neonhub doctor --after-restore``: what does a restored database lack, and how do runs get on from there?"""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from neonhub_worker.cli.output import note, print_json, table

if TYPE_CHECKING:
    from neonhub_worker.performing.restored import Report

_UNKNOWN = """\
What cannot be known from here: requests that were accepted after the backup. Let their producers send them again now,
with the same idempotency keys, before you go on: while the guard is engaged they are accepted and compared like the
runs above. Whatever the platform can be asked for by its content, such as an SMS, is found and not sent again. Where
the platform knows an effect only by our key it cannot be found, because the new run has a new key: look at the platform
and cancel what was done. What is sent again after you went on counts as new.
What people settled, cancelled or retried after the backup is unknown too; parked runs stay parked."""

_UNNOTICED = """\
Nothing tells by itself that this database was restored. If the time above is not that of the backup, beat has run on it
since and may have sent things again: stop beat and workers, restore it anew, and come back before you start them."""


def after_restore(*, yes: bool, as_json: bool) -> int:
    """Explain, ask, and let the runs be compared; with JSON and without ``--yes`` only explain."""
    from neonhub_worker.performing import restored

    report = restored.explain()
    compared = None
    if not as_json:
        _print(report)
    if yes or (not as_json and _confirmed("Go on?")):
        compared = restored.perform()
    if as_json:
        print_json({**asdict(report), "compared": compared})
    elif compared is None:
        note("nothing was changed; with --yes it is done without asking")
    else:
        print(f"Done: {compared} runs are compared before they are sent. `neonhub status` shows how they get on.")
    return 0 if compared is not None or as_json else 1


def not_restored(*, yes: bool, as_json: bool) -> int:
    """Let runs be sent without comparing: nothing was lost."""
    from neonhub_worker.performing import restored

    question = "Was everything stopped before the database was moved? If not, effects may be repeated. Go on?"
    if not yes and not _confirmed(question):
        note("nothing was changed; with --yes it is done without asking")
        return 1
    engaged = restored.not_restored()
    if as_json:
        print_json({"released": True, "reason": engaged.reason})
    else:
        print("Runs are sent again, and this database counts as the ledger's own from now on.")
    return 0


def _confirmed(question: str) -> bool:
    return sys.stdin.isatty() and typer.confirm(question)


def _print(report: Report) -> None:
    print(f"Found: {report.reason}.")
    print(f"The backup was taken at {report.backup_at:%Y-%m-%d %H:%M:%S} UTC or a little later.")
    if report.engaged_at is None:
        print(f"\n{_UNNOTICED}")
    print("\nUnfinished runs that may have been done since, and what happens to them:\n")
    affected = [(one.action, one.perhaps_done, one.then) for one in report.runs if one.perhaps_done]
    if affected:
        table(("action", "runs", "then"), affected)
    else:
        print("none")
    later = sum(one.later for one in report.runs)
    print(f"\n{later} more are scheduled for a time to come: they cannot have been done and are left as they are.")
    fired = sum(report.occurrences.values())
    print(f"{fired + report.skipped} occurrences of schedules fell into the gap: {fired} make runs that are compared")
    print(f"too, {report.skipped} are skipped by their misfire policies.")
    print(f"{report.parked} runs are parked.\n\n{_UNKNOWN}\n")
