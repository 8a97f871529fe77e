"""What do YouTube's actions send and return, and what do they refuse? Asked of the sandbox."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import ValidationError

from connectors import registry
from connectors.kit.errors import InvalidRequest, NotFound, OutcomeUnknown, PolicyRejected
from connectors.youtube.analytics import Analytics, VideosStats
from connectors.youtube.lists import Categories, ListedVideos
from connectors.youtube.platform import YouTubeCredential
from connectors.youtube.playlists import PlaylistItem, PlaylistItems
from connectors.youtube.resources import VideoState
from connectors.youtube.uploading import UploadVideo, run_tag
from tests.contract.cases.youtube import PLAYLIST
from tests.contract.conftest import Performer, Sandbox
from tests.contract.memory_ledger import MemoryLedger

NOBODYS = "aaaaaaaaaaa"


def given(**more: Any) -> dict[str, Any]:
    return {
        "media_url": f"https://media.example/clip-{uuid.uuid4().hex}-40KB.mp4",
        "title": f"Spring launch {uuid.uuid4().hex}",
        "made_for_kids": False,
        "contains_synthetic_media": True,
        **more,
    }


def upload(performer: Performer, **more: Any) -> VideoState:
    found = performer.finished("youtube.uploadVideo", **given(**more))
    assert isinstance(found, VideoState)
    return found


def state(performer: Performer, video_id: str) -> VideoState:
    found = performer.do("youtube.getVideo", video_id=video_id)
    assert isinstance(found, VideoState)
    return found


def hours_ahead(hours: float) -> datetime:
    return (datetime.now(UTC) + timedelta(hours=hours)).replace(microsecond=0)


def test_a_video_is_uploaded_processed_and_found_by_its_tag(performer: Performer, sandbox: Sandbox) -> None:
    mark, title = sandbox.mark(), f"Spring launch {uuid.uuid4().hex}"
    call = performer.call("youtube")
    action = registry.action("youtube.uploadVideo")
    data = action.input.model_validate(given(title=title))

    found = performer.finish(action, call, data)

    (effect,) = sandbox.effects(mark)
    assert isinstance(found, VideoState)
    assert (effect["action"], effect["provider_id"]) == ("uploadVideo", found.video_id)
    assert (effect["key"], effect["text"]) == (run_tag(call), title)
    assert (found.privacy, found.upload_status) == ("private", "processed")
    assert found.url == f"https://www.youtube.com/watch?v={found.video_id}"


def test_a_video_with_a_time_is_private_until_then(performer: Performer, sandbox: Sandbox) -> None:
    # The platforms' clock may be ahead of ours.
    at = hours_ahead(24 * 100)

    made = upload(performer, publish_at=at.isoformat())

    assert state(performer, made.video_id).publish_at == at
    assert state(performer, made.video_id).privacy == "private"


def test_a_time_is_set_moved_and_taken_away(performer: Performer) -> None:
    video_id = upload(performer).video_id
    for hours in (2400, 2410):
        at = hours_ahead(hours)
        performer.do("youtube.scheduleVideo", video_id=video_id, publish_at=at.isoformat())
        assert state(performer, video_id).publish_at == at

    performer.do("youtube.cancelSchedule", video_id=video_id)
    assert state(performer, video_id).publish_at is None
    assert state(performer, video_id).privacy == "private"


def test_only_a_private_video_can_have_a_time(performer: Performer, sandbox: Sandbox) -> None:
    video_id, mark = upload(performer, privacy="unlisted").video_id, sandbox.mark()

    with pytest.raises(InvalidRequest, match="video_id: the video is unlisted; only a private one can have a time"):
        performer.do("youtube.scheduleVideo", video_id=video_id, publish_at=hours_ahead(2400).isoformat())
    assert sandbox.effects(mark) == []


def test_an_update_leaves_what_it_does_not_name(performer: Performer) -> None:
    video_id = upload(performer, description="Out now", tags=("launch",), language="en", embeddable=False).video_id

    performer.do("youtube.updateVideo", video_id=video_id, title="Other")
    performer.do("youtube.updateVideo", video_id=video_id, privacy="unlisted")

    shown = resource(performer, video_id)
    snippet, status = shown["snippet"], shown["status"]
    assert (snippet["title"], snippet["description"]) == ("Other", "Out now")
    assert snippet["tags"][0] == "launch"
    assert (snippet["defaultLanguage"], snippet["categoryId"]) == ("en", "22")
    assert (status["privacyStatus"], status["embeddable"]) == ("unlisted", False)
    assert (status["containsSyntheticMedia"], status["selfDeclaredMadeForKids"]) == (True, False)


def resource(performer: Performer, video_id: str) -> dict[str, Any]:
    call = performer.call("youtube")
    held = call.credential_as(YouTubeCredential)
    found = call.http.get(
        "https://youtube.googleapis.com/youtube/v3/videos",
        params={"part": "snippet,status", "id": video_id},
        headers=held.bearer(),
    ).json()
    item: dict[str, Any] = found["items"][0]
    return item


def test_a_deleted_video_is_gone_and_deleting_nothing_is_an_error(performer: Performer) -> None:
    video_id = upload(performer).video_id

    performer.do("youtube.deleteVideo", video_id=video_id)

    for name in ("youtube.getVideo", "youtube.deleteVideo"):
        with pytest.raises(NotFound):
            performer.do(name, video_id=video_id)


def test_a_delete_whose_answer_was_lost_is_done(performer: Performer) -> None:
    video_id = upload(performer).video_id
    action, ledger = registry.action("youtube.deleteVideo"), MemoryLedger()
    data = action.input.model_validate({"video_id": video_id})

    first = performer.perform(action, performer.call("youtube", ledger), data)

    # As after a crash: it may have been sent.
    assert performer.perform(action, performer.call("youtube", ledger), data) == first


def test_a_file_that_is_no_video_is_refused_before_any_request(performer: Performer, sandbox: Sandbox) -> None:
    sandbox.fault("error_500_before", "youtube", "uploadVideo", times=None)
    for path, said in (
        ("photo.jpg", "the file is image/jpeg; must be video/"),
        ("wrong-type/clip.mp4", "the file is application/octet-stream; must be video/"),
        ("truncated/clip-3MB.mp4", "cut short"),
        ("missing/clip.mp4", "answered 404"),
    ):
        with pytest.raises(InvalidRequest, match=f"media_url: .*{said}"):
            upload(performer, media_url=f"https://media.example/{path}")

    (fault,) = sandbox.ask("GET", "faults")["faults"]
    assert fault["seen"] == 0


def test_a_thumbnail_is_a_picture(performer: Performer, sandbox: Sandbox) -> None:
    video_id, mark = upload(performer).video_id, sandbox.mark()

    performer.do("youtube.setThumbnail", video_id=video_id, image_url="https://media.example/thumb-3MB.png")
    with pytest.raises(InvalidRequest, match="image_url: the file is video/mp4; must be image/jpeg or image/png"):
        performer.do("youtube.setThumbnail", video_id=video_id, image_url="https://media.example/clip.mp4")

    assert [(one["action"], one["provider_id"]) for one in sandbox.effects(mark)] == [("setThumbnail", video_id)]


def test_the_same_file_twice_is_rejected_as_a_duplicate(performer: Performer) -> None:
    url = f"https://media.example/clip-{uuid.uuid4().hex}-40KB.mp4"
    upload(performer, media_url=url)

    with pytest.raises(PolicyRejected, match=r"video .{11}: YouTube rejects it: duplicate"):
        upload(performer, media_url=url)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"title": ""}, "at least 1 character"),
        ({"title": "a" * 101}, "at most 100 characters"),
        ({"title": "a<b"}, "match pattern"),
        ({"description": "ä" * 2501}, "at most 5000 bytes"),
        ({"description": "a>b"}, "match pattern"),
        ({"tags": ("a" * 300, "b" * 300)}, "484 characters"),
        ({"tags": ("a,b",)}, "match pattern"),
        ({"media_url": "http://media.example/clip.mp4"}, "match pattern"),
        ({"publish_at": hours_ahead(24).isoformat(), "privacy": "public"}, "privacy must be private"),
        ({"publish_at": "2030-01-01T00:00:00"}, "timezone"),
        ({"made_for_kids": None}, "bool"),
        ({"category_id": "Music"}, "match pattern"),
    ],
)
def test_an_upload_that_youtube_would_refuse_is_refused_with_the_rule(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        UploadVideo.model_validate(given(**wrong))


@pytest.mark.parametrize("missing", ["made_for_kids", "contains_synthetic_media"])
def test_the_declarations_must_be_made(missing: str) -> None:
    with pytest.raises(ValidationError, match="Field required"):
        UploadVideo.model_validate({name: value for name, value in given().items() if name != missing})


def test_a_time_must_lie_ahead_when_the_upload_is_accepted() -> None:
    now = datetime.now(UTC)
    soon = {"publish_at": (now + timedelta(minutes=4)).isoformat()}

    with pytest.raises(ValidationError, match="publish_at"):
        UploadVideo.accept(given(**soon), now=now)
    # What was accepted once stays readable.
    UploadVideo.model_validate(given(**soon))


def test_a_time_that_has_passed_meanwhile_is_refused_before_any_request(performer: Performer, sandbox: Sandbox) -> None:
    sandbox.fault("error_500_before", "youtube", "uploadVideo", times=None)

    with pytest.raises(InvalidRequest, match=r"^publish_at: "):
        upload(performer, publish_at=datetime.now(UTC).isoformat())

    (fault,) = sandbox.ask("GET", "faults")["faults"]
    assert fault["seen"] == 0


def test_an_update_must_change_something(performer: Performer) -> None:
    with pytest.raises(ValidationError, match="at least one field"):
        performer.do("youtube.updateVideo", video_id=NOBODYS)
    with pytest.raises(NotFound):
        performer.do("youtube.updateVideo", video_id=NOBODYS, title="Other")


def test_places_in_a_playlist_are_told_apart(performer: Performer, sandbox: Sandbox) -> None:
    video_id = upload(performer).video_id
    first = performer.do("youtube.addToPlaylist", video_id=video_id, playlist_id=PLAYLIST)
    action = registry.action("youtube.addToPlaylist")
    data = action.input.model_validate({"video_id": video_id, "playlist_id": PLAYLIST, "position": 0})
    ledger = MemoryLedger()
    ledger.owned_by_others = {str(first.provider_id())}
    sandbox.fault("reset_after", "youtube", "addToPlaylist")
    call = performer.call("youtube", ledger)
    with pytest.raises(OutcomeUnknown):
        performer.perform(action, call, data)

    found = performer.look_up(action, call, data)
    assert isinstance(found, PlaylistItem)
    assert found.item_id != first.provider_id()
    listed = performer.do("youtube.listPlaylist", playlist_id=PLAYLIST, count=50)
    assert isinstance(listed, PlaylistItems)
    assert {found.item_id, first.provider_id()} <= {one.item_id for one in listed.items}

    ledger.owned_by_others = set()
    with pytest.raises(OutcomeUnknown, match="ambiguous: 2 new places"):
        performer.look_up(action, call, data)


def test_the_uploads_are_listed_page_by_page_and_searched_later(performer: Performer, sandbox: Sandbox) -> None:
    word = uuid.uuid4().hex
    made = [upload(performer, title=f"{word} {number}").video_id for number in range(3)]

    first = performer.do("youtube.listVideos", count=2)
    assert isinstance(first, ListedVideos)
    second = performer.do("youtube.listVideos", count=2, page_token=first.next_page_token)
    assert isinstance(second, ListedVideos)
    assert [one.video_id for one in (*first.videos, *second.videos)][:3] == made[::-1]

    sandbox.ask("POST", "clock", json={"advance_s": 120})
    found = performer.do("youtube.searchVideos", query=word)
    assert isinstance(found, ListedVideos)
    assert {one.video_id for one in found.videos} == set(made)


def test_counts_are_numbers_and_what_is_missing_is_named(performer: Performer) -> None:
    video_id = upload(performer).video_id

    found = performer.do("youtube.getVideoStats", video_ids=(video_id, NOBODYS))

    assert isinstance(found, VideosStats)
    assert found.missing == (NOBODYS,)
    assert found.videos[0].video_id == video_id
    assert isinstance(found.videos[0].views, int)


def test_a_report_has_its_figures_by_name(performer: Performer) -> None:
    start, end = datetime.now(UTC).date() - timedelta(days=9), datetime.now(UTC).date() - timedelta(days=5)

    by_day = performer.do("youtube.getAnalytics", start=start, end=end, metrics=("views", "likes"))
    in_all = performer.do("youtube.getAnalytics", start=start, end=end, metrics=("views",), by=None)
    by_video = performer.do("youtube.getAnalytics", start=start, end=end, metrics=("views",), by="video", count=2)

    assert isinstance(by_day, Analytics)
    assert isinstance(in_all, Analytics)
    assert isinstance(by_video, Analytics)
    assert [row["day"] for row in by_day.rows] == [(start + timedelta(days=n)).isoformat() for n in range(5)]
    assert all(isinstance(row["views"], int) and isinstance(row["likes"], int) for row in by_day.rows)
    assert [set(row) for row in in_all.rows] == [{"views"}]
    assert len(by_video.rows) == 2


def test_a_report_of_days_that_are_not_counted_yet_is_empty(performer: Performer) -> None:
    ahead = datetime.now(UTC).date() + timedelta(days=3650)

    found = performer.do("youtube.getAnalytics", start=ahead, end=ahead)

    assert found == Analytics(rows=())


def test_only_categories_that_may_be_given_are_listed(performer: Performer) -> None:
    found = performer.do("youtube.listCategories")

    assert isinstance(found, Categories)
    assert {"22": "People & Blogs"}.items() <= {one.category_id: one.title for one in found.categories}.items()
    assert "30" not in {one.category_id for one in found.categories}


def test_the_check_names_the_channel(performer: Performer) -> None:
    assert registry.connector("youtube").test(performer.call("youtube")) == "YouTube channel Spring Launch"


def test_a_service_account_is_no_credential_of_youtube() -> None:
    key = generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    robot = {"client_email": "robot@a.example", "private_key_id": "1", "private_key": key.decode()}

    with pytest.raises(ValidationError, match="a service account has no YouTube channel"):
        YouTubeCredential.model_validate({"service_account": robot})
