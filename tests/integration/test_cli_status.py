"""``neonhub status``: how everything fares, also while the broker is away."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from neonhub_worker.db.engine import transaction
from neonhub_worker.ledger.states import RunState
from tests.conftest import forget_settings
from tests.integration.cli import Neonhub, as_process, claim, sms_run

pytestmark = pytest.mark.usefixtures("unsent")


def test_runs_are_counted_by_state_and_messages_by_queue(neonhub: Neonhub) -> None:
    sms_run()
    sms_run(queue="bulk")
    claim(sms_run())
    sms_run(at=datetime(2035, 1, 1, tzinfo=UTC))
    status = neonhub("status", "--json").json
    assert set(status) == {"runs", "queues", "oldest_due_s", "restore_guard", "webhooks", "processes"}
    assert set(status["runs"]) == {str(state) for state in RunState}
    assert {state: number for state, number in status["runs"].items() if number} == {
        "queued": 2,
        "running": 1,
        "scheduled": 1,
    }
    assert (status["queues"]["actions"], status["queues"]["bulk"], status["queues"]["agents"]) == (2, 1, 0)
    assert status["processes"] == []


def test_the_oldest_due_run_tells_how_far_behind_the_workers_are(neonhub: Neonhub) -> None:
    assert neonhub("status", "--json").json["oldest_due_s"] is None
    assert "oldest" not in neonhub("status").out
    sms_run()
    with transaction() as connection:
        connection.execute(text("update run set run_at = now() - interval '90 seconds'"))
    assert 90 <= neonhub("status", "--json").json["oldest_due_s"] < 120
    assert "The oldest due run waits for 9" in neonhub("status").out


def test_the_tables_say_the_same(neonhub: Neonhub) -> None:
    sms_run()
    words = neonhub("status").words
    assert words.startswith("state runs scheduled 0 queued 1 running 0")
    assert "queue messages actions 1 bulk 0" in words


@pytest.mark.parametrize("url", ["redis://:secret-word@127.0.0.1:1/0", "amqp://someone:secret-word@127.0.0.1:1//"])
def test_while_the_broker_is_away_the_runs_are_still_shown(neonhub: Neonhub, url: str) -> None:
    sms_run()
    said = as_process("status", "--json", NEONHUB_BROKER_URL=url)
    assert said.code == 0
    assert said.json["runs"]["queued"] == 1
    assert set(said.json["queues"].values()) == {None}
    assert "the broker does not answer" in as_process("status", NEONHUB_BROKER_URL=url).err


def test_without_a_database_there_is_nothing_to_show(neonhub: Neonhub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEONHUB_DATABASE_URL")
    forget_settings()
    refusal = neonhub("status").refusal
    assert "no database: set NEONHUB_DATABASE_URL, or start the embedded one with `neonhub up`" in refusal
