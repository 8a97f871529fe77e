"""Whoever reads what ``up`` says may leave at any time: a closed terminal stops what it shows, and nothing else."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator

from neonhub_worker.local import stack, state
from tests.integration.local_stacks import NAMES, ROOT, LocalStack


@contextlib.contextmanager
def in_terminal(local: LocalStack, *, detach: bool) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """``up`` in a terminal of its own; closing the descriptor closes the terminal."""
    ours, theirs = os.openpty()
    # A new session has no terminal: opening one by its name would make it that of the session, as a login does.
    become = f"import fcntl, os, sys; fcntl.ioctl(0, {termios.TIOCSCTTY}, 0); os.execv(sys.argv[1], sys.argv[1:])"
    up = subprocess.Popen(
        [sys.executable, "-c", become, *local.command(detach=detach)],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield up, ours
    finally:
        with contextlib.suppress(OSError):
            os.close(ours)
        up.kill()
        up.wait()


def ready(local: LocalStack) -> bool:
    return local.home.run.is_dir() and state.load_state(local.home) == "ready"


def nothing_is_left(local: LocalStack) -> None:
    assert local.left() == []
    assert not local.home.stack_file.exists()
    assert not state.is_locked(local.home)


def read_until(terminal: int, words: bytes) -> None:
    said = b""
    while words not in said:
        said += os.read(terminal, 4096)


def test_closing_the_terminal_of_a_stack_in_the_foreground_stops_it(local: LocalStack) -> None:
    with in_terminal(local, detach=False) as (up, terminal):
        read_until(terminal, b"Ctrl-C stops it")
        os.close(terminal)
        assert up.wait(60) == 0
    nothing_is_left(local)


def test_closing_the_terminal_while_the_stack_starts_stops_it(local: LocalStack) -> None:
    with in_terminal(local, detach=True) as (up, terminal):
        read_until(terminal, b"postgres is ready")
        os.close(terminal)
        assert up.wait(60) != 0
    nothing_is_left(local)


def test_a_detached_stack_outlives_its_terminal(local: LocalStack) -> None:
    with in_terminal(local, detach=True) as (up, terminal):
        # Nobody reads: what is said has to fit into the terminal, as it does.
        assert up.wait(60) == 0
        os.close(terminal)
    assert local.pids().keys() == NAMES
    info = stack.info(local.home.path)
    assert info is not None
    assert info.processes == local.pids()


def test_a_second_signal_does_not_end_the_stopping(local: LocalStack) -> None:
    up = local.start_up(detach=False)
    assert up.stdout is not None
    assert "running; Ctrl-C stops it\n" in iter(up.stdout.readline, "")
    for _ in range(2):
        # A closing terminal sends it twice: the kernel to the group, and the shell to its job.
        os.killpg(up.pid, signal.SIGHUP)
    output, _ = up.communicate(timeout=60)
    assert up.returncode == 0, output
    nothing_is_left(local)


def test_what_is_said_into_a_closed_pipe_stops_nothing(local: LocalStack) -> None:
    up = local.start_up(detach=True, stderr=subprocess.DEVNULL)
    assert up.stdout is not None
    up.stdout.close()
    assert up.wait(60) == 0
    assert ready(local)
    assert local.pids().keys() == NAMES
