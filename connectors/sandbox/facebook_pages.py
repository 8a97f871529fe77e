"""The Page: its posts, those that are to come, and its photos."""

from __future__ import annotations

import json
import sqlite3
from typing import Any
from urllib.parse import urlsplit

from connectors.sandbox import facebook_rules as rules
from connectors.sandbox import meta_graph
from connectors.sandbox.facebook_data import loaded, page_of, shown, shown_time, wanted
from connectors.sandbox.platform import Call, Refusal, Reply

_MOST_CHARACTERS = 63_206
_SOONEST_S, _LATEST_S = 600, 30 * 86_400
_DUPLICATE, _ATTACHED = 506, 1366051


def create_post(call: Call) -> Reply:
    """POST feed: published at once, or kept for later."""
    _check_page(call)
    fields: dict[str, Any] = call.body
    if len(fields.get("message", "")) > _MOST_CHARACTERS:
        raise rules.invalid("The message is too long", field="message")
    publish_at = _publish_at(call, fields)
    photos = [str(one.get("media_fbid")) for one in fields.get("attached_media", ())]
    for photo in photos:
        _check_photo(call, photo)
    if publish_at == call.now and not photos:
        _check_repeat(call, fields)
    post_id = f"{call.principal['page_id']}_{meta_graph.new_id('122')}"
    row = (post_id, json.dumps(fields), call.now, publish_at, call.visible_at)
    call.db.execute("INSERT INTO facebook_post VALUES (?, ?, ?, ?, ?)", row)
    call.db.executemany("UPDATE facebook_photo SET post = ? WHERE id = ?", [(post_id, photo) for photo in photos])
    action = "createPost" if publish_at == call.now else "schedulePost"
    call.effect(action, post_id, key=fields.get("client_mutation_id"), text=fields.get("message"))
    return Reply(200, {"id": post_id})


def create_photo(call: Call) -> Reply:
    """POST photos: one that is not published waits for a post."""
    _check_page(call)
    fields: dict[str, Any] = call.body
    host = urlsplit(fields["url"]).hostname or ""
    # Names below .invalid never exist (RFC 6761): the sandbox loads nothing, and so plays a host that is not there.
    if "." not in host or host.endswith(".invalid"):
        raise rules.invalid("The photo could not be loaded from its URL", field="url")
    photo_id = meta_graph.new_id("122")
    call.db.execute("INSERT INTO facebook_photo VALUES (?, NULL, ?)", (photo_id, call.now))
    if not fields.get("published", True):
        return Reply(200, {"id": photo_id})
    post_id = f"{call.principal['page_id']}_{photo_id}"
    kept = json.dumps({"message": fields.get("caption", fields.get("message"))})
    row = (post_id, kept, call.now, call.now, call.visible_at)
    call.db.execute("INSERT INTO facebook_post VALUES (?, ?, ?, ?, ?)", row)
    call.db.execute("UPDATE facebook_photo SET post = ? WHERE id = ?", (post_id, photo_id))
    call.effect("createPagePhoto", post_id, text=fields.get("caption"))
    return Reply(200, {"id": photo_id, "post_id": post_id})


def feed(call: Call) -> Reply:
    """GET feed: what is published, newest first."""
    _check_page(call)
    since, until = _moment(call, "since", 0.0), _moment(call, "until", call.now)
    query = "SELECT * FROM facebook_post WHERE publish_at <= ? AND visible_at <= ? AND publish_at BETWEEN ? AND ?"
    rows = call.db.execute(f"{query} ORDER BY publish_at DESC, id DESC", (call.now, call.now, since, until))
    return page_of(call, [shown(_known(call, row), wanted(call, "message,created_time")) for row in rows])


def scheduled(call: Call) -> Reply:
    """GET scheduled_posts: what is kept, the next one first."""
    _check_page(call)
    query = "SELECT * FROM facebook_post WHERE publish_at > ? AND visible_at <= ? ORDER BY publish_at, id"
    rows = call.db.execute(query, (call.now, call.now))
    return page_of(call, [shown(_known(call, row), wanted(call, "message,created_time")) for row in rows])


def node(call: Call, post_id: str) -> Reply | None:
    """GET a post; None if there is none of this id."""
    row = _post(call.db, post_id)
    return None if row is None else Reply(200, shown(_known(call, row), wanted(call, "message,created_time")))


