"""X's API v2, as the connector ``x`` meets it."""

from __future__ import annotations

import math
import secrets
import sqlite3
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from connectors.sandbox import x_data, x_media, x_oauth, x_posts
from connectors.sandbox.contract import Problem, ProblemKind
from connectors.sandbox.platform import Call, Handler, Platform, Refusal, Reply
from connectors.sandbox.x_data import (
    FRIEND,
    LIMITED_SCOPES,
    ME,
    SCOPES,
    forbidden,
    invalid,
    new_id,
    new_token,
    ok,
    problem,
)


def _me(call: Call) -> Reply:
    key, username, name = ME
    counts = {"followers_count": 12, "following_count": 3, "tweet_count": 7, "listed_count": 0}
    told = {"id": key, "username": username, "name": name, "public_metrics": counts, "verified_type": "none"}
    wanted = {"id", "username", "name", *call.query.get("user.fields", ())}
    return ok(call, {"data": {field: value for field, value in told.items() if field in wanted}})


def _message(call: Call) -> Reply:
    """POST /2/dm_conversations/with/{id}/messages."""
    person = call.path["participant_id"]
    if call.db.execute("SELECT 1 FROM x_closed WHERE user = ?", (person,)).fetchone():
        said = {"errors": [{"code": 349, "message": "You cannot send messages to this user."}]}
        raise Refusal(Reply(403, said))
    for attached in call.body.get("attachments", ()):
        x_media.check_usable(call, [attached["media_id"]])
    key = new_id(call.db, "x_message", call.now)
    call.db.execute("INSERT INTO x_message VALUES (?, ?, ?)", (key, person, call.body.get("text")))
    call.effect("sendDirectMessage", str(key), recipient=person, text=call.body.get("text"))
    return ok(call, {"data": {"dm_event_id": str(key), "dm_conversation_id": f"{ME[0]}-{person}"}}, status=201)


def _usage(call: Call) -> Reply:
    told = {"project_id": "1", "project_cap": "3000000", "project_usage": "1234", "cap_reset_day": 7}
    wanted = call.query.get("usage.fields", ["project_cap", "project_usage"])
    return ok(call, {"data": {field: value for field, value in told.items() if field in wanted}})


