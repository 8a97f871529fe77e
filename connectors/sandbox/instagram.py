"""Instagram's part of the Graph API, as the connector ``instagram`` meets it, on either of its hosts."""

from __future__ import annotations

import hmac
import sqlite3
from collections.abc import Mapping
from typing import Any, ClassVar

from connectors.sandbox import (
    instagram_containers,
    instagram_data,
    instagram_media,
    instagram_people,
    meta_graph,
)
from connectors.sandbox.contract import Problem
from connectors.sandbox.platform import Call, Handler, Platform, Refusal, Reply

_REFRESHABLE_AFTER_S = 86_400


def _exchange(call: Call) -> Reply:
    """GET access_token: a short-lived token against one that lives 60 days."""
    account = call.db.execute("SELECT * FROM instagram_account").fetchone()
    if call.query["grant_type"] != "ig_exchange_token":
        raise meta_graph.refusal(100, "Unsupported grant_type")
    if not hmac.compare_digest(call.query["client_secret"].encode(), account["app_secret"].encode()):
        raise meta_graph.refusal(1, "Error validating client secret")
    row = _token(call.db, call.query["access_token"], call.now)
    if row is None or row["kind"] != "short":
        raise Refusal(meta_graph.expired())
    return _fresh(call)


def _refresh(call: Call) -> Reply:
    """GET refresh_access_token: a living token that is a day old; it is replaced."""
    if call.query["grant_type"] != "ig_refresh_token":
        raise meta_graph.refusal(100, "Unsupported grant_type")
    row = _token(call.db, call.query["access_token"], call.now)
    if row is None or row["kind"] != "long":
        raise Refusal(meta_graph.expired())
    if call.now < row["created_at"] + _REFRESHABLE_AFTER_S:
        raise meta_graph.refusal(100, "The token is not 24 hours old yet")
    call.db.execute("DELETE FROM instagram_token WHERE token = ?", (row["token"],))
    return _fresh(call)


def _fresh(call: Call) -> Reply:
    token = instagram_data.add_token(call.db, "long", now=call.now)
    return Reply(200, {"access_token": token, "token_type": "bearer", "expires_in": instagram_data.LONG_LIFE_S})


class Instagram(Platform):
    """Instagram: containers, posts, stories, direct messages, comments, insights."""

    slug: ClassVar[str] = "instagram"
    tables: ClassVar[str] = instagram_data.TABLES
    operations: ClassVar[Mapping[str, Handler]] = {
        "createMediaContainer": instagram_containers.create,
        "uploadVideoBytes": instagram_containers.receive,
        "publishMedia": instagram_media.publish,
        "getPublishingLimit": instagram_media.limit,
        "listMedia": instagram_media.listing,
        "listStories": instagram_media.stories,
        "getContainerStatus": instagram_media.node,
        "deleteMedia": instagram_media.delete,
        "getInsights": instagram_media.insights,
        "createComment": instagram_media.comment,
        "listComments": instagram_media.comments,
        "respondDM": instagram_people.respond,
        "listConversations": instagram_people.conversations,
        "exchangeInstagramToken": _exchange,
        "refreshInstagramToken": _refresh,
    }

    def seed(self, db: sqlite3.Connection, *, now: float) -> None:
        """One professional account with a long-lived token; its app requires the proof of its secret."""
        instagram_data.seed(db, now=now)

    def describe(self, db: sqlite3.Connection) -> dict[str, Any]:
        """The account, in the shape a connection wants, and a short-lived token to exchange."""
        account = db.execute("SELECT * FROM instagram_account").fetchone()

        def newest(kind: str) -> str:
            row = db.execute(
                "SELECT token FROM instagram_token WHERE kind = ? ORDER BY expires_at DESC LIMIT 1", (kind,)
            ).fetchone()
            token: str = row["token"]
            return token

        return {
            "account": account["ig_user_id"],
            "credential": {"access_token": newest("long"), "app_secret": account["app_secret"]},
            "settings": {"ig_user_id": account["ig_user_id"], "page_id": account["page_id"]},
            "short_lived_token": newest("short"),
        }

    def recognizes(self, headers: Mapping[str, str], raw_query: bytes, db: sqlite3.Connection) -> bool:
        """By the token: Meta's platforms share a host and their paths."""
        token = meta_graph.bearer(headers)
        return db.execute("SELECT 1 FROM instagram_token WHERE token = ?", (token,)).fetchone() is not None

    def authenticate(self, call: Call) -> sqlite3.Row | None:
        """A living token, with the proof that the app's own server uses it."""
        if call.operation.security is None:
            return None
        token = meta_graph.bearer(call.headers)
        row = call.db.execute("SELECT * FROM instagram_token WHERE token = ?", (token,)).fetchone()
        if row is None or token is None:
            raise Refusal(meta_graph.error(190, "Invalid OAuth access token", status=401, subcode=467))
        if row["expires_at"] <= call.now:
            raise Refusal(meta_graph.expired())
        account: sqlite3.Row = call.db.execute("SELECT * FROM instagram_account").fetchone()
        if call.operation.id != "uploadVideoBytes":
            meta_graph.check_proof(call, token, account["app_secret"])
        return account

    def refuse(self, problem: Problem) -> Reply:
        """Meta's error body with the code that fits."""
        return meta_graph.unfit(problem)

    def rate_limited(self, *, retry_after_s: int | None) -> Reply:
        """80002, with the minutes to wait in the usage header."""
        message = "There have been too many calls to this Instagram account"
        return meta_graph.limited(80002, message, use="instagram", retry_after_s=retry_after_s)

    def server_error(self, status: int) -> Reply:
        """Meta's 500 or 503."""
        return meta_graph.failure(status)

    def auth_expired(self) -> Reply:
        """401 with code 190, subcode 463."""
        return meta_graph.expired()

    def opt_out(self, db: sqlite3.Connection, address: str, *, out: bool, now: float) -> None:
        """The person blocks the account (or allows it again)."""
        instagram_people.leave(db, address, gone=out)

    def hear(self, db: sqlite3.Connection, address: str, *, now: float) -> None:
        """The person writes: for 24 hours they may be answered."""
        instagram_people.hear(db, address, now=now)


def _token(db: sqlite3.Connection, token: str, now: float) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        "SELECT * FROM instagram_token WHERE token = ? AND expires_at > ?", (token, now)
    ).fetchone()
    return row
