"""What is posted on LinkedIn, and how did it do?"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from typing import Any

from connectors.sandbox import linkedin_assets, linkedin_text
from connectors.sandbox.linkedin_data import (
    ORGANIZATION,
    PERSON,
    created,
    list_of,
    need,
    new_number,
    number_of,
    raw_value,
    refusal,
)
from connectors.sandbox.platform import Call, Reply

# LinkedIn does not say for how long it knows a post again.
_GUARDED_S = 86_400.0


def publish(call: Call) -> Reply:
    """POST posts: once for the same author and content; a repeat is told the first one's URN."""
    fields: dict[str, Any] = call.body
    author: str = fields["author"]
    _check_author(call, author)
    _check_content(call, author, fields)
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
    # It also knows a post that was deleted since.
    twin = call.db.execute(
        "SELECT urn FROM linkedin_post WHERE digest = ? AND created_at > ?", (digest, call.now - _GUARDED_S)
    ).fetchone()
    if twin is not None:
        message = f"Content is a duplicate of {twin['urn']}"
        raise refusal(422, message, inputs=(("DUPLICATE_POST", "/commentary"),))
    urn = f"urn:li:{'ugcPost' if 'video' in json.dumps(fields.get('content', {})) else 'share'}:7{new_number(18)}"
    text = linkedin_text.shown(fields["commentary"])
    call.db.execute(
        "INSERT INTO linkedin_post VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)",
        (urn, author, digest, fields["commentary"], json.dumps(fields), call.now, call.now, call.visible_at),
    )
    call.effect("publishPost", urn, recipient=author, text=text)
    return created(urn)


def _check_author(call: Call, author: str) -> None:
    if author not in (ORGANIZATION, PERSON):
        raise refusal(403, "The author is nobody whom this token may post for", code="ACCESS_DENIED")
    need(call, "w_organization_social" if author == ORGANIZATION else "w_member_social")


def _check_content(call: Call, author: str, fields: dict[str, Any]) -> None:
    content = fields.get("content", {})
    if "carousel" in content:
        raise refusal(400, "A carousel is for sponsored posts", inputs=(("INVALID_VALUE_FOR_FIELD", "/content"),))
    if author == ORGANIZATION and fields["visibility"] == "CONNECTIONS":
        raise refusal(400, "A Page has no connections", inputs=(("INVALID_VALUE_FOR_FIELD", "/visibility"),))
    urns = [one["id"] for one in content.get("multiImage", {}).get("images", ())]
    urns += [content["media"]["id"]] if "media" in content else []
    urns += [content["article"]["thumbnail"]] if "thumbnail" in content.get("article", {}) else []
    for urn in urns:
        linkedin_assets.check_usable(call, urn, author)


def find(call: Call, urn: str) -> sqlite3.Row:
    """A post that is there.

    Raises:
        Refusal: There is none, or not any more.
    """
    row: sqlite3.Row | None = call.db.execute("SELECT * FROM linkedin_post WHERE urn = ?", (urn,)).fetchone()
    if row is None or row["visible_at"] > call.now:
        raise refusal(404, "Post is not found", code="NOT_FOUND")
    if row["gone"]:
        raise refusal(410, "Post has been deleted", code="GONE")
    return row


def get(call: Call) -> Reply:
    """GET a post; a member's cannot be read."""
    need(call, "r_organization_social")
    row = find(call, call.path["post_urn"])
    if row["author"] == PERSON:
        raise refusal(403, "Not enough permissions to access: posts.GET", code="ACCESS_DENIED")
    return Reply(200, _shown(row))


