"""Inputs of youtube that work against a fresh sandbox."""

from __future__ import annotations

import uuid
from typing import Any

from tests.contract.case import Case, soon
from tests.contract.conftest import Performer

PLAYLIST = "PLsandboxSpringLaunch01A"


def _clip() -> str:
    """A file that nobody has uploaded yet: YouTube rejects duplicates."""
    return f"https://media.example/clip-{uuid.uuid4().hex}-1080x1920-30s-40KB.mp4"


def _video(performer: Performer, recipient: str) -> dict[str, Any]:
    return {
        "media_url": _clip(),
        "title": f"Spring launch {uuid.uuid4().hex}",
        "description": "Out now: the spring collection.",
        "tags": ("launch", "spring sale"),
        "made_for_kids": False,
        "contains_synthetic_media": False,
    }


def _uploaded(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"video_id": performer.finished("youtube.uploadVideo", **_video(performer, recipient)).provider_id()}


def _update(performer: Performer, recipient: str) -> dict[str, Any]:
    return {**_uploaded(performer, recipient), "title": f"Spring launch {uuid.uuid4().hex}"}


def _schedule(performer: Performer, recipient: str) -> dict[str, Any]:
    return {**_uploaded(performer, recipient), "publish_at": soon(48)}


def _scheduled(performer: Performer, recipient: str) -> dict[str, Any]:
    given = _schedule(performer, recipient)
    performer.do("youtube.scheduleVideo", **given)
    return {"video_id": given["video_id"]}


def _thumbnail(performer: Performer, recipient: str) -> dict[str, Any]:
    return {**_uploaded(performer, recipient), "image_url": "https://media.example/thumb-1280x720.jpg"}


def _place(performer: Performer, recipient: str) -> dict[str, Any]:
    return {**_uploaded(performer, recipient), "playlist_id": PLAYLIST}


CASES = (
    Case("youtube.uploadVideo", "uploadVideoChunk", _video, once=True),
    Case("youtube.scheduleVideo", "updateVideo", _schedule, once=False),
    Case("youtube.cancelSchedule", "updateVideo", _scheduled, once=False),
    Case("youtube.updateVideo", "updateVideo", _update, once=False),
    Case("youtube.deleteVideo", "deleteVideo", _uploaded, once=True, empty_answer=True),
    Case("youtube.setThumbnail", "setThumbnail", _thumbnail, once=False),
    Case("youtube.addToPlaylist", "addToPlaylist", _place, once=True),
)
