"""Time passes at once: what was long ago, and what is left of it."""

from __future__ import annotations

import uuid

from sqlalchemy import Engine, text

from neonhub_worker.db.engine import transaction


def age(*run_ids: uuid.UUID, days: float = 91) -> None:
    """As if these runs were accepted, and ended if they did, so many days ago."""
    statement = """
        update run set created_at = now() - make_interval(secs => :s),
                       finished_at = case when finished_at is not null then now() - make_interval(secs => :s) end
        where id = any(:ids)
    """
    with transaction() as connection:
        connection.execute(text(statement), {"ids": list(run_ids), "s": days * 86_400})


def kept(*run_ids: uuid.UUID) -> list[bool]:
    with transaction() as connection:
        found = connection.execute(text("select id from run where id = any(:ids)"), {"ids": list(run_ids)})
        there = {row.id for row in found}
    return [run_id in there for run_id in run_ids]


def count(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        number: int = connection.execute(text(f"select count(*) from {table}")).scalar_one()
        return number
