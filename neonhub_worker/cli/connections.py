"""``neonhub connections``: an organization's links to its accounts at the platforms."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from neonhub_worker.cli.inputs import json_object
from neonhub_worker.cli.output import AsJson, Organization, note, print_json, table
from neonhub_worker.errors import FieldError, InvalidInput

app = typer.Typer(help="Links to accounts at the platforms.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The connection's name.")]
Limits = Annotated[
    list[str] | None,
    typer.Option(
        "--limit",
        help="What the account may do: 10/s, 1000/day, or '1/6s per target' for one person or channel.",
    ),
]


@app.command()
def add(
    connector: Annotated[str, typer.Argument(help="The platform's slug, such as sms.")],
    name: Annotated[str | None, typer.Option(help="Name of the connection; the slug if left out.")] = None,
    organization: Organization = "demo",
    account: Annotated[str, typer.Option(help="The account's id at the platform, as people know it.")] = "",
    credential_file: Annotated[
        Path | None,
        typer.Option(
            help="JSON object with the secrets; without it a terminal is asked, and else standard input read."
        ),
    ] = None,
    settings_json: Annotated[
        str | None, typer.Option("--settings", help='JSON object, such as \'{"from_number": "+1..."}\'.')
    ] = None,
    limit: Limits = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Store a new credential for the connection that has this name.")
    ] = False,
    redirect_uri: Annotated[
        str | None, typer.Option(help="Where the platform sends people back to; this machine if left out.")
    ] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Where to wait for them on this machine.")] = None,
    browser: Annotated[bool, typer.Option(help="Open the platform's page in a browser.")] = True,
    timeout_s: Annotated[float, typer.Option("--timeout", min=1, help="Seconds to wait for the consent.")] = 600.0,
    as_json: AsJson = False,
) -> None:
    """Add a connection, step by step if a terminal asks; its credential is encrypted before it is stored."""
    from neonhub_worker.cli import adding

    wanted = adding.Wanted(adding.platform(connector), organization, name or connector, replace=replace)
    settings = None if settings_json is None else json_object(settings_json, "--settings")
    if credential_file is None and sys.stdin.isatty():
        credential, settings = wanted.ask(
            settings, redirect_uri=redirect_uri, port=port, browser=browser, timeout_s=timeout_s
        )
    else:
        credential = json_object(_text(credential_file), "credential")
    connection_id = wanted.store(credential, settings, account=account, limits=_limits(limit))
    if as_json:
        print_json({"id": connection_id, "name": wanted.name})
    else:
        print(connection_id)
        note(f"`neonhub connections test {wanted.name} --org {organization}` tries it with a harmless call")


@app.command("list")
def list_connections(organization: Organization = "demo", as_json: AsJson = False) -> None:
    """List an organization's connections; never their secrets."""
    from neonhub_worker.performing import grants
    from neonhub_worker.vault import connections, organizations

    organizations.need(organization)
    listed = connections.list_all(organization)
    foreseen = grants.outlooks([one.id for one in listed])
    found = [(one, foreseen[one.id]) for one in listed]
    if as_json:
        print_json([_data(one, outlook) for one, outlook in found])
        return
    table(
        ("name", "platform", "account", "state", "ends", "limits", "waits", "settings"),
        (
            (one.name, one.connector, one.account, one.state, _ends(outlook), ", ".join(_written(one)), _waits(one.id),
             one.settings)
            for one, outlook in found
        ),
    )  # fmt: skip
    for one, outlook in found:
        for sentence in outlook.warnings:
            note(f"{one.name}: {sentence}")


@app.command()
def limit(name: Name, limits: Limits = None, organization: Organization = "demo", as_json: AsJson = False) -> None:
    """Set what an account may do, also for what waits already; without --limit nothing limits it but its platform."""
    from neonhub_worker.vault import connections

    connections.set_limits(organization, name, _limits(limits))
    _now(name, f"limited to {', '.join(limits)}" if limits else "not limited", as_json=as_json)


@app.command()
def test(name: Name, organization: Organization = "demo", as_json: AsJson = False) -> int:
    """Make a harmless call with a connection's credential."""
    from connectors.kit.errors import ConnectorError
    from neonhub_worker.performing import probe

    try:
        said = probe.test_connection(organization, name)
    except ConnectorError as error:
        if as_json:
            print_json({"ok": False, "error": type(error).__name__, "message": str(error)})
        else:
            note(f"error: {type(error).__name__}: {error}")
        return 1
    if as_json:
        print_json({"ok": True, "message": said})
    else:
        print(said)
    return 0


