"""The judge of what really reached the platforms, as a test asks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox: the judge of what really reached the platforms."""

    url: str

    def effects(self, connector: str = "sms") -> list[dict[str, Any]]:
        answer = requests.get(f"{self.url}/_sandbox/effects", params={"connector": connector}, timeout=10)
        found: list[dict[str, Any]] = answer.json()["effects"]
        return found

    def fault(self, **fault: Any) -> None:
        requests.post(f"{self.url}/_sandbox/faults", json=fault, timeout=10).raise_for_status()

    def count(self, connector: str, operation: str, *, delay_s: float = 0) -> Callable[[], int]:
        """How many requests for an operation come from now on; each is held back for so long."""
        slow = int(delay_s > 0)
        self.fault(connector=connector, operation=operation, kind="latency", seconds=delay_s, probability=slow)

        def seen() -> int:
            faults = requests.get(f"{self.url}/_sandbox/faults", timeout=10).json()["faults"]
            return sum(one["seen"] for one in faults if (one["kind"], one["operation"]) == ("latency", operation))

        return seen

    def opt_out(self, address: str, connector: str = "sms") -> None:
        self._post("opt-outs", connector=connector, address=address)

    def hear(self, connector: str, address: str) -> None:
        """Let a person write to the account."""
        self._post("inbound", connector=connector, address=address)

    def advance(self, seconds: float) -> None:
        """Move the platforms' clock ahead."""
        self._post("clock", advance_s=seconds)

    def _post(self, path: str, **body: Any) -> None:
        requests.post(f"{self.url}/_sandbox/{path}", json=body, timeout=10).raise_for_status()
