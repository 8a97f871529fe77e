"""Requests of the actions on YouTube, as it documents them, and an answer to each."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from tests.unit.connectors.wire import AT, HERE, JSON, Sent, asked

DATA, REPORTS = "https://youtube.googleapis.com/youtube/v3", "https://youtubeanalytics.googleapis.com/v2/reports"
VIDEO, PLAYLIST, ITEM = "dQ4wEX9aMpL", "PLabc", "UEabc"
LATER = AT.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
STATUS = {
    "privacyStatus": "private",
    "license": "youtube",
    "embeddable": False,
    "publicStatsViewable": True,
    "selfDeclaredMadeForKids": False,
}
TEXTS = {"title": "Spring", "description": "Out now", "tags": ["nh-1", "a b"], "categoryId": "22"}
READ = {
    "items": [
        {
            "id": VIDEO,
            "snippet": {**TEXTS, "publishedAt": LATER, "channelId": "UC1", "localized": {"title": "Spring"}},
            "status": {**STATUS, "uploadStatus": "processed", "madeForKids": False},
        }
    ]
}
CHANNEL = {"items": [{"id": "UC1", "contentDetails": {"relatedPlaylists": {"uploads": "UU1"}}}]}


def read() -> Sent:
    return asked(f"{DATA}/videos", ("part", "snippet,status"), ("id", VIDEO))


def written(part: str, **parts: Any) -> Sent:
    return Sent("PUT", f"{DATA}/videos", JSON, {"id": VIDEO, **parts}, [("part", part)])


WIRE: list[tuple[str, dict[str, Any], list[Sent], list[dict[str, Any]]]] = [
    (
        "youtube.updateVideo",
        {"video_id": VIDEO, "title": "Spring 50 % & more 🎉", "language": "de", "category_id": "24"},
        [
            read(),
            written(
                "snippet",
                snippet={**TEXTS, "title": "Spring 50 % & more 🎉", "categoryId": "24", "defaultLanguage": "de"},
            ),
        ],
        [READ, {"id": VIDEO}],
    ),
    (
        "youtube.updateVideo",
        {"video_id": VIDEO, "tags": [], "privacy": "public", "contains_synthetic_media": True},
        [
            read(),
            written(
                "snippet,status",
                snippet={**TEXTS, "tags": []},
                status={**STATUS, "privacyStatus": "public", "containsSyntheticMedia": True},
            ),
        ],
        [READ, {"id": VIDEO}],
    ),
    (
        "youtube.scheduleVideo",
        {"video_id": VIDEO, "publish_at": HERE},
        [read(), written("status", status={**STATUS, "publishAt": LATER})],
        [READ, {"id": VIDEO}],
    ),
    (
        "youtube.cancelSchedule",
        {"video_id": VIDEO},
        [read(), written("status", status=STATUS)],
        [{"items": [{**READ["items"][0], "status": {**STATUS, "publishAt": LATER}}]}, {"id": VIDEO}],
    ),
    (
        "youtube.deleteVideo",
        {"video_id": VIDEO},
        [Sent("DELETE", f"{DATA}/videos", None, b"", [("id", VIDEO)])],
        [{}],
    ),
    (
        "youtube.getVideo",
        {"video_id": VIDEO},
        [asked(f"{DATA}/videos", ("part", "status"), ("id", VIDEO))],
        [READ],
    ),
    (
        "youtube.listVideos",
        {"count": 50, "page_token": "CDIQAA"},
        [
            asked(f"{DATA}/channels", ("part", "snippet,contentDetails"), ("mine", "true")),
            asked(
                f"{DATA}/playlistItems",
                ("part", "snippet,contentDetails"),
                ("playlistId", "UU1"),
                ("maxResults", "50"),
                ("pageToken", "CDIQAA"),
            ),
        ],
        [CHANNEL, {"items": [{"contentDetails": {"videoId": VIDEO}}]}],
    ),
    (
        "youtube.searchVideos",
        {"query": "spring & more"},
        [
            asked(
                f"{DATA}/search",
                ("part", "snippet"),
                ("forMine", "true"),
                ("type", "video"),
                ("q", "spring & more"),
                ("maxResults", "25"),
            )
        ],
        [{"items": [{"id": {"kind": "youtube#video", "videoId": VIDEO}}]}],
    ),
    (
        "youtube.listCategories",
        {"region": "DE"},
        [asked(f"{DATA}/videoCategories", ("part", "snippet"), ("regionCode", "DE"))],
        [{"items": [{"id": "22", "snippet": {"title": "People", "assignable": True}}]}],
    ),
    (
        "youtube.addToPlaylist",
        {"video_id": VIDEO, "playlist_id": PLAYLIST, "position": 0},
        [
            Sent(
                "POST",
                f"{DATA}/playlistItems",
                JSON,
                {
                    "snippet": {
                        "playlistId": PLAYLIST,
                        "resourceId": {"kind": "youtube#video", "videoId": VIDEO},
                        "position": 0,
                    }
                },
                [("part", "snippet")],
            )
        ],
        [{"id": ITEM}],
    ),
    (
        "youtube.listPlaylist",
        {"playlist_id": PLAYLIST, "count": 5},
        [asked(f"{DATA}/playlistItems", ("part", "snippet"), ("playlistId", PLAYLIST), ("maxResults", "5"))],
        [{"items": [{"id": ITEM, "snippet": {"resourceId": {"videoId": VIDEO}}}]}],
    ),
    (
        "youtube.getVideoStats",
        {"video_ids": [VIDEO, "aaaaaaaaaaa", VIDEO]},
        [asked(f"{DATA}/videos", ("part", "statistics"), ("id", f"{VIDEO},aaaaaaaaaaa"))],
        [{"items": [{"id": VIDEO, "statistics": {"viewCount": "1042"}}]}],
    ),
    (
        "youtube.getAnalytics",
        {
            "start": "2026-11-15",
            "end": "2026-11-21",
            "metrics": ["views", "likes"],
            "by": "video",
            "video_ids": [VIDEO],
            "first": 201,
        },
        [
            asked(
                REPORTS,
                ("ids", "channel==MINE"),
                ("startDate", "2026-11-15"),
                ("endDate", "2026-11-21"),
                ("metrics", "views,likes"),
                ("dimensions", "video"),
                ("filters", f"video=={VIDEO}"),
                ("sort", "-views"),
                ("maxResults", "200"),
                ("startIndex", "201"),
            )
        ],
        [{"columnHeaders": [{"name": "video"}, {"name": "views"}, {"name": "likes"}], "rows": [[VIDEO, 1, 2]]}],
    ),
]
