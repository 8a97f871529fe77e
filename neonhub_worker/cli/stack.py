"""``neonhub up``, ``down``, ``status``, ``demo`` and ``migrate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from neonhub_worker.cli.output import AsJson, note, print_json, table


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (up, down, status, demo, migrate):
        app.command()(command)


def up(
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Come back once it is ready; it goes on behind.")
    ] = False,
    database_port: Annotated[int | None, typer.Option(help="A free one if left out.")] = None,
    broker_port: Annotated[int | None, typer.Option(help="A free one if left out.")] = None,
    sandbox_port: Annotated[int | None, typer.Option(help="A free one if left out.")] = None,
    flower_port: Annotated[int | None, typer.Option(help="A free one if left out.")] = None,
    as_json: AsJson = False,
) -> None:
    """Start Postgres, the broker, the sandbox, workers, beat and Flower; state is kept in NEONHUB_HOME."""
    from neonhub_worker.local import stack
    from neonhub_worker.settings import load

    home = load().home
    ports = stack.Ports(database=database_port, broker=broker_port, sandbox=sandbox_port, flower=flower_port)
    info = stack.up(home, detach=detach, ports=ports, on_progress=note)
    if as_json:
        print_json({"urls": info.urls})
    elif detach:
        _print_urls(info.urls)
        note("`neonhub status` shows what happens, `neonhub down` stops it")


def down(as_json: AsJson = False) -> None:
    """Stop the embedded stack; nothing that was accepted is lost."""
    from neonhub_worker.local import stack
    from neonhub_worker.settings import load

    stopped = stack.down(load().home, on_progress=note)
    if as_json:
        print_json({"stopped": stopped})
    elif not stopped:
        note("nothing was running")


def status(as_json: AsJson = False) -> None:
    """Count runs by state, messages by queue, and show the stack's processes."""
    from neonhub_worker.local import overview

    found = overview.read()
    if as_json:
        print_json(found)
        return
    table(("state", "runs"), found["runs"].items())
    print()
    table(("queue", "messages"), found["queues"].items())
    if None in found["queues"].values():
        note("the broker does not answer: what is due waits until it does; `neonhub doctor` says more")
    if found["restore_guard"] is not None:
        print(f"\nRestore guard: {found['restore_guard']}.")
    if found["webhooks"]["waiting"]:
        print(f"\n{found['webhooks']['waiting']} events of platforms wait to be worked off.")
    if found["webhooks"]["refused"]:
        print()
        refused = ((r["connector"], r["reason"], r["number"], r["last_at"]) for r in found["webhooks"]["refused"])
        table(("webhooks refused", "reason", "number", "last (UTC)"), refused)
    if found["oldest_due_s"] is not None:
        print(f"\nThe oldest due run waits for {found['oldest_due_s']:.1f} s.")
    if found["processes"]:
        print()
        table(
            ("process", "pid", "alive", "restarts"),
            ((p["name"], p["pid"], "yes" if p["alive"] else "NO", p["restarts"]) for p in found["processes"]),
        )


def demo(
    folder: Annotated[Path | None, typer.Argument(help="Campaign folder; examples/spring-launch if left out.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the stack up at the end.")] = False,
    messages: Annotated[int | None, typer.Option(help="Send to this many contacts only.", min=1)] = None,
    kill: Annotated[bool, typer.Option("--kill/--no-kill", help="Kill a worker in the middle.")] = True,
    as_json: AsJson = False,
) -> int:
    """Send the example campaign through the sandbox, kill a worker on the way, and count what really happened."""
    from neonhub_worker.demo import run
    from neonhub_worker.settings import load

    return run.run_demo(load().home, folder, keep=keep, messages=messages, kill=kill, as_json=as_json)


def migrate(
    finish: Annotated[
        bool, typer.Option("--finish", help="Also remove what the version before needs; none of it may run any more.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the database's schema up to date; safe while the version before runs, and any number of times."""
    from neonhub_worker.db import migrate as migrations
    from neonhub_worker.db.engine import reachable
    from neonhub_worker.settings import settings

    url = settings().need_database_url()
    with reachable():
        before = migrations.schema(url)
        migrations.upgrade(url, finish=finish)
        after = migrations.schema(url)
    result: dict[str, Any] = {"before": before.current, "after": after.current, "finished": not after.unfinished}
    if as_json:
        print_json(result)
        return
    moved = "" if before.current == after.current else f" (it was at {before.current or 'nothing'})"
    print(f"the schema is at {after.current}{moved}")
    if after.unfinished:
        note("once no process of the version before runs, `neonhub migrate --finish` removes what only that one needs")


def _print_urls(urls: dict[str, str]) -> None:
    for name in ("flower", "sandbox", "webhooks"):
        print(f"{name:8} {urls.get(name, '-')}")
