"""What Flower shows of real workers: every run under its own name, and nobody's number or text."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
import requests
from sqlalchemy import Engine, text

from neonhub_worker import enqueue, get_run
from neonhub_worker.app import app
from neonhub_worker.dispatch import publish
from neonhub_worker.local import procfile
from neonhub_worker.settings import Settings
from tests.integration.sandboxes import Sandbox
from tests.servers import ended, free_port, wait_for

ROOT = Path(__file__).parent.parent.parent
TO = "+14155550123"
BODY = "Spring is here, Ada."
PRIVATE = re.compile(r"4155550|Spring|Ada\.")


@dataclass(frozen=True)
class Flower:
    """A running Flower."""

    url: str

    def get(self, path: str, **options: Any) -> requests.Response:
        return requests.get(f"{self.url}{path}", timeout=10, **options)

    def task(self, run_id: uuid.UUID | str) -> dict[str, Any]:
        found: dict[str, Any] = self.get("/api/tasks").json().get(str(run_id), {})
        return found

    def wait_for_state(self, run_id: uuid.UUID | str, state: str) -> dict[str, Any]:
        wait_for(lambda: self.task(run_id).get("state") == state, f"{run_id} to be shown as {state}")
        return self.task(run_id)


def start(line: str, log: Path, **environment: str) -> subprocess.Popen[bytes]:
    """A process of the Procfile, as any runner would start it."""
    lines = {one.name: one for one in procfile.parse(procfile.load(ROOT / "Procfile"))}
    whole = {**os.environ, **environment}
    whole["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    words, own = lines[line].command(whole)
    with log.open("ab") as output:
        return subprocess.Popen(
            words, cwd=ROOT, env={**whole, **own}, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )


@contextlib.contextmanager
def flower_with(log: Path, **environment: str) -> Iterator[Flower]:
    """Flower, once it answers."""
    port = free_port()
    made = Flower(f"http://127.0.0.1:{port}")

    def answers() -> bool:
        with contextlib.suppress(requests.ConnectionError):
            return made.get("/healthcheck").ok
        return False

    with ended(start("flower", log, PORT=str(port), **environment)) as process:
        wait_for(lambda: process.poll() is not None or answers(), "Flower")
        assert process.poll() is None, log.read_text()
        yield made


@pytest.fixture(autouse=True)
def no_flower_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [one for one in os.environ if one.startswith("FLOWER_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def worker_log(tmp_path: Path) -> Path:
    return tmp_path / "worker.log"


@pytest.fixture
def flower(sandbox: Sandbox, tmp_path: Path, worker_log: Path) -> Iterator[Flower]:
    """Flower, which hears a worker of the Procfile."""
    ready = tmp_path / "ready"
    environment = {"NEONHUB_READY_FILE": str(ready), "NEONHUB_PROCESS": "actions", "NEONHUB_WORKER_THREADS": "4"}
    with ended(start("actions", worker_log, **environment)) as worker, flower_with(tmp_path / "flower.log") as made:
        wait_for(lambda: worker.poll() is not None or ready.exists(), "the worker")
        wait_for(lambda: heard(made), "the worker's heartbeat in Flower")
        yield made


def heard(flower: Flower) -> bool:
    return any(one["status"] for one in flower.get("/workers?json=1").json()["data"])


def sms(**changes: Any) -> uuid.UUID:
    request = {
        "action": "sms.sendSMS",
        "organization_id": "acme",
        "connection": "sms",
        "input": {"to": TO, "body": BODY},
    }
    return enqueue({**request, **changes})


def perform_now(engine: Engine, run_id: uuid.UUID) -> None:
    """Let the time pass that a run waits for, and wake a worker as the dispatcher does."""
    with engine.begin() as connection:
        for statement in (
            "update step set sent_by = sent_by - interval '1 hour' where run_id = :id",
            "update run set run_at = now() where id = :id",
        ):
            connection.execute(text(statement), {"id": run_id})
    publish.publish([publish.Due(run_id, "actions", "sms.sendSMS", None)])


def test_a_run_is_shown_under_its_own_name_with_state_retries_and_runtime(
    flower: Flower, sandbox: Sandbox, engine: Engine
) -> None:
    sent = flower.wait_for_state(sms(), "SUCCESS")
    assert (sent["name"], sent["retries"]) == ("connectors.sms.sendSMS", 0)
    assert sent["runtime"] > 0
    assert sent["worker"].startswith("actions@")
    assert sent["result"] == sandbox.effects()[0]["provider_id"]

    refused = flower.wait_for_state(sms(input={"to": "+15005550001", "body": BODY}), "FAILURE")
    assert "InvalidRequest" in refused["exception"]

    sandbox.fault(connector="sms", operation="sendSMS", kind="error_503_before", times=1)
    delayed = sms(input={"to": TO, "body": "Again."})
    assert "OutcomeUnknown" in flower.wait_for_state(delayed, "RETRY")["exception"]
    perform_now(engine, delayed)
    again = flower.wait_for_state(delayed, "SUCCESS")
    assert again["retries"] == 1

    shown = flower.get("/api/tasks").json()
    assert shown.keys() == {sent["uuid"], refused["uuid"], again["uuid"]}
    assert {one["name"] for one in shown.values()} == {"connectors.sms.sendSMS"}


def test_no_number_and_no_text_is_shown_while_messages_are_being_sent(
    flower: Flower, sandbox: Sandbox, worker_log: Path
) -> None:
    sandbox.fault(connector="sms", operation="sendSMS", kind="latency", seconds=1)
    foreign = app.send_task(
        "connectors.sms.sendSMS",
        kwargs={"organization_id": "acme", "connection": "sms", "input": {"to": TO, "body": BODY}},
        queue="actions",
    ).id
    unknown = app.send_task("connectors.sms.sendSmoke", kwargs={"input": {"to": TO, "body": BODY}}, queue="actions").id
    runs = [sms(input={"to": TO, "body": f"{BODY} {n}"}) for n in range(3)]
    for run_id in runs:
        flower.wait_for_state(run_id, "STARTED")
    inspect = app.control.inspect(timeout=5, limit=1)
    active = inspect.active()
    seen = [
        str(found) for found in (active, inspect.reserved(), inspect.scheduled(), inspect.query_task(*map(str, runs)))
    ]
    assert active
    assert any(active.values())
    (worker,) = active
    for run_id in (*runs, foreign):
        flower.wait_for_state(run_id, "SUCCESS")
    wait_for(lambda: get_run(unknown).state == "failed", "the failure of what does not exist")
    pages = [
        "/tasks",
        "/workers",
        "/broker",
        "/metrics",
        "/api/tasks",
        "/api/workers?refresh=true",
        f"/worker/{worker}",
    ]
    pages += [f"/task/{run_id}" for run_id in (*runs, foreign)]
    for page in pages:
        answer = flower.get(page)
        assert answer.ok, page
        seen.append(answer.text)
    seen.append(worker_log.read_text())
    assert str(runs[0]) in worker_log.read_text()
    assert [found for found in map(PRIVATE.search, seen) if found] == []
    assert {effect["recipient"] for effect in sandbox.effects()} == {TO}


def test_runs_are_shown_again_once_the_broker_is_back(flower: Flower, broker_url: str) -> None:
    flower.wait_for_state(sms(), "SUCCESS")
    with redis.Redis.from_url(broker_url) as broker:
        # What a restart of the broker does to everyone who is connected; this process' connections serve other tests.
        ours = {one.laddr.port for one in psutil.Process().net_connections()}
        others = [
            client["addr"] for client in broker.client_list() if int(client["addr"].rpartition(":")[2]) not in ours
        ]
        assert others
        for address in others:
            broker.client_kill_filter(addr=address)
    before = last_heartbeat(flower)
    wait_for(lambda: last_heartbeat(flower) > before, "a heartbeat after the break")
    after = flower.wait_for_state(sms(input={"to": TO, "body": "After the break."}), "SUCCESS")
    assert after["name"] == "connectors.sms.sendSMS"


def last_heartbeat(flower: Flower) -> float:
    (worker,) = flower.get("/workers?json=1").json()["data"]
    return float(max(worker["heartbeats"]))


def test_nothing_can_be_done_to_workers_or_runs_through_flower(settings: Settings, tmp_path: Path) -> None:
    del settings
    with flower_with(tmp_path / "flower.log") as flower:
        for path in (
            "/api/worker/shutdown/actions@here",
            "/api/worker/pool/shrink/actions@here?n=1",
            f"/api/task/revoke/{uuid.uuid4()}",
            "/api/task/async-apply/runs.perform",
            "/api/task/send-task/runs.perform",
        ):
            answer = requests.post(f"{flower.url}{path}", json={}, timeout=10)
            assert (answer.status_code, answer.text) == (403, "Read only mode is enabled"), path


def test_with_a_password_every_page_asks_for_it(settings: Settings, tmp_path: Path) -> None:
    del settings
    with flower_with(tmp_path / "flower.log", FLOWER_BASIC_AUTH="ada:hush") as flower:
        for path in ("/", "/tasks", "/api/tasks", "/api/workers"):
            assert flower.get(path).status_code == 401, path
            assert flower.get(path, auth=("ada", "wrong")).status_code == 401, path
            assert flower.get(path, auth=("ada", "hush")).ok, path
    assert "hush" not in (tmp_path / "flower.log").read_text()


def test_it_does_not_listen_beyond_this_machine_without_a_password(settings: Settings, tmp_path: Path) -> None:
    del settings
    log = tmp_path / "flower.log"
    with ended(start("flower", log, PORT=str(free_port()), FLOWER_ADDRESS="0.0.0.0")) as process:
        assert process.wait(20) == 1
    assert log.read_text().startswith(
        "error: Flower would listen on 0.0.0.0 without a password; set FLOWER_BASIC_AUTH="
    )
    assert log.read_text().count("\n") == 1
