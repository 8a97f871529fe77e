"""YouTube Data API v3 and Analytics API v2, for one channel."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any, ClassVar

from connectors.sandbox import google_api, google_tokens, youtube_checks, youtube_reports, youtube_uploads
from connectors.sandbox.contract import Problem
from connectors.sandbox.google_tokens import Bearer
from connectors.sandbox.platform import Call, Handler, Platform, Reply
from connectors.sandbox.youtube_data import (
    CATEGORIES,
    CHANNEL,
    PLAYLIST,
    TABLES,
    UPLOADS,
    insert_video,
    moment,
    new_id,
    page,
    refusal,
    resource,
    shown,
    status,
    video_row,
)

_ACCOUNT = "channel@sandbox.example"
_AUTH = "https://www.googleapis.com/auth/"
_SCOPES = (
    f"{_AUTH}youtube.upload",
    f"{_AUTH}youtube.force-ssl",
    f"{_AUTH}youtube.readonly",
    f"{_AUTH}yt-analytics.readonly",
)
# The index of the search lags behind.
_SEARCHABLE_AFTER_S = 60.0


class YouTube(Platform):
    """One channel with one playlist and one video."""

    slug: ClassVar[str] = "youtube"
    tables: ClassVar[str] = TABLES

    def seed(self, db: sqlite3.Connection, *, now: float) -> None:
        """The channel, whose owner has agreed, and a private video."""
        google_tokens.grant(db, _ACCOUNT, _SCOPES, now=now)
        first = {"snippet": {"title": "Welcome", "categoryId": "22"}, "status": {"privacyStatus": "private"}}
        session = {"account": _ACCOUNT, "size": 1, "crc": 0, "head": b"\x00\x00\x00\x18ftypisom"}
        insert_video(
            db, {**session, "resource": json.dumps({**first, "parts": ["snippet", "status"]})}, now=now, visible_at=now
        )

    def describe(self, db: sqlite3.Connection) -> dict[str, Any]:
        """The channel's owner."""
        return {"account": CHANNEL, "credential": google_tokens.credential(db, _ACCOUNT), "settings": {}}

    def authenticate(self, call: Call) -> Bearer:
        """Whoever asks, with one of the operation's scopes."""
        scopes = [scope for found in (call.operation.security or {}).values() for scope in found]
        return google_tokens.bearer(call, *scopes)

    def refuse(self, problem: Problem) -> Reply:
        """400 with YouTube's reason, or the front end's 404."""
        return youtube_checks.unfit(problem)

    def rate_limited(self, *, retry_after_s: int | None) -> Reply:
        """429 with RetryInfo."""
        return google_api.limited(retry_after_s)

    def server_error(self, status: int) -> Reply:
        """500 in JSON, 503 as a page."""
        return google_api.failure(status)

    def auth_expired(self) -> Reply:
        """401 authError."""
        return google_tokens.unauthenticated()

    @staticmethod
    def list_videos(call: Call) -> Reply:
        """Videos by id; what is not there, or not one's own and private, is left out."""
        if "id" not in call.query:
            raise refusal(400, "missingRequiredParameter", domain="youtube.parameter", location="id")
        rows = [_find(call, one) for one in call.query["id"]]
        items = [shown(row, call.query["part"], now=call.now) for row in rows if row is not None]
        return _listed("youtube#videoListResponse", items)

    @staticmethod
    def batch_stats(call: Call) -> Reply:
        """The statistics of videos by id."""
        rows = [_find(call, one) for one in call.query["id"]]
        items = [
            {**shown(row, ["statistics"], now=call.now), "kind": "youtube#videoStat"} for row in rows if row is not None
        ]
        return Reply(200, {"kind": "youtube#batchGetStatsResponse", "etag": new_id(27), "items": items})

    @staticmethod
    def update_video(call: Call) -> Reply:
        """Every part that is named is replaced as a whole."""
        row = video_row(call, call.body["id"])
        parts: list[str] = call.query["part"]
        before = status(row, now=call.now)
        youtube_checks.check(call.body, parts, now=call.now)
        publish_at = call.body.get("status", {}).get("publishAt")
        if publish_at is not None and before["privacyStatus"] != "private":
            raise refusal(400, "invalidPublishAt", location="body.status.publishAt")
        kept = {**resource(row), **{part: call.body.get(part, {}) for part in parts}}
        call.db.execute("UPDATE youtube_video SET resource = ? WHERE id = ?", (json.dumps(kept), row["id"]))
        call.effect(_meant(call.body, before), row["id"], text=kept["snippet"]["title"])
        return Reply(200, shown(video_row(call, row["id"]), parts, now=call.now))

    @staticmethod
    def delete_video(call: Call) -> Reply:
        """A deleted video is gone from everywhere."""
        row = video_row(call, call.query["id"])
        call.db.execute("DELETE FROM youtube_video WHERE id = ?", (row["id"],))
        call.db.execute("DELETE FROM youtube_item WHERE video = ?", (row["id"],))
        call.effect("deleteVideo", row["id"])
        return Reply(204)

    @staticmethod
    def my_channel(call: Call) -> Reply:
        """The channel of whoever asks."""
        known = {
            "snippet": {"title": "Spring Launch", "customUrl": "@springlaunch", "publishedAt": "2024-03-01T08:00:00Z"},
            "contentDetails": {"relatedPlaylists": {"likes": "LL", "uploads": UPLOADS}},
            "statistics": {"viewCount": "120345", "subscriberCount": "1210", "videoCount": "12"},
            "status": {"privacyStatus": "public", "isLinked": True, "longUploadsStatus": "allowed"},
        }
        mine = call.query.get("mine") or CHANNEL in call.query.get("id", [])
        item = {"kind": "youtube#channel", "etag": new_id(27), "id": CHANNEL}
        item |= {part: known[part] for part in call.query["part"] if part in known}
        return _listed("youtube#channelListResponse", [item] if mine else [])

    @staticmethod
    def list_items(call: Call) -> Reply:
        """A playlist, or the channel's uploads with the newest first."""
        playlist = call.query.get("playlistId")
        if playlist is None:
            raise refusal(400, "playlistIdRequired", domain="youtube.playlistItem", location="playlistId")
        if playlist not in (UPLOADS, PLAYLIST):
            raise refusal(404, "playlistNotFound", domain="youtube.playlistItem", location="playlistId")
        rows = _uploads(call) if playlist == UPLOADS else _items(call)
        wanted = call.query.get("videoId")
        rows = [row for row in rows if wanted in (None, row["contentDetails"]["videoId"])]
        found, more = page(rows, call)
        return Reply(200, {"kind": "youtube#playlistItemListResponse", **more, "items": found})

    @staticmethod
    def add_item(call: Call) -> Reply:
        """The same video may be in a playlist twice."""
        given: dict[str, Any] = call.body["snippet"]
        if given["playlistId"] != PLAYLIST:
            raise refusal(404, "playlistNotFound", domain="youtube.playlistItem", location="playlistId")
        video = video_row(call, given["resourceId"]["videoId"])
        count: int = call.db.execute("SELECT count(*) FROM youtube_item").fetchone()[0]
        position = given.get("position", count)
        if position > count:
            raise refusal(
                400, "invalidPlaylistItemPosition", domain="youtube.playlistItem", location="snippet.position"
            )
        call.db.execute("UPDATE youtube_item SET position = position + 1 WHERE position >= ?", (position,))
        item_id = f"UE{new_id(32)}"
        call.db.execute(
            "INSERT INTO youtube_item VALUES (?, ?, ?, ?, ?, ?)",
            (item_id, PLAYLIST, video["id"], position, call.now, call.visible_at),
        )
        call.effect("addToPlaylist", item_id, recipient=PLAYLIST, text=video["id"])
        return Reply(200, _item(item_id, PLAYLIST, video, position, call.now))

    @staticmethod
    def search(call: Call) -> Reply:
        """The channel's own videos by words of their titles."""
        if not call.query.get("forMine") or call.query.get("type") != "video":
            raise refusal(400, "incompatibleParameters", domain="youtube.search", location="parameters.")
        words = call.query.get("q", "").lower().split()
        rows = [
            row
            for row in call.db.execute(
                "SELECT * FROM youtube_video WHERE account = ? AND visible_at <= ? ORDER BY uploaded_at DESC",
                (call.principal.account, call.now - _SEARCHABLE_AFTER_S),
            )
            if all(word in resource(row)["snippet"]["title"].lower() for word in words)
        ]
        found, more = page(rows, call)
        items = [
            {
                "kind": "youtube#searchResult",
                "id": {"kind": "youtube#video", "videoId": row["id"]},
                "snippet": shown(row, ["snippet"], now=call.now)["snippet"],
            }
            for row in found
        ]
        return Reply(200, {"kind": "youtube#searchListResponse", **more, "items": items})

    @staticmethod
    def categories(call: Call) -> Reply:
        """Which categories there are; not all may be given to a video."""
        wanted = call.query.get("id")
        if wanted is None and "regionCode" not in call.query:
            raise refusal(400, "missingRequiredParameter", domain="youtube.parameter", location="regionCode")
        items = [
            {
                "kind": "youtube#videoCategory",
                "id": one,
                "snippet": {"title": title, "assignable": assignable, "channelId": "UCBR8-60-B28hp2BmDPdntcQ"},
            }
            for one, (title, assignable) in CATEGORIES.items()
            if wanted is None or one in wanted
        ]
        return Reply(200, {"kind": "youtube#videoCategoryListResponse", "etag": new_id(27), "items": items})

    operations: ClassVar[Mapping[str, Handler]] = {
        "uploadVideo": youtube_uploads.open_session,
        "uploadVideoChunk": youtube_uploads.receive,
        "getVideoStats": list_videos,
        "batchGetVideoStats": batch_stats,
        "updateVideo": update_video,
        "deleteVideo": delete_video,
        "setThumbnail": youtube_uploads.set_thumbnail,
        "getMyChannel": my_channel,
        "listUploads": list_items,
        "addToPlaylist": add_item,
        "searchMyVideos": search,
        "listVideoCategories": categories,
        "getAnalytics": youtube_reports.report,
    }


