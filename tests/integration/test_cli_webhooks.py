"""``neonhub webhooks``, and what other commands say of what platforms told."""

from __future__ import annotations

import uuid

import pytest
from sqlalchemy import text

from connectors.dialects.meta_webhooks import MetaWebhooks
from connectors.webhooks import WEBHOOKS
from neonhub_worker.db.engine import transaction
from neonhub_worker.ledger import evidence
from neonhub_worker.ledger.evidence import Evidence
from neonhub_worker.webhooks.refusals import Refusals
from tests import signing
from tests.conftest import ConnectionFactory, forget_settings
from tests.integration.cli import Neonhub, claim, count, park, sms_run


@pytest.fixture
def links(connection_factory: ConnectionFactory) -> dict[str, uuid.UUID]:
    """Connections of which one lacks the secret that proves webhooks."""
    bare = {**signing.SECRETS, "slack": {"bot_token": "xoxb-1"}}
    return {slug: connection_factory(slug, credential=found, settings={}) for slug, found in bare.items()}


def test_each_connection_has_an_address_and_what_it_lacks_is_named(
    neonhub: Neonhub, links: dict[str, uuid.UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEONHUB_WEBHOOKS_URL", "https://hooks.example.com/")
    forget_settings()
    listed = {one["connection"]: one for one in neonhub("webhooks", "list", "--org", "acme", "--json").json}
    assert listed.keys() == WEBHOOKS.keys()
    assert listed["sms"]["url"] == f"https://hooks.example.com/webhooks/sms/{links['sms']}"
    assert {name for name, one in listed.items() if not one["ready"]} == {"slack"}
    whatsapp = WEBHOOKS["whatsapp"]
    assert isinstance(whatsapp, MetaWebhooks)
    token = whatsapp.verify_token(signing.SECRETS["whatsapp"], str(links["whatsapp"]))
    assert listed["whatsapp"]["verify_token"] == token
    assert "MISSING: signing_secret" in neonhub("webhooks", "list", "--org", "acme").words


def test_without_a_public_address_it_says_which_setting_is_missing(
    neonhub: Neonhub, links: dict[str, uuid.UUID]
) -> None:
    said = neonhub("webhooks", "list", "--org", "acme")
    assert "set NEONHUB_WEBHOOKS_URL" in said.err
    assert f"/webhooks/sms/{links['sms']}" in said.words
    assert "no organization 'nobody'" in neonhub("webhooks", "list", "--org", "nobody").refusal


@pytest.mark.parametrize("url", ["hooks.example.com", "ftp://h", "https://u:p@h", "https://h/?a=1", "https://h/#a"])
def test_an_address_of_another_kind_is_refused(neonhub: Neonhub, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("NEONHUB_WEBHOOKS_URL", url)
    forget_settings()
    assert "NEONHUB_WEBHOOKS_URL: must be an http or https address" in neonhub("webhooks", "list").refusal


def test_refusals_are_counted_by_platform_and_reason(neonhub: Neonhub, links: dict[str, uuid.UUID]) -> None:
    refusals = Refusals()
    for reason in ("forged", "forged", "stale"):
        refusals.count("stripe", reason)
    refusals.write()
    refusals.count("stripe", "forged")
    refusals.write()
    refusals.write()
    refused = neonhub("status", "--json").json["webhooks"]["refused"]
    assert [(one["connector"], one["reason"], one["number"]) for one in refused] == [
        ("stripe", "forged", 3),
        ("stripe", "stale", 1),
    ]
    assert "stripe forged 3" in neonhub("status").words
    findings = {one["name"]: one for one in neonhub("doctor", "--json").json}
    assert findings["webhooks refused"]["verdict"] == "note"
    assert "stripe forged 3, stripe stale 1" in findings["webhooks refused"]["text"]


def test_events_that_nobody_works_off_are_a_fault(neonhub: Neonhub, links: dict[str, uuid.UUID]) -> None:
    insert = text(
        "insert into webhook_event (connection_id, event_id, kind, received_at, act_at, outcome) "
        "values (:id, :event_id, 'other', now() - interval '1 hour', :act_at, :outcome)"
    )
    gave_up = {"id": links["sms"], "event_id": "1", "act_at": None, "outcome": "gave up: VaultError"}
    with transaction() as connection:
        connection.execute(insert, gave_up)
    findings = {one["name"]: one for one in neonhub("doctor", "--json").json}
    assert "1 could not be worked off" in findings["webhook events"]["text"]
    with transaction() as connection:
        connection.execute(insert, {**gave_up, "event_id": "2", "act_at": "2026-01-01T00:00:00Z", "outcome": None})
    finding = {one["name"]: one for one in neonhub("doctor", "--json").json}["webhook events"]
    assert finding["verdict"] == "FAIL"
    assert "start `neonhub webhooks serve`" in finding["text"]
    assert "1 events of platforms wait" in neonhub("status").words


def test_a_run_shows_how_far_its_effect_got(neonhub: Neonhub, links: dict[str, uuid.UUID]) -> None:
    run_id = sms_run()
    park(run_id)
    told = Evidence("acme", "sms", "undelivered", "undelivered", "a test", "SM1", run_id.hex, code="30003")
    with transaction() as connection:
        assert evidence.weigh(connection, told).verdict == "settled"
    shown = neonhub("runs", "show", run_id, "--json").json
    assert (shown["state"], shown["delivery"]["stage"], shown["delivery"]["code"]) == (
        "succeeded",
        "undelivered",
        "30003",
    )
    assert "delivery undelivered (code 30003)" in neonhub("runs", "show", run_id).words
    assert "The platform told later that it was undelivered (code 30003)." in neonhub("why", run_id).words


def test_every_way_to_opt_out_cancels_what_waits(
    neonhub: Neonhub, links: dict[str, uuid.UUID], tmp_path_factory: pytest.TempPathFactory
) -> None:
    people = tmp_path_factory.mktemp("people") / "people.csv"
    people.write_text("channel,address\nsms,+14155550178\n")
    waiting = [
        sms_run(input={"to": f"+1415555017{number}", "body": "x"}, at="2030-01-01T00:00:00Z") for number in (7, 8)
    ]
    claimed = sms_run(input={"to": "+14155550177", "body": "y"})
    claim(claimed)
    neonhub("consent", "opt-out", "+1 415 555 0177", "--org", "acme")
    assert neonhub("consent", "import", people, "--org", "acme").code == 0
    states = [neonhub("runs", "show", run_id, "--json").json["state"] for run_id in waiting]
    assert states == ["cancelled", "cancelled"]
    assert neonhub("runs", "show", claimed, "--json").json["state"] == "running", "its worker finds out"
    assert count("consent_event") == 2
