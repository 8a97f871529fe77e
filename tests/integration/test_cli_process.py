"""The command as a process: exit codes, clean pipes, signals, and the newcomer's first minutes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from neonhub_worker import get_run
from neonhub_worker.db.engine import transaction
from tests.integration.cli import COMMAND, INPUT, ROOT, TO, Said, as_process, count, start
from tests.integration.local_stacks import LocalStack

ENQUEUE = ("enqueue", "sms.sendSMS", "--org", "acme", "--input", json.dumps(INPUT))
FULL = Path("/dev/full")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home for a stack of the test's own; nothing of it is left running."""
    for name in [name for name in os.environ if name.startswith("NEONHUB_")]:
        monkeypatch.delenv(name)
    place = tmp_path / "home"
    monkeypatch.setenv("NEONHUB_HOME", str(place))
    yield place
    LocalStack(place).clean()


def published(run_id: str) -> bool:
    with transaction() as connection:
        query = text("select published_at is not null from run where id = :id")
        return bool(connection.execute(query, {"id": run_id}).scalar_one())


def test_a_pipe_gets_the_result_and_nothing_else(unsent: None) -> None:
    said = as_process(*ENQUEUE)
    assert (said.code, said.out) == (0, f"{uuid.UUID(said.out.strip())}\n")
    listed = as_process("runs", "list", "--json")
    assert [run["id"] for run in listed.json] == [said.out.strip()]
    assert listed.err == ""


def test_a_refusal_is_one_line_on_standard_error(unsent: None) -> None:
    said = as_process("enqueue", "sms.sendsms", "--org", "acme")
    assert said.code == 1
    assert "did you mean sms.sendSMS" in said.refusal
    assert count("run") == 0


@pytest.mark.parametrize("url", ["redis://:secret-word@127.0.0.1:1/0", "amqp://someone:secret-word@127.0.0.1:1//", ""])
def test_while_the_broker_is_away_a_request_is_accepted_and_left_to_the_dispatcher(unsent: None, url: str) -> None:
    said = as_process(*ENQUEUE, NEONHUB_BROKER_URL=url)
    assert said.code == 0
    assert said.err.splitlines() == ["1 accepted; `neonhub status` shows how they fare"]
    assert get_run(said.out.strip()).state == "queued"
    assert not published(said.out.strip())


def test_a_broker_that_is_away_hardly_delays_a_request(unsent: None) -> None:
    took_s = []
    for environment in ({}, {"NEONHUB_BROKER_URL": "redis://127.0.0.1:1/0"}):
        began = time.monotonic()
        assert as_process(*ENQUEUE, **environment).code == 0
        took_s.append(time.monotonic() - began)
    assert took_s[1] - took_s[0] < 4


def test_what_waits_says_what_was_accepted_and_ctrl_c_leaves_it_accepted(unsent: None) -> None:
    with start(*ENQUEUE, "--wait", "60") as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130, "", "interrupted\n")
    assert first.startswith("accepted as ")
    assert get_run(first.split()[2].rstrip(";")).state == "queued"


def test_waiting_in_vain_ends_with_the_state_it_is_in(unsent: None) -> None:
    said = as_process(*ENQUEUE, "--wait", "0.1")
    assert said.code == 1
    run_id, state = said.out.split()
    assert state == "queued"
    assert f"`neonhub why {run_id}` says why" in said.err


PRINTING: list[list[str]] = [["catalog"], ["catalog", "--json"], ["runs", "list", "--json"]]


@pytest.mark.skipif(not FULL.exists(), reason="this system has no disk that is always full")
def test_a_full_disk_is_one_line(unsent: None) -> None:
    for command in PRINTING:
        with FULL.open("w") as full:
            done = subprocess.run(
                [*COMMAND, *command], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
            )
        assert done.stderr == "error: no space left on device; free some space and run it again\n"
        assert done.returncode == 1


def test_a_reader_that_has_read_enough_ends_it_quietly(unsent: None) -> None:
    with subprocess.Popen(
        [*COMMAND, "catalog", "--json"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait(60) == 1
        assert process.stderr.read() == b""


def test_an_error_that_nobody_foresaw_is_one_line_and_tells_no_values(unsent: None) -> None:
    with transaction() as connection:
        body = "begin raise exception 'nothing goes in'; end"
        connection.execute(text(f"create function odd() returns trigger language plpgsql as $$ {body} $$"))
        connection.execute(text("create trigger odd before insert on run execute function odd()"))
    refusal = as_process(*ENQUEUE).refusal
    assert refusal.startswith("error: unexpected ")
    assert refusal.endswith(" nothing goes in; run it again with --debug to see where")
    debug = as_process(*ENQUEUE, "--debug")
    assert (debug.code, debug.out) == (1, "")
    assert "Traceback" in debug.err
    assert TO not in debug.err


def test_a_home_that_cannot_be_is_one_line(home: Path) -> None:
    home.write_text("a file")
    refusal = as_process("up", "--detach").refusal
    assert f"cannot write to {home}" in refusal
    assert "set NEONHUB_HOME to a folder that you may write to" in refusal


def test_a_setting_that_is_empty_is_not_set(unsent: None) -> None:
    assert "no broker: set NEONHUB_BROKER_URL" in as_process("status", NEONHUB_BROKER_URL="").refusal
    assert "no sandbox: start one" in as_process("sandbox", "effects", NEONHUB_SANDBOX_URL="").refusal


def test_the_newcomers_path(home: Path) -> None:
    """Up, all well, one message sent and counted, everything stopped."""
    urls = as_process("up", "--detach", "--json").json["urls"]
    assert set(urls) == {"database", "broker", "sandbox", "flower", "webhooks"}
    again = as_process("up", "--detach")
    assert "already running" in again.err
    assert urls["sandbox"] in again.out

    checks = {finding["name"]: finding["verdict"] for finding in as_process("doctor", "--json").json}
    assert checks.pop("platforms") == "note"
    assert set(checks.values()) == {"ok"}
    # A finding of that name would be a server that may lose commits.
    assert "durability" not in checks
    assert {"database", "schema", "credentials", "broker", "workers", "vault"} <= set(checks)

    request = ("enqueue", "sms.sendSMS", "--input", json.dumps(INPUT), "--wait", "30")
    result = as_process(*request, "--json").json
    assert (result["state"], result["error"]) == ("succeeded", None)
    (effect,) = as_process("sandbox", "effects", "--json").json
    assert effect["recipient"] == TO
    assert effect["provider_id"] in result["output"].values()

    assert_status(as_process("status", "--json"), as_process("status"))
    assert as_process("down", "--json").json == {"stopped": True}
    nothing = as_process("down")
    assert (nothing.code, nothing.out, nothing.err) == (0, "", "nothing was running\n")
    assert "no database: set NEONHUB_DATABASE_URL" in as_process("status").refusal


def assert_status(data: Said, shown: Said) -> None:
    status = data.json
    assert status["runs"]["succeeded"] == 1
    processes = {one["name"]: one for one in status["processes"]}
    assert {"postgres", "broker", "sandbox", "actions.1", "actions.2", "beat", "flower", "webhooks"} <= set(processes)
    assert all(one["alive"] and one["restarts"] == 0 for one in processes.values())
    assert f"postgres {processes['postgres']['pid']} yes 0" in shown.words
