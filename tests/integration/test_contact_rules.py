"""Quiet hours and caps: nobody is written to when they should be left in peace, whoever claims and however often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from neonhub_worker import enqueue, get_run
from neonhub_worker.consent import contact_rules, quiet
from neonhub_worker.consent.contact_rules import Cap, Policy
from neonhub_worker.db.engine import transaction
from neonhub_worker.errors import InvalidInput
from neonhub_worker.performing import batch
from tests.factories import sms
from tests.integration.cli import Neonhub
from tests.integration.sandboxes import Sandbox
from tests.races import at_once


def hours(begin: timedelta, end: timedelta) -> quiet.QuietHours:
    """Quiet hours in UTC, counted from now."""
    now = datetime.now(UTC)
    return quiet.QuietHours((now + begin).time().replace(microsecond=0), (now + end).time().replace(microsecond=0))


def message(number: int, to: str = "+14155550123") -> dict[str, str]:
    """A text of its own: of two that look alike only one is on its way at a time."""
    return {"to": to, "body": f"Spring offer {number}"}


NOW = (timedelta(hours=-1), timedelta(hours=1))
LATER = (timedelta(hours=1), timedelta(hours=2))


def keep(
    quiet_hours: tuple[timedelta, timedelta] | None = None, caps: tuple[Cap, ...] = (), policy: Policy = "hold"
) -> None:
    contact_rules.keep(
        "acme",
        "sms",
        quiet_hours=None if quiet_hours is None else hours(*quiet_hours),
        zone="UTC",
        caps=caps,
        policy=policy,
    )


def send(**changes: Any) -> Any:
    """A run that its producer did not publish and one attempt at it."""
    with transaction() as connection:
        run_id = enqueue(sms(recipient_zone=changes.pop("zone", "UTC"), **changes), connection=connection)
    batch.perform([run_id])
    return get_run(run_id)


pytestmark = pytest.mark.usefixtures("sandbox")


def test_a_message_waits_for_the_end_of_the_quiet_hours_and_uses_no_attempt(sandbox: Sandbox) -> None:
    keep(NOW)
    run = send()
    assert (run.state, run.attempts) == ("waiting", 0)
    assert timedelta(minutes=58) < run.run_at - datetime.now(UTC) <= timedelta(hours=1, seconds=1)
    assert run.timeline[-1].detail["reason"].startswith("quiet hours")
    assert sandbox.effects() == []


def test_outside_of_them_and_elsewhere_a_message_goes_at_once() -> None:
    keep(LATER)
    assert send().state == "succeeded"
    keep(NOW)
    assert send(zone="Pacific/Kiritimati").state == "succeeded", "14 hours ahead: it is another time of day there"


def test_what_a_person_waits_for_goes_at_any_hour_and_beyond_any_cap() -> None:
    keep(NOW, caps=(Cap(1, 86_400),))
    assert [send(transactional=True).state for _ in range(2)] == ["succeeded", "succeeded"]


def test_other_organizations_and_channels_are_not_held(engine: Engine) -> None:
    contact_rules.keep("acme", "whatsapp", quiet_hours=hours(*NOW), zone="UTC", caps=(), policy="hold")
    assert send().state == "succeeded"


def test_by_policy_a_message_expires_instead_of_waiting(sandbox: Sandbox) -> None:
    keep(NOW, policy="drop")
    run = send()
    assert run.state == "expired"
    assert run.timeline[-1].move == "drop"
    assert sandbox.effects() == []


def test_a_rule_holds_for_what_was_accepted_before_it() -> None:
    with transaction() as connection:
        run_id = enqueue(sms(recipient_zone="UTC"), connection=connection)
    keep(NOW)
    batch.perform([run_id])
    assert get_run(run_id).state == "waiting"


def test_a_person_gets_no_more_than_the_cap_however_many_claim_at_once(sandbox: Sandbox) -> None:
    keep(caps=(Cap(2, 86_400),))
    with transaction() as connection:
        run_ids = [enqueue(sms(input=message(n)), connection=connection) for n in range(8)]
    at_once(*[lambda run_id=run_id: batch.perform([run_id]) for run_id in run_ids])
    assert len(sandbox.effects()) == 2
    waiting = [run for run in map(get_run, run_ids) if run.state == "waiting"]
    assert len(waiting) == 6
    assert all(run.run_at > datetime.now(UTC) + timedelta(hours=23) for run in waiting)


def test_a_cap_counts_within_one_batch_and_each_person_alone(sandbox: Sandbox) -> None:
    keep(caps=(Cap(1, 86_400),))
    with transaction() as connection:
        run_ids = [enqueue(sms(input=message(n)), connection=connection) for n in range(3)]
        run_ids.append(enqueue(sms(input=message(0, to="+14155550199")), connection=connection))
    batch.perform(run_ids)
    assert sorted(get_run(run_id).state for run_id in run_ids) == ["succeeded", "succeeded", "waiting", "waiting"]


def test_what_was_not_sent_does_not_count() -> None:
    keep(caps=(Cap(1, 86_400),))
    refused = send(input={"to": "+15005550001", "body": "Spring is here."})
    assert refused.state == "failed"
    keep(caps=(Cap(1, 86_400),))
    assert send().state == "succeeded"
    assert send().state == "waiting"


def test_a_message_that_was_held_once_goes_when_its_time_has_come(engine: Engine) -> None:
    keep(NOW)
    run = send()
    assert contact_rules.remove("acme", "sms")
    with engine.begin() as connection:
        connection.execute(text("update run set run_at = clock_timestamp() where id = :id"), {"id": run.id})
    batch.perform([run.id])
    assert get_run(run.id).state == "succeeded"


def test_an_unknown_zone_is_refused_before_anything_is_accepted() -> None:
    with pytest.raises(InvalidInput, match="recipient_zone"):
        enqueue(sms(recipient_zone="Mars/Olympus"))
    with pytest.raises(InvalidInput, match="zone"):
        contact_rules.keep("acme", "sms", quiet_hours=hours(*NOW), zone="Mars/Olympus", caps=(), policy="hold")
    with pytest.raises(InvalidInput, match="channel"):
        contact_rules.keep("acme", "sm", quiet_hours=hours(*NOW), zone="UTC", caps=(), policy="hold")


def test_rules_are_set_shown_and_removed_at_the_command_line(neonhub: Neonhub) -> None:
    rules = ("consent", "rules")
    given = ("--quiet", "20:00-09:00", "--zone", "America/New_York", "--cap", "3/day")
    assert neonhub(*rules, "set", *given, "--org", "acme").code == 0
    (row,) = neonhub(*rules, "list", "--org", "acme", "--json").json
    assert row == {
        "channel": "sms",
        "quiet": "20:00-09:00",
        "zone": "America/New_York",
        "caps": ["3/day"],
        "policy": "hold",
    }
    assert "--quiet" in neonhub(*rules, "set", "--quiet", "8pm-9am", "--org", "acme").refusal
    assert "--cap" in neonhub(*rules, "set", "--cap", "often", "--org", "acme").refusal
    assert "--quiet" in neonhub(*rules, "set", "--org", "acme").refusal
    assert neonhub(*rules, "remove", "--org", "acme", "--json").json == {"removed": True}
