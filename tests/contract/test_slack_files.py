"""Is a file shared once, whatever fails on its way? Asked of the sandbox."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from connectors.kit.errors import OutcomeUnknown, Postpone, Unavailable
from connectors.registry import action
from connectors.slack.files import MAX_BYTES, SharedFile, UploadFile
from tests.contract.conftest import Performer, Sandbox
from tests.contract.memory_ledger import MemoryLedger

CHANNEL = "C0SPRINGLNCH"
UPLOAD = action("slack.uploadFile")


def upload(performer: Performer, sandbox: Sandbox, ledger: MemoryLedger, data: UploadFile) -> SharedFile:
    call = performer.call("slack", ledger)
    with pytest.raises(Postpone) as waits:
        performer.perform(UPLOAD, call, data)
    assert waits.value.delay_s == 2.0
    sandbox.ask("POST", "clock", json={"advance_s": 1})
    done = performer.perform(UPLOAD, call, data)
    assert isinstance(done, SharedFile)
    return done


@pytest.mark.parametrize(
    "content",
    [
        {"text": "Zahlen: ä"},
        {"content_base64": base64.b64encode(b"\x00\xff").decode()},
        {"media_url": "https://media.example/clip-640x360-5s-6MB.mp4"},
    ],
)
def test_a_file_is_shared_once_and_its_message_known(
    performer: Performer, sandbox: Sandbox, content: dict[str, str]
) -> None:
    mark = sandbox.mark()
    data = UploadFile.model_validate({"channel": CHANNEL, "filename": "report.txt", **content})

    done = upload(performer, sandbox, MemoryLedger(), data)

    (effect,) = sandbox.effects(mark)
    assert effect["provider_id"] == done.file_id
    assert done.ts is not None


def test_bytes_that_do_not_arrive_are_brought_again(performer: Performer, sandbox: Sandbox) -> None:
    sandbox.fault("reset_before", "slack", "uploadFileBytes")
    ledger, mark = MemoryLedger(), sandbox.mark()
    data = UploadFile(channel=CHANNEL, filename="report.txt", text="Numbers")

    with pytest.raises(Unavailable):
        performer.perform(UPLOAD, performer.call("slack", ledger), data)
    assert ledger.results == {}

    upload(performer, sandbox, ledger, data)
    assert len(sandbox.effects(mark)) == 1


def test_a_file_whose_completion_got_no_answer_is_settled_inside_the_run(
    performer: Performer, sandbox: Sandbox
) -> None:
    sandbox.fault("reset_after", "slack", "completeUpload")
    ledger, mark = MemoryLedger(), sandbox.mark()
    call, data = performer.call("slack", ledger), UploadFile(channel=CHANNEL, filename="report.txt", text="Numbers")

    with pytest.raises(OutcomeUnknown):
        performer.perform(UPLOAD, call, data)
    assert ledger.in_doubt == {"complete"}
    sandbox.ask("POST", "clock", json={"advance_s": 1})
    performer.perform(UPLOAD, call, data)

    assert len(sandbox.effects(mark)) == 1


def test_a_file_that_is_never_shared_is_not_called_done(performer: Performer, sandbox: Sandbox) -> None:
    sandbox.fault("error_500_before", "slack", "completeUpload")
    ledger = MemoryLedger()
    call, data = performer.call("slack", ledger), UploadFile(channel=CHANNEL, filename="a.txt", text="A")
    with pytest.raises(OutcomeUnknown):
        performer.perform(UPLOAD, call, data)
    # As if Slack had said ok three minutes ago, and shared nothing.
    long_ago = (datetime.now(UTC) - timedelta(minutes=3)).isoformat()
    ledger.results |= {"complete": {}, "wait:shared": long_ago}

    with pytest.raises(OutcomeUnknown, match="did not report 'shared' within 120 s"):
        performer.perform(UPLOAD, call, data)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"text": "a", "content_base64": "YQ=="},
        {"content_base64": "not base64!"},
        {"text": "ä" * (MAX_BYTES // 2 + 1)},
    ],
)
def test_a_file_needs_one_content_of_at_most_5_mb(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match=r"text|content_base64"):
        UploadFile.model_validate({"channel": CHANNEL, "filename": "a.txt", **wrong})
