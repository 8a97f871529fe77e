"""How are Twilio messages listed? Newest first, in pages, by recipient, sender and day sent."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from connectors.sandbox.platform import Call, Reply
from connectors.sandbox.sms_errors import refusal
from connectors.sandbox.sms_view import PICKED_AFTER_S, SENT_AFTER_S, rendered

_TOKEN = re.compile(r"PA[0-9a-f]{1,15}")


def page(call: Call) -> Reply:
    """GET Messages.json: newest first; a DateSent filter hides what has not been sent."""
    size: int = call.query.get("PageSize", 50)
    number: int = call.query.get("Page", 0)
    token: str | None = call.query.get("PageToken")
    where, values = _filters(call)
    if token is not None:
        where.append("id < ?")
        values.append(_token_id(token))
    rows = call.db.execute(
        f"SELECT * FROM sms_message WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT ? OFFSET ?",  # noqa: S608
        (*values, size + 1, 0 if token else number * size),
    ).fetchall()
    more, rows = len(rows) > size, rows[:size]
    following = {"PageToken": f"PA{rows[-1]['id']:x}"} if more else {}
    return Reply(
        200,
        {
            "messages": [rendered(row, call.principal, call.now) for row in rows],
            "page": number,
            "page_size": size,
            "start": number * size,
            "end": number * size + max(len(rows) - 1, 0),
            "first_page_uri": _uri(call, 0, size),
            "next_page_uri": _uri(call, number + 1, size, **following) if more else None,
            "previous_page_uri": _uri(call, number - 1, size) if number else None,
            "uri": _uri(call, number, size, **({"PageToken": token} if token else {})),
        },
    )


def _uri(call: Call, number: int, size: int, **token: str) -> str:
    filters = {name: value for name, value in call.query.items() if name not in ("Page", "PageToken", "PageSize")}
    return f"{call.raw_path}?{urlencode({**filters, 'PageSize': size, 'Page': number, **token})}"


def _filters(call: Call) -> tuple[list[str], list[Any]]:
    where, values = ["visible_at <= ?"], [call.now]

    def add(condition: str, *parts: Any) -> None:
        where.append(condition)
        values.extend(parts)

    query = call.query
    if "To" in query:
        add("recipient = ?", query["To"])
    if "From" in query:
        own = call.principal["from_number"] == query["From"]
        picked = "(sender IS NULL AND ? AND canceled_at IS NULL AND start_at + ? <= ?)"
        add(f"(sender = ? OR {picked})", query["From"], own, PICKED_AFTER_S, call.now)
    dates = [name for name in ("DateSent", "DateSent>", "DateSent<") if name in query]
    if dates:
        add("canceled_at IS NULL AND start_at + ? <= ?", SENT_AFTER_S, call.now)
    for name in dates:
        low, high = _instants(query[name])
        if name != "DateSent<":
            add("start_at + ? >= ?", SENT_AFTER_S, low)
        if name != "DateSent>":
            add("start_at + ? < ?", SENT_AFTER_S, high)
    return where, values


def _instants(text: str) -> tuple[float, float]:
    """First instant of a date or date-time filter, and the first one after it."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise refusal(20422, "DateSent") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    length = timedelta(days=1) if len(text) == len("YYYY-MM-DD") else timedelta(seconds=1)
    return moment.timestamp(), moment.timestamp() + length.total_seconds()


def _token_id(token: str) -> int:
    if not _TOKEN.fullmatch(token):
        raise refusal(20422, "PageToken")
    return int(token.removeprefix("PA"), 16)
