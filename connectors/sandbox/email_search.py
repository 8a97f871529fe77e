"""What does a search of Gmail find? The part of its search syntax that programs use."""

from __future__ import annotations

import json
import re
import shlex
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import getaddresses
from typing import Any

from connectors.sandbox.email_data import parsed, text_of

_EVERYWHERE = {"anywhere", "spam", "trash"}
_AGES = {"d": timedelta(days=1), "m": timedelta(days=30), "y": timedelta(days=365)}


def found(
    db: sqlite3.Connection, query: str, *, labels: Sequence[str], everything: bool, now: float, drafts: bool = False
) -> list[sqlite3.Row]:
    """The messages that match, the newest first.

    Args:
        labels: Labels all of which a message must have.
        everything: Spam and trash too.
        drafts: Only the contents of drafts.
    """
    terms = _terms(query)
    everything = everything or any(name == "in" and value in _EVERYWHERE for name, value in terms)
    rows = db.execute(
        "SELECT * FROM email_message WHERE visible_at <= ? ORDER BY received_at DESC, id DESC", (now,)
    ).fetchall()
    return [
        row
        for row in rows
        if _has_place(json.loads(row["labels"]), labels, everything=everything, drafts=drafts)
        and all(_matches(row, name, value, now) for name, value in terms)
    ]


def _has_place(of: list[str], wanted: Sequence[str], *, everything: bool, drafts: bool) -> bool:
    if drafts and "DRAFT" not in of:
        return False
    return set(wanted) <= set(of) and (everything or not {"TRASH", "SPAM"} & set(of))


def _terms(query: str) -> list[tuple[str, str]]:
    try:
        words = shlex.split(query)
    except ValueError:
        words = query.split()
    pairs = [word.partition(":") for word in words]
    return [(name.lower(), value) if colon and value else ("", name + colon + value) for name, colon, value in pairs]


def _matches(row: sqlite3.Row, name: str, value: str, now: float) -> bool:
    of: list[str] = json.loads(row["labels"])
    if name in ("in", "is", "label"):
        return value.lower() == "anywhere" or value.upper() in of
    if name in ("after", "before", "newer", "older"):
        since = _moment(value)
        return since is None or (
            row["received_at"] >= since if name in ("after", "newer") else row["received_at"] < since
        )
    if name == "newer_than":
        return _is_newer(row, value, now)
    message: Any = parsed(row["raw"])
    if name in ("to", "from", "cc", "bcc"):
        names = ("To", "Cc", "Bcc") if name == "to" else (name,)
        lines = [str(line) for one in names for line in message.get_all(one, [])]
        return any(value.lower() in part.lower() for pair in getaddresses(lines) for part in pair)
    if name == "subject":
        return value.lower() in str(message.get("Subject", "")).lower()
    if name == "rfc822msgid":
        return value.strip("<>") == str(message.get("Message-ID", "")).strip("<> ")
    if name == "has":
        return value != "attachment" or any(part.get_filename() for part in message.walk())
    return value.lower() in f"{message.get('Subject', '')} {text_of(message)}".lower()


def _is_newer(row: sqlite3.Row, value: str, now: float) -> bool:
    age = re.fullmatch(r"(\d{1,4})([dmy])", value)
    return age is None or row["received_at"] >= now - int(age[1]) * _AGES[age[2]].total_seconds()


def _moment(value: str) -> float | None:
    if value.isdigit():
        return float(value)
    day = re.fullmatch(r"(\d{4})[/-](\d{1,2})[/-](\d{1,2})", value)
    try:
        return None if day is None else datetime(int(day[1]), int(day[2]), int(day[3]), tzinfo=UTC).timestamp()
    except ValueError:
        return None