def _find(call: Call, video_id: str) -> sqlite3.Row | None:
    found: sqlite3.Row | None = call.db.execute("SELECT * FROM youtube_video WHERE id = ?", (video_id,)).fetchone()
    if found is None or found["account"] == call.principal.account:
        return found
    return found if status(found, now=call.now)["privacyStatus"] == "public" else None


def _meant(body: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """Which action it was: its time alone is changed, or anything else."""
    if "status" not in body or "snippet" in body:
        return "updateVideo"
    publish_at = body["status"].get("publishAt")
    if publish_at is not None and publish_at != before.get("publishAt"):
        return "scheduleVideo"
    cancelled = publish_at is None and "publishAt" in before and body["status"].get("privacyStatus") == "private"
    return "cancelSchedule" if cancelled else "updateVideo"


def _listed(kind: str, items: list[dict[str, Any]]) -> Reply:
    info = {"totalResults": len(items), "resultsPerPage": len(items)}
    return Reply(200, {"kind": kind, "etag": new_id(27), "items": items, "pageInfo": info})


def _uploads(call: Call) -> list[dict[str, Any]]:
    rows = call.db.execute(
        "SELECT * FROM youtube_video WHERE account = ? AND visible_at <= ? ORDER BY uploaded_at DESC",
        (call.principal.account, call.now),
    )
    return [_item(f"UU{row['id']}", UPLOADS, row, place, row["uploaded_at"]) for place, row in enumerate(rows)]


def _items(call: Call) -> list[dict[str, Any]]:
    rows = call.db.execute(
        "SELECT i.id AS item, i.position, i.added_at, v.* FROM youtube_item i JOIN youtube_video v ON v.id = i.video"
        " WHERE i.visible_at <= ? ORDER BY i.position",
        (call.now,),
    )
    return [_item(row["item"], PLAYLIST, row, row["position"], row["added_at"]) for row in rows]


def _item(item_id: str, playlist: str, video: sqlite3.Row, position: int, added_at: float) -> dict[str, Any]:
    return {
        "kind": "youtube#playlistItem",
        "etag": new_id(27),
        "id": item_id,
        "snippet": {
            "playlistId": playlist,
            "position": position,
            "title": resource(video)["snippet"]["title"],
            "publishedAt": moment(added_at),
            "channelId": CHANNEL,
            "resourceId": {"kind": "youtube#video", "videoId": video["id"]},
        },
        "contentDetails": {"videoId": video["id"], "videoPublishedAt": moment(video["uploaded_at"])},
    }
