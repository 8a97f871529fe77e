"""What is in the embedded stack from the start? The organization ``demo`` with a sandbox connection per connector."""

from __future__ import annotations

import uuid
from typing import Any

import requests
from cryptography.fernet import Fernet
from sqlalchemy import Connection

from connectors import registry
from connectors.webhooks import WEBHOOKS
from neonhub_worker.db.engine import make_engine
from neonhub_worker.errors import UnknownConnection, Unreachable
from neonhub_worker.local.home import keep_private
from neonhub_worker.settings import VAULT_KEY_FILE, load
from neonhub_worker.vault import connections, organizations
from neonhub_worker.webhooks.addresses import path

DEMO = "demo"


def seed_demo(database_url: str, sandbox_url: str, *, webhooks_url: str | None = None) -> None:
    """Make the organization and its connections, or bring their credentials up to date; any number of times.

    Args:
        webhooks_url: Where the sandbox tells what happens at its accounts, without ``/webhooks``; None: nowhere.

    Raises:
        Unreachable: The sandbox does not answer.
    """
    keep_private(load().home / VAULT_KEY_FILE, Fernet.generate_key().decode())
    accounts = _accounts(sandbox_url)
    engine = make_engine("postgresql+psycopg://" + database_url.partition("://")[2], pool_size=1)
    try:
        with engine.begin() as connection:
            organizations.ensure(DEMO, "Demo", connection=connection)
            ids = {
                connector.slug: _seed_connection(connection, connector.slug, accounts[connector.slug])
                for connector in registry.CONNECTORS
            }
    finally:
        engine.dispose()
    if webhooks_url is not None:
        for slug in ids.keys() & WEBHOOKS.keys():
            _ask(sandbox_url, "POST", "webhooks", {"connector": slug, "url": webhooks_url + path(slug, ids[slug])})


def _accounts(sandbox_url: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = _ask(sandbox_url, "GET", "accounts", None)
    return found


def _ask(sandbox_url: str, method: str, what: str, body: dict[str, Any] | None) -> Any:
    try:
        answer = requests.request(method, f"{sandbox_url}/_sandbox/{what}", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json()
    except requests.RequestException as error:
        raise Unreachable(f"the sandbox at {sandbox_url} does not answer ({type(error).__name__})") from None


def _seed_connection(connection: Connection, slug: str, account: dict[str, Any]) -> uuid.UUID:
    try:
        known = connections.get_by_name(DEMO, slug, connection=connection)
    except UnknownConnection:
        return connections.add(
            organization_id=DEMO,
            name=slug,
            connector=slug,
            account=account["account"],
            credential=account["credential"],
            settings=account["settings"],
            connection=connection,
        )
    opened = connections.open_connection(known.id, connection=connection)
    if (opened.credential, opened.settings) != (account["credential"], account["settings"]):
        connections.replace_credential(known.id, account["credential"], account["settings"], connection=connection)
    return known.id
