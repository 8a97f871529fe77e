"""When and how often may people be written to on a channel? An organization's rules, and who was written to when."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from neonhub_worker.consent import quiet
from neonhub_worker.consent.opt_outs import CHANNELS
from neonhub_worker.consent.quiet import QuietHours
from neonhub_worker.db.engine import transaction
from neonhub_worker.errors import FieldError, InvalidInput
from neonhub_worker.ledger.states import PERHAPS_DONE

Policy = Literal["hold", "drop"]

_PER_S = {"h": 3600, "day": 86_400, "week": 604_800}
_SHAPE = re.compile(r"(\d{1,4})/(\d{0,3})(h|day|week)", re.ASCII)
_LONGEST_S = 90 * 86_400


@dataclass(frozen=True)
class Cap:
    """At most ``count`` messages to one person in any ``per_s`` seconds."""

    count: int
    per_s: int

    def __str__(self) -> str:
        unit, length_s = next((u, s) for u, s in reversed(_PER_S.items()) if self.per_s % s == 0)
        times = self.per_s // length_s
        return f"{self.count}/{'' if times == 1 else times}{unit}"


def parse_cap(text: str) -> Cap:
    """Read a cap as people write it: ``3/day``, ``10/week``, ``1/4h``.

    Raises:
        ValueError: It has another shape, or is none.
    """
    found = _SHAPE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no cap; write it as 3/day, 10/week or 1/4h (h, day, week)")
    count, times, unit = found.groups()
    cap = Cap(int(count), int(times or 1) * _PER_S[unit])
    if not (cap.count > 0 and 0 < cap.per_s <= _LONGEST_S):
        raise ValueError(f"{text!r}: the count must be at least 1 and the time between 1 h and 90 days")
    return cap


@dataclass(frozen=True)
class ContactRule:
    """What an organization keeps to on one channel.

    Attributes:
        zone: Where a person is taken to be of whom nothing is known.
        policy: Whether a message waits until it may go, or expires.
    """

    channel: str
    quiet: QuietHours | None
    zone: str
    caps: tuple[Cap, ...]
    policy: Policy

    @classmethod
    def of_json(cls, channel: str, found: Mapping[str, Any]) -> Self:
        """As it stands in the database."""
        return cls(
            channel,
            None if found["quiet"] is None else quiet.parse_hours(found["quiet"]),
            found["zone"],
            tuple(Cap(**cap) for cap in found["caps"]),
            found["policy"],
        )

    def quiet_until(self, address: str, now: datetime, *, zone: str | None) -> datetime | None:
        """Until when a person must be left in peace; None if they may be written to now.

        Args:
            zone: Where they are, if the sender knows.
        """
        if self.quiet is None:
            return None
        places = quiet.zones(self.channel, address, known=zone, otherwise=self.zone)
        return quiet.quiet_until(self.quiet, places, now)

    def capped_until(self, used: Iterable[datetime], now: datetime) -> datetime | None:
        """When the caps leave room for one more; None if they do now.

        Args:
            used: When the person was written to, or may have been.
        """
        times = sorted(used, reverse=True)
        free = [times[cap.count - 1] + timedelta(seconds=cap.per_s) for cap in self.caps if len(times) >= cap.count]
        latest = max(free, default=now)
        return latest if latest > now else None


def keep(
    organization_id: str,
    channel: str,
    *,
    quiet_hours: QuietHours | None,
    zone: str,
    caps: Sequence[Cap],
    policy: Policy,
    connection: Connection | None = None,
) -> None:
    """Set the rule of a channel; it holds from now on, also for what waits already.

    Raises:
        InvalidInput: There is no such channel or zone.
    """
    if channel not in CHANNELS:
        raise InvalidInput([FieldError("channel", f"must be one of {', '.join(CHANNELS)}")])
    check_zone(zone, field="zone")
    rule = {
        "quiet": None if quiet_hours is None else str(quiet_hours),
        "zone": zone,
        "caps": [{"count": cap.count, "per_s": cap.per_s} for cap in caps],
        "policy": policy,
    }
    with transaction(connection) as opened:
        opened.execute(
            text(
                "insert into contact_rule (organization_id, channel, rule) "
                "values (:organization_id, :channel, cast(:rule as jsonb)) "
                "on conflict (organization_id, channel) do update set rule = excluded.rule, updated_at = now()"
            ),
            {"organization_id": organization_id, "channel": channel, "rule": json.dumps(rule)},
        )


def check_zone(zone: str, *, field: str) -> None:
    """Refuse what is no IANA zone.

    Raises:
        InvalidInput: It is none; names the field.
    """
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise InvalidInput([FieldError(field, "must be an IANA time zone, such as America/New_York")]) from None


def remove(organization_id: str, channel: str, *, connection: Connection | None = None) -> bool:
    """Drop the rule of a channel; whether there was one."""
    query = text("delete from contact_rule where organization_id = :organization_id and channel = :channel")
    with transaction(connection) as opened:
        gone = opened.execute(query, {"organization_id": organization_id, "channel": channel})
    return gone.rowcount > 0


def list_all(organization_id: str, *, connection: Connection | None = None) -> list[ContactRule]:
    """The rules of an organization, by channel."""
    query = text("select channel, rule from contact_rule where organization_id = :organization_id order by channel")
    with transaction(connection) as opened:
        rows = opened.execute(query, {"organization_id": organization_id}).all()
    return [ContactRule.of_json(row.channel, row.rule) for row in rows]


@dataclass(frozen=True, order=True)
class Person:
    """Whom a cap counts for."""

    organization_id: str
    channel: str
    address: str


# Held until the transaction ends: who counts what one person got takes turns.
_LOCK = text(
    "select pg_advisory_xact_lock(hashtextextended(concat_ws(chr(31), cast(:organization_id as text), "
    "cast(:channel as text), cast(:address as text)), 11))"
)

# A use whose run certainly sent nothing does not count.
_USES = text(
    """
    select u.run_id, u.at from contact_use u
    where u.organization_id = :organization_id and u.channel = :channel and u.address = :address
          and u.at > clock_timestamp() - make_interval(secs => :per_s)
          and exists (select 1 from step s where s.run_id = u.run_id and s.effect and s.state = any(:perhaps_done))
    """
)

_USE = text(
    """
    insert into contact_use (organization_id, channel, address, run_id, at)
    select r.organization_id, r.channel, r.recipient, r.id, clock_timestamp()
    from run r where r.id = any(:run_ids)
    on conflict (organization_id, channel, address, run_id) do update set at = excluded.at
    """
)


def lock(connection: Connection, person: Person) -> None:
    """Take turns with others that count what this person got, until the transaction ends."""
    connection.execute(_LOCK, vars(person))


def uses(connection: Connection, person: Person, *, per_s: float) -> dict[uuid.UUID, datetime]:
    """When a person was written to within so many seconds, or may have been, by the run that did it."""
    values = {**vars(person), "per_s": per_s, "perhaps_done": [str(state) for state in PERHAPS_DONE]}
    return {row.run_id: row.at for row in connection.execute(_USES, values)}


def use(connection: Connection, run_ids: Sequence[uuid.UUID]) -> None:
    """Note that these runs write to their recipients now, in the transaction that claims them."""
    if run_ids:
        connection.execute(_USE, {"run_ids": list(run_ids)})


def forget_past(connection: Connection, *, limit: int = 1000) -> int:
    """Remove uses that no cap can count any more; how many there were."""
    gone = connection.execute(
        text(
            "delete from contact_use where ctid = any(array(select ctid from contact_use "
            "where at < clock_timestamp() - make_interval(secs => :longest_s) limit :limit for update skip locked))"
        ),
        {"longest_s": _LONGEST_S, "limit": limit},
    )
    return gone.rowcount
