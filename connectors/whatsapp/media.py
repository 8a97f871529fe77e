"""Files for messages: brought once, sent as often as wanted for thirty days."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from urllib3.filepost import encode_multipart_formdata

from connectors.dialects.meta_graph import NodeId
from connectors.kit.action import Input, JsonValue, Output, Resend
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, NotFound, Unavailable
from connectors.kit.fields import HttpsUrl
from connectors.kit.media import Media, MediaRules, open_media
from connectors.whatsapp import cloud
from connectors.whatsapp.platform import WHATSAPP, sender
from connectors.whatsapp.status import Done

_MB = 2**20
_RULES = {
    "image": MediaRules(types=("image/jpeg", "image/png"), max_bytes=5 * _MB),
    "video": MediaRules(types=("video/mp4", "video/3gpp"), max_bytes=16 * _MB),
    "audio": MediaRules(types=("audio/*",), max_bytes=16 * _MB),
    "sticker": MediaRules(types=("image/webp",), max_bytes=500 * 2**10),
}
# Whole files are held in memory while they are sent; larger documents go by link.
_DOCUMENT = MediaRules(types=("application/*", "text/plain"), max_bytes=32 * _MB)


class UploadMedia(Input):
    """A file for messages, by its address."""

    url: HttpsUrl = Field(
        description="https address: jpeg or png up to 5 MB, webp up to 500 KB, mp4, 3gp and audio up to 16 MB, "
        "documents up to 32 MB."
    )


class UploadedMedia(Output):
    """A file that can be sent."""

    media_id: str = Field(description="For sendMedia, within 30 days.")
    media_type: str = Field(description="By its own bytes, such as image/jpeg.")

    def provider_id(self) -> str:
        """The file's id."""
        return self.media_id


@WHATSAPP.action(
    "uploadMedia",
    UploadMedia,
    UploadedMedia,
    repeat=Resend(),
    why="Nobody sees a file that is not sent, and WhatsApp forgets it after 30 days: a repeat only makes another id.",
    multi_step=True,
    scopes=("whatsapp_business_messaging",),
    limits=("images 5 MB, stickers 500 KB, videos and audio 16 MB, documents 32 MB", "an id is good for 30 days"),
)
def upload_media(call: Call, data: UploadMedia) -> UploadedMedia:
    """Bring a file to WhatsApp."""
    media = _open(call, data.url)
    content, content_type = encode_multipart_formdata(
        {
            "messaging_product": "whatsapp",
            "type": media.media_type,
            "file": (media.name, media.read_all(media.size), media.media_type),
        }
    )

    def bring() -> JsonValue:
        found = cloud.graph(call).upload(f"{sender(call)}/media", content, content_type, needs=("id",))
        return {"media_id": str(found["id"]), "media_type": media.media_type}

    # Fetched before the effect: a permit to send is good for a moment only.
    return UploadedMedia.model_validate(call.effect("bring", bring))


def _open(call: Call, url: str) -> Media:
    """The file, checked by the rules of its own kind."""
    media = open_media(call, url, MediaRules(types=("*/*",), max_bytes=_DOCUMENT.max_bytes), field="url")
    kind = "sticker" if media.media_type == "image/webp" else media.media_type.partition("/")[0]
    rules = _RULES.get(kind, _DOCUMENT)
    if media.media_type == "application/octet-stream":
        raise InvalidRequest("url: the file is of no kind that WhatsApp takes, or of none that is known here")
    rules.check(media, field="url")
    return media


class MediaRef(Input):
    """A file by its id."""

    media_id: NodeId = Field(description="As uploadMedia gave it, or a webhook of a message that came in.")


class MediaInfo(Output):
    """A file at WhatsApp."""

    media_id: str
    url: str = Field(repr=False, description="Good for 5 minutes, and only with the connection's token.")
    media_type: str
    size: int = Field(description="Bytes.")
    sha256: str | None = None


@WHATSAPP.read("getMedia", MediaRef, MediaInfo, scopes=("whatsapp_business_messaging",))
def get_media(call: Call, data: MediaRef) -> MediaInfo:
    """Tell where a file can be fetched for the next five minutes."""
    found: dict[str, Any] = cloud.graph(call).get(data.media_id, needs=("id", "url"))
    try:
        return MediaInfo(
            media_id=found["id"],
            url=found["url"],
            media_type=found["mime_type"],
            size=found["file_size"],
            sha256=found.get("sha256"),
        )
    except (KeyError, ValueError):
        raise Unavailable("media: Meta's answer is not readable", http_status=200) from None


@WHATSAPP.action(
    "deleteMedia",
    MediaRef,
    Done,
    repeat=Resend(),
    why="Deleting twice is the same as once.",
    scopes=("whatsapp_business_messaging",),
)
def delete_media(call: Call, data: MediaRef) -> Done:
    """Delete a file; messages that hold it keep it."""
    try:
        cloud.graph(call).delete(data.media_id)
    except NotFound:
        # An earlier attempt may have deleted it; what was never there is an error.
        if call.first_sent_at is None:
            raise
    return Done()
