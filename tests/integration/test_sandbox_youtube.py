"""Does the sandbox's YouTube insist on YouTube's rules? Over raw HTTP."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from tests import servers

DATA = "youtube.googleapis.com/youtube/v3"
UPLOAD = "youtube.googleapis.com/upload/youtube/v3"
REPORTS = "youtubeanalytics.googleapis.com/v2/reports"
PLAYLIST = "PLsandboxSpringLaunch01A"
MP4 = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2"
TEXTS = {"title": "Spring", "categoryId": "22"}
STATUS = {"privacyStatus": "private", "selfDeclaredMadeForKids": False}
MULTIPLE = 262_144


@dataclass
class YouTube:
    url: str
    token: str = ""
    number: int = 0

    def ask(self, method: str, path: str, **content: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}", **content.pop("headers", {})}
        return requests.request(
            method, f"{self.url}/{path}", headers=headers, timeout=10, allow_redirects=False, **content
        )

    def open(self, size: int, **more: Any) -> requests.Response:
        body = {"snippet": TEXTS, "status": STATUS, **more.pop("body", {})}
        return self.ask(
            "POST",
            f"{UPLOAD}/videos",
            params={"uploadType": "resumable", "part": "snippet,status", **more.pop("params", {})},
            json=body,
            headers={"X-Upload-Content-Length": str(size), "X-Upload-Content-Type": "video/mp4", **more},
        )

    def session(self, size: int, **more: Any) -> str:
        location = self.open(size, **more).headers["Location"]
        return location.removeprefix("https://")

    def put(self, session: str, content: bytes, range_: str) -> requests.Response:
        return self.ask("PUT", session, data=content, headers={"Content-Range": range_, "Content-Type": "video/mp4"})

    def content(self, size: int) -> bytes:
        """A file that was not there before."""
        self.number += 1
        return (MP4 + str(self.number).encode()).ljust(size, b".")

    def upload(self, size: int = 1000, **more: Any) -> str:
        made = self.put(self.session(size, **more), self.content(size), f"bytes 0-{size - 1}/{size}")
        assert made.status_code == 201
        found: str = made.json()["id"]
        return found

    def video(self, video_id: str, part: str = "snippet,status,fileDetails") -> dict[str, Any]:
        (item,) = self.ask("GET", f"{DATA}/videos", params={"part": part, "id": video_id}).json()["items"]
        found: dict[str, Any] = item
        return found

    def effects(self) -> list[tuple[str, str]]:
        found = requests.get(f"{self.url}/_sandbox/effects", params={"connector": "youtube"}, timeout=10).json()
        return [(one["action"], one["provider_id"]) for one in found["effects"]]

    def advance(self, seconds: float) -> None:
        requests.post(f"{self.url}/_sandbox/clock", json={"advance_s": seconds}, timeout=10).raise_for_status()


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[YouTube]:
    with servers.sandbox(tmp_path_factory.mktemp("sandbox")) as url:
        yield YouTube(url)


@pytest.fixture
def youtube(serving: YouTube) -> YouTube:
    account = requests.get(f"{serving.url}/_sandbox/accounts", timeout=10).json()["youtube"]["credential"]
    form = {name: account[name] for name in ("client_id", "client_secret", "refresh_token")}
    answer = requests.post(
        f"{serving.url}/oauth2.googleapis.com/token", data={**form, "grant_type": "refresh_token"}, timeout=10
    )
    serving.token = answer.json()["access_token"]
    return serving


def reason(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["errors"][0]["reason"]


def test_a_video_comes_in_pieces_and_is_made_by_the_last(youtube: YouTube) -> None:
    size = 2 * MULTIPLE + 5
    content, before = youtube.content(size), youtube.effects()
    session = youtube.session(size)

    assert youtube.ask("PUT", session, headers={"Content-Range": f"bytes */{size}"}).headers.get("Range") is None
    first = youtube.put(session, content[:MULTIPLE], f"bytes 0-{MULTIPLE - 1}/{size}")
    assert (first.status_code, first.headers["Range"]) == (308, f"bytes=0-{MULTIPLE - 1}")
    second = youtube.put(session, content[MULTIPLE : 2 * MULTIPLE], f"bytes {MULTIPLE}-{2 * MULTIPLE - 1}/{size}")
    assert second.headers["Range"] == f"bytes=0-{2 * MULTIPLE - 1}"
    assert youtube.effects() == before
    last = youtube.put(session, content[2 * MULTIPLE :], f"bytes {2 * MULTIPLE}-{size - 1}/{size}")

    assert last.status_code == 201
    assert youtube.effects() == [*before, ("uploadVideo", last.json()["id"])]
    again = youtube.ask("PUT", session, headers={"Content-Range": f"bytes */{size}"})
    assert (again.status_code, again.json()["id"]) == (200, last.json()["id"])
    assert youtube.video(last.json()["id"])["fileDetails"]["fileSize"] == str(size)


@pytest.mark.parametrize(
    ("content", "range_"),
    [
        (b"x" * 1000, f"bytes 0-999/{2 * MULTIPLE}"),
        (b"x" * MULTIPLE, f"bytes {MULTIPLE}-{2 * MULTIPLE - 1}/{2 * MULTIPLE}"),
        (b"x" * 999, f"bytes 0-{MULTIPLE - 1}/{2 * MULTIPLE}"),
        (b"x" * MULTIPLE, f"bytes 0-{MULTIPLE - 1}/{3 * MULTIPLE}"),
        (b"x", f"bytes */{2 * MULTIPLE}"),
        (b"x" * 10, "bytes zero"),
    ],
    ids=["no multiple", "a gap", "another length", "another total", "a question with a body", "no range"],
)
def test_a_piece_that_does_not_go_on_is_refused(youtube: YouTube, content: bytes, range_: str) -> None:
    session = youtube.session(2 * MULTIPLE)

    assert youtube.put(session, content, range_).status_code == 400
    assert youtube.ask("PUT", session, headers={"Content-Range": f"bytes */{2 * MULTIPLE}"}).status_code == 308


def test_bytes_that_have_arrived_are_not_taken_again(youtube: YouTube) -> None:
    size = 2 * MULTIPLE
    session = youtube.session(size)
    youtube.put(session, b"x" * MULTIPLE, f"bytes 0-{MULTIPLE - 1}/{size}")

    assert youtube.put(session, b"x" * MULTIPLE, f"bytes 0-{MULTIPLE - 1}/{size}").status_code == 400


def test_a_session_ends_after_a_week(youtube: YouTube) -> None:
    session = youtube.session(10)
    youtube.advance(8 * 86_400)
    account = requests.get(f"{youtube.url}/_sandbox/accounts", timeout=10).json()["youtube"]["credential"]
    form = {name: account[name] for name in ("client_id", "client_secret", "refresh_token")}
    old = youtube.put(session, b"x" * 10, "bytes 0-9/10")
    youtube.token = requests.post(
        f"{youtube.url}/oauth2.googleapis.com/token", data={**form, "grant_type": "refresh_token"}, timeout=10
    ).json()["access_token"]

    # A token lives for an hour.
    assert old.status_code == 401
    assert youtube.put(session, b"x" * 10, "bytes 0-9/10").status_code == 404
    assert youtube.put(session[:-4], b"x" * 10, "bytes 0-9/10").status_code == 404


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"snippet": {"title": "a<b"}}, "invalidTitle"),
        ({"snippet": {"title": "a" * 101}}, "invalidTitle"),
        ({"snippet": {"title": "a", "description": "ä" * 2501}}, "invalidDescription"),
        ({"snippet": {"title": "a", "tags": ["a" * 300, "b" * 200]}}, "invalidTags"),
        ({"snippet": {"title": "a", "categoryId": "30"}}, "invalidCategoryId"),
        ({"status": {**STATUS, "publishAt": "2001-01-01T00:00:00Z"}}, "invalidPublishAt"),
        ({"status": {**STATUS, "privacyStatus": "public", "publishAt": "2099-01-01T00:00:00Z"}}, "invalidPublishAt"),
        ({"snippet": {"title": "a", "colour": "red"}}, "invalidArgument"),
        ({"localizations": {}}, "unexpectedPart"),
    ],
)
def test_a_resource_that_breaks_a_rule_is_refused_with_its_reason(
    youtube: YouTube, body: dict[str, Any], expected: str
) -> None:
    assert reason(youtube.open(10, body=body)) == (400, expected)


def test_headers_and_parameters_are_insisted_on(youtube: YouTube) -> None:
    assert youtube.open(10, **{"X-Upload-Content-Type": "image/png"}).status_code == 400
    assert youtube.open(0).status_code == 400
    assert reason(youtube.open(10, params={"colour": "red"})) == (400, "unexpectedParameter")
    assert reason(youtube.ask("GET", f"{DATA}/videos", params={"id": "a"})) == (400, "missingRequiredParameter")
    assert reason(youtube.ask("GET", f"{DATA}/search", params={"part": "snippet"})) == (400, "incompatibleParameters")
    assert reason(youtube.ask("GET", f"{DATA}/playlistItems", params={"part": "id"})) == (400, "playlistIdRequired")
    assert youtube.ask("GET", f"{DATA}/nothing").status_code == 404
    wrong = youtube.ask(
        "GET", f"{DATA}/videos", params={"part": "id", "id": "a"}, headers={"Authorization": "Bearer no"}
    )
    assert reason(wrong) == (401, "authError")


def test_a_part_is_replaced_as_a_whole(youtube: YouTube) -> None:
    video_id = youtube.upload(
        body={"snippet": {**TEXTS, "description": "Out now"}, "status": {**STATUS, "embeddable": False}}
    )

    body = {"id": video_id, "status": {"privacyStatus": "unlisted"}}
    assert youtube.ask("PUT", f"{DATA}/videos", params={"part": "status"}, json=body).status_code == 200
    body = {"id": video_id, "snippet": {"title": "Other", "categoryId": "24"}}
    assert youtube.ask("PUT", f"{DATA}/videos", params={"part": "snippet"}, json=body).status_code == 200

    found = youtube.video(video_id)
    assert (found["snippet"]["title"], found["snippet"]["description"]) == ("Other", "")
    assert (found["status"]["privacyStatus"], found["status"]["embeddable"]) == ("unlisted", True)
    body = {"id": video_id, "status": {"privacyStatus": "private", "publishAt": "2099-01-01T00:00:00Z"}}
    assert reason(youtube.ask("PUT", f"{DATA}/videos", params={"part": "status"}, json=body)) == (
        400,
        "invalidPublishAt",
    )


def test_a_video_with_a_time_becomes_public_by_itself(youtube: YouTube) -> None:
    now = requests.get(f"{youtube.url}/_sandbox/health", timeout=10).json()["now"]
    at = datetime.fromtimestamp(now + 600, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    video_id = youtube.upload(body={"status": {**STATUS, "publishAt": at}})
    assert youtube.video(video_id)["status"]["privacyStatus"] == "private"

    youtube.advance(601)

    status = youtube.video(video_id)["status"]
    assert (status["privacyStatus"], status["uploadStatus"]) == ("public", "processed")
    assert "publishAt" not in status


def test_what_is_no_video_fails_and_what_was_there_is_rejected(youtube: YouTube) -> None:
    def upload(content: bytes) -> dict[str, Any]:
        size = len(content)
        made = youtube.put(youtube.session(size), content, f"bytes 0-{size - 1}/{size}").json()["id"]
        assert youtube.video(made)["status"]["uploadStatus"] == "uploaded"
        youtube.advance(3)
        found: dict[str, Any] = youtube.video(made)["status"]
        return found

    content = youtube.content(900)
    assert upload(content)["uploadStatus"] == "processed"
    twice, text = upload(content), upload(b"no video at all")
    assert (twice["uploadStatus"], twice["rejectionReason"]) == ("rejected", "duplicate")
    assert (text["uploadStatus"], text["failureReason"]) == ("failed", "invalidFile")


def test_a_deleted_video_is_in_no_list(youtube: YouTube) -> None:
    video_id = youtube.upload()
    body = {"snippet": {"playlistId": PLAYLIST, "resourceId": {"kind": "youtube#video", "videoId": video_id}}}
    for _ in range(2):
        assert youtube.ask("POST", f"{DATA}/playlistItems", params={"part": "snippet"}, json=body).status_code == 200

    def places() -> int:
        query = {"part": "snippet", "playlistId": PLAYLIST, "videoId": video_id}
        return len(youtube.ask("GET", f"{DATA}/playlistItems", params=query).json()["items"])

    assert places() == 2
    assert youtube.ask("DELETE", f"{DATA}/videos", params={"id": video_id}).status_code == 204
    assert places() == 0
    assert reason(youtube.ask("DELETE", f"{DATA}/videos", params={"id": video_id})) == (404, "videoNotFound")
    assert youtube.ask("GET", f"{DATA}/videos", params={"part": "id", "id": video_id}).json()["items"] == []


def test_uploads_show_when_they_are_visible_and_in_the_search_later(youtube: YouTube) -> None:
    fault = {"connector": "youtube", "operation": "uploadVideoChunk", "kind": "delayed_visibility", "seconds": 30}
    requests.post(f"{youtube.url}/_sandbox/faults", json={**fault, "times": 1}, timeout=10).raise_for_status()
    video_id = youtube.upload(body={"snippet": {"title": "Findable words", "categoryId": "22"}})

    def listed() -> bool:
        query = {"part": "contentDetails", "playlistId": "UUsandboxSpringLaunch01A", "maxResults": 50}
        items = youtube.ask("GET", f"{DATA}/playlistItems", params=query).json()["items"]
        return video_id in {one["contentDetails"]["videoId"] for one in items}

    def found() -> bool:
        query = {"part": "snippet", "forMine": "true", "type": "video", "q": "findable"}
        items = youtube.ask("GET", f"{DATA}/search", params=query).json()["items"]
        return video_id in {one["id"]["videoId"] for one in items}

    assert (listed(), found()) == (False, False)
    youtube.advance(31)
    assert (listed(), found()) == (True, False)
    youtube.advance(61)
    assert found()


def test_a_thumbnail_must_be_a_picture(youtube: YouTube) -> None:
    video_id = youtube.upload()

    def set_(content: bytes, upload_type: str = "media") -> requests.Response:
        query = {"videoId": video_id, "uploadType": upload_type}
        return youtube.ask(
            "POST", f"{UPLOAD}/thumbnails/set", params=query, data=content, headers={"Content-Type": "image/png"}
        )

    assert reason(set_(b"no picture")) == (400, "invalidImage")
    assert set_(b"\x89PNG\r\n\x1a\n").status_code == 200
    assert youtube.effects()[-1] == ("setThumbnail", video_id)


@pytest.mark.parametrize(
    "query",
    [
        {"metrics": "views,colour"},
        {"metrics": "views", "dimensions": "colour"},
        {"metrics": "views", "dimensions": "video"},
        {"metrics": "views", "dimensions": "video", "sort": "-views", "maxResults": "201"},
        {"metrics": "views", "sort": "likes"},
        {"metrics": "views", "startDate": "2026-11-31"},
        {"metrics": "views", "startDate": "2026-12-31"},
    ],
)
def test_a_report_that_cannot_be_made_is_refused(youtube: YouTube, query: dict[str, str]) -> None:
    usual = {"ids": "channel==MINE", "startDate": "2026-11-01", "endDate": "2026-11-05"}

    assert youtube.ask("GET", REPORTS, params={**usual, **query}).status_code == 400


def test_a_report_of_earnings_needs_its_scope(youtube: YouTube) -> None:
    query = {"ids": "channel==MINE", "startDate": "2026-11-01", "endDate": "2026-11-05", "metrics": "estimatedRevenue"}

    assert reason(youtube.ask("GET", REPORTS, params=query)) == (403, "forbidden")


def test_the_batch_of_statistics_is_like_the_list(youtube: YouTube) -> None:
    video_id = youtube.upload()
    query = {"part": "statistics", "id": [video_id, "aaaaaaaaaaa"]}

    (item,) = youtube.ask("GET", f"{DATA}/videos:batchGetStats", params=query).json()["items"]

    assert item["id"] == video_id
    assert item["statistics"] == youtube.video(video_id, "statistics")["statistics"]
    assert item["statistics"]["viewCount"].isdecimal()


def test_files_of_media_example_are_the_same_each_time_and_in_parts(youtube: YouTube) -> None:
    address = f"{youtube.url}/media.example/clip-64x36-3s-700KB.mp4"
    whole = requests.get(address, timeout=10)

    assert (whole.headers["Content-Length"], len(whole.content)) == (str(700 * 1024), 700 * 1024)
    parts = [
        requests.get(address, headers={"Range": f"bytes={first}-{first + 99_999}"}, timeout=10)
        for first in range(0, 700 * 1024, 100_000)
    ]
    assert {part.status_code for part in parts} == {206}
    assert {part.headers["ETag"] for part in parts} == {whole.headers["ETag"]}
    assert zlib.crc32(b"".join(part.content for part in parts)) == zlib.crc32(whole.content)
    head = requests.head(address, timeout=10)
    assert (head.headers["Content-Length"], head.content) == (str(700 * 1024), b"")
    assert requests.get(address, headers={"Range": "bytes=9999999-"}, timeout=10).status_code == 416
    for path in ("nothing.exe", "unknown-folder/photo.jpg", ""):
        assert requests.get(f"{youtube.url}/media.example/{path}", timeout=10).status_code == 404
    assert requests.post(address, timeout=10).status_code == 405
