"""A YouTube upload, crashed or unheard anywhere: nothing that has arrived is sent again, the video is made once."""

from __future__ import annotations

import time
import uuid
from typing import Any

import pytest
from sqlalchemy import Engine, text

from connectors.youtube import sessions
from neonhub_worker import clock, enqueue
from neonhub_worker.db.engine import transaction
from neonhub_worker.ledger import leases, steps
from neonhub_worker.ledger.runs import Run
from neonhub_worker.ledger.states import EffectState
from neonhub_worker.performing.run_ledger import PostgresRunLedger
from tests.integration.attempts import crash, let_settling_time_pass, perform, step_states
from tests.integration.sandboxes import Sandbox

PIECE, PIECES = 262_144, 4
UPLOADED = {
    "session:1": "confirmed",
    "brought:1": "confirmed",
    "finishing:1": "confirmed",
    "upload:1": "confirmed",
    "wait:processed": "confirmed",
}


def request(size: str) -> uuid.UUID:
    given = {
        "media_url": f"https://media.example/clip-{uuid.uuid4().hex}-{size}.mp4",
        "title": "Spring is here",
        "made_for_kids": False,
        "contains_synthetic_media": False,
    }
    return enqueue(
        {"action": "youtube.uploadVideo", "organization_id": "acme", "connection": "youtube", "input": given}
    )


@pytest.fixture
def upload(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> uuid.UUID:
    """A video of four pieces that is to be uploaded."""
    monkeypatch.setattr(sessions, "PIECE_BYTES", PIECE)
    return request("1000KB")


def to_the_end(run_id: uuid.UUID, sandbox: Sandbox) -> Run:
    for _ in range(20):
        run = perform(run_id)
        if run.finished_at is not None or run.state == "parked":
            return run
        sandbox.advance(1)
    raise AssertionError(f"{run.state} after twenty attempts: {run.error}")


def check_done_once(run: Run, sandbox: Sandbox) -> None:
    (effect,) = sandbox.effects("youtube")
    assert (run.state, run.provider_id) == ("succeeded", effect["provider_id"])


def test_an_upload_waits_for_youtube_without_a_worker(upload: uuid.UUID, sandbox: Sandbox, engine: Engine) -> None:
    run = perform(upload)
    assert (run.state, run.attempts) == ("waiting", 0)
    sandbox.advance(5)
    run = perform(upload)
    check_done_once(run, sandbox)
    assert step_states(engine) == UPLOADED
    assert run.output is not None
    assert run.output["upload_status"] == "processed"


@pytest.mark.parametrize("piece", [0, 2, PIECES - 1])
@pytest.mark.parametrize("lost", ["reset_before", "reset_after"])
def test_a_break_at_any_piece_sends_no_piece_twice(upload: uuid.UUID, sandbox: Sandbox, piece: int, lost: str) -> None:
    sandbox.fault(connector="youtube", operation="uploadVideoChunk", kind=lost, after=piece, times=1)
    pieces, opened = sandbox.count("youtube", "uploadVideoChunk"), sandbox.count("youtube", "uploadVideo")

    assert perform(upload).state == "retrying"
    if piece == PIECES - 1 and lost == "reset_before":
        # What did not arrive is known only when it would have shown.
        assert perform(upload).state == "waiting"
        let_settling_time_pass()
    check_done_once(to_the_end(upload, sandbox), sandbox)

    again = lost == "reset_before"
    # Each attempt asks how much has arrived; about the last piece the read-back asks too.
    questions = 1 if piece < PIECES - 1 else 4 if again else 2
    assert (opened(), pieces()) == (1, PIECES + again + questions)


def test_a_crash_while_the_last_piece_is_sent_is_settled_by_the_session(upload: uuid.UUID, sandbox: Sandbox) -> None:
    sandbox.fault(connector="youtube", operation="uploadVideoChunk", kind="rate_limit", after=PIECES - 1, times=1)
    assert perform(upload).state == "waiting"
    with transaction() as connection:
        connection.execute(text("update run set run_at = now()"))
        (claimed,) = leases.claim(connection, [upload], worker="dead", lease_s=60)
        assert steps.write(connection, upload, "upload:1", fence=claimed.fence, state=EffectState.SENDING, effect=True)
    crash()

    assert perform(upload).state == "waiting", "not before a last piece on its way would show"
    let_settling_time_pass()
    check_done_once(to_the_end(upload, sandbox), sandbox)


def test_the_lease_is_renewed_while_a_long_upload_goes_on(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    renewed: list[bool] = []
    renew, keep = leases.renew, PostgresRunLedger.keep_lease
    passed_s = [0.0]

    def counted(*args: Any, **kwargs: Any) -> bool:
        renewed.append(True)
        return renew(*args, **kwargs)

    def slowly(ledger: PostgresRunLedger) -> None:
        passed_s[0] += 0.05
        keep(ledger)

    # An upload of a minute: some time passes between any two parts.
    monkeypatch.setattr(leases, "renew", counted)
    monkeypatch.setattr(PostgresRunLedger, "keep_lease", slowly)
    monkeypatch.setattr(clock, "elapsed_clock", lambda: time.monotonic() + passed_s[0])

    check_done_once(to_the_end(request("12MB"), sandbox), sandbox)
    assert passed_s[0] > 30, "longer than a lease"
    assert len(renewed) > 1
