"""``neonhub schedules``: added by a rule, listed, paused, removed; a rule that cannot be is refused by name."""

from __future__ import annotations

import json

import pytest

from tests.integration.cli import INPUT, Neonhub, count

pytestmark = pytest.mark.usefixtures("unsent")

ADD = ("schedules", "add", "weekly", "sms.sendSMS", "--org", "acme", "--input", json.dumps(INPUT))


@pytest.mark.parametrize(
    ("rule", "shown"),
    [
        (["--cron", "0 9 * * mon", "--timezone", "Europe/Berlin"], "cron 0 9 * * mon Europe/Berlin"),
        (["--every", "3600"], "every 3600.0 UTC"),
        (["--at", "2035-01-01T09:00:00+01:00"], "once 2035-01-01T08:00:00+00:00 UTC 2035-01-01 08:00:00"),
    ],
)
def test_a_schedule_of_each_kind_is_added_and_listed(neonhub: Neonhub, rule: list[str], shown: str) -> None:
    schedule_id = neonhub(*ADD, *rule).words
    assert f"weekly sms.sendSMS {shown}" in neonhub("schedules", "list", "--org", "acme").words
    (listed,) = neonhub("schedules", "list", "--org", "acme", "--json").json
    assert (listed["id"], listed["name"], listed["action"]) == (schedule_id, "weekly", "sms.sendSMS")
    assert listed["paused"] is False
    assert listed["next_at"].endswith("+00:00")


def test_adding_tells_a_program_the_id(neonhub: Neonhub) -> None:
    added = neonhub(*ADD, "--every", "60", "--misfire", "skip", "--jitter", "30", "--json").json
    (listed,) = neonhub("schedules", "list", "--org", "acme", "--json").json
    assert (added["id"], added["name"]) == (listed["id"], "weekly")
    assert (listed["misfire"], listed["jitter_s"]) == ("skip", 30)


def test_a_schedule_is_paused_resumed_and_removed(neonhub: Neonhub) -> None:
    neonhub(*ADD, "--every", "3600")
    assert neonhub("schedules", "pause", "weekly", "--org", "acme").words == "weekly paused"
    assert neonhub("schedules", "list", "--org", "acme", "--json").json[0]["paused"] is True
    assert neonhub("schedules", "list", "--org", "acme").words.endswith("paused")
    assert neonhub("schedules", "resume", "weekly", "--org", "acme", "--json").json == {
        "name": "weekly",
        "resumed": True,
    }
    assert neonhub("schedules", "list", "--org", "acme", "--json").json[0]["paused"] is False
    assert neonhub("schedules", "remove", "weekly", "--org", "acme").words == "weekly removed"
    assert neonhub("schedules", "list", "--org", "acme", "--json").json == []


COMMANDS: list[str] = ["pause", "resume", "remove"]


def test_an_unknown_schedule_is_named(neonhub: Neonhub) -> None:
    for command in COMMANDS:
        refusal = neonhub("schedules", command, "nope", "--org", "acme").refusal
        assert "acme has no schedule 'nope'; `neonhub schedules list --org acme` shows them" in refusal


def test_the_schedules_of_an_unknown_organization_are_not_an_empty_list(neonhub: Neonhub) -> None:
    assert "no organization 'nobody'" in neonhub("schedules", "list", "--org", "nobody").refusal


WRONG_RULES: list[tuple[list[str], str]] = [
    ([], "rule: needs exactly one of cron, every and at; got none"),
    (["--cron", "0 9 * * *", "--every", "60"], "rule: needs exactly one of cron, every and at; got cron, every"),
    (["--cron", "0 9 * *"], "cron: needs five fields"),
    (["--cron", "0 9 31 2 *"], "cron: "),
    (["--cron", "0 9 * * *", "--timezone", "Nowhere"], "timezone: 'Nowhere' is no IANA zone"),
    (["--every", "0.5"], "every: must be between a second and"),
    (["--every", "1e12"], "every: must be between a second and"),
    (["--every", "nan"], "--every: must be a number of seconds"),
    (["--every", "1e18"], "--every: must be a number of seconds"),
    (["--at", "tomorrow"], "--at: must be ISO 8601, such as 2026-12-01T09:00:00+01:00"),
    (["--at", "2035-01-01T09:00:00"], "--at: needs an offset"),
    (["--at", "9999-12-31T23:00:00-10:00"], "at: must lie between the years 1970 and"),
    (["--every", "60", "--misfire", "maybe"], "misfire: must be one of skip, fire_once, catch_up"),
    (["--every", "60", "--jitter", "-1"], "jitter_s: must be between 0 and 86400 seconds"),
    (["--every", "60", "--connection", "nope"], "connection: acme has no connection 'nope'"),
    (["--every", "60", "--input", '{"to": "12", "body": "x"}'], "input.to: must be a phone number"),
]


def test_a_wrong_schedule_is_refused_by_what_is_wrong(neonhub: Neonhub) -> None:
    for rule, says in WRONG_RULES:
        assert neonhub(*ADD, *rule).refusal.startswith(f"error: refused: {says}")
        assert count("schedule") == 0


def test_a_second_schedule_of_a_name_is_refused(neonhub: Neonhub) -> None:
    neonhub(*ADD, "--every", "60")
    assert "acme has a schedule 'weekly' already" in neonhub(*ADD, "--every", "60").refusal
