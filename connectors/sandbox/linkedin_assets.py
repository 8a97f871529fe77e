"""How do images, documents and videos get into LinkedIn? Announced, brought, worked on for a while, usable."""

from __future__ import annotations

import secrets
import sqlite3
from typing import Any

from connectors.sandbox.linkedin_data import AD_ACCOUNT, ORGANIZATION, PERSON, refusal
from connectors.sandbox.platform import Call, Reply

_UPLOAD_LIFE_S = 86_400.0
# Seconds that LinkedIn works on it, on the sandbox's clock.
_WORK_S = {"image": 1.0, "document": 2.0, "video": 3.0}
_PART_BYTES = 4 * 2**20
_OWNERS = (ORGANIZATION, PERSON, f"urn:li:sponsoredAccount:{AD_ACCOUNT}")


def announce_image(call: Call) -> Reply:
    """POST images?action=initializeUpload."""
    return _announce(call, "image")


def announce_document(call: Call) -> Reply:
    """POST documents?action=initializeUpload."""
    return _announce(call, "document")


def _announce(call: Call, kind: str) -> Reply:
    urn = _made(call, kind, call.body["initializeUploadRequest"]["owner"], None)
    expires_at = call.now + _UPLOAD_LIFE_S
    value = {"uploadUrl": _target(call, urn, 0, None), "uploadUrlExpiresAt": int(expires_at * 1000), kind: urn}
    return Reply(200, {"value": value})


def video(call: Call) -> Reply:
    """POST videos: announce one, or say that all of its parts have come."""
    request: dict[str, Any] = call.body
    if set(request) != {f"{call.query['action']}Request"}:
        raise refusal(400, "The body does not fit the action", code="MISSING_FIELD")
    if call.query["action"] == "finalizeUpload":
        return _finish(call, request["finalizeUploadRequest"])
    wanted = request["initializeUploadRequest"]
    size: int = wanted["fileSizeBytes"]
    urn = _made(call, "video", wanted["owner"], size)
    instructions = [
        {
            "uploadUrl": _target(call, urn, number, min(first + _PART_BYTES, size) - first),
            "firstByte": first,
            "lastByte": min(first + _PART_BYTES, size) - 1,
        }
        for number, first in enumerate(range(0, size, _PART_BYTES))
    ]
    value = {
        "video": urn,
        "uploadToken": "",
        "uploadUrlsExpireAt": int((call.now + _UPLOAD_LIFE_S) * 1000),
        "uploadInstructions": instructions,
    }
    return Reply(200, {"value": value})


def _finish(call: Call, wanted: dict[str, Any]) -> Reply:
    rows = call.db.execute("SELECT * FROM linkedin_upload WHERE asset = ? ORDER BY part", (wanted["video"],)).fetchall()
    if not rows or [row["etag"] for row in rows] != wanted["uploadedPartIds"]:
        wrong = ("INVALID_VALUE_FOR_FIELD", "/uploadedPartIds")
        raise refusal(400, "The parts are not those that came", inputs=(wrong,))
    call.db.execute(
        "UPDATE linkedin_asset SET ready_at = ? WHERE urn = ?", (call.now + _WORK_S["video"], wanted["video"])
    )
    return Reply(200, {})


def receive(call: Call) -> Reply:
    """PUT the bytes where they were told to go; only their number is kept."""
    row = call.db.execute("SELECT * FROM linkedin_upload WHERE name = ?", (call.path["upload_path"],)).fetchone()
    if row is None or row["expires_at"] <= call.now:
        raise refusal(403, "The address of the upload is not valid, or not any more")
    if row["length"] is not None and len(call.raw_body) != row["length"]:
        raise refusal(400, "The number of bytes is not the part's")
    etag = f"/ambry-video/signedId/{secrets.token_urlsafe(16)}"
    call.db.execute("UPDATE linkedin_upload SET etag = ? WHERE name = ?", (etag, row["name"]))
    if row["length"] is not None:
        return Reply(200, None, {"ETag": etag})
    kind = row["asset"].split(":")[2]
    # A picture that is none fails while LinkedIn works on it.
    failed = kind == "image" and not call.raw_body.startswith((b"\xff\xd8\xff", b"\x89PNG", b"GIF8"))
    call.db.execute(
        "UPDATE linkedin_asset SET size = ?, ready_at = ?, failed = ? WHERE urn = ?",
        (len(call.raw_body), call.now + _WORK_S[kind], failed, row["asset"]),
    )
    return Reply(201)


def state(call: Call) -> Reply:
    """GET an image, document or video; of members' ones apps learn nothing."""
    row = _find(call.db, next(iter(call.path.values())))
    if row is None:
        raise refusal(404, "Asset is not found", code="NOT_FOUND")
    if row["owner"] == PERSON:
        raise refusal(403, f"Not enough permissions to access: {call.operation.id}", code="ACCESS_DENIED")
    return Reply(200, {"id": row["urn"], "owner": row["owner"], "status": _status(row, call.now)})


def check_usable(call: Call, urn: str, author: str) -> None:
    """A post may only show what its author owns and LinkedIn is done with.

    Raises:
        Refusal: It may not.
    """
    row = _find(call.db, urn)
    if row is None or row["owner"] != author:
        raise refusal(400, "The media is not the author's", inputs=(("INVALID_VALUE_FOR_FIELD", "/content"),))
    if _status(row, call.now) != "AVAILABLE":
        raise refusal(400, "The media is not available", inputs=(("INVALID_CONTENT_STATE", "/content"),))


def _made(call: Call, kind: str, owner: str, size: int | None) -> str:
    if owner not in _OWNERS:
        raise refusal(403, "The owner is nobody whom this token may upload for", code="ACCESS_DENIED")
    urn = f"urn:li:{kind}:C4E{secrets.token_hex(10).upper()}"
    call.db.execute("INSERT INTO linkedin_asset (urn, owner, size) VALUES (?, ?, ?)", (urn, owner, size))
    return urn


def _target(call: Call, urn: str, part: int, length: int | None) -> str:
    name = secrets.token_urlsafe(24)
    call.db.execute(
        "INSERT INTO linkedin_upload VALUES (?, ?, ?, ?, NULL, ?)", (name, urn, part, length, call.now + _UPLOAD_LIFE_S)
    )
    return f"https://www.linkedin.com/dms-uploads/{name}"


def _find(db: sqlite3.Connection, urn: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT * FROM linkedin_asset WHERE urn = ?", (urn,)).fetchone()
    return row


def _status(row: sqlite3.Row, now: float) -> str:
    if row["ready_at"] is None:
        return "WAITING_UPLOAD"
    if now < row["ready_at"]:
        return "PROCESSING"
    return "PROCESSING_FAILED" if row["failed"] else "AVAILABLE"
