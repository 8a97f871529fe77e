"""A Procfile line becomes an argument list without any shell."""

from __future__ import annotations

from pathlib import Path

import pytest

from neonhub_worker.local import procfile
from neonhub_worker.local.errors import StackError

WORKER = "actions: celery -A neonhub_worker.app worker -Q actions,bulk -n ${NEONHUB_PROCESS:-actions}@%h"


def test_names_and_commands_are_read_in_order_and_comments_are_skipped() -> None:
    lines = procfile.parse("# the workers\nactions: one two\n\n  beat:   three  \n")
    assert [(line.name, line.text) for line in lines] == [("actions", "one two"), ("beat", "three")]


@pytest.mark.parametrize(
    ("text", "environment", "words"),
    [
        ("serve --port=$PORT", {"PORT": "8025"}, ["serve", "--port=8025"]),
        ("serve ${HOST:-here} ${NOBODY}", {}, ["serve", "here", ""]),
        ("serve ${HOST:-here}", {"HOST": "there"}, ["serve", "there"]),
        ("serve 'two words' \"$HOME\"", {"HOME": "/a b"}, ["serve", "two words", "/a b"]),
        ("serve a@%h 100$", {}, ["serve", "a@%h", "100$"]),
    ],
)
def test_variables_are_replaced_inside_words(text: str, environment: dict[str, str], words: list[str]) -> None:
    assert procfile.parse(f"one: {text}")[0].command(environment) == (words, {})


def test_assignments_before_the_command_go_to_its_environment() -> None:
    words, own = procfile.parse("one: COLOUR=blue SIZE=$N serve --now=1")[0].command({"N": "3"})
    assert words == ["serve", "--now=1"]
    assert own == {"COLOUR": "blue", "SIZE": "3"}


def test_two_workers_of_one_line_get_different_node_names() -> None:
    line = procfile.parse(WORKER)[0]
    names = [line.command({"NEONHUB_PROCESS": name})[0][-1] for name in ("actions.1", "actions.2")]
    assert names == ["actions.1@%h", "actions.2@%h"]
    assert line.command({})[0][-1] == "actions@%h"


def test_only_celery_workers_and_beat_are_asked_to_say_that_they_are_ready() -> None:
    text = f"{WORKER}\nbeat: celery -A x beat\nflower: celery -A x flower --port=$PORT\nother: worker beat\n"
    found = {line.name: (line.says_ready, line.uses_port) for line in procfile.parse(text)}
    assert found == {
        "actions": (True, False),
        "beat": (True, False),
        "flower": (False, True),
        "other": (False, False),
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("no command here", "line 1 is not"),
        ("a: one\na: two", "line 2 names the process a a second time"),
        ("a: cd x && make", "line 1: && needs a shell"),
        ("a: one > file", "line 1: > needs a shell"),
        ("a: 'open", "line 1: no closing quotation"),
    ],
)
def test_what_cannot_be_run_is_refused_with_its_line(text: str, says: str) -> None:
    with pytest.raises(StackError, match=says):
        procfile.parse(text)


def test_a_missing_procfile_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"cannot read .*nowhere: no such file or directory"):
        procfile.load(tmp_path / "nowhere")


def test_the_procfile_of_this_installation_is_found_and_right() -> None:
    lines = procfile.parse(procfile.load(procfile.find()))
    assert {"actions", "beat", "flower"} <= {line.name for line in lines}
