"""A webhooks process that dies at any point loses no event that it has thanked for, and acts on none twice."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
import requests

from neonhub_worker import faults, get_run
from neonhub_worker.ledger.runs import Run
from tests import servers, signing
from tests.integration.attempts import perform
from tests.integration.sandboxes import Sandbox
from tests.integration.test_webhook_acts import template
from tests.integration.webhooks import Hooks, outcomes, wait_until_worked_off
from tests.servers import wait_for

ROOT = Path(__file__).parents[2]


class Process:
    """``neonhub webhooks serve`` as the Procfile runs it.

    Args:
        fault: Where it is struck.
    """

    def __init__(self, folder: Path, port: int, fault: str = "") -> None:
        self.hooks = Hooks(f"http://127.0.0.1:{port}")
        with (folder / f"{uuid.uuid4().hex}.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "neonhub_worker.cli.main", "webhooks", "serve", "--port", str(port)],
                cwd=ROOT,
                env={**os.environ, faults.VARIABLE: fault},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_for(lambda: self._process.poll() is not None or self._answers(), "the webhooks process")

    def _answers(self) -> bool:
        with contextlib.suppress(requests.RequestException):
            return requests.get(f"{self.hooks.url}/health", timeout=5).ok
        return False

    def wait_killed(self) -> None:
        assert self._process.wait(30) == -signal.SIGKILL

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait(30)


@pytest.fixture
def parked(sandbox: Sandbox) -> uuid.UUID:
    """A template whose answer was lost."""
    sandbox.fault(connector="whatsapp", operation="sendTemplate", kind="reset_after", times=1)
    run_id = template()
    assert perform(run_id).state == "parked"
    return run_id


@pytest.fixture
def port() -> int:
    return servers.free_port()


def settlements(run: Run) -> list[str]:
    return [event.move for event in run.timeline if event.move in ("settle_sent", "hear")]


@pytest.mark.parametrize("point", ["webhook.taken", "webhook.acted"])
def test_killed_after_it_thanked_the_next_one_does_what_follows_and_once(
    parked: uuid.UUID, tmp_path: Path, port: int, point: str
) -> None:
    first = Process(tmp_path, port, f"{point}:kill")
    status = signing.wa_status("wamid.A", "delivered", key=parked.hex)
    with contextlib.suppress(requests.ConnectionError):  # it may die before its thanks are out, having kept the event
        assert first.hooks.send("whatsapp", status).status_code == 200
    first.wait_killed()
    assert (get_run(parked).state, outcomes()) == ("parked", {"wamid.A:delivered": None})
    second = Process(tmp_path, port)
    try:
        wait_until_worked_off()
        assert (get_run(parked).state, settlements(get_run(parked))) == ("succeeded", ["settle_sent"])
        assert second.hooks.send("whatsapp", status).status_code == 200
        wait_until_worked_off()
        assert settlements(get_run(parked)) == ["settle_sent"]
    finally:
        second.stop()


def test_killed_before_it_could_thank_it_is_told_again_and_acts_once(
    parked: uuid.UUID, tmp_path: Path, port: int
) -> None:
    first = Process(tmp_path, port, "webhook.kept:kill")
    status = signing.wa_status("wamid.A", "delivered", key=parked.hex)
    with pytest.raises(requests.ConnectionError):
        first.hooks.send("whatsapp", status)
    first.wait_killed()
    second = Process(tmp_path, port)
    try:
        assert second.hooks.send("whatsapp", status).status_code == 200
        wait_until_worked_off()
        assert (get_run(parked).state, settlements(get_run(parked))) == ("succeeded", ["settle_sent"])
        assert len(outcomes()) == 1
    finally:
        second.stop()
