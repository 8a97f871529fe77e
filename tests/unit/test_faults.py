"""Fault points: every one is passed somewhere, and nothing happens at one that is not armed."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from neonhub_worker import faults

ROOT = Path(__file__).parents[2]


def test_every_point_is_passed_in_exactly_the_places_that_its_name_promises() -> None:
    product = [*ROOT.glob("neonhub_worker/**/*.py"), *ROOT.glob("tasks/*.py")]
    passed = {name for file in product for name in re.findall(r'faults\.point\("([^"]+)"\)', file.read_text())}
    assert passed == set(faults.POINTS)


def pass_points(armed: str) -> subprocess.CompletedProcess[str]:
    code = "from neonhub_worker import faults\nfor _ in range(3):\n    faults.point('claim.begin')\n    print('passed')"
    return subprocess.run(
        [sys.executable, "-u", "-c", code],
        env={faults.VARIABLE: armed},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_unarmed_point_does_nothing() -> None:
    assert pass_points("").stdout == "passed\n" * 3
    assert pass_points("send.before:kill").stdout == "passed\n" * 3


def test_a_point_strikes_once_at_the_time_it_is_armed_for() -> None:
    killed = pass_points("claim.begin:kill:2")
    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, "passed\n")
    raised = pass_points("claim.begin:raise:3")
    assert raised.returncode == 1
    assert raised.stdout == "passed\n" * 2
    assert raised.stderr.strip().endswith("neonhub_worker.faults.Injected: claim.begin")


@pytest.mark.parametrize("text", ["claim.begin", "claim.begin:burn", "nowhere:kill", "claim.begin:kill:x", "a:b:c:d"])
def test_what_cannot_be_armed_is_refused_with_what_can(text: str) -> None:
    with pytest.raises(ValueError, match=r"POINT:kill\|raise\|stop"):
        faults.parse(text)
