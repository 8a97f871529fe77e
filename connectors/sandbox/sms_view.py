"""How does Twilio show a message? Its status follows from the clock alone."""

from __future__ import annotations

import math
import re
import sqlite3
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

# Seconds after the start at which each status begins; with a Messaging Service, and without.
STAGES_SERVICE = ((3.0, "delivered"), (1.0, "sent"), (0.6, "sending"), (0.3, "queued"), (0.0, "accepted"))
STAGES = ((3.0, "delivered"), (1.0, "sent"), (0.5, "sending"), (0.0, "queued"))
SENT_AFTER_S = 1.0
PICKED_AFTER_S = 0.6
FINAL = frozenset({"delivered", "canceled"})

_GSM7 = re.compile(r"[@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,\-./0-9:;<=>?¡A-ZÄÖÑÜ§¿a-zäöñüà^{}\\\[~\]|€]*")


def status_at(row: sqlite3.Row, now: float) -> str:
    """A message's status at an instant."""
    if row["canceled_at"] is not None:
        return "canceled"
    age_s = now - row["start_at"]
    if age_s < 0:
        return "scheduled"
    stages = STAGES if row["service_sid"] is None else STAGES_SERVICE
    return next((status for begins_s, status in stages if age_s >= begins_s), stages[-1][1])


def rendered(row: sqlite3.Row, account: sqlite3.Row, now: float) -> dict[str, Any]:
    """A message as Twilio shows it."""
    status = status_at(row, now)
    begun = status not in ("canceled", "scheduled")
    sent = begun and now >= row["start_at"] + SENT_AFTER_S
    picked = begun and now >= row["start_at"] + PICKED_AFTER_S
    sender = row["sender"] or (account["from_number"] if picked else None)
    uri = f"/2010-04-01/Accounts/{account['account_sid']}/Messages/{row['sid']}.json"
    changed_at = row["canceled_at"] or (min(now, row["start_at"] + STAGES[0][0]) if begun else row["created_at"])
    return {
        "account_sid": account["account_sid"],
        "api_version": "2010-04-01",
        "body": row["body"],
        "date_created": _rfc2822(row["created_at"]),
        "date_sent": _rfc2822(row["start_at"] + SENT_AFTER_S) if sent else None,
        "date_updated": _rfc2822(changed_at),
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": sender,
        "messaging_service_sid": row["service_sid"],
        "num_media": str(row["media"]),
        "num_segments": str(_segments(row["body"])) if sender else "0",
        "price": "-0.00830" if sent else None,
        "price_unit": "USD" if sent else None,
        "sid": row["sid"],
        "status": status,
        "subresource_uris": {"media": f"{uri[:-5]}/Media.json"},
        "to": row["recipient"],
        "uri": uri,
    }


def _segments(body: str) -> int:
    if _GSM7.fullmatch(body):
        length, single, split = len(body) + sum(body.count(sign) for sign in "^{}\\[~]|€"), 160, 153
    else:
        length, single, split = len(body.encode("utf-16-le")) // 2, 70, 67
    return 1 if length <= single else math.ceil(length / split)


def _rfc2822(at: float) -> str:
    return format_datetime(datetime.fromtimestamp(int(at), UTC))
