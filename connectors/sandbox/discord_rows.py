"""What is a message of the sandbox's Discord, how is it found, and what may it say?"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from connectors.sandbox.discord_data import BOT, new_id, refusal, shown_time, unfit_field, user
from connectors.sandbox.platform import Call

_EMBEDDED = 6_000
_COMPONENTS_V2 = 1 << 15
_SAYINGS = ("content", "embeds", "sticker_ids", "components", "poll", "attachments")


def check(given: Mapping[str, Any]) -> None:
    """What a message may not say, or not together.

    Raises:
        Refusal: It does.
    """
    if not any({**given, "content": (given.get("content") or "").strip()}.get(name) for name in _SAYINGS):
        raise refusal(400, 50006, "Cannot send an empty message")
    if sum(map(_length, given.get("embeds") or ())) > _EMBEDDED:
        raise unfit_field("embeds", "MAX_EMBED_SIZE_EXCEEDED")
    if (given.get("flags") or 0) & _COMPONENTS_V2 and (given.get("content") or given.get("embeds")):
        raise unfit_field("content", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2")
    if "harmful.example" in (given.get("content") or ""):
        raise refusal(400, 240000, "Message contains a harmful link")
    mentions = given.get("allowed_mentions", {})
    if any(kind in mentions.get("parse", ()) and mentions.get(kind) for kind in ("users", "roles")):
        raise unfit_field("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE")


def insert(
    call: Call, channel: str, given: Mapping[str, Any], *, nonce: str | None = None, webhook: str | None = None
) -> sqlite3.Row:
    """Store a new message."""
    key = new_id(call, "discord_message")
    # White space around a text is cut off.
    content = {**given, "content": (given.get("content") or "").strip()}
    call.db.execute(
        "INSERT INTO discord_message (id, channel, webhook, nonce, content, sent_at, visible_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (key, channel, webhook, nonce, json.dumps(content), call.now, call.visible_at),
    )
    row: sqlite3.Row = call.db.execute("SELECT * FROM discord_message WHERE id = ?", (key,)).fetchone()
    return row


def find(call: Call, channel: str, key: str) -> sqlite3.Row | None:
    """One message, also when lists do not show it yet."""
    row: sqlite3.Row | None = call.db.execute(
        "SELECT * FROM discord_message WHERE id = ? AND channel = ? AND NOT deleted", (int(key), channel)
    ).fetchone()
    return row


def webhook(call: Call) -> sqlite3.Row:
    """The webhook of a request's path.

    Raises:
        Refusal: There is none, or its token is wrong.
    """
    row: sqlite3.Row | None = call.db.execute(
        "SELECT * FROM discord_webhook WHERE id = ?", (call.path["webhook_id"],)
    ).fetchone()
    if row is None:
        raise refusal(404, 10015, "Unknown Webhook")
    if row["token"] != call.path["webhook_token"]:
        raise refusal(401, 50027, "Invalid Webhook Token")
    return row


def text(given: Mapping[str, Any]) -> str:
    """What a message says, for the count of effects."""
    embeds = given.get("embeds") or [{}]
    return given.get("content") or embeds[0].get("title") or embeds[0].get("description") or ""


def shown(row: sqlite3.Row) -> dict[str, Any]:
    """A message as Discord shows it."""
    content: dict[str, Any] = json.loads(row["content"])
    edited_at = content.get("edited_at")
    by_hook = row["webhook"] is not None
    author = user(row["webhook"] or BOT, content.get("username", "neonhub"), bot=True)
    return {
        "id": str(row["id"]),
        "channel_id": row["channel"],
        "type": 19 if "message_reference" in content else 0,
        "content": content["content"] or "",
        "author": author,
        "timestamp": shown_time(row["sent_at"]),
        "edited_timestamp": None if edited_at is None else shown_time(edited_at),
        "flags": (content.get("flags") or 0) | row["crossposted"],
        "attachments": content.get("attachments") or [],
        "embeds": [{"type": "rich", **embed} for embed in content.get("embeds") or ()],
        "mentions": [],
        "mention_roles": [],
        "mention_everyone": False,
        "pinned": False,
        "tts": False,
        "components": content.get("components") or [],
        **({"webhook_id": row["webhook"]} if by_hook else {}),
        **({"message_reference": content["message_reference"]} if "message_reference" in content else {}),
        **({"poll": content["poll"]} if content.get("poll") else {}),
    }


def _length(embed: Mapping[str, Any]) -> int:
    parts = [embed.get("title"), embed.get("description"), embed.get("author", {}).get("name")]
    parts += [embed.get("footer", {}).get("text")]
    parts += [part for field in embed.get("fields", ()) for part in (field["name"], field["value"])]
    return sum(len(part) for part in parts if part)
