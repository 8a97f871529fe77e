"""Files for posts and messages: fetched from their address, brought in parts, ready once X has processed them.

Nobody sees a file that is not posted, and X forgets it after a day: bringing it again only makes another id. So its
parts are steps. The last call makes it usable, and its status tells whether that happened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

from pydantic import Field
from urllib3.filepost import encode_multipart_formdata

from connectors.kit.action import Input, Limit, LookUp, Output, Resend
from connectors.kit.errors import InvalidRequest, Postpone, looking
from connectors.kit.fields import HttpsUrl
from connectors.kit.media import Media, MediaRules, open_media
from connectors.x import web
from connectors.x.platform import X, XId

if TYPE_CHECKING:
    from connectors.kit.action import JsonValue
    from connectors.kit.call import Call

_MB = 2**20
_PART_BYTES = 4 * _MB
_SCOPES = ("media.write",)
_WAIT_S = 600.0
_VIDEO = MediaRules(
    types=("video/mp4", "video/quicktime"), max_bytes=512 * _MB, min_ratio=1 / 3, max_ratio=3.0, min_duration_s=0.5,
    max_duration_s=140.0,
)  # fmt: skip
_RULES = {
    "image": MediaRules(types=("image/jpeg", "image/png", "image/webp"), max_bytes=5 * _MB),
    "gif": MediaRules(types=("image/gif",), max_bytes=15 * _MB),
    "video": _VIDEO,
}
_BEGIN, _FINISH, _READY = "initialize", "finalize", "succeeded"

_MEDIA_URL = Field(
    description="https address: jpeg, png, webp up to 5 MB, gif up to 15 MB, mp4 or mov up to 512 MB and 140 s."
)


class UploadMedia(Input):
    """A file for a post or a direct message, by its address."""

    url: HttpsUrl = _MEDIA_URL
    purpose: Literal["tweet", "dm"] = Field(default="tweet", description="A post or a direct message.")
    kind: Literal["image", "gif", "video"] = Field(default="image", description="What it is.")
    alt_text: str | None = Field(
        default=None, min_length=1, max_length=1000, description="What it shows, for those who cannot see it."
    )


class UploadedMedia(Output):
    """A file that can be posted."""

    media_id: str = Field(description="For postTweet or sendDirectMessage, within a day.")
    state: str = Field(description="succeeded; X may show pending or in_progress before.")

    def provider_id(self) -> str:
        """The file's id."""
        return self.media_id


def _find(call: Call, data: UploadMedia) -> UploadedMedia | None:
    """The file, if its parts were put together; until then X does not know its size."""
    begun = call.recall(_BEGIN)
    if begun is None:
        return None
    media_id = str(cast("dict[str, JsonValue]", begun)["media_id"])
    with looking():
        found = _status(call, media_id)
    return _uploaded(found) if found.get("size") or found.get("processing_info") else None


@X.action(
    "uploadMedia",
    UploadMedia,
    UploadedMedia,
    repeat=LookUp(_find, settle_after_s=10.0),
    why="The file's own status tells whether it was put together; nobody sees it before it is posted.",
    multi_step=True,
    pace=(Limit(1875, per_s=900, of="action"),),
    scopes=_SCOPES,
    limits=("images 5 MB, gifs 15 MB, videos 512 MB and 140 s", "an id is good for 24 hours"),
)
def upload_media(call: Call, data: UploadMedia) -> UploadedMedia:
    """Bring a file to X and wait until it can be posted."""
    begun = cast("dict[str, JsonValue]", call.step(_BEGIN, lambda: _begin(call, data)))
    media_id = str(begun["media_id"])
    _bring(call, data, media_id, mark=str(begun["mark"]), parts=int(str(begun["parts"])))
    made = UploadedMedia.model_validate(call.effect(_FINISH, lambda: _finish(call, media_id)))
    if data.alt_text is not None:
        text = data.alt_text
        call.step("alt_text", lambda: _describe(call, media_id, text))
    return made if made.state == _READY else _processed(call, media_id)


def _open(call: Call, data: UploadMedia) -> Media:
    return open_media(call, data.url, _RULES[data.kind], field="url")


