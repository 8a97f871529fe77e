"""What the command says of grants: renewed now, dead, soon to end, given for less than was asked, under old keys."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from cryptography.fernet import Fernet

from connectors import registry
from neonhub_worker.performing import batch, grants
from neonhub_worker.vault import connections
from tests.conftest import ConnectionFactory, forget_settings
from tests.integration.cli import Neonhub
from tests.integration.rotating import Rotating, messages, rotating_slack
from tests.integration.sandboxes import Sandbox

ALL = len(registry.CONNECTORS)
SCOPES = list(registry.connector("slack").oauth.scopes)  # type: ignore[union-attr]


@pytest.fixture
def slack(sandbox: Sandbox) -> Rotating:
    return rotating_slack(sandbox)


@pytest.fixture
def dead(slack: Rotating) -> Rotating:
    """A connection whose grant was found dead when a message was to be sent over it."""
    slack.store(refresh_token="xoxe-1-gone")
    batch.perform(messages())
    return slack


def findings(neonhub: Neonhub) -> list[tuple[str, str, str]]:
    return [(one["verdict"], one["name"], one["text"]) for one in neonhub("doctor", "--json").json]


def test_a_token_is_renewed_when_a_person_asks(neonhub: Neonhub, slack: Rotating) -> None:
    assert neonhub("connections", "refresh", "slack", "--org", "acme").words.startswith("slack renewed, until 20")
    assert slack.stored().version == 1
    answer = neonhub("connections", "refresh", "slack", "--org", "acme", "--json").json
    assert (answer["ok"], answer["name"]) == (True, "slack")
    assert slack.stored().version == 2


def test_a_dead_grant_says_who_can_help(neonhub: Neonhub, dead: Rotating) -> None:
    refusal = neonhub("connections", "refresh", "slack", "--org", "acme").refusal
    assert "GrantDead" in refusal
    assert "`neonhub connections add slack --name slack --replace` asks a person again" in refusal
    answer = neonhub("connections", "refresh", "slack", "--org", "acme", "--json")
    assert (answer.code, answer.json["ok"], answer.json["error"]) == (1, False, "GrantDead")


def test_a_grant_that_works_again_is_taken_back_into_use(neonhub: Neonhub, slack: Rotating) -> None:
    connections.set_state("acme", "slack", "reauthorize")
    assert neonhub("connections", "refresh", "slack", "--org", "acme").code == 0
    assert slack.stored().state == "active"


def test_what_cannot_be_renewed_says_so(neonhub: Neonhub, sandbox: Sandbox) -> None:
    for name in ("sms", "slack"):
        refusal = neonhub("connections", "refresh", name, "--org", "acme").refusal
        assert f"{name} connections have nothing to be renewed by themselves" in refusal


def test_a_run_that_waits_for_a_person_says_for_which(neonhub: Neonhub, dead: Rotating) -> None:
    (run_id,) = messages(1, first=10)
    said = neonhub("why", run_id).words
    assert "It waits until somebody agrees again that we may act for the connection 'slack'" in said
    assert "invalid_refresh_token" in said
    assert "`neonhub connections add slack --name slack --org acme` asks that person" in said


def test_dead_grants_are_listed_and_found_by_doctor(neonhub: Neonhub, dead: Rotating) -> None:
    listed = {one["name"]: one for one in neonhub("connections", "list", "--org", "acme", "--json").json}
    assert listed["slack"]["state"] == "reauthorize"
    assert "wait until a person agrees again" in listed["slack"]["warnings"][0]
    said = neonhub("connections", "list", "--org", "acme")
    assert "slack: its runs wait until a person agrees again: the token endpoint answered 200" in said.err
    assert "xoxe" not in said.out + said.err
    (found,) = (text for verdict, name, text in findings(neonhub) if (verdict, name) == ("FAIL", "connection"))
    assert found.startswith("acme/slack: its runs wait until a person agrees again")
    assert "`neonhub connections add SLUG --name NAME --org ORGANIZATION`" in found


def test_a_renewal_that_fails_is_shown_while_it_does(neonhub: Neonhub, slack: Rotating) -> None:
    slack.fault(kind="error_500_before", times=1)
    batch.perform(messages())
    said = neonhub("connections", "list", "--org", "acme")
    assert "slack: its token could not be renewed: the token endpoint answered 500" in said.err
    assert "connection until" in said.words


@pytest.mark.parametrize(("days", "warned"), [(13, True), (15, False)])
def test_the_end_of_a_grant_is_told_two_weeks_ahead(neonhub: Neonhub, slack: Rotating, days: int, warned: bool) -> None:
    day = datetime.now(UTC) + timedelta(days=days)
    slack.store_end(timedelta(hours=5), **slack.credential, refresh_expires_at=day.isoformat())
    said = f"its grant ends on {day:%Y-%m-%d}: agree again before that"
    assert (said in neonhub("connections", "list", "--org", "acme").err) is warned
    assert f"{day:%Y-%m-%d}" in neonhub("connections", "list", "--org", "acme").words
    notes = [text for verdict, _, text in findings(neonhub) if verdict == "note"]
    assert (f"acme/slack: {said}" in notes) is warned


def test_scopes_that_were_not_granted_are_named(neonhub: Neonhub, slack: Rotating) -> None:
    slack.store_end(timedelta(hours=5), **slack.credential, scopes=[one for one in SCOPES if one != "files:write"])
    assert "slack: not granted: files:write" in neonhub("connections", "list", "--org", "acme").err
    assert ("note", "connection", "acme/slack: not granted: files:write") in findings(neonhub)


def test_doctor_says_when_nobody_is_needed(neonhub: Neonhub, sandbox: Sandbox) -> None:
    assert ("ok", "connections", f"{ALL}, none needs a person within 14 days") in findings(neonhub)
    assert ("ok", "platform versions", "none ends within 60 days") in findings(neonhub)


def test_doctor_tells_of_a_platforms_version_that_ends_within_60_days(neonhub: Neonhub, sandbox: Sandbox) -> None:
    with time_machine.travel(datetime(2028, 6, 1, tzinfo=UTC), tick=True):
        found = [(verdict, text) for verdict, name, text in findings(neonhub) if name == "platform version"]
    assert any(verdict == "note" and "Instagram ends version v26.0 on 2028-07-29" in text for verdict, text in found)


def test_versions_are_told_60_days_ahead_and_after_their_end() -> None:
    ends = {connector.slug: on for connector, on in grants.sunsets(date(2028, 8, 1))}
    assert ends["instagram"] == date(2028, 7, 29)
    assert "instagram" in {connector.slug for connector, _ in grants.sunsets(date(2028, 5, 31))}
    assert "instagram" not in {connector.slug for connector, _ in grants.sunsets(date(2028, 5, 29))}


def test_keys_are_rotated(neonhub: Neonhub, slack: Rotating, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    new = Fernet.generate_key().decode()
    monkeypatch.setenv("NEONHUB_VAULT_KEYS", f"{new},{os.environ['NEONHUB_VAULT_KEYS']}")
    forget_settings()
    assert neonhub("connections", "rotate-keys").words == f"{ALL} credentials are encrypted with the first key"
    monkeypatch.setenv("NEONHUB_VAULT_KEYS", new)
    forget_settings()
    assert slack.stored().credential == slack.credential
    assert neonhub("connections", "rotate-keys", "--json").json == {"credentials": ALL}


def test_a_new_credential_is_stored_for_a_connection_that_is_there(
    neonhub: Neonhub, sandbox: Sandbox, connection_factory: ConnectionFactory
) -> None:
    stored = json.dumps({"account_sid": "AC" + "1" * 32, "auth_token": "f" * 32}).encode()
    add = ("connections", "add", "sms", "--org", "acme")
    assert "--replace stores a new credential for it" in neonhub(*add, stdin=stored).refusal
    before = connections.get_by_name("acme", "sms")
    assert neonhub(*add, "--replace", stdin=stored).out.strip() == str(before.id)
    opened = connections.open_connection(before.id)
    assert (opened.credential["account_sid"], opened.settings) == ("AC" + "1" * 32, before.settings)
    assert "no connection 'other'" in neonhub(*add, "--name", "other", "--replace", stdin=stored).refusal
    assert "'slack' is a connection to slack" in neonhub(*add, "--name", "slack", "--replace", stdin=stored).refusal


def test_a_dead_grant_may_be_replaced_without_saying_so(neonhub: Neonhub, dead: Rotating) -> None:
    new = json.dumps({"bot_token": "xoxb-new"}).encode()
    assert neonhub("connections", "add", "slack", "--org", "acme", stdin=new).code == 0
    assert dead.stored().state == "active"
