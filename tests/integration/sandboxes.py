"""The judge of what really reached the platforms, as a test asks it."""

from __future__ import annotations

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

    def opt_out(self, address: str) -> None:
        body = {"connector": "sms", "address": address}
        requests.post(f"{self.url}/_sandbox/opt-outs", json=body, timeout=10).raise_for_status()
