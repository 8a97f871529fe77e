"""``neonhub schedules``: rules that make runs."""

from __future__ import annotations

from typing import Annotated

import typer

from neonhub_worker.cli.inputs import instant, json_object, seconds
from neonhub_worker.cli.output import AsJson, Organization, print_json, table

app = typer.Typer(help="Runs that repeat, or wait for an instant.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The schedule's name.")]


@app.command()
def add(
    name: Name,
    action: Annotated[str, typer.Argument(help="slug.camelCase, such as sms.sendSMS.")],
    organization: Organization = "demo",
    connection: Annotated[str | None, typer.Option(help="Connection; the action's platform if left out.")] = None,
    input_json: Annotated[str, typer.Option("--input", help="The action's input, a JSON object.")] = "{}",
    cron: Annotated[str | None, typer.Option(help="Five fields, such as '0 9 * * mon'.")] = None,
    every_s: Annotated[float | None, typer.Option("--every", help="Seconds between two occurrences.")] = None,
    at: Annotated[str | None, typer.Option(help="One instant, ISO 8601 with offset.")] = None,
    zone: Annotated[str, typer.Option("--timezone", help="IANA zone of the cron fields.")] = "UTC",
    misfire: Annotated[str, typer.Option(help="After downtime: skip, fire_once or catch_up.")] = "fire_once",
    jitter_s: Annotated[
        int, typer.Option("--jitter", help="Move each occurrence later by up to this many seconds.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Add a schedule: give one of --cron, --every and --at."""
    from neonhub_worker import schedule

    schedule_id = schedule(
        {
            "action": action,
            "organization_id": organization,
            "connection": connection or action.partition(".")[0],
            "input": json_object(input_json, "--input"),
        },
        name=name,
        cron=cron,
        every=None if every_s is None else seconds(every_s),
        at=None if at is None else instant(at),
        timezone=zone,
        misfire=misfire,
        jitter_s=jitter_s,
    )
    if as_json:
        print_json({"id": schedule_id, "name": name})
    else:
        print(schedule_id)


@app.command("list")
def list_schedules(organization: Organization = "demo", as_json: AsJson = False) -> None:
    """List an organization's schedules."""
    from neonhub_worker.schedules import rows
    from neonhub_worker.vault import organizations

    organizations.need(organization)
    found = rows.list_all(organization)
    if as_json:
        print_json(
            [
                {
                    "id": s.id,
                    "name": s.name,
                    "action": s.template["name"],
                    "rule": s.rule,
                    "expression": s.expression,
                    "timezone": s.timezone,
                    "misfire": s.misfire,
                    "jitter_s": s.jitter_s,
                    "paused": s.paused,
                    "next_at": s.next_at,
                    "last_at": s.last_at,
                }
                for s in found
            ]
        )
        return
    table(
        ("name", "action", "rule", "zone", "next (UTC)", "paused"),
        (
            (s.name, s.template["name"], f"{s.rule} {s.expression}", s.timezone, s.next_at, "yes" if s.paused else "")
            for s in found
        ),
    )


@app.command()
def pause(name: Name, organization: Organization = "demo", as_json: AsJson = False) -> None:
    """Stop a schedule from firing until it is resumed."""
    from neonhub_worker.schedules import rows

    rows.pause(organization, name)
    _done(name, "paused", as_json=as_json)


@app.command()
def resume(name: Name, organization: Organization = "demo", as_json: AsJson = False) -> None:
    """Let a paused schedule fire again, from now on."""
    from neonhub_worker.schedules import rows

    rows.resume(organization, name)
    _done(name, "resumed", as_json=as_json)


@app.command()
def remove(name: Name, organization: Organization = "demo", as_json: AsJson = False) -> None:
    """Delete a schedule; the runs it made stay."""
    from neonhub_worker.schedules import rows

    rows.remove(organization, name)
    _done(name, "removed", as_json=as_json)


def _done(name: str, what: str, *, as_json: bool) -> None:
    print_json({"name": name, what: True}) if as_json else print(f"{name} {what}")
