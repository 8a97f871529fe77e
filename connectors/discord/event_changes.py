"""What can be done with a scheduled event? Changing, starting, ending, cancelling, deleting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, model_validator

from connectors.discord import errors, web
from connectors.discord.events import STATUS, Event, EventRef, event_of, event_path, get_scheduled_event
from connectors.discord.platform import DISCORD, Done
from connectors.kit.action import Resend
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, NotFound
from connectors.kit.fields import UtcDatetime

_NUMBER_OF = {name: number for number, name in STATUS.items()}
_SCOPES = ("CREATE_EVENTS", "for events of others MANAGE_EVENTS")


class UpdateScheduledEvent(EventRef):
    """What to change of an event; what is left out stays."""

    name: str | None = Field(default=None, min_length=1, max_length=100, description="New title.")
    starts_at: UtcDatetime | None = Field(default=None, description="New start, with offset.")
    ends_at: UtcDatetime | None = Field(default=None, description="New end, with offset.")
    description: Annotated[str, Field(min_length=1, max_length=1000)] | None = Field(
        default=None, description="New description, at most 1,000 characters."
    )
    location: str | None = Field(default=None, min_length=1, max_length=100, description="New place.")

    @model_validator(mode="after")
    def _changes_something(self) -> UpdateScheduledEvent:
        if not self.model_fields_set - {"guild", "event"}:
            raise ValueError("one of name, starts_at, ends_at, description and location is needed")
        return self


@DISCORD.action(
    "updateScheduledEvent",
    UpdateScheduledEvent,
    Event,
    repeat=Resend(),
    why="It sets values: twice is the same as once.",
    scopes=_SCOPES,
)
def update_scheduled_event(call: Call, data: UpdateScheduledEvent) -> Event:
    """Change an event that is not over."""
    body = {
        "name": data.name,
        "scheduled_start_time": data.starts_at and data.starts_at.isoformat(),
        "scheduled_end_time": data.ends_at and data.ends_at.isoformat(),
        "description": data.description,
        "entity_metadata": data.location and {"location": data.location},
    }
    return _changed(call, data, body)


@DISCORD.action(
    "startScheduledEvent", EventRef, Event, repeat=Resend(), why="What has started stays started.", scopes=_SCOPES
)
def start_scheduled_event(call: Call, data: EventRef) -> Event:
    """Start an event now."""
    return _moved(call, data, "active")


@DISCORD.action("endScheduledEvent", EventRef, Event, repeat=Resend(), why="What is over stays over.", scopes=_SCOPES)
def end_scheduled_event(call: Call, data: EventRef) -> Event:
    """End an event that has started."""
    return _moved(call, data, "completed")


@DISCORD.action(
    "cancelScheduledEvent",
    EventRef,
    Event,
    repeat=Resend(),
    why="What is cancelled stays cancelled.",
    scopes=_SCOPES,
)
def cancel_scheduled_event(call: Call, data: EventRef) -> Event:
    """Cancel an event that has not started."""
    return _moved(call, data, "canceled")


def _moved(call: Call, data: EventRef, status: str) -> Event:
    """Bring an event into a state, unless it is there already."""
    try:
        return _changed(call, data, {"status": _NUMBER_OF[status]})
    except InvalidRequest:
        # Discord refuses every move from a state to itself, so an earlier attempt may be the reason.
        found = get_scheduled_event(call, EventRef(guild=data.guild, event=data.event))
        if found.status != status:
            raise
        return found


def _changed(call: Call, data: EventRef, body: Mapping[str, object]) -> Event:
    changed = web.ask(call, "PATCH", event_path(call, data), effect=True, body=body, needs=("id", "guild_id"))
    with web.reading(effect=True):
        return event_of(changed)


@DISCORD.action(
    "deleteScheduledEvent",
    EventRef,
    Done,
    repeat=Resend(),
    why="Deleting twice is the same as once.",
    scopes=_SCOPES,
)
def delete_scheduled_event(call: Call, data: EventRef) -> Done:
    """Delete an event; nobody sees it any more, unlike a cancelled one."""
    try:
        web.ask(call, "DELETE", event_path(call, data), effect=True)
    except NotFound as refused:
        if refused.code != errors.UNKNOWN_EVENT or call.first_sent_at is None:
            raise
    return Done()
