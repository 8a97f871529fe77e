"""``neonhub sandbox``: the simulated platforms, what really reached them, and the faults they are told to have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from neonhub_worker.cli.output import AsJson, print_json, table
from neonhub_worker.errors import SettingsError, Unreachable

app = typer.Typer(help="The simulator of the platforms.", no_args_is_help=True)


@app.command()
def serve(
    state: Annotated[
        Path | None, typer.Option(help="Folder that keeps its state; sandbox in NEONHUB_HOME if left out.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8025,
) -> int:
    """Run the sandbox alone, until it is interrupted."""
    from connectors.sandbox.__main__ import main
    from neonhub_worker.settings import load

    folder = load().home / "sandbox" if state is None else state
    return main(["--host", host, "--port", str(port), "--state", str(folder)])


@app.command()
def effects(
    connector: Annotated[str | None, typer.Option(help="Only of this connector.")] = None,
    since_id: Annotated[int, typer.Option(help="Only those after this effect.")] = 0,
    as_json: AsJson = False,
) -> None:
    """List what really reached the platforms: the judge of every test."""
    query: dict[str, Any] = {"since_id": since_id}
    if connector:
        query["connector"] = connector
    found = _ask("GET", "/_sandbox/effects", params=query)["effects"]
    if as_json:
        print_json(found)
        return
    table(
        ("id", "at", "connector", "action", "provider id", "recipient", "text"),
        (
            (e["id"], e["at"], e["connector"], e["action"], e["provider_id"], e["recipient"], (e["text"] or "")[:60])
            for e in found
        ),
    )


@app.command()
def faults(
    kind: Annotated[str | None, typer.Argument(help="Fault to add, such as timeout_after or rate_limit.")] = None,
    connector: Annotated[str | None, typer.Option(help="Only for this connector.")] = None,
    operation: Annotated[str | None, typer.Option(help="Only for this operation, such as sendSMS.")] = None,
    probability: Annotated[float, typer.Option(min=0, max=1)] = 1.0,
    times: Annotated[int | None, typer.Option(help="How often; for ever if left out.")] = None,
    seconds: Annotated[float | None, typer.Option(help="For latency, timeouts and rate limits.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Remove all faults.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the faults, add one, or remove all."""
    if clear:
        _ask("DELETE", "/_sandbox/faults")
    if kind is not None:
        fault = {
            "kind": kind,
            "connector": connector,
            "operation": operation,
            "probability": probability,
            "times": times,
        }
        if seconds is not None:
            fault["seconds"] = seconds
        _ask("POST", "/_sandbox/faults", json=fault)
    found = _ask("GET", "/_sandbox/faults")["faults"]
    if as_json:
        print_json(found)
        return
    table(
        ("id", "kind", "connector", "operation", "probability", "times", "seconds", "fired"),
        (
            (f["id"], f["kind"], f["connector"], f["operation"], f["probability"], f["times"], f["seconds"], f["fired"])
            for f in found
        ),
    )


def _ask(method: str, path: str, **options: Any) -> Any:
    import requests

    from neonhub_worker.settings import settings

    base = settings().sandbox_url
    if base is None:
        raise SettingsError("no sandbox: start one with `neonhub up`, or set NEONHUB_SANDBOX_URL")
    try:
        answer = requests.request(method, base + path, timeout=10, **options)
    except requests.RequestException as error:
        raise Unreachable(f"the sandbox at {base} does not answer ({type(error).__name__})") from None
    try:
        said: dict[str, Any] = answer.json()
        if answer.status_code >= 400:
            raise SettingsError(f"the sandbox refused: {said['message']}")
    except (ValueError, KeyError, TypeError):
        raise SettingsError(
            f"what answers at {base} is no sandbox (HTTP {answer.status_code}); check NEONHUB_SANDBOX_URL"
        ) from None
    return said
