"""How do files get to X? Asked of the sandbox."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.kit.errors import InvalidRequest, Postpone, Unavailable
from connectors.registry import action
from connectors.x.media import UploadMedia
from connectors.x.posts import PostTweet
from tests.contract.case import text
from tests.contract.cases.x import CLIP
from tests.contract.conftest import Performer, Sandbox
from tests.contract.memory_ledger import MemoryLedger

UPLOAD, POST = action("x.uploadMedia"), action("x.postTweet")
PHOTO = "https://media.example/photo-1080x1080.jpg"


def test_pictures_are_brought_described_and_posted(performer: Performer, sandbox: Sandbox) -> None:
    mark = sandbox.mark()
    ids = [
        performer.do("x.uploadMedia", url=PHOTO, alt_text="A shop window").provider_id(),
        performer.do("x.uploadMedia", url="https://media.example/photo.png").provider_id(),
    ]
    call = performer.call("x")
    data = PostTweet.model_validate({"text": text(), "media_ids": ids})

    made = performer.perform(POST, call, data)

    actions = [effect["action"] for effect in sandbox.effects(mark)]
    assert actions == ["uploadMedia", "setMediaMetadata", "uploadMedia", "postTweet"]
    found = performer.look_up(POST, call, data)
    assert found is not None
    assert found.provider_id() == made.provider_id()


def test_a_video_is_waited_for_as_long_as_x_says(performer: Performer, sandbox: Sandbox) -> None:
    call, data = performer.call("x"), UploadMedia(url=CLIP, kind="video")

    with pytest.raises(Postpone) as caught:
        performer.perform(UPLOAD, call, data)
    assert caught.value.delay_s == 1.0
    sandbox.ask("POST", "clock", json={"advance_s": 2})
    made = performer.perform(UPLOAD, call, data).model_dump()

    assert made["state"] == "succeeded"
    assert performer.do("x.postTweet", text=text(), media_ids=[made["media_id"]]).provider_id()


def test_a_broken_upload_goes_on_where_it_stopped(performer: Performer, sandbox: Sandbox) -> None:
    ledger = MemoryLedger()
    call, data = performer.call("x", ledger), UploadMedia(url=CLIP, kind="video")
    sandbox.fault("error_503_before", "x", "appendMediaUpload", after=1)
    with pytest.raises(Unavailable):
        performer.perform(UPLOAD, call, data)
    assert "append:0" in ledger.results
    sandbox.ask("DELETE", "faults")
    sandbox.fault("latency", "x", "appendMediaUpload", seconds=0, probability=0, times=None)

    with pytest.raises(Postpone):
        performer.perform(UPLOAD, call, data)

    (fault,) = sandbox.ask("GET", "faults")["faults"]
    assert fault["seen"] == 1


def test_another_file_at_the_same_address_is_not_mixed_in(performer: Performer, sandbox: Sandbox) -> None:
    ledger = MemoryLedger()
    call = performer.call("x", ledger)
    sandbox.fault("error_503_before", "x", "appendMediaUpload", times=None)
    data = UploadMedia(url=CLIP, kind="video")
    with pytest.raises(Unavailable):
        performer.perform(UPLOAD, call, data)
    sandbox.ask("DELETE", "faults")
    begun = ledger.results["initialize"]
    assert isinstance(begun, dict)
    begun["mark"] = "of another version"

    with pytest.raises(InvalidRequest, match=r"^url: the file is another one"):
        performer.perform(UPLOAD, call, data)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"url": "https://media.example/photo-6MB.jpg"}, "size is"),
        ({"url": "https://media.example/clip.mp4"}, "must be image/jpeg"),
        ({"url": "https://media.example/photo.jpg", "kind": "gif"}, "must be image/gif"),
        ({"url": "https://media.example/clip-640x360-141s.mp4", "kind": "video"}, "duration is"),
        ({"url": "https://media.example/clip-3000x100-5s.mp4", "kind": "video"}, "width divided by height"),
        ({"url": "https://media.example/missing/photo.jpg"}, "404"),
        ({"url": "https://media.example/moved-inside/photo.jpg"}, "url"),
    ],
)
def test_a_file_that_x_would_refuse_is_refused_before_any_call(
    performer: Performer, sandbox: Sandbox, given: dict[str, Any], named: str
) -> None:
    sandbox.fault("latency", "x", "initializeMediaUpload", seconds=0, probability=0, times=None)

    with pytest.raises(InvalidRequest, match=named) as caught:
        performer.do("x.uploadMedia", **given)

    assert str(caught.value).startswith("url")
    (fault,) = sandbox.ask("GET", "faults")["faults"]
    assert fault["seen"] == 0


def test_a_file_that_was_never_there_cannot_be_posted(performer: Performer) -> None:
    with pytest.raises(InvalidRequest) as caught:
        performer.do("x.postTweet", text=text(), media_ids=["1880028106020515840"])
    assert "1880028106020515840" not in json.dumps(str(caught.value))
