"""How does a video get in? A session is opened, bytes come in pieces, and the last one makes the video."""

from __future__ import annotations

import json
import re
import sqlite3
import zlib
from urllib.parse import urlencode

from connectors.sandbox import google_api
from connectors.sandbox.platform import Call, Refusal, Reply
from connectors.sandbox.youtube_checks import check
from connectors.sandbox.youtube_data import insert_video, new_id, refusal, shown, video_row

_SESSION_LIVES_S = 7 * 86_400.0
_MULTIPLE = 262_144
_MAX_BYTES = 274_877_906_944
_MAX_THUMBNAIL = 52_428_800
_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+)")
_TAG = re.compile(r"nh-[0-9a-f]+")
_UPLOAD = "https://youtube.googleapis.com/upload/youtube/v3/videos"


def open_session(call: Call) -> Reply:
    """Nothing is visible yet; the Location is where the bytes go."""
    parts: list[str] = call.query["part"]
    check(call.body, parts, now=call.now)
    size = int(call.headers["x-upload-content-length"])
    if not 0 < size <= _MAX_BYTES:
        raise refusal(400, "invalidVideoMetadata", location="X-Upload-Content-Length")
    session = f"AFsandbox{new_id(40)}"
    call.db.execute(
        "INSERT INTO youtube_session (id, account, resource, size, opened_at) VALUES (?, ?, ?, ?, ?)",
        (session, call.principal.account, json.dumps({**call.body, "parts": parts}), size, call.now),
    )
    query = urlencode({"uploadType": "resumable", "part": ",".join(parts), "upload_id": session})
    return Reply(200, None, {"Location": f"{_UPLOAD}?{query}", "X-GUploader-UploadID": session})


def receive(call: Call) -> Reply:
    """A piece, the whole file, or the question how much has arrived."""
    session = _session(call)
    content = call.body or b""
    first, end, total = _range(call, len(content), session["size"])
    if session["video"] is not None:
        return _complete(call, session["video"], 200)
    if first is None:
        return _incomplete(session["stored"])
    if total != session["size"] or first != session["stored"] or end - first != len(content):
        raise google_api.refusal(400, "The range does not go on where the upload has arrived.", reason="badRequest")
    if end < total and len(content) % _MULTIPLE:
        raise google_api.refusal(400, f"A piece must be a multiple of {_MULTIPLE} bytes.", reason="badRequest")
    call.db.execute(
        "UPDATE youtube_session SET stored = ?, received = received + ?, crc = ?, head = ? WHERE id = ?",
        (end, len(content), zlib.crc32(content, session["crc"]), session["head"] or content[:16], session["id"]),
    )
    if end < total:
        return _incomplete(end)
    made = insert_video(call.db, dict(_session(call)), now=call.now, visible_at=call.visible_at)
    call.db.execute("UPDATE youtube_session SET video = ? WHERE id = ?", (made, session["id"]))
    snippet = json.loads(session["resource"])["snippet"]
    key = next((tag for tag in snippet.get("tags", []) if _TAG.fullmatch(tag)), None)
    call.effect("uploadVideo", made, key=key, text=snippet["title"])
    return _complete(call, made, 201)


def set_thumbnail(call: Call) -> Reply:
    """The picture that stands for a video."""
    row = video_row(call, call.query["videoId"])
    content: bytes = call.body or b""
    if call.query["uploadType"] != "media" or not content.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
        raise refusal(400, "invalidImage", domain="youtube.thumbnail", location="media_body")
    if len(content) > _MAX_THUMBNAIL:
        raise refusal(400, "mediaBodyTooLarge", domain="youtube.thumbnail", location="media_body")
    call.db.execute("UPDATE youtube_video SET thumbnail = thumbnail + 1 WHERE id = ?", (row["id"],))
    call.effect("setThumbnail", row["id"])
    picture = {"url": f"https://i.ytimg.com/vi/{row['id']}/default.jpg", "width": 120, "height": 90}
    return Reply(200, {"kind": "youtube#thumbnailSetResponse", "etag": new_id(27), "items": [{"default": picture}]})


def _session(call: Call) -> sqlite3.Row:
    row: sqlite3.Row | None = call.db.execute(
        "SELECT * FROM youtube_session WHERE id = ? AND account = ?", (call.query["upload_id"], call.principal.account)
    ).fetchone()
    if row is None or call.now > row["opened_at"] + _SESSION_LIVES_S:
        raise Refusal(google_api.page(404))
    return row


def _range(call: Call, length: int, size: int) -> tuple[int | None, int, int]:
    """First byte, the one behind the last, and how many there will be; no first byte in a question."""
    found = _RANGE.fullmatch(call.headers.get("content-range", f"bytes 0-{size - 1}/{size}"))
    assert found is not None
    if found[1] is None:
        if length:
            raise google_api.refusal(400, "A question has no body.", reason="badRequest")
        return None, 0, int(found[3])
    return int(found[1]), int(found[2]) + 1, int(found[3])


def _incomplete(stored: int) -> Reply:
    return Reply(308, None, {"Range": f"bytes=0-{stored - 1}"} if stored else {})


def _complete(call: Call, video_id: str, code: int) -> Reply:
    row = call.db.execute("SELECT * FROM youtube_video WHERE id = ?", (video_id,)).fetchone()
    if row is None:
        raise Refusal(google_api.page(404))
    parts = json.loads(row["resource"])["parts"]
    return Reply(code, shown(row, parts, now=call.now))
