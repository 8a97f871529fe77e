"""What happens to a container? It is made, worked on for a while, and is ready, fails or expires."""

from __future__ import annotations

import sqlite3
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from connectors.sandbox import meta_graph
from connectors.sandbox.instagram_data import CONTAINER_LIFE_S
from connectors.sandbox.platform import Call, Reply

# Seconds that Instagram works on it, on the sandbox's clock.
_IMAGE_S, _VIDEO_S = 1.0, 3.0
_IMAGES, _VIDEOS = frozenset({"", ".jpg", ".jpeg"}), frozenset({"", ".mp4", ".mov"})
_NOT_LOADED, _NO_VIDEO = 2207052, 2207026


def create(call: Call) -> Reply:
    """POST media: a container that nobody sees."""
    check_account(call)
    fields: dict[str, Any] = call.body
    kind = fields.get("media_type", "IMAGE")
    if "image_url" in fields:
        _check_image(fields["image_url"])
    failure = _failure_of(fields["video_url"]) if "video_url" in fields else None
    if kind == "CAROUSEL":
        for child in fields["children"]:
            _check_child(call, child)
    _check_caption(fields)
    by_bytes = fields.get("upload_type") == "resumable"
    work_s = _VIDEO_S if "video_url" in fields else _IMAGE_S
    container_id = meta_graph.new_id("179")
    call.db.execute(
        "INSERT INTO instagram_container (id, media_type, caption, is_item, failure, created_at, ready_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            *(container_id, kind, fields.get("caption"), fields.get("is_carousel_item", False), failure, call.now),
            None if by_bytes else call.now + work_s,
        ),
    )
    target = {"uri": f"https://rupload.facebook.com/ig-api-upload/{container_id}"} if by_bytes else {}
    return Reply(200, {"id": container_id, **target})


def check_account(call: Call) -> None:
    """The path must name the token's own account."""
    if call.path["ig_user_id"] != call.principal["ig_user_id"]:
        raise meta_graph.no_such_node()


def find(db: sqlite3.Connection, container_id: str) -> sqlite3.Row | None:
    """A container by its id."""
    row: sqlite3.Row | None = db.execute("SELECT * FROM instagram_container WHERE id = ?", (container_id,)).fetchone()
    return row


def state(row: sqlite3.Row, now: float) -> tuple[str, str]:
    """A container's ``status_code`` and ``status``."""
    if row["published_at"] is not None:
        return "PUBLISHED", "Published: Media has been successfully published."
    if now >= row["created_at"] + CONTAINER_LIFE_S:
        return "EXPIRED", "Expired: Media was not published within 24 hours."
    if row["ready_at"] is None or now < row["ready_at"]:
        return "IN_PROGRESS", "In Progress: Media is still being processed."
    if row["failure"] is not None:
        return "ERROR", f"Error: Media upload has failed with error code {row['failure']}"
    return "FINISHED", "Finished: Media has been uploaded and it is ready to be published."


def receive(call: Call) -> Reply:
    """The bytes of a video, in one piece; only that they came is kept."""
    row = find(call.db, call.path["upload_path"])
    if row is None or row["ready_at"] is not None:
        raise meta_graph.no_such_node()
    if call.headers.get("offset") != "0" or call.headers.get("file_size") != str(len(call.raw_body)):
        raise meta_graph.refusal(100, "offset and file_size do not fit the bytes")
    call.db.execute("UPDATE instagram_container SET ready_at = ? WHERE id = ?", (call.now + _VIDEO_S, row["id"]))
    return Reply(200, {"success": True})


def _check_image(url: str) -> None:
    _check_public(url)
    if _ending(url) not in _IMAGES:
        raise meta_graph.refusal(36001, "The image format is not supported", subcode=2207005)
    if _cannot_be_loaded(url):
        raise meta_graph.refusal(9004, "The media could not be fetched from this URI", subcode=_NOT_LOADED)


def _failure_of(url: str) -> int | None:
    """A video is loaded later: what is wrong with it shows in the container."""
    _check_public(url)
    if _cannot_be_loaded(url):
        return _NOT_LOADED
    return None if _ending(url) in _VIDEOS else _NO_VIDEO


def _check_public(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or "." not in parts.hostname:
        raise meta_graph.refusal(9004, "Only a public URL can be fetched", subcode=_NOT_LOADED)


def _cannot_be_loaded(url: str) -> bool:
    # Names below .invalid never exist (RFC 6761): the sandbox loads nothing, and so plays a host that is not there.
    return (urlsplit(url).hostname or "").endswith(".invalid")


def _ending(url: str) -> str:
    return PurePosixPath(urlsplit(url).path).suffix.lower()


def _check_child(call: Call, container_id: str) -> None:
    row = find(call.db, container_id)
    if row is None or not row["is_item"]:
        raise meta_graph.refusal(100, "A child is no carousel item of this account", subcode=2207057)
    code, _ = state(row, call.now)
    if code == "EXPIRED":
        raise meta_graph.refusal(24, "The media builder has expired", subcode=2207008)
    if code != "FINISHED":
        raise meta_graph.refusal(9007, "A child of the carousel is not ready", subcode=2207027)


def _check_caption(fields: dict[str, Any]) -> None:
    caption = fields.get("caption", "")
    if caption.count("#") > 30 or caption.count("@") > 20:
        raise meta_graph.refusal(110, "The caption has too many hashtags or mentions", subcode=2207010)
    if "caption" in fields and (fields.get("is_carousel_item") or fields.get("media_type") == "STORIES"):
        raise meta_graph.refusal(100, "Stories and carousel items have no caption", subcode=2207023)
