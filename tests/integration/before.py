"""The version before, as far as the database and the broker see it: its recorded statements and messages."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

from sqlalchemy import CursorResult, Engine, text

from neonhub_worker import ids
from neonhub_worker.ledger.states import DUE, FINAL, IN_DOUBT, MOVES, PERHAPS_DONE, sources

RECORDED = Path(__file__).parents[1] / "upgrade"
MESSAGES: dict[str, dict[str, Any]] = json.loads((RECORDED / "message.json").read_text())
WINDOW = 2000
_BURNS_NO_ATTEMPT = {"snooze", "give_back", "call_off", "run_out"}


class Before:
    """Producer, worker and beat of the version before; each call is a transaction."""

    def __init__(self, engine: Engine, link: uuid.UUID) -> None:
        self._engine = engine
        self._link = link

    def accept(self, *, published: bool = False, **changes: Any) -> uuid.UUID:
        run_id = ids.new_id()
        values: dict[str, Any] = {
            "id": run_id,
            "organization_id": "acme",
            "kind": "action",
            "name": "sms.sendSMS",
            "connection_id": self._link,
            "input": '{"to": "+14155550123", "body": "Spring is here."}',
            "input_hash": "one",
            "queue": "actions",
            "priority": 5,
            "max_retries": 3,
            "effect": "send",
            **dict.fromkeys(("parent_id", "idempotency_key", "alike", "channel", "recipient", "run_at", "expires_at")),
        }
        columns = {name: [value] for name, value in {**values, **changes}.items()}
        self._execute("accept", **columns, published=published)
        return run_id

    def claim(self, *run_ids: uuid.UUID, lease_s: float = 60.0) -> dict[uuid.UUID, int]:
        """The fences of the runs that it got."""
        rows = self._execute("claim", ids=list(run_ids), sources=sources("claim"), worker="old", lease_s=lease_s)
        return {row.id: row.fence for row in rows}

    def settle(self, run_id: uuid.UUID, fence: int, move: str, effect: str | None, **fields: Any) -> str | None:
        """The run's new state; None if it does not hold it any more."""
        values = {"delay_s": None, "output": None, "provider_id": None, "error": None, "detail": None, **fields}
        outcome = {
            "id": run_id,
            "fence": fence,
            "move": move,
            "state": str(MOVES[move].target),
            "effect": effect,
            "burns": move not in _BURNS_NO_ATTEMPT,
            **values,
        }
        rows = self._execute(
            "settle",
            **{name: [value] for name, value in outcome.items()},
            final=[str(state) for state in FINAL],
            perhaps_done=[str(state) for state in PERHAPS_DONE],
            worker="old",
        )
        return next((row.state for row in rows), None)

    def rescue(self) -> list[uuid.UUID]:
        rows = self._execute(
            "rescue",
            max_crashes=5,
            limit=500,
            in_doubt=[str(state) for state in IN_DOUBT],
            perhaps_done=[str(state) for state in PERHAPS_DONE],
        )
        return [row.id for row in rows]

    def take(self) -> set[uuid.UUID]:
        """What its beat publishes in a tick."""
        values = {"states": [str(state) for state in DUE], "redispatch_s": 10.0}
        (in_flight,) = self._execute("in_flight", **values, window=WINDOW)
        return {row.id for row in self._execute("take", **values, limit=WINDOW - in_flight[0])}

    def _execute(self, statement: str, **values: Any) -> list[Any]:
        with self._engine.begin() as connection:
            result: CursorResult[Any] = connection.execute(
                text((RECORDED / "statements" / f"{statement}.sql").read_text()), values
            )
            return list(result.all())