def _begin(call: Call, data: UploadMedia) -> JsonValue:
    media = _open(call, data)
    body = {
        "media_type": media.media_type,
        "total_bytes": media.size,
        "media_category": f"{data.purpose}_{data.kind}",
    }
    begun = web.post(call, "/2/media/upload/initialize", body, effect=False)
    with web.reading():
        return {
            "media_id": str(begun["data"]["id"]),
            "mark": media.mark,
            "parts": -(-media.size // _PART_BYTES),
        }


def _bring(call: Call, data: UploadMedia, media_id: str, *, mark: str, parts: int) -> None:
    """Bring the parts that X does not have yet; it takes a part again without harm."""
    first = next((part for part in range(parts) if call.recall(_part(part)) is None), parts)
    if first == parts:
        return
    media = _open(call, data)
    if media.mark != mark:
        raise InvalidRequest("url: the file is another one than when the upload began")
    for offset, piece in media.pieces(first * _PART_BYTES, piece_bytes=_PART_BYTES):
        _bring_one(call, media_id, offset // _PART_BYTES, piece)


def _bring_one(call: Call, media_id: str, part: int, piece: bytes) -> None:
    content = encode_multipart_formdata(
        {"segment_index": str(part), "media": ("part", piece, "application/octet-stream")}
    )

    def send() -> JsonValue:
        web.post(call, f"/2/media/upload/{media_id}/append", effect=False, content=content, needs=())
        return True

    call.step(_part(part), send)


def _part(number: int) -> str:
    return f"append:{number}"


def _finish(call: Call, media_id: str) -> JsonValue:
    found = web.post(call, f"/2/media/upload/{media_id}/finalize", effect=True)
    with web.reading(effect=True):
        return cast("JsonValue", _uploaded(found["data"]).model_dump(mode="json"))


def _processed(call: Call, media_id: str) -> UploadedMedia:
    """Wait until X has processed the file, asking as often as X says."""
    after_s = 5.0

    def check() -> UploadedMedia | None:
        nonlocal after_s
        found = _status(call, media_id)
        with web.reading():
            made, info = _uploaded(found), found.get("processing_info") or {}
            after_s = min(max(float(info.get("check_after_secs") or after_s), 1.0), 60.0)
        if made.state == "failed":
            raise InvalidRequest("url: X could not process the file; look at its format and its length")
        return made if made.state == _READY else None

    try:
        return call.wait_for("processed", check, timeout_s=_WAIT_S)
    except Postpone as wait:
        raise Postpone(after_s, wait.reason) from None


def _status(call: Call, media_id: str) -> dict[str, Any]:
    found = web.get(call, "/2/media/upload", params={"media_id": media_id, "command": "STATUS"})
    with web.reading():
        checked: dict[str, Any] = found["data"]
        return {**checked, "id": str(checked["id"])}


def _uploaded(found: dict[str, Any]) -> UploadedMedia:
    info = found.get("processing_info")
    return UploadedMedia(media_id=str(found["id"]), state=str(info["state"]) if info else _READY)


class SetMediaMetadata(Input):
    """What a file shows, for those who cannot see it."""

    media_id: XId = Field(description="The file, as uploadMedia gave it.")
    alt_text: str = Field(min_length=1, max_length=1000, description="At most 1,000 characters.")


class Described(Output):
    """A file with its description."""

    media_id: str


@X.action(
    "setMediaMetadata",
    SetMediaMetadata,
    Described,
    repeat=Resend(),
    why="It sets a value: twice is the same as once.",
    pace=(Limit(500, per_s=900, of="action"),),
    scopes=_SCOPES,
    cost="0.005 USD",
)
def set_media_metadata(call: Call, data: SetMediaMetadata) -> Described:
    """Describe a file, before it is posted."""
    web.post(call, "/2/media/metadata", _metadata(data.media_id, data.alt_text), effect=True)
    return Described(media_id=data.media_id)


def _describe(call: Call, media_id: str, text: str) -> JsonValue:
    web.post(call, "/2/media/metadata", _metadata(media_id, text), effect=False)
    return True


def _metadata(media_id: str, text: str) -> dict[str, Any]:
    return {"id": media_id, "metadata": {"alt_text": {"text": text}}}
