"""Is anything lost or done twice when one process of the stack is killed at a random moment of the demo?

``python -m tests.acceptance.kills --times 20 --seed 1``: each round runs ``neonhub demo`` from start to end, stack
included, and sends SIGKILL to one process of the stack, each in turn, at a moment drawn from the seed. The judge is
the demo's own report, whose count of effects is the sandbox's.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from neonhub_worker.local import stack
from neonhub_worker.local.home import Home

PROCESSES = (
    *("supervisor", "keeper", "postgres", "broker", "sandbox"),
    *("actions.1", "actions.2", "beat", "webhooks", "flower"),
)
LATEST_S = 12.0
"""Until when the kill comes: a demo in which nothing is killed takes 13 s on two quiet cores."""

_ROUND_S = 400.0


@dataclass(frozen=True)
class Round:
    """One demo with one kill.

    Attributes:
        killed: Whether the process was running when its moment came.
        code: The demo's exit code.
        report: What the demo printed; empty if it printed nothing that can be read.
    """

    process: str
    at_s: float
    killed: bool
    code: int
    report: dict[str, object]
    error: str

    @property
    def clean(self) -> bool:
        """Nothing lost and nothing done twice, by the demo's own word."""
        return self.code == 0 and self.report.get("lost") == 0 and self.report.get("duplicates") == 0

    def line(self) -> str:
        """For people."""
        fields = ("accepted", "effects", "duplicates", "lost", "read_backs", "attempts")
        counts = ", ".join(f"{name} {self.report.get(name)}" for name in fields)
        how = f"killed at {self.at_s:4.1f} s" if self.killed else f"not running at {self.at_s:4.1f} s"
        return f"{'ok  ' if self.clean else 'FAIL'} {self.process:10} {how}: {counts} {self.error}"


def play(home: Path, process: str, at_s: float, *, messages: int | None = None) -> Round:
    """Run one demo and kill one process of its stack.

    Args:
        at_s: Seconds after the demo was started.
        messages: Use only this many contacts.
    """
    command = [sys.executable, "-m", "neonhub_worker.cli.main", "demo", "--json", "--no-kill"]
    if messages is not None:
        command += ["--messages", str(messages)]
    environment = {**os.environ, "NEONHUB_HOME": str(home)}
    demo = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        killed = _kill(demo, home, process, time.monotonic() + at_s)
        output, said = demo.communicate(timeout=_ROUND_S)
    finally:
        demo.kill()
    try:
        report = json.loads(output)
    except ValueError:
        report = {}
    return Round(process, at_s, killed, demo.returncode, report, "" if report else said[-500:])


def _kill(demo: subprocess.Popen[str], home: Path, process: str, at: float) -> bool:
    """Wait for the moment, and from then on until the process runs; False if the demo ends first."""
    while demo.poll() is None:
        if time.monotonic() >= at and Home.at(home).run.is_dir():
            for one in stack.processes(home):
                if one.name == process and one.alive:
                    os.kill(one.pid, signal.SIGKILL)
                    return True
        time.sleep(0.02)
    return False


def main() -> int:
    """Play the rounds and print a line for each; 0 if all of them are clean."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=20, help="rounds")
    parser.add_argument("--seed", type=int, default=1, help="decides on the moments")
    options = parser.parse_args()
    draw = random.Random(options.seed)
    rounds = []
    with tempfile.TemporaryDirectory(prefix="neonhub-kills-") as folder:
        for number in range(options.times):
            process = PROCESSES[number % len(PROCESSES)]
            rounds.append(play(Path(folder) / "home", process, draw.uniform(0, LATEST_S)))
            print(rounds[-1].line(), flush=True)
    kills, clean = sum(one.killed for one in rounds), sum(one.clean for one in rounds)
    print(f"{clean} of {len(rounds)} clean, {kills} kills")
    return 0 if clean == len(rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
