"""How does a WhatsApp message leave, and what is known of it afterwards?"""

from __future__ import annotations

import base64
import secrets
import sqlite3
from typing import Any

from connectors.sandbox import meta_graph, whatsapp_hooks
from connectors.sandbox.platform import Call, Reply
from connectors.sandbox.whatsapp_data import NUMBER, refusal
from connectors.sandbox.whatsapp_templates import rendered, template_for

WINDOW_S = 86_400
_PAIR_S, _PAIR_MESSAGES = 6.0, 45
# Seconds from the send to each stage, on the sandbox's clock.
_STAGES = (("SENT", 1), ("DELIVERED", 2))


def send(call: Call) -> Reply:
    """POST messages: a template at any time, anything else within 24 hours of the person's last message."""
    check_sender(call)
    fields: dict[str, Any] = call.body
    if fields.get("status") == "read":
        return _mark_read(call, fields)
    return _accepted(call, fields, template=fields["type"] == "template")


def send_marketing(call: Call) -> Reply:
    """POST marketing_messages: templates of the category MARKETING only."""
    check_sender(call)
    return _accepted(call, call.body, template=True, marketing_only=True)


def _accepted(call: Call, fields: dict[str, Any], *, template: bool, marketing_only: bool = False) -> Reply:
    recipient = _recipient(fields)
    _check_pair(call, recipient)
    if template:
        row = template_for(call, fields["template"])
        if marketing_only and row["category"] != "MARKETING":
            raise refusal(131009, "marketing_messages takes marketing templates only")
        text = rendered(row, fields["template"])
        if row["category"] == "MARKETING":
            _check_wanted(call, recipient)
        action = "sendTemplate"
    else:
        _check_window(call, recipient)
        _check_file(call, fields[fields["type"]])
        text, action = _text(fields), "sendSessionMessage"
    wamid = "wamid." + base64.b64encode(recipient.encode() + secrets.token_bytes(18)).decode()
    call.db.execute(
        "INSERT INTO whatsapp_message (wamid, recipient, created_at, visible_at) VALUES (?, ?, ?, ?)",
        (wamid, recipient, call.now, call.visible_at),
    )
    key = fields.get("biz_opaque_callback_data")
    call.effect(action, wamid, key=key, recipient=f"+{recipient}", text=text)
    stages = [(stage.lower(), call.now + after_s) for stage, after_s in _STAGES]
    whatsapp_hooks.statuses(call, wamid, recipient, key, stages)
    return Reply(
        200,
        {
            "messaging_product": "whatsapp",
            "contacts": [{"input": fields["to"], "wa_id": recipient}],
            "messages": [{"id": wamid, "message_status": "accepted"}],
        },
    )


def check_sender(call: Call) -> None:
    """The path must name the token's own phone number."""
    if call.path["PhoneNumberID"] != call.principal["phone_number_id"]:
        raise meta_graph.no_such_node()


def _recipient(fields: dict[str, Any]) -> str:
    if fields.get("recipient_type") == "group" or "to" not in fields:
        raise refusal(131009, "the sandbox knows persons by their phone number only")
    digits: str = fields["to"].removeprefix("+")
    if not digits.isdecimal() or not digits.isascii() or not 7 <= len(digits) <= 15:
        raise refusal(131009, "to is not a valid phone number")
    if digits == NUMBER:
        raise refusal(131021, "sender and recipient are the same number")
    return digits


def _check_pair(call: Call, recipient: str) -> None:
    recent = call.db.execute(
        "SELECT count(*) FROM whatsapp_message WHERE recipient = ? AND created_at > ?", (recipient, call.now - _PAIR_S)
    ).fetchone()[0]
    if recent >= _PAIR_MESSAGES:
        raise refusal(131056, "too many messages to this person in a short time")


def _check_wanted(call: Call, recipient: str) -> None:
    if call.db.execute("SELECT 1 FROM whatsapp_stop WHERE address = ?", (recipient,)).fetchone():
        raise refusal(131050, "the person has stopped marketing messages from this business")
    if recipient.startswith("1"):
        raise refusal(131049, "marketing is not delivered to numbers of the United States")


def _check_window(call: Call, recipient: str) -> None:
    row = call.db.execute("SELECT until_at FROM whatsapp_window WHERE address = ?", (recipient,)).fetchone()
    if row is None or row["until_at"] <= call.now:
        raise refusal(131047, "more than 24 hours have passed since the person last wrote")


def _check_file(call: Call, content: dict[str, Any]) -> None:
    if "id" not in content:
        return
    if call.db.execute("SELECT 1 FROM whatsapp_media WHERE id = ?", (content["id"],)).fetchone() is None:
        raise refusal(131053, "there is no such media")


def _text(fields: dict[str, Any]) -> str:
    content = fields[fields["type"]]
    body = content.get("body") or content.get("caption") or fields["type"]
    return body if isinstance(body, str) else str(body.get("text", ""))


def _mark_read(call: Call, fields: dict[str, Any]) -> Reply:
    call.effect("markMessageRead", fields["message_id"])
    return Reply(200, {"success": True})


def history(call: Call) -> Reply:
    """GET message_history: by wamid or the newest; neither recipient nor biz_opaque_callback_data is shown."""
    check_sender(call)
    wamid, limit, after = call.query.get("message_id"), call.query.get("limit", 25), call.query.get("after")
    if after is not None and not after.isdecimal():
        raise meta_graph.refusal(100, "Invalid cursor")
    rows = call.db.execute(
        "SELECT * FROM whatsapp_message WHERE (?1 IS NULL OR wamid = ?1) AND visible_at <= ?2"
        " AND (?3 IS NULL OR id < ?3) ORDER BY id DESC LIMIT ?4",
        (wamid, call.now, None if after is None else int(after), limit),
    ).fetchall()
    shown = "events" in call.query.get("fields", "")
    data = [_entry(row, call.now, with_events=shown) for row in rows]
    paging = {"cursors": {"after": str(rows[-1]["id"])}} if rows else {}
    return Reply(200, {"data": data, "paging": paging})


def events(call: Call) -> Reply:
    """GET the events of one entry of the history."""
    row = call.db.execute("SELECT * FROM whatsapp_message WHERE id = ?", (call.path["MessageHistoryID"],)).fetchone()
    if row is None:
        raise meta_graph.no_such_node()
    wanted = call.query.get("status_filter")
    nodes = [
        {"id": one["id"], "delivery_status": one["delivery_status"], "occurrence_timestamp": one["timestamp"]}
        for one in _events(row, call.now)
        if wanted in (None, one["delivery_status"])
    ]
    return Reply(200, {"data": [{"cursor": node["id"], "node": node} for node in nodes], "paging": {}})


def _entry(row: sqlite3.Row, now: float, *, with_events: bool) -> dict[str, Any]:
    entry = {"id": str(row["id"]), "message_id": row["wamid"]}
    return {**entry, "events": {"data": _events(row, now)}} if with_events else entry


def _events(row: sqlite3.Row, now: float) -> list[dict[str, Any]]:
    return [
        {"id": f"{row['id']}{place}", "delivery_status": stage, "timestamp": int(row["created_at"] + after_s)}
        for place, (stage, after_s) in enumerate(_STAGES)
        if row["created_at"] + after_s <= now
    ]
