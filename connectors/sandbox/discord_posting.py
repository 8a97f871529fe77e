"""How does a message get into Discord? As the bot's, through a webhook, or to one person."""

from __future__ import annotations

from connectors.sandbox.discord_data import (
    DIRECT,
    FORUM,
    MEMBERS_BEGIN,
    channel_for,
    fields,
    new_id,
    ok,
    refusal,
    unfit_field,
    user,
)
from connectors.sandbox.discord_rows import check, find, insert, shown, text, webhook
from connectors.sandbox.platform import Call, Reply

# How long Discord remembers a nonce; its documentation says "the past few minutes".
_NONCE_S = 180.0


def send(call: Call) -> Reply:
    """POST /channels/{id}/messages: a nonce that is enforced gives the first message again."""
    given = fields(call, "CreateMessage")
    channel = channel_for(call, call.path["channel_id"], "send")
    if channel["kind"] == FORUM:
        raise refusal(400, 40058, "Cannot message this channel until after a post is made")
    check(given)
    nonce = str(given["nonce"]) if "nonce" in given else None
    if nonce is not None and given.get("enforce_nonce"):
        known = call.db.execute(
            "SELECT * FROM discord_message WHERE nonce = ? AND webhook IS NULL AND sent_at > ? ORDER BY id LIMIT 1",
            (nonce, call.now - _NONCE_S),
        ).fetchone()
        if known is not None and known["deleted"]:
            raise refusal(404, 10008, "Unknown Message")
        if known is not None:
            return ok(call, {**shown(known), "nonce": nonce}, place=channel["id"])
    if channel["kind"] == DIRECT and _is_closed(call, channel["recipient"]):
        raise refusal(403, 50007, "Cannot send messages to this user")
    answered = given.get("message_reference", {})
    if (
        answered
        and find(call, channel["id"], answered["message_id"]) is None
        and answered.get("fail_if_not_exists", True)
    ):
        raise unfit_field("message_reference", "MESSAGE_REFERENCE_UNKNOWN_MESSAGE")
    row = insert(call, channel["id"], given, nonce=nonce)
    action = "sendDirectMessage" if channel["kind"] == DIRECT else "sendMessage"
    call.effect(
        action,
        str(row["id"]),
        key=nonce,
        recipient=channel["recipient"] or channel["id"],
        text=text(given),
    )
    return ok(call, {**shown(row), **({"nonce": nonce} if nonce else {})}, place=channel["id"])


def send_by_webhook(call: Call) -> Reply:
    """POST /webhooks/{id}/{token}: without ``wait`` nothing is told."""
    hook = webhook(call)
    given = fields(call, "ExecuteWebhook")
    check(given)
    name = given.get("username", "").lower()
    if "clyde" in name or "discord" in name:
        raise unfit_field("username", "USERNAME_INVALID_CONTAINS")
    channel = call.query.get("thread_id", hook["channel"])
    channel_for(call, channel, "view")
    row = insert(call, channel, given, webhook=hook["id"])
    call.effect("sendWebhookMessage", str(row["id"]), recipient=channel, text=text(given))
    if not call.query.get("wait", False):
        return ok(call, None, status=204, place=channel)
    return ok(call, shown(row), place=channel)


def open_direct(call: Call) -> Reply:
    """POST /users/@me/channels: the same conversation each time."""
    person: str = call.body["recipient_id"]
    if not person.startswith(MEMBERS_BEGIN):
        raise refusal(403, 50278, "Cannot send messages to this user due to having no mutual guilds")
    known = "SELECT * FROM discord_channel WHERE recipient = ?"
    if call.db.execute(known, (person,)).fetchone() is None:
        key = str(new_id(call, "discord_message"))
        call.db.execute(
            "INSERT INTO discord_channel VALUES (?, ?, NULL, ?, ?)", (key, DIRECT, person, "view send read")
        )
        call.effect("openDM", key, recipient=person)
    row = call.db.execute(known, (person,)).fetchone()
    return ok(call, {"id": row["id"], "type": DIRECT, "flags": 0, "recipients": [user(person, "member")]})


def _is_closed(call: Call, person: str) -> bool:
    return call.db.execute("SELECT 1 FROM discord_opted_out WHERE user = ?", (person,)).fetchone() is not None
