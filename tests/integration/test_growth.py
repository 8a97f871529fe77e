"""No statement of everyday work reads a whole table of those that grow, whatever its plan is today."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text

from neonhub_worker.dispatch import admission, due, permits
from neonhub_worker.ledger import acceptance, decisions, leases, rescue, retention, runs, steps
from neonhub_worker.ledger.leases import Outcome
from neonhub_worker.ledger.states import EffectState
from neonhub_worker.schedules import firing
from tests.integration.ledgers import Ledger

WHOLE = re.compile(r"Seq Scan on (run|step|run_event|permit|occurrence)\b")


@pytest.fixture
def plans(engine: Engine) -> Iterator[dict[str, str]]:
    """The plans of all statements that are executed, where reading a whole table is what nothing else can replace."""
    found: dict[str, str] = {}

    def explain(_: Any, cursor: Any, statement: str, parameters: Any, *__: Any) -> None:
        if re.match(r"\s*(select|with|insert|update|delete)\b", statement):
            cursor.execute("set local enable_seqscan = off")
            cursor.execute(f"explain {statement}", parameters)
            found[statement] = "\n".join(row[0] for row in cursor.fetchall())

    event.listen(engine, "before_cursor_execute", explain)
    yield found
    event.remove(engine, "before_cursor_execute", explain)


def accept(connection: Connection, ledger: Ledger) -> list[uuid.UUID]:
    drafts = [ledger.draft(idempotency_key="k", alike="same", limits=[{"count": 9, "per_s": 60, "of": "connection"}])]
    acceptance.accept(connection, drafts, published=True)
    return [one.id for one in acceptance.accept(connection, [ledger.draft(idempotency_key="k")], published=True)]


def carry_out(connection: Connection, ledger: Ledger) -> None:
    """From acceptance to the end, and all that may be asked in between."""
    run_ids = accept(connection, ledger)
    admission_ = admission.admit(connection, run_ids, lease_s=30)
    (claimed,) = leases.claim(connection, admission_.admitted, worker="w1", lease_s=30)
    assert admission.take(connection, admission_, {claimed.id: claimed.fence})
    steps.taken(connection, ledger.link, {"SM1"}, besides=claimed.id)
    steps.has_parked_twin(connection, claimed.id)
    steps.first_sent_at(connection, claimed.id)
    outcome = Outcome(claimed.id, claimed.fence, "succeed", EffectState.CONFIRMED, provider_id="SM1", sent_s=0.1)
    assert leases.settle(connection, [outcome], worker="w1")
    runs.get(connection, claimed.id)


def dispatch(connection: Connection, ledger: Ledger) -> None:
    """What beat asks in a tick."""
    acceptance.accept(connection, [ledger.draft()], published=False)
    firing.fire_due(connection)
    rescue.rescue(connection)
    decisions.expire(connection)
    due.ripen(connection, redispatch_s=10)
    assert due.take(connection).due
    due.seconds_to_next(connection)


def prune(connection: Connection, ledger: Ledger) -> None:
    """What beat removes."""
    run_id = acceptance.accept(connection, [ledger.draft()], published=False)[0].id
    connection.execute(text("update run set created_at = now() - interval '100 days' where id = :id"), {"id": run_id})
    retention.prune(connection, days=90)
    permits.forget_past(connection)
    firing.forget_past(connection, days=90)


@pytest.mark.parametrize("work", [carry_out, dispatch, prune])
def test_nothing_reads_a_whole_table(
    ledger: Ledger, plans: dict[str, str], work: Callable[[Connection, Ledger], None]
) -> None:
    with ledger.engine.begin() as connection:
        work(connection, ledger)
    assert len(plans) >= 5
    assert [f"{statement}\n{plan}" for statement, plan in plans.items() if WHOLE.search(plan)] == []
