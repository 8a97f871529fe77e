"""What is posted on Reddit, where, and what of it is shown?"""

from __future__ import annotations

import html
import sqlite3
from typing import Any
from urllib.parse import urlsplit

from connectors.sandbox.platform import Call, Refusal, Reply
from connectors.sandbox.reddit_data import COMMUNITIES, USERNAME, Community, collapsed, data_error, new_id, no

# Seconds that Reddit works on a file, on the sandbox's clock.
_IMAGE_S, _VIDEO_S = 1.0, 5.0
_WORKED_ON = {"image": _IMAGE_S, "video": _VIDEO_S, "videogif": _VIDEO_S}


def submit(call: Call) -> Reply:
    """POST submit: asked twice, it posts twice; but for a link that may not be resubmitted."""
    form: dict[str, Any] = call.body
    kind, place = form["kind"], form["sr"].lower()
    community = _community(place)
    _check(call, form, kind, community)
    title, url = collapsed(form["title"]), form.get("url")
    if kind == "link" and not form.get("resubmit", True) and _is_there(call, place, url):
        raise no("ALREADY_SUB", "that link has already been submitted", "url")
    name = f"t3_{new_id()}"
    visible_at = call.visible_at + _WORKED_ON.get(kind, 0.0)
    shown_url = f"https://i.redd.it/{new_id()}.jpg" if kind in _WORKED_ON else url
    call.db.execute(
        "INSERT INTO reddit_post VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
        (
            *(name, place, kind, title, form.get("text", ""), shown_url, form.get("crosspost_fullname")),
            *(call.now, visible_at),
        ),
    )
    action = "submitMediaPost" if kind in _WORKED_ON else "submitPost"
    call.effect(action, name, recipient=place, text=form["title"])
    if kind in _WORKED_ON:
        page = f"https://www.reddit.com/user/{USERNAME}/submitted/"
        data = {"user_submitted_page": page, "websocket_url": "wss://k8s-lb.wss.redditmedia.com/rte_images/x"}
        return Reply(200, {"json": {"errors": [], "data": data}})
    address = f"https://www.reddit.com{_permalink(place, name)}"
    made = {"url": address, "drafts_count": 0, "id": name.removeprefix("t3_"), "name": name}
    return Reply(200, {"json": {"errors": [], "data": made}})


def _community(place: str) -> Community:
    community = Community() if place == f"u_{USERNAME}" else COMMUNITIES.get(place)
    if community is None:
        raise no("SUBREDDIT_NOEXIST", "Hmm, that community doesn't exist.", "sr")
    if community.closed is not None:
        raise no(community.closed, "you aren't allowed to post there.", "sr")
    return community


def _check(call: Call, form: dict[str, Any], kind: str, community: Community) -> None:
    title = collapsed(form["title"])
    if not title:
        raise no("NO_TEXT", "we need something here", "title")
    if community.title_max is not None and len(title) > community.title_max:
        raise no("SUBMIT_VALIDATION_MAX_LENGTH", "the title is too long for this community", "title")
    allowed, code = (community.texts, "NO_SELFS") if kind == "self" else (community.links, "NO_LINKS")
    if not allowed:
        raise no(code, "that subreddit doesn't allow this kind of post", "sr")
    if community.flair is not None and form.get("flair_id") != community.flair:
        raise no("SUBMIT_VALIDATION_FLAIR_REQUIRED", "Your post must contain post flair.", "flair")
    _check_content(call, form, kind, community)


def _check_content(call: Call, form: dict[str, Any], kind: str, community: Community) -> None:
    if kind == "link" and urlsplit(form["url"]).hostname == community.banned_domain:
        raise no("DOMAIN_BANNED", "this domain has been banned", "url")
    for field in ("url", "video_poster_url") if kind in _WORKED_ON else ():
        if field in form and not _is_uploaded(call, form[field]):
            raise no("BAD_URL", "you should check that url", field)
    if kind == "crosspost" and _find(call, form["crosspost_fullname"]) is None:
        raise no("INVALID_OPTION", "that option is not valid", "crosspost_fullname")


def _is_there(call: Call, place: str, url: str | None) -> bool:
    return (
        call.db.execute(
            "SELECT 1 FROM reddit_post WHERE subreddit = ? AND url = ? AND NOT gone", (place, url)
        ).fetchone()
        is not None
    )


def _is_uploaded(call: Call, location: str) -> bool:
    return call.db.execute("SELECT 1 FROM reddit_media WHERE location = ?", (location,)).fetchone() is not None


