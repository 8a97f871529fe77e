"""Inputs of slack that work against a fresh sandbox."""

from __future__ import annotations

from typing import Any

from tests.contract.case import Case, soon, text
from tests.contract.conftest import Performer

CHANNEL = "C0SPRINGLNCH"


def _post(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"channel": CHANNEL, "text": text()}


def _schedule_post(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"channel": CHANNEL, "text": text(), "post_at": soon()}


def _posted(performer: Performer, recipient: str) -> dict[str, Any]:
    return {
        "channel": CHANNEL,
        "ts": performer.do("slack.sendMessage", **_post(performer, recipient)).provider_id(),
    }


def _scheduled_post(performer: Performer, recipient: str) -> dict[str, Any]:
    kept = performer.do("slack.scheduleMessage", **_schedule_post(performer, recipient))
    return {"channel": CHANNEL, "scheduled_message_id": kept.provider_id()}


def _update(performer: Performer, recipient: str) -> dict[str, Any]:
    return {**_posted(performer, recipient), "text": text()}


def _file(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"channel": CHANNEL, "filename": "notes.txt", "text": text(), "initial_comment": "Notes"}


CASES = (
    Case("slack.sendMessage", "sendMessage", _post, once=True),
    Case("slack.scheduleMessage", "scheduleMessage", _schedule_post, once=True),
    Case("slack.uploadFile", "completeUpload", _file, once=True),
    Case("slack.updateMessage", "updateMessage", _update, once=False),
    Case("slack.deleteMessage", "deleteMessage", _posted, once=False),
    Case("slack.cancelScheduled", "cancelScheduled", _scheduled_post, once=False),
)
