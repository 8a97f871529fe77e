"""``neonhub enqueue``: ask for one run, or for a file of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from neonhub_worker.cli.inputs import instant, json_object
from neonhub_worker.cli.output import AsJson, Organization, note, print_json
from neonhub_worker.errors import FieldError, InvalidInput


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(enqueue)


def enqueue(
    context: typer.Context,
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
    wait_s: Annotated[
        float, typer.Option("--wait", help="Seconds to wait for the result of a single run.", min=0, max=86_400)
    ] = 0.0,
    as_json: AsJson = False,
) -> int:
    """Accept one request, or each line of a file. Prints the run ids."""
    from neonhub_worker import enqueue_many

    if (action is None) == (file is None):
        raise typer.BadParameter("give either an ACTION or --file FILE")
    if file is not None:
        _refuse_options_of_one(context)
        run_ids = _enqueue_file(file)
    else:
        request = {
            "action": action,
            "organization_id": organization,
            "connection": connection or str(action).partition(".")[0],
            "input": json_object(input_json, "--input"),
            "idempotency_key": key,
            "at": None if at is None else instant(at),
            "priority": priority,
        }
        run_ids = enqueue_many([request])
        if wait_s:
            return _wait(run_ids[0], wait_s, as_json=as_json)
    if as_json:
        print_json({"accepted": [str(run_id) for run_id in run_ids]})
    else:
        for run_id in run_ids:
            print(run_id)
        note(f"{len(run_ids)} accepted; `neonhub status` shows how they fare")
    return 0


def _wait(run_id: UUID, wait_s: float, *, as_json: bool) -> int:
    from neonhub_worker import wait

    # Said before, so that whoever interrupts the waiting knows what was accepted.
    note(f"accepted as {run_id}; waiting for its result")
    run = wait(run_id, timeout_s=wait_s)
    if as_json:
        print_json({"id": run.id, "state": run.state, "output": run.output, "error": run.error})
    else:
        print(f"{run.id} {run.state}" + (f" {run.provider_id}" if run.provider_id else ""))
        if run.state != "succeeded":
            note(f"`neonhub why {run.id}` says why")
    return 0 if run.state == "succeeded" else 1


def _refuse_options_of_one(context: typer.Context) -> None:
    """Beside --file they would not apply to its lines: no campaign may go out now because --at was ignored."""
    for parameter in context.command.params:
        source = context.get_parameter_source(str(parameter.name))
        if parameter.name not in ("file", "as_json") and source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(
                f"{parameter.opts[-1]} is for a single ACTION; with --file each line says it itself"
            )


def _enqueue_file(file: Path) -> list[UUID]:
    from neonhub_worker import enqueue_many

    numbers, requests = _read_lines(file)
    try:
        return enqueue_many(requests)
    except InvalidInput as error:
        raise InvalidInput([FieldError(_by_line(e.field, numbers), e.rule) for e in error.errors]) from None


def _read_lines(file: Path) -> tuple[list[int], list[dict[str, Any]]]:
    """The requests, and the numbers of the lines that they stand in."""
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError:
        raise InvalidInput([FieldError(str(file), "must be UTF-8 text")]) from None
    numbers: list[int] = []
    requests: list[dict[str, Any]] = []
    errors: list[FieldError] = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                requests.append(json_object(line, f"line {number}"))
                numbers.append(number)
            except InvalidInput as error:
                errors += error.errors
    if errors:
        raise InvalidInput(errors)
    if not requests:
        raise InvalidInput([FieldError(str(file), "holds no request")])
    return numbers, requests


def _by_line(field: str, numbers: Sequence[int]) -> str:
    """The field of a broken rule, after the number of its line instead of that of its item."""
    item, separator, name = field.partition(": ")
    if not separator:
        return f"line {numbers[0]}: {field}"
    return f"line {numbers[int(item.removeprefix('item ')) - 1]}: {name}"
