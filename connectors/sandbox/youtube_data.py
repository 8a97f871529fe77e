"""What does the sandbox's YouTube remember, and how does it show it?"""

from __future__ import annotations

import json
import secrets
import sqlite3
import string
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.sandbox import google_api, google_tokens
from connectors.sandbox.platform import Call, Refusal

CHANNEL, UPLOADS, PLAYLIST = "UCsandboxSpringLaunch01A", "UUsandboxSpringLaunch01A", "PLsandboxSpringLaunch01A"
PROCESSED_AFTER_S = 2.0
CATEGORIES = {
    "1": ("Film & Animation", True),
    "2": ("Autos & Vehicles", True),
    "10": ("Music", True),
    "15": ("Pets & Animals", True),
    "17": ("Sports", True),
    "19": ("Travel & Events", True),
    "20": ("Gaming", True),
    "22": ("People & Blogs", True),
    "23": ("Comedy", True),
    "24": ("Entertainment", True),
    "25": ("News & Politics", True),
    "26": ("Howto & Style", True),
    "27": ("Education", True),
    "28": ("Science & Technology", True),
    "30": ("Movies", False),
}

TABLES = (
    google_tokens.TABLES
    + """
CREATE TABLE IF NOT EXISTS youtube_session (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    resource TEXT NOT NULL,
    size INTEGER NOT NULL,
    stored INTEGER NOT NULL DEFAULT 0,
    received INTEGER NOT NULL DEFAULT 0,
    crc INTEGER NOT NULL DEFAULT 0,
    head BLOB NOT NULL DEFAULT x'',
    opened_at REAL NOT NULL,
    video TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS youtube_video (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    resource TEXT NOT NULL,
    size INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    problem TEXT,
    uploaded_at REAL NOT NULL,
    visible_at REAL NOT NULL,
    thumbnail INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS youtube_item (
    id TEXT PRIMARY KEY,
    playlist TEXT NOT NULL,
    video TEXT NOT NULL,
    position INTEGER NOT NULL,
    added_at REAL NOT NULL,
    visible_at REAL NOT NULL
) WITHOUT ROWID;
"""
)

# What counts as given where a request leaves it out; so a PUT resets what it does not repeat.
STATUS_DEFAULTS: Mapping[str, Any] = {
    "privacyStatus": "public",
    "license": "youtube",
    "embeddable": True,
    "publicStatsViewable": True,
    "selfDeclaredMadeForKids": False,
}


def new_id(count: int = 11) -> str:
    """An id as YouTube makes them."""
    return "".join(secrets.choice(string.ascii_letters + string.digits + "-_") for _ in range(count))


def moment(seconds: float) -> str:
    """An instant as YouTube writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def refusal(status: int, reason: str, *, domain: str = "youtube.video", location: str | None = None) -> Refusal:
    """YouTube's error body with one of its own reasons."""
    message = f"The request was refused because of {reason}."
    return google_api.refusal(status, message, reason=reason, domain=domain, location=location)


def video_row(call: Call, video_id: str) -> sqlite3.Row:
    """A video of whoever asks.

    Raises:
        Refusal: 404 ``videoNotFound``.
    """
    row: sqlite3.Row | None = call.db.execute(
        "SELECT * FROM youtube_video WHERE id = ? AND account = ?", (video_id, call.principal.account)
    ).fetchone()
    if row is None:
        raise refusal(404, "videoNotFound", location="id")
    return row


def insert_video(db: sqlite3.Connection, session: Mapping[str, Any], *, now: float, visible_at: float) -> str:
    """A new video, of a session that is complete."""
    video_id = new_id()
    twin = db.execute(
        "SELECT 1 FROM youtube_video WHERE account = ? AND size = ? AND crc = ?",
        (session["account"], session["size"], session["crc"]),
    ).fetchone()
    problem = None if looks_like_video(session["head"]) else "failed:invalidFile"
    problem = problem or ("rejected:duplicate" if twin else None)
    db.execute(
        "INSERT INTO youtube_video (id, account, resource, size, crc, problem, uploaded_at, visible_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(video_id, session["account"], session["resource"], session["size"], session["crc"]),
            *(problem, now, visible_at),
        ),
    )
    return video_id


