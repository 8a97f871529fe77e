"""A small platform with one action per repeat policy, and runs that were claimed for them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel

from connectors.kit.action import Action, Input, LookUp, Output, Park, RepeatPolicy, Resend, ResendWithKey, Retry
from connectors.kit.call import Call
from connectors.kit.connector import Connector
from neonhub_worker.ledger.leases import Claimed
from tests.contract.memory_ledger import MemoryLedger

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SETTLE_AFTER_S = 30.0

AnyAction = Action[Input, Output]


class Nothing(BaseModel):
    """Neither secrets nor settings."""


class Post(Input):
    text: str = "hi"


class Posted(Output):
    id: str

    def provider_id(self) -> str:
        return self.id


def action(repeat: RepeatPolicy[Post, Posted], *, effect: bool = True, **retry: Any) -> AnyAction:
    """An action of the small platform that is repeated so."""
    platform = Connector("wall", "Wall", hosts=("wall.example",), credential=Nothing, settings=Nothing, api_version="1")

    @platform.action("post", Post, Posted, repeat=repeat, why="test", effect=effect, retry=Retry(**retry))
    def post(call: Call, data: Post) -> Posted:
        return Posted(id="P1")

    return platform.actions["post"]


def look_up(find: Callable[[Call, Post], Posted | None]) -> LookUp[Post, Posted]:
    return LookUp(find, settle_after_s=SETTLE_AFTER_S)


POLICIES: dict[str, RepeatPolicy[Post, Posted]] = {
    "resend": Resend(),
    "resend with key": ResendWithKey("header Key", window_s=3600.0),
    "look up": look_up(lambda call, data: None),
    "park": Park("nothing tells"),
}


def call() -> Call:
    connector = Connector("wall", "Wall", hosts=(), credential=Nothing, settings=Nothing, api_version="1")
    return Call(connector, ledger=MemoryLedger(), credential=Nothing(), settings=Nothing())


def claimed(**changes: Any) -> Claimed:
    """A run in its first attempt."""
    made = Claimed(
        id=uuid.UUID(int=1),
        organization_id="acme",
        name="wall.post",
        connection_id=uuid.UUID(int=2),
        target=None,
        input={},
        fence=1,
        attempts=1,
        max_retries=3,
        effect="send",
        effect_before=None,
        first_sent_at=None,
        sent_by=None,
        opted_out=False,
        cancel_requested=False,
        expired=False,
        now=NOW,
    )
    return replace(made, **changes)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)
