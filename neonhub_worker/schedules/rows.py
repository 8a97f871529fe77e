"""Which schedules exist?"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from neonhub_worker import ids, storable
from neonhub_worker.db.engine import transaction
from neonhub_worker.errors import FieldError, InvalidInput, UnknownSchedule
from neonhub_worker.schedules import rules
from neonhub_worker.schedules.rules import Rule


@dataclass(frozen=True)
class Schedule:
    """A rule whose every occurrence makes one run.

    Attributes:
        next_at: The next due instant; None if it has ended.
        last_at: The latest instant that fired or was skipped.
    """

    id: uuid.UUID
    organization_id: str
    name: str
    rule: str
    expression: str
    timezone: str
    misfire: str
    catch_up_limit: int
    jitter_s: int
    paused: bool
    starts_at: datetime | None
    ends_at: datetime | None
    next_at: datetime | None
    last_at: datetime | None
    created_at: datetime
    template: dict[str, Any]

    def as_rule(self) -> Rule:
        """The pure rule."""
        return Rule(self.rule, self.expression, self.timezone, self.starts_at or self.created_at)

    def after(self, moment: datetime) -> datetime | None:
        """The first due instant after ``moment`` within the schedule's limits."""
        due = self.as_rule().next_after(moment)
        return None if due is None or (self.ends_at is not None and due > self.ends_at) else due


COLUMNS = (
    "id, organization_id, name, rule, expression, timezone, misfire, catch_up_limit, jitter_s, paused, starts_at, "
    "ends_at, next_at, last_at, created_at, template"
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
    """Add a schedule. One whose only instant has passed already fires at once, by its misfire policy.

    Args:
        template: The columns of ``run`` that every occurrence shares.

    Raises:
        InvalidInput: A field is wrong, or the organization has a schedule of this name.
    """
    with transaction(connection) as opened:
        now: datetime = opened.execute(text("select clock_timestamp()")).scalar_one()
        rule = rules.check(cron=cron, every=every, at=at, zone=timezone, anchor=starts_at or now)
        _check_limits(name, misfire, catch_up_limit, jitter_s, starts_at, ends_at)
        schedule = Schedule(
            ids.new_id(), organization_id, name, rule.kind, rule.expression, timezone, misfire, catch_up_limit,
            jitter_s, paused=False, starts_at=starts_at, ends_at=ends_at, next_at=None, last_at=None, created_at=now,
            template=template,
        )  # fmt: skip
        begin = max(now, starts_at - timedelta(microseconds=1)) if starts_at else now
        next_at = at if at is not None else schedule.after(begin)
        if next_at is None:
            raise InvalidInput([FieldError("rule", "is never due between starts_at and ends_at")])
        values = {**schedule.__dict__, "template": json.dumps(template), "next_at": next_at}
        try:
            with opened.begin_nested():
                opened.execute(_INSERT, values)
        except IntegrityError:
            rule_text = f"{organization_id} has a schedule {name!r} already; remove it first or choose another name"
            raise InvalidInput([FieldError("name", rule_text)]) from None
    return schedule.id


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
            ("starts_at", "needs a zone or an offset", starts_at is not None and starts_at.tzinfo is None),
            ("ends_at", "needs a zone or an offset", ends_at is not None and ends_at.tzinfo is None),
        )
        if broken
    ]
    if rules_broken:
        raise InvalidInput(rules_broken)


def get(organization_id: str, name: str, *, connection: Connection | None = None) -> Schedule:
    """Read a schedule.

    Raises:
        UnknownSchedule: The organization has none of this name.
    """
    query = text(f"select {COLUMNS} from schedule where organization_id = :organization_id and name = :name")  # noqa: S608
    with transaction(connection) as opened:
        row = opened.execute(query, {"organization_id": organization_id, "name": name}).mappings().first()
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
    """Stop a schedule from firing.

    Raises:
        UnknownSchedule: The organization has none of this name.
    """
    with transaction(connection) as opened:
        schedule = get(organization_id, name, connection=opened)
        opened.execute(text("update schedule set paused = true where id = :id"), {"id": schedule.id})


def resume(organization_id: str, name: str, *, connection: Connection | None = None) -> None:
    """Let a paused schedule fire again; what was due in between does not count as missed.

    Raises:
        UnknownSchedule: The organization has none of this name.
    """
    with transaction(connection) as opened:
        schedule = get(organization_id, name, connection=opened)
        now: datetime = opened.execute(text("select clock_timestamp()")).scalar_one()
        next_at = schedule.next_at if schedule.next_at is None or schedule.next_at > now else schedule.after(now)
        opened.execute(
            text("update schedule set paused = false, next_at = :next_at where id = :id and paused"),
            {"id": schedule.id, "next_at": next_at},
        )


def remove(organization_id: str, name: str, *, connection: Connection | None = None) -> None:
    """Delete a schedule; the runs it made stay.

    Raises:
        UnknownSchedule: The organization has none of this name.
    """
    statement = text("delete from schedule where organization_id = :organization_id and name = :name returning id")
    with transaction(connection) as opened:
        if opened.execute(statement, {"organization_id": organization_id, "name": name}).first() is None:
            raise _unknown(organization_id, name)


def cancel_occurrence(
    organization_id: str, name: str, due_at: datetime, *, connection: Connection | None = None
) -> None:
    """Leave one future occurrence out.

    Raises:
        UnknownSchedule: The organization has none of this name.
        InvalidInput: The schedule is not due at that instant, or it has fired already.
    """
    with transaction(connection) as opened:
        schedule = get(organization_id, name, connection=opened)
        if schedule.after(due_at - timedelta(microseconds=1)) != due_at:
            raise InvalidInput([FieldError("due_at", f"{name!r} is not due at {due_at.isoformat()}")])
        statement = text(
            "insert into occurrence (schedule_id, due_at, outcome) values (:id, :due_at, 'cancelled') "
            "on conflict do nothing returning due_at"
        )
        if opened.execute(statement, {"id": schedule.id, "due_at": due_at}).first() is None:
            raise InvalidInput([FieldError("due_at", f"{due_at.isoformat()} has fired or is cancelled already")])


def _unknown(organization_id: str, name: str) -> UnknownSchedule:
    return UnknownSchedule(
        f"{organization_id} has no schedule {name!r}; `neonhub schedules list --org {organization_id}` shows them"
    )
