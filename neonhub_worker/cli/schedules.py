"""``neonhub schedules``: rules that make runs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from neonhub_worker.cli.inputs import instant, json_object, seconds
from neonhub_worker.cli.output import AsJson, Organization, note, print_json, table

if TYPE_CHECKING:
    from neonhub_worker.schedules.schedule import Schedule

app = typer.Typer(help="Runs that repeat, or wait for an instant.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The schedule's name.")]
At = Annotated[str, typer.Option(help="The occurrence, ISO 8601 with offset, as `next` shows it.")]


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
    starts_at: Annotated[str | None, typer.Option(help="No occurrence before this instant, ISO 8601.")] = None,
    ends_at: Annotated[str | None, typer.Option(help="No occurrence after this instant, ISO 8601.")] = None,
    misfire: Annotated[str, typer.Option(help="After downtime: skip, fire_once or catch_up.")] = "fire_once",
    catch_up_limit: Annotated[int, typer.Option(help="How many missed ones catch_up fires at most.")] = 10,
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
        starts_at=None if starts_at is None else instant(starts_at, "--starts-at"),
        ends_at=None if ends_at is None else instant(ends_at, "--ends-at"),
        misfire=misfire,
        catch_up_limit=catch_up_limit,
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
        print_json([_data(schedule) for schedule in found])
        return
    table(
        ("name", "action", "rule", "zone", "next (UTC)", "state"),
        (
            (s.name, s.template["name"], f"{s.rule} {s.expression}", s.timezone, s.next_at, _state(s) or "")
            for s in found
        ),
    )


def _data(schedule: Schedule) -> dict[str, Any]:
    fields = ("rule", "expression", "timezone", "starts_at", "ends_at", "misfire", "catch_up_limit", "jitter_s")
    more = ("paused", "next_at", "last_at", "error", "retry_at")
    return {
        "id": schedule.id,
        "name": schedule.name,
        "action": schedule.template["name"],
        **{field: getattr(schedule, field) for field in (*fields, *more)},
    }


def _state(schedule: Schedule) -> str | None:
    """What keeps a schedule from firing, in words."""
    if schedule.next_at is None:
        return "ended"
    if schedule.paused:
        return "paused"
    return None if schedule.error is None else f"held: {schedule.error}"


@app.command("next")
def show_next(
    name: Name,
    organization: Organization = "demo",
    count: Annotated[int, typer.Option(help="How many.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Show the next occurrences in the schedule's zone, and when their runs begin after jitter."""
    from neonhub_worker import next_occurrences
    from neonhub_worker.schedules import rows

    found = next_occurrences(organization, name, count=count)
    if as_json:
        print_json([asdict(one) for one in found])
        return
    schedule = rows.get(organization, name)
    table(
        (f"due ({schedule.timezone})", "run begins", ""),
        (
            (one.due_at.isoformat(), one.run_at.isoformat(timespec="seconds"), "cancelled" if one.cancelled else "")
            for one in found
        ),
    )
    if state := _state(schedule):
        note(f"{name} is {state}")


@app.command()
def history(
    name: Name,
    organization: Organization = "demo",
    count: Annotated[int, typer.Option(help="How many.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show what became of the latest occurrences: fired, skipped after downtime or a pause, or cancelled."""
    from neonhub_worker import past_occurrences

    found = past_occurrences(organization, name, count=count)
    if as_json:
        print_json([asdict(one) for one in found])
        return
    table(
        ("due", "outcome", "run", "its state"),
        ((one.due_at.isoformat(), one.outcome, one.run_id, one.run_state) for one in found),
    )


@app.command()
def skip(name: Name, at: At, organization: Organization = "demo", as_json: AsJson = False) -> None:
    """Cancel one occurrence; the others come as before."""
    from neonhub_worker import cancel_occurrence

    cancel_occurrence(organization, name, instant(at))
    _decided(name, at, "cancelled", as_json=as_json)


@app.command()
def unskip(name: Name, at: At, organization: Organization = "demo", as_json: AsJson = False) -> None:
    """Let a cancelled occurrence come after all, while it is ahead."""
    from neonhub_worker import restore_occurrence

    restore_occurrence(organization, name, instant(at))
    _decided(name, at, "restored", as_json=as_json)


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


def _decided(name: str, at: str, what: str, *, as_json: bool) -> None:
    print_json({"name": name, "due_at": instant(at), what: True}) if as_json else print(f"{name} at {at} {what}")
