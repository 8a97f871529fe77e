"""How a test lets schedules fire, and lets time pass for them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, text

from neonhub_worker import schedule
from neonhub_worker.db.engine import transaction
from neonhub_worker.schedules import firing
from tests.factories import sms

_KEYS = """
    update run set idempotency_key = 'schedule:' || o.schedule_id || ':'
           || to_char(o.due_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"')
    from occurrence o where o.run_id = run.id
"""


def fire() -> int:
    """What one beat does once; how many runs that made."""
    with transaction() as connection:
        return firing.fire_due(connection)


def now() -> datetime:
    with transaction() as connection:
        moment: datetime = connection.execute(text("select now()")).scalar_one()
        return moment


def make_every_minute(name: str = "minutely", **changes: Any) -> None:
    schedule(sms(), name=name, every=timedelta(minutes=1), **changes)


def clock_jumps(engine: Engine, by: timedelta) -> None:
    """As if the database's clock had jumped ahead (back, if negative), or as if nothing had run for so long.

    Postgres takes its clock from the system, which no test may set. But all that is ever decided is how stored instants
    lie to that clock: a clock that is ahead by some time, and all stored instants before it by that time, are the same.
    Keys are made of instants, so they move along; so are the ids of runs, which become any others.
    """
    with engine.begin() as connection:
        for table, columns in {
            "schedule": ("created_at", "starts_at", "ends_at", "next_at", "last_at", "retry_at"),
            "run": ("created_at", "run_at", "published_at", "expires_at"),
        }.items():
            moved = ", ".join(f"{column} = {column} - :by" for column in columns)
            connection.execute(text(f"update {table} set {moved}"), {"by": by})
        # Not in place: one row would come to stand on another's instant for a moment.
        connection.execute(text("create temporary table moved on commit drop as select * from occurrence"))
        connection.execute(text("delete from occurrence"))
        connection.execute(
            text("insert into occurrence select schedule_id, due_at - :by, outcome, run_id from moved"), {"by": by}
        )
        connection.execute(text("update run set idempotency_key = null"))
        connection.execute(text(_KEYS))
        connection.execute(
            text("create temporary table renamed on commit drop as select id, gen_random_uuid() as other from run")
        )
        connection.execute(text("update occurrence o set run_id = r.other from renamed r where o.run_id = r.id"))
        connection.execute(text("update run set id = r.other from renamed r where run.id = r.id"))


def outcomes(engine: Engine) -> list[str]:
    """Of all occurrences, oldest first."""
    with engine.connect() as connection:
        return list(connection.execute(text("select outcome from occurrence order by due_at")).scalars())


def runs_per_instant(engine: Engine) -> list[int]:
    """How many runs each occurrence that fired has, by their keys; and that there are no other runs."""
    query = """
        select count(r.id) from occurrence o
        left join run r on r.idempotency_key like 'schedule:' || o.schedule_id || ':%'
             and cast(split_part(r.idempotency_key, ':', 3) || ':' || split_part(r.idempotency_key, ':', 4)
                      || ':' || split_part(r.idempotency_key, ':', 5) || ':' || split_part(r.idempotency_key, ':', 6)
                      as timestamptz) = o.due_at and r.id = o.run_id
        where o.outcome = 'fired' group by o.schedule_id, o.due_at order by o.due_at
    """
    with engine.connect() as connection:
        found = list(connection.execute(text(query)).scalars())
        assert connection.execute(text("select count(*) from run")).scalar_one() == sum(found)
    return found
