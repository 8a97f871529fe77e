"""The JavaScript example, as its README says to run it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from neonhub_worker.ledger.runs import Run
from tests.integration.workers import ROOT, Place, Worker, place, run_of
from tests.servers import free_port, wait_for

TO = "+14155550123"
FILES = ("enqueue.js", "package.json")
_NO_NETWORK = re.compile(r"\b(ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENOTCACHED)\b")

pytestmark = pytest.mark.skipif(
    not (shutil.which("node") and shutil.which("npm")), reason="the JavaScript example needs node and npm"
)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with its packages, outside the repository."""
    folder = tmp_path_factory.mktemp("javascript")
    for name in FILES:
        shutil.copy(ROOT / "examples" / "javascript" / name, folder)
    command = ["npm", "install", "--no-audit", "--no-fund", "--prefer-offline"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    if done.returncode and _NO_NETWORK.search(done.stderr):
        pytest.skip("npm cannot reach its registry")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def here(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(postgres_url, tmp_path_factory.mktemp("place"), organization_id="demo") as made:
        yield made


@pytest.fixture(scope="module")
def worker(here: Place) -> Iterator[Worker]:
    with here.worker() as started:
        yield started


def enqueue(example: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("NEONHUB_")}
    return subprocess.run(
        ["node", "enqueue.js", *arguments],
        cwd=example,
        env={**own, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def run_after(done: subprocess.CompletedProcess[str], *states: str) -> Run:
    assert (done.returncode, done.stderr) == (0, "")
    return run_of(done.stdout.strip(), *states)


def said(done: subprocess.CompletedProcess[str]) -> str:
    """The one line that an error is."""
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    return line


def test_it_prints_the_id_of_a_run_that_is_done_once(example: Path, here: Place, worker: Worker) -> None:
    text = f"Spring is here, {uuid.uuid4().hex}."
    run_after(enqueue(example, TO, text, NEONHUB_BROKER_URL=here.broker_url), "succeeded")
    assert [effect["recipient"] for effect in here.sandbox.effects() if effect["text"] == text] == [TO]


def test_it_finds_the_broker_of_neonhub_up(example: Path, here: Place, worker: Worker, tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text(json.dumps({"urls": {"broker": here.broker_url}}))
    run_after(enqueue(example, TO, "Found.", NEONHUB_HOME=str(tmp_path)), "succeeded")


def test_a_repeat_under_the_same_key_makes_no_new_run(example: Path, here: Place, worker: Worker) -> None:
    key = uuid.uuid4().hex
    run_after(enqueue(example, TO, key, key, NEONHUB_BROKER_URL=here.broker_url), "succeeded")
    assert enqueue(example, TO, key, key, NEONHUB_BROKER_URL=here.broker_url).returncode == 0
    worker.wait_log("known_idempotency_key")
    wait_for(here.drained, "the acknowledgements")
    assert [effect["text"] for effect in here.sandbox.effects()].count(key) == 1


def test_a_bad_phone_number_ends_as_a_failed_run(example: Path, here: Place, worker: Worker) -> None:
    run = run_after(enqueue(example, "12", "Spring is here.", NEONHUB_BROKER_URL=here.broker_url), "failed")
    assert run.error is not None
    assert run.error["message"].startswith("input.to: ")


@pytest.mark.parametrize("arguments", [(), (TO,), (TO, ""), (TO, "text", "key", "more")])
def test_a_wrong_number_of_arguments_is_one_line(example: Path, arguments: tuple[str, ...]) -> None:
    assert "usage: node enqueue.js" in said(enqueue(example, *arguments))


def test_without_a_broker_it_says_what_to_do(example: Path, tmp_path: Path) -> None:
    assert "run `neonhub up --detach` first" in said(enqueue(example, TO, "x", NEONHUB_HOME=str(tmp_path)))


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_does_not_answer_is_one_line(example: Path, scheme: str) -> None:
    url = f"{scheme}://127.0.0.1:{free_port()}"
    assert "ECONNREFUSED" in said(enqueue(example, TO, "x", NEONHUB_BROKER_URL=url))
