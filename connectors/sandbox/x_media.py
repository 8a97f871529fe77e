"""How does a file get into X? Announced, brought in parts, put together, and processed if it moves."""

from __future__ import annotations

import secrets
import sqlite3
from typing import Any

from connectors.sandbox.platform import Call, Refusal, Reply
from connectors.sandbox.x_data import forbidden, invalid, not_found, ok

# Videos and animated pictures are worked on for a moment.
_PROCESSED_AFTER_S, _CHECK_AFTER_S = 1.5, 1
_LIVES_S = 86_400.0
_LARGEST = {"image": 5 * 2**20, "gif": 15 * 2**20, "video": 512 * 2**20}
_LARGEST_PART = 5 * 2**20


def begin(call: Call) -> Reply:
    """POST /2/media/upload/initialize."""
    given: dict[str, Any] = call.body
    missing = [name for name in ("media_type", "total_bytes", "media_category") if name not in given]
    if missing:
        raise Refusal(invalid(**{missing[0]: "is required"}))
    kind = given["media_category"].rpartition("_")[2]
    if given["total_bytes"] > _LARGEST.get(kind, _LARGEST["video"]):
        raise Refusal(invalid(total_bytes="is too large for the media_category"))
    if not given["media_type"].startswith("video/" if kind == "video" else "image/"):
        raise Refusal(invalid(media_type="does not fit the media_category"))
    key = _insert(call, given["media_category"], given["total_bytes"])
    return ok(call, {"data": {"id": key, "media_key": f"3_{key}", "expires_after_secs": int(_LIVES_S)}})


def append(call: Call) -> Reply:
    """POST /2/media/upload/{id}/append: a part again replaces itself."""
    row = _row(call, call.path["id"])
    part: Any = call.body["media"]
    size = len(part) if isinstance(part, bytes) else len(part) * 3 // 4
    if not 0 < size <= _LARGEST_PART:
        raise Refusal(invalid(media="must have 1 byte to 5 MB"))
    if row["ready_at"] is not None:
        raise Refusal(invalid(id="is finalized already"))
    call.db.execute(
        "INSERT OR REPLACE INTO x_media_part VALUES (?, ?, ?)", (row["id"], call.body["segment_index"], size)
    )
    return ok(call, {"data": {"expires_at": int(row["expires_at"])}})


def finish(call: Call) -> Reply:
    """POST /2/media/upload/{id}/finalize: once, when all parts are there."""
    row = _row(call, call.path["id"])
    parts = call.db.execute(
        "SELECT part, size FROM x_media_part WHERE media = ? ORDER BY part", (row["id"],)
    ).fetchall()
    whole = [part["part"] for part in parts] == [*range(len(parts))]
    if not whole or sum(part["size"] for part in parts) != row["total"]:
        raise Refusal(invalid(id="is not complete: segments are missing"))
    if row["ready_at"] is not None:
        raise Refusal(invalid(id="is finalized already"))
    still = row["category"].endswith("_image")
    ready_at = call.now + (0.0 if still else _PROCESSED_AFTER_S)
    call.db.execute("UPDATE x_media SET ready_at = ? WHERE id = ?", (ready_at, row["id"]))
    call.effect("uploadMedia", row["id"])
    return ok(call, {"data": _shown(call, _row(call, row["id"]), was="pending")})


def status(call: Call) -> Reply:
    """GET /2/media/upload: before it is put together, only the id is told."""
    return ok(call, {"data": _shown(call, _row(call, call.query["media_id"]), was="in_progress")})


def simple(call: Call) -> Reply:
    """POST /2/media/upload: a picture in one request."""
    part: Any = call.body["media"]
    size = len(part) if isinstance(part, bytes) else len(part) * 3 // 4
    kind = call.body["media_category"].rpartition("_")[2]
    if size > _LARGEST.get(kind, 0) or kind == "video":
        raise Refusal(invalid(media="is too large or no picture"))
    key = _insert(call, call.body["media_category"], size, ready_at=call.now)
    call.effect("uploadMedia", key)
    return ok(call, {"data": _shown(call, _row(call, key), was="pending")})


def describe(call: Call) -> Reply:
    """POST /2/media/metadata."""
    row = _row(call, call.body["id"])
    alt_text = call.body.get("metadata", {}).get("alt_text", {}).get("text")
    call.db.execute("UPDATE x_media SET alt_text = ? WHERE id = ?", (alt_text, row["id"]))
    call.effect("setMediaMetadata", row["id"], text=alt_text)
    return ok(call, {"data": {"id": row["id"], "associated_metadata": {"alt_text": {"text": alt_text}}}})


def check_usable(call: Call, keys: list[str]) -> None:
    """Files that a post may hold: ready, not too old, and one only if it moves.

    Raises:
        Refusal: One is not.
    """
    rows = [_find(call, key) for key in keys]
    if any(row is None or row["ready_at"] is None or row["ready_at"] > call.now for row in rows):
        raise Refusal(invalid(media__media_ids="Your media IDs are invalid."))
    if len(rows) > 1 and any(row is not None and not row["category"].endswith("_image") for row in rows):
        raise forbidden("A Tweet may hold four photos, one GIF or one video.")


def _insert(call: Call, category: str, total: int, *, ready_at: float | None = None) -> str:
    key = str(secrets.randbelow(9 * 10**18) + 10**18)[:19]
    call.db.execute(
        "INSERT INTO x_media VALUES (?, ?, ?, ?, ?, NULL)", (key, category, total, ready_at, call.now + _LIVES_S)
    )
    return key


def _find(call: Call, key: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = call.db.execute(
        "SELECT * FROM x_media WHERE id = ? AND expires_at > ?", (key, call.now)
    ).fetchone()
    return row


def _row(call: Call, key: str) -> sqlite3.Row:
    row = _find(call, key)
    if row is None:
        raise not_found("media", key)
    return row


def _shown(call: Call, row: sqlite3.Row, *, was: str) -> dict[str, Any]:
    told = {"id": row["id"], "media_key": f"3_{row['id']}", "expires_after_secs": int(row["expires_at"] - call.now)}
    if row["ready_at"] is None:
        return told
    told["size"] = row["total"]
    if row["category"].endswith("_image"):
        return told
    done = row["ready_at"] <= call.now
    info = (
        {"state": "succeeded", "progress_percent": 100} if done else {"state": was, "check_after_secs": _CHECK_AFTER_S}
    )
    return {**told, "processing_info": info}