def _find(call: Call, name: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = call.db.execute(
        "SELECT * FROM reddit_post WHERE name = ? AND NOT gone", (name,)
    ).fetchone()
    return row


def info(call: Call) -> Reply:
    """GET info: posts by their names, or by the link they share."""
    if "id" in call.query:
        found = [_find(call, name) for name in call.query["id"].split(",")]
        return _listing(call, [row for row in found if row is not None])
    rows = call.db.execute(
        "SELECT * FROM reddit_post WHERE url = ? AND NOT gone AND visible_at <= ?"
        " AND (? IS NULL OR subreddit = ?) ORDER BY created_at DESC",
        (call.query.get("url"), call.now, call.query.get("sr_name"), call.query.get("sr_name")),
    ).fetchall()
    return _listing(call, rows)


def submitted(call: Call) -> Reply:
    """GET user/NAME/submitted, newest first."""
    if call.path["username"].lower() != USERNAME:
        raise Refusal(data_error(404, "Not Found"))
    rows = call.db.execute(
        "SELECT * FROM reddit_post WHERE NOT gone AND visible_at <= ? ORDER BY created_at DESC, name DESC LIMIT 1000",
        (call.now,),
    ).fetchall()
    names = [row["name"] for row in rows]
    after = call.query.get("after")
    begin = names.index(after) + 1 if after in names else 0
    page = rows[begin : begin + call.query.get("limit", 25)]
    more = page[-1]["name"] if page and begin + len(page) < len(rows) else None
    return _listing(call, page, after=more)


def _listing(call: Call, rows: list[sqlite3.Row], *, after: str | None = None) -> Reply:
    raw = call.query.get("raw_json") == 1
    children = [{"kind": "t3", "data": _shown(row, raw=raw)} for row in rows]
    data = {"after": after, "before": None, "dist": len(children), "children": children}
    return Reply(200, {"kind": "Listing", "data": data}, {"x-ratelimit-remaining": "99.0", "x-ratelimit-reset": "60"})


def _shown(row: sqlite3.Row, *, raw: bool) -> dict[str, Any]:
    # Without raw_json Reddit writes three signs as HTML does.
    written = (lambda text: text) if raw else (lambda text: html.escape(text, quote=False))
    permalink = _permalink(row["subreddit"], row["name"])
    return {
        "id": row["name"].removeprefix("t3_"),
        "name": row["name"],
        "title": written(row["title"]),
        "subreddit": row["subreddit"],
        "permalink": permalink,
        "url": written(row["url"] or f"https://www.reddit.com{permalink}"),
        "selftext": written(row["text"]),
        "created_utc": row["created_at"],
        "author": USERNAME,
        "score": 1,
        "upvote_ratio": 1.0,
        "num_comments": 0,
        "removed_by_category": None,
        "is_self": row["kind"] == "self",
        "over_18": False,
        **({"crosspost_parent": row["parent"]} if row["parent"] else {}),
    }


def _permalink(place: str, name: str) -> str:
    return f"/r/{place}/comments/{name.removeprefix('t3_')}/post/"


def edit(call: Call) -> Reply:
    """POST editusertext: the text of a text post, and nothing else."""
    row = _find(call, call.body["thing_id"])
    if row is None:
        raise Refusal(data_error(404, "Not Found"))
    if row["kind"] != "self":
        raise Refusal(data_error(403, "Forbidden"))
    call.db.execute("UPDATE reddit_post SET text = ? WHERE name = ?", (call.body["text"], row["name"]))
    call.effect("editPost", row["name"], text=call.body["text"])
    return Reply(200, {"json": {"errors": [], "data": {"things": [{"kind": "t3", "data": {"name": row["name"]}}]}}})


def delete(call: Call) -> Reply:
    """POST del: always an empty object, whether there was anything to delete or not."""
    row = _find(call, call.body["id"])
    if row is not None:
        call.db.execute("UPDATE reddit_post SET gone = 1 WHERE name = ?", (row["name"],))
        call.effect("deletePost", row["name"])
    return Reply(200, {})


def requirements(call: Call) -> Reply:
    """GET post_requirements."""
    community = COMMUNITIES.get(call.path["subreddit"].lower())
    if community is None:
        raise Refusal(data_error(404, "Not Found"))
    banned = [] if community.banned_domain is None else [community.banned_domain]
    body = {
        "title_text_min_length": None,
        "title_text_max_length": community.title_max,
        "body_text_min_length": None,
        "body_text_max_length": None,
        "is_flair_required": community.flair is not None,
        "body_restriction_policy": "none" if community.texts else "notAllowed",
        "link_restriction_policy": "blacklist" if banned else "none",
        "domain_blacklist": banned,
        "domain_whitelist": [],
        "link_repost_age": None,
    }
    return Reply(200, body)


def flairs(call: Call) -> Reply:
    """GET link_flair_v2."""
    community = COMMUNITIES.get(call.path["subreddit"].lower())
    if community is None:
        raise Refusal(data_error(404, "Not Found"))
    known = [] if community.flair is None else [community.flair]
    return Reply(200, [{"id": one, "text": "Launch", "text_editable": True, "mod_only": False} for one in known])
