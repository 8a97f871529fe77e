"""``neonhub doctor``: is everything there that an installation needs, is it set safely, and was it restored?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from neonhub_worker.cli import restore
from neonhub_worker.cli.output import AsJson, print_json, table


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command()(doctor)


def doctor(
    after_restore: Annotated[
        bool,
        typer.Option("--after-restore", help="Explain what a restored database lacks, and let runs be compared."),
    ] = False,
    not_restored: Annotated[
        bool,
        typer.Option("--not-restored", help="The database was moved after a clean stop; nothing is missing."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
    as_json: AsJson = False,
) -> int:
    """Check Python, wheels, settings, database, schema, broker, vault and sandbox; says what to do about each fault."""
    if after_restore and not_restored:
        raise typer.BadParameter("give either --after-restore or --not-restored")
    if after_restore:
        return restore.after_restore(yes=yes, as_json=as_json)
    if not_restored:
        return restore.not_restored(yes=yes, as_json=as_json)
    if yes:
        raise typer.BadParameter("--yes belongs to --after-restore or --not-restored")
    return _check(as_json=as_json)


def _check(*, as_json: bool) -> int:
    from neonhub_worker.local import checkup

    findings = checkup.run()
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        table(("", "check", "finding"), ((f.verdict, f.name, f.text) for f in findings))
    return 1 if any(finding.verdict == "FAIL" for finding in findings) else 0
