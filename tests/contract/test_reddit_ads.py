"""What do the actions on Reddit's ad account do there? Asked of the sandbox."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from connectors.kit.errors import InvalidRequest, NotFound, Permission, PolicyRejected, Postpone
from connectors.reddit.ad_groups import CreateAdGroup
from connectors.reddit.ads import CreateAd, CreateAdPost
from connectors.reddit.campaigns import AdjustBudget, CreateCampaign
from connectors.reddit.reports import GetReport
from connectors.registry import action
from tests.contract.cases import reddit as cases
from tests.contract.conftest import Performer, Sandbox
from tests.contract.memory_ledger import MemoryLedger

BUDGET: dict[str, Any] = {
    "goal_type": "DAILY_SPEND",
    "goal_micros": 50_000_000,
    "starts_at": "2026-12-01T09:00:00+01:00",
    "bid_strategy": "BIDLESS",
    "bid_type": "CPC",
    "conversion_pixel_id": "a2_5pr1ngpix",
}
CAMPAIGN: dict[str, Any] = {"name": "Spring", "objective": "CLICKS"}


def make(performer: Performer, **given: Any) -> Any:
    return performer.do("reddit.createCampaign", **{**CAMPAIGN, **given})


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"budget": BUDGET, "funding_instrument_id": "1234567", "special_ad_categories": ["HOUSING_EMPLOYMENT_CREDIT"]},
        {"budget": {**BUDGET, "goal_type": "LIFETIME_SPEND", "ends_at": "2026-12-09T00:00:00Z"}, "use_catalog": False},
        {"automated": True, "budget": BUDGET, "spend_cap_micros": 300_000_000, "invoice_label": "Q4"},
    ],
)
def test_a_campaign_is_made_paused(performer: Performer, sandbox: Sandbox, given: dict[str, Any]) -> None:
    mark = sandbox.mark()

    made = make(performer, **given)

    (effect,) = sandbox.effects(mark)
    assert (effect["provider_id"], effect["text"]) == (made.id, made.name)
    assert made.name.startswith("Spring [nh-")
    read: Any = performer.do("reddit.getCampaign", campaign_id=made.id)
    assert (read.configured_status, read.objective) == ("PAUSED", "CLICKS")
    assert read.goal_micros == (50_000_000 if "budget" in given else None)


def test_a_campaign_is_started_stopped_given_a_budget_and_put_away(performer: Performer) -> None:
    ref = {"campaign_id": make(performer, budget=BUDGET).id}

    def read() -> tuple[str, int]:
        found: Any = performer.do("reddit.getCampaign", **ref)
        return found.configured_status, found.goal_micros

    performer.do("reddit.activateCampaign", **ref)
    assert read() == ("ACTIVE", 50_000_000)
    performer.do("reddit.adjustBudget", **ref, goal_micros=75_000_000)
    performer.do("reddit.pauseCampaign", **ref)
    assert read() == ("PAUSED", 75_000_000)
    performer.do("reddit.archiveCampaign", **ref)
    assert read()[0] == "ARCHIVED"


def test_a_budget_is_adjusted_where_it_is(performer: Performer) -> None:
    with pytest.raises(InvalidRequest, match="400 for goal_value"):
        performer.do("reddit.adjustBudget", campaign_id=make(performer).id, goal_micros=1_000_000)
    with pytest.raises(NotFound):
        performer.do("reddit.adjustBudget", ad_group_id="1", goal_micros=1_000_000)


def test_campaigns_are_listed_page_by_page(performer: Performer) -> None:
    made = [make(performer).id for _ in range(60)]

    listed: Any = performer.do("reddit.listCampaigns", limit=5000)
    few: Any = performer.do("reddit.listCampaigns", limit=3)

    assert set(made) <= {one.id for one in listed.campaigns}
    assert len(few.campaigns) == 3


def test_two_campaigns_of_one_name_are_told_apart(performer: Performer) -> None:
    wanted = action("reddit.createCampaign")
    data = wanted.input.model_validate(CAMPAIGN)
    ledgers = [MemoryLedger(), MemoryLedger()]
    made = [performer.perform(wanted, performer.call("reddit", one), data).provider_id() for one in ledgers]

    found = [performer.look_up(wanted, performer.call("reddit", one), data) for one in ledgers]

    assert [one.provider_id() for one in found if one is not None] == made
    assert len(set(made)) == 2


def test_ad_groups_and_ads_are_made_listed_and_started(performer: Performer) -> None:
    campaign = make(performer).id
    group: Any = performer.do(
        "reddit.createAdGroup",
        campaign_id=campaign,
        name="r/gardening US",
        bid_strategy="MAXIMIZE_VOLUME",
        bid_type="CPC",
        bid_micros=1_500_000,
        goal_type="DAILY_SPEND",
        goal_micros=20_000_000,
        targeting={"communities": ["gardening"], "geolocations": ["US"]},
    )
    post = performer.do("reddit.submitPost", subreddit="gardening", title="Sale", text="Now").provider_id()
    ad: Any = performer.do(
        "reddit.createAd",
        ad_group_id=group.id,
        name="Ad A",
        post_id=post,
        click_url="https://example.com/sale",
        query_parameters={"utm_source": "reddit"},
    )

    performer.do("reddit.setAdGroupStatus", ad_group_id=group.id, status="ACTIVE")
    performer.do("reddit.adjustBudget", ad_group_id=group.id, goal_micros=25_000_000)
    performer.do("reddit.setAdStatus", ad_id=ad.id, status="ACTIVE")

    read: Any = performer.do("reddit.getAdGroup", ad_group_id=group.id)
    assert (read.configured_status, read.goal_micros, read.bid_micros) == ("ACTIVE", 25_000_000, 1_500_000)
    groups: Any = performer.do("reddit.listAdGroups", campaign_id=campaign)
    assert [one.id for one in groups.ad_groups] == [group.id]
    for where in ({"ad_group_id": group.id}, {"campaign_id": campaign}):
        ads: Any = performer.do("reddit.listAds", **where)
        assert [(one.id, one.post_id, one.effective_status) for one in ads.ads] == [(ad.id, post, "PENDING_APPROVAL")]


def test_an_ad_group_has_no_budget_beside_its_campaigns(performer: Performer) -> None:
    campaign = make(performer, budget=BUDGET).id
    given = cases._ad_group(performer, "")

    with pytest.raises(InvalidRequest, match="goal_value"):
        performer.do("reddit.createAdGroup", **{**given, "campaign_id": campaign})


def ad_post(performer: Performer, sandbox: Sandbox, ledger: MemoryLedger, **given: Any) -> Any:
    wanted = action("reddit.createAdPost")
    data = wanted.input.model_validate({"headline": "Sale", **given})
    while True:
        try:
            return performer.perform(wanted, performer.call("reddit", ledger), data)
        except Postpone:
            sandbox.ask("POST", "clock", json={"advance_s": 3})


PICTURE = {"destination_url": "https://example.com/sale", "image_url": "https://cdn.example.com/a.png"}
FILM = {
    "destination_url": "https://example.com/sale",
    "video_url": "https://cdn.example.com/a.mp4",
    "thumbnail_url": "https://cdn.example.com/a.png",
}


@pytest.mark.parametrize("given", [{"body": "Now"}, PICTURE, FILM])
def test_a_post_for_ads_is_made_by_a_job_and_can_be_advertised(
    performer: Performer, sandbox: Sandbox, given: dict[str, Any]
) -> None:
    mark = sandbox.mark()

    made = ad_post(performer, sandbox, MemoryLedger(), **given)

    (effect,) = sandbox.effects(mark)
    assert (effect["provider_id"], effect["key"]) == (made.post_id, made.job_id)
    wanted = {**cases._ad(performer, ""), "post_id": made.post_id}
    assert performer.do("reddit.createAd", **wanted).provider_id()


def test_a_creative_that_reddit_does_not_take_is_said(performer: Performer, sandbox: Sandbox) -> None:
    with pytest.raises(PolicyRejected, match="does not take the creative"):
        ad_post(performer, sandbox, MemoryLedger(), **{**PICTURE, "image_url": "https://cdn.invalid/a.png"})


def test_a_report_has_a_row_for_each_campaign_on_all_pages(performer: Performer) -> None:
    made = {make(performer).id for _ in range(3)}
    hours = {"starts_at": "2026-11-01T01:00:00+01:00", "ends_at": "2026-11-08T00:00:00Z"}

    whole: Any = performer.do(
        "reddit.getReport", **hours, fields=["CLICKS", "SPEND"], breakdowns=["CAMPAIGN_ID", "DATE"]
    )
    few: Any = performer.do("reddit.getReport", **hours, limit=2, time_zone_id="America/New_York")

    assert made <= {row["campaign_id"] for row in whole.rows}
    assert whole.rows[0].keys() == {"campaign_id", "clicks", "spend"}
    assert whole.updated_at is not None
    assert len(few.rows) == 2


def test_who_pays_and_what_counts_can_be_asked_for(performer: Performer) -> None:
    paying: Any = performer.do("reddit.listFundingInstruments")
    counting: Any = performer.do("reddit.listPixels")

    assert [(one.id, one.currency, one.is_servable) for one in paying.instruments] == [("1234567", "USD", True)]
    assert [one.id for one in counting.pixels] == ["a2_5pr1ngpix"]


def test_anothers_ad_account_is_a_matter_of_permission(performer: Performer) -> None:
    with pytest.raises(Permission, match="role in the ad account"):
        performer.do("reddit.listCampaigns", ad_account_id="a2_other")


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("createCampaign", CAMPAIGN),
        ("listCampaigns", {}),
        ("createAdPost", {"headline": "Sale", "body": "Now"}),
    ],
)
def test_without_an_ad_account_or_profile_nothing_is_asked(
    performer: Performer, name: str, given: dict[str, Any]
) -> None:
    performer.account["reddit"]["settings"] = {}

    with pytest.raises(InvalidRequest, match="Give it in the input"):
        performer.do(f"reddit.{name}", **given)


GROUP: dict[str, Any] = {"campaign_id": "1", "name": "Group", "bid_strategy": "BIDLESS", "bid_type": "CPC"}
AD: dict[str, Any] = {"ad_group_id": "1", "name": "Ad A", "post_id": "t3_1abc", "click_url": "https://example.com/"}
HOURS: dict[str, Any] = {"starts_at": "2026-11-01T00:00:00Z", "ends_at": "2026-11-08T00:00:00Z"}
FOUR = ["CAMPAIGN_ID", "DATE", "AD_ID", "GENDER"]


@pytest.mark.parametrize(
    ("kind", "given", "rule"),
    [
        (CreateCampaign, {**CAMPAIGN, "name": "ab"}, "name"),
        (CreateCampaign, {**CAMPAIGN, "name": "x" * 461}, "name"),
        (CreateCampaign, {**CAMPAIGN, "automated": True, "objective": "SALES"}, "automated campaigns"),
        (CreateCampaign, {**CAMPAIGN, "automated": True, "use_catalog": True}, "use_catalog"),
        (CreateCampaign, {**CAMPAIGN, "invoice_label": "x" * 81}, "invoice_label"),
        (CreateCampaign, {**CAMPAIGN, "budget": {**BUDGET, "goal_micros": 0}}, "goal_micros"),
        (CreateCampaign, {**CAMPAIGN, "budget": {**BUDGET, "goal_type": "LIFETIME_SPEND"}}, "ends_at is needed"),
        (CreateCampaign, {**CAMPAIGN, "budget": {**BUDGET, "ends_at": "2026-11-01T00:00:00Z"}}, "must come after"),
        (CreateCampaign, {**CAMPAIGN, "configured_status": "ACTIVE"}, "configured_status"),
        (AdjustBudget, {"goal_micros": 5}, "one of campaign_id and ad_group_id"),
        (AdjustBudget, {"goal_micros": 5, "campaign_id": "1", "ad_group_id": "2"}, "one of campaign_id"),
        (CreateAdGroup, {**GROUP, "goal_type": "DAILY_SPEND"}, "belong together"),
        (CreateAdGroup, {**GROUP, "goal_type": "LIFETIME_SPEND", "goal_micros": 5}, "ends_at is needed"),
        (CreateAdGroup, {**GROUP, "campaign_id": "../1"}, "campaign_id"),
        (CreateAdGroup, {**GROUP, "targeting": {"interests": ["x"] * 201}}, "interests"),
        (CreateAd, {**AD, "query_parameters": {str(n): "x" for n in range(15)}}, "query_parameters"),
        (CreateAd, {**AD, "click_url": "https://example.com/" + "x" * 5000}, "click_url"),
        (CreateAd, {**AD, "post_id": "1abc"}, "post_id"),
        (CreateAdPost, {"headline": "x"}, "one of body, image_url and video_url"),
        (CreateAdPost, {"headline": "x" * 301, "body": "x"}, "headline"),
        (CreateAdPost, {"headline": "x", "image_url": "https://a.example/"}, "destination_url"),
        (CreateAdPost, {"headline": "x", "body": "x", "destination_url": "https://a.example/"}, "destination_url"),
        (CreateAdPost, {"headline": "x", **FILM, "thumbnail_url": None}, "thumbnail_url"),
        (GetReport, {**HOURS, "starts_at": "2026-11-01T00:30:00Z"}, "starts_at must be a whole hour"),
        (GetReport, {**HOURS, "ends_at": "2026-11-01T00:00:00Z"}, "must come after"),
        (GetReport, {**HOURS, "breakdowns": FOUR}, "at most 3 different ones"),
        (GetReport, {**HOURS, "breakdowns": ["DATE", "DATE"]}, "different ones"),
        (GetReport, {**HOURS, "time_zone_id": "Mars/Olympus"}, "IANA zone"),
        (GetReport, {**HOURS, "fields": ["clicks"]}, "fields"),
    ],
)
def test_what_cannot_be_is_refused_before_it_is_accepted(
    kind: type[BaseModel], given: dict[str, Any], rule: str
) -> None:
    with pytest.raises(ValidationError, match=rule):
        kind.model_validate(given)


def test_four_breakdowns_are_allowed_for_a_country_and_its_regions() -> None:
    assert GetReport.model_validate({**HOURS, "breakdowns": ["COUNTRY", "REGION", "DATE", "CAMPAIGN_ID"]})
