"""Flower is read-only, shows no argument of any run, and is open to this machine alone unless it has a password."""

from __future__ import annotations

import os

import pytest

from neonhub_worker.local import flower


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_on_this_machine_no_password_is_needed(address: str) -> None:
    arguments, added = flower.command({"FLOWER_ADDRESS": address})
    assert f"--address={address}" in arguments
    assert added == {"FLOWER_UNAUTHENTICATED_API": "true"}


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.7", "worker.example.org", "127.0.0.1.example.org"])
def test_beyond_this_machine_it_wants_a_password(address: str) -> None:
    with pytest.raises(flower.FlowerNotSafe, match="set FLOWER_BASIC_AUTH=user:password") as refused:
        flower.command({"FLOWER_ADDRESS": address})
    assert address in str(refused.value)
    arguments, added = flower.command({"FLOWER_ADDRESS": address, "FLOWER_BASIC_AUTH": "ada:hush"})
    assert f"--address={address}" in arguments
    assert added == {}


@pytest.mark.parametrize("accounts", ["ada", "ada:", ":hush", ":", "ada:hush,", "ada:hush,eve:"])
@pytest.mark.parametrize("address", ["0.0.0.0", "127.0.0.1"])
def test_an_account_without_a_password_is_refused(address: str, accounts: str) -> None:
    with pytest.raises(flower.FlowerNotSafe, match="FLOWER_BASIC_AUTH is not user:password") as refused:
        flower.command({"FLOWER_ADDRESS": address, "FLOWER_BASIC_AUTH": accounts})
    assert "hush" not in str(refused.value)


def test_with_a_password_the_api_asks_for_it_too_and_no_command_line_shows_it() -> None:
    arguments, added = flower.command({"FLOWER_BASIC_AUTH": "ada:hush,eve:quiet"})
    assert added == {}
    assert not any("hush" in word or "quiet" in word for word in arguments)


def test_empty_variables_count_as_not_set() -> None:
    assert flower.command({"FLOWER_ADDRESS": "", "PORT": "", "FLOWER_BASIC_AUTH": ""}) == flower.command({})


def test_it_is_read_only_and_no_column_shows_arguments_or_results() -> None:
    arguments, _ = flower.command({"PORT": "15999"})
    assert {"--read_only=True", "--port=15999"} <= set(arguments)
    columns = next(word for word in arguments if word.startswith("--tasks_columns=")).partition("=")[2].split(",")
    assert {"name", "uuid", "state", "retries", "runtime", "worker"} <= set(columns)
    assert not {"args", "kwargs", "result", "exception"} & set(columns)


def test_what_is_not_safe_ends_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [one for one in os.environ if one.startswith("FLOWER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FLOWER_ADDRESS", "0.0.0.0")
    assert flower.main() == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: Flower would listen on 0.0.0.0 without a password; set FLOWER_BASIC_AUTH=")
    assert said.err.count("\n") == 1
