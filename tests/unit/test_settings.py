"""Settings come from the environment or from the embedded stack, and a wrong one is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from neonhub_worker.errors import SettingsError
from neonhub_worker.settings import load


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "BROKER_URL", "SANDBOX_URL", "VAULT_KEYS", "LEASE_S", "HOME", "RETENTION_DAYS"):
        monkeypatch.delenv(f"NEONHUB_{name}", raising=False)


def write_stack(home: Path) -> None:
    (home / "secrets").mkdir()
    (home / "secrets" / "vault.key").write_text("a-key\n")
    urls = {"database": "postgresql://u:p@127.0.0.1:1/n", "broker": "redis://:p@127.0.0.1:2/0", "sandbox": "http://h:3"}
    (home / "stack.json").write_text(json.dumps({"urls": urls, "processes": []}))


def test_a_running_stack_is_found_by_itself(tmp_path: Path) -> None:
    write_stack(tmp_path)
    found = load(home=tmp_path)
    assert found.need_database_url() == "postgresql+psycopg://u:p@127.0.0.1:1/n"
    assert found.need_broker_url() == "redis://:p@127.0.0.1:2/0"
    assert found.sandbox_url == "http://h:3"
    assert found.vault_keys is not None
    assert found.vault_keys.get_secret_value() == "a-key"


def test_own_servers_are_never_mixed_with_a_stack_that_happens_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_stack(tmp_path)
    monkeypatch.setenv("NEONHUB_DATABASE_URL", "postgresql://prod/db")
    found = load(home=tmp_path)
    assert found.database_url == "postgresql+psycopg://prod/db"
    assert found.sandbox_url is None, "production must not be pointed at a sandbox by a leftover file"
    with pytest.raises(SettingsError, match="NEONHUB_BROKER_URL"):
        found.need_broker_url()


def test_without_any_server_the_message_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="neonhub up"):
        load(home=tmp_path).need_database_url()


def test_every_wrong_setting_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEONHUB_LEASE_S", "soon")
    monkeypatch.setenv("NEONHUB_DATABASE_URL", "mysql://x")
    with pytest.raises(SettingsError) as caught:
        load(home=tmp_path)
    assert "NEONHUB_LEASE_S" in str(caught.value)
    assert "NEONHUB_DATABASE_URL" in str(caught.value)
    assert "postgresql://" in str(caught.value)


def test_a_half_written_stack_file_is_no_stack(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text('{"urls": ')
    assert load(home=tmp_path).database_url is None


def test_runs_are_kept_for_two_days_at_least_or_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(home=tmp_path).retention_days == 90
    for days, kept in (("2", 2), ("0", 0), ("", 90)):
        monkeypatch.setenv("NEONHUB_RETENTION_DAYS", days)
        assert load(home=tmp_path).retention_days == kept
    monkeypatch.setenv("NEONHUB_RETENTION_DAYS", "1")
    with pytest.raises(SettingsError, match=r"NEONHUB_RETENTION_DAYS: must be at least 2, .*; 0 keeps everything"):
        load(home=tmp_path)
