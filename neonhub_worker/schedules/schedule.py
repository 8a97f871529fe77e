"""What is a schedule? A rule with limits; pure: nothing here asks the database or the clock."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from neonhub_worker.schedules import rules
from neonhub_worker.schedules.rules import Rule

MISSED_AFTER = timedelta(seconds=60)
"""An occurrence that is later than this was missed: its schedule's misfire policy decides about it."""

_AN_INSTANT = timedelta(microseconds=1)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Schedule:
    """A rule whose every occurrence makes one run.

    Attributes:
        starts_at: No occurrence is due before it; ``every`` counts from it. It may be an occurrence itself.
        ends_at: No occurrence is due after it. It may be an occurrence itself.
        next_at: The next due instant that nobody cancelled; None if there is none any more.
        last_at: The latest instant that fired or was skipped.
        error: Why it is held: what is due cannot be made into runs. None if all is well.
        retry_at: When a held schedule is tried again.
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
    error: str | None
    retry_at: datetime | None
    template: dict[str, Any]

    def as_rule(self) -> Rule:
        """The pure rule."""
        return Rule(self.rule, self.expression, self.timezone, self.starts_at or self.created_at)

    def after(self, moment: datetime, *, without: Collection[datetime] = ()) -> datetime | None:
        """The first due instant after ``moment`` within the schedule's limits.

        Args:
            moment: Aware.
            without: Instants that do not count.
        """
        rule = self.as_rule()
        due = rule.next_after(moment if self.starts_at is None else max(moment, self.starts_at - _AN_INSTANT))
        while due is not None and due in without:
            due = rule.next_after(due)
        return None if due is None or (self.ends_at is not None and due > self.ends_at) else due

    def passed(self, now: datetime, *, keep: int) -> list[datetime]:
        """The due instants from ``next_at`` until ``now``, oldest first.

        Args:
            keep: Of a long downtime only so many, the newest, are looked for.
        """
        if self.next_at is None or self.next_at > now:
            return []
        window = keep * _SECOND  # no rule is due more than once a second
        while True:
            begin = max(self.next_at, now - window)
            found = [self.next_at] if begin == self.next_at else []
            due = self.after(begin)
            while due is not None and due <= now:
                found.append(due)
                due = self.after(due)
            if begin == self.next_at or len(found) >= keep:
                return found[-keep:]
            window *= 2

    def run_at(self, due_at: datetime) -> datetime:
        """When the run of an occurrence begins: moved by its jitter, before the next occurrence and before the end."""
        if not self.jitter_s:
            return due_at
        limits = [limit - due_at for limit in (self.after(due_at), self.ends_at) if limit is not None]
        return due_at + rules.jitter(self.id, due_at, min([timedelta(seconds=self.jitter_s), *limits]))


@dataclass(frozen=True)
class Decision:
    """What becomes of the instants of a schedule that have come.

    Attributes:
        fired: Those that make a run, oldest first.
        skipped: Those that the misfire policy leaves out.
        next_at: What the schedule waits for from now on.
    """

    schedule: Schedule
    fired: list[datetime]
    skipped: list[datetime]
    next_at: datetime | None

    @property
    def last_at(self) -> datetime | None:
        """The latest instant that was decided."""
        return max([*self.fired, *self.skipped], default=self.schedule.last_at)


REMEMBERED = 100
"""Skipped occurrences of one downtime that are put on record: the newest, and no fewer than can be on time."""


def decide(schedule: Schedule, now: datetime, *, taken: Collection[datetime]) -> Decision:
    """Let the misfire policy decide about the instants from ``next_at`` until now.

    Occurrences that are on time are fired under every policy. ``fire_once`` makes up for missed ones by the newest of
    them, unless one is on time; ``catch_up`` fires the newest ``catch_up_limit`` missed ones as well.

    Args:
        now: By the database's clock.
        taken: Instants that are decided already, such as cancelled ones; no policy counts them.
    """
    keep = REMEMBERED + len(taken) + (schedule.catch_up_limit if schedule.misfire == "catch_up" else 0)
    instants = [instant for instant in schedule.passed(now, keep=keep) if instant not in taken]
    missed = [instant for instant in instants if instant < now - MISSED_AFTER]
    on_time = instants[len(missed) :]
    made_up = {"skip": 0, "fire_once": 0 if on_time else 1, "catch_up": schedule.catch_up_limit}[schedule.misfire]
    first = max(0, len(missed) - made_up)
    return Decision(schedule, missed[first:] + on_time, missed[:first], schedule.after(now, without=taken))
