"""What does TikTok refuse, besides what does not fit its contract?"""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Mapping
from typing import Any

from connectors.sandbox.platform import Call
from connectors.sandbox.tiktok_data import moment, refusal

INVALID, DUPLICATE_REQUEST, MISSING, NOT_READY, CONFLICT, MINOR = 40002, 40050, 40007, 40901, 40202, 40065
US = "6252001"
"""TikTok's id of the United States."""

_WIDEST = 512
_LEAST = {"campaign": 50, "adgroup": 20}
_REMEMBERED_S = 10.0
_BILLED = {
    "REACH": "CPM",
    "SHOW": "CPM",
    "CLICK": "CPC CPM OCPM",
    "FOLLOWERS": "OCPM",
    "CONVERT": "OCPM",
    "VALUE": "OCPM",
    "INSTALL": "OCPM",
    "ENGAGED_VIEW": "OCPM CPV",
}


def check_request_id(call: Call, fields: Mapping[str, Any]) -> None:
    """Of several requests with one id, only one within ten seconds succeeds; later the id is a new one.

    Raises:
        Refusal: 40050.
    """
    request_id = fields.get("request_id")
    if request_id is None:
        return
    query = "SELECT 1 FROM tiktok_request WHERE id = ? AND operation = ? AND at > ?"
    if call.db.execute(query, (request_id, call.operation.id, call.now - _REMEMBERED_S)).fetchone():
        raise refusal(DUPLICATE_REQUEST, "Duplicated request")
    call.db.execute("INSERT INTO tiktok_request VALUES (?, ?, ?)", (request_id, call.operation.id, call.now))


def check_name(call: Call, level: str, name: str, *, within: str | None, fields: Mapping[str, Any]) -> None:
    """No emoji, not too wide, and without a request id no second one of the same name.

    Raises:
        Refusal: 40002.
    """
    check_plain(name, f"{level}_name")
    if sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in name) > _WIDEST:
        raise refusal(INVALID, f"{level}_name: too long")
    if "request_id" in fields:
        return
    query = "SELECT 1 FROM tiktok_object WHERE level = ? AND name = ? AND status <> 'DELETE' AND campaign IS ?"
    if call.db.execute(query, (level, name, within)).fetchone():
        raise refusal(INVALID, f"{level}_name: the name already exists")


def check_plain(text: str, field: str) -> None:
    """No emoji.

    Raises:
        Refusal: 40002.
    """
    if any(unicodedata.category(one) == "So" or one in "\u200d\ufe0f" for one in text):
        raise refusal(INVALID, f"{field}: emojis are not supported")


def check_budget(level: str, fields: Mapping[str, Any], *, needed: bool) -> None:
    """A mode and an amount that is not below the least.

    Raises:
        Refusal: 40002.
    """
    mode = fields.get("budget_mode")
    if mode is None and needed:
        raise refusal(INVALID, "budget_mode: Missing data for required field")
    if mode not in (None, "BUDGET_MODE_INFINITE"):
        check_amount(level, fields.get("budget"))


def check_amount(level: str, amount: Any) -> None:
    """An amount that is not below the least.

    Raises:
        Refusal: 40002.
    """
    if not isinstance(amount, (int, float)) or amount < _LEAST[level]:
        raise refusal(INVALID, f"budget: at least {_LEAST[level]} in the currency of the account")


def check_group(fields: Mapping[str, Any], people: Mapping[str, Any]) -> None:
    """Billed for what is looked for, in time, somewhere, and in the US nobody under 18.

    Raises:
        Refusal: 40002 or 40065.
    """
    billed = _BILLED.get(fields["optimization_goal"])
    if billed is not None and fields["billing_event"] not in billed.split():
        raise refusal(INVALID, "billing_event: does not fit the optimization goal")
    begins = moment(fields["schedule_start_time"], "schedule_start_time")
    ends = fields.get("schedule_end_time")
    if ends is not None and moment(ends, "schedule_end_time") <= begins:
        raise refusal(INVALID, "schedule_end_time: before the start")
    if ends is None and fields.get("budget_mode") == "BUDGET_MODE_TOTAL":
        raise refusal(INVALID, "schedule_end_time: Missing data for required field")
    if not people.get("location_ids") and not people.get("zipcode_ids"):
        raise refusal(INVALID, "location_ids: Missing data for required field")
    if US in people.get("location_ids", ()) and "AGE_13_17" in people.get("age_groups", ()):
        raise refusal(MINOR, "age_groups: people under 18 cannot be reached in the United States")
    if fields["optimization_goal"] == "CONVERT" and "pixel_id" not in fields:
        raise refusal(INVALID, "pixel_id: Missing data for required field")


def find(db: sqlite3.Connection, level: str, object_id: str, *, smart: bool, field: str) -> sqlite3.Row:
    """A living object.

    Raises:
        Refusal: 40007, there is none.
    """
    query = "SELECT * FROM tiktok_object WHERE id = ? AND level = ? AND smart = ? AND status <> 'DELETE'"
    row: sqlite3.Row | None = db.execute(query, (object_id, level, smart)).fetchone()
    if row is None:
        raise refusal(MISSING, f"{field}: does not exist")
    return row
