"""``neonhub consent``: who may not be written to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from neonhub_worker.cli import contact_rules
from neonhub_worker.cli.output import AsJson, Organization, note, print_json, table

app = typer.Typer(help="Who may not be written to, and when and how often others may.", no_args_is_help=True)
app.add_typer(contact_rules.app, name="rules")

Channel = Annotated[str, typer.Option(help="sms, whatsapp or email.")]
Address = Annotated[str, typer.Argument(help="Phone number with + and country code, or e-mail address.")]


@app.command()
def show(
    address: Address, channel: Channel = "sms", organization: Organization = "demo", as_json: AsJson = False
) -> None:
    """Say whether someone has opted out, since when and how we know."""
    from neonhub_worker.consent import opt_outs
    from neonhub_worker.vault import organizations

    organizations.need(organization)
    found = opt_outs.status(organization, channel, address)
    if as_json:
        print_json(
            {"opted_out": found is not None, "since_at": found and found.since_at, "source": found and found.source}
        )
    elif found is None:
        print("not opted out")
    else:
        print(f"opted out since {found.since_at:%Y-%m-%d %H:%M} UTC ({found.source})")


@app.command("opt-out")
def opt_out(
    address: Address,
    channel: Channel = "sms",
    source: Annotated[str, typer.Option(help="How we know.")] = "neonhub consent",
    organization: Organization = "demo",
    as_json: AsJson = False,
) -> None:
    """Record that someone must not be written to any more."""
    from neonhub_worker.consent import opt_outs
    from neonhub_worker.vault import organizations

    organizations.need(organization)
    opt_outs.record(organization, channel, address, opted_out=True, source=source)
    _recorded(opted_out=True, as_json=as_json)


@app.command("opt-in")
def opt_in(
    address: Address,
    source: Annotated[str, typer.Option(help="The proof of consent, in words.")],
    channel: Channel = "sms",
    organization: Organization = "demo",
    as_json: AsJson = False,
) -> None:
    """Record that someone may be written to again."""
    from neonhub_worker.consent import opt_outs
    from neonhub_worker.vault import organizations

    organizations.need(organization)
    opt_outs.record(organization, channel, address, opted_out=False, source=source)
    _recorded(opted_out=False, as_json=as_json)


@app.command("list")
def list_opt_outs(organization: Organization = "demo", as_json: AsJson = False) -> None:
    """List everyone who has opted out."""
    from neonhub_worker.consent import opt_outs
    from neonhub_worker.vault import organizations

    organizations.need(organization)
    found = opt_outs.list_all(organization)
    if as_json:
        print_json(
            [{"channel": o.channel, "address": o.address, "since_at": o.since_at, "source": o.source} for o in found]
        )
        return
    table(
        ("channel", "address", "since (UTC)", "source"), ((o.channel, o.address, o.since_at, o.source) for o in found)
    )


@app.command("import")
def import_file(
    file: Annotated[
        Path, typer.Argument(help="CSV with the columns channel, address, opted_out and source.", exists=True)
    ],
    organization: Organization = "demo",
    as_json: AsJson = False,
) -> int:
    """Import opt-outs and opt-ins; bad lines are named, the good ones are imported."""
    from neonhub_worker.consent import opt_outs
    from neonhub_worker.vault import organizations

    organizations.need(organization)
    result = opt_outs.import_csv(organization, file)
    if as_json:
        print_json({"imported": result.imported, "refused": [str(line) for line in result.refused]})
    else:
        for line in result.refused:
            note(f"refused: {line}")
        print(f"{result.imported} imported, {len(result.refused)} refused")
    return 1 if result.refused else 0


def _recorded(*, opted_out: bool, as_json: bool) -> None:
    if as_json:
        print_json({"opted_out": opted_out})
    else:
        print("opted out" if opted_out else "not opted out any more")
