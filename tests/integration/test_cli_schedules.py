"""``neonhub schedules``: added by a rule, listed, paused, removed; a rule that cannot be is refused by name."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from tests.integration.cli import INPUT, Neonhub, count
from tests.integration.schedules import clock_jumps, fire

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


BERLIN = ("--cron", "30 2 * * *", "--timezone", "Europe/Berlin", "--starts-at", "2035-03-24T00:00:00+00:00")


def test_the_next_occurrences_are_shown_in_the_schedules_zone_with_its_offset(neonhub: Neonhub) -> None:
    neonhub(*ADD, *BERLIN, "--jitter", "600", "--ends-at", "2035-03-25T12:00:00Z")
    shown = neonhub("schedules", "next", "weekly", "--org", "acme").words
    assert shown.startswith("due (Europe/Berlin) run begins 2035-03-24T02:30:00+01:00 2035-03-24T02:3")
    found = neonhub("schedules", "next", "weekly", "--org", "acme", "--json").json
    assert [one["due_at"] for one in found] == ["2035-03-24T02:30:00+01:00", "2035-03-25T03:00:00+02:00"]
    assert all(one["due_at"] < one["run_at"] and one["cancelled"] is False for one in found)
    assert len(neonhub("schedules", "next", "weekly", "--org", "acme", "--count", "1", "--json").json) == 1
    assert "count: must be between" in neonhub("schedules", "next", "weekly", "--org", "acme", "--count", "0").refusal


def test_an_occurrence_is_skipped_and_comes_after_all(neonhub: Neonhub) -> None:
    neonhub(*ADD, *BERLIN)
    at = ("weekly", "--org", "acme", "--at", "2035-03-24T02:30:00+01:00")
    assert neonhub("schedules", "skip", *at).words == "weekly at 2035-03-24T02:30:00+01:00 cancelled"
    assert "2035-03-24T02:30:00+01:00 cancelled" in neonhub("schedules", "next", "weekly", "--org", "acme").words
    (listed,) = neonhub("schedules", "list", "--org", "acme", "--json").json
    assert listed["next_at"] == "2035-03-25T01:00:00+00:00"
    assert neonhub("schedules", "skip", *at).refusal.endswith("has fired, or is left out already")
    assert neonhub("schedules", "unskip", *at, "--json").json == {
        "name": "weekly",
        "due_at": "2035-03-24T02:30:00+01:00",
        "restored": True,
    }
    (listed,) = neonhub("schedules", "list", "--org", "acme", "--json").json
    assert listed["next_at"] == "2035-03-24T01:30:00+00:00"
    assert "is not cancelled, or has passed" in neonhub("schedules", "unskip", *at).refusal


def test_what_is_no_occurrence_is_refused_with_the_next_one(neonhub: Neonhub) -> None:
    neonhub(*ADD, *BERLIN)
    skip = ("schedules", "skip", "weekly", "--org", "acme", "--at")
    refusal = neonhub(*skip, "2035-03-25T02:30:00+01:00").refusal
    assert "is not due at 2035-03-25T02:30:00+01:00; the next one after that is 2035-03-26T02:30:00+02:00" in refusal
    assert "--at: needs an offset" in neonhub(*skip, "2035-03-25T02:30:00").refusal


def test_the_history_says_what_became_of_each_occurrence(neonhub: Neonhub, engine: Engine) -> None:
    neonhub(*ADD, "--every", "60", "--misfire", "catch_up", "--catch-up-limit", "1")
    assert neonhub("schedules", "history", "weekly", "--org", "acme", "--json").json == []
    first = neonhub("schedules", "next", "weekly", "--org", "acme", "--count", "1", "--json").json[0]["due_at"]
    neonhub("schedules", "skip", "weekly", "--org", "acme", "--at", first)
    clock_jumps(engine, timedelta(minutes=5, seconds=30))
    assert fire() == 2
    found = neonhub("schedules", "history", "weekly", "--org", "acme", "--json").json
    assert [one["outcome"] for one in found] == ["fired", "fired", "skipped", "skipped", "cancelled"]
    assert [one["run_state"] for one in found] == ["queued", "queued", None, None, None]
    shown = neonhub("schedules", "history", "weekly", "--org", "acme", "--count", "1").words
    assert shown.endswith(f"{found[0]['due_at']} fired {found[0]['run_id']} queued")


def test_a_schedule_says_why_nothing_comes(neonhub: Neonhub, engine: Engine) -> None:
    neonhub(*ADD, *BERLIN)
    neonhub("schedules", "pause", "weekly", "--org", "acme")
    assert neonhub("schedules", "next", "weekly", "--org", "acme").err == "weekly is paused\n"
    neonhub("schedules", "resume", "weekly", "--org", "acme")
    with engine.begin() as connection:
        connection.execute(text("update schedule set error = 'its connection is gone'"))
    assert neonhub("schedules", "list", "--org", "acme").words.endswith("held: its connection is gone")
    with engine.begin() as connection:
        connection.execute(text("update schedule set next_at = null, error = null"))
    assert neonhub("schedules", "list", "--org", "acme").words.endswith("ended")


COMMANDS: list[list[str]] = [
    ["pause"],
    ["resume"],
    ["remove"],
    ["next"],
    ["history"],
    ["skip", "--at", "2035-03-24T02:30:00Z"],
    ["unskip", "--at", "2035-03-24T02:30:00Z"],
]


def test_an_unknown_schedule_is_named(neonhub: Neonhub) -> None:
    for command in COMMANDS:
        refusal = neonhub("schedules", *command, "nope", "--org", "acme").refusal
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
    (["--at", "2020-01-01T09:00:00Z"], "at: has passed; `neonhub enqueue` does it now"),
    (["--every", "60", "--starts-at", "soon"], "--starts-at: must be ISO 8601"),
    (["--every", "60", "--ends-at", "2035-01-01T09:00:00"], "--ends-at: needs an offset"),
    (["--every", "60", "--ends-at", "2020-01-01T09:00:00Z"], "rule: is never due between starts_at and ends_at"),
    (["--every", "60", "--catch-up-limit", "0"], "catch_up_limit: must be between 1 and 1000"),
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
