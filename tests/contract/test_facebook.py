"""What does each action on ads do at Facebook? Asked of the sandbox."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.facebook.ads import Ad, AdList, AdMade
from connectors.facebook.adsets import AdSet, AdSetList
from connectors.facebook.api import FacebookCredential
from connectors.facebook.campaigns import Campaign, CampaignList, CreateCampaign
from connectors.facebook.insights import GetInsights, Insights
from connectors.facebook.platform import Made
from connectors.kit.action import Output
from connectors.kit.errors import (
    AuthExpired,
    ConnectorError,
    GrantDead,
    InvalidRequest,
    OutcomeUnknown,
    Postpone,
    RateLimited,
)
from connectors.registry import action, connector
from tests.contract.cases.facebook import ad, adset, campaign
from tests.contract.conftest import Performer, Sandbox
from tests.contract.memory_ledger import MemoryLedger

TRAFFIC: dict[str, Any] = {"objective": "OUTCOME_TRAFFIC", "special_ad_categories": []}


def perform(performer: Performer, name: str, ledger: MemoryLedger, /, **given: Any) -> Output:
    wanted = action(f"facebook.{name}")
    return performer.perform(wanted, performer.call("facebook", ledger), wanted.input.model_validate(given))


def test_what_spends_money_is_created_paused_and_carries_the_runs_mark(performer: Performer, sandbox: Sandbox) -> None:
    ledger, mark = MemoryLedger(), sandbox.mark()

    made = perform(performer, "createCampaign", ledger, name="Spring", daily_budget_minor=5000, **TRAFFIC)

    assert isinstance(made, Made)
    assert made.name == f"Spring [nh-{ledger.key}]"
    (effect,) = sandbox.effects(mark)
    assert (effect["action"], effect["key"], effect["text"]) == ("createCampaign", ledger.key, made.name)
    found = performer.do("facebook.getCampaign", campaign_id=made.id)
    assert found == Campaign(
        id=made.id,
        name=made.name,
        objective="OUTCOME_TRAFFIC",
        status="PAUSED",
        effective_status="PAUSED",
        daily_budget_minor=5000,
        lifetime_budget_minor=None,
    )
    listed = performer.do("facebook.listCampaigns", name_contains=ledger.key)
    assert isinstance(listed, CampaignList)
    assert listed.campaigns == (found,)


def test_an_ad_set_is_paused_activated_budgeted_and_archived(performer: Performer) -> None:
    made = performer.do("facebook.createAdSet", **adset(performer, ""))
    adset_id = made.provider_id()

    def seen() -> AdSet:
        found = performer.do("facebook.getAdSet", adset_id=adset_id)
        assert isinstance(found, AdSet)
        return found

    assert seen().status == "PAUSED"
    performer.do("facebook.setAdSetStatus", adset_id=adset_id, status="ACTIVE")
    assert seen().status == "ACTIVE"
    performer.do("facebook.pauseAdSet", adset_id=adset_id)
    performer.do("facebook.setAdSetBudget", adset_id=adset_id, daily_budget_minor=777)
    assert (seen().status, seen().daily_budget_minor) == ("PAUSED", 777)
    performer.do("facebook.setAdSetStatus", adset_id=adset_id, status="ARCHIVED")
    listed = performer.do("facebook.listAdSets")
    assert isinstance(listed, AdSetList)
    assert adset_id not in {one.id for one in listed.adsets}


def test_an_ad_sets_budget_changes_four_times_an_hour(performer: Performer) -> None:
    adset_id = performer.do("facebook.createAdSet", **adset(performer, "")).provider_id()
    for budget in (100, 200, 300, 400):
        performer.do("facebook.setAdSetBudget", adset_id=adset_id, daily_budget_minor=budget)

    with pytest.raises(RateLimited) as caught:
        performer.do("facebook.setAdSetBudget", adset_id=adset_id, daily_budget_minor=500)

    assert caught.value.retry_after_s == 3600
    pace = action("facebook.setAdSetBudget").pace[-1]
    assert (pace.count, pace.per_s, pace.of) == (4, 3600, "target")


def test_an_ad_makes_its_creative_first_and_can_be_given_another(performer: Performer, sandbox: Sandbox) -> None:
    mark = sandbox.mark()
    made = performer.do("facebook.createAd", **ad(performer, ""))
    assert isinstance(made, AdMade)
    actions = [effect["action"] for effect in sandbox.effects(mark)]
    assert actions == ["createCampaign", "createAdSet", "createAdCreative", "createAd"]

    changed = performer.do("facebook.updateCreative", ad_id=made.ad_id, creative={"link": "https://example.com/new"})

    assert isinstance(changed, AdMade)
    found = performer.do("facebook.getAd", ad_id=made.ad_id)
    assert isinstance(found, Ad)
    assert (found.creative_id, found.status) == (changed.creative_id, "PAUSED")
    assert found.effective_status == "PENDING_REVIEW"
    assert changed.creative_id != made.creative_id
    listed = performer.do("facebook.listAds", name_contains=found.name)
    assert isinstance(listed, AdList)
    assert listed.ads == (found,)


def test_a_second_attempt_at_an_ad_uses_the_creative_that_the_first_made(
    performer: Performer, sandbox: Sandbox
) -> None:
    given, ledger = ad(performer, ""), MemoryLedger()
    mark = sandbox.mark()
    sandbox.fault("rate_limit", "facebook", "createAd")
    with pytest.raises(RateLimited):
        perform(performer, "createAd", ledger, **given)

    perform(performer, "createAd", ledger, **given)

    assert [effect["action"] for effect in sandbox.effects(mark)] == ["createAdCreative", "createAd"]


def test_two_campaigns_with_the_mark_of_one_run_are_for_a_person(performer: Performer) -> None:
    ledger = MemoryLedger()
    for _ in range(2):
        perform(performer, "createCampaign", ledger, name="Spring", **TRAFFIC)
    data = CreateCampaign.model_validate({"name": "Spring", **TRAFFIC})

    with pytest.raises(OutcomeUnknown, match="2 campaigns carry this run's mark"):
        performer.look_up(action("facebook.createCampaign"), performer.call("facebook", ledger), data)


def test_ads_are_measured_at_once_and_in_the_background(performer: Performer, sandbox: Sandbox) -> None:
    made = performer.do("facebook.createCampaign", **campaign(performer, ""))
    given: dict[str, Any] = {
        "object_id": made.provider_id(),
        "fields": ["impressions", "spend", "actions", "inline_link_clicks"],
    }
    given |= {"since": "2026-11-01", "until": "2026-11-03", "days_per_row": 1, "breakdowns": ["gender"]}
    at_once = performer.do("facebook.getInsights", **given)
    ledger, data = MemoryLedger(), GetInsights.model_validate(given)
    wanted = action("facebook.getInsightsReport")
    with pytest.raises(Postpone, match="waiting for report"):
        performer.perform(wanted, performer.call("facebook", ledger), data)
    sandbox.ask("POST", "clock", json={"advance_s": 11})

    later = performer.perform(wanted, performer.call("facebook", ledger), data)

    assert later == at_once
    assert isinstance(later, Insights)
    assert len(later.rows) == 6
    row = later.rows[0]
    assert (row.date_start, row.of) == ("2026-11-01", {"gender": "female"})
    assert row.spend is not None
    assert set(row.actions) == {"link_click"}
    assert row.more == {"inline_link_clicks": row.actions["link_click"]}


@pytest.mark.parametrize(
    ("missing", "name", "given"),
    [
        ("ad_account_id", "createCampaign", {"name": "x", **TRAFFIC}),
        ("page_id", "createPost", {"message": "x"}),
    ],
)
def test_a_connection_without_account_or_page_sends_nothing(
    performer: Performer, sandbox: Sandbox, missing: str, name: str, given: dict[str, Any]
) -> None:
    del performer.account["facebook"]["settings"][missing]
    mark = sandbox.mark()

    with pytest.raises(InvalidRequest, match=f"{missing}: the connection's settings must name"):
        performer.do(f"facebook.{name}", **given)

    assert sandbox.effects(mark) == []


def test_the_credential_check_names_the_account_or_the_page(performer: Performer) -> None:
    account = performer.account["facebook"]
    assert connector("facebook").test(performer.call("facebook")) == f"Facebook ad account {account['account']}"
    page = account["settings"]["page_id"]
    del account["settings"]["ad_account_id"]
    assert connector("facebook").test(performer.call("facebook")) == f"Facebook Page {page}"


@pytest.mark.parametrize(
    ("wrong", "kind"), [({"access_token": "EAA-wrong"}, AuthExpired), ({"client_secret": "EAA-wrong"}, InvalidRequest)]
)
def test_a_wrong_credential_is_not_in_the_error(
    performer: Performer, wrong: dict[str, str], kind: type[ConnectorError]
) -> None:
    performer.account["facebook"]["credential"].update(wrong)

    with pytest.raises(kind) as caught:
        connector("facebook").test(performer.call("facebook"))
    assert "EAA-wrong" not in f"{caught.value!r}"


def test_a_living_token_is_exchanged_for_one_of_sixty_days(performer: Performer) -> None:
    account = performer.account["facebook"]
    call = performer.call("facebook")
    oauth, credential = call.connector.oauth, call.credential_as(FacebookCredential)
    assert oauth is not None
    renewed = oauth.refresh(call.http, credential)
    assert renewed.access_token != credential.access_token
    assert renewed.expires_at is not None
    assert (renewed.expires_at - datetime.now(UTC)).days == 59
    assert not oauth.is_stale(renewed, datetime.now(UTC))
    assert oauth.is_stale(renewed, datetime.now(UTC) + timedelta(days=54))
    account["credential"]["access_token"] = "EAA-dead"
    dead = performer.call("facebook")
    with pytest.raises(GrantDead) as caught:
        oauth.refresh(dead.http, dead.credential_as(FacebookCredential))
    assert "EAA-dead" not in f"{caught.value!r}"


def test_an_image_is_brought_once_and_shown_by_its_hash(performer: Performer, sandbox: Sandbox) -> None:
    mark, given = sandbox.mark(), {"image_url": f"https://media.example/{uuid.uuid4().hex}-64x48.png"}
    first, second = (performer.do("facebook.uploadImage", **given) for _ in range(2))

    assert first == second
    (effect,) = sandbox.effects(mark)
    assert (effect["action"], effect["provider_id"]) == ("uploadImage", first.provider_id())
    shown = {"link": "https://example.com/spring", "image_hash": first.provider_id()}
    assert performer.do("facebook.createAd", **{**ad(performer, ""), "creative": shown}).provider_id()
    lost = {**shown, "image_hash": "0" * 32}
    with pytest.raises(InvalidRequest):
        performer.do("facebook.createAd", **{**ad(performer, ""), "creative": lost})


@pytest.mark.parametrize(
    ("name", "rule"),
    [("loop-64x48.gif", "the file is image/gif; must be"), ("photo-64x48-31MB.png", "at most 31457280")],
)
def test_an_image_that_meta_does_not_take_is_refused_before_it_is_sent(
    performer: Performer, sandbox: Sandbox, name: str, rule: str
) -> None:
    mark = sandbox.mark()

    with pytest.raises(InvalidRequest, match=f"image_url: .*{rule}"):
        performer.do("facebook.uploadImage", image_url=f"https://media.example/{name}")

    assert sandbox.effects(mark) == []
