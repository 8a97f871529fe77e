"""``neonhub connections``: added from a file or standard input, tried, and never shown with their secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.fernet import Fernet
from sqlalchemy import Engine, text

from tests.conftest import forget_settings
from tests.integration.cli import INPUT, Neonhub, count, sms_run
from tests.integration.sandboxes import Sandbox

TOKEN = "e" * 32
CREDENTIAL = {"account_sid": "AC" + "0" * 32, "auth_token": TOKEN}


@pytest.fixture
def credential_file(tmp_path: Path) -> Path:
    file = tmp_path / "credential.json"
    file.write_text(json.dumps(CREDENTIAL))
    return file


def account(sandbox: Sandbox) -> dict[str, Any]:
    found: dict[str, Any] = requests.get(f"{sandbox.url}/_sandbox/accounts", timeout=10).json()["sms"]
    return found


def test_a_connection_is_added_from_a_file(neonhub: Neonhub, credential_file: Path) -> None:
    settings = '{"from_number": "+15005550006"}'
    said = neonhub(
        "connections", "add", "sms", "--org", "acme", "--credential-file", credential_file, "--settings", settings
    )
    assert said.code == 0
    assert "neonhub connections test sms --org acme" in said.err
    (listed,) = neonhub("connections", "list", "--org", "acme", "--json").json
    assert listed["id"] == said.out.strip()
    assert (listed["name"], listed["connector"], listed["state"]) == ("sms", "sms", "active")
    assert listed["settings"] == {"from_number": "+15005550006"}


def test_a_connection_is_added_from_standard_input_and_makes_its_organization(neonhub: Neonhub) -> None:
    arguments = ("connections", "add", "sms", "--org", "new", "--name", "main", "--account", "Main", "--json")
    added = neonhub(*arguments, stdin=json.dumps(CREDENTIAL).encode()).json
    assert added["name"] == "main"
    assert "main sms Main active" in neonhub("connections", "list", "--org", "new").words


LISTS: list[list[str]] = [["list"], ["list", "--json"]]


def test_no_list_shows_a_secret(neonhub: Neonhub, credential_file: Path) -> None:
    for how in LISTS:
        neonhub("connections", "add", "sms", "--org", "acme", "--credential-file", credential_file)
        said = neonhub("connections", *how, "--org", "acme")
        assert '"sms"' in said.out or "sms" in said.words
        assert TOKEN not in said.out + said.err


WRONG_CREDENTIALS: list[tuple[bytes, str]] = [
    (b'{"account_sid": "AC', "credential: must be JSON (Unterminated string starting at"),
    (b'["AC"]', "credential: must be a JSON object"),
    (b"\xff\xfe", "credential: must be JSON in UTF-8"),
    (b"", "credential: must be JSON"),
    (json.dumps({**CREDENTIAL, "account_sid": "XY"}).encode(), "account_sid: "),
    (json.dumps({**CREDENTIAL, "extra": 1}).encode(), "extra: there is no such field"),
]


def test_a_wrong_credential_is_refused_by_its_field_and_nothing_is_kept(neonhub: Neonhub) -> None:
    for stdin, says in WRONG_CREDENTIALS:
        said = neonhub("connections", "add", "sms", "--org", "new", stdin=stdin)
        assert said.refusal.startswith(f"error: refused: {says}")
        assert TOKEN not in said.err
        assert (count("connection"), count("organization where id = 'new'")) == (0, 0)


WRONG_CONNECTIONS: list[tuple[list[str], str]] = [
    (["fax"], "connector: no connector 'fax'"),
    (["sms", "--settings", "{"], "--settings: must be JSON"),
    (["sms", "--settings", '{"from_nubmer": "+1"}'], "from_nubmer: there is no such field"),
    (["sms", "--org", "No Such"], "organization_id: 1 to 63 of a-z, 0-9, - and _"),
    (["sms", "--credential-file", "/nowhere"], "no such file or directory (/nowhere)"),
]


def test_a_wrong_connection_is_refused_by_what_is_wrong(neonhub: Neonhub) -> None:
    for arguments, says in WRONG_CONNECTIONS:
        refusal = neonhub("connections", "add", *arguments, stdin=json.dumps(CREDENTIAL).encode()).refusal
        assert says in refusal
        assert count("connection") == 0


def test_a_second_connection_of_a_name_is_refused(neonhub: Neonhub, credential_file: Path) -> None:
    arguments = ("connections", "add", "sms", "--org", "acme", "--credential-file", credential_file)
    assert neonhub(*arguments).code == 0
    assert "acme has a connection 'sms' already; remove it first" in neonhub(*arguments).refusal


def test_without_a_usable_vault_key_nothing_is_kept(
    neonhub: Neonhub, credential_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, says in (("", "no vault key: set NEONHUB_VAULT_KEYS"), ("short", "NEONHUB_VAULT_KEYS must hold Fernet")):
        monkeypatch.setenv("NEONHUB_VAULT_KEYS", key)
        forget_settings()
        said = neonhub("connections", "add", "sms", "--org", "new", "--credential-file", credential_file)
        assert says in said.refusal
        assert (count("connection"), count("organization where id = 'new'")) == (0, 0)


def test_a_connection_that_works_says_whose_it_is(neonhub: Neonhub, sandbox: Sandbox) -> None:
    sid = account(sandbox)["credential"]["account_sid"]
    assert neonhub("connections", "test", "sms", "--org", "acme").words == f"Twilio account {sid}, active"
    assert neonhub("connections", "test", "sms", "--org", "acme", "--json").json["ok"] is True


def test_a_connection_that_fails_says_why(neonhub: Neonhub, sandbox: Sandbox) -> None:
    credential = {**account(sandbox)["credential"], "auth_token": TOKEN}
    neonhub("connections", "add", "sms", "--org", "acme", "--name", "b", stdin=json.dumps(credential).encode())
    refusal = neonhub("connections", "test", "b", "--org", "acme").refusal
    assert "AuthExpired" in refusal
    answer = neonhub("connections", "test", "b", "--org", "acme", "--json")
    assert answer.code == 1
    assert (answer.json["ok"], answer.json["error"]) == (False, "AuthExpired")
    assert TOKEN not in refusal + answer.out


def test_a_connection_whose_key_is_not_ours_cannot_be_tried(
    neonhub: Neonhub, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEONHUB_VAULT_KEYS", Fernet.generate_key().decode())
    forget_settings()
    refusal = neonhub("connections", "test", "sms", "--org", "acme").refusal
    assert "none of NEONHUB_VAULT_KEYS fits this credential: add the key it was made with" in refusal


def test_a_disabled_connection_takes_no_requests_until_it_is_enabled(neonhub: Neonhub, sandbox: Sandbox) -> None:
    request = ("enqueue", "sms.sendSMS", "--org", "acme", "--input", json.dumps(INPUT))
    assert neonhub("connections", "disable", "sms", "--org", "acme").words == "sms disabled"
    assert "'sms' is disabled; enable it" in neonhub(*request).refusal
    assert "disabled" in neonhub("connections", "test", "sms", "--org", "acme").refusal
    answer = neonhub("connections", "enable", "sms", "--org", "acme", "--json").json
    assert answer == {"name": "sms", "state": "active"}
    assert neonhub(*request).code == 0


def test_a_connection_is_removed_unless_runs_refer_to_it(neonhub: Neonhub, sandbox: Sandbox) -> None:
    assert neonhub("connections", "remove", "slack", "--org", "acme").words == "slack removed"
    sms_run()
    refusal = neonhub("connections", "remove", "sms", "--org", "acme").refusal
    assert "runs refer to 'sms', so it stays on record; `neonhub connections disable sms`" in refusal
    left = {one["name"] for one in neonhub("connections", "list", "--org", "acme", "--json").json}
    assert ("sms" in left, "slack" in left) == (True, False)


COMMANDS: list[str] = ["test", "disable", "enable", "remove"]


def test_an_unknown_connection_or_organization_is_named(neonhub: Neonhub) -> None:
    for command in COMMANDS:
        refusal = neonhub("connections", command, "nope", "--org", "acme").refusal
        assert "acme has no connection 'nope'; `neonhub connections list --org acme` shows them" in refusal
        assert "no organization 'nobody'" in neonhub("connections", command, "sms", "--org", "nobody").refusal


def test_the_connections_of_an_unknown_organization_are_not_an_empty_list(neonhub: Neonhub) -> None:
    assert "no organization 'nobody'" in neonhub("connections", "list", "--org", "nobody").refusal


def test_an_accounts_limits_are_set_shown_and_taken_back(neonhub: Neonhub, credential_file: Path) -> None:
    given = ("--org", "acme", "--credential-file", credential_file, "--limit", "10/s", "--limit", "1/6s per target")
    assert neonhub("connections", "add", "sms", *given).code == 0
    (listed,) = neonhub("connections", "list", "--org", "acme", "--json").json
    assert (listed["limits"], listed["waits"]) == (["10/s", "1/6s per target"], [])
    assert "10/s, 1/6s per target" in neonhub("connections", "list", "--org", "acme").words
    assert neonhub("connections", "limit", "sms", "--org", "acme", "--limit", "1000/day").code == 0
    assert neonhub("connections", "list", "--org", "acme", "--json").json[0]["limits"] == ["1000/day"]
    assert "not limited" in neonhub("connections", "limit", "sms", "--org", "acme").words
    refusal = neonhub("connections", "limit", "sms", "--org", "acme", "--limit", "ten a second").refusal
    assert "'ten a second' is no limit; write it as 10/s" in refusal


def test_what_a_connection_waits_for_is_shown(neonhub: Neonhub, credential_file: Path, engine: Engine) -> None:
    neonhub("connections", "add", "sms", "--org", "acme", "--credential-file", credential_file)
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into gate (connection_id, scope, closed_until, failures, reason) "
                "select id, 'circuit', now() + interval '1 hour', 5, 'Unavailable' from connection"
            )
        )
    (listed,) = neonhub("connections", "list", "--org", "acme", "--json").json
    assert [(one["scope"], one["reason"]) for one in listed["waits"]] == [("circuit", "Unavailable")]
    assert "circuit until" in neonhub("connections", "list", "--org", "acme").words
