"""What does Twilio insist on beyond its contract? Addresses, senders, times, opt-outs."""

from __future__ import annotations

import json
import re
import sqlite3
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from connectors.sandbox.sms_errors import refusal

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SENDER = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{5,6}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
_UTC = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
_WHATSAPP = "whatsapp:"
_MIN_AHEAD_S, _MAX_AHEAD_S = 300, 35 * 86400
_TO_MAGIC = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
_FROM_MAGIC = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}


def checked_recipient(to: str) -> str:
    """The recipient, a phone number in E.164 or a WhatsApp address.

    Raises:
        Refusal: not such an address, or one of Twilio's magic numbers.
    """
    number = to.removeprefix(_WHATSAPP)
    if number in _TO_MAGIC:
        raise refusal(_TO_MAGIC[number])
    if not _E164.fullmatch(number):
        raise refusal(21211)
    return to


def checked_sender(fields: dict[str, Any], account: sqlite3.Row, recipient: str) -> tuple[str | None, str | None]:
    """The number and the Messaging Service to send from.

    Raises:
        Refusal: not this account's, or of another channel than the recipient.
    """
    sender, service = fields.get("From"), fields.get("MessagingServiceSid")
    if service is not None and service != account["service_sid"]:
        raise refusal(21705)
    if sender is None:
        return None, service
    number = sender.removeprefix(_WHATSAPP)
    if number in _FROM_MAGIC:
        raise refusal(_FROM_MAGIC[number])
    if not _SENDER.fullmatch(number):
        raise refusal(21212)
    if number != account["from_number"]:
        raise refusal(21606)
    if sender.startswith(_WHATSAPP) != recipient.startswith(_WHATSAPP):
        raise refusal(21910)
    return sender, service


def checked_start(fields: dict[str, Any], now: float) -> float | None:
    """The instant of SendAt, or None to send at once.

    Raises:
        Refusal: not in UTC, too soon or too late.
    """
    text = fields.get("SendAt")
    if text is None:
        return None
    if not _UTC.fullmatch(text):
        raise refusal(35115)
    start_at = datetime.fromisoformat(text).timestamp()
    if not _MIN_AHEAD_S < start_at - now <= _MAX_AHEAD_S:
        raise refusal(35114)
    return start_at


def checked_callback(url: str | None) -> str | None:
    """The StatusCallback.

    Raises:
        Refusal: not a URL that Twilio would call.
    """
    if url is None:
        return None
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or "_" in host or len(url) > 4000:
        raise refusal(21609)
    return url


def check_content(fields: dict[str, Any]) -> None:
    """Check what the contract cannot say about media and content variables.

    Raises:
        Refusal: a media URL is no web address, or the variables are no JSON object.
    """
    if any(urlsplit(url).scheme not in ("http", "https") for url in fields.get("MediaUrl", ())):
        raise refusal(21620)
    variables = fields.get("ContentVariables")
    if variables is None:
        return
    try:
        fits = isinstance(json.loads(variables), dict)
    except ValueError:
        fits = False
    if not fits:
        raise refusal(21656)


def refuse_opted_out(db: sqlite3.Connection, recipient: str, sender: str | None, service: str | None) -> None:
    """Turn down a recipient who said STOP to this sender.

    Raises:
        Refusal: 21610.
    """
    found = db.execute(
        "SELECT 1 FROM sms_opt_out WHERE address = ? AND sender IN ('*', ?, ?)",
        (recipient.removeprefix(_WHATSAPP), sender, service),
    ).fetchone()
    if found is not None:
        raise refusal(21610)
