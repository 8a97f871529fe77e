"""Slack's Web API, as the connector ``slack`` meets it."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Mapping
from typing import Any, ClassVar

from connectors.sandbox import bodies, slack_channels, slack_chat, slack_data, slack_files, slack_tokens, webhooks
from connectors.sandbox.contract import Contract, Operation, Problem, ProblemKind
from connectors.sandbox.platform import Call, Handler, Platform, Reply
from connectors.sandbox.shapes import Shape
from connectors.sandbox.slack_data import BOT_SCOPES, SEEDED_CHANNELS, SEEDED_USERS, error, new_id, ok, refusal

_LIMITED_SCOPES = "channels:read"

# (field, rule or None for any) to Slack's error; the first that matches is answered.
_ERRORS: tuple[tuple[str, str | None, str], ...] = (
    ("text|blocks|attachments|markdown_text", None, "no_text"),
    ("text|blocks|attachments|markdown_text|metadata|file_ids", None, "no_text"),
    ("text", "maxLength", "msg_too_long"),
    ("text", "minLength", "no_text"),
    ("markdown_text", "maxLength", "msg_too_long"),
    ("", "not", "markdown_text_conflict"),
    ("blocks", "type", "invalid_blocks_format"),
    ("blocks", None, "invalid_blocks"),
    ("attachments", "maxItems", "too_many_attachments"),
    ("metadata", "type", "invalid_metadata_format"),
    ("metadata", None, "invalid_metadata_schema"),
    ("post_at", "required", "invalid_arguments"),
    ("post_at", None, "invalid_time"),
    ("scheduled_message_id", "pattern", "invalid_scheduled_message_id"),
    ("limit", None, "invalid_limit"),
    ("channel", "pattern", "channel_not_found"),
    ("channel_id", "pattern", "channel_not_found"),
)


def _auth_test(call: Call) -> Reply:
    team = call.principal
    return ok(
        url="https://sandbox.slack.com/",
        team="Sandbox",
        team_id=team["team_id"],
        user="neonhub",
        user_id=team["bot_user"],
        bot_id=team["bot_id"],
        is_enterprise_install=False,
    )


class Slack(Platform):
    """Slack: messages now and later, channels, files, token rotation."""

    slug: ClassVar[str] = "slack"
    tables: ClassVar[str] = slack_data.TABLES + slack_tokens.TABLES
    operations: ClassVar[Mapping[str, Handler]] = {
        "sendMessage": slack_chat.send,
        "scheduleMessage": slack_chat.schedule,
        "updateMessage": slack_chat.update,
        "deleteMessage": slack_chat.delete,
        "cancelScheduled": slack_chat.cancel,
        "listScheduled": slack_chat.scheduled,
        "getChannels": slack_channels.channels,
        "listMessages": slack_channels.history,
        "listReplies": slack_channels.replies,
        "joinChannel": slack_channels.join,
        "openDM": slack_channels.open_direct,
        "uploadFile": slack_files.ticket,
        "uploadFileBytes": slack_files.receive,
        "completeUpload": slack_files.complete,
        "getFile": slack_files.info,
        "checkCredentials": _auth_test,
        "exchangeToken": slack_tokens.exchange,
        "authorize": slack_tokens.authorize,
    }

    def widen(self, contract: Contract) -> None:
        """Slack also takes forms where the contract says JSON, and a POSTed form where it says GET."""
        nothing = Shape({"type": "object", "additionalProperties": False}, {})
        for operation in [*contract.operations]:
            if operation.method == "GET":
                contract.operations.append(_posted(operation))
            elif not operation.bodies:
                operation.bodies |= {bodies.JSON: nothing, bodies.FORM: nothing}
            elif (shape := operation.bodies.get(bodies.JSON)) is not None:
                operation.bodies[bodies.FORM] = shape.with_json_text()

    def seed(self, db: sqlite3.Connection, *, now: float) -> None:
        """A workspace with six channels and three people; the bot has one token for good and one that rotates."""
        secret = secrets.token_hex(16)
        db.execute(
            "INSERT INTO slack_team VALUES (?, ?, ?, ?, ?, ?)",
            (new_id("T"), new_id("U"), new_id("B"), new_id("A"), f"{secrets.randbelow(10**12)}.sandbox", secret),
        )
        add = "INSERT INTO slack_token (token, kind, scopes) VALUES (?, ?, ?)"
        db.execute(add, (f"xoxb-{secrets.token_urlsafe(24)}", "bot", BOT_SCOPES))
        db.execute(add, (f"xoxb-{secrets.token_urlsafe(24)}", "bot", _LIMITED_SCOPES))
        db.execute(add, (f"xoxe-1-{secrets.token_urlsafe(24)}", "refresh", BOT_SCOPES))
        db.executemany("INSERT INTO slack_user VALUES (?)", [(user,) for user in SEEDED_USERS])
        db.executemany(
            "INSERT INTO slack_channel VALUES (?, ?, ?, NULL, ?, ?, ?)",
            [
                (key, name, kind, member, archived, now)
                for name, (key, kind, member, archived) in SEEDED_CHANNELS.items()
            ],
        )

    def describe(self, db: sqlite3.Connection) -> dict[str, Any]:
        """The workspace in the shape a connection wants, its channels by name, and what token rotation needs."""
        team = db.execute("SELECT * FROM slack_team").fetchone()

        def newest(kind: str, scopes: str, *, rotating: bool = False) -> str | None:
            row = db.execute(
                "SELECT token FROM slack_token WHERE kind = ? AND scopes = ? AND NOT revoked"
                " AND (expires_at IS NOT NULL) = ? LIMIT 1",
                (kind, scopes, rotating),
            ).fetchone()
            return row["token"] if row else None

        return {
            "account": team["team_id"],
            "credential": {
                "bot_token": newest("bot", BOT_SCOPES),
                "signing_secret": webhooks.secret(db, self.slug),
            },
            "settings": {},
            "channels": {name: key for name, (key, *_) in SEEDED_CHANNELS.items()},
            "users": [*SEEDED_USERS],
            "limited_credential": {"bot_token": newest("bot", _LIMITED_SCOPES)},
            "oauth": {
                "client_id": team["client_id"],
                "client_secret": team["client_secret"],
                "refresh_token": newest("refresh", BOT_SCOPES),
            },
        }

    def authenticate(self, call: Call) -> sqlite3.Row | None:
        """A bot token in the header, alive, and with one of the operation's scopes."""
        security = call.operation.security
        if security is None or "bot" not in security:
            return None
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise refusal("not_authed")
        row = call.db.execute("SELECT * FROM slack_token WHERE token = ? AND kind = 'bot'", (token.strip(),)).fetchone()
        if row is None:
            raise refusal("invalid_auth")
        if row["revoked"]:
            raise refusal("token_revoked")
        if row["expires_at"] is not None and row["expires_at"] <= call.now:
            raise refusal("token_expired")
        if security["bot"] and not set(security["bot"]) & set(row["scopes"].split(",")):
            raise refusal("missing_scope", needed=security["bot"][0], provided=row["scopes"])
        team: sqlite3.Row = call.db.execute("SELECT *, ? AS scopes FROM slack_team", (row["scopes"],)).fetchone()
        return team

    def refuse(self, problem: Problem) -> Reply:
        """HTTP 200 and Slack's error string."""
        match problem.kind:
            case ProblemKind.UNKNOWN_PATH | ProblemKind.METHOD | ProblemKind.PATH:
                return error("unknown_method")
            case ProblemKind.CONTENT_TYPE:
                return error("invalid_post_type" if problem.content_type else "missing_post_type")
            case ProblemKind.MALFORMED_BODY:
                return error("invalid_json" if problem.content_type == bodies.JSON else "invalid_form_data")
            case _:
                return _unfit(problem)

    def rate_limited(self, *, retry_after_s: int | None) -> Reply:
        """429 ``ratelimited``, with Retry-After unless it is None."""
        wait = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
        return Reply(429, {"ok": False, "error": "ratelimited"}, wait)

    def server_error(self, status: int) -> Reply:
        """Slack's outages answer with a page, not with JSON."""
        return Reply(status, f"<html><body><h1>{status}</h1></body></html>", content_type="text/html")

    def auth_expired(self) -> Reply:
        """``token_expired``."""
        return error("token_expired")


def _posted(operation: Operation) -> Operation:
    return Operation(
        connector=operation.connector,
        id=operation.id,
        method="POST",
        host=operation.host,
        path=operation.path,
        security=operation.security,
        path_shape=operation.path_shape,
        query_shape=operation.query_shape,
        bodies={bodies.FORM: operation.query_shape},
        body_is_query=True,
    )


def _unfit(problem: Problem) -> Reply:
    unknown = [found.field for found in problem.violations if found.rule == "additionalProperties" and not found.inside]
    if unknown:
        return error("invalid_arg_name", response_metadata={"messages": [f"[ERROR] unknown argument: {unknown[0]}"]})
    for field, rule, code in _ERRORS:
        if problem.has(field, rule):
            return error(code)
    messages = [f"[ERROR] {found.rule}: {found.field}" for found in problem.violations]
    return error("invalid_arguments", response_metadata={"messages": messages})
