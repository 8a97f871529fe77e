"""May this person be written to now? Quiet hours and caps, asked in the transaction that claims."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from sqlalchemy import Connection

from neonhub_worker.consent import contact_rules
from neonhub_worker.consent.contact_rules import ContactRule, Person

COLUMN = """
    case when rule.rule is not null and r.recipient is not null and not r.transactional
         then jsonb_build_object('organization_id', r.organization_id, 'channel', r.channel, 'address', r.recipient,
                                 'zone', r.recipient_zone, 'rule', rule.rule) end
"""
"""SQL: whom a run ``r`` writes to and the rule ``rule`` for it, as ``Contact.of_json`` reads it; null without one."""


@dataclass(frozen=True)
class Contact:
    """Whom a run writes to, and the rule that its organization keeps to.

    Attributes:
        zone: Where they are, if the producer knows.
    """

    person: Person
    zone: str | None
    rule: ContactRule

    @classmethod
    def of_json(cls, found: Mapping[str, Any] | None) -> Self | None:
        """As ``COLUMN`` gives it."""
        if found is None:
            return None
        person = Person(found["organization_id"], found["channel"], found["address"])
        return cls(person, found["zone"], ContactRule.of_json(person.channel, found["rule"]))


@dataclass(frozen=True)
class Verdict:
    """Why a person is not written to now.

    Attributes:
        until: When the question may be asked again.
        reason: For people; names nobody.
        drop: The message expires instead of waiting.
    """

    until: datetime
    reason: str
    drop: bool


class Contacts:
    """The people whom some due runs write to, and what they got lately; their turns are held by this transaction."""

    def __init__(self, connection: Connection, wanted: Iterable[Contact]) -> None:
        capped = {one.person: one.rule for one in wanted if one.rule.caps}
        self._uses: dict[Person, dict[uuid.UUID, datetime]] = {}
        for person, rule in sorted(capped.items(), key=lambda pair: pair[0]):
            contact_rules.lock(connection, person)
            self._uses[person] = contact_rules.uses(connection, person, per_s=max(cap.per_s for cap in rule.caps))

    def verdict(self, run_id: uuid.UUID, contact: Contact, now: datetime) -> Verdict | None:
        """Why this run must not go now; None if it may."""
        rule = contact.rule
        until = rule.quiet_until(contact.person.address, now, zone=contact.zone)
        if until is not None:
            return Verdict(until, f"quiet hours ({rule.quiet}) where the recipient is", rule.policy == "drop")
        used = [at for other, at in self._uses.get(contact.person, {}).items() if other != run_id]
        until = rule.capped_until(used, now)
        if until is None:
            return None
        caps = ", ".join(str(cap) for cap in rule.caps)
        return Verdict(until, f"the recipient got as many messages as the cap allows ({caps})", rule.policy == "drop")

    def use(self, run_id: uuid.UUID, contact: Contact, now: datetime) -> None:
        """Count a run that goes; the others of this transaction see it."""
        if contact.person in self._uses:
            self._uses[contact.person][run_id] = now
