"""What the measurements of fairness and pacing share: organizations, connections, and what the sandbox saw."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from sqlalchemy import create_engine, text

from neonhub_worker import enqueue_many
from neonhub_worker.dispatch import limits
from neonhub_worker.vault import connections, organizations

CHUNK = 1000


@dataclass(frozen=True)
class Verdict:
    """One answer.

    Attributes:
        target: What must hold, in words.
        figures: Times in seconds, rates per second.
    """

    question: str
    target: str
    kept: bool
    figures: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """As it is written to the file."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class Effect:
    """What the sandbox saw.

    Attributes:
        at: Seconds since 1970.
    """

    text: str
    at: float


class Stage:
    """A running stack with a sandbox, to which organizations and connections can be added.

    Args:
        tell: Receives what is being done, one line at a time.
    """

    def __init__(self, sandbox_url: str, database_url: str, *, tell: Callable[[str], None]) -> None:
        self.tell = tell
        self._sandbox_url = sandbox_url
        self._engine = create_engine(database_url)
        self._accounts: dict[str, Any] = self._get("accounts")

    @property
    def channels(self) -> list[str]:
        """Ids of the channels of the simulated Slack that its bot may post in."""
        found: dict[str, str] = self._accounts["slack"]["channels"]
        return [found[name] for name in ("launch", "general", "random", "board")]

    def connect(self, organization_id: str, name: str, connector: str = "sms", *, limit: str | None = None) -> None:
        """Add a connection, and its organization if need be."""
        organizations.ensure(organization_id, organization_id)
        account = self._accounts[connector]
        connections.add(
            organization_id=organization_id,
            name=name,
            connector=connector,
            account=f"{organization_id}-{name}",
            credential=account["credential"],
            settings=account["settings"],
            limits=[] if limit is None else [limits.parse(limit).as_json()],
        )

    def effects(self, connector: str = "sms", *, since_id: int = 0) -> list[Effect]:
        """What the sandbox saw, the oldest first."""
        answer = self._get("effects", connector=connector, since_id=since_id)
        return [Effect(one["text"] or "", datetime.fromisoformat(one["at"]).timestamp()) for one in answer["effects"]]

    def last_id(self) -> int:
        """The id of the latest effect: what ``effects`` may be asked since."""
        total: int = self._get("effects/count")["total"]
        last: int = self._get("effects", since_id=max(0, total - 1))["last_id"]
        return last

    def fault(self, **fault: Any) -> None:
        """Make something go wrong from now on."""
        requests.post(f"{self._sandbox_url}/_sandbox/faults", json=fault, timeout=10).raise_for_status()

    def heal(self) -> None:
        """Let nothing go wrong any more."""
        requests.delete(f"{self._sandbox_url}/_sandbox/faults", timeout=10).raise_for_status()

    def waiting(self, organization_id: str) -> int:
        """How many runs of an organization have not ended."""
        query = text("select count(*) from run where organization_id = :id and finished_at is null")
        with self._engine.connect() as connection:
            count: int = connection.execute(query, {"id": organization_id}).scalar_one()
        return count

    def call_off(self) -> None:
        """End what still waits, so that the next measurement begins with an empty backlog."""
        waiting = text(
            "update run set state = 'cancelled', finished_at = now() "
            "where state in ('queued', 'waiting', 'retrying', 'scheduled')"
        )
        running = True
        while running:
            time.sleep(0.2)
            with self._engine.begin() as connection:
                connection.execute(waiting)
                running = connection.execute(
                    text("select exists (select 1 from run where state = 'running')")
                ).scalar_one()
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("vacuum analyze run"))

    def _get(self, path: str, **query: Any) -> Any:
        answer = requests.get(f"{self._sandbox_url}/_sandbox/{path}", params=query, timeout=60)
        answer.raise_for_status()
        return answer.json()


def sms(organization_id: str, connection: str, body: str, number: int) -> dict[str, Any]:
    """One SMS to a number of its own."""
    return {
        "action": "sms.sendSMS",
        "organization_id": organization_id,
        "connection": connection,
        "input": {"to": f"+1{212 + number // 10_000_000}{number % 10_000_000:07d}", "body": body},
    }


def slack(organization_id: str, connection: str, body: str, number: int, channels: Sequence[str]) -> dict[str, Any]:
    """One message that Slack keeps for tomorrow; unlike those of now it has no limit per channel."""
    return {
        "action": "slack.scheduleMessage",
        "organization_id": organization_id,
        "connection": connection,
        "input": {
            "channel": channels[number % len(channels)],
            "text": body,
            "post_at": (datetime.now(UTC) + timedelta(days=1, minutes=number)).isoformat(),
        },
    }


def enqueue_all(wanted: Iterable[dict[str, Any]]) -> None:
    """Enqueue in chunks, as a campaign does."""
    chunk: list[dict[str, Any]] = []
    for request in wanted:
        chunk.append(request)
        if len(chunk) == CHUNK:
            enqueue_many(chunk)
            chunk = []
    if chunk:
        enqueue_many(chunk)


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(len(ordered) * share * 1000) // 1000) - 1)]


def most_in(at: Sequence[float], window_s: float) -> int:
    """The most of these instants that any window of this length holds; its end is not part of it."""
    ordered, first, most = sorted(at), 0, 0
    for last, instant in enumerate(ordered):
        while instant - ordered[first] >= window_s:
            first += 1
        most = max(most, last - first + 1)
    return most


def rate(at: Sequence[float], count: int) -> float:
    """Per second: ``count`` by the mean time between one instant and the one so many places later.

    Where a limit lets ``count`` through in a burst, this compares whole bursts.
    """
    ordered = sorted(at)
    return count / statistics.fmean(later - earlier for earlier, later in zip(ordered, ordered[count:], strict=False))
