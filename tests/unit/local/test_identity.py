"""A process is known by its pid and its start; nobody else is ever signalled."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from neonhub_worker.local import identity, state, stopping
from neonhub_worker.local.home import Home
from tests.servers import wait_for


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that does nothing for a long time."""
    process = subprocess.Popen(["sleep", "1000"], env={**os.environ, identity.MARK: "stack-of-test/sleeper"})
    yield process
    process.kill()
    process.wait()


def record(pid: int, mark: str, *, name: str = "one", tier: int = 3, stop_s: float = 5) -> state.Record:
    return state.Record(name=name, pid=pid, mark=mark, started_at="2026-01-01T00:00:00+00:00", tier=tier, stop_s=stop_s)


def test_a_mark_belongs_to_one_life(sleeper: subprocess.Popen[bytes]) -> None:
    mark = identity.start_mark(sleeper.pid)
    assert mark is not None
    assert identity.alive(sleeper.pid, mark)
    assert identity.start_mark(sleeper.pid) == mark
    assert identity.start_mark(os.getpid()) != mark


def test_one_that_only_waits_for_its_parent_does_not_run(sleeper: subprocess.Popen[bytes]) -> None:
    mark = identity.start_mark(sleeper.pid)
    assert mark is not None
    sleeper.kill()
    wait_for(lambda: not identity.alive(sleeper.pid, mark), "the end of the process")
    assert sleeper.returncode is None


def test_another_life_under_the_same_pid_is_not_signalled(sleeper: subprocess.Popen[bytes]) -> None:
    assert not identity.send(sleeper.pid, "another boot:1", signal.SIGKILL)
    stopping.stop([record(sleeper.pid, "another boot:1")], reap=lambda: None, tell=lambda _: None)
    assert sleeper.poll() is None


def test_down_leaves_a_stranger_alone_that_got_the_pid_of_ours(
    sleeper: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    home = Home.at(tmp_path)
    home.prepare()
    record(sleeper.pid, "another boot:1").save(home)
    assert not stopping.end_leftovers(home, tell=lambda _: None)
    assert sleeper.poll() is None


def test_processes_are_found_by_the_mark_in_their_environment(sleeper: subprocess.Popen[bytes]) -> None:
    assert [process.pid for process in identity.marked("stack-of-test", "sleeper")] == [sleeper.pid]
    assert [process.pid for process in identity.marked("stack-of-test")] == [sleeper.pid]
    assert identity.marked("stack-of-test", "other") == []
    assert identity.marked("stack-of") == []


def test_one_that_does_not_listen_is_killed_after_its_time() -> None:
    stubborn = subprocess.Popen(
        ["sh", "-c", "trap '' TERM; echo on; while :; do sleep 0.05; done"], stdout=subprocess.PIPE
    )
    assert stubborn.stdout is not None
    assert stubborn.stdout.readline() == b"on\n"
    mark = identity.start_mark(stubborn.pid)
    assert mark is not None
    said: list[str] = []
    stopping.stop([record(stubborn.pid, mark, stop_s=0.2)], reap=lambda: None, tell=said.append)
    assert stubborn.wait(5) == -signal.SIGKILL
    stubborn.stdout.close()
    assert said == ["stopping one", "one did not stop within 0 s and was killed"]


def test_higher_tiers_stop_first(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    running, records = [], []
    for tier in (0, 2, 1):
        script = f"trap 'echo {tier} >> {journal}; exit' TERM; echo on; while :; do sleep 0.02; done"
        process = subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        running.append(process)
        records.append(record(process.pid, identity.start_mark(process.pid) or "", name=str(tier), tier=tier))
    stopping.stop(records, reap=lambda: None, tell=lambda _: None)
    for process in running:
        process.wait(5)
        assert process.stdout is not None
        process.stdout.close()
    assert journal.read_text().split() == ["2", "1", "0"]
