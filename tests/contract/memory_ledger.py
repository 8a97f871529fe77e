"""A run's ledger in memory, with the same promises as the one in Postgres."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta

from connectors.kit.action import JsonValue
from connectors.kit.call import OptOut
from connectors.kit.errors import NotDone, NotSent, Refused


class MemoryLedger:
    """The ledger of one run.

    Args:
        settle: Asks the repeat policy about a step in doubt; set by whoever performs the action.
    """

    def __init__(self, *, settle: Callable[[], JsonValue] | None = None) -> None:
        self.key = uuid.uuid4().hex
        self.attempt = 1
        self.first_sent_at: datetime | None = None
        self.lease_s = 60.0
        self.settle = settle
        self.results: dict[str, JsonValue] = {}
        self.in_doubt: set[str] = set()
        self.owned_by_others: set[str] = set()
        self.opt_outs: dict[tuple[str, str], OptOut] = {}
        self.opt_ins: set[tuple[str, str]] = set()

    def sent(self, at: datetime | None = None) -> None:
        """Note that the effect may have left this side: at ``at``, or now."""
        self.first_sent_at = self.first_sent_at or at or datetime.now(UTC)

    def check_lease(self, *, needed_s: float) -> None:
        if self.lease_s < needed_s:
            raise NotSent("the lease would end too soon")

    def keep_lease(self) -> None:
        """It does not run out."""

    def before_write(self, *, needed_s: float) -> None:
        self.check_lease(needed_s=needed_s)

    def after_write(self) -> None:
        """Nothing asks when."""

    def step(self, name: str, do: Callable[[], JsonValue]) -> JsonValue:
        if name not in self.results:
            self.results[name] = do()
        return self.results[name]

    def effect(self, name: str, do: Callable[[], JsonValue]) -> JsonValue:
        if name in self.results:
            return self.results[name]
        if name in self.in_doubt:
            assert self.settle is not None
            found = self.settle()
            if found is not None:
                self.results[name] = found
                return found
        self.in_doubt.add(name)
        began_at = datetime.now(UTC)
        try:
            self.results[name] = do()
        except (NotDone, Refused):
            self.in_doubt.discard(name)
            raise
        except Exception:
            # Only an effect in doubt has a time at which it may have been sent.
            self.sent(began_at)
            raise
        self.in_doubt.discard(name)
        return self.results[name]

    def recall(self, name: str) -> JsonValue | None:
        return self.results.get(name)

    def taken(self, provider_ids: Collection[str]) -> set[str]:
        return self.owned_by_others & set(provider_ids)

    def opt_out(self, channel: str, address: str) -> OptOut | None:
        return self.opt_outs.get((channel, address))

    def record_consent(self, channel: str, address: str, *, opted_out: bool, source: str) -> None:
        if opted_out:
            self.opt_outs[channel, address] = OptOut(since_at=datetime.now(UTC), source=source)
        else:
            self.opt_ins.add((channel, address))
            self.opt_outs.pop((channel, address), None)


def in_doubt(*, minutes_ago: float = 0.0) -> MemoryLedger:
    """The ledger of a run whose effect may have been sent then."""
    ledger = MemoryLedger()
    ledger.sent(datetime.now(UTC) - timedelta(minutes=minutes_ago))
    return ledger