@app.command()
def refresh(name: Name, organization: Organization = "demo", as_json: AsJson = False) -> int:
    """Renew a connection's token now; also of a grant that was found dead, in case it works again."""
    from neonhub_worker.performing import grants, tokens
    from neonhub_worker.vault import connections

    described = connections.get_by_name(organization, name)
    found = tokens.renew(connections.open_connection(described.id))
    if isinstance(found, tokens.Unready):
        kind, message = found.error["class"], found.error["message"]
        if as_json:
            print_json({"ok": False, "error": kind, "message": message})
        else:
            hint = f"; `neonhub connections add {described.connector} --name {name} --replace` asks a person again"
            note(f"error: {kind}: {message}{hint if found.dead else ''}")
        return 1
    grant = grants.of(found)
    expires_at = None if grant is None else grant.expires_at
    if as_json:
        print_json({"ok": True, "name": name, "expires_at": expires_at})
    else:
        print(f"{name} renewed" + (f", until {expires_at:%Y-%m-%d %H:%M:%S} UTC" if expires_at else ""))
    return 0


@app.command("rotate-keys")
def rotate_keys(as_json: AsJson = False) -> None:
    """Encrypt all credentials anew with the first of NEONHUB_VAULT_KEYS; the others may be removed then."""
    from neonhub_worker.vault import connections

    count = connections.rotate_all()
    if as_json:
        print_json({"credentials": count})
    else:
        print(f"{count} credentials are encrypted with the first key")


@app.command()
def disable(name: Name, organization: Organization = "demo", as_json: AsJson = False) -> None:
    """Put a connection out of use; its waiting runs fail without being sent."""
    from neonhub_worker.vault import connections

    connections.set_state(organization, name, "disabled")
    _now(name, "disabled", as_json=as_json)


@app.command()
def enable(name: Name, organization: Organization = "demo", as_json: AsJson = False) -> None:
    """Put a disabled connection back into use."""
    from neonhub_worker.vault import connections

    connections.set_state(organization, name, "active")
    _now(name, "active", as_json=as_json)


@app.command()
def remove(name: Name, organization: Organization = "demo", as_json: AsJson = False) -> None:
    """Delete a connection that no run refers to."""
    from neonhub_worker.vault import connections

    connections.remove(organization, name)
    _now(name, "removed", as_json=as_json)


def _limits(given: list[str] | None) -> list[dict[str, Any]]:
    from neonhub_worker.dispatch import limits

    try:
        return [limits.parse(one).as_json() for one in given or ()]
    except ValueError as error:
        raise InvalidInput([FieldError("--limit", str(error))]) from None


def _written(one: Any) -> list[str]:
    from neonhub_worker.dispatch import limits

    return [str(limit) for limit in limits.of_json(one.limits)]


def _closed(connection_id: Any) -> list[dict[str, Any]]:
    from neonhub_worker.db.engine import transaction
    from neonhub_worker.dispatch import gates

    with transaction() as opened:
        found = gates.closed(opened, connection_id)
    return [{"scope": one.scope, "until": one.closed_until, "reason": one.reason} for one in found]


def _waits(connection_id: Any) -> str:
    return "; ".join(
        f"{one['scope'].partition(':')[0]} until {one['until']:%H:%M:%S} UTC ({one['reason']})"
        if one["until"]
        else f"{one['scope']}: one run tries it ({one['reason']})"
        for one in _closed(connection_id)
    )


def _ends(outlook: Any) -> str | None:
    grant = outlook.grant
    return None if grant is None or grant.ends_at is None else f"{grant.ends_at:%Y-%m-%d}"


def _text(file: Path | None) -> str:
    try:
        return sys.stdin.read() if file is None else file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InvalidInput([FieldError("credential", "must be JSON in UTF-8")]) from None


def _now(name: str, state: str, *, as_json: bool) -> None:
    print_json({"name": name, "state": state}) if as_json else print(f"{name} {state}")


def _data(one: Any, outlook: Any) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "connector": one.connector,
        "account": one.account,
        "state": one.state,
        "limits": _written(one),
        "waits": _closed(one.id),
        "settings": one.settings,
        **_foreseen(outlook),
    }


def _foreseen(outlook: Any) -> dict[str, Any]:
    grant = outlook.grant
    return {
        "expires_at": None if grant is None else grant.expires_at,
        "ends_at": None if grant is None else grant.ends_at,
        "renewed": grant is not None and grant.renewed,
        "missing_scopes": [] if grant is None else list(grant.missing),
        "warnings": list(outlook.warnings),
    }
