"""What can be done with posts on X? Publish, delete, read, list, search, count."""

from __future__ import annotations

import json
import re
import sqlite3
import unicodedata
import zlib
from collections.abc import Mapping
from typing import Any

from connectors.sandbox import x_media
from connectors.sandbox.platform import Call, Refusal, Reply
from connectors.sandbox.x_data import (
    ME,
    forbidden,
    invalid,
    new_id,
    no_such,
    not_found,
    ok,
    problem,
    seconds,
    shown_time,
)
from connectors.sandbox.x_text import length, shown

_MOST = 280
# How long X refuses the same text of an account; it does not say.
_SAME_TEXT_S = 3600.0
_EDITABLE_S = 3600.0
_EXCLUSIVE = ("media", "poll", "quote_tweet_id", "card_uri")
_CASHTAG = re.compile(r"(?<!\w)\$[A-Za-z]{1,6}\b")
_DAY_S = 86_400


def create(call: Call) -> Reply:
    """POST /2/tweets: the same text of the same account is refused for a while."""
    given: dict[str, Any] = call.body
    text = unicodedata.normalize("NFC", given.get("text", ""))
    _check(call, given, text)
    again = call.db.execute(
        "SELECT 1 FROM x_post WHERE author = ? AND text = ? AND text <> '' AND made_at > ? AND NOT deleted",
        (ME[0], text, call.now - _SAME_TEXT_S),
    ).fetchone()
    if again is not None:
        raise forbidden("You are not allowed to create a Tweet with duplicate content.")
    key = new_id(call.db, "x_post", call.now)
    add = "INSERT INTO x_post (id, author, text, content, made_at, visible_at) VALUES (?, ?, ?, ?, ?, ?)"
    call.db.execute(add, (key, ME[0], text, json.dumps(given), call.now, call.visible_at))
    reply = given.get("reply", {})
    call.effect("postTweet", str(key), recipient=reply.get("in_reply_to_tweet_id"), text=given.get("text", ""))
    row = _row(call, str(key))
    return ok(
        call, {"data": {"id": str(key), "text": _shown(row)["text"], "edit_history_tweet_ids": [str(key)]}}, status=201
    )


def delete(call: Call) -> Reply:
    """DELETE /2/tweets/{id}: the account's own only."""
    row = _row(call, call.path["id"])
    if row["author"] != ME[0]:
        raise forbidden("You are not permitted to delete this Tweet.")
    call.db.execute("UPDATE x_post SET deleted = 1 WHERE id = ?", (row["id"],))
    call.effect("deleteTweet", str(row["id"]))
    return ok(call, {"data": {"deleted": True}})


def one(call: Call) -> Reply:
    """GET /2/tweets/{id}: what is not there is told inside a 200."""
    wanted = _wanted(call)
    row = _find(call, call.path["id"])
    if row is None:
        return ok(call, {"errors": [no_such("tweet", call.path["id"])]})
    if {"non_public_metrics", "organic_metrics"} & wanted and row["author"] != ME[0]:
        refused = problem(403, "not-authorized-for-resource", "Forbidden", "Field not authorized.")
        return Reply(200, {"errors": [refused.body]})
    return ok(call, {"data": _picked(row, wanted)})


def several(call: Call) -> Reply:
    """GET /2/tweets: 200 with errors for those that are not there."""
    wanted, ids = _wanted(call), call.query["ids"]
    rows = {key: row for key in ids if (row := _find(call, key)) is not None}
    data = {"data": [_picked(row, wanted) for row in rows.values()]} if rows else {}
    errors = [no_such("tweet", key, parameter="ids") for key in ids if key not in rows]
    return ok(call, {**data, **({"errors": errors} if errors else {})})


def of_user(call: Call) -> Reply:
    """GET /2/users/{id}/tweets."""
    if call.db.execute("SELECT 1 FROM x_user WHERE id = ?", (call.path["id"],)).fetchone() is None:
        return ok(call, {"errors": [no_such("user", call.path["id"])]})
    no_replies = "replies" in call.query.get("exclude", ())
    return _page(
        call,
        lambda row: row["author"] == call.path["id"] and not (no_replies and "reply" in json.loads(row["content"])),
    )


