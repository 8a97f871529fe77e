"""Videos and images for ads: TikTok loads them from their addresses, and works on videos before ads may show them."""

from __future__ import annotations

from typing import Annotated, Any, cast

from pydantic import Field, StringConstraints

from connectors.kit.action import Input, JsonValue, LookUp, Output
from connectors.kit.call import Call
from connectors.kit.errors import NotFound, OutcomeUnknown, Unavailable, looking
from connectors.kit.fields import HttpsUrl
from connectors.tiktok import web
from connectors.tiktok.creatives import FileId
from connectors.tiktok.platform import CREATIVES, LIMITS, PACE, SETTLE_AFTER_S, TIKTOK, number, said

_WHY = "TikTok takes no idempotency key; the file's name carries the run's mark and is looked for in the library."
_UPLOAD, _EVERY_S, _LONGEST_S = "upload", 10.0, 1800.0
_STILL_WORKED_ON = "40901"
# The library's search takes no more rows at once.
_PAGE = 100

FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,50}$")]
NAME = Field(default="file", description="Name in TikTok's library: letters, digits, . _ -; the run's mark is added.")


class UploadVideo(Input):
    """A video for ads."""

    video_url: HttpsUrl = Field(description="Public https address of an MP4, MOV, MPEG, 3GP or AVI.")
    name: FileName = NAME


class UploadImage(Input):
    """An image for ads, or the cover of a video."""

    image_url: HttpsUrl = Field(description="Public https address of a JPEG or PNG.")
    name: FileName = NAME


class VideoRef(Input):
    """Which video."""

    video_id: FileId = Field(description="As uploadVideo gave it.")


class Uploaded(Output):
    """A file in TikTok's library."""

    file_id: str = Field(description="Its id: video_id or one of image_ids of an ad.")
    file_name: str = Field(description="As it is at TikTok: with the run's mark.")

    def provider_id(self) -> str:
        """Its id."""
        return self.file_id


class Video(Output):
    """A video in TikTok's library."""

    video_id: str
    ready: bool = Field(description="Whether ads may show it.")
    file_name: str | None = None
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None

    def provider_id(self) -> str:
        """Its id."""
        return self.video_id


def _named(call: Call, name: str) -> str:
    return f"{name}-{web.mark(call)}"


def _finder(path: str, id_field: str) -> LookUp[Any, Uploaded]:
    def find(call: Call, data: Any) -> Uploaded | None:
        name = _named(call, data.name)
        with looking():
            shown = [row for row in web.listed(call, path, page_size=_PAGE) if row.get("file_name") == name]
        if len(shown) > 1:
            raise OutcomeUnknown(f"ambiguous: {len(shown)} files carry this run's mark")
        return Uploaded(file_id=web.made_id(shown[0], id_field), file_name=name) if shown else None

    return LookUp(find, settle_after_s=SETTLE_AFTER_S)


def _upload(call: Call, kind: str, url: str, name: str) -> Uploaded:
    fields = {"upload_type": "UPLOAD_BY_URL", f"{kind}_url": url, "file_name": name}
    found = web.post_form(call, f"file/{kind}/ad/upload", fields)
    # Of a video TikTok answers with a list, of an image with an object.
    first = found[0] if isinstance(found, list) and found else found
    return Uploaded(file_id=web.made_id(first if isinstance(first, dict) else {}, f"{kind}_id"), file_name=name)


@TIKTOK.action(
    "uploadVideo",
    UploadVideo,
    Uploaded,
    repeat=_finder("file/video/ad/search", "video_id"),
    why=_WHY,
    multi_step=True,
    pace=PACE,
    scopes=CREATIVES,
    limits=(*LIMITS, "TikTok loads the file itself, and works on it for some minutes"),
)
def upload_video(call: Call, data: UploadVideo) -> Uploaded:
    """Bring a video into TikTok's library, and wait until ads may show it."""
    name = _named(call, data.name)

    def send() -> JsonValue:
        return cast("JsonValue", _upload(call, "video", data.video_url, name).model_dump(mode="json"))

    made = Uploaded.model_validate(call.effect(_UPLOAD, send))
    call.wait_for(
        "ready", lambda: True if _read(call, made.file_id).ready else None, every_s=_EVERY_S, timeout_s=_LONGEST_S
    )
    return made


@TIKTOK.action(
    "uploadImage",
    UploadImage,
    Uploaded,
    repeat=_finder("file/image/ad/search", "image_id"),
    why=_WHY,
    pace=PACE,
    scopes=CREATIVES,
    limits=(*LIMITS, "TikTok loads the file itself"),
)
def upload_image(call: Call, data: UploadImage) -> Uploaded:
    """Bring an image into TikTok's library."""
    return _upload(call, "image", data.image_url, _named(call, data.name))


@TIKTOK.read("getVideo", VideoRef, Video, pace=PACE, scopes=CREATIVES, limits=LIMITS)
def get_video(call: Call, data: VideoRef) -> Video:
    """Fetch a video of TikTok's library, and whether ads may show it yet."""
    return _read(call, data.video_id)


def _read(call: Call, video_id: str) -> Video:
    try:
        found = web.get(call, "file/video/ad/info", advertiser_id=web.advertiser(call), video_ids=[video_id])
    except Unavailable as refused:
        if refused.code != _STILL_WORKED_ON:
            raise
        return Video(video_id=video_id, ready=False)
    for row in web.rows(found, "file/video/ad/info"):
        if row.get("video_id") == video_id:
            return _video(video_id, row)
    raise NotFound("video_id: TikTok's library shows no such video")


def _video(video_id: str, row: dict[str, Any]) -> Video:
    width, height = number(row.get("width")), number(row.get("height"))
    return Video(
        video_id=video_id,
        ready=True,
        file_name=said(row.get("file_name")),
        width=None if width is None else int(width),
        height=None if height is None else int(height),
        duration_s=number(row.get("duration")),
    )