def listing(call: Call) -> Reply:
    """GET posts of an author, newest first; a member's cannot be listed."""
    need(call, "r_organization_social")
    if call.query["author"] != ORGANIZATION:
        raise refusal(403, "Not enough permissions to access: posts.FINDER-author", code="ACCESS_DENIED")
    by = "created_at" if call.query.get("sortBy") == "CREATED" else "modified_at"
    start, count = call.query.get("start", 0), call.query.get("count", 10)
    rows = call.db.execute(
        f"SELECT * FROM linkedin_post WHERE author = ? AND NOT gone AND visible_at <= ?"  # noqa: S608 (constants)
        f" ORDER BY {by} DESC, urn DESC LIMIT ? OFFSET ?",
        (ORGANIZATION, call.now, count, start),
    ).fetchall()
    return Reply(200, {"elements": [_shown(row) for row in rows], "paging": {"start": start, "count": count}})


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    body = json.loads(row["body"])
    return {
        **body,
        "id": row["urn"],
        "commentary": row["commentary"],
        "createdAt": int(row["created_at"] * 1000),
        "publishedAt": int(row["created_at"] * 1000),
        "lastModifiedAt": int(row["modified_at"] * 1000),
    }


def update(call: Call) -> Reply:
    """POST a patch: the text, and no author or media."""
    row = find(call, call.path["post_urn"])
    _check_author(call, row["author"])
    text = call.body["patch"]["$set"].get("commentary", row["commentary"])
    call.db.execute(
        "UPDATE linkedin_post SET commentary = ?, modified_at = ? WHERE urn = ?", (text, call.now, row["urn"])
    )
    call.effect("updatePost", row["urn"], text=linkedin_text.shown(text))
    return Reply(204)


def delete(call: Call) -> Reply:
    """DELETE a post: 204, also for one that is gone or never was."""
    urn = call.path["post_urn"]
    row = call.db.execute("SELECT * FROM linkedin_post WHERE urn = ?", (urn,)).fetchone()
    if row is not None:
        _check_author(call, row["author"])
    if row is not None and not row["gone"]:
        call.db.execute("UPDATE linkedin_post SET gone = 1 WHERE urn = ?", (urn,))
        call.effect("deletePost", urn)
    return Reply(204)


def page_statistics(call: Call) -> Reply:
    """GET organizationalEntityShareStatistics: of posts that are named, in numbers that stay the same."""
    need(call, "rw_organization_admin", "r_organization_social")
    if call.query["organizationalEntity"] != ORGANIZATION:
        raise refusal(403, "Not enough permissions to access: organizationalEntityShareStatistics")
    rows: list[dict[str, Any]] = []
    for name, kind in (("shares", "share"), ("ugcPosts", "ugcPost")):
        value = raw_value(call, name)
        for urn in list_of(value) if value is not None else ():
            known = call.db.execute(
                "SELECT 1 FROM linkedin_post WHERE urn = ? AND author = ? AND NOT gone", (urn, ORGANIZATION)
            ).fetchone()
            if known is not None:
                rows.append({"organizationalEntity": ORGANIZATION, kind: urn, "totalShareStatistics": _numbers(urn)})
    return Reply(200, {"elements": rows, "paging": {"start": 0, "count": 10, "links": []}})


def _numbers(urn: str) -> dict[str, Any]:
    views = number_of(urn) + 100
    return {
        "impressionCount": views,
        "uniqueImpressionsCount": views * 3 // 4,
        "clickCount": views // 20,
        "likeCount": views // 50,
        "commentCount": views // 200,
        "shareCount": views // 400,
        "engagement": 0.0625,
    }


def member_statistics(call: Call) -> Reply:
    """GET memberCreatorPostAnalytics: one number at a time."""
    need(call, "r_member_postAnalytics")
    entity = call.query.get("entity", "")
    urn = entity.strip("()").partition(":")[2]
    row = call.db.execute("SELECT * FROM linkedin_post WHERE urn = ? AND author = ?", (urn, PERSON)).fetchone()
    if row is None:
        raise refusal(404, "Entity is not found", code="NOT_FOUND")
    count = number_of(urn + call.query["queryType"])
    row = {"count": count, "metricType": call.query["queryType"], "targetEntity": entity}
    return Reply(200, {"elements": [row], "paging": {"start": 0, "count": 1, "links": []}})
