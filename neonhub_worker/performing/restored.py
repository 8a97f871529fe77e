"""What happens to the runs of a restored ledger? Explained first, then done: all in doubt, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

import structlog
from sqlalchemy import Connection, text

from connectors import registry
from connectors.kit.action import LookUp, Park, Resend, ResendWithKey
from connectors.kit.connector import AnyAction
from neonhub_worker.db.engine import transaction
from neonhub_worker.dispatch import heartbeat
from neonhub_worker.errors import MoveRefused
from neonhub_worker.ledger import compare, guard
from neonhub_worker.ledger.guard import Engaged
from neonhub_worker.schedules import firing
from neonhub_worker.settings import settings

log = structlog.get_logger("neonhub.guard")

ASKED = "a person said that the database was restored"
"""The reason of a guard that had noticed nothing by itself."""


@dataclass(frozen=True)
class Affected:
    """The unfinished runs of one action.

    Attributes:
        perhaps_done: How many may have been done since the backup.
        then: What happens to them, in words.
        later: How many are scheduled for a time to come; they cannot have been done and are left as they are.
    """

    action: str
    policy: str
    perhaps_done: int
    later: int
    then: str


@dataclass(frozen=True)
class Report:
    """What was found in a restored ledger.

    Attributes:
        occurrences: By schedule, ``ORGANIZATION/NAME``: how many occurrences fell into the gap and make runs.
        skipped: Occurrences in the gap that the misfire policies of their schedules leave out.
        parked: Runs that waited for a person when the backup was taken.
    """

    reason: str
    engaged_at: datetime | None
    backup_at: datetime
    runs: list[Affected]
    occurrences: dict[str, int]
    skipped: int
    parked: int


def explain() -> Report:
    """What was found and what ``perform`` will do about it; at most the guard is engaged.

    Raises:
        Unreachable: The database does not answer.
    """
    with transaction() as connection:
        found = heartbeat.look(connection)
        backup_at = found.backup_at if found else guard.held_until(connection)
        now: datetime = connection.execute(text("select clock_timestamp()")).scalar_one()
        due = firing.due(connection)
        parked: int = connection.execute(text("select count(*) from run where state = 'parked'")).scalar_one()
        runs = compare.unfinished(connection)
    fired = {f"{one.schedule.organization_id}/{one.schedule.name}": len(one.fired) for one in due if one.fired}
    return Report(
        reason=ASKED if found is None else found.reason,
        engaged_at=None if found is None else found.engaged_at,
        backup_at=backup_at,
        runs=[_affected(one, age=now - backup_at) for one in runs],
        occurrences=fired,
        skipped=sum(len(one.skipped) for one in due),
        parked=parked,
    )


def _affected(found: compare.Unfinished, *, age: timedelta) -> Affected:
    try:
        action = registry.action(found.name)
    except registry.UnknownAction:
        then = "parked for a person: this program does not know the action"
        return Affected(found.name, "unknown", found.perhaps_done, found.later, then)
    return Affected(found.name, type(action.repeat).__name__, found.perhaps_done, found.later, _then(action, age))


def _then(action: AnyAction, age: timedelta) -> str:
    """What happens to runs of an action that may have been done since the backup."""
    match action.repeat:
        case Resend():
            return "done again, which is harmless"
        case ResendWithKey(window_s=window_s):
            if window_s is not None and age > timedelta(seconds=window_s):
                return f"parked for a person: the platform forgets keys after {window_s / 3600:.0f} h"
            return "done again under the same key; the platform drops what it knows"
        case LookUp():
            if action.multi_step:
                return "looked up at the platform; parked if the step that could tell came after the backup"
            return "looked up at the platform; done only if it was not; parked if the platform's answer is ambiguous"
        case Park(reason=reason):
            return f"parked for a person: {reason}"
        case _ as never:
            assert_never(never)


def perform() -> int:
    """Fire the occurrences of the gap, put in doubt what every unfinished run may have done, and release the guard.

    Returns:
        How many runs are compared before they are sent.

    Raises:
        Unreachable: The database does not answer; nothing was changed but that the guard is engaged.
    """
    # Committed first: what is claimed from now on was claimed by somebody who had seen it.
    with transaction() as connection:
        engaged = guard.engage(connection, ASKED)
    with transaction() as connection:
        compare.lock(connection)
        firing.fire_due(connection, limit=None)
        count = compare.doubt(connection, engaged, multi_step=_multi_step(), lease_s=settings().lease_s)
    log.info("compared_after_restore", runs=count, backup_at=engaged.backup_at.isoformat())
    return count


def _multi_step() -> list[str]:
    actions = [action for connector in registry.CONNECTORS for action in connector.actions.values()]
    return [action.full_name for action in actions if action.multi_step]


def not_restored() -> Engaged:
    """Release the guard without comparing: the database was moved after a clean stop, and nothing is missing.

    Returns:
        Why it was engaged.

    Raises:
        MoveRefused: It is not engaged.
        Unreachable: The database does not answer.
    """
    with transaction() as connection:
        engaged = _engaged(connection)
        guard.release(connection)
    log.warning("restore_denied", reason=engaged.reason)
    return engaged


def _engaged(connection: Connection) -> Engaged:
    found = heartbeat.look(connection)
    if found is None:
        raise MoveRefused("the restore guard is not engaged: there is nothing to deny")
    return found
