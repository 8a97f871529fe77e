"""Connections: found by name, encrypted at rest, never shown."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, text

from neonhub_worker.errors import (
    ConnectionExists,
    InvalidInput,
    MoveRefused,
    UnknownConnection,
    UnknownOrganization,
    VaultError,
)
from neonhub_worker.vault import cipher, connections, organizations
from tests.conftest import ConnectionFactory, forget_settings

SECRET = {"auth_token": "very-secret-token"}


def test_a_credential_is_encrypted_at_rest_and_comes_back(
    connection_factory: ConnectionFactory, engine: Engine
) -> None:
    connection_id = connection_factory("sms", credential=SECRET, settings={"from_number": "+15005550006"})
    with engine.connect() as connection:
        stored = connection.execute(text("select credential from connection")).scalar_one()
    assert b"very-secret" not in stored
    opened = connections.open_connection(connection_id)
    assert opened.credential == SECRET
    assert "very-secret" not in repr(opened)
    assert "very-secret" not in repr(connections.get_by_name("acme", "sms"))


def test_rotation_keeps_credentials_and_lets_the_old_key_go(
    connection_factory: ConnectionFactory, monkeypatch: pytest.MonkeyPatch, engine: Engine
) -> None:
    import os

    connection_id = connection_factory("sms", credential=SECRET, settings={})
    old, new = os.environ["NEONHUB_VAULT_KEYS"], Fernet.generate_key().decode()
    monkeypatch.setenv("NEONHUB_VAULT_KEYS", f"{new},{old}")
    forget_settings()
    assert connections.rotate_all() == 1
    monkeypatch.setenv("NEONHUB_VAULT_KEYS", new)
    forget_settings()
    assert connections.open_connection(connection_id).credential == SECRET


def test_without_the_key_the_error_says_which_keys_are_meant(
    connection_factory: ConnectionFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection_id = connection_factory("sms", credential=SECRET, settings={})
    monkeypatch.setenv("NEONHUB_VAULT_KEYS", Fernet.generate_key().decode())
    forget_settings()
    with pytest.raises(VaultError, match="NEONHUB_VAULT_KEYS"):
        connections.open_connection(connection_id)
    monkeypatch.setenv("NEONHUB_VAULT_KEYS", "short")
    forget_settings()
    with pytest.raises(VaultError, match="must hold Fernet keys"):
        cipher.encrypt(SECRET)
    monkeypatch.delenv("NEONHUB_VAULT_KEYS")
    forget_settings()
    with pytest.raises(VaultError, match="no vault key"):
        cipher.encrypt(SECRET)


def test_what_is_not_there_is_named(organization: str) -> None:
    with pytest.raises(UnknownConnection, match="acme has no connection 'sms'"):
        connections.get_by_name(organization, "sms")
    with pytest.raises(UnknownOrganization, match="nobody"):
        connections.get_by_name("nobody", "sms")
    with pytest.raises(InvalidInput, match="organization_id"):
        organizations.ensure("Not A Slug", "x")


def test_a_name_is_given_once(connection_factory: ConnectionFactory) -> None:
    connection_factory("sms", credential=SECRET, settings={})
    with pytest.raises(ConnectionExists, match="already"):
        connection_factory("sms", credential=SECRET, settings={})


def test_a_connection_that_runs_refer_to_is_disabled_not_removed(
    connection_factory: ConnectionFactory, engine: Engine
) -> None:
    from neonhub_worker import enqueue

    connection_id = connection_factory("sms", credential=SECRET, settings={})
    connection_factory("slack", credential=SECRET, settings={})
    request = {"action": "sms.sendSMS", "organization_id": "acme", "connection": "sms"}
    enqueue({**request, "input": {"to": "+14155550123", "body": "x"}})
    with pytest.raises(MoveRefused, match="disable"):
        connections.remove("acme", "sms")
    connections.set_state("acme", "sms", "disabled")
    with pytest.raises(UnknownConnection, match="disabled"):
        connections.open_connection(connection_id)
    connections.remove("acme", "slack")
    assert [one.name for one in connections.list_all("acme")] == ["sms"]
