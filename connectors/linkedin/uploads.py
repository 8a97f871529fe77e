"""How do images, documents and videos get to LinkedIn? Announced, brought, and worked on before a post may show them.

What no post shows stays out of sight, so bringing it again does no harm; once brought, it is remembered and used again,
for a repeated post is only known as such if its media are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from connectors.kit.action import JsonValue
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, OutcomeUnknown, Permission, Unavailable
from connectors.kit.media import Media, MediaRules, open_media
from connectors.linkedin import web
from connectors.linkedin.content import PublishPost

MB = 10**6
MAX_PIXELS = 36_152_320

_IMAGES = MediaRules(types=("image/jpeg", "image/png", "image/gif"), max_bytes=100 * MB)
# Word and PowerPoint files are zip archives to whoever looks at their first bytes.
_DOCUMENTS = MediaRules(types=("application/pdf", "application/zip"), max_bytes=100 * MB)
_VIDEOS = MediaRules(
    types=("video/mp4",), min_bytes=75_000, max_bytes=500 * MB, min_duration_s=3.0, max_duration_s=1800.0
)
_MOST_PARTS = 1000
_IMAGE_S, _VIDEO_S = 300.0, 3600.0


def bring(call: Call, data: PublishPost, owner: str) -> tuple[str, ...]:
    """Bring all media of a post; returns their URNs in the input's order, once they can be posted.

    Raises:
        Postpone: LinkedIn still works on one.
        InvalidRequest: A file breaks a rule, or LinkedIn cannot use it.
    """
    images = [(f"images.{place}.url", one.url) for place, one in enumerate(data.images)]
    if data.article is not None and data.article.thumbnail is not None:
        images.append(("article.thumbnail.url", data.article.thumbnail.url))
    urns = [_brought(call, f"image:{place}", partial(_image, call, *one, owner)) for place, one in enumerate(images)]
    for place, urn in enumerate(urns):
        _wait_until_ready(call, f"ready:image:{place}", f"images/{web.encoded(urn)}", owner, _IMAGE_S)
    if data.document is not None:
        urn = _brought(call, "document", partial(_document, call, data.document.url, owner))
        _wait_until_ready(call, "ready:document", f"documents/{web.encoded(urn)}", owner, _IMAGE_S)
        urns.append(urn)
    if data.video is not None:
        urn = _brought(call, "video:whole", partial(_video, call, data.video.url, owner))
        _wait_until_ready(call, "ready:video", f"videos/{web.encoded(urn)}", owner, _VIDEO_S)
        urns.append(urn)
    return tuple(urns)


def _brought(call: Call, step: str, do: Callable[[], JsonValue]) -> str:
    return str(call.step(step, do))


def _image(call: Call, field: str, url: str, owner: str) -> str:
    media = open_media(call, url, _IMAGES, field=field)
    if media.width and media.height and media.width * media.height > MAX_PIXELS:
        raise InvalidRequest(f"{field}: the image has {media.width * media.height} pixels; at most {MAX_PIXELS}")
    return _in_one(call, "images", "image", media, owner)


def _document(call: Call, url: str, owner: str) -> str:
    return _in_one(call, "documents", "document", open_media(call, url, _DOCUMENTS, field="document.url"), owner)


def _in_one(call: Call, collection: str, kind: str, media: Media, owner: str) -> str:
    value = web.act(call, collection, "initializeUpload", {"initializeUploadRequest": {"owner": owner}})
    urn, upload_url = _text(value, kind), _text(value, "uploadUrl")
    _put(call, upload_url, media, 0, media.size)
    return urn


def _video(call: Call, url: str, owner: str) -> str:
    """Bring a video part by part; each part that has arrived is remembered."""
    media = open_media(call, url, _VIDEOS, field="video.url")
    opened = cast("dict[str, Any]", call.step("video", lambda: _announced(call, media, owner)))
    if opened["mark"] != media.mark:
        raise InvalidRequest("video.url: the file was replaced while it was being sent")
    etags = [
        str(call.step(f"video:part:{number}", partial(_put, call, str(one[0]), media, int(one[1]), int(one[2]))))
        for number, one in enumerate(opened["parts"])
    ]
    whole = {"video": opened["urn"], "uploadToken": opened["token"], "uploadedPartIds": etags}
    web.act(call, "videos", "finalizeUpload", {"finalizeUploadRequest": whole})
    return str(opened["urn"])


def _announced(call: Call, media: Media, owner: str) -> JsonValue:
    request = {"owner": owner, "fileSizeBytes": media.size, "uploadCaptions": False, "uploadThumbnail": False}
    value = web.act(call, "videos", "initializeUpload", {"initializeUploadRequest": request})
    token, instructions = value.get("uploadToken"), value.get("uploadInstructions")
    if not isinstance(instructions, list) or not 0 < len(instructions) <= _MOST_PARTS:
        raise Unavailable("LinkedIn did not say where the video's parts go")
    return {
        "urn": _text(value, "video"),
        "token": token if isinstance(token, str) else "",
        "mark": media.mark,
        "parts": _parts(instructions, media.size),
    }


def _parts(instructions: list[Any], size: int) -> JsonValue:
    """Address, first byte and end of each part; together they are the whole file.

    Raises:
        Unavailable: They are not.
    """
    parts: list[JsonValue] = []
    arrived = 0
    for one in instructions:
        first, last = (one.get("firstByte"), one.get("lastByte")) if isinstance(one, dict) else (None, None)
        if first != arrived or not isinstance(last, int) or not arrived <= last < size:
            raise Unavailable("LinkedIn's parts of the video do not fit the file")
        parts.append([_text(one, "uploadUrl"), arrived, last + 1])
        arrived = last + 1
    if arrived != size:
        raise Unavailable("LinkedIn's parts of the video do not fit the file")
    return parts


def _put(call: Call, upload_url: str, media: Media, begin: int, end: int) -> str:
    """Bring some bytes to the address that LinkedIn named; returns its mark of them, which may be empty."""
    headers = {**web.bearer(call), "Content-Type": "application/octet-stream"}
    answer = call.http.request("PUT", upload_url, effect=False, data=media.body(begin, end), headers=headers)
    if answer.status_code not in (200, 201):
        raise web.error(call, answer, effect=False)
    return answer.headers.get("ETag", "")


def _wait_until_ready(call: Call, step: str, path: str, owner: str, timeout_s: float) -> None:
    """Wait until LinkedIn has worked on it, without holding a worker."""
    if call.recall(step) is not None:
        return
    of_member = owner.startswith("urn:li:person:")
    try:
        call.wait_for(
            step, lambda: _is_ready(call, step, path), every_s=15.0 if of_member else 5.0, timeout_s=timeout_s
        )
    except OutcomeUnknown as late:
        # What was not posted yet certainly is not there.
        raise Unavailable(str(late)) from None
    call.step(step, lambda: True)


def _is_ready(call: Call, step: str, path: str) -> bool | None:
    try:
        status = web.get(call, path, needs=("status",))["status"]
    except Permission:
        # Members' media cannot be read by apps: one wait has to do, for want of an answer.
        waited = call.recall(f"unread:{step}")
        call.step(f"unread:{step}", lambda: True)
        return True if waited is not None else None
    if status == "PROCESSING_FAILED":
        raise InvalidRequest("LinkedIn could not process the file")
    return True if status == "AVAILABLE" else None


def _text(value: dict[str, Any], name: str) -> str:
    found = value.get(name)
    if not isinstance(found, str) or not found:
        raise Unavailable(f"LinkedIn's answer to an upload has no {name}")
    return found
