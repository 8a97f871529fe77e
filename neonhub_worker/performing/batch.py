"""How are many runs carried out at once? Claimed in one commit, sent side by side, settled in few commits."""

from __future__ import annotations

import functools
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

import structlog
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from connectors.registry import UnknownAction
from neonhub_worker import clock
from neonhub_worker.db.engine import transaction
from neonhub_worker.dispatch import events
from neonhub_worker.errors import NeonhubError, Unreachable, VaultError
from neonhub_worker.ledger import leases
from neonhub_worker.ledger.leases import Claimed, Outcome
from neonhub_worker.performing import outcomes
from neonhub_worker.performing.attempt import Attempt
from neonhub_worker.performing.run_ledger import LeaseLost
from neonhub_worker.settings import settings
from neonhub_worker.vault import connections

log = structlog.get_logger("neonhub.performing")

_SETTLE_AGAIN_S = 0.5


def worker_id() -> str:
    """Who holds a lease: unique for each start of a worker process."""
    return os.environ.get("NEONHUB_WORKER_ID") or f"pid-{os.getpid()}-{_START}"


_START = uuid.uuid4().hex[:12]


def perform(run_ids: Sequence[uuid.UUID]) -> None:
    """Carry out the due runs among these; safe to call any number of times with any ids.

    Raises:
        Unreachable: The database did not answer the claim: nothing was claimed, the dispatcher publishes again.
    """
    # Counted from before the claim is sent: the database's lease can only end later than this deadline.
    began = clock.elapsed_clock()
    deadline = began + settings().lease_s
    with transaction() as connection:
        claimed = leases.claim(connection, run_ids, worker=worker_id(), lease_s=settings().lease_s)
    if not claimed:
        return
    events.started(claimed)
    for ended in _outcomes(claimed, deadline):
        _settle(ended, began=began, deadline=deadline)


def _outcomes(claimed: Sequence[Claimed], deadline: float) -> Iterator[list[Outcome]]:
    """The outcomes as they come, as many at a time as have come."""
    if len(claimed) == 1:
        yield [outcome for outcome in (_attempt(claimed[0], deadline),) if outcome is not None]
        return
    running: set[Future[Outcome | None]] = {_senders().submit(_attempt, one, deadline) for one in claimed}
    while running:
        done, running = wait(running, return_when=FIRST_COMPLETED)
        yield [outcome for outcome in (future.result() for future in done) if outcome is not None]


@functools.lru_cache(maxsize=1)
def _senders() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings().worker_threads, thread_name_prefix="send")


def _attempt(claimed: Claimed, deadline: float) -> Outcome | None:
    """How one attempt ends; None if it must write nothing, and the lease's end will bring the run back."""
    try:
        return _begin(claimed, deadline)
    except (LeaseLost, Unreachable, SQLAlchemyError) as error:
        log.warning("attempt_left", run_id=str(claimed.id), error=type(error).__name__)
        return None


def _begin(claimed: Claimed, deadline: float) -> Outcome:
    try:
        opened = connections.open_connection(claimed.connection_id)
        attempt = Attempt(claimed, opened, deadline=deadline)
    except Unreachable:
        raise
    except VaultError as error:
        return outcomes.wrong_key(claimed, error)
    except ValidationError as error:
        return outcomes.cannot_begin(claimed, "InvalidRequest", _rules(error))
    except (NeonhubError, UnknownAction) as error:
        return outcomes.cannot_begin(claimed, type(error).__name__, str(error))
    return attempt.run()


def _rules(error: ValidationError) -> str:
    found = error.errors(include_input=False, include_url=False)
    return "; ".join(f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in found)


def _settle(ended: Sequence[Outcome], *, began: float, deadline: float) -> None:
    """Write the outcomes; a database that is away is asked again until the lease ends.

    After that the run is rescued and its effect settled by its repeat policy: nothing is lost by giving up here.
    """
    while ended:
        try:
            with transaction() as connection:
                moved = leases.settle(connection, ended, worker=worker_id())
            break
        except Unreachable:
            if clock.elapsed_clock() > deadline:
                log.warning("settle_given_up", count=len(ended))
                return
            time.sleep(_SETTLE_AGAIN_S)
    else:
        return
    events.settled(ended, moved, runtime_s=clock.elapsed_clock() - began)
    for outcome in ended:
        log.info(
            "settled" if outcome.id in moved else "lease_lost",
            run_id=str(outcome.id),
            attempt=outcome.fence,
            move=outcome.move,
            state=str(moved.get(outcome.id, "")),
            error=None if outcome.error is None else outcome.error["class"],
        )
