"""``neonhub consent rules``: when and how often people may be written to."""

from __future__ import annotations

from typing import Annotated

import typer

from neonhub_worker.cli.output import AsJson, Organization, print_json, table
from neonhub_worker.errors import FieldError, InvalidInput

app = typer.Typer(help="When and how often people may be written to.", no_args_is_help=True)

Channel = Annotated[str, typer.Option(help="sms, whatsapp or email.")]


@app.command("set")
def set_rule(
    channel: Channel = "sms",
    quiet_hours: Annotated[
        str | None, typer.Option("--quiet", help="Nothing is sent in these hours, where the person is: 20:00-09:00.")
    ] = None,
    zone: Annotated[str, typer.Option(help="IANA zone of people of whom nothing is known.")] = "UTC",
    cap: Annotated[
        list[str] | None, typer.Option(help="At most so many to one person: 3/day, 10/week, 1/4h. May be repeated.")
    ] = None,
    drop: Annotated[bool, typer.Option("--drop", help="Let messages expire instead of waiting.")] = False,
    organization: Organization = "demo",
    as_json: AsJson = False,
) -> None:
    """Set a channel's rule; it holds at once, also for what waits, but not for what is sent as transactional."""
    from neonhub_worker.consent import contact_rules, quiet
    from neonhub_worker.vault import organizations

    organizations.need(organization)
    if quiet_hours is None and not cap:
        raise InvalidInput([FieldError("--quiet", "or --cap is needed; `neonhub consent rules remove` drops a rule")])
    try:
        hours = None if quiet_hours is None else quiet.parse_hours(quiet_hours)
    except ValueError as error:
        raise InvalidInput([FieldError("--quiet", str(error))]) from None
    try:
        caps = [contact_rules.parse_cap(one) for one in cap or []]
    except ValueError as error:
        raise InvalidInput([FieldError("--cap", str(error))]) from None
    contact_rules.keep(
        organization, channel, quiet_hours=hours, zone=zone, caps=caps, policy="drop" if drop else "hold"
    )
    list_rules(organization=organization, as_json=as_json)


@app.command("list")
def list_rules(organization: Organization = "demo", as_json: AsJson = False) -> None:
    """Show the rules."""
    from neonhub_worker.consent import contact_rules
    from neonhub_worker.vault import organizations

    organizations.need(organization)
    rows = [
        {
            "channel": rule.channel,
            "quiet": None if rule.quiet is None else str(rule.quiet),
            "zone": rule.zone,
            "caps": [str(cap) for cap in rule.caps],
            "policy": rule.policy,
        }
        for rule in contact_rules.list_all(organization)
    ]
    if as_json:
        print_json(rows)
        return
    table(
        ("channel", "quiet hours", "zone if unknown", "at most", "otherwise"),
        ((row["channel"], row["quiet"], row["zone"], ", ".join(row["caps"] or []), row["policy"]) for row in rows),
    )


@app.command()
def remove(channel: Channel = "sms", organization: Organization = "demo", as_json: AsJson = False) -> None:
    """Drop a channel's rule; what waits for it goes when its wait ends."""
    from neonhub_worker.consent import contact_rules
    from neonhub_worker.vault import organizations

    organizations.need(organization)
    gone = contact_rules.remove(organization, channel)
    if as_json:
        print_json({"removed": gone})
    else:
        print("removed" if gone else "there was no rule")
