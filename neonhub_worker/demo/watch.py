"""What do the ledger and the sandbox say of these runs now? Patient: whatever is down for a moment is asked again."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import requests
from sqlalchemy import text

from neonhub_worker.db.engine import transaction
from neonhub_worker.demo.report import RunResult
from neonhub_worker.errors import NeonhubError, Unreachable
from neonhub_worker.ledger.states import RunState

T = TypeVar("T")

_PATIENCE_S = 90.0
_AGAIN_S = 0.5


def patiently(ask: Callable[[], T]) -> T:
    """Ask until there is an answer; servers of the stack may be killed at any moment, and come back.

    Raises:
        Unreachable: There was none for a minute and a half.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return ask()
        except (Unreachable, requests.RequestException) as error:
            if time.monotonic() > deadline:
                raise _lasting(error) from None
            time.sleep(_AGAIN_S)


def _lasting(error: Exception) -> NeonhubError:
    if isinstance(error, NeonhubError):
        return error
    return Unreachable(f"the sandbox does not answer ({type(error).__name__}); `neonhub status` shows the processes")


class Sandbox:
    """The judge."""

    def __init__(self, url: str) -> None:
        self._url = url

    def last_effect(self) -> int:
        """Id of the latest effect."""
        answer = patiently(lambda: requests.get(f"{self._url}/_sandbox/effects", timeout=30))
        return int(answer.json()["last_id"])

    def effects(self, *, since_id: int) -> list[dict[str, Any]]:
        """The effects after one."""
        query = {"since_id": since_id}
        answer = patiently(lambda: requests.get(f"{self._url}/_sandbox/effects", params=query, timeout=30))
        found: list[dict[str, Any]] = answer.json()["effects"]
        return found

    def opt_out(self, connector: str, address: str) -> None:
        """Have the platform know of an opt-out that we do not know of."""
        self._post("opt-outs", {"connector": connector, "address": address})

    def add_fault(self, fault: dict[str, Any]) -> int:
        """Have a fault from now on; returns its id."""
        return int(self._post("faults", fault).json()["id"])

    def remove_fault(self, fault_id: int) -> None:
        """End a fault."""
        patiently(lambda: requests.delete(f"{self._url}/_sandbox/faults", params={"id": fault_id}, timeout=10))

    def _post(self, path: str, body: dict[str, Any]) -> requests.Response:
        answer = patiently(lambda: requests.post(f"{self._url}/_sandbox/{path}", json=body, timeout=10))
        answer.raise_for_status()
        return answer


_STATES = text("select state, count(*) as number from run where id = any(:ids) group by state")

_IN_DOUBT = text(
    """
    select count(*) from step s join run r on r.id = s.run_id
    where r.id = any(:ids) and s.effect and s.state in ('sending', 'unknown')
          and r.state in ('queued', 'retrying', 'waiting')
    """
)

_RESULTS = text(
    """
    select r.id, r.name, r.state, r.attempts, r.provider_id,
           (r.error ->> 'class') || coalesce(' (' || (r.error ->> 'code') || ')', '') as why,
           exists (select 1 from run_event e where e.run_id = r.id and e.detail ->> 'settled' is not null) as read_back
    from run r where r.id = any(:ids)
    """
)


def states(run_ids: Sequence[uuid.UUID]) -> tuple[dict[RunState, int], int]:
    """How many of these runs are in which state, and how many are in doubt."""

    def ask() -> tuple[dict[RunState, int], int]:
        values = {"ids": list(run_ids)}
        with transaction() as connection:
            counts = {RunState(row.state): row.number for row in connection.execute(_STATES, values)}
            return counts, connection.execute(_IN_DOUBT, values).scalar_one()

    return patiently(ask)


def results(run_ids: Sequence[uuid.UUID]) -> list[RunResult]:
    """What the ledger says of each."""

    def ask() -> list[RunResult]:
        with transaction() as connection:
            rows = connection.execute(_RESULTS, {"ids": list(run_ids)}).mappings()
            return [RunResult(**{**row, "id": str(row["id"]), "state": RunState(row["state"])}) for row in rows]

    return patiently(ask)
