"""What does the sandbox's Discord server hold, how is it looked up, and how does Discord say no?"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.sandbox.platform import Call, Refusal, Reply
from connectors.sandbox.shapes import Shape, Violation

TABLES = """
CREATE TABLE IF NOT EXISTS discord_bot (
    id TEXT PRIMARY KEY,
    token TEXT NOT NULL,
    guild TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS discord_webhook (
    id TEXT PRIMARY KEY,
    token TEXT NOT NULL,
    channel TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS discord_channel (
    id TEXT PRIMARY KEY,
    kind INTEGER NOT NULL,
    name TEXT,
    recipient TEXT UNIQUE,
    rights TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS discord_message (
    id INTEGER PRIMARY KEY,
    channel TEXT NOT NULL,
    webhook TEXT,
    nonce TEXT,
    content TEXT NOT NULL,
    sent_at REAL NOT NULL,
    visible_at REAL NOT NULL,
    crossposted INTEGER NOT NULL DEFAULT 0,
    deleted INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS discord_message_channel ON discord_message (channel, id);
CREATE INDEX IF NOT EXISTS discord_message_nonce ON discord_message (nonce) WHERE nonce IS NOT NULL;
CREATE TABLE IF NOT EXISTS discord_event (
    id INTEGER PRIMARY KEY,
    status INTEGER NOT NULL,
    content TEXT NOT NULL,
    visible_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS discord_opted_out (user TEXT PRIMARY KEY) WITHOUT ROWID;
"""

EPOCH_MS = 1_420_070_400_000
BOT, GUILD = "900000000000000001", "1000000000000000001"
TEXT, DIRECT, VOICE, ANNOUNCEMENT, STAGE, FORUM = 0, 1, 2, 5, 13, 15
# name: (id, kind, what the bot may do there)
SEEDED_CHANNELS: Mapping[str, tuple[str, int, str]] = {
    "launch": ("1100000000000000001", TEXT, "view send read"),
    "general": ("1100000000000000002", TEXT, "view send read"),
    "news": ("1100000000000000003", ANNOUNCEMENT, "view send read"),
    "quiet": ("1100000000000000004", TEXT, "view read"),
    "secret": ("1100000000000000005", TEXT, ""),
    "blind": ("1100000000000000006", TEXT, "view send"),
    "stage": ("1100000000000000007", STAGE, "view send read"),
    "voice": ("1100000000000000008", VOICE, "view send read"),
    "ideas": ("1100000000000000009", FORUM, "view send read"),
}
MEMBERS_BEGIN = "81"
"""Everybody whose id begins like this is in the server."""

SHAPES: dict[str, Shape] = {}
"""The contract's shapes of what may also come inside a multipart form."""

_RULES = {
    "required": "BASE_TYPE_REQUIRED",
    "maxLength": "BASE_TYPE_MAX_LENGTH",
    "minLength": "BASE_TYPE_MIN_LENGTH",
    "maxItems": "BASE_TYPE_MAX_LENGTH",
    "enum": "BASE_TYPE_CHOICES",
    "maximum": "NUMBER_TYPE_MAX",
    "minimum": "NUMBER_TYPE_MIN",
    "pattern": "NUMBER_TYPE_COERCE",
    "additionalProperties": "UNKNOWN_FIELD",
}
_BUCKET, _BUCKET_S = 5, 5.0

Json = dict[str, Any]


def error(
    status: int, code: int, message: str, *, errors: Json | None = None, headers: Mapping[str, str] | None = None
) -> Reply:
    """Discord's error body."""
    body = {"message": message, "code": code, **({"errors": errors} if errors else {})}
    return Reply(status, body, {"Via": "1.1 google", **(headers or {})})


def refusal(status: int, code: int, message: str, *, errors: Json | None = None) -> Refusal:
    """The same, to be raised."""
    return Refusal(error(status, code, message, errors=errors))


def unfit(*violations: Violation) -> Reply:
    """50035, with each field at fault nested by its path."""
    errors: Json = {}
    for found in violations:
        place = errors
        for part in filter(None, (found.field, *found.inside.split("."))):
            place = place.setdefault(part, {})
        said = {"code": _RULES.get(found.rule, "BASE_TYPE_BAD"), "message": f"Breaks the rule {found.rule}."}
        place.setdefault("_errors", []).append(said)
    return error(400, 50035, "Invalid Form Body", errors=errors)


def unfit_field(path: str, rule: str) -> Refusal:
    """The same about one field, to be raised."""
    field, _, inside = path.partition(".")
    return Refusal(unfit(Violation(field, rule, inside)))


def ok(call: Call, body: Any, *, status: int = 200, place: str | None = None) -> Reply:
    """An answer, with the headers of its bucket; ``place`` is the channel that the bucket belongs to."""
    sent = 0
    if place is not None:
        since = (call.now - _BUCKET_S, place)
        sent = call.db.execute(
            "SELECT count(*) FROM discord_message WHERE sent_at > ? AND channel = ?", since
        ).fetchone()[0]
    headers = {
        "X-RateLimit-Limit": str(_BUCKET),
        "X-RateLimit-Remaining": str(max(0, _BUCKET - sent)),
        "X-RateLimit-Reset": f"{call.now + _BUCKET_S:.3f}",
        "X-RateLimit-Reset-After": f"{_BUCKET_S:.3f}",
        "X-RateLimit-Bucket": f"{call.operation.id}:{place or 'guild'}".lower(),
        "Via": "1.1 google",
    }
    return Reply(status, body, headers)


def fields(call: Call, component: str) -> Json:
    """The body's fields: JSON, or the part ``payload_json`` of a form with files.

    Raises:
        Refusal: That part does not fit the contract.
    """
    given: Json = call.body
    if not call.headers.get("content-type", "").startswith("multipart/"):
        return given
    try:
        found = json.loads(given.get("payload_json", "{}"))
    except ValueError:
        raise refusal(400, 50109, "The request body contains invalid JSON.") from None
    violations = SHAPES[component].violations(found)
    if violations:
        raise Refusal(unfit(*violations))
    files = {
        name.removeprefix("files[").removesuffix("]"): part for name, part in given.items() if name != "payload_json"
    }
    described = {str(one["id"]): one for one in found.get("attachments", ())}
    found["attachments"] = [
        {"id": key, "filename": described.get(key, {}).get("filename", f"file{key}"), "size": len(part)}
        for key, part in files.items()
    ]
    return dict(found)


def new_id(call: Call, table: str) -> int:
    """A snowflake, unique in its table."""
    found = int(call.now * 1000 - EPOCH_MS) << 22
    last = call.db.execute(f"SELECT max(id) FROM {table}").fetchone()[0] or 0  # noqa: S608 (a name of ours)
    return max(found, last + 1)


def shown_time(seconds: float) -> str:
    """A time as Discord writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")


def channel_for(call: Call, channel: str, right: str) -> sqlite3.Row:
    """A channel in which the bot has a right: ``view``, ``send`` or ``read``.

    Raises:
        Refusal: There is no such channel, or it has not.
    """
    row: sqlite3.Row | None = call.db.execute("SELECT * FROM discord_channel WHERE id = ?", (channel,)).fetchone()
    if row is None:
        raise refusal(404, 10003, "Unknown Channel")
    rights = row["rights"].split()
    if "view" not in rights:
        raise refusal(403, 50001, "Missing Access")
    if right == "send" and right not in rights:
        raise refusal(403, 50013, "Missing Permissions")
    return row


def user(key: str, name: str, *, bot: bool = False) -> Json:
    """A user as Discord shows it."""
    return {
        "id": key,
        "username": name,
        "global_name": None,
        "bot": bot,
        "avatar": None,
        "discriminator": "0",
        "public_flags": 0,
        "flags": 0,
        "primary_guild": None,
    }


def seed(db: sqlite3.Connection) -> None:
    """A server with nine channels, a bot and a webhook."""
    db.execute("INSERT INTO discord_bot VALUES (?, ?, ?)", (BOT, f"MTA.{secrets.token_urlsafe(36)}", GUILD))
    launch = SEEDED_CHANNELS["launch"][0]
    hook = (f"1200000000000{secrets.randbelow(10**6):06d}", secrets.token_urlsafe(51), launch)
    db.execute("INSERT INTO discord_webhook VALUES (?, ?, ?)", hook)
    db.executemany(
        "INSERT INTO discord_channel VALUES (?, ?, ?, NULL, ?)",
        [(key, kind, name, rights) for name, (key, kind, rights) in SEEDED_CHANNELS.items()],
    )
