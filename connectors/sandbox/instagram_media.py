"""What has been published on Instagram, and how did it do?"""

from __future__ import annotations

import sqlite3
from typing import Any

from connectors.sandbox import meta_graph
from connectors.sandbox.instagram_containers import check_account, find, state
from connectors.sandbox.instagram_data import POSTS, POSTS_WITHIN_S, shown_time
from connectors.sandbox.platform import Call, Reply

_STORY_LIFE_S = 86_400
_METRICS = """
    comments crossposted_views facebook_views follows ig_reels_avg_watch_time ig_reels_video_view_total_time likes
    link_clicks navigation profile_activity profile_visits reach reels_skip_rate replies reposts saved shares
    total_comments total_interactions total_likes total_views views
"""
_FIELDS = "id,caption,media_type,media_product_type,permalink,timestamp"


def publish(call: Call) -> Reply:
    """POST media_publish: what is ready becomes visible, once."""
    check_account(call)
    container_id = str(call.body["creation_id"])
    row = find(call.db, container_id)
    if row is None or row["is_item"]:
        raise meta_graph.refusal(24, "The requested resource does not exist", subcode=2207006)
    code, _ = state(row, call.now)
    if code in ("PUBLISHED", "EXPIRED"):
        # What Meta answers to a second publish is not documented; that nothing is published twice is.
        raise meta_graph.refusal(24, "The media builder has expired", subcode=2207008)
    if code == "IN_PROGRESS":
        raise meta_graph.refusal(9007, "The media is not ready to be published", subcode=2207027)
    if code == "ERROR":
        raise meta_graph.refusal(100, "The container has failed", subcode=row["failure"])
    if _used(call) >= POSTS:
        raise meta_graph.refusal(9, "The account's posts per 24 hours are used up", status=403, subcode=2207042)
    media_id, visible_at = meta_graph.new_id("180"), call.visible_at
    call.db.execute("UPDATE instagram_container SET published_at = ? WHERE id = ?", (call.now, container_id))
    call.db.execute(
        "INSERT INTO instagram_media VALUES (?, ?, ?, ?, ?, ?)",
        (media_id, container_id, row["media_type"], row["caption"], call.now, visible_at),
    )
    action = "publishStory" if row["media_type"] == "STORIES" else "publishPost"
    call.effect(action, media_id, key=container_id, text=row["caption"])
    return Reply(200, {"id": media_id})


def limit(call: Call) -> Reply:
    """GET content_publishing_limit."""
    check_account(call)
    config = {"quota_total": POSTS, "quota_duration": POSTS_WITHIN_S}
    return Reply(200, {"data": [{"quota_usage": _used(call), "config": config}]})


def listing(call: Call) -> Reply:
    """GET media: posts and reels, newest first."""
    return _page(call, stories=False)


def stories(call: Call) -> Reply:
    """GET stories: those of the last 24 hours."""
    return _page(call, stories=True)


def node(call: Call) -> Reply:
    """GET a container or a media; both are read at the same path."""
    wanted = call.query.get("fields", "id").split(",")
    row = find(call.db, call.path["node_id"])
    if row is not None:
        code, status = state(row, call.now)
        known = {"status_code": code, "status": status}
        return Reply(200, {**{name: known[name] for name in wanted if name in known}, "id": row["id"]})
    return Reply(200, _shown(_media(call, call.path["node_id"]), wanted))


def delete(call: Call) -> Reply:
    """DELETE a media; the record goes, our count of the effect stays."""
    row = _media(call, call.path["node_id"])
    call.db.execute("DELETE FROM instagram_media WHERE id = ?", (row["id"],))
    call.effect("deleteMedia", row["id"])
    return Reply(200, {"success": True})


