"""``neonhub runs`` and ``neonhub why``: what became of a request, and what can be done about it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from neonhub_worker.cli.output import AsJson, note, print_json, table

app = typer.Typer(help="Look at runs and decide about them.", no_args_is_help=True)

RunId = Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")]


def register(root: typer.Typer) -> None:
    """Add ``neonhub why`` to the top level."""
    root.command()(why)


@app.command("list")
def list_runs(
    organization: Annotated[str | None, typer.Option("--org", "--organization", help="Only this one's.")] = None,
    state: Annotated[list[str] | None, typer.Option(help="Only in this state; may be given several times.")] = None,
    name: Annotated[str | None, typer.Option(help="Only of this action.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    as_json: AsJson = False,
) -> None:
    """List the newest runs."""
    from neonhub_worker.db.engine import transaction
    from neonhub_worker.ledger import runs
    from neonhub_worker.ledger.states import RunState
    from neonhub_worker.vault import organizations

    unknown = set(state or ()) - {str(one) for one in RunState}
    if unknown:
        raise typer.BadParameter(f"no state {', '.join(sorted(unknown))}; there are {', '.join(RunState)}")
    with transaction() as connection:
        if organization is not None:
            organizations.need(organization, connection=connection)
        found = runs.find(connection, organization_id=organization, states=state or (), name=name, limit=limit)
    if as_json:
        print_json([{key: value for key, value in _data(run).items() if key != "timeline"} for run in found])
        return
    table(
        ("run", "action", "state", "attempts", "accepted", "why"),
        ((run.id, run.name, run.state, run.attempts, run.created_at, (run.error or {}).get("class")) for run in found),
    )


@app.command()
def show(run_id: RunId, as_json: AsJson = False) -> None:
    """Show one run whole: result, error and timeline."""
    from neonhub_worker import get_run

    run = get_run(run_id)
    if as_json:
        print_json(_data(run))
        return
    for field in (
        "id",
        "organization_id",
        "name",
        "connection",
        "state",
        "attempts",
        "provider_id",
        "run_at",
        "created_at",
        "finished_at",
    ):
        print(f"{field:16} {getattr(run, field)}")
    if run.output is not None:
        print(f"{'output':16} {json.dumps(run.output, ensure_ascii=False)}")
    if run.delivery is not None:
        code = f" (code {run.delivery['code']})" if run.delivery["code"] else ""
        print(f"{'delivery':16} {run.delivery['stage']}{code}")
    if run.error:
        print(f"{'error':16} {run.error['class']}: {run.error['message']}")
    print()
    _print_timeline(run)


def why(run_id: RunId, as_json: AsJson = False) -> None:
    """Say why a run is where it is, what was tried, and what comes next."""
    from neonhub_worker import get_run
    from neonhub_worker.cli import explain
    from neonhub_worker.db.engine import transaction
    from neonhub_worker.ledger import guard
    from neonhub_worker.vault import connections

    run = get_run(run_id)
    with transaction() as connection:
        engaged = guard.engaged(connection)
        link = run.connection and connections.find(run.organization_id, run.connection, connection=connection)
    sentences = explain.sentences(run, engaged, link or None)
    if as_json:
        print_json({"id": run.id, "state": run.state, "why": sentences, "timeline": _data(run)["timeline"]})
        return
    for sentence in sentences:
        print(sentence)
    print()
    _print_timeline(run)


@app.command()
def retry(run_id: RunId, as_json: AsJson = False) -> None:
    """Try a failed, cancelled or expired run again, under the same keys."""
    import neonhub_worker

    _decided(neonhub_worker.retry(run_id), as_json=as_json)


@app.command()
def cancel(run_id: RunId, as_json: AsJson = False) -> None:
    """Call a run off. One that is being sent is cancelled only if it turns out that nothing was sent."""
    import neonhub_worker

    run = neonhub_worker.cancel(run_id)
    _decided(run, as_json=as_json)
    if run.state != "cancelled":
        note("it is being worked on: it will be cancelled if it turns out that nothing was sent")


@app.command()
def settle(
    run_id: RunId,
    sent: Annotated[
        str | None, typer.Option(metavar="PROVIDER_ID", help="It happened; its id at the platform.")
    ] = None,
    not_sent: Annotated[bool, typer.Option("--not-sent", help="It certainly did not happen.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what happened to a parked run."""
    import neonhub_worker

    if (sent is not None) == not_sent:
        raise typer.BadParameter("give either --sent PROVIDER_ID or --not-sent")
    run = neonhub_worker.settle(run_id, sent=sent, not_sent=not_sent)
    _decided(run, as_json=as_json)
    if not_sent:
        note(f"`neonhub runs retry {run_id}` sends it after all")


def _decided(run: Any, *, as_json: bool) -> None:
    if as_json:
        print_json(_data(run))
    else:
        print(f"{run.id} {run.state}")


def _data(run: Any) -> dict[str, Any]:
    return asdict(run)


def _print_timeline(run: Any) -> None:
    table(
        ("at", "move", "state", "attempt", "detail"),
        (
            (
                e.at,
                e.move,
                e.state,
                e.attempt or None,
                "; ".join(f"{k}: {v}" for k, v in (e.detail or {}).items() if v is not None),
            )
            for e in run.timeline
        ),
    )
