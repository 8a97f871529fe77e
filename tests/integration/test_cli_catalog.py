"""``neonhub catalog``, and what every command does when it is called wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from connectors import registry
from neonhub_worker.cli.main import app
from tests.integration.cli import Neonhub, as_process, in_process


@pytest.fixture
def neonhub(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Neonhub:
    return in_process(capsys, monkeypatch)


def test_the_catalog_lists_every_action(neonhub: Neonhub) -> None:
    listed = neonhub("catalog", "--json").json
    assert len(listed) == sum(len(connector.actions) for connector in registry.CONNECTORS)
    shown = neonhub("catalog").out
    assert all(one["action"] in shown and one["repeat_policy"] in shown for one in listed)


def test_a_slug_narrows_the_catalog_to_one_platform(neonhub: Neonhub) -> None:
    assert {one["action"].partition(".")[0] for one in neonhub("catalog", "slack", "--json").json} == {"slack"}
    assert "sms." not in neonhub("catalog", "slack").out


def test_one_action_is_shown_whole(neonhub: Neonhub) -> None:
    shown = neonhub("catalog", "sms.sendSMS").words
    assert shown.startswith("sms.sendSMS: Send an SMS or MMS now. If the outcome is unknown: LookUp.")
    assert "to yes Recipient: phone number with country code" in shown
    assert "body Text;" in shown
    assert "body yes" not in shown


def test_one_action_as_json_holds_what_a_program_needs(neonhub: Neonhub) -> None:
    data = neonhub("catalog", "sms.sendSMS", "--json").json
    assert data["task"] == "connectors.sms.sendSMS"
    assert data["input"]["required"] == ["to"]
    assert data["changes_the_outside_world"] is True
    assert data["retry"]["max_retries"] >= 1
    assert data["output"]["properties"]


def test_an_unknown_action_is_answered_with_close_ones(neonhub: Neonhub) -> None:
    refusal = neonhub("catalog", "sms.sendsms").refusal
    assert "no action 'sms.sendsms'; did you mean sms.sendSMS" in refusal
    assert "`neonhub catalog` lists them all" in neonhub("catalog", "x.y").refusal


def test_an_unknown_platform_is_answered_with_those_there_are(neonhub: Neonhub) -> None:
    known = ", ".join(connector.slug for connector in registry.CONNECTORS)
    assert f"no connector 'fax'; there are {known}" in neonhub("catalog", "fax").refusal


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nonsense"], "no such command 'nonsense'"),
        (["runs", "nonsense"], "no such command 'nonsense' (`neonhub runs --help`"),
        (["enqueue", "--inptu", "{}"], "--inptu"),
        (["enqueue", "sms.sendSMS", "--priority", "12"], "'--priority'"),
        (["enqueue", "sms.sendSMS", "--priority", "high"], "'--priority'"),
        (["runs", "show"], "RUN"),
        (["consent", "import", "/nowhere/people.csv"], "/nowhere/people.csv"),
    ],
)
def test_a_wrong_call_is_one_line_that_names_it_and_where_help_is(
    neonhub: Neonhub, arguments: list[str], says: str
) -> None:
    said = neonhub(*arguments)
    assert said.code == 2
    assert says in said.refusal
    assert "--help`" in said.refusal


@pytest.mark.parametrize("group", [[], ["runs"], ["schedules"], ["connections"], ["consent"], ["sandbox"]])
def test_a_group_without_a_command_shows_what_there_is(neonhub: Neonhub, group: list[str]) -> None:
    said = neonhub(*group)
    assert (said.code, said.out) == (2, "")
    assert f"Usage: {' '.join(['neonhub', *group])} " in said.err
    assert "Commands:" in said.err


def test_help_is_a_result(neonhub: Neonhub) -> None:
    said = neonhub("runs", "settle", "--help")
    assert (said.code, said.err) == (0, "")
    assert "--not-sent" in said.out


def test_every_command_can_answer_in_json() -> None:
    def without(group: Any, path: str) -> Iterator[str]:
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from without(command, f"{path} {name}")
            elif not any("--json" in parameter.opts for parameter in command.params):
                yield f"{path} {name}".strip()

    # Serving has no result.
    assert list(without(typer.main.get_command(app), "")) == ["sandbox serve", "webhooks serve"]


def test_debug_shows_where_an_error_comes_from() -> None:
    said = as_process("catalog", "fax", "--debug")
    assert said.code == 1
    assert "Traceback" in said.err
    assert "catalog.py" in said.err
