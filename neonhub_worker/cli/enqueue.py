"""``neonhub enqueue``: ask for one run, or for a file of them."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from neonhub_worker.cli.output import AsJson, Organization, note, print_json
from neonhub_worker.errors import FieldError, InvalidInput


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(enqueue)


def enqueue(
    action: Annotated[str | None, typer.Argument(help="slug.camelCase, such as sms.sendSMS.")] = None,
    file: Annotated[
        Path | None, typer.Option(help="JSON lines, each one a request; all are accepted or none.", dir_okay=False)
    ] = None,
    organization: Organization = "demo",
    connection: Annotated[str | None, typer.Option(help="Connection; the action's platform if left out.")] = None,
    input_json: Annotated[str, typer.Option("--input", help="The action's input, a JSON object.")] = "{}",
    key: Annotated[str | None, typer.Option(help="Idempotency key: same key and input, same run.")] = None,
    at: Annotated[str | None, typer.Option(help="ISO 8601 with offset: when it is due.")] = None,
    priority: Annotated[int, typer.Option(help="0 goes first.", min=0, max=9)] = 5,
    wait_s: Annotated[float, typer.Option("--wait", help="Seconds to wait for the result of a single run.")] = 0.0,
    as_json: AsJson = False,
) -> int:
    """Accept one request, or each line of a file. Prints the run ids."""
    from neonhub_worker import enqueue_many, wait

    if (action is None) == (file is None):
        raise typer.BadParameter("give either an ACTION or --file FILE")
    if file is not None:
        requests = _read_lines(file)
    else:
        requests = [
            {
                "action": action,
                "organization_id": organization,
                "connection": connection or str(action).partition(".")[0],
                "input": _object(input_json, "--input"),
                "idempotency_key": key,
                "at": None if at is None else _instant(at),
                "priority": priority,
            }
        ]
    try:
        run_ids = enqueue_many(requests)
    except InvalidInput as error:
        raise _by_line(error) if file is not None else error from None
    if wait_s and len(run_ids) == 1:
        run = wait(run_ids[0], timeout_s=wait_s)
        print_json({"id": run.id, "state": run.state, "output": run.output, "error": run.error})
        return 0 if run.state == "succeeded" else 1
    if as_json:
        print_json({"accepted": [str(run_id) for run_id in run_ids]})
    else:
        for run_id in run_ids:
            print(run_id)
        note(f"{len(run_ids)} accepted; `neonhub status` shows how they fare")
    return 0


def _read_lines(file: Path) -> list[dict[str, Any]]:
    try:
        lines = file.read_text().splitlines()
    except UnicodeDecodeError:
        raise InvalidInput([FieldError(str(file), "must be UTF-8 text")]) from None
    requests = []
    errors: list[FieldError] = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                requests.append(_object(line, f"line {number}"))
            except InvalidInput as error:
                errors += error.errors
    if errors:
        raise InvalidInput(errors)
    if not requests:
        raise InvalidInput([FieldError(str(file), "holds no request")])
    return requests


def _by_line(error: InvalidInput) -> InvalidInput:
    return InvalidInput([FieldError(e.field.replace("item ", "request ", 1), e.rule) for e in error.errors])


def _object(text: str, field: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInput([FieldError(field, f"must be JSON ({error.msg} at character {error.pos + 1})")]) from None
    if not isinstance(value, dict):
        raise InvalidInput([FieldError(field, "must be a JSON object")])
    return value


def _instant(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput([FieldError("--at", "must be ISO 8601, such as 2026-12-01T09:00:00+01:00")]) from None
    if moment.tzinfo is None:
        raise InvalidInput([FieldError("--at", "needs an offset, such as +01:00 or Z")])
    return moment
