"""``kill -9`` of any process of the stack, or of several, heals or can be healed; nothing is left over."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from neonhub_worker.local import stack
from tests.integration.local_stacks import NAMES, LocalStack
from tests.servers import wait_for


@pytest.fixture
def local(local: LocalStack) -> LocalStack:
    """A running stack."""
    local.up()
    return local


def unchanged(before: dict[str, int], after: dict[str, int]) -> set[str]:
    return {name for name in before if before[name] == after[name]}


def test_each_process_comes_back_alone_and_where_it_was(local: LocalStack) -> None:
    urls = stack.info(local.home.path)
    for name in sorted(NAMES - {"supervisor", "keeper"}):
        before = local.pids()
        local.kill(name)
        after = local.wait_healed(before, name)
        assert unchanged(before, after) == NAMES - {name}
    after_all = stack.info(local.home.path)
    assert urls is not None
    assert after_all is not None
    assert after_all.urls == urls.urls
    restarts = {process.name: process.restarts for process in stack.processes(local.home.path)}
    assert all(restarts[name] == 1 for name in NAMES - {"supervisor", "keeper"})


def test_a_killed_supervisor_is_followed_by_another_that_leaves_the_rest_alone(local: LocalStack) -> None:
    before = local.pids()
    local.kill("supervisor")
    after = local.wait_healed(before, "supervisor")
    assert unchanged(before, after) == NAMES - {"supervisor"}
    local.kill("actions.1", "broker")
    assert unchanged(before, local.wait_healed(after, "actions.1", "broker")) >= {"postgres", "sandbox", "actions.2"}


def test_a_killed_keeper_comes_back(local: LocalStack) -> None:
    before = local.pids()
    local.kill("keeper")
    after = local.wait_healed(before, "keeper")
    assert unchanged(before, after) == NAMES - {"keeper"}
    local.kill("supervisor")
    healed = local.wait_healed(after, "supervisor")
    local.kill("keeper")
    local.wait_healed(healed, "keeper")


def test_after_both_were_killed_up_takes_over_and_down_ends_all(local: LocalStack) -> None:
    before = local.pids()
    local.kill("keeper", "supervisor", "actions.1")
    info = local.up()
    assert unchanged(before, info.processes) == NAMES - {"keeper", "supervisor", "actions.1"}
    assert local.down()
    assert local.left() == []


def test_in_the_foreground_both_are_started_again(tmp_path: Path) -> None:
    local = LocalStack(tmp_path / "home")
    try:
        up = local.start_up(detach=False)
        assert up.stdout is not None
        assert "running; Ctrl-C stops it\n" in iter(up.stdout.readline, "")
        before = local.pids()
        local.kill("keeper", "supervisor", "broker")
        after = local.wait_healed(before, "keeper", "supervisor", "broker")
        assert unchanged(before, after) == NAMES - {"keeper", "supervisor", "broker"}
        os.kill(up.pid, signal.SIGINT)
        output, _ = up.communicate(timeout=60)
        assert up.returncode == 0, output
        assert local.left() == []
    finally:
        local.clean()


def test_after_both_were_killed_down_ends_all(local: LocalStack) -> None:
    local.kill("keeper", "supervisor")
    assert local.down() is True
    assert local.left() == []
    assert not local.home.stack_file.exists()


def test_after_everything_was_killed_up_starts_again_with_the_data(local: LocalStack) -> None:
    info = stack.info(local.home.path)
    assert info is not None
    with psycopg.connect(info.urls["database"], autocommit=True) as connection:
        connection.execute("create table kept as select 7 as n")
    local.kill(*sorted(NAMES))
    with psycopg.connect(local.up().urls["database"]) as connection:
        assert connection.execute("select n from kept").fetchone() == (7,)


def test_postgres_comes_back_though_a_busy_backend_outlives_it(local: LocalStack) -> None:
    info = stack.info(local.home.path)
    assert info is not None
    ended = threading.Event()

    def compute() -> None:
        try:
            with psycopg.connect(info.urls["database"]) as connection:
                connection.execute("select count(*) from generate_series(1, 2000000000)")
        except psycopg.OperationalError:
            ended.set()

    busy = threading.Thread(target=compute)
    busy.start()
    with psycopg.connect(info.urls["database"], autocommit=True) as watcher:
        wait_for(
            lambda: watcher.execute(
                "select 1 from pg_stat_activity where query like '%generate_series(1%' and pid <> pg_backend_pid()"
            ).fetchone(),
            "the busy backend",
        )
    before = local.pids()
    local.kill("postgres")
    local.wait_healed(before, "postgres")

    def answers() -> bool:
        try:
            with psycopg.connect(info.urls["database"]) as connection:
                return connection.execute("select 1").fetchone() == (1,)
        except psycopg.OperationalError:
            return False

    wait_for(answers, "Postgres")
    busy.join(10)
    assert ended.is_set()


def test_a_broker_that_cannot_read_its_file_starts_with_an_empty_one(local: LocalStack) -> None:
    info = stack.info(local.home.path)
    assert info is not None
    with redis.Redis.from_url(info.urls["broker"]) as broker:
        broker.set("one", "1")
    local.down()
    for place in (local.home.broker / "appendonlydir").glob("*"):
        place.write_bytes(b"nonsense" * 100)
    with redis.Redis.from_url(local.up().urls["broker"]) as broker:
        assert broker.get("one") is None
    assert [place.name.startswith("broker.broken-") for place in local.home.path.glob("broker.*")] == [True]


def test_a_supervisor_killed_while_starting_is_followed_by_one_that_goes_on(tmp_path: Path) -> None:
    local = LocalStack(tmp_path / "home")
    try:
        up = local.start_up(detach=True)
        wait_for(lambda: {"supervisor", "keeper", "postgres"} <= local.pids().keys(), "Postgres")
        local.kill("supervisor")
        output, _ = up.communicate(timeout=90)
        assert up.returncode == 0, output
        assert local.pids().keys() == NAMES
        assert local.down()
        assert local.left() == []
    finally:
        local.clean()


def test_a_supervisor_killed_before_it_had_a_keeper_is_started_again(tmp_path: Path) -> None:
    local = LocalStack(tmp_path / "home")
    try:
        up = local.start_up(detach=True)
        wait_for(lambda: psutil.Process(up.pid).children(), "the supervisor")
        psutil.Process(up.pid).children()[0].kill()
        output, _ = up.communicate(timeout=90)
        assert up.returncode == 0, output
        assert "starting again" in output
        assert local.pids().keys() == NAMES
    finally:
        local.clean()


def test_a_supervisor_killed_while_stopping_is_followed_by_one_that_goes_on(tmp_path: Path) -> None:
    script = (
        "import signal, sys, time; "
        "signal.signal(signal.SIGTERM, lambda *_: (time.sleep(2), sys.exit())); "
        "time.sleep(1000)"
    )
    local = LocalStack(tmp_path / "home", procfile=f'actions: python -c "{script}"\n')
    try:
        supervisor = local.up().processes["supervisor"]
        stopper = threading.Thread(target=local.down)
        stopper.start()
        wait_for(
            lambda: any("stopping" in line for line in local.home.log_file("supervisor").read_text().splitlines()),
            "the stop",
        )
        os.kill(supervisor, signal.SIGKILL)
        stopper.join(60)
        assert not stopper.is_alive()
        assert local.left() == []
        assert not local.home.stack_file.exists()
    finally:
        local.clean()


def test_a_stack_whose_home_was_deleted_ends_itself(local: LocalStack) -> None:
    pids = local.pids()
    shutil.rmtree(local.home.path, ignore_errors=True)
    wait_for(lambda: not any(runs(pid) for pid in pids.values()), "the end of all")


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
