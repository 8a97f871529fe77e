"""A full disk: what was accepted is kept, one line says why nothing moves, and freed space is all it takes to heal."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from neonhub_worker import enqueue, get_run
from neonhub_worker.errors import NeonhubError
from neonhub_worker.local import launch, stack
from tests.conftest import forget_settings
from tests.integration.local_stacks import PROCFILE, ROOT, LocalStack
from tests.servers import wait_for

_SIZE = "230m"


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of its own, with little more room than a new stack needs."""
    folder = Path(tempfile.mkdtemp(prefix="neonhub-test-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        folder.rmdir()
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    folder.rmdir()


@contextlib.contextmanager
def running(place: Path, *, procfile: str = PROCFILE) -> Iterator[LocalStack]:
    local = LocalStack(place / "home", procfile=procfile)
    if procfile != PROCFILE:
        local.procfile = ROOT / "Procfile"
    try:
        local.up()
        yield local
    finally:
        forget_settings()
        free_space(local)
        local.clean()


def fill(local: LocalStack) -> None:
    """Leave not a byte."""
    with (local.home.path / "filling").open("ab", buffering=0) as file, contextlib.suppress(OSError):
        for size in (1 << 20, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * size)
    assert shutil.disk_usage(local.home.path).free == 0


def free_space(local: LocalStack) -> None:
    (local.home.path / "filling").unlink(missing_ok=True)


def test_what_died_on_a_full_disk_comes_back_once_there_is_space(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "_HEALING_S", 0.5)
    with running(small_disk) as local:
        before = local.pids()
        fill(local)
        local.kill("keeper", "postgres", "actions.1")
        with pytest.raises(
            stack.StackError, match=r"no space is left for .*; free some, and the stack goes on by itself"
        ):
            local.up()
        free_space(local)
        # Also what had to be started while nothing could be written down is known again.
        after = local.wait_healed(before, "keeper", "postgres", "actions.1")
        assert after["broker"] == before["broker"]
        local.kill("supervisor")
        local.wait_healed(after, "supervisor")


def test_a_stack_can_be_stopped_and_is_not_started_on_a_full_disk(small_disk: Path) -> None:
    with running(small_disk) as local:
        fill(local)
        assert local.down()
        assert local.left() == []
        assert not local.home.stack_file.exists()
        fill(local)
        with pytest.raises(stack.StackError, match="no space left on device"):
            local.up()
        assert local.left() == []
        free_space(local)
        assert local.up().processes == local.pids()


def test_nothing_that_was_accepted_is_lost_when_the_disk_runs_full(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEONHUB_REDISPATCH_S", "1")
    with running(small_disk, procfile="real") as local:
        monkeypatch.setenv("NEONHUB_HOME", str(local.home.path))
        forget_settings()
        info = stack.info(local.home.path)
        assert info is not None
        accepted = [send(number) for number in range(20)]
        fill(local)
        refusal = ""
        for number in itertools.count(20):
            try:
                accepted.append(send(number))
            except NeonhubError as error:
                refusal = str(error)
                break
        assert "No space left on device" in refusal
        assert len(refusal.splitlines()) == 1
        local.kill("beat")
        free_space(local)
        for run_id in accepted:
            wait_for(lambda run_id=run_id: get_run(run_id).state == "succeeded", f"the end of {run_id}", timeout_s=60)  # type: ignore[misc]
        effects = requests.get(f"{info.urls['sandbox']}/_sandbox/effects", timeout=10).json()["effects"]
        assert Counter(one["recipient"] for one in effects) == Counter(to(number) for number in range(len(accepted)))


def to(number: int) -> str:
    return f"+1415555{number:04}"


def send(number: int) -> uuid.UUID:
    return enqueue(
        {
            "action": "sms.sendSMS",
            "organization_id": "demo",
            "connection": "sms",
            "input": {"to": to(number), "body": "Spring is here. " * 20},
        }
    )
