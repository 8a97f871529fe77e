"""What a producer is told when Postgres goes away: nothing was changed, or nobody knows."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from neonhub_worker.db.engine import transaction
from neonhub_worker.errors import Unreachable


def test_a_statement_that_failed_changed_nothing(engine: Engine) -> None:
    def wait_for_a_lock() -> None:
        with transaction() as connection:
            connection.execute(text("set local lock_timeout = 1"))
            connection.execute(text("select * from run for update"))

    with engine.begin() as holder:
        holder.execute(text("lock table run"))
        with pytest.raises(Unreachable, match="nothing was changed, try again"):
            wait_for_a_lock()


def test_a_commit_that_was_not_answered_may_have_happened(engine: Engine) -> None:
    def lose_the_server() -> None:
        with transaction() as connection, engine.connect() as other:
            pid = connection.execute(text("select pg_backend_pid()")).scalar_one()
            other.execute(text("select pg_terminate_backend(:pid, 5000)"), {"pid": pid})

    with pytest.raises(Unreachable, match="did not say whether it committed: ask again with the same idempotency key"):
        lose_the_server()
