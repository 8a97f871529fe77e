"""Which of the runs that a worker was woken for may go now? Those for which no gate is closed and permits are left.

Asked in the transaction that claims. Who is not admitted uses up no attempt: it goes back to the backlog, where the
dispatcher leaves it until there is room, or waits for its target's time.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from neonhub_worker.consent import contact_rules
from neonhub_worker.dispatch import contact, gates, permits
from neonhub_worker.dispatch.contact import Contact, Contacts
from neonhub_worker.dispatch.limits import Limit, Window, next_slot, of_json
from neonhub_worker.dispatch.permits import AHEAD_S, Reading, Slot, Wanted
from neonhub_worker.ledger import guard
from neonhub_worker.ledger.states import DUE, PERHAPS_DONE
from neonhub_worker.ledger.steps import ANY

_DUE = [str(state) for state in DUE]
_TURN = "its recipient's or place's turn has not come"


@dataclass(frozen=True)
class Admission:
    """Who may be claimed.

    Attributes:
        paced: Those that need a permit, and from when on it may be used.
        counted: Those that a cap on what their recipients get counts.
    """

    admitted: list[uuid.UUID]
    paced: dict[uuid.UUID, tuple[Wanted, datetime]] = field(default_factory=dict)
    counted: frozenset[uuid.UUID] = frozenset()
    reading: Reading | None = None


_READ = f"""
    select r.id, r.name, r.connection_id, r.target, c.limits as connection_limits, r.limits,
           exists (select 1 from step s where s.run_id = r.id and s.name in (r.effect, '{ANY}')
                   and s.state in ('sending', 'unknown')) as in_doubt,
           {contact.COLUMN} as contact,
           coalesce(c.state = 'reauthorize', false) as grant_dead, shut.closed_until,
           coalesce(shut.target_closed, false) as target_closed,
           coalesce(shut.half_open, false) as half_open
    from run r left join connection c on c.id = r.connection_id
    left join contact_rule rule on rule.organization_id = r.organization_id and rule.channel = r.channel
    left join lateral (
        select max(g.closed_until) filter (where g.closed_until > clock_timestamp()) as closed_until,
               bool_or(g.closed_until > clock_timestamp() and g.scope like 'target:%') as target_closed,
               bool_or(g.scope = 'circuit' and g.failures >= :failures
                       and g.closed_until <= clock_timestamp()) as half_open
        from gate g where g.connection_id = r.connection_id
             and g.scope = any({gates.SCOPES.format(name="r.name", target="coalesce(r.target, '')")})
             and g.probe is distinct from r.id
    ) shut on true
    where r.id = any(cast(:ids as uuid[])) and r.state = any(:states) and r.run_at <= clock_timestamp()
