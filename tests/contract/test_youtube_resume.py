"""Is an upload that was interrupted anywhere finished once, without sending again what has arrived?"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from connectors import registry
from connectors.kit.call import Call
from connectors.kit.errors import (
    AuthExpired,
    InvalidRequest,
    NotDone,
    OutcomeUnknown,
    RateLimited,
    Unavailable,
)
from connectors.youtube import sessions
from connectors.youtube.resources import VideoState
from tests import servers
from tests.contract.conftest import Performer, Sandbox
from tests.contract.memory_ledger import MemoryLedger

ACTION = registry.action("youtube.uploadVideo")
PIECE, SIZE, PIECES = 262_144, 5 * 262_144 + 1000, 6


class Killed(BaseException):
    """The process ends here; nothing of it goes on."""


@dataclass(frozen=True)
class Place:
    """A sandbox of its own, whose disk can be looked at."""

    sandbox: Sandbox
    folder: Path

    def sessions(self) -> list[sqlite3.Row]:
        found = sqlite3.connect(f"file:{self.folder}/sandbox/sandbox.sqlite3?mode=ro", uri=True)
        found.row_factory = sqlite3.Row
        with found:
            rows = found.execute("SELECT * FROM youtube_session ORDER BY opened_at").fetchall()
        found.close()
        return rows


@pytest.fixture(scope="module")
def running_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("place")
    with servers.sandbox(folder) as url:
        yield Place(Sandbox(url, Sandbox(url).ask("GET", "accounts")), folder)


@pytest.fixture
def place(running_place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    running_place.sandbox.ask("DELETE", "faults")
    monkeypatch.setattr(sessions, "PIECE_BYTES", PIECE)
    return running_place


class Upload:
    """One run, attempt after attempt."""

    def __init__(self, place: Place, path: str | None = None) -> None:
        self.place = place
        self.path = path or f"clip-{uuid.uuid4().hex}-{SIZE}B.mp4"
        self.ledger = MemoryLedger()
        self.performer = Performer(place.sandbox)
        self.mark = place.sandbox.mark()
        self.known = {row["id"] for row in place.sessions()}
        given = {"title": "Spring", "made_for_kids": False, "contains_synthetic_media": False}
        self.data = ACTION.input.model_validate({"media_url": f"https://media.example/{self.path}", **given})

    def attempt(self) -> VideoState:
        found = self.performer.finish(ACTION, self.call(), self.data)
        assert isinstance(found, VideoState)
        return found

    def call(self) -> Call:
        return self.performer.call("youtube", self.ledger)

    def sessions(self) -> list[sqlite3.Row]:
        return [row for row in self.place.sessions() if row["id"] not in self.known]

    def effects(self) -> list[dict[str, Any]]:
        return self.place.sandbox.effects(self.mark)

    def check_done_once(self, found: VideoState) -> None:
        """One video, of exactly the file's bytes, each of which was taken once."""
        (effect,) = self.effects()
        (session,) = self.sessions()
        content = requests.get(f"{self.place.sandbox.url}/media.example/{self.path}", timeout=10).content
        assert effect["provider_id"] == found.video_id == session["video"]
        assert session["received"] == session["size"] == len(content)
        assert session["crc"] == zlib.crc32(content)


@pytest.mark.parametrize("piece", range(PIECES))
@pytest.mark.parametrize("fault", ["reset_before", "reset_after", "error_503_before", "error_503_after"])
def test_a_break_at_any_piece_is_gone_on_from_where_the_upload_has_arrived(
    place: Place, piece: int, fault: str
) -> None:
    upload = Upload(place)
    place.sandbox.fault(fault, "youtube", "uploadVideoChunk", after=piece)

    with pytest.raises(OutcomeUnknown if piece == PIECES - 1 else Unavailable):
        upload.attempt()
    found = upload.attempt()

    upload.check_done_once(found)
    # Each piece once, the lost one again if it did not arrive, and one question.
    (seen,) = [one["seen"] for one in place.sandbox.ask("GET", "faults")["faults"]]
    assert seen == piece + 1


