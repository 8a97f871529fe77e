"""Discord's HTTP API, as the connector ``discord`` meets it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any, ClassVar

from connectors.sandbox import discord_data, discord_events, discord_messages, discord_posting
from connectors.sandbox.contract import Contract, Problem, ProblemKind
from connectors.sandbox.discord_data import BOT, DIRECT, GUILD, SEEDED_CHANNELS, SHAPES, error, ok, unfit, user
from connectors.sandbox.platform import Call, Handler, Platform, Refusal, Reply


def _channels(call: Call) -> Reply:
    """GET /guilds/{id}/channels: what the bot may see, without threads."""
    discord_events.check_guild(call)
    rows = call.db.execute("SELECT * FROM discord_channel WHERE kind <> ? AND rights <> '' ORDER BY id", (DIRECT,))
    shown = [
        {
            "id": row["id"],
            "type": row["kind"],
            "name": row["name"],
            "guild_id": GUILD,
            "position": place,
            "parent_id": None,
            "topic": None,
            "flags": 0,
        }
        for place, row in enumerate(rows)
    ]
    return ok(call, shown)


def _me(call: Call) -> Reply:
    return ok(call, {**user(BOT, "neonhub", bot=True), "mfa_enabled": False, "locale": "en-US"})


class Discord(Platform):
    """Discord: messages, webhooks, direct conversations and scheduled events."""

    slug: ClassVar[str] = "discord"
    tables: ClassVar[str] = discord_data.TABLES
    operations: ClassVar[Mapping[str, Handler]] = {
        "sendMessage": discord_posting.send,
        "listMessages": discord_messages.listing,
        "getMessage": discord_messages.one,
        "editMessage": discord_messages.edit,
        "deleteMessage": discord_messages.delete,
        "crosspostMessage": discord_messages.crosspost,
        "sendWebhookMessage": discord_posting.send_by_webhook,
        "getWebhookMessage": discord_messages.one_of_webhook,
        "editWebhookMessage": discord_messages.edit_by_webhook,
        "deleteWebhookMessage": discord_messages.delete_by_webhook,
        "searchMessages": discord_messages.search,
        "openDM": discord_posting.open_direct,
        "createScheduledEvent": discord_events.create,
        "listScheduledEvents": discord_events.listing,
        "getScheduledEvent": discord_events.one,
        "updateScheduledEvent": discord_events.update,
        "deleteScheduledEvent": discord_events.delete,
        "getChannels": _channels,
        "checkCredentials": _me,
    }

    def widen(self, contract: Contract) -> None:
        """What comes as JSON may also come as a part of a form with files."""
        for name in ("CreateMessage", "EditMessage", "ExecuteWebhook", "EditWebhookMessage"):
            SHAPES[name] = contract.shape(name)

    def seed(self, db: sqlite3.Connection, *, now: float) -> None:
        """A server with nine channels, a bot and a webhook."""
        discord_data.seed(db)

    def describe(self, db: sqlite3.Connection) -> dict[str, Any]:
        """The bot and the webhook in the shape a connection wants, and the channels by name."""
        bot = db.execute("SELECT * FROM discord_bot").fetchone()
        hook = db.execute("SELECT * FROM discord_webhook").fetchone()
        return {
            "account": bot["guild"],
            "credential": {
                "bot_token": bot["token"],
                "webhook_url": f"https://discord.com/api/webhooks/{hook['id']}/{hook['token']}",
            },
            "settings": {"guild_id": bot["guild"], "webhook_channel_id": hook["channel"]},
            "channels": {name: key for name, (key, *_) in SEEDED_CHANNELS.items()},
        }

    def authenticate(self, call: Call) -> None:
        """A client that names itself, and the bot's token where one is needed."""
        if not call.headers.get("user-agent", "").startswith("DiscordBot ("):
            raise Refusal(error(403, 40333, "internal network error"))
        if not call.operation.security:
            return
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        known = call.db.execute("SELECT 1 FROM discord_bot WHERE token = ?", (token.strip(),)).fetchone()
        if scheme != "Bot" or known is None:
            raise Refusal(self.auth_expired())

    def refuse(self, problem: Problem) -> Reply:
        """Discord's error body; 50035 nests what is wrong by field."""
        match problem.kind:
            case ProblemKind.UNKNOWN_PATH:
                return error(404, 0, "404: Not Found")
            case ProblemKind.METHOD:
                return error(405, 0, "405: Method Not Allowed")
            case ProblemKind.CONTENT_TYPE | ProblemKind.MALFORMED_BODY:
                return error(400, 50109, "The request body contains invalid JSON.")
            case _ if any("|" in found.field for found in problem.violations):
                return error(400, 50006, "Cannot send an empty message")
            case _:
                return unfit(*problem.violations)

    def rate_limited(self, *, retry_after_s: int | None) -> Reply:
        """429, with the time to wait in the body and in the header."""
        wait_s = retry_after_s or 0.5
        headers = {"Retry-After": str(wait_s), "X-RateLimit-Scope": "user", "Via": "1.1 google"}
        return Reply(429, {"message": "You are being rate limited.", "retry_after": wait_s, "global": False}, headers)

    def server_error(self, status: int) -> Reply:
        """Discord's outages answer with a page."""
        return Reply(status, f"<html><body>{status}</body></html>", content_type="text/html")

    def auth_expired(self) -> Reply:
        """401 with code 0."""
        return error(401, 0, "401: Unauthorized")

    def opt_out(self, db: sqlite3.Connection, address: str, *, out: bool, now: float) -> None:
        """The person closes the direct messages with the bot (or opens them again)."""
        if out:
            db.execute("INSERT OR IGNORE INTO discord_opted_out VALUES (?)", (address,))
        else:
            db.execute("DELETE FROM discord_opted_out WHERE user = ?", (address,))
