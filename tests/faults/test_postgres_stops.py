"""Postgres is stopped at once, without a goodbye to anybody, and comes back while workers hold runs."""

from __future__ import annotations

import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from neonhub_worker import get_run
from neonhub_worker.db import migrate
from neonhub_worker.local.home import Home
from neonhub_worker.local.postgres import Postgres
from tests import servers
from tests.conftest import forget_settings
from tests.faults.armed import Armed
from tests.faults.cases import CASES
from tests.faults.conftest import mark
from tests.faults.endings import accept, finish, wrong
from tests.integration import workers
from tests.integration.workers import Place

# Nobody can ask about its effects: if these workers do not record what became of them, nobody does.
PARKS = next(case for case in CASES if case.may_park)

HELD = ("claim.committed:stop", "send.before:stop", f"send.written:stop:{PARKS.writes}", "settle.written:stop")
"""Where a worker holds a run."""


class Server:
    """A Postgres of the test's own."""

    def __init__(self, folder: Path) -> None:
        self._home = Home.at(folder)
        self._home.prepare()
        self._server = Postgres(self._home, port=servers.free_port())
        self._running = ExitStack()
        self.url = self._server.url
        self.start()

    def start(self) -> None:
        serving = servers.serving(self._server, self._home)
        self._process: subprocess.Popen[bytes] = self._running.enter_context(serving)

    def stop_at_once(self) -> None:
        """As ``pg_ctl stop -m immediate``: it finishes nothing, and recovers when it is started again."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(10)

    def end(self) -> None:
        self._running.close()


@pytest.fixture
def server() -> Iterator[Server]:
    # Not in pytest's folder: Postgres runs as an account of its own, to which that one may be shut.
    with tempfile.TemporaryDirectory(prefix="neonhub-test-") as folder:
        made = Server(Path(folder))
        migrate.upgrade(made.url)
        yield made
        made.end()


@pytest.fixture
def place(server: Server, tmp_path: Path) -> Iterator[Place]:
    """With a lease so long that Postgres may take its time, and all of these workers theirs to begin."""
    with workers.place(server.url, tmp_path) as made, pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEONHUB_LEASE_S", "60")
        forget_settings()
        mark()
        yield made


def test_workers_that_hold_runs_record_their_results_once_postgres_is_back(place: Place, server: Server) -> None:
    given = [PARKS.make(place.sandbox) for _ in (*HELD, "claiming")]
    *held_ids, claiming_id = (accept(PARKS, one) for one in given)
    held = [Armed([run_id], fault) for run_id, fault in zip(held_ids, HELD, strict=True)]
    claiming = Armed([claiming_id], "claim.written:stop")
    try:
        for worker in (*held, claiming):
            worker.wait_frozen()
        server.stop_at_once()
        for worker in (*held, claiming):
            worker.thaw()
        server.start()
        assert ([worker.wait() for worker in held], claiming.wait()) == ([0] * len(HELD), 1)
    finally:
        for worker in (*held, claiming):
            worker.end()
    assert [str(get_run(run_id).state) for run_id in held_ids] == ["succeeded"] * len(HELD)
    assert get_run(claiming_id).state == "queued", "what was not committed is as if it had not been tried"
    finish(place, claiming_id, PARKS)
    assert [wrong(place, run_id, PARKS, one) for run_id, one in zip((*held_ids, claiming_id), given, strict=True)] == [
        None
    ] * len(given)
