"""What do the ledger and the sandbox say? Read only; asked again while the servers come back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import text

from neonhub_worker.db.engine import transaction
from neonhub_worker.demo.watch import Sandbox, patiently
from neonhub_worker.ledger.runs import Event
from neonhub_worker.ledger.states import RunState
from tests.acceptance.chaos import actions
from tests.acceptance.chaos.judge import ENDED, Effect, RunRecord

_COUNTS = text("select state, count(*) as number from run group by state")
_RUNS = text("select id, idempotency_key, name, state, attempts, provider_id from run order by id")
_EVENTS = text("select run_id, at, move, state, fence, worker, detail from run_event order by run_id, id")


def counts() -> Mapping[RunState, int]:
    """How many runs are in which state."""

    def ask() -> dict[RunState, int]:
        with transaction() as connection:
            return {RunState(row.state): row.number for row in connection.execute(_COUNTS)}

    return patiently(ask)


def ended(found: Mapping[RunState, int]) -> int:
    """How many of the counted are over, or wait for a person."""
    return sum(number for state, number in found.items() if state in ENDED)


def runs() -> list[RunRecord]:
    """Every run in the ledger with its timeline."""

    def ask() -> list[RunRecord]:
        with transaction() as connection:
            events = defaultdict(list)
            for row in connection.execute(_EVENTS):
                events[row.run_id].append(Event(row.at, row.move, row.state, row.fence, row.worker, row.detail))
            return [
                RunRecord(
                    id=row.id,
                    mark=row.idempotency_key,
                    action=row.name,
                    may_park=actions.KIND_OF[row.name].may_park,
                    state=RunState(row.state),
                    attempts=row.attempts,
                    provider_id=row.provider_id,
                    events=tuple(events[row.id]),
                )
                for row in connection.execute(_RUNS)
            ]

    return patiently(ask)


def effects(sandbox: Sandbox) -> dict[str, list[Effect]]:
    """What the sandbox counted, by the mark of the request; "" if it shows none."""
    found = defaultdict(list)
    for effect in sandbox.effects(since_id=0):
        found[actions.mark_of(effect) or ""].append(Effect(str(effect["provider_id"]), effect["key"]))
    return dict(found)
