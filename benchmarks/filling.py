"""What stands in a ledger that has been in use for months: finished runs with steps and events, and a backlog."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from sqlalchemy import Connection, Engine, text

ORGANIZATIONS, CONNECTIONS = 5, 10
_PART = 250_000

# A tenth is older than 90 days.
_FINISHED = """
    with made as (
        select n, clock_timestamp() - interval '99 days' * (1 - n::float8 / :rows) as at,
               c.id as connection_id, c.organization_id
        from generate_series(cast(:first as int), :last) n join bench_connection c on c.nth = n % :connections
    )
    insert into run (id, organization_id, kind, name, connection_id, input, input_hash, idempotency_key, queue, effect,
                     alike, channel, recipient, limits, max_retries, state, run_at, published_at, fence, attempts,
                     output, provider_id, created_at, finished_at)
    select uuidv7(at - clock_timestamp()), organization_id, 'action', 'sms.sendSMS', connection_id,
           jsonb_build_object('to', '+1415555' || lpad((n % 10000)::text, 4, '0'), 'body', 'Spring is here ' || n),
           md5(n::text), 'key-' || n, 'actions', 'send', md5(n::text), 'sms',
           '+1415555' || lpad((n % 10000)::text, 4, '0'),
           '[]', 3, 'succeeded', at, null, 1, 1, jsonb_build_object('sid', 'SM' || md5(n::text), 'status', 'queued'),
           'SM' || md5(n::text), at, at + interval '1 second'
    from made
"""

_STEPS = """
    insert into step (run_id, name, effect, state, connection_id, alike, provider_id, first_sent_at, sent_by, fence)
    select id, 'send', true, 'confirmed', connection_id, alike, provider_id, run_at, run_at + interval '30 seconds', 1
    from run where state = 'succeeded'
"""

_EVENTS = """
    insert into run_event (run_id, at, move, state, fence, worker)
    select id, run_at, move, case move when 'claim' then 'running' else 'succeeded' end, 1, 'bench'
    from run cross join (values ('claim'), ('succeed')) as m(move) where run.state = 'succeeded'
"""

_BACKLOG = """
    insert into run (id, organization_id, kind, name, connection_id, input, input_hash, queue, effect, alike, channel,
                     recipient, limits, max_retries, state, run_at)
    select uuidv7(), c.organization_id, 'action', 'sms.sendSMS', c.id,
           jsonb_build_object('to', '+14155550123', 'body', 'Spring is here ' || n), md5(n::text), 'bulk', 'send',
           md5(n::text), 'sms', '+14155550123', '[]', 3, 'queued', clock_timestamp()
    from generate_series(1, :count) n join bench_connection c on c.nth = n % :connections
"""


def organizations(connection: Connection) -> list[tuple[str, uuid.UUID]]:
    """Make organizations with connections: each is a lane. Returns organization and connection ids."""
    connection.execute(
        text("insert into organization (id, name) select 'org-' || n, 'Org' from generate_series(1, :count) n"),
        {"count": ORGANIZATIONS},
    )
    connection.execute(
        text(
            "insert into connection (id, organization_id, name, connector, account, credential) "
            "select gen_random_uuid(), 'org-' || o, 'sms-' || c, 'sms', 'AC', '' "
            "from generate_series(1, :organizations) o, generate_series(1, :connections) c"
        ),
        {"organizations": ORGANIZATIONS, "connections": CONNECTIONS},
    )
    connection.execute(
        text(
            "create table bench_connection as "
            "select id, organization_id, row_number() over (order by id) - 1 as nth from connection"
        )
    )
    return [(row.organization_id, row.id) for row in connection.execute(text("select * from bench_connection"))]


def finished(engine: Engine, rows: int, say: Callable[[str], None]) -> None:
    """Fill in finished runs, each with one step and two events, evenly over 99 days.

    Their pages are as full as later inserts make them: else each new run would find room on a page of its own.
    """
    _fill(engine, "alter table run set (fillfactor = 100)")
    for first in range(1, rows + 1, _PART):
        last = min(first + _PART - 1, rows)
        values = {"rows": rows, "first": first, "last": last, "connections": ORGANIZATIONS * CONNECTIONS}
        _fill(engine, _FINISHED, **values)
        say(f"{last} runs")
    for statement in (_STEPS, _EVENTS):
        _fill(engine, statement)
        say("steps and events" if statement is _EVENTS else "steps")
    _fill(engine, "alter table run set (fillfactor = 80)")


def backlog(connection: Connection, count: int) -> None:
    """Add runs that wait, evenly in all lanes, on a queue of their own."""
    connection.execute(text(_BACKLOG), {"count": count, "connections": ORGANIZATIONS * CONNECTIONS})


def _fill(engine: Engine, statement: str, **values: object) -> None:
    with engine.begin() as connection:
        # What refers to what is right by construction.
        connection.execute(text("set local session_replication_role = replica"))
        connection.execute(text("set local synchronous_commit = off"))
        connection.execute(text(statement), values)