@pytest.mark.parametrize("moment", range(0, 104, 4))
def test_a_killed_upload_is_finished_by_the_next_attempt(
    place: Place, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    upload = Upload(place)
    left = [moment]

    def kill() -> None:
        if left[0] == 0:
            raise Killed
        left[0] -= 1

    with monkeypatch.context() as patched:
        patched.setattr(upload.ledger, "keep_lease", kill)
        with pytest.raises(Killed):
            upload.attempt()

    upload.check_done_once(upload.attempt())


def test_an_upload_that_was_killed_after_its_last_byte_is_not_sent_again(place: Place) -> None:
    upload = Upload(place)
    place.sandbox.fault("reset_after", "youtube", "uploadVideoChunk", after=PIECES - 1)
    with pytest.raises(OutcomeUnknown):
        upload.attempt()
    (made,) = upload.effects()
    asked = place.sandbox.ask("GET", "faults")["faults"]
    place.sandbox.fault("latency", "youtube", "uploadVideoChunk", seconds=0, times=None)

    assert upload.attempt().video_id == made["provider_id"]

    upload.check_done_once(upload.attempt())
    seen = [one["seen"] for one in place.sandbox.ask("GET", "faults")["faults"] if one["kind"] == "latency"]
    # Asked by the attempt and by the read-back, and no byte sent.
    assert (len(asked), seen) == (1, [2])


def test_a_session_that_is_forgotten_before_its_last_byte_is_replaced(place: Place) -> None:
    upload = Upload(place)
    place.sandbox.fault("reset_after", "youtube", "uploadVideoChunk", after=2)
    with pytest.raises(Unavailable):
        upload.attempt()

    place.sandbox.ask("POST", "clock", json={"advance_s": 8 * 86_400})
    found = upload.attempt()

    (effect,) = upload.effects()
    first, second = upload.sessions()
    assert effect["provider_id"] == found.video_id == second["video"]
    assert (first["video"], second["received"]) == (None, SIZE)


def test_a_session_that_is_forgotten_after_its_last_byte_is_found_in_the_channels_list(place: Place) -> None:
    upload = Upload(place)
    place.sandbox.fault("reset_after", "youtube", "uploadVideoChunk", after=PIECES - 1)
    with pytest.raises(OutcomeUnknown):
        upload.attempt()

    place.sandbox.ask("POST", "clock", json={"advance_s": 8 * 86_400})

    upload.check_done_once(upload.attempt())


def test_a_forgotten_session_whose_video_is_not_listed_yet_is_left_in_doubt(place: Place) -> None:
    upload = Upload(place)
    # Shown in nine days.
    place.sandbox.fault("delayed_visibility", "youtube", "uploadVideoChunk", seconds=9 * 86_400, times=None)
    place.sandbox.fault("reset_after", "youtube", "uploadVideoChunk", after=PIECES - 1)
    with pytest.raises(OutcomeUnknown):
        upload.attempt()
    place.sandbox.ask("POST", "clock", json={"advance_s": 8 * 86_400})
    place.sandbox.fault("error_503_before", "youtube", "listUploads", times=None)

    with pytest.raises(NotDone):
        upload.attempt()

    assert len(upload.effects()) == 1
    place.sandbox.ask("DELETE", "faults")
    place.sandbox.ask("POST", "clock", json={"advance_s": 2 * 86_400})
    upload.check_done_once(upload.attempt())


@pytest.mark.parametrize(("fault", "kind"), [("rate_limit", RateLimited), ("auth_expired", AuthExpired)])
@pytest.mark.parametrize("piece", [0, 3, PIECES - 1])
def test_what_is_refused_for_now_is_gone_on_with(place: Place, fault: str, kind: type[NotDone], piece: int) -> None:
    upload = Upload(place)
    place.sandbox.fault(fault, "youtube", "uploadVideoChunk", after=piece)

    with pytest.raises(kind):
        upload.attempt()

    upload.check_done_once(upload.attempt())


def test_an_exhausted_quota_of_uploads_closes_only_uploads(place: Place) -> None:
    upload = Upload(place)
    place.sandbox.fault("rate_limit", "youtube", "uploadVideo")

    with pytest.raises(RateLimited) as caught:
        upload.attempt()

    assert caught.value.of == "action"


def test_a_source_that_breaks_off_lets_the_upload_go_on_later(place: Place) -> None:
    upload = Upload(place)
    # The file breaks off at the first piece of 2 MB and more; its server then recovers.
    upload.data = ACTION.input.model_validate(
        {**upload.data.model_dump(), "media_url": f"https://media.example/breaking-off/{upload.path}"}
    )
    with pytest.raises(Unavailable, match="media_url: its server broke off"):
        upload.attempt()
    assert upload.effects() == []


def test_a_file_that_changed_since_its_upload_began_is_never_mixed(place: Place) -> None:
    upload = Upload(place, f"changing/clip-{uuid.uuid4().hex}-{SIZE}B.mp4")

    with pytest.raises(InvalidRequest, match="media_url: the file was changed"):
        upload.attempt()

    assert upload.effects() == []
    assert all(row["video"] is None for row in upload.sessions())


def test_200_mb_are_uploaded_in_less_than_64_mb_of_memory(running_place: Place) -> None:
    running_place.sandbox.ask("DELETE", "faults")
    script = [sys.executable, "-m", "tests.contract.upload_memory", "200", running_place.sandbox.url]

    done = subprocess.run(script, cwd=servers.ROOT, capture_output=True, text=True, timeout=120, check=True)

    assert 0 < json.loads(done.stdout)["mb"] < 64
