"""How are many runs carried out at once? Claimed in one commit, sent side by side, settled in few commits."""

from __future__ import annotations

import functools
import os
import time
import traceback
import uuid
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import structlog
from pydantic import ValidationError
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from connectors.registry import UnknownAction
from neonhub_worker import clock, faults
from neonhub_worker.db.engine import transaction
from neonhub_worker.dispatch import admission as admitting
from neonhub_worker.dispatch import events, gates, heartbeat
from neonhub_worker.dispatch.permits import Slot
from neonhub_worker.errors import NeonhubError, Unreachable, VaultError
from neonhub_worker.ledger import leases
from neonhub_worker.ledger.leases import Claimed
from neonhub_worker.performing import health, outcomes, tokens
from neonhub_worker.performing.attempt import Attempt, Ended
from neonhub_worker.performing.run_ledger import TWIN, TWIN_S, LeaseLost
from neonhub_worker.performing.seats import Seats
from neonhub_worker.performing.tokens import Unready
from neonhub_worker.settings import settings
from neonhub_worker.vault import connections, renewals
from neonhub_worker.vault.connections import Opened

log = structlog.get_logger("neonhub.performing")

_SETTLE_AGAIN_S = 0.5


def worker_id() -> str:
    """Who holds a lease: unique for each start of a worker process."""
    return os.environ.get("NEONHUB_WORKER_ID") or f"pid-{os.getpid()}-{_START}"


_START = uuid.uuid4().hex[:12]


def perform(run_ids: Sequence[uuid.UUID]) -> None:
    """Carry out the due runs among these; safe to call any number of times with any ids.

    Only as many as can be sent soon are claimed at once: what waits for a thread should hold neither lease nor permit.
    A run that comes alone is sent by the thread that it came to, and waits for nobody.

    Raises:
        Unreachable: The database did not answer the claim: nothing was claimed, the dispatcher publishes again.
    """
    if len(run_ids) == 1:
        _perform(run_ids)
        return
    at_once = settings().worker_threads
    for start in range(0, len(run_ids), at_once):
        part = run_ids[start : start + at_once]
        with _seats().taken(len(part)):
            _perform(part)


@functools.lru_cache(maxsize=1)
def _seats() -> Seats:
    # One batch is being claimed while another is being sent.
    return Seats(2 * settings().worker_threads)


def _perform(run_ids: Sequence[uuid.UUID]) -> None:
    # Counted from before the claim is sent: the database's lease can only end later than this deadline.
    faults.point("claim.begin")
    began = clock.elapsed_clock()
    lease_s = settings().lease_s
    with transaction() as connection:
        if not heartbeat.check(connection):
            return
        admission = admitting.admit(connection, run_ids, lease_s=lease_s)
        if not admission.admitted and not heartbeat.check(connection, again=True):
            return
        claimed = leases.claim(connection, admission.admitted, worker=worker_id(), lease_s=lease_s)
        slots = admitting.take(connection, admission, {one.id: one.fence for one in claimed})
        opened = connections.open_connections({one.connection_id for one in claimed}, connection=connection)
        _hold_twins(connection, {*admission.admitted} - {one.id for one in claimed})
        faults.point("claim.written")
    faults.point("claim.committed")
    if not claimed:
        return
    events.started(claimed)
    usable = {connection_id: _ready(one) for connection_id, one in opened.items()}
    holds = [Hold(one, usable[one.connection_id], slots.get(one.id), began + lease_s) for one in claimed]
    for ended in _outcomes(holds):
        _settle(ended, began=began, deadline=began + lease_s)


def _ready(opened: Opened | NeonhubError) -> Opened | Unready | NeonhubError:
    try:
        return opened if isinstance(opened, NeonhubError) else tokens.ready(opened)
    except NeonhubError as error:
        return error


def _hold_twins(connection: Connection, left: Collection[uuid.UUID]) -> None:
    """Due and not claimed: someone else was faster, or a run whose effect would look alike is under way."""
    admitting.hold(connection, dict.fromkeys(left, TWIN_S), reason=TWIN)


