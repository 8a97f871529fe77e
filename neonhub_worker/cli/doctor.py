"""``neonhub doctor``: is everything there that an installation needs, and is it set safely?"""

from __future__ import annotations

from dataclasses import asdict

import typer

from neonhub_worker.cli.output import AsJson, print_json, table


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.command()(doctor)


def doctor(as_json: AsJson = False) -> int:
    """Check Python, wheels, settings, database, schema, broker, vault and sandbox; says what to do about each fault."""
    from neonhub_worker.local import checkup

    findings = checkup.run()
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        table(("", "check", "finding"), ((f.verdict, f.name, f.text) for f in findings))
    return 1 if any(finding.verdict == "FAIL" for finding in findings) else 0
