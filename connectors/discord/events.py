"""Scheduled events of a server: created once, found again by a mark in their description."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from connectors.discord import web
from connectors.discord.platform import DISCORD, IN_GUILD, SETTLE_AFTER_S, Snowflake, guild_of
from connectors.kit import clock
from connectors.kit.action import Input, LookUp, Output
from connectors.kit.call import Call
from connectors.kit.errors import OutcomeUnknown, looking
from connectors.kit.fields import Ahead, UtcDatetime

AHEAD = Ahead(soonest=timedelta(seconds=60), latest=timedelta(days=5 * 365))
"""Discord wants the start to be in the future, and at most five years ahead."""

_GUILD_ONLY = 2
_STAGE, _VOICE, _EXTERNAL = 1, 2, 3
STATUS = {1: "scheduled", 2: "active", 3: "completed", 4: "canceled"}
_MARK_LENGTH = len("\n\nref ") + 12

Description = Annotated[str, Field(min_length=1, max_length=1000 - _MARK_LENGTH)]
Repeats = Literal["daily", "weekly", "every_second_week", "yearly"]
_RULES: dict[str, tuple[int, int]] = {"daily": (3, 1), "weekly": (2, 1), "every_second_week": (2, 2), "yearly": (0, 1)}


class CreateScheduledEvent(Input):
    """An event that people of a server can see and follow: at a place, or in a voice or stage channel."""

    guild: Snowflake | None = IN_GUILD
    name: str = Field(min_length=1, max_length=100, description="Title, at most 100 characters.")
    starts_at: Annotated[UtcDatetime, AfterValidator(AHEAD.accept)] = Field(
        description="When it starts, with offset: over a minute ahead."
    )
    ends_at: UtcDatetime | None = Field(default=None, description="When it ends; needed with location.")
    location: str | None = Field(
        default=None, min_length=1, max_length=100, description="Place or address, instead of channel."
    )
    channel: Snowflake | None = Field(default=None, description="Voice or stage channel it takes place in.")
    stage: bool = Field(default=False, description="The channel is a stage.")
    description: Description | None = Field(
        default=None, description=f"At most {1000 - _MARK_LENGTH} characters; a short reference is added below it."
    )
    repeats: Repeats | None = Field(default=None, description="How often it takes place.")

    @model_validator(mode="after")
    def _is_somewhere(self) -> CreateScheduledEvent:
        if (self.location is None) == (self.channel is None):
            raise ValueError("one of location and channel is needed, not both")
        if self.location is not None and self.ends_at is None:
            raise ValueError("ends_at is needed for an event at a location")
        if self.stage and self.channel is None:
            raise ValueError("stage belongs to a channel")
        if self.ends_at is not None and self.ends_at <= self.starts_at:
            raise ValueError("ends_at must be after starts_at")
        return self


class Event(Output):
    """A scheduled event."""

    id: str
    guild: str
    name: str
    status: str = Field(description="scheduled, active, completed or canceled.")
    starts_at: datetime
    ends_at: datetime | None
    channel: str | None
    location: str | None
    description: str | None
    interested: int | None = Field(default=None, description="How many people follow it.")

    def provider_id(self) -> str:
        """The event's id."""
        return self.id


def mark(key: str) -> str:
    """The effect key as the description carries it; people see it, so it is short."""
    return f"ref {hashlib.sha256(key.encode()).hexdigest()[:12]}"


def event_of(found: dict[str, Any]) -> Event:
    """Discord's event as an output; asked within ``web.reading``."""
    number = found["status"]
    return Event(
        id=found["id"],
        guild=found["guild_id"],
        name=found["name"],
        status=STATUS.get(number, str(number)),
        starts_at=found["scheduled_start_time"],
        ends_at=found.get("scheduled_end_time"),
        channel=found.get("channel_id"),
        location=(found.get("entity_metadata") or {}).get("location"),
        description=found.get("description"),
        interested=found.get("user_count"),
    )


