"""Does every documented error of YouTube come out as its class? By recorded answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import responses
import time_machine

from connectors import registry
from connectors.kit.errors import (
    AuthExpired,
    ConnectorError,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Permission,
    PolicyRejected,
    RateLimited,
    Unavailable,
)
from connectors.youtube import sessions
from connectors.youtube.platform import UPLOAD_RULES
from connectors.youtube.resources import Video, VideoState
from connectors.youtube.sessions import Session, SessionLost
from connectors.youtube.uploading import _worked_on
from connectors.youtube.videos import update_video
from tests.unit.connectors.calls import SECRETS, call
from tests.unit.connectors.wire_youtube import DATA, READ, REPORTS, VIDEO

PIECE = "https://youtube.googleapis.com/upload/youtube/v3/videos?uploadType=resumable&upload_id=AF1"
SESSION = Session(uri=PIECE, size=3, media_type="video/mp4")
MADE = {"id": VIDEO, "snippet": {"title": "a"}, "status": {"uploadStatus": "uploaded"}}


def error(status: int, reason: str, **more: Any) -> dict[str, Any]:
    first = {"message": "m", "domain": "youtube.video", "reason": reason}
    return {"error": {"code": status, "message": "m", "errors": [first], **more}}


DOCUMENTED: list[tuple[int, str, type[ConnectorError]]] = [
    *((400, reason, InvalidRequest) for reason in ("invalidTitle", "invalidDescription", "invalidTags")),
    *((400, reason, InvalidRequest) for reason in ("invalidCategoryId", "invalidPublishAt", "invalidFilename")),
    *((400, reason, InvalidRequest) for reason in ("invalidVideoMetadata", "invalidRecordingDetails")),
    *((400, reason, InvalidRequest) for reason in ("defaultLanguageNotSet", "defaultLanguageNotSetError")),
    *((400, reason, InvalidRequest) for reason in ("mediaBodyRequired", "missingRequiredParameter")),
    *((400, reason, InvalidRequest) for reason in ("incompatibleParameters", "unexpectedParameter")),
    (400, "uploadLimitExceeded", RateLimited),
    (401, "authError", AuthExpired),
    (401, "youtubeSignupRequired", Permission),
    *((403, reason, RateLimited) for reason in ("quotaExceeded", "dailyLimitExceeded")),
    *((403, reason, RateLimited) for reason in ("rateLimitExceeded", "userRateLimitExceeded")),
    *((403, reason, Permission) for reason in ("forbidden", "insufficientPermissions", "forbiddenPrivacySetting")),
    *((403, reason, Permission) for reason in ("forbiddenLicenseSetting", "forbiddenEmbedSetting")),
    (403, "accountDelegationForbidden", Permission),
    *((403, f"authenticatedUserAccount{how}", PolicyRejected) for how in ("Suspended", "Closed")),
    *((404, reason, NotFound) for reason in ("videoNotFound", "playlistNotFound", "notFound")),
    (409, "SERVICE_UNAVAILABLE", OutcomeUnknown),
    *((429, reason, RateLimited) for reason in ("uploadRateLimitExceeded", "RESOURCE_EXHAUSTED")),
    *((status, "backendError", OutcomeUnknown) for status in (500, 502, 503, 504)),
    (500, "internalError", OutcomeUnknown),
    # What is not documented: certainly not done if it is said to be our fault, unknown otherwise.
    (400, "aNewReason", InvalidRequest),
    (403, "aNewReason", Permission),
    (418, "aNewReason", InvalidRequest),
    (500, "aNewReason", OutcomeUnknown),
]


def update(**answer: Any) -> ConnectorError:
    """What comes out of an update whose PUT is answered so."""
    action = registry.action("youtube.updateVideo")
    with responses.RequestsMock() as mock:
        mock.get(f"{DATA}/videos", json=READ)
        mock.put(f"{DATA}/videos", **answer)
        with pytest.raises(ConnectorError) as caught:
            action.perform(call("youtube"), action.input.model_validate({"video_id": VIDEO, "title": "private text"}))
    return caught.value


@pytest.mark.parametrize(("status", "reason", "kind"), DOCUMENTED)
def test_an_error_of_a_change_is_classed_by_its_reason(status: int, reason: str, kind: type[ConnectorError]) -> None:
    found = update(status=status, json=error(status, reason))

    assert type(found) is kind
    assert str(found).startswith(f"videos.update: Google answered {status}")
    assert not [text for text in (*SECRETS, "private text") if text in f"{found!r}"]


@pytest.mark.parametrize(("status", "reason", "kind"), DOCUMENTED)
def test_an_error_of_a_read_never_leaves_anything_in_doubt(
    status: int, reason: str, kind: type[ConnectorError]
) -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{DATA}/videos", status=status, json=error(status, reason))
        with pytest.raises(Unavailable if kind is OutcomeUnknown else kind):
            registry.action("youtube.getVideo").perform(
                call("youtube"), registry.action("youtube.getVideo").input.model_validate({"video_id": VIDEO})
            )


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"null", b"{}", b'{"id": 5}', b'{"id": ""}', b"\xff", b"[" * 9999]
)
def test_a_success_that_cannot_be_understood_leaves_a_change_in_doubt(body: bytes) -> None:
    assert type(update(status=200, body=body)) is OutcomeUnknown


def test_an_answer_about_another_video_is_not_taken_for_this_one() -> None:
    action = registry.action("youtube.updateVideo")
    with responses.RequestsMock() as mock:
        mock.get(f"{DATA}/videos", json={"items": [{**READ["items"][0], "id": "aaaaaaaaaaa"}]})
        with pytest.raises(NotFound):
            update_video(call("youtube"), action.input.model_validate({"video_id": VIDEO, "title": "a"}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "wait_s"),
    [
        ({"status": 400, "json": error(400, "uploadLimitExceeded")}, 86_400),
        ({"status": 429, "json": error(429, "uploadRateLimitExceeded")}, 300),
        ({"status": 403, "json": error(403, "rateLimitExceeded")}, None),
        ({"status": 403, "json": error(403, "rateLimitExceeded"), "headers": {"Retry-After": "7"}}, 7),
        # 10:00 in California: fourteen hours to midnight.
        ({"status": 403, "json": error(403, "quotaExceeded")}, 14 * 3600),
    ],
)
def test_the_time_to_wait_is_what_youtube_says_or_documents(answer: dict[str, Any], wait_s: float | None) -> None:
    with time_machine.travel(datetime(2026, 11, 25, 18, 0, tzinfo=UTC), tick=False):
        found = update(**answer)

    assert isinstance(found, RateLimited)
    assert found.retry_after_s == wait_s
    assert (found.of, UPLOAD_RULES.limited) == ("connection", "action")


def progress(**answer: Any) -> int | Video:
    with responses.RequestsMock() as mock:
        mock.put(PIECE, **answer)
        found = sessions.progress(call("youtube"), SESSION)
        (made,) = mock.calls
    assert (made.request.headers["Content-Range"], made.request.headers["Content-Length"]) == ("bytes */3", "0")
    return found


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"status": 308}, 0),
        ({"status": 308, "headers": {"Range": "bytes=0-1"}}, 2),
        ({"status": 308, "headers": {"Range": "bytes=0-2", "Location": "https://evil.example/"}}, 3),
        ({"status": 200, "json": MADE}, Video.model_validate(MADE)),
        ({"status": 201, "json": MADE}, Video.model_validate(MADE)),
    ],
)
def test_a_session_tells_how_much_it_has(answer: dict[str, Any], expected: int | Video) -> None:
    assert progress(**answer) == expected


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status": 404}, SessionLost),
        ({"status": 410}, SessionLost),
        ({"status": 308, "headers": {"Range": "bytes=5-9"}}, Unavailable),
        ({"status": 308, "headers": {"Range": "bytes=0-3"}}, Unavailable),
        ({"status": 308, "headers": {"Range": "bytes=0-99999999999999999999"}}, Unavailable),
        ({"status": 200, "body": b"{"}, Unavailable),
        ({"status": 201, "json": {"id": ""}}, Unavailable),
        ({"status": 503, "body": b"<html>"}, Unavailable),
        ({"status": 401, "json": error(401, "authError")}, AuthExpired),
        ({"status": 400, "json": error(400, "uploadLimitExceeded")}, RateLimited),
    ],
)
def test_what_a_session_says_strangely_is_asked_again(answer: dict[str, Any], kind: type[ConnectorError]) -> None:
    with pytest.raises(kind):
        progress(**answer)


@pytest.mark.parametrize(
    "location",
    [
        None,
        "",
        "/upload/youtube/v3/videos?upload_id=1",
        "http://youtube.googleapis.com/upload/youtube/v3/videos?upload_id=1",
        "https://evil.example/upload/youtube/v3/videos?upload_id=1",
        "https://youtube.googleapis.com@evil.example/upload/",
        "https://youtube.googleapis.com/youtube/v3/videos",
        "https://[::1",
    ],
)
def test_a_session_at_a_strange_address_is_none(location: str | None) -> None:
    class File:
        size, media_type = 3, "video/mp4"

    headers = {} if location is None else {"Location": location}
    with responses.RequestsMock() as mock:
        mock.post("https://youtube.googleapis.com/upload/youtube/v3/videos", headers=headers)
        with pytest.raises(Unavailable, match="did not say where"):
            sessions.open_session(call("youtube"), {"snippet": {}}, File(), notify=False)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "body",
    [
        {"columnHeaders": [{"name": "views"}], "rows": [[1, 2]]},
        {"columnHeaders": [{"name": 5}], "rows": []},
        {"columnHeaders": [], "rows": "many"},
        {"columnHeaders": [{"name": "views"}], "rows": [[{"a": 1}]]},
    ],
)
def test_a_report_that_does_not_fit_its_columns_is_no_report(body: dict[str, Any]) -> None:
    action = registry.action("youtube.getAnalytics")
    with responses.RequestsMock() as mock:
        mock.get(REPORTS, body=json.dumps(body))
        with pytest.raises(Unavailable):
            action.perform(
                call("youtube"), action.input.model_validate({"start": "2026-11-15", "end": "2026-11-15", "by": None})
            )


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ({"uploadStatus": "failed", "failureReason": "codec"}, InvalidRequest),
        ({"uploadStatus": "rejected", "rejectionReason": "length"}, InvalidRequest),
        ({"uploadStatus": "rejected", "rejectionReason": "copyright"}, PolicyRejected),
        ({"uploadStatus": "rejected"}, PolicyRejected),
    ],
)
def test_a_video_that_nobody_will_see_is_no_success(status: dict[str, str], kind: type[ConnectorError]) -> None:
    made = VideoState.of(Video.model_validate(MADE))
    with responses.RequestsMock() as mock:
        mock.get(f"{DATA}/videos", json={"items": [{"id": VIDEO, "status": status}]})
        with pytest.raises(kind, match=f"video {VIDEO}: "):
            _worked_on(call("youtube"), made)
