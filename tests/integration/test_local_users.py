"""The stack runs as an ordinary user, and as root with Postgres under another account."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from neonhub_worker.local import stack
from neonhub_worker.local.postgres_account import let_through
from tests.integration.local_stacks import NAMES, ROOT, LocalStack

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def nobodys() -> Iterator[LocalStack]:
    """A stack in a folder that belongs to an ordinary user."""
    folder = Path(tempfile.mkdtemp(prefix="neonhub-test-"))
    made = LocalStack(folder / "home")
    entry = pwd.getpwnam("nobody")
    for place in (folder, made.procfile):
        os.chown(place, entry.pw_uid, entry.pw_gid)
    yield made
    made.clean()
    shutil.rmtree(folder, ignore_errors=True)


def as_nobody() -> list[str]:
    """What runs a command as an ordinary user, who may still read a checkout and an interpreter below /root."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv is not installed")
    found = [setpriv, "--reuid=nobody", "--regid=65534", "--clear-groups"]
    probe = [*found, "env", sys.executable, "-c", "import neonhub_worker, celery"]
    if subprocess.run(probe, cwd=ROOT, check=False, capture_output=True).returncode:
        found += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    return [*found, "env", "HOME=/nonexistent", "PYTHONDONTWRITEBYTECODE=1"]


@root_only
def test_an_ordinary_user_needs_nothing_of_root(nobodys: LocalStack) -> None:
    up = nobodys.start_up(detach=True, prefix=as_nobody())
    output, _ = up.communicate(timeout=90)
    assert up.returncode == 0, output
    pids = nobodys.pids()
    assert pids.keys() == NAMES
    assert {psutil.Process(pid).username() for pid in pids.values()} == {"nobody"}
    assert nobodys.down()
    assert nobodys.left() == []


@root_only
def test_roots_postgres_runs_without_privileges_and_root_keeps_the_rest_to_itself(tmp_path: Path) -> None:
    local = LocalStack(tmp_path / "home")
    tmp_path.chmod(0o700)
    try:
        pids = local.up().processes
        assert psutil.Process(pids["postgres"]).uids().real == local.home.pgdata.stat().st_uid != 0
        assert psutil.Process(pids["broker"]).uids().real == 0
        assert tmp_path.stat().st_mode & 0o777 == 0o701
        for private in ("secrets", "run"):
            assert (local.home.path / private).stat().st_mode & 0o077 == 0
    finally:
        local.clean()


def test_passing_through_adds_nothing_but_that(tmp_path: Path) -> None:
    closed, open_already = tmp_path / "closed", tmp_path / "closed" / "open"
    open_already.mkdir(parents=True)
    closed.chmod(0o750)
    open_already.chmod(0o755)
    let_through(open_already / "file")
    assert closed.stat().st_mode & 0o777 == 0o751
    assert open_already.stat().st_mode & 0o777 == 0o755


@root_only
def test_a_home_that_became_read_only_is_one_clear_line_before_anything_starts(nobodys: LocalStack) -> None:
    nobodys.home.prepare()
    for place in (nobodys.home.path, *nobodys.home.path.iterdir()):
        os.chown(place, nobodys.procfile.stat().st_uid, nobodys.procfile.stat().st_gid)
    nobodys.home.path.chmod(0o555)
    up = nobodys.start_up(detach=True, stderr=subprocess.STDOUT, prefix=as_nobody())
    output, _ = up.communicate(timeout=60)
    assert up.returncode != 0
    assert output.splitlines()[-1].endswith(
        f"StackError: cannot write to {nobodys.home.path}: permission denied; set NEONHUB_HOME to a folder that "
        "you may write to"
    )
    assert not nobodys.home.log_file("supervisor").exists()


@root_only
def test_a_home_of_another_user_is_one_clear_line(nobodys: LocalStack) -> None:
    nobodys.home.path.mkdir(mode=0o755)
    up = nobodys.start_up(detach=True, stderr=subprocess.STDOUT, prefix=as_nobody())
    output, _ = up.communicate(timeout=60)
    assert up.returncode != 0
    assert f"StackError: cannot write to {nobodys.home.path}: permission denied; set NEONHUB_HOME" in output
    assert stack.info(nobodys.home.path) is None