@dataclass(frozen=True)
class Hold:
    """A claimed run and what its attempt needs.

    Attributes:
        opened: Its connection, or why that cannot be opened or used now.
        deadline: ``clock.elapsed_clock()`` at which the lease ends.
    """

    claimed: Claimed
    opened: Opened | Unready | NeonhubError
    slot: Slot | None
    deadline: float


def _outcomes(holds: Sequence[Hold]) -> Iterator[list[Ended]]:
    """How the attempts ended, as many at a time as have."""
    if len(holds) == 1:
        ended = _attempt(holds[0])
        yield [] if ended is None else [ended]
        return
    running: set[Future[Ended | None]] = {_senders().submit(_attempt, one) for one in holds}
    while running:
        done, running = wait(running, return_when=FIRST_COMPLETED)
        yield [ended for ended in (future.result() for future in done) if ended is not None]


@functools.lru_cache(maxsize=1)
def _senders() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings().worker_threads, thread_name_prefix="send")


def _attempt(hold: Hold) -> Ended | None:
    """How one attempt ends; None if it must write nothing, and the lease's end will bring the run back."""
    try:
        return _begin(hold)
    except (LeaseLost, Unreachable, SQLAlchemyError) as error:
        log.warning("attempt_left", run_id=str(hold.claimed.id), error=type(error).__name__)
    except Exception as error:
        # A mistake of ours. The other runs of the batch have their outcomes, and they must be written down.
        place = traceback.extract_tb(error.__traceback__)[-1]
        log.error(
            "attempt_broke",
            run_id=str(hold.claimed.id),
            error=type(error).__name__,
            file=place.filename,
            line=place.lineno,
        )
    return None


def _begin(hold: Hold) -> Ended:
    try:
        if isinstance(hold.opened, NeonhubError):
            raise hold.opened
        if isinstance(hold.opened, Unready):
            return Ended(outcomes.no_token(hold.claimed, hold.opened), health.no_token(hold.claimed, hold.opened))
        attempt = Attempt(hold.claimed, hold.opened, deadline=hold.deadline, slot=hold.slot)
    except Unreachable:
        raise
    except VaultError as error:
        return Ended(outcomes.wrong_key(hold.claimed, error))
    except ValidationError as error:
        return Ended(outcomes.cannot_begin(hold.claimed, "InvalidRequest", _rules(error)))
    except (NeonhubError, UnknownAction) as error:
        return Ended(outcomes.cannot_begin(hold.claimed, type(error).__name__, str(error)))
    return attempt.run()


def _rules(error: ValidationError) -> str:
    found = error.errors(include_input=False, include_url=False)
    return "; ".join(f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in found)


def _settle(ended: Sequence[Ended], *, began: float, deadline: float) -> None:
    """Write how attempts ended; a database that is away is asked again until the lease ends.

    After that the run is rescued and its effect settled by its repeat policy: nothing is lost by giving up here.
    """
    done = [one.outcome for one in ended]
    while done:
        try:
            with transaction() as connection:
                moved = leases.settle(connection, done, worker=worker_id())
                gates.record(connection, [one.report for one in ended if one.report and one.outcome.id in moved])
                renewals.refuse(connection, [one.refused for one in ended if one.refused])
                faults.point("settle.written")
            break
        except Unreachable:
            if clock.elapsed_clock() > deadline:
                log.warning("settle_given_up", count=len(done))
                return
            time.sleep(_SETTLE_AGAIN_S)
    else:
        return
    faults.point("settle.committed")
    events.settled(done, moved, runtime_s=clock.elapsed_clock() - began)
    for outcome in done:
        log.info(
            "settled" if outcome.id in moved else "lease_lost",
            run_id=str(outcome.id),
            attempt=outcome.fence,
            move=outcome.move,
            state=str(moved.get(outcome.id, "")),
            error=None if outcome.error is None else outcome.error["class"],
        )
