"""Files: brought in two harmless requests, shared by a third, which happens once.

Slack shares a file some time after it said ok, and may fail silently; so the file itself is asked until it is shared.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, cast

from pydantic import Field, model_validator

from connectors.kit.action import Input, JsonValue, LookUp, Output
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, looking
from connectors.kit.fields import HttpsUrl
from connectors.kit.media import MediaBody, MediaRules, open_media
from connectors.slack import web
from connectors.slack.platform import IN_CHANNEL, SLACK, THREAD, ChannelId, Timestamp

MAX_BYTES = 5 * 1024 * 1024
"""Largest content of an input; bigger files are named by their address."""

MAX_MEDIA_BYTES = 1024**3
"""Slack takes a gigabyte in one request; an upload that breaks off begins again."""

_RULES = MediaRules(types=("*/*",), max_bytes=MAX_MEDIA_BYTES)
_UPLOADED_S = 60.0

_MAX_BASE64 = 4 * (-(-MAX_BYTES // 3))
_UPLOAD, _COMPLETE = "upload", "complete"


class UploadFile(Input):
    """A file for a channel or thread: at most 5 MB as a text or in base64, or 1 GB by its address."""

    channel: ChannelId = IN_CHANNEL
    filename: str = Field(min_length=1, max_length=255, pattern=r"^[^/\\\x00-\x1f]+$", description="Name with ending.")
    text: str | None = Field(default=None, min_length=1, max_length=MAX_BYTES, description="Content, kept as UTF-8.")
    content_base64: str | None = Field(
        default=None,
        min_length=4,
        max_length=_MAX_BASE64,
        repr=False,
        description="Content in base64, instead of text.",
    )
    media_url: HttpsUrl | None = Field(
        default=None, description="Address of the content, instead of text; at most 1 GB, read while it is sent."
    )
    title: str | None = Field(
        default=None, min_length=1, max_length=255, description="Shown above it; its name if left out."
    )
    initial_comment: str | None = Field(
        default=None, min_length=1, max_length=4000, description="Message that comes with it."
    )
    thread_ts: Timestamp | None = THREAD

    @model_validator(mode="after")
    def _has_one_content(self) -> UploadFile:
        given = [self.text, self.content_base64, self.media_url]
        if sum(one is not None for one in given) != 1:
            raise ValueError("one of text, content_base64 and media_url is needed, and no other")
        if len(self.content()) > MAX_BYTES:
            raise ValueError(f"text and content_base64 may hold at most {MAX_BYTES} bytes")
        return self

    def content(self) -> bytes:
        """The file's bytes, as far as the input holds them.

        Raises:
            ValueError: ``content_base64`` is no base64.
        """
        if self.text is not None:
            return self.text.encode()
        try:
            return base64.b64decode(self.content_base64 or "", validate=True)
        except binascii.Error:
            raise ValueError("content_base64 must be base64 with padding, without line breaks") from None


class SharedFile(Output):
    """A file that people in the channel can see."""

    file_id: str
    channel: str
    ts: str | None = Field(default=None, description="The message that shares it.")

    def provider_id(self) -> str:
        """The file's id."""
        return self.file_id


def _find_shared(call: Call, data: UploadFile) -> SharedFile | None:
    """The file, if it is shared into the channel."""
    uploaded = call.recall(_UPLOAD)
    if uploaded is None:
        return None
    file_id = str(cast("dict[str, JsonValue]", uploaded)["file_id"])
    with looking():
        found = web.get(call, "files.info", needs=("file",), file=file_id)["file"]
    shares: dict[str, dict[str, Any]] = found.get("shares") or {}
    for channels in shares.values():
        if data.channel in channels:
            messages = channels[data.channel] or [{}]
            return SharedFile(file_id=file_id, channel=data.channel, ts=messages[0].get("ts"))
    listed = [*found.get("channels", ()), *found.get("groups", ()), *found.get("ims", ())]
    return SharedFile(file_id=file_id, channel=data.channel) if data.channel in listed else None


@SLACK.action(
    "uploadFile",
    UploadFile,
    SharedFile,
    repeat=LookUp(_find_shared, settle_after_s=60.0),
    why="The file itself tells where it is shared; Slack shares it within seconds after it said ok.",
    multi_step=True,
    scopes=("files:write", "files:read"),
    limits=("5 MB in the input, 1 GB by address", "100 requests/min for each of its steps"),
)
def upload_file(call: Call, data: UploadFile) -> SharedFile:
    """Upload a file and share it in a channel or thread."""
    uploaded = cast("dict[str, JsonValue]", call.step(_UPLOAD, lambda: _upload(call, data)))
    call.effect(_COMPLETE, lambda: _complete(call, data, str(uploaded["file_id"])))
    return call.wait_for("shared", lambda: _find_shared(call, data), every_s=2.0, timeout_s=120.0)


def _upload(call: Call, data: UploadFile) -> JsonValue:
    """Bring the bytes; a file that is never completed stays private and out of sight, so a repeat does no harm."""
    if data.media_url is not None:
        media = open_media(call, data.media_url, _RULES, field="media_url")
        return _bring(call, data.filename, media.size, media.body())
    try:
        content = data.content()
    except ValueError as error:
        raise InvalidRequest(str(error)) from None
    return _bring(call, data.filename, len(content), content)


def _bring(call: Call, filename: str, length: int, content: bytes | MediaBody) -> JsonValue:
    # Without alt_txt: with it Slack says ok and does not share the file (python-slack-sdk issue 1818).
    arguments = {"filename": filename, "length": length}
    ticket = web.post_form(call, "files.getUploadURLExternal", arguments, effect=False, needs=("upload_url", "file_id"))
    web.put_bytes(call, ticket["upload_url"], content, read_s=None if isinstance(content, bytes) else _UPLOADED_S)
    return {"file_id": str(ticket["file_id"])}


def _complete(call: Call, data: UploadFile, file_id: str) -> JsonValue:
    arguments = {
        "files": [{"id": file_id, "title": data.title or data.filename}],
        "channel_id": data.channel,
        "thread_ts": data.thread_ts,
        "initial_comment": data.initial_comment,
    }
    web.post(call, "files.completeUploadExternal", arguments, effect=True)
    return cast("JsonValue", SharedFile(file_id=file_id, channel=data.channel).model_dump(mode="json"))