def mentions(call: Call) -> Reply:
    """GET /2/users/{id}/mentions."""
    name = call.db.execute("SELECT username FROM x_user WHERE id = ?", (call.path["id"],)).fetchone()
    if name is None:
        return ok(call, {"errors": [no_such("user", call.path["id"])]})
    return _page(call, lambda row: f"@{name['username']}" in row["text"])


def search(call: Call) -> Reply:
    """GET /2/tweets/search/recent: all words, and ``from:``; seven days back."""
    words = call.query["query"].lower().split()
    if "start_time" in call.query and seconds(call.query["start_time"]) < call.now - 7 * _DAY_S:
        raise Refusal(invalid(start_time="must be within the last 7 days"))
    names = {row["id"]: row["username"].lower() for row in call.db.execute("SELECT * FROM x_user")}

    def fits(row: sqlite3.Row) -> bool:
        text = row["text"].lower()
        return all(word[5:] == names[row["author"]] if word.startswith("from:") else word in text for word in words)

    return _page(call, fits, since=call.now - 7 * _DAY_S, default=10)


def analytics(call: Call) -> Reply:
    """GET /2/tweets/analytics: own posts only."""
    start, end = seconds(call.query["start_time"]), seconds(call.query["end_time"])
    if end <= start:
        raise Refusal(invalid(end_time="must be after start_time"))
    counts = {"impressions": 100, "likes": 5, "replies": 1, "retweets": 2, "url_clicks": 3, "engagements": 11}
    days = call.query.get("granularity", "total") != "total"
    span = {"timestamp": shown_time(start), "metrics": counts}
    data, errors = [], []
    for key in call.query["ids"]:
        row = _find(call, key)
        if row is None or row["author"] != ME[0]:
            errors.append(no_such("tweet", key, parameter="ids"))
        else:
            data.append({"id": key, **({"timestamped_metrics": [span]} if days else counts)})
    return ok(call, {**({"data": data} if data else {}), **({"errors": errors} if errors else {})})


def hear(db: sqlite3.Connection, username: str, *, now: float) -> None:
    """A person posts something that mentions the account."""
    user = f"16{zlib.crc32(username.encode()):015d}"
    db.execute("INSERT OR IGNORE INTO x_user VALUES (?, ?, ?)", (user, username, username.title()))
    row = db.execute("SELECT id FROM x_user WHERE username = ?", (username,)).fetchone()
    db.execute(
        "INSERT INTO x_post (id, author, text, content, made_at, visible_at) VALUES (?, ?, ?, '{}', ?, ?)",
        (new_id(db, "x_post", now), row["id"], f"@{ME[1]} hi", now, now),
    )


def _check(call: Call, given: Mapping[str, Any], text: str) -> None:
    if length(text) > _MOST:
        raise Refusal(invalid(text="is too long"))
    if not text.strip() and not any(name in given for name in _EXCLUSIVE):
        raise Refusal(invalid(text="must not be empty"))
    if sum(name in given for name in _EXCLUSIVE) > 1:
        raise Refusal(invalid(media="cannot be combined with a poll, a quote or a card"))
    if len(_CASHTAG.findall(text)) > 1:
        raise forbidden("Posts may contain one cashtag only.")
    if "media" in given:
        x_media.check_usable(call, given["media"]["media_ids"])
    _check_others(call, given)


def _check_others(call: Call, given: Mapping[str, Any]) -> None:
    """The posts that a post answers, quotes or replaces."""
    if "reply" in given:
        _check_reply(call, given["reply"]["in_reply_to_tweet_id"])
    if "quote_tweet_id" in given and _find(call, given["quote_tweet_id"]) is None:
        raise Refusal(invalid(quote_tweet_id="does not exist"))
    if "edit_options" in given:
        before = _find(call, given["edit_options"]["previous_post_id"])
        if before is None or before["author"] != ME[0] or before["made_at"] < call.now - _EDITABLE_S:
            raise forbidden("You are not permitted to edit this Tweet.")


