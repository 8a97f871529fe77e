"""How is it noticed that the ledger went back in time? Its mark is kept outside of it too: in processes and the broker.

Losing what the broker keeps loses only this way of noticing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import Connection

from neonhub_worker import clock
from neonhub_worker.app import app
from neonhub_worker.db.engine import transaction
from neonhub_worker.ledger import guard
from neonhub_worker.ledger.guard import Engaged, Identity

log = structlog.get_logger("neonhub.guard")

_BROKER_AWAY_S = 10.0


class _Broker:
    """The mark as the broker keeps it; nothing is kept where the broker cannot (RabbitMQ) or does not answer."""

    def __init__(self) -> None:
        self._ask_at = 0.0

    def read(self, database: Identity) -> datetime | None:
        """The latest mark; None if none is kept, or nothing that can be read as one."""
        found = self._do(lambda client: client.get(_key(database)))
        try:
            return None if found is None else datetime.fromisoformat(found.decode()).astimezone(UTC)
        except ValueError:
            log.warning("mark_unreadable", then="it is written anew")
            return None

    def write(self, database: Identity, seen_at: datetime) -> None:
        """Keep a mark that was committed."""
        self._do(lambda client: client.set(_key(database), seen_at.isoformat()))

    def _do(self, ask: Any) -> Any:
        if clock.elapsed_clock() < self._ask_at:
            return None
        try:
            with app.pool.acquire(block=True, timeout=1) as connection:
                # Not the channel's own client: a consumer of the same pooled connection may have left an answer in it.
                client_of = getattr(connection.default_channel, "conn_or_acquire", None)
                if client_of is None:
                    return None
                with client_of() as client:
                    return ask(client)
        except Exception as error:
            log.debug("mark_not_kept", error=type(error).__name__)
            self._ask_at = clock.elapsed_clock() + _BROKER_AWAY_S
            return None


def _key(database: Identity) -> str:
    return f"neonhub:seen:{database}"


_broker = _Broker()


class _Teller:
    """Says once that the guard is engaged, and once that it is not any more."""

    def __init__(self) -> None:
        self._said = False

    def tell(self, engaged: Engaged | None) -> None:
        """Log a change."""
        if engaged is not None and not self._said:
            then = "nothing is sent until `neonhub doctor --after-restore` has compared"
            log.error("restore_guard_engaged", reason=engaged.reason, then=then)
        if engaged is None and self._said:
            log.info("restore_guard_released")
        self._said = engaged is not None


_teller = _Teller()


def beat() -> bool:
    """Move the ledger's mark on, unless something is missing from the ledger.

    Returns:
        False if the guard is engaged: nothing may be fired or published.

    Raises:
        Unreachable: The database does not answer.
    """
    with transaction() as connection:
        database = guard.identity(connection)
        # Every time: a mark must not be kept over a later one.
        engaged = look(connection)
        seen_at = guard.move_on(connection) if engaged is None else None
    _teller.tell(engaged)
    if seen_at is None:
        return False
    guard.remember(database, seen_at)
    _broker.write(database, seen_at)
    return True


def look(connection: Connection) -> Engaged | None:
    """As ``guard.look``, with what the broker knows besides."""
    database = guard.identity(connection)
    kept = _broker.read(database)
    if kept is not None:
        guard.remember(database, kept)
    return guard.look(connection)


def check(connection: Connection, *, again: bool = False) -> bool:
    """Whether runs may be claimed, in the transaction that claims; looks once on each connection to the server.

    Whatever happened to the server, whoever lived through it comes by here before anything is claimed.

    Args:
        again: Look in any case: there was nothing to claim, and the guard may be why.
    """
    if guard.is_trusted(connection) and not again:
        return True
    engaged = guard.look(connection) if again else look(connection)
    _teller.tell(engaged)
    return engaged is None
