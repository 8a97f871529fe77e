"""``neonhub webhooks``: take in what platforms tell, and where they must send it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from neonhub_worker.cli.output import AsJson, Organization, note, print_json, table

app = typer.Typer(help="What platforms tell us.", no_args_is_help=True)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535)] = 8026,
) -> None:
    """Take in deliveries until it is interrupted; put a proxy that speaks TLS in front."""
    from neonhub_worker.settings import settings
    from neonhub_worker.telemetry import logging as log_shape
    from neonhub_worker.webhooks import serving

    log_shape.configure()
    settings().need_database_url()
    serving.serve(host=host, port=port, public_url=settings().webhooks_url)


@app.command("list")
def list_addresses(organization: Organization = "demo", as_json: AsJson = False) -> None:
    """List the address that each connection's platform must be told, and what its credential still lacks for it."""
    from neonhub_worker.settings import settings
    from neonhub_worker.webhooks import addresses

    found = addresses.of(organization, base_url=settings().webhooks_url or "")
    if as_json:
        print_json([_data(one) for one in found])
        return
    table(
        ("connection", "address", "proved by", "verify token (Meta)"),
        ((one.connection, one.url, one.secret if one.ready else f"MISSING: {one.secret}", one.token) for one in found),
    )
    if settings().webhooks_url is None:
        note("set NEONHUB_WEBHOOKS_URL to the address under which platforms reach `neonhub webhooks serve`")


def _data(one: Any) -> dict[str, Any]:
    return {
        "connection": one.connection,
        "connector": one.connector,
        "url": one.url,
        "secret": one.secret,
        "ready": one.ready,
        "verify_token": one.token,
    }
