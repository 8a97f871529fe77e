"""How does a large mail reach the sandbox's Gmail? At once, with its metadata, or bit by bit."""

from __future__ import annotations

import json
import re
import secrets
from email import message_from_bytes
from typing import Any

from connectors.sandbox import bodies, google_api
from connectors.sandbox.email_data import brief, fetch
from connectors.sandbox.email_mails import MOST_BYTES, deliver
from connectors.sandbox.platform import Call, Reply

_MAIL = "message/rfc822"
_RANGE = re.compile(r"bytes (?:(\d{1,10})-(\d{1,10})|\*)/(\d{1,10})")


def upload(call: Call) -> Reply:
    """The upload address of messages.send, in any of its three ways."""
    kind = bodies.media_type(call.headers.get("content-type", ""))
    match call.query["uploadType"]:
        case "media" if kind == _MAIL:
            return _sent(call, call.raw_body, None)
        case "multipart" if kind == "multipart/related":
            return _related(call)
        case "resumable" if kind in ("", bodies.JSON):
            return _begun(call)
    raise google_api.refusal(400, f"Unsupported content with type: {kind}", reason="badContent")


def upload_chunk(call: Call) -> Reply:
    """A part of a resumable upload, or the question how much of it has come."""
    row = call.db.execute("SELECT * FROM email_upload WHERE id = ?", (call.query["upload_id"],)).fetchone()
    if row is None:
        raise google_api.not_found()
    if row["message_id"] is not None:
        return Reply(200, brief(fetch(call.db, row["message_id"])))
    span = _RANGE.fullmatch(call.headers.get("content-range", ""))
    if span is None:
        raise google_api.refusal(400, "Failed to parse Content-Range header.")
    content: bytes = row["content"]
    total = int(span[3])
    if span[1] is not None:
        first, last = int(span[1]), int(span[2])
        if first > len(content) or last - first + 1 != len(call.raw_body) or last >= total or total > MOST_BYTES:
            raise google_api.refusal(400, "Invalid request. The Content-Range does not fit the content.")
        content = content[:first] + call.raw_body
        call.db.execute("UPDATE email_upload SET content = ? WHERE id = ?", (content, row["id"]))
    if len(content) < total:
        return Reply(308, None, {"Range": f"bytes=0-{len(content) - 1}"} if content else {})
    sent = deliver(call, content, row["thread_id"])
    call.db.execute("UPDATE email_upload SET message_id = ? WHERE id = ?", (sent["id"], row["id"]))
    return Reply(200, brief(sent))


def _begun(call: Call) -> Reply:
    if call.headers.get("x-upload-content-type", _MAIL) != _MAIL:
        raise google_api.refusal(400, "Media type is not supported. Valid media types: [message/rfc822]")
    if int(call.headers.get("x-upload-content-length", "0")) > MOST_BYTES:
        raise google_api.refusal(413, "Request Too Large", reason="uploadTooLarge", canonical="INVALID_ARGUMENT")
    upload_id = secrets.token_urlsafe(48)
    thread_id = (call.body or {}).get("threadId")
    call.db.execute("INSERT INTO email_upload VALUES (?, NULL, ?, ?, NULL)", (upload_id, thread_id, b""))
    location = f"https://{call.operation.host}{call.raw_path}?uploadType=resumable&upload_id={upload_id}"
    return Reply(200, None, {"Location": location, "X-GUploader-UploadID": upload_id})


def _related(call: Call) -> Reply:
    head = f"Content-Type: {call.headers['content-type']}\r\nMIME-Version: 1.0\r\n\r\n".encode()
    parts: Any = message_from_bytes(head + call.raw_body).get_payload()
    if not isinstance(parts, list) or [one.get_content_type() for one in parts] != [bodies.JSON, _MAIL]:
        raise google_api.refusal(400, "Expected a JSON part and a message/rfc822 part.", reason="badContent")
    try:
        metadata = json.loads(parts[0].get_payload(decode=True))
    except ValueError:
        raise google_api.refusal(400, "Invalid JSON payload received.", reason="parseError") from None
    inside = parts[1].get_payload()
    raw = inside[0].as_bytes() if isinstance(inside, list) else parts[1].get_payload(decode=True)
    return _sent(call, raw, metadata.get("threadId") if isinstance(metadata, dict) else None)


def _sent(call: Call, raw: bytes, thread_id: str | None) -> Reply:
    return Reply(200, brief(deliver(call, raw, thread_id)))