def _find(call: Call, data: CreateScheduledEvent) -> Event | None:
    """The event whose description carries the mark; the list holds all that are not over."""
    if call.first_sent_at is None:
        return None
    ours = mark(call.key)
    with looking(), web.reading():
        for one in web.rows(call, f"guilds/{guild_of(call, data.guild)}/scheduled-events"):
            if str(one.get("description") or "").endswith(ours):
                return event_of(one)
    if data.starts_at - clock.now() < AHEAD.soonest + clock.SKEW:
        # Discord's clock may be ahead of ours: it may have begun and ended, and the list shows it no more.
        raise OutcomeUnknown("its time has come, so the list may not show it any more; look into the server's events")
    return None


@DISCORD.action(
    "createScheduledEvent",
    CreateScheduledEvent,
    Event,
    repeat=LookUp(_find, settle_after_s=SETTLE_AFTER_S),
    why="Discord takes no key for events, but lists them all with the reference in their description.",
    scopes=("CREATE_EVENTS", "for channels also VIEW_CHANNEL and CONNECT"),
    limits=("100 events per server that are not over",),
)
def create_scheduled_event(call: Call, data: CreateScheduledEvent) -> Event:
    """Create an event that people of a server can follow."""
    AHEAD.check("starts_at", data.starts_at)
    kind = _EXTERNAL if data.channel is None else _STAGE if data.stage else _VOICE
    body = {
        "name": data.name,
        "privacy_level": _GUILD_ONLY,
        "entity_type": kind,
        "channel_id": data.channel,
        "entity_metadata": data.location and {"location": data.location},
        "scheduled_start_time": data.starts_at.isoformat(),
        "scheduled_end_time": data.ends_at and data.ends_at.isoformat(),
        "description": "\n\n".join(filter(None, (data.description, mark(call.key)))),
        "recurrence_rule": _rule(data),
    }
    path = f"guilds/{guild_of(call, data.guild)}/scheduled-events"
    made = web.ask(call, "POST", path, effect=True, body=body, needs=("id", "guild_id"))
    with web.reading(effect=True):
        return event_of(made)


def _rule(data: CreateScheduledEvent) -> dict[str, Any] | None:
    if data.repeats is None:
        return None
    frequency, interval = _RULES[data.repeats]
    rule: dict[str, Any] = {"start": data.starts_at.isoformat(), "frequency": frequency, "interval": interval}
    if data.repeats == "yearly":
        return {**rule, "by_month": [data.starts_at.month], "by_month_day": [data.starts_at.day]}
    return rule if data.repeats == "daily" else {**rule, "by_weekday": [data.starts_at.weekday()]}


class EventRef(Input):
    """An event by its id."""

    guild: Snowflake | None = IN_GUILD
    event: Snowflake = Field(description="The event's id, as createScheduledEvent gave it.")


class ListScheduledEvents(Input):
    """Which server's events to list."""

    guild: Snowflake | None = IN_GUILD


class EventList(Output):
    """A server's events that are not over."""

    events: tuple[Event, ...]


@DISCORD.read("listScheduledEvents", ListScheduledEvents, EventList)
def list_scheduled_events(call: Call, data: ListScheduledEvents) -> EventList:
    """List a server's events that are not over."""
    path = f"guilds/{guild_of(call, data.guild)}/scheduled-events"
    found = web.rows(call, path, params={"with_user_count": True})
    with web.reading():
        return EventList(events=tuple(event_of(one) for one in found))


@DISCORD.read("getScheduledEvent", EventRef, Event)
def get_scheduled_event(call: Call, data: EventRef) -> Event:
    """Read one event, with how many people follow it."""
    found = web.ask(
        call, "GET", event_path(call, data), effect=False, params={"with_user_count": True}, needs=("id", "guild_id")
    )
    with web.reading():
        return event_of(found)


def event_path(call: Call, data: EventRef) -> str:
    """Where an event is."""
    return f"guilds/{guild_of(call, data.guild)}/scheduled-events/{data.event}"
