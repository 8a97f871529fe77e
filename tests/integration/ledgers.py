"""The ledger's statements as workers and people use them, each in a transaction of its own."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import Engine

from neonhub_worker import ids
from neonhub_worker.ledger import acceptance, leases, rescue, runs, steps
from neonhub_worker.ledger.acceptance import Draft
from neonhub_worker.ledger.leases import Claimed, Outcome
from neonhub_worker.ledger.runs import Run
from neonhub_worker.ledger.states import EffectState, RunState

LONG_S = 60.0
GONE_S = -1.0
"""A lease of negative length has run out at once: what a test needs instead of waiting."""


class Ledger:
    """The ledger's statements, each in a transaction of its own, as workers use them."""

    def __init__(self, engine: Engine, link: uuid.UUID) -> None:
        self.engine = engine
        self.link = link

    def draft(self, **changes: Any) -> Draft:
        values: dict[str, Any] = {
            "id": ids.new_id(),
            "organization_id": "acme",
            "kind": "action",
            "name": "sms.sendSMS",
            "connection_id": self.link,
            "input": {"to": "+14155550123"},
            "input_hash": "one",
            "queue": "actions",
            "max_retries": 3,
            "effect": "send",
        }
        return Draft(**{**values, **changes})

    def accept(self, **changes: Any) -> uuid.UUID:
        with self.engine.begin() as connection:
            return acceptance.accept(connection, [self.draft(**changes)], published=False)[0].id

    def claim(self, *run_ids: uuid.UUID, worker: str = "w1", lease_s: float = LONG_S) -> list[Claimed]:
        with self.engine.begin() as connection:
            return leases.claim(connection, run_ids, worker=worker, lease_s=lease_s)

    def settle(self, claimed: Claimed, move: str, effect: EffectState | None = None, **fields: Any) -> RunState | None:
        outcome = Outcome(claimed.id, claimed.fence, move, effect=effect, **fields)
        with self.engine.begin() as connection:
            return leases.settle(connection, [outcome], worker="w1").get(claimed.id)

    def rescue(self) -> list[uuid.UUID]:
        with self.engine.begin() as connection:
            return rescue.rescue(connection)

    def get(self, run_id: uuid.UUID) -> Run:
        with self.engine.connect() as connection:
            return runs.get(connection, run_id)

    def effect(self, run_id: uuid.UUID) -> str:
        with self.engine.connect() as connection:
            found = steps.read(connection, run_id, "send")
        assert found is not None
        return str(found.state)
