"""One action that changes something, with an input that works against a fresh sandbox."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors import registry
from connectors.kit.connector import AnyAction
from tests.contract.conftest import Performer

Prepare = Callable[[Performer, str], dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """One action.

    Attributes:
        operation: The platform's operation that does it, for faults.
        prepare: Makes an input, given a recipient that nobody else writes to.
        once: Whether a repeat would be a second effect.
        told: Whether the platform can prove that an effect did not happen; if not, a person decides about a repeat.
        empty_answer: Whether the platform says that it was done without a body: there is nothing to cut short.
        tells_wait: Whether the platform says for how long it limits.
        counted: What the sandbox counts the effect as, if the platform cannot tell it from another action's.
        played_by: The slug of the platform that does it, if it is not the action's own.
        wait_within_s: How exactly it says so, in seconds: some name the second on their clock.
    """

    name: str
    operation: str
    prepare: Prepare
    once: bool
    told: bool = True
    empty_answer: bool = False
    tells_wait: bool = True
    counted: str | None = None
    played_by: str = ""
    wait_within_s: float = 0.0

    @property
    def platform(self) -> str:
        return self.played_by or self.action.slug

    @property
    def action(self) -> AnyAction:
        return registry.action(self.name)


def soon(hours: float = 1.0) -> str:
    """An instant of its own, so many hours ahead, with its offset."""
    # A second of its own for each: Slack's scheduled messages are told apart by it.
    spread = timedelta(hours=hours, seconds=uuid.uuid4().int % 2_000_000)
    return (datetime.now(UTC) + spread).replace(microsecond=0).isoformat()


def text() -> str:
    """A text that nobody else has sent."""
    return f"Sale & more <https://example.com|today> {uuid.uuid4().hex}"