def insights(call: Call) -> Reply:
    """GET insights of a media or of the account; the numbers follow from the ids, so they stay the same."""
    node_id, metrics = call.path["node_id"], call.query["metric"].split(",")
    unknown = [name for name in metrics if name not in _METRICS.split()]
    if unknown:
        raise meta_graph.refusal(100, f"metric[0] must be one of the known ones, not {unknown[0]}")
    of_account = node_id == call.principal["ig_user_id"]
    if not of_account:
        row = _media(call, node_id)
        if row["media_type"] == "STORIES" and call.now >= row["published_at"] + _STORY_LIFE_S:
            raise meta_graph.refusal(10, "Not enough viewers for the media to show insights", status=403)
    elif "period" not in call.query:
        raise meta_graph.refusal(100, "The parameter period is required")
    period = call.query.get("period", "lifetime")
    return Reply(200, {"data": [_measured(name, node_id, period, total=of_account) for name in metrics]})


def _measured(name: str, node_id: str, period: str, *, total: bool) -> dict[str, Any]:
    value = sum(map(ord, name + node_id)) % 1000
    shown = {"total_value": {"value": value}} if total else {"values": [{"value": value}]}
    return {"name": name, "period": period, "title": name, "id": f"{node_id}/insights/{name}/{period}", **shown}


def comment(call: Call) -> Reply:
    """POST comments."""
    row = _media(call, call.path["ig_media_id"])
    comment_id = meta_graph.new_id("178")
    call.db.execute(
        "INSERT INTO instagram_comment VALUES (?, ?, ?, ?)", (comment_id, row["id"], call.body["message"], call.now)
    )
    call.effect("createComment", comment_id, recipient=row["id"], text=call.body["message"])
    return Reply(200, {"id": comment_id})


def comments(call: Call) -> Reply:
    """GET comments, oldest first."""
    row = _media(call, call.path["ig_media_id"])
    found = call.db.execute(
        "SELECT * FROM instagram_comment WHERE media = ? ORDER BY at, id LIMIT ?",
        (row["id"], call.query.get("limit", 25)),
    )
    data = [{"id": one["id"], "text": one["message"], "timestamp": shown_time(one["at"])} for one in found]
    return Reply(200, {"data": data})


def _page(call: Call, *, stories: bool) -> Reply:
    check_account(call)
    since = _moment(call, "since", 0.0)
    oldest = max(since, call.now - _STORY_LIFE_S) if stories else since
    size: int = call.query.get("limit", 25)
    rows = call.db.execute(
        "SELECT * FROM instagram_media WHERE (media_type = 'STORIES') = ? AND visible_at <= ? AND published_at >= ?"
        " AND published_at <= ? ORDER BY published_at DESC, id DESC LIMIT ? OFFSET ?",
        (stories, call.now, oldest, _moment(call, "until", call.now), size + 1, int(_moment(call, "after", 0))),
    ).fetchall()
    wanted = call.query.get("fields", _FIELDS).split(",")
    following = {"cursors": {"after": str(int(_moment(call, "after", 0)) + size)}} if len(rows) > size else {}
    return Reply(200, {"data": [_shown(row, wanted) for row in rows[:size]], "paging": following})


def _moment(call: Call, name: str, default: float) -> float:
    text = call.query.get(name)
    if text is None:
        return default
    if not text.isdecimal():
        raise meta_graph.refusal(100, f"Invalid {name}")
    return float(text)


def _used(call: Call) -> int:
    found: int = call.db.execute(
        "SELECT count(*) FROM instagram_media WHERE published_at > ?", (call.now - POSTS_WITHIN_S,)
    ).fetchone()[0]
    return found


def _media(call: Call, media_id: str) -> sqlite3.Row:
    row: sqlite3.Row | None = call.db.execute("SELECT * FROM instagram_media WHERE id = ?", (media_id,)).fetchone()
    if row is None:
        raise meta_graph.no_such_node()
    return row


def _shown(row: sqlite3.Row, wanted: list[str]) -> dict[str, Any]:
    kind = row["media_type"]
    known = {
        "caption": row["caption"],
        "media_type": {"CAROUSEL": "CAROUSEL_ALBUM", "REELS": "VIDEO"}.get(kind, "IMAGE"),
        "media_product_type": {"STORIES": "STORY", "REELS": "REELS"}.get(kind, "FEED"),
        "permalink": f"https://www.instagram.com/p/{row['id']}/",
        "timestamp": shown_time(row["published_at"]),
        "username": "sandbox",
    }
    return {**{name: known[name] for name in wanted if known.get(name) is not None}, "id": row["id"]}