def _check_reply(call: Call, key: str) -> None:
    to = _find(call, key)
    if to is None:
        raise forbidden("You attempted to reply to a Tweet that is deleted or not visible to you.")
    if to["author"] != ME[0] and f"@{ME[1]}" not in to["text"]:
        raise forbidden("You may reply only to a Tweet whose author mentioned or quoted you.")


def _page(call: Call, fits: Any, *, since: float = 0.0, default: int = 100) -> Reply:
    query, wanted = call.query, _wanted(call)
    begin = max(since, seconds(query["start_time"]) if "start_time" in query else 0.0)
    end = seconds(query["end_time"]) if "end_time" in query else call.now + 1
    token = query.get("next_token") or query.get("pagination_token")
    before = _id_of(token) if token else int(query.get("until_id", 2**63 - 1))
    rows = call.db.execute(
        "SELECT * FROM x_post WHERE NOT deleted AND visible_at <= ? AND id > ? AND id < ?"
        " AND made_at >= ? AND made_at < ? ORDER BY id DESC",
        (call.now, int(query.get("since_id", 0)), before, begin, end),
    ).fetchall()
    found, size = [row for row in rows if fits(row)], query.get("max_results", default)
    page = found[:size]
    if not page:
        return ok(call, {"meta": {"result_count": 0}})
    meta = {"result_count": len(page), "newest_id": str(page[0]["id"]), "oldest_id": str(page[-1]["id"])}
    more = {"next_token": f"b{page[-1]['id']:x}"} if len(found) > size else {}
    return ok(call, {"data": [_picked(row, wanted) for row in page], "meta": {**meta, **more}})


def _id_of(token: str) -> int:
    try:
        return int(token.removeprefix("b"), 16)
    except ValueError:
        raise Refusal(invalid(pagination_token="is not one of ours")) from None  # noqa: S106


def _find(call: Call, key: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = call.db.execute(
        "SELECT * FROM x_post WHERE id = ? AND NOT deleted", (int(key),)
    ).fetchone()
    return row


def _row(call: Call, key: str) -> sqlite3.Row:
    row = _find(call, key)
    if row is None:
        raise not_found("tweet", key)
    return row


def _wanted(call: Call) -> set[str]:
    """The fields that were asked for, by either of their names."""
    if "post.fields" in call.query and "tweet.fields" in call.query:
        raise Refusal(invalid(tweet__fields="cannot be combined with post.fields"))
    asked = {*call.query.get("post.fields", ()), *call.query.get("tweet.fields", ())}
    return {"id", "text", *asked, *call.query.get("expansions", ())}


def _picked(row: sqlite3.Row, wanted: set[str]) -> dict[str, Any]:
    return {name: value for name, value in _shown(row).items() if name in wanted and value not in (None, {}, [])}


def _shown(row: sqlite3.Row) -> dict[str, Any]:
    given: dict[str, Any] = json.loads(row["content"])
    media = given.get("media", {}).get("media_ids", [])
    of_media = f"https://x.com/{ME[1]}/status/{row['id']}/photo/1"
    quoted = given.get("quote_tweet_id")
    after = ((of_media,) if media else ()) + ((f"https://x.com/i/status/{quoted}",) if quoted else ())
    text, entities = shown(row["text"], after=after)
    to = [("replied_to", given.get("reply", {}).get("in_reply_to_tweet_id")), ("quoted", quoted)]
    references = [{"type": kind, "id": key} for kind, key in to if key]
    attachments = {
        **({"media_keys": [f"3_{key}" for key in media]} if media else {}),
        **({"poll_ids": [str(row["id"] + 1)]} if "poll" in given else {}),
    }
    counts = {"reply_count": 0, "like_count": 0, "quote_count": 0, "bookmark_count": 0, "impression_count": 7}
    return {
        "id": str(row["id"]),
        "text": text,
        "author_id": row["author"],
        "created_at": shown_time(row["made_at"]),
        "entities": entities,
        "attachments": attachments,
        "referenced_tweets": references,
        "referenced_posts": references,
        "public_metrics": {**counts, "retweet_count": 0},
        "non_public_metrics": {"impression_count": 7, "url_link_clicks": 3, "user_profile_clicks": 1},
    }
