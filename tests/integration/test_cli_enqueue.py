"""``neonhub enqueue``: accepted whole or refused whole, with one line for each broken rule."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from neonhub_worker import get_run
from tests.conftest import ConnectionFactory, forget_settings
from tests.integration.cli import INPUT, TO, Neonhub, count, in_process

ONE = ("enqueue", "sms.sendSMS", "--org", "acme")
GOOD = (*ONE, "--input", json.dumps(INPUT))


@pytest.fixture
def neonhub(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, connection_factory: ConnectionFactory
) -> Neonhub:
    connection_factory("sms", credential={}, settings={})
    connection_factory("slack", credential={}, settings={})
    return in_process(capsys, monkeypatch)


def line(**changes: Any) -> str:
    """One line of a file."""
    request = {"action": "sms.sendSMS", "organization_id": "acme", "connection": "sms", "input": INPUT}
    return json.dumps({name: value for name, value in {**request, **changes}.items() if value is not None})


def file_of(tmp_path: Path, *lines: str) -> Path:
    file = tmp_path / "runs.jsonl"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_a_request_is_accepted_and_its_run_id_is_all_that_is_printed(neonhub: Neonhub) -> None:
    said = neonhub(*GOOD)
    run = get_run(said.out.strip())
    assert (run.state, run.name, run.connection, run.input) == ("queued", "sms.sendSMS", "sms", INPUT)
    assert "1 accepted" in said.err


def test_a_program_is_told_the_run_id_as_json(neonhub: Neonhub) -> None:
    (run_id,) = neonhub(*GOOD, "--json").json["accepted"]
    assert get_run(run_id).state == "queued"


def test_a_request_with_a_time_is_scheduled(neonhub: Neonhub) -> None:
    run = get_run(neonhub(*GOOD, "--at", "2035-01-01T09:00:00+01:00").words)
    assert (run.state, run.run_at.isoformat()) == ("scheduled", "2035-01-01T08:00:00+00:00")


def test_the_same_key_and_input_give_the_same_run(neonhub: Neonhub) -> None:
    first, second = (neonhub(*GOOD, "--key", "welcome-1").words for _ in range(2))
    assert first == second
    assert count("run") == 1


def test_the_same_key_with_another_input_is_refused(neonhub: Neonhub) -> None:
    first = neonhub(*GOOD, "--key", "welcome-1").words
    other = json.dumps({**INPUT, "body": "Autumn."})
    refusal = neonhub(*ONE, "--input", other, "--key", "welcome-1").refusal
    assert "idempotency key 'welcome-1' was used for sms.sendSMS with another input" in refusal
    assert first in refusal
    assert count("run") == 1


WRONG_REQUESTS: list[tuple[list[str], str]] = [
    ([], "give either an ACTION or --file FILE"),
    (["sms.sendSMS", "--file", "runs.jsonl"], "give either an ACTION or --file FILE"),
    (["sms.sendsms"], "action: no action 'sms.sendsms'; did you mean sms.sendSMS"),
    (["sms.sendSMS", "--input", '{"to": "+14155550123"'], "--input: must be JSON (Expecting ',' delimiter at"),
    (["sms.sendSMS", "--input", "[]"], "--input: must be a JSON object"),
    (["sms.sendSMS", "--input", '{"a": ' + "[" * 100_000], "--input: is nested too deeply"),
    (["sms.sendSMS", "--input", '{"a": ' + "9" * 5000 + "}"], "or holds a number that is too long"),
    (["sms.sendSMS", "--input", '{"body": "x"}'], "input.to: is missing"),
    (["sms.sendSMS", "--input", '{"to": "0123", "body": "x"}'], "input.to: must be a phone number in E.164 form"),
    (["sms.sendSMS", "--input", '{"to": "+49", "body": "x"}'], "input.to: "),
    (["sms.sendSMS", "--input", '{"to": "+14155550123", "body": "a\\u0000"}'], "input.body: must not hold a NUL"),
    (["sms.sendSMS", "--connection", "nope", "--input", json.dumps(INPUT)], "connection: acme has no connection"),
    (
        ["sms.sendSMS", "--connection", "slack", "--input", json.dumps(INPUT)],
        "connection: 'slack' belongs to slack",
    ),
    (["sms.sendSMS", "--at", "tomorrow"], "--at: must be ISO 8601"),
    (["sms.sendSMS", "--at", "2035-01-01T09:00:00"], "--at: needs an offset, such as +01:00 or Z"),
    (["sms.sendSMS", "--at", "9999-12-31T23:00:00-10:00", "--input", json.dumps(INPUT)], "at: must lie between"),
    (["sms.sendSMS", "--key", "", "--input", json.dumps(INPUT)], "idempotency_key: "),
]


def test_a_wrong_request_is_refused_by_what_is_wrong(neonhub: Neonhub) -> None:
    for arguments, says in WRONG_REQUESTS:
        refusal = neonhub("enqueue", "--org", "acme", *arguments).refusal
        assert says in refusal
        assert TO not in refusal
        assert count("run") == 0


def test_every_broken_rule_has_its_line(neonhub: Neonhub) -> None:
    said = neonhub(*ONE, "--input", '{"to": "12", "bod": "x", "validity_period": 0}')
    assert [rule.partition(":")[0] for rule in said.refusals] == ["input.to", "input.validity_period", "input.bod"]
    assert count("run") == 0


def test_an_unknown_organization_is_named(neonhub: Neonhub) -> None:
    refusal = neonhub("enqueue", "sms.sendSMS", "--org", "nobody", "--input", json.dumps(INPUT)).refusal
    assert "organization_id: no organization 'nobody'; `neonhub connections add` makes one" in refusal


def test_a_file_is_accepted_line_by_line_in_its_order(neonhub: Neonhub, tmp_path: Path) -> None:
    lines = [line(idempotency_key=f"k{number}", priority=number) for number in range(3)]
    at = line(at="2035-01-01T00:00:00Z", input={"to": TO, "body": "Größe\u2028ß"})
    said = neonhub("enqueue", "--file", file_of(tmp_path, *lines, "", at))
    runs = [get_run(run_id) for run_id in said.out.split()]
    assert [run.idempotency_key for run in runs] == ["k0", "k1", "k2", None]
    assert [run.state for run in runs] == ["queued"] * 3 + ["scheduled"]
    assert runs[3].input["body"] == "Größe\u2028ß"
    assert "4 accepted" in said.err


def test_a_file_enqueued_twice_under_its_keys_is_accepted_once(neonhub: Neonhub, tmp_path: Path) -> None:
    file = file_of(tmp_path, line(idempotency_key="a"), line(idempotency_key="b"))
    first, second = (neonhub("enqueue", "--file", file, "--json").json["accepted"] for _ in range(2))
    assert first == second
    assert count("run") == 2


def test_one_bad_line_and_nothing_of_the_file_is_accepted(neonhub: Neonhub, tmp_path: Path) -> None:
    file = file_of(tmp_path, line(), "", line(input={"to": "12", "body": "x"}), line(connection="nope"))
    rules = neonhub("enqueue", "--file", file).refusals
    assert rules[0].startswith("line 3: input.to: must be a phone number")
    assert rules[1].startswith("line 4: connection: acme has no connection 'nope'")
    assert count("run") == 0


def test_every_line_that_is_no_request_is_named(neonhub: Neonhub, tmp_path: Path) -> None:
    file = file_of(tmp_path, line(), "", line(action=None), line(at="soon"), line(priority=10, colour="red"))
    fields = [rule.rsplit(": ", 1)[0] for rule in neonhub("enqueue", "--file", file).refusals]
    assert fields == ["line 3: action", "line 4: at", "line 5: priority", "line 5: colour"]
    assert count("run") == 0


def test_every_line_that_is_no_json_is_named(neonhub: Neonhub, tmp_path: Path) -> None:
    rules = neonhub("enqueue", "--file", file_of(tmp_path, line(), "{", "", "7")).refusals
    assert rules[0].startswith("line 2: must be JSON")
    assert rules[1:] == ["line 4: must be a JSON object"]
    assert count("run") == 0


def test_a_file_of_one_bad_line_names_that_line_too(neonhub: Neonhub, tmp_path: Path) -> None:
    refusal = neonhub("enqueue", "--file", file_of(tmp_path, "", line(action="sms.nope"))).refusal
    assert refusal.startswith("error: refused: line 2: action: no action 'sms.nope'")


NO_FILES: list[tuple[bytes | None, str]] = [
    (b"\n\n", "holds no request"),
    (b"\xff\xfe", "must be UTF-8 text"),
    (None, "no such file"),
]


def test_a_file_that_holds_nothing_is_refused(neonhub: Neonhub, tmp_path: Path) -> None:
    for content, says in NO_FILES:
        file = tmp_path / f"{len(says)}.jsonl"
        if content is not None:
            file.write_bytes(content)
        refusal = neonhub("enqueue", "--file", file).refusal
        assert says in refusal
        assert str(file) in refusal


OPTIONS_OF_ONE: list[list[str]] = [
    ["--at", "2035-01-01T00:00:00Z"],
    ["--key", "k"],
    ["--wait", "5"],
    ["--org", "acme"],
    ["--priority", "1"],
]


def test_no_option_of_a_single_request_is_silently_left_out_beside_a_file(neonhub: Neonhub, tmp_path: Path) -> None:
    for option in OPTIONS_OF_ONE:
        refusal = neonhub("enqueue", "--file", file_of(tmp_path, line()), *option).refusal
        assert "is for a single ACTION; with --file each line says it itself" in refusal
        assert option[0] in refusal or option == ["--org", "acme"]
        assert count("run") == 0


def test_a_database_that_is_away_accepts_nothing_and_is_named(
    neonhub: Neonhub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEONHUB_DATABASE_URL", "postgresql://someone:secret-word@127.0.0.1:1/neonhub")
    forget_settings()
    refusal = neonhub(*GOOD).refusal
    assert "the database at 127.0.0.1:1 does not answer" in refusal
    assert "check NEONHUB_DATABASE_URL" in refusal
    assert "secret-word" not in refusal


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("NEONHUB_DATABASE_URL", "mysql://127.0.0.1/x", "NEONHUB_DATABASE_URL: must start with postgresql://"),
        ("NEONHUB_LEASE_S", "soon", "NEONHUB_LEASE_S: Input should be a valid number"),
        ("NEONHUB_WORKER_THREADS", "0", "NEONHUB_WORKER_THREADS: Input should be greater than or equal to 1"),
    ],
)
def test_a_wrong_setting_is_named(
    neonhub: Neonhub, monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    forget_settings()
    assert says in neonhub(*GOOD).refusal
