"""A Twilio message's status, dates and segments follow from its rows and the clock."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from connectors.sandbox.sms_messages import TABLES
from connectors.sandbox.sms_view import rendered, status_at

ACCOUNT = {"account_sid": "AC" + "0" * 32, "from_number": "+15005550006"}


def row(**values: Any) -> sqlite3.Row:
    db = sqlite3.connect(":memory:")
    db.row_factory = sqlite3.Row
    db.executescript(TABLES)
    message = {"sid": "SM1", "recipient": "+14155550123", "sender": "+15005550006", "body": "hi", "media": 0} | values
    message = {"created_at": 1000.0, "start_at": 1000.0, "visible_at": 1000.0} | message
    marks = ", ".join(f":{name}" for name in message)
    db.execute(f"INSERT INTO sms_message ({', '.join(message)}) VALUES ({marks})", message)
    found: sqlite3.Row = db.execute("SELECT * FROM sms_message").fetchone()
    db.close()
    return found


def shown(message: sqlite3.Row, now: float) -> dict[str, Any]:
    account: Any = ACCOUNT
    return rendered(message, account, now)


@pytest.mark.parametrize(
    ("values", "now", "status"),
    [
        ({}, 1000.0, "queued"),
        ({}, 1000.7, "sending"),
        ({}, 1001.5, "sent"),
        ({}, 1003.0, "delivered"),
        ({"sender": None, "service_sid": "MG1"}, 1000.0, "accepted"),
        ({"sender": None, "service_sid": "MG1"}, 1000.4, "queued"),
        ({"start_at": 2000.0, "service_sid": "MG1"}, 1999.9, "scheduled"),
        ({"start_at": 2000.0, "service_sid": "MG1"}, 2000.0, "accepted"),
        ({"start_at": 2000.0, "service_sid": "MG1", "canceled_at": 1500.0}, 3000.0, "canceled"),
    ],
)
def test_the_status_follows_from_the_clock(values: dict[str, Any], now: float, status: str) -> None:
    assert status_at(row(**values), now) == status


def test_a_service_names_its_sender_and_segments_once_it_sends() -> None:
    message = row(sender=None, service_sid="MG1")
    early, late = shown(message, 1000.1), shown(message, 1002.0)
    assert (early["from"], early["num_segments"], early["date_sent"], early["price"]) == (None, "0", None, None)
    assert (late["from"], late["num_segments"]) == ("+15005550006", "1")
    assert late["date_sent"] == "Thu, 01 Jan 1970 00:16:41 +0000"


@pytest.mark.parametrize(
    ("body", "segments"),
    [
        ("x" * 160, "1"),
        ("x" * 161, "2"),
        ("x" * 307, "3"),
        ("é" * 160, "1"),
        ("€" * 81, "2"),
        ("ж" * 70, "1"),
        ("ж" * 71, "2"),
        ("😀" * 36, "2"),
    ],
)
def test_segments_are_counted_as_carriers_count_them(body: str, segments: str) -> None:
    assert shown(row(body=body), 1002.0)["num_segments"] == segments
