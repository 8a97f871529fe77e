"""Which schedules exist?"""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from neonhub_worker import ids, storable
from neonhub_worker.db.engine import transaction
from neonhub_worker.errors import FieldError, InvalidInput, UnknownSchedule
from neonhub_worker.schedules import occurrences, rules
from neonhub_worker.schedules.occurrences import Decided, Outcome
from neonhub_worker.schedules.schedule import MISSED_AFTER, REMEMBERED, Schedule

COLUMNS = (
    "id, organization_id, name, rule, expression, timezone, misfire, catch_up_limit, jitter_s, paused, starts_at, "
    "ends_at, next_at, last_at, created_at, error, retry_at, template"
)

_INSERT = text(
    """
    insert into schedule (id, organization_id, name, rule, expression, timezone, misfire, catch_up_limit, jitter_s,
                          starts_at, ends_at, template, next_at, created_at)
    values (:id, :organization_id, :name, :rule, :expression, :timezone, :misfire, :catch_up_limit, :jitter_s,
            :starts_at, :ends_at, cast(:template as jsonb), :next_at, :created_at)
    """
)


def create(
    *,
    organization_id: str,
    name: str,
    template: dict[str, Any],
    cron: str | None = None,
    every: timedelta | None = None,
    at: datetime | None = None,
    timezone: str = "UTC",
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    misfire: str = "fire_once",
    catch_up_limit: int = 10,
    jitter_s: int = 0,
    connection: Connection | None = None,
) -> uuid.UUID:
    """Add a schedule; its occurrences are those after this moment.

    Args:
        template: The columns of ``run`` that every occurrence shares.

    Raises:
        InvalidInput: A field is wrong, or the organization has a schedule of this name.
    """
    _check_limits(name, misfire, catch_up_limit, jitter_s, starts_at, ends_at)
    with transaction(connection) as opened:
        now = _now(opened)
        # Whole seconds, because `every` counts from it and people read and type its instants.
        made_at = now.replace(microsecond=0)
        rule = rules.check(cron=cron, every=every, at=at, zone=timezone, anchor=starts_at or made_at)
        schedule = Schedule(
            ids.new_id(), organization_id, name, rule.kind, rule.expression, timezone, misfire, catch_up_limit,
            jitter_s, paused=False, starts_at=starts_at, ends_at=ends_at, next_at=None, last_at=None,
            created_at=made_at, error=None, retry_at=None, template=template,
        )  # fmt: skip
        next_at = schedule.after(now if at is None else now - MISSED_AFTER)
        if next_at is None:
            raise InvalidInput([_never_due(at, now)])
        values = {**schedule.__dict__, "template": json.dumps(template), "next_at": next_at}
        try:
            with opened.begin_nested():
                opened.execute(_INSERT, values)
        except IntegrityError:
            rule_text = f"{organization_id} has a schedule {name!r} already; remove it first or choose another name"
            raise InvalidInput([FieldError("name", rule_text)]) from None
    return schedule.id


def _now(connection: Connection) -> datetime:
    now: datetime = connection.execute(text("select clock_timestamp()")).scalar_one()
    return now


def _never_due(at: datetime | None, now: datetime) -> FieldError:
    if at is not None and at <= now - MISSED_AFTER:
        return FieldError("at", "has passed; `neonhub enqueue` does it now")
    return FieldError("rule", "is never due between starts_at and ends_at")


def _check_limits(
    name: str,
    misfire: str,
    catch_up_limit: int,
    jitter_s: int,
    starts_at: datetime | None,
    ends_at: datetime | None,
) -> None:
    rules_broken = [
        FieldError(field, rule)
        for field, rule, broken in (
            ("name", "must have 1 to 200 characters", not 0 < len(name) <= 200),
            *(("name", found.rule, True) for found in storable.broken_rules(name)),
            ("misfire", f"must be one of {', '.join(rules.MISFIRES)}", misfire not in rules.MISFIRES),
            ("catch_up_limit", "must be between 1 and 1000", not 1 <= catch_up_limit <= 1000),
            ("jitter_s", "must be between 0 and 86400 seconds", not 0 <= jitter_s <= 86_400),
        )
        if broken
    ]
    for field, limit in (("starts_at", starts_at), ("ends_at", ends_at)):
        rules_broken += [] if limit is None else rules.broken_instant(field, limit)
    if rules_broken:
        raise InvalidInput(rules_broken)


def get(organization_id: str, name: str, *, lock: bool = False, connection: Connection | None = None) -> Schedule:
    """Read a schedule.

    Args:
        lock: Keep its row until the caller's transaction ends: nobody fires it meanwhile.

    Raises:
        UnknownSchedule: The organization has none of this name.
    """
    query = f"select {COLUMNS} from schedule where organization_id = :organization_id and name = :name"  # noqa: S608
    with transaction(connection) as opened:
        values = {"organization_id": organization_id, "name": name}
        row = opened.execute(text(f"{query} for update" if lock else query), values).mappings().first()
    if row is None:
        raise _unknown(organization_id, name)
    return Schedule(**row)


def list_all(organization_id: str, *, connection: Connection | None = None) -> list[Schedule]:
    """An organization's schedules, the next due first."""
    query = text(
        f"select {COLUMNS} from schedule where organization_id = :organization_id order by next_at nulls last, name"  # noqa: S608
    )
    with transaction(connection) as opened:
        return [Schedule(**row) for row in opened.execute(query, {"organization_id": organization_id}).mappings()]


def pause(organization_id: str, name: str, *, connection: Connection | None = None) -> None:
    """Stop a schedule from firing; runs that it has made already go on.

    Raises:
        UnknownSchedule: The organization has none of this name.
    """
    with transaction(connection) as opened:
        schedule = get(organization_id, name, connection=opened)
        opened.execute(text("update schedule set paused = true where id = :id"), {"id": schedule.id})


def resume(organization_id: str, name: str, *, connection: Connection | None = None) -> None:
    """Let a paused or held schedule fire again, now.

    What came while it was paused is on record as skipped and made up for under no policy.

    Raises:
        UnknownSchedule: The organization has none of this name.
        InvalidInput: Its zone is not known here any more.
    """
    with transaction(connection) as opened:
        schedule = get(organization_id, name, lock=True, connection=opened)
        next_at = _skip_what_passed(opened, schedule) if schedule.paused else schedule.next_at
        opened.execute(
            text("update schedule set paused = false, next_at = :next_at, retry_at = null where id = :id"),
            {"id": schedule.id, "next_at": next_at},
        )


def _skip_what_passed(connection: Connection, schedule: Schedule) -> datetime | None:
    now = _now(connection)
    taken = occurrences.taken(connection, [schedule])[schedule.id]
    passed = [instant for instant in schedule.passed(now, keep=REMEMBERED + len(taken)) if instant not in taken]
    occurrences.record(connection, [Decided(schedule.id, instant, Outcome.SKIPPED) for instant in passed])
    return schedule.after(now, without=taken) if passed else schedule.next_at


def remove(organization_id: str, name: str, *, connection: Connection | None = None) -> None:
    """Delete a schedule; the runs it made stay.

    Raises:
        UnknownSchedule: The organization has none of this name.
    """
    statement = text("delete from schedule where organization_id = :organization_id and name = :name returning id")
    with transaction(connection) as opened:
        if opened.execute(statement, {"organization_id": organization_id, "name": name}).first() is None:
            raise _unknown(organization_id, name)


def _unknown(organization_id: str, name: str) -> UnknownSchedule:
    return UnknownSchedule(
        f"{organization_id} has no schedule {name!r}; `neonhub schedules list --org {organization_id}` shows them"
    )
