"""Does the type checker hold what the kit promises about types?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SNIPPET = """
from connectors.kit.action import Input, LookUp, Output
from connectors.kit.call import Call
from connectors.slack import SLACK

class Mine(Input):
    name: str

class Other(Input):
    name: str

class Made(Output):
    id: str

def find_mine(call: Call, data: Mine) -> Made | None:
    return None

@SLACK.action("make", Mine, Made, repeat=LookUp(find_mine, settle_after_s=1), why="", recipient=lambda data: data.name)
def make(call: Call, data: Mine) -> Made:
    return Made(id=data.name)
"""

MINE, OTHER = "data: Mine) -> Made:", "data: Other) -> Made:"
WRONG = {
    "a look-up for another input": (SNIPPET.replace('"make", Mine', '"make", Other').replace(MINE, OTHER), "misc"),
    "a function for another input": (SNIPPET.replace(MINE, OTHER), "arg-type"),
    "no policy": (SNIPPET.replace("repeat=LookUp(find_mine, settle_after_s=1), ", ""), "call-arg"),
    "no reason": (SNIPPET.replace('why="", ', ""), "call-arg"),
}


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of our own: two type checkers at work must not share one."""
    return tmp_path_factory.mktemp("mypy")


def mypy(tmp_path: Path, cache: Path, text: str) -> subprocess.CompletedProcess[str]:
    snippet = tmp_path / "snippet.py"
    snippet.write_text(text)
    root = Path(__file__).parents[3]
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent"]
    command += ["--cache-dir", str(cache), str(snippet)]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, check=False)


def test_a_right_declaration_is_accepted(tmp_path: Path, cache: Path) -> None:
    checked = mypy(tmp_path, cache, SNIPPET)

    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(("text", "rule"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_declaration_is_refused(tmp_path: Path, cache: Path, text: str, rule: str) -> None:
    checked = mypy(tmp_path, cache, text)

    assert checked.returncode == 1, checked.stdout
    assert f"[{rule}]" in checked.stdout
