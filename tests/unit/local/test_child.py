"""One process is kept alive, with growing pauses, and its dead predecessors are named to it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from neonhub_worker.local.child import Backoff, Child, Spec
from neonhub_worker.local.errors import StackError
from neonhub_worker.local.home import Home
from tests.servers import wait_for


def test_the_pause_doubles_up_to_its_limit() -> None:
    backoff = Backoff()
    pauses = [backoff.after(0.1) for _ in range(8)]
    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]


def test_the_pause_is_short_again_after_a_long_life() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.after(4.9)
    assert backoff.after(5) == 0.2
    assert backoff.after(1) == 0.4


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A prepared home."""
    made = Home.at(tmp_path / "home")
    made.prepare()
    return made


class Kept:
    """A child and the file in which it says who it is."""

    def __init__(self, home: Home, script: str, **changes: object) -> None:
        self.said = home.path / "said"
        arguments = (
            sys.executable,
            "-c",
            f"import os, time\nwith open({str(self.said)!r}, 'a') as f: print({script}, file=f)\ntime.sleep(1000)",
        )
        base: dict[str, object] = {
            "name": "one",
            "tier": 3,
            "arguments": arguments,
            "environment": dict(os.environ),
            "folder": home.path,
        }
        self.child = Child(home, Spec(**(base | changes)), stack_id="test")  # type: ignore[arg-type]

    def lines(self) -> list[str]:
        return self.said.read_text().splitlines() if self.said.exists() else []

    def tick_until(self, count: int) -> None:
        def enough() -> bool:
            self.child.tick()
            return len(self.lines()) >= count

        wait_for(enough, f"{count} lines")

    def tick_until_ready(self) -> None:
        def ready() -> bool:
            self.child.tick()
            return self.child.ready

        wait_for(ready, "readiness")

    @property
    def pid(self) -> int:
        assert self.child.record is not None
        return self.child.record.pid

    def end(self) -> None:
        if self.child.running:
            os.kill(self.pid, signal.SIGKILL)
            wait_for(lambda: not self.child.running, "the end of the child")


@pytest.fixture
def kept(home: Home) -> Iterator[Kept]:
    """A child that writes its own worker id and those of its dead predecessors."""
    made = Kept(home, "os.environ['NEONHUB_WORKER_ID'], os.environ['NEONHUB_DEAD_WORKERS']")
    made.child.start()
    yield made
    made.end()


def test_a_killed_child_comes_back_and_learns_who_died(kept: Kept) -> None:
    kept.tick_until(1)
    first = kept.lines()[0].split()[0]
    before = kept.pid
    os.kill(before, signal.SIGKILL)
    kept.tick_until(2)
    own, dead = kept.lines()[1].split()
    assert kept.pid != before
    assert own != first
    assert dead == first
    assert kept.child.record is not None
    assert kept.child.record.restarts == 1


def test_who_was_killed_from_outside_is_told_from_who_died_by_itself(home: Home) -> None:
    made = Kept(home, "os.environ['NEONHUB_DEAD_WORKERS'], 'killed:' + os.environ['NEONHUB_KILLED_WORKERS']")
    made.child.start()
    try:
        made.tick_until(1)
        os.kill(made.pid, signal.SIGABRT)
        made.tick_until(2)
        os.kill(made.pid, signal.SIGKILL)
        made.tick_until(3)
        (first, none), (both, second) = made.lines()[1].split(), made.lines()[2].split()
        assert none == "killed:"
        assert both.split(",") == [first, second.removeprefix("killed:")]
    finally:
        made.end()


def test_once_ready_the_dead_are_forgotten(kept: Kept) -> None:
    kept.tick_until(1)
    os.kill(kept.pid, signal.SIGKILL)
    kept.tick_until(2)
    kept.tick_until_ready()
    os.kill(kept.pid, signal.SIGKILL)
    kept.tick_until(3)
    assert kept.lines()[2].split()[1] == kept.lines()[1].split()[0]


def test_what_a_killed_child_left_running_ends_with_it(home: Home) -> None:
    script = "__import__('subprocess').Popen(['sleep', '1000']).pid"
    made = Kept(home, script)
    made.child.start()
    try:
        made.tick_until(1)
        grandchild = int(made.lines()[0])
        os.kill(made.pid, signal.SIGKILL)
        made.tick_until(2)
        assert not Path(f"/proc/{grandchild}/cmdline").exists() or not Path(f"/proc/{grandchild}/cmdline").read_bytes()
    finally:
        made.end()
        made.child.end_rest()


def test_a_successor_takes_a_running_child_over(home: Home, kept: Kept) -> None:
    kept.tick_until(1)
    successor = Child(home, kept.child.spec, stack_id="test")
    assert successor.adopt()
    assert successor.record == kept.child.record
    assert successor.running


def test_a_child_that_would_be_started_differently_is_not_taken_over(home: Home, kept: Kept) -> None:
    kept.tick_until(1)
    spec = Spec(
        name="one",
        tier=3,
        arguments=kept.child.spec.arguments,
        environment={**kept.child.spec.environment, "NEONHUB_LEASE_S": "60"},
        folder=home.path,
    )
    assert not Child(home, spec, stack_id="test").adopt()


def test_a_program_that_does_not_exist_is_one_clear_line(home: Home) -> None:
    made = Kept(home, "1", arguments=("/nowhere/at/all",))
    with pytest.raises(StackError, match="cannot run /nowhere/at/all for one: no such file or directory"):
        made.child.start()


def test_a_start_waits_while_it_is_told_to(home: Home) -> None:
    answers = [False, True]
    made = Kept(home, "1", before=lambda _: answers.pop(0))
    try:
        made.child.start()
        assert made.child.record is None
        made.tick_until(1)
    finally:
        made.end()
