"""What do events do at Discord? Asked of the sandbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.discord.events import CreateScheduledEvent, EventList, mark
from connectors.kit.errors import (
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    RateLimited,
)
from connectors.registry import action
from tests.contract.cases.discord import VOICE
from tests.contract.conftest import Performer, Sandbox
from tests.contract.memory_ledger import in_doubt

EVENT = action("discord.createScheduledEvent")


def party(**changed: Any) -> dict[str, Any]:
    starts_at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    ends_at = starts_at + timedelta(hours=2)
    given = {"name": "Launch", "location": "12 Main St", "starts_at": starts_at, "ends_at": ends_at, **changed}
    return {name: value for name, value in given.items() if value is not None}


@pytest.fixture(autouse=True)
def room(performer: Performer) -> None:
    """A server holds 100 events that are not over."""
    for one in performer.do("discord.listScheduledEvents").model_dump()["events"]:
        performer.do("discord.deleteScheduledEvent", event=one["id"])


def test_an_event_carries_a_reference_and_is_found_by_it(performer: Performer, sandbox: Sandbox) -> None:
    data, mark_ = CreateScheduledEvent(**party(description="Come by.")), sandbox.mark()
    calls = [performer.call("discord") for _ in range(2)]
    made = [performer.perform(EVENT, call, data) for call in calls]

    # Alike in all but the reference.
    for call, event in zip(calls, made, strict=True):
        found = performer.look_up(EVENT, call, data)
        assert found is not None
        assert (found.provider_id(), found.model_dump()["description"]) == (
            event.provider_id(),
            f"Come by.\n\n{mark(call.key)}",
        )
    assert [f"ref {effect['key']}" for effect in sandbox.effects(mark_)] == [mark(call.key) for call in calls]


def test_an_event_is_changed_started_and_ended_and_another_cancelled_and_deleted(performer: Performer) -> None:
    made = performer.do("discord.createScheduledEvent", **party(location=None, ends_at=None, channel=VOICE))
    event = {"event": made.provider_id()}
    later = (datetime.now(UTC) + timedelta(days=9)).replace(microsecond=0)

    changed = performer.do(
        "discord.updateScheduledEvent", **event, name="Later", starts_at=later.isoformat()
    ).model_dump()
    assert (changed["name"], changed["starts_at"], changed["channel"]) == ("Later", later, VOICE)
    for name, status in (("start", "active"), ("end", "completed")):
        for _ in range(2):
            moved = performer.do(f"discord.{name}ScheduledEvent", **event).model_dump()
            assert moved["status"] == status
    with pytest.raises(InvalidRequest) as caught:
        performer.do("discord.cancelScheduledEvent", **event)
    assert caught.value.code == "180000"
    other = {"event": performer.do("discord.createScheduledEvent", **party()).provider_id()}
    assert performer.do("discord.cancelScheduledEvent", **other).model_dump()["status"] == "canceled"
    shown = performer.do("discord.getScheduledEvent", **other).model_dump()
    assert (shown["status"], shown["interested"]) == ("canceled", 1)
    listed = performer.do("discord.listScheduledEvents")
    assert isinstance(listed, EventList)
    assert listed.events == ()
    performer.do("discord.deleteScheduledEvent", **other)
    with pytest.raises(NotFound):
        performer.do("discord.getScheduledEvent", **other)


@pytest.mark.parametrize("repeats", ["daily", "weekly", "every_second_week", "yearly"])
def test_an_event_may_repeat(performer: Performer, repeats: str) -> None:
    assert performer.do("discord.createScheduledEvent", **party(repeats=repeats)).provider_id()


def test_after_its_start_nothing_is_concluded_from_the_list(performer: Performer) -> None:
    past = datetime.now(UTC) - timedelta(minutes=1)
    data = CreateScheduledEvent(**party(starts_at=past, ends_at=past + timedelta(hours=1)))

    with pytest.raises(OutcomeUnknown, match="its time has come"):
        performer.look_up(EVENT, performer.call("discord", in_doubt()), data)


def test_an_event_in_the_past_is_refused_before_any_call(performer: Performer, sandbox: Sandbox) -> None:
    mark_ = sandbox.mark()
    with pytest.raises(InvalidRequest, match=r"^starts_at: must be over 60 s"):
        performer.do("discord.createScheduledEvent", **party(starts_at=datetime.now(UTC)))
    assert sandbox.effects(mark_) == []


def test_a_server_holds_a_hundred_events(performer: Performer) -> None:
    for _ in range(100):
        performer.do("discord.createScheduledEvent", **party())

    with pytest.raises(RateLimited, match="at most 100 events") as caught:
        performer.do("discord.createScheduledEvent", **party())
    assert caught.value.retry_after_s == 3600.0


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"location": None}, "location and channel"),
        ({"channel": VOICE}, "location and channel"),
        ({"ends_at": None}, "ends_at is needed"),
        ({"stage": True}, "stage belongs"),
        ({"ends_at": datetime(2020, 1, 1, tzinfo=UTC)}, "after starts_at"),
        ({"description": "x" * 983}, "description"),
    ],
)
def test_an_event_that_discord_would_refuse_is_refused_here(wrong: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        CreateScheduledEvent.model_validate(party(**wrong))