"""  # noqa: S608 (constants)

_READ_RUNNING = text(_READ)
_READ_DUE = text(f"{_READ} and {guard.OPEN} order by r.priority, r.run_at, r.id")

_BACK = text("update run set published_at = null where id = any(:ids) and state = 'queued'")

_HOLD = text(
    """
    with held as (
        update run r set state = 'waiting', published_at = null,
                         run_at = clock_timestamp() + make_interval(secs => h.seconds)
        from unnest(cast(:ids as uuid[]), cast(:seconds as float8[])) as h(id, seconds)
        where r.id = h.id and r.state = any(:due) and r.run_at <= clock_timestamp()
        returning r.id, r.fence
    )
    insert into run_event (run_id, at, move, state, fence, detail)
    select id, clock_timestamp(), 'hold', 'waiting', fence, jsonb_build_object('reason', cast(:reason as text))
    from held
    """
)


_DROP = text(
    """
    with dropped as (
        update run r set state = 'expired', published_at = null, finished_at = clock_timestamp()
        from unnest(cast(:ids as uuid[]), cast(:reasons as text[])) as d(id, reason)
        where r.id = d.id and r.state = any(:due) and r.run_at <= clock_timestamp()
              and not exists (select 1 from step s where s.run_id = r.id and s.effect and s.state = any(:perhaps_done))
        returning r.id, r.fence, d.reason
    )
    insert into run_event (run_id, at, move, state, fence, detail)
    select id, clock_timestamp(), 'drop', 'expired', fence, jsonb_build_object('reason', reason) from dropped
    """
)


def admit(connection: Connection, run_ids: Sequence[uuid.UUID], *, lease_s: float) -> Admission:
    """Choose the runs that may go now, and send the others back.

    Args:
        lease_s: How long a run that probes an open circuit may keep the others waiting.
    """
    wanted = _read(connection, run_ids)
    if not any(one.waits_for_something for one in wanted):
        return Admission([one.id for one in wanted])
    for connection_id in sorted({one.connection_id for one in wanted if one.connection_id}):
        permits.lock(connection, connection_id)
    wanted = _read(connection, run_ids)
    contacts = Contacts(connection, [one.contact for one in wanted if one.contact])
    door = _Door(*permits.windows(connection, wanted), contacts)
    for one in wanted:
        door.meet(one)
    for one in door.probes:
        assert one.connection_id is not None
        gates.probe(connection, one.connection_id, one.id, seconds=lease_s)
    for reason, waits in door.waits.items():
        hold(connection, waits, reason=reason)
    if door.dropped:
        drop(connection, door.dropped)
    if door.back:
        connection.execute(_BACK, {"ids": door.back})
    return Admission(door.admitted, door.paced, frozenset(door.counted), door.reading)


class _Door:
    """Lets runs in one by one, as long as there is room for them."""

    def __init__(self, windows: Mapping[permits.Key, Window], reading: Reading, contacts: Contacts) -> None:
        self.reading = reading
        self.admitted: list[uuid.UUID] = []
        self.paced: dict[uuid.UUID, tuple[Wanted, datetime]] = {}
        self.probes: list[Wanted] = []
        self.back: list[uuid.UUID] = []
        self.waits: dict[str, dict[uuid.UUID, float]] = defaultdict(dict)
        self.dropped: dict[uuid.UUID, str] = {}
        self.counted: list[uuid.UUID] = []
        self._windows = windows
        self._contacts = contacts

    def meet(self, one: Wanted) -> None:
        """Let a run in, send it back to its lane, or let it wait for its target's turn."""
        now = self.reading.now
        mine = [self._windows[key] for key in permits.keys(one)]
        slot = next_slot(mine, now)
        if one.grant_dead:
            self.back.append(one.id)
        elif one.closed_until is not None:
            self._close(one, one.closed_until)
        elif one.contact is not None and self._leaves_in_peace(one, one.contact):
            pass
        elif one.half_open and any(one.connection_id == other.connection_id for other in self.probes):
            self.back.append(one.id)
        elif slot is None or slot > now + timedelta(seconds=AHEAD_S):
            self._put_off(one, mine)
        else:
            self._let_in(one, mine, slot)

    def _leaves_in_peace(self, one: Wanted, reached: Contact) -> bool:
        """Put aside who must not be written to now."""
        verdict = self._contacts.verdict(one.id, reached, self.reading.now)
        if verdict is None:
            return False
        if verdict.drop:
            self.dropped[one.id] = verdict.reason
        else:
            self.waits[verdict.reason][one.id] = (verdict.until - self.reading.now).total_seconds()
        return True

    def _let_in(self, one: Wanted, mine: Sequence[Window], slot: datetime) -> None:
        self.admitted.append(one.id)
        for window in mine:
            window.take()
        if mine:
            self.paced[one.id] = (one, slot)
        if one.half_open:
            self.probes.append(one)
        if one.contact is not None and one.contact.rule.caps:
            self.counted.append(one.id)
            self._contacts.use(one.id, one.contact, self.reading.now)

    def _close(self, one: Wanted, until: datetime) -> None:
        if one.target_closed:
            self.waits[_TURN][one.id] = (until - self.reading.now).total_seconds()
        else:
            self.back.append(one.id)

    def _put_off(self, one: Wanted, mine: Sequence[Window]) -> None:
        """Back to its lane if all of the lane waits; aside if it is only its own target's turn that has not come."""
        targets = [window for window in mine if window.limit.of == "target"]
        wait_s = permits.wait_s(targets, self.reading.now)
        if wait_s > AHEAD_S:
            self.waits[_TURN][one.id] = wait_s
        else:
            self.back.append(one.id)