class X(Platform):
    """X: posts, media, direct messages, counts, and tokens that rotate."""

    slug: ClassVar[str] = "x"
    tables: ClassVar[str] = x_data.TABLES
    operations: ClassVar[Mapping[str, Handler]] = {
        "postTweet": x_posts.create,
        "deleteTweet": x_posts.delete,
        "getTweets": x_posts.several,
        "getTweetMetrics": x_posts.one,
        "searchTweets": x_posts.search,
        "listUserTweets": x_posts.of_user,
        "listMentions": x_posts.mentions,
        "getTweetAnalytics": x_posts.analytics,
        "getMe": _me,
        "uploadMedia": x_media.simple,
        "getMediaUploadStatus": x_media.status,
        "initializeMediaUpload": x_media.begin,
        "appendMediaUpload": x_media.append,
        "finalizeMediaUpload": x_media.finish,
        "setMediaMetadata": x_media.describe,
        "sendDirectMessage": _message,
        "getUsage": _usage,
        "refreshToken": x_oauth.token,
        "authorize": x_oauth.authorize,
    }

    def seed(self, db: sqlite3.Connection, *, now: float) -> None:
        """An account and a friend of it; an app with tokens of all scopes, and one of few."""
        db.execute(
            "INSERT INTO x_app VALUES (?, ?, ?)",
            (secrets.token_urlsafe(24), secrets.token_urlsafe(36), f"AAAA{secrets.token_urlsafe(60)}"),
        )
        db.executemany("INSERT INTO x_user VALUES (?, ?, ?)", [ME, FRIEND])
        until = now + x_oauth.LIFETIME_S
        new_token(db, "access", SCOPES, expires_at=until)
        new_token(db, "access", LIMITED_SCOPES, expires_at=until)
        new_token(db, "refresh", SCOPES, expires_at=None)

    def describe(self, db: sqlite3.Connection) -> dict[str, Any]:
        """The account with its newest tokens, in the shape a connection wants, and a token of few scopes."""
        app = db.execute("SELECT * FROM x_app").fetchone()
        newest = "SELECT * FROM x_token WHERE kind = ? AND scopes = ? AND NOT spent ORDER BY expires_at DESC LIMIT 1"
        access = db.execute(newest, ("access", SCOPES)).fetchone()
        return {
            "account": ME[0],
            "credential": {
                "client_id": app["client_id"],
                "client_secret": app["secret"],
                "access_token": access["token"],
                "expires_at": datetime.fromtimestamp(access["expires_at"], UTC).isoformat(),
                "refresh_token": db.execute(newest, ("refresh", SCOPES)).fetchone()["token"],
                "app_token": app["token"],
            },
            "settings": {"user_id": ME[0]},
            "limited_access_token": db.execute(newest, ("access", LIMITED_SCOPES)).fetchone()["token"],
            "friend": FRIEND[0],
        }

    def authenticate(self, call: Call) -> None:
        """The account's token with all scopes of the operation; the app's own where it is enough."""
        security = call.operation.security
        if security is None or "ClientBasic" in security:
            return
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refusal(self.auth_expired())
        app = call.db.execute("SELECT 1 FROM x_app WHERE token = ?", (token,)).fetchone()
        if app is not None and "BearerToken" in security:
            return
        if app is not None:
            raise Refusal(
                problem(403, "unsupported-authentication", "Unsupported Authentication", "User context needed.")
            )
        row = call.db.execute(
            "SELECT scopes FROM x_token WHERE token = ? AND kind = 'access' AND expires_at > ?", (token, call.now)
        ).fetchone()
        if row is None:
            raise Refusal(self.auth_expired())
        if "OAuth2UserToken" not in security:
            raise Refusal(problem(403, "unsupported-authentication", "Unsupported Authentication", "App token needed."))
        if not set(security["OAuth2UserToken"]) <= set(row["scopes"].split()):
            raise forbidden("Forbidden")

    def refuse(self, found: Problem) -> Reply:
        """X's error body with the parameters at fault."""
        match found.kind:
            case ProblemKind.UNKNOWN_PATH | ProblemKind.METHOD:
                return Reply(404, "", content_type="text/plain")
            case ProblemKind.CONTENT_TYPE:
                return problem(415, None, "Unsupported Media Type", "Unsupported Media Type")
            case ProblemKind.MALFORMED_BODY:
                return invalid(body="is not what its content type says")
            case _:
                named = (".".join(filter(None, (one.field, one.inside))) for one in found.violations)
                return invalid(**{name or "body": "is not right" for name in named})

    def rate_limited(self, *, retry_after_s: int | None) -> Reply:
        """429, with the second from which on requests are taken again."""
        told = {} if retry_after_s is None else {"x-rate-limit-reset": str(math.ceil(time.time() + retry_after_s))}
        said = problem(429, "rate-limit-exceeded", "Too Many Requests", "Too Many Requests")
        return Reply(429, said.body, {"x-rate-limit-limit": "75", "x-rate-limit-remaining": "0", **told})

    def server_error(self, status: int) -> Reply:
        """X's own 500 or 503."""
        title = "Internal Server Error" if status == 500 else "Service Unavailable"
        return problem(status, None, title, "Something is broken.")

    def auth_expired(self) -> Reply:
        """401, whatever is wrong with the token."""
        return problem(401, None, "Unauthorized", "Unauthorized")

    def opt_out(self, db: sqlite3.Connection, address: str, *, out: bool, now: float) -> None:
        """The person closes the direct messages (or opens them again)."""
        if out:
            db.execute("INSERT OR IGNORE INTO x_closed VALUES (?)", (address,))
        else:
            db.execute("DELETE FROM x_closed WHERE user = ?", (address,))

    def hear(self, db: sqlite3.Connection, address: str, *, now: float) -> None:
        """The person of that name mentions the account in a post."""
        x_posts.hear(db, address, now=now)
