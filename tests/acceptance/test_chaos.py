"""The chaos run's short form: everything is killed once, and nothing is lost or done twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.acceptance.chaos import plan
from tests.servers import ROOT, wait_for


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tests.acceptance.chaos", *arguments]


def still_there(place: Path) -> list[str]:
    """The processes that work in a folder, or were told of it."""
    found = []
    for one in psutil.process_iter(["name", "cwd", "environ"]):
        told = (one.info["environ"] or {}).get("NEONHUB_HOME", "")
        if one.pid != os.getpid() and str(place) in f"{one.info['cwd']} {told}":
            found.append(str(one.info["name"]))
    return found


@pytest.mark.timeout(300)
def test_nothing_is_lost_or_done_twice_while_each_process_is_killed(tmp_path: Path) -> None:
    out = tmp_path / "chaos.json"
    done = subprocess.run(command("--short", "--out", str(out)), cwd=ROOT, capture_output=True, text=True, timeout=280)
    said = done.stdout + done.stderr
    assert out.exists(), said
    found = json.loads(out.read_text())
    assert (found["lost"], found["duplicated"], found["stuck"], found["findings"]) == (0, 0, 0, {}), said
    assert found["actions"] == 200, said
    assert 200 - found["parked"] <= found["effects"] <= 200, said
    assert (found["kills"], found["restarts"]) == (len(plan.STACK), 3), said
    assert found["in_flight_at_kill"] > 0, "no kill met anything in flight: it proved nothing"
    assert found["taken_up_p99_s"] < 2 * found["lease_s"], said
    assert done.returncode == (0 if found["held"] else 1)


def test_ctrl_c_leaves_nothing_running(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        command("--short"), cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr is not None
        wait_for(lambda: " accepted; " in (running.stderr.readline() if running.stderr else ""), "the first blow")
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=120)
    assert running.returncode == 130
    assert still_there(tmp_path) == []
    assert list(tmp_path.glob("neonhub-chaos-*")) == []