def take(connection: Connection, admission: Admission, fences: Mapping[uuid.UUID, int]) -> dict[uuid.UUID, Slot]:
    """Record the permits of the admitted runs that were claimed, in the same transaction.

    Args:
        fences: The attempt's number of each claimed run.
    """
    contact_rules.use(connection, [run_id for run_id in fences if run_id in admission.counted])
    taken = {run_id: admission.paced[run_id] for run_id in fences if run_id in admission.paced}
    if not taken:
        return {}
    assert admission.reading is not None
    permits.record(connection, list(taken.values()), fences, step="send", now=admission.reading.now)
    return {run_id: admission.reading.slot(at) for run_id, (_, at) in taken.items()}


def admit_effect(
    connection: Connection, run_id: uuid.UUID, *, fence: int, step: str, limits: Sequence[Limit]
) -> Slot | float | None:
    """Take a permit for one effect of a run that is being carried out, in the transaction that writes it ahead.

    Returns:
        The slot; None if nothing limits it; or how many seconds it has to wait, and no permit was taken.
    """
    one = _read_running(connection, run_id, limits)
    if one is None or not (one.limits or one.closed_until or one.contact):
        return None
    assert one.connection_id is not None
    permits.lock(connection, one.connection_id)
    one = _read_running(connection, run_id, limits)
    if one is None:
        return None
    windows, reading = permits.windows(connection, [one])
    wait_s = _wait_s(connection, one, list(windows.values()), reading.now)
    if wait_s > AHEAD_S:
        return wait_s
    if one.contact is not None and one.contact.rule.caps:
        contact_rules.use(connection, [run_id])
    if not windows:
        return None
    at = reading.now + timedelta(seconds=wait_s)
    permits.record(connection, [(one, at)], {run_id: fence}, step=step, now=reading.now)
    return reading.slot(at)


def _wait_s(connection: Connection, one: Wanted, windows: Sequence[Window], now: datetime) -> float:
    """Seconds that an effect of a run that has begun has to wait; what has begun is not dropped any more."""
    wait_s = permits.wait_s(windows, now)
    verdict = None
    if one.contact is not None:
        verdict = Contacts(connection, [one.contact]).verdict(one.id, one.contact, now)
    for until in (one.closed_until, None if verdict is None else verdict.until):
        if until is not None:
            wait_s = max(wait_s, (until - now).total_seconds(), 2 * AHEAD_S)
    return wait_s


def _read_running(connection: Connection, run_id: uuid.UUID, limits: Sequence[Limit]) -> Wanted | None:
    values = {"ids": [run_id], "states": ["running"], "failures": gates.FAILURES}
    row = connection.execute(_READ_RUNNING, values).mappings().first()
    if row is None or row["connection_id"] is None:
        return None
    return replace(_wanted(row), limits=(*limits, *of_json(row["connection_limits"])))


def _read(connection: Connection, run_ids: Sequence[uuid.UUID]) -> list[Wanted]:
    values = {"ids": list(run_ids), "states": _DUE, "failures": gates.FAILURES, **guard.known(connection)}
    found = [_wanted(row) for row in connection.execute(_READ_DUE, values).mappings()]
    return [replace(one, contact=None) if one.in_doubt else one for one in found]


def _wanted(row: Any) -> Wanted:
    # None: its effects take their own permits. Who has to find out first whether it was sent may not have to wait a day
    # for that; not even the connection's limits count then.
    free = row["limits"] is None or row["in_doubt"]
    limits = () if free else of_json([*row["limits"], *(row["connection_limits"] or ())])
    fields = {name: row[name] for name in Wanted.__dataclass_fields__ if name not in ("limits", "contact")}
    return Wanted(**fields, limits=limits, contact=Contact.of_json(row["contact"]))


def drop(connection: Connection, reasons: Mapping[uuid.UUID, str]) -> None:
    """End due runs of which nothing was sent, because their recipients are to be left in peace."""
    values = {
        "ids": list(reasons),
        "reasons": list(reasons.values()),
        "due": _DUE,
        "perhaps_done": [str(state) for state in PERHAPS_DONE],
    }
    connection.execute(_DROP, values)


def hold(connection: Connection, waits: Mapping[uuid.UUID, float], *, reason: str) -> None:
    """Let due runs wait for so many seconds; no attempt is used up. Those that are not due are left alone."""
    if waits:
        values = {"ids": list(waits), "seconds": list(waits.values()), "due": _DUE, "reason": reason}
        connection.execute(_HOLD, values)
