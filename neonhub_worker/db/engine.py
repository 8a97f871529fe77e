"""How do we connect to Postgres?"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from neonhub_worker.errors import Unreachable, first_line
from neonhub_worker.settings import settings

_READ_ONLY = "25006"
"""The SQLSTATE of a write to a server that is not the primary."""


def make_engine(url: str, *, pool_size: int = 8) -> Engine:
    """An engine whose connections are checked before use, so that a restarted Postgres costs no failed statement.

    Args:
        url: ``postgresql+psycopg://...``
        pool_size: Connections kept; as many again may be opened under load.
    """
    made = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        pool_timeout=10,
        # Errors are logged and shown, and parameters hold phone numbers and texts.
        hide_parameters=True,
        connect_args={
            "connect_timeout": 5,
            "application_name": "neonhub",
            # A vanished server is noticed in about 25 s instead of two hours.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            # A process that freezes inside a transaction would keep its rows from everybody else for as long.
            "options": "-c timezone=UTC -c lock_timeout=10s -c idle_in_transaction_session_timeout=10s",
        },
    )
    event.listen(made, "handle_error", _leave_standby)
    return made


def _leave_standby(context: ExceptionContext) -> None:
    """Connections to a server that is not the primary any more still answer, and would be kept for ever."""
    if getattr(context.original_exception, "sqlstate", None) == _READ_ONLY:
        context.is_disconnect = True


@functools.lru_cache(maxsize=1)
def engine() -> Engine:
    """This process's engine, made at the first call from the settings."""
    return make_engine(settings().need_database_url(), pool_size=settings().database_pool)


@contextmanager
def transaction(connection: Connection | None = None) -> Iterator[Connection]:
    """A transaction to run statements in.

    Args:
        connection: The caller's own connection, inside its transaction: it is passed on and nothing is committed
            here. None opens a new transaction, committed on leaving.

    Raises:
        Unreachable: Postgres does not answer. If it was the commit that was not answered, the text says that nobody
            knows whether it happened.
    """
    if connection is not None:
        yield connection
        return
    committing = False
    try:
        with reachable(), engine().begin() as opened:
            yield opened
            committing = True
    except Unreachable as error:
        if not committing:
            raise
        raise Unreachable(
            "the database did not say whether it committed: ask again with the same idempotency key, or look first "
            "with `neonhub runs list`"
        ) from error


@contextmanager
def reachable() -> Iterator[None]:
    """Turn a failure to reach Postgres into one line for a person.

    Raises:
        Unreachable: Postgres does not answer.
    """
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise Unreachable(_unreachable_text(error)) from error
    except InternalError as error:
        if not error.connection_invalidated:
            raise
        raise Unreachable(_unreachable_text(error)) from error


def _unreachable_text(error: Exception) -> str:
    """Without the password."""
    url = engine().url
    cause = getattr(error, "orig", error)
    reason = first_line(cause)
    if getattr(cause, "sqlstate", None):
        return f"the database could not do it now ({reason}); nothing was changed, try again"
    return (
        f"the database at {url.host}:{url.port or 5432} does not answer ({reason}); "
        "check NEONHUB_DATABASE_URL, or start the embedded one with `neonhub up`"
    )