def update(call: Call, post_id: str) -> Reply | None:
    """POST a post: another text or time, or published now; None if there is none of this id."""
    row = _post(call.db, post_id)
    if row is None:
        return None
    given: dict[str, Any] = call.body
    unknown = set(given) - {"message", "scheduled_publish_time", "is_published"}
    if unknown:
        raise rules.invalid("A post has no such field to change", field=min(unknown))
    waits = row["publish_at"] > call.now
    if not waits and {"scheduled_publish_time", "is_published"} & set(given):
        raise rules.invalid("The post is published already", field=min(given))
    publish_at, action = row["publish_at"], "updatePost"
    if "scheduled_publish_time" in given:
        publish_at, action = _checked_time(call, given["scheduled_publish_time"]), "reschedulePost"
    if given.get("is_published"):
        publish_at, action = call.now, "publishScheduledPost"
    kept = json.dumps({**loaded(row), **({"message": given["message"]} if "message" in given else {})})
    call.db.execute("UPDATE facebook_post SET fields = ?, publish_at = ? WHERE id = ?", (kept, publish_at, post_id))
    call.effect(action, post_id, text=given.get("message"))
    return Reply(200, {"success": True})


def delete(call: Call, post_id: str) -> Reply | None:
    """DELETE a post; the record goes, our count of its effect stays. None if there is none of this id."""
    if _post(call.db, post_id) is None:
        return None
    call.db.execute("DELETE FROM facebook_post WHERE id = ?", (post_id,))
    call.effect("deletePost", post_id)
    return Reply(200, {"success": True})


def _check_page(call: Call) -> None:
    if call.path["page_id"] != call.principal["page_id"]:
        raise meta_graph.no_such_node()


def _publish_at(call: Call, fields: dict[str, Any]) -> float:
    if "scheduled_publish_time" not in fields:
        if not fields.get("published", True):
            raise rules.invalid("The sandbox keeps unpublished posts only with a time", field="scheduled_publish_time")
        return call.now
    if fields.get("published", True):
        raise rules.invalid("A post with a time must not be published", field="published")
    if fields.get("unpublished_content_type", "SCHEDULED") != "SCHEDULED":
        raise rules.invalid("A post with a time is SCHEDULED", field="unpublished_content_type")
    return _checked_time(call, fields["scheduled_publish_time"])


def _checked_time(call: Call, given: Any) -> float:
    if not isinstance(given, int) or not _SOONEST_S <= given - call.now <= _LATEST_S:
        raise rules.invalid("The time must be 10 minutes to 30 days ahead", field="scheduled_publish_time")
    return float(given)


def _check_photo(call: Call, photo_id: str) -> None:
    row = call.db.execute("SELECT * FROM facebook_photo WHERE id = ?", (photo_id,)).fetchone()
    if row is None:
        raise rules.invalid("attached_media names no photo", field="attached_media")
    if row["post"] is not None:
        raise Refusal(meta_graph.error(100, "These photos were already posted", subcode=_ATTACHED))


def _check_repeat(call: Call, fields: dict[str, Any]) -> None:
    """The same text twice in a row is refused; when another post came between, it is not."""
    query = "SELECT * FROM facebook_post WHERE publish_at <= ? ORDER BY publish_at DESC, id DESC LIMIT 1"
    last = call.db.execute(query, (call.now,)).fetchone()
    if last is None:
        return
    said = loaded(last)
    if (said.get("message"), said.get("link")) == (fields.get("message"), fields.get("link")):
        raise meta_graph.refusal(_DUPLICATE, "Duplicate status message")


def _known(call: Call, row: sqlite3.Row) -> dict[str, Any]:
    waits = row["publish_at"] > call.now
    return {
        "id": row["id"],
        "message": loaded(row).get("message"),
        "created_time": shown_time(row["created_at"] if waits else row["publish_at"]),
        "is_published": not waits,
        "scheduled_publish_time": int(row["publish_at"]) if waits else None,
        "permalink_url": f"https://www.facebook.com/{row['id']}",
    }


def _post(db: sqlite3.Connection, post_id: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT * FROM facebook_post WHERE id = ?", (post_id,)).fetchone()
    return row


def _moment(call: Call, name: str, default: float) -> float:
    text = call.query.get(name)
    if text is None:
        return default
    if not text.isdecimal():
        raise rules.invalid(f"{name} is no time", field=name)
    return float(text)
