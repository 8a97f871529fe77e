"""Inputs of discord that work against a fresh sandbox."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.contract.case import Case, text
from tests.contract.conftest import Performer

LAUNCH, NEWS, VOICE = "1100000000000000001", "1100000000000000003", "1100000000000000008"


def member() -> str:
    """A person of the server whom no other test writes to."""
    return f"81{uuid.uuid4().int % 10**15:015d}"


def _post(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"channel": LAUNCH, "content": text(), "embeds": [{"title": "Spring", "description": "20% off"}]}


def _direct(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"user": member(), "content": text()}


def _opened(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"user": member()}


def _posted(performer: Performer, recipient: str) -> dict[str, Any]:
    return {
        "channel": LAUNCH,
        "message": performer.do("discord.sendMessage", **_post(performer, recipient)).provider_id(),
    }


def _announced(performer: Performer, recipient: str) -> dict[str, Any]:
    posted = performer.do("discord.sendMessage", channel=NEWS, content=text())
    return {"channel": NEWS, "message": posted.provider_id()}


def _edit(performer: Performer, recipient: str) -> dict[str, Any]:
    return {**_posted(performer, recipient), "content": text()}


def _hook(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"content": text(), "username": "Neon promo"}


def _hooked(performer: Performer, recipient: str) -> dict[str, Any]:
    posted = performer.do("discord.sendWebhookMessage", **_hook(performer, recipient))
    return {"message": posted.provider_id()}


def _edit_hooked(performer: Performer, recipient: str) -> dict[str, Any]:
    return {**_hooked(performer, recipient), "content": text()}


def _event(performer: Performer, recipient: str) -> dict[str, Any]:
    starts_at = datetime.now(UTC) + timedelta(days=3)
    return {
        "name": f"Launch party {uuid.uuid4().hex}",
        "location": "12 Main St",
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(hours=2)).isoformat(),
    }


def _event_once(performer: Performer, recipient: str) -> dict[str, Any]:
    _make_room(performer)
    return _event(performer, recipient)


def _made(performer: Performer, recipient: str) -> dict[str, Any]:
    _make_room(performer)
    return {"event": performer.do("discord.createScheduledEvent", **_event(performer, recipient)).provider_id()}


def _started(performer: Performer, recipient: str) -> dict[str, Any]:
    made = _made(performer, recipient)
    performer.do("discord.startScheduledEvent", **made)
    return made


def _renamed(performer: Performer, recipient: str) -> dict[str, Any]:
    return {**_made(performer, recipient), "name": "Autumn party"}


def _make_room(performer: Performer) -> None:
    """A server holds 100 events that are not over."""
    for one in performer.do("discord.listScheduledEvents").model_dump()["events"]:
        performer.do("discord.deleteScheduledEvent", event=one["id"])


CASES = (
    Case("discord.sendMessage", "sendMessage", _post, once=True),
    Case("discord.sendDirectMessage", "sendMessage", _direct, once=True),
    Case("discord.openDM", "openDM", _opened, once=False),
    Case("discord.editMessage", "editMessage", _edit, once=False),
    Case("discord.deleteMessage", "deleteMessage", _posted, once=False, empty_answer=True),
    Case("discord.crosspostMessage", "crosspostMessage", _announced, once=False),
    Case("discord.sendWebhookMessage", "sendWebhookMessage", _hook, once=True),
    Case("discord.editWebhookMessage", "editWebhookMessage", _edit_hooked, once=False),
    Case("discord.deleteWebhookMessage", "deleteWebhookMessage", _hooked, once=False, empty_answer=True),
    Case("discord.createScheduledEvent", "createScheduledEvent", _event_once, once=True),
    Case("discord.updateScheduledEvent", "updateScheduledEvent", _renamed, once=False),
    Case("discord.startScheduledEvent", "updateScheduledEvent", _made, once=False),
    Case("discord.endScheduledEvent", "updateScheduledEvent", _started, once=False),
    Case("discord.cancelScheduledEvent", "updateScheduledEvent", _made, once=False),
    Case("discord.deleteScheduledEvent", "deleteScheduledEvent", _made, once=False, empty_answer=True),
)
