"""``up`` starts a whole stack, ``down`` ends all of it, and what goes wrong is one clear line."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest
import redis
import requests

from neonhub_worker.local import identity, stack, state
from neonhub_worker.local.ports import HOST
from tests.integration.local_stacks import NAMES, ROOT, LocalStack
from tests.servers import wait_for


def test_everything_runs_and_is_written_down(local: LocalStack) -> None:
    info = local.up()
    assert info.processes.keys() == NAMES
    written = json.loads(local.home.stack_file.read_text())
    assert {one["name"]: one["pid"] for one in written["processes"]} == info.processes == local.pids()
    assert written["urls"].keys() == {"database", "broker", "sandbox", "flower"}
    assert stat.S_IMODE(local.home.stack_file.stat().st_mode) == 0o600
    with psycopg.connect(info.urls["database"]) as connection:
        row = connection.execute("select current_setting('server_version_num')::int / 10000, count(*) from connection")
        version, connections = row.fetchone() or (0, 0)
    assert version == 18
    assert connections > 0
    with redis.Redis.from_url(info.urls["broker"]) as broker:
        assert broker.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert broker.config_get("appendonly") == {"appendonly": "yes"}
    assert requests.get(f"{info.urls['sandbox']}/_sandbox/health", timeout=5).ok
    assert requests.get(info.urls["flower"], timeout=5).ok


def test_servers_want_their_passwords_and_no_command_line_shows_them(local: LocalStack) -> None:
    info = local.up()
    for name in ("database", "broker"):
        password = urlsplit(info.urls[name]).password
        assert password
        lines = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
        assert any(str(local.home.pgdata) in line for line in lines)
        assert [line for line in lines if password in line] == []
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(info.urls["database"].replace(urlsplit(info.urls["database"]).password or "", "wrong"))
    broker = urlsplit(info.urls["broker"])
    with redis.Redis(host=HOST, port=broker.port or 0) as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_servers_listen_on_the_loopback_address_alone(local: LocalStack) -> None:
    local.up()
    for name in ("postgres", "broker", "sandbox"):
        listening = [
            one for one in psutil.Process(local.pids()[name]).net_connections() if one.status == psutil.CONN_LISTEN
        ]
        assert {one.laddr.ip for one in listening} == {HOST}


def test_workers_start_after_the_database_is_prepared(tmp_path: Path) -> None:
    script = (
        "import os, psycopg, time; "
        "c = psycopg.connect(os.environ['NEONHUB_DATABASE_URL']); "
        "print('found', c.execute('select id from organization').fetchall(), flush=True); "
        "time.sleep(1000)"
    )
    local = LocalStack(tmp_path / "home", procfile=f'actions: python -c "{script}"\n')
    try:
        local.up()
        wait_for(lambda: "found" in local.home.log_file("actions.1").read_text(), "the worker's word")
        assert "('demo',)" in local.home.log_file("actions.1").read_text()
        order = [line.split(" is ready")[0] for line in local.said if " is ready" in line]
        assert set(order[:3]) == {"postgres", "broker", "sandbox"}
        assert "preparing the database" in local.said
    finally:
        local.clean()


def test_a_second_up_finds_the_first(local: LocalStack) -> None:
    first = local.up()
    local.said.clear()
    assert local.up() == first
    assert local.said == ["already running"]


def test_two_ups_at_the_same_instant_make_one_stack(local: LocalStack) -> None:
    both = [local.start_up(detach=True, stderr=subprocess.STDOUT) for _ in range(2)]
    said = [up.communicate(timeout=90)[0] for up in both]
    assert [up.returncode for up in both] == [0, 0], said
    assert local.pids().keys() == NAMES
    assert len(identity.marked(state.stack_id(local.home), "supervisor")) == 1


def test_down_while_it_starts_ends_up_with_one_clear_line(local: LocalStack) -> None:
    up = local.start_up(detach=True, stderr=subprocess.STDOUT)
    wait_for(lambda: {"supervisor", "postgres"} <= local.pids().keys(), "Postgres")
    assert local.down()
    output, _ = up.communicate(timeout=60)
    assert up.returncode != 0
    assert output.endswith("StackError: the stack was stopped while it was starting\n")
    assert local.left() == []
    assert not local.home.stack_file.exists()


def test_down_ends_everything_and_data_stays_for_the_next_up(local: LocalStack) -> None:
    info = local.up()
    with psycopg.connect(info.urls["database"], autocommit=True) as connection:
        connection.execute("create table kept as select 7 as n")
    assert local.down() is True
    assert local.left() == []
    assert not local.home.stack_file.exists()
    assert local.down() is False
    again = local.up()
    assert again.urls == info.urls
    with psycopg.connect(again.urls["database"]) as connection:
        assert connection.execute("select n from kept").fetchone() == (7,)


def test_a_port_that_was_asked_for_and_is_taken_is_one_clear_line(local: LocalStack) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(stack.StackError, match=f"port {port} for the database is in use; choose another"):
            local.up(ports=stack.Ports(database=port))
    assert local.left() == []
    assert not local.home.stack_file.exists()


def test_ports_of_last_time_that_are_taken_now_are_chosen_anew(local: LocalStack) -> None:
    first = local.up()
    local.down()
    with socket.create_server((HOST, urlsplit(first.urls["database"]).port or 0)):
        second = local.up()
    assert second.urls["database"] != first.urls["database"]
    assert second.urls["broker"] == first.urls["broker"]
    with psycopg.connect(second.urls["database"]):
        pass


def test_a_process_that_cannot_live_ends_the_start_with_its_last_words(tmp_path: Path) -> None:
    local = LocalStack(tmp_path / "home", procfile="actions: python -c \"raise SystemExit('no key to the house')\"\n")
    with pytest.raises(stack.StackError, match=r"actions\.[12] keeps dying; the end of its log:\n  no key"):
        local.up()
    assert local.left() == []
    assert not local.home.stack_file.exists()


def test_a_home_with_spaces_and_quotes_and_a_very_long_path(tmp_path: Path) -> None:
    deep = tmp_path / "a b" / 'it\'s "quoted"' / "/".join(["very-long-folder-name"] * 12)
    deep.mkdir(parents=True)
    local = LocalStack(deep / "my home")
    try:
        info = local.up()
        with psycopg.connect(info.urls["database"]), redis.Redis.from_url(info.urls["broker"]) as broker:
            assert broker.ping()
        assert local.down()
        assert local.left() == []
    finally:
        local.clean()


def test_in_the_foreground_it_stays_until_it_is_interrupted(local: LocalStack) -> None:
    up = local.start_up(detach=False)
    assert up.stdout is not None
    assert "running; Ctrl-C stops it\n" in iter(up.stdout.readline, "")
    assert up.poll() is None
    os.kill(up.pid, signal.SIGINT)
    output, _ = up.communicate(timeout=60)
    assert up.returncode == 0, output
    assert local.left() == []


@pytest.mark.parametrize("detach", [True, False])
def test_sigterm_while_starting_leaves_nothing(local: LocalStack, *, detach: bool) -> None:
    up = local.start_up(detach=detach, stderr=subprocess.DEVNULL)
    assert up.stdout is not None
    assert "ready" in up.stdout.readline()
    os.kill(up.pid, signal.SIGTERM)
    up.communicate(timeout=60)
    assert local.left() == []
    assert not local.home.stack_file.exists()


def test_sigterm_to_the_starting_supervisor_leaves_nothing(local: LocalStack) -> None:
    up = local.start_up(detach=True, stderr=subprocess.DEVNULL)
    assert up.stdout is not None
    assert "ready" in up.stdout.readline()
    os.kill(local.pids()["supervisor"], signal.SIGTERM)
    up.communicate(timeout=60)
    assert up.returncode != 0
    assert local.left() == []


def test_a_worker_may_take_its_time_to_finish(tmp_path: Path) -> None:
    script = (
        "import signal, sys, time; "
        "signal.signal(signal.SIGTERM, lambda *_: (time.sleep(2), print('finished', flush=True), sys.exit())); "
        "time.sleep(1000)"
    )
    local = LocalStack(tmp_path / "home", procfile=f'actions: python -c "{script}"\n')
    try:
        local.up()
        local.down()
        for name in ("actions.1", "actions.2"):
            assert local.home.log_file(name).read_text().splitlines()[-1] == "finished"
    finally:
        local.clean()


def test_the_real_workers_become_ready_and_stop(tmp_path: Path) -> None:
    local = LocalStack(tmp_path / "home", procfile=(ROOT / "Procfile").read_text())
    local.procfile = ROOT / "Procfile"
    try:
        info = local.up()
        assert info.processes.keys() >= {"actions.1", "actions.2", "beat", "flower"}
        workers = requests.get(f"{info.urls['flower']}/workers?json=1", timeout=10)
        assert workers.ok
        for name in ("actions.1", "actions.2"):
            assert local.home.ready_file(name).exists()
        assert local.down()
        assert local.left() == []
    finally:
        local.clean()
