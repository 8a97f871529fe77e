"""The product's main job, end to end: the demo with everything it starts, and a kill on the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from neonhub_worker.local import stack
from tests.acceptance import kills

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home in a path with a space; nothing of it runs afterwards."""
    place = tmp_path / "my home"
    yield place
    stack.down(place, on_progress=print)


def demo(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "neonhub_worker.cli.main", "demo", *arguments]
    environment = {**os.environ, "NEONHUB_HOME": str(home)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=170)


def test_a_worker_killed_mid_send_loses_and_repeats_nothing(home: Path) -> None:
    done = demo(home, "--messages", "60", "--keep")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = {line[:40].strip(): line[40:].strip() for line in done.stdout.splitlines()}
    assert (rows["lost"], rows["duplicates"], rows["workers killed"]) == ("0", "0", "1")
    assert int(rows["reached a platform (the sandbox's count)"]) == int(rows["succeeded"]) > 60
    assert int(rows["opted out (contacts file)"]) > 0
    assert "killed worker actions." in done.stderr
    assert "http://127.0.0.1:" in done.stdout
    info = stack.info(home)
    assert info is not None, "--keep leaves the stack up"

    faults = requests.get(f"{info.urls['sandbox']}/_sandbox/faults", timeout=10).json()["faults"]
    assert faults == [], "what is tried out afterwards is not disturbed by the demo's faults"

    again = demo(home, "--messages", "5", "--json", "--no-kill")
    report = json.loads(again.stdout)
    assert (again.returncode, report["clean"], report["lost"], report["duplicates"]) == (0, True, 0, 0)
    still = stack.info(home)
    assert still is not None, "a stack that was up before is left running"
    assert still.processes["postgres"] == info.processes["postgres"]


@pytest.mark.parametrize("process", ["postgres", "supervisor"])
def test_any_process_may_be_killed(home: Path, process: str) -> None:
    played = kills.play(home, process, 9.0, messages=40)
    assert played.killed
    assert played.clean, played.line()
    assert stack.info(home) is None, "the demo stops what it has started"


def test_a_campaign_that_is_wrong_is_one_clear_line_and_starts_nothing(home: Path, tmp_path: Path) -> None:
    (tmp_path / "campaign.yaml").write_text("name: spring\norganisation: demo\n")
    done = demo(home, str(tmp_path))
    assert done.returncode == 1
    assert "campaign.yaml: organisation: there is no such field" in done.stderr
    assert "Traceback" not in done.stderr
    assert not home.exists()
