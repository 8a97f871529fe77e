"""How a test calls the command line and reads what it said, and how it brings a run into the state that it needs."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import text

from neonhub_worker import enqueue, get_run
from neonhub_worker.cli.main import main
from neonhub_worker.db.engine import transaction
from neonhub_worker.ledger import leases, rescue
from tests.integration.sandboxes import Sandbox

ROOT = Path(__file__).parent.parent.parent
TO = "+14155550177"
INPUT = {"to": TO, "body": "Spring is here."}
COMMAND = [sys.executable, "-m", "neonhub_worker.cli.main"]


@dataclass(frozen=True)
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The result of a command that was asked for JSON."""
        assert self.code in (0, 1), self.err
        return json.loads(self.out)

    @property
    def words(self) -> str:
        """The result of a command that worked, without the spaces that line a table up."""
        assert self.code == 0, self.err
        return " ".join(self.out.split())

    @property
    def refusal(self) -> str:
        """The one line of a command that refused and did nothing."""
        (line,) = self.err.splitlines()
        assert self.code in (1, 2)
        assert self.out == ""
        assert line.startswith("error: ")
        return line

    @property
    def refusals(self) -> list[str]:
        """The lines of a command that refused, one for each broken rule."""
        heading, *rules = self.err.splitlines()
        assert (self.code, self.out, heading) == (1, "", "error: refused, nothing was accepted:")
        return [rule.strip() for rule in rules]


Neonhub = Callable[..., Said]


def in_process(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Neonhub:
    """The command line, called in this process."""

    def neonhub(*arguments: object, stdin: bytes = b"") -> Said:
        capsys.readouterr()
        handlers = list(logging.getLogger().handlers)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        try:
            code = main([str(argument) for argument in arguments])
        finally:
            structlog.reset_defaults()
            logging.getLogger().handlers[:] = handlers
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return neonhub


def as_process(*arguments: object, **environment: str) -> Said:
    """The command line as a process of its own."""
    done = subprocess.run(
        [*COMMAND, *(str(argument) for argument in arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def start(*arguments: object, **environment: str) -> subprocess.Popen[str]:
    """The command line as a process that goes on."""
    return subprocess.Popen(
        [*COMMAND, *(str(argument) for argument in arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def sms_run(**changes: Any) -> uuid.UUID:
    """A run that sends one SMS, accepted and due."""
    request = {"action": "sms.sendSMS", "organization_id": "acme", "connection": "sms", "input": INPUT}
    return enqueue({**request, **changes})


def claim(run_id: uuid.UUID, *, lease_s: float = 30.0) -> None:
    """What a worker does that has just taken a run."""
    with transaction() as connection:
        assert leases.claim(connection, [run_id], worker="worker-1", lease_s=lease_s)


def park(run_id: uuid.UUID) -> None:
    """Let a run's workers die while they send it, until nobody may try it again by himself."""
    while get_run(run_id).state != "parked":
        claim(run_id, lease_s=-1)
        with transaction() as connection:
            rescue.rescue(connection)


def fail(run_id: uuid.UUID, sandbox: Sandbox) -> None:
    """Let a platform refuse a run."""
    from neonhub_worker.performing import batch

    sandbox.opt_out(TO)
    batch.perform([run_id])
    assert get_run(run_id).state == "failed"


def count(table: str) -> int:
    """How many rows a table has."""
    with transaction() as connection:
        number: int = connection.execute(text(f"select count(*) from {table}")).scalar_one()
        return number
