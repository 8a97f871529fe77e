"""What does the end of an attempt say about its connection? Whether the platform works, and what it limits."""

from __future__ import annotations

from typing import Literal

from connectors.kit.errors import (
    AuthExpired,
    ConnectorError,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    Unavailable,
)
from neonhub_worker.dispatch.gates import Report
from neonhub_worker.ledger.leases import Claimed, Outcome
from neonhub_worker.performing.run_ledger import LEASE_TOO_SHORT, SLOT_MISSED
from neonhub_worker.performing.tokens import Unready


def works(error: Exception | None, *, answered: bool) -> bool:
    """Whether the platform answered as one that works does: it did what was asked, or said why not or not yet."""
    return answered and not failed(error)


def failed(error: Exception | None) -> bool:
    """Whether the platform, the way to it or the credential failed, which would meet any run."""
    if isinstance(error, NotSent):
        return error.code not in (LEASE_TOO_SHORT, SLOT_MISSED)
    if isinstance(error, OutcomeUnknown):
        # A question that was refused says nothing about the others.
        return error.http_status is None or error.http_status >= 500
    return isinstance(error, (Unavailable, AuthExpired))


def no_token(claimed: Claimed, unready: Unready) -> Report | None:
    """What the gates have to know of a connection without a token: nothing goes there until it is tried again."""
    if claimed.connection_id is None or unready.dead:  # the dispatcher sees for itself that a grant is dead
        return None
    limited: tuple[Literal["connection"], float] = ("connection", unready.wait_s)
    reason = str(unready.error["class"])
    return Report(claimed.id, claimed.connection_id, claimed.name, claimed.target, limited=limited, reason=reason)


def report(claimed: Claimed, outcome: Outcome, error: Exception | None) -> Report | None:
    """What the gates of the connection have to know; None if nothing."""
    limited = isinstance(error, RateLimited) and error.of != "run"
    if claimed.connection_id is None or not (limited or failed(error)):
        return None
    return Report(
        claimed.id,
        claimed.connection_id,
        claimed.name,
        claimed.target,
        failed=failed(error),
        limited=(error.of, outcome.delay_s or 0.0) if isinstance(error, RateLimited) and error.of != "run" else None,
        reason=type(error).__name__ if isinstance(error, ConnectorError) else None,
    )