def looks_like_video(head: bytes) -> bool:
    """By the first bytes: MP4 and MOV, WebM and Matroska, AVI, FLV, MPEG, WMV."""
    boxes = (b"ftyp", b"moov", b"mdat", b"wide", b"free")
    starts = (b"\x1aE\xdf\xa3", b"RIFF", b"FLV", b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3", b"\x30\x26\xb2\x75")
    return head[4:8] in boxes or head.startswith(starts)


def resource(row: sqlite3.Row) -> dict[str, Any]:
    """What was set of a video."""
    found: dict[str, Any] = json.loads(row["resource"])
    return found


def status(row: sqlite3.Row, *, now: float) -> dict[str, Any]:
    """A video's status as it is now: processed after a while, public from its time on."""
    given = {**STATUS_DEFAULTS, **resource(row).get("status", {})}
    publish_at = given.get("publishAt")
    if publish_at is not None and datetime.fromisoformat(publish_at).timestamp() <= now:
        given = {name: value for name, value in given.items() if name != "publishAt"} | {"privacyStatus": "public"}
    given["madeForKids"] = given["selfDeclaredMadeForKids"]
    if now < row["uploaded_at"] + PROCESSED_AFTER_S:
        return {**given, "uploadStatus": "uploaded"}
    if row["problem"] is None:
        return {**given, "uploadStatus": "processed"}
    state, _, why = row["problem"].partition(":")
    return {**given, "uploadStatus": state, f"{'failure' if state == 'failed' else 'rejection'}Reason": why}


def shown(row: sqlite3.Row, parts: list[str], *, now: float) -> dict[str, Any]:
    """A video with the parts that were asked for."""
    upload = status(row, now=now)
    seed = int.from_bytes(row["id"].encode()[:4])
    known: dict[str, Any] = {
        "snippet": {
            "title": "",
            "description": "",
            "categoryId": "22",
            **resource(row).get("snippet", {}),
            "channelId": CHANNEL,
            "channelTitle": "Spring Launch",
            "publishedAt": moment(row["uploaded_at"]),
            "liveBroadcastContent": "none",
        },
        "status": upload,
        # Counts are strings; a channel may hide its likes.
        "statistics": {"viewCount": str(seed % 5000), "commentCount": str(seed % 40)}
        | ({"likeCount": str(seed % 300)} if seed % 7 else {}),
        "contentDetails": {"duration": "PT30S", "definition": "hd"},
        "processingDetails": {"processingStatus": _PROCESSING.get(upload["uploadStatus"], "terminated")},
        "fileDetails": {"fileName": "unknown", "fileSize": str(row["size"]), "fileType": "video"},
        "localizations": resource(row).get("localizations", {}),
        "recordingDetails": resource(row).get("recordingDetails", {}),
        "paidProductPlacementDetails": resource(row).get("paidProductPlacementDetails", {}),
    }
    return {
        "kind": "youtube#video",
        "etag": new_id(27),
        "id": row["id"],
        **{part: known.get(part, {}) for part in parts if part != "id"},
    }


_PROCESSING = {"uploaded": "processing", "processed": "succeeded", "failed": "failed"}


def page(rows: list[Any], call: Call, *, usual: int = 5) -> tuple[list[Any], dict[str, Any]]:
    """The rows of the page that was asked for, and what goes with them.

    Raises:
        Refusal: 400 ``invalidPageToken``.
    """
    token = call.query.get("pageToken", "A0")
    if not token.startswith("A") or not token[1:].isdecimal():
        raise refusal(400, "invalidPageToken", domain="youtube.parameter", location="pageToken")
    first, most = int(token[1:]), call.query.get("maxResults", usual)
    more = {"nextPageToken": f"A{first + most}"} if first + most < len(rows) else {}
    return rows[first : first + most], {
        **more,
        "pageInfo": {"totalResults": len(rows), "resultsPerPage": most},
        "etag": new_id(27),
    }
