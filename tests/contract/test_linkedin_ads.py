"""What do the actions on LinkedIn's ad account do there? Asked of the sandbox."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.kit.errors import InvalidRequest, NotFound
from connectors.linkedin.campaigns import CreateCampaign
from connectors.registry import action
from tests.contract.case import text
from tests.contract.cases.linkedin import MONEY
from tests.contract.conftest import Performer, Sandbox
from tests.contract.memory_ledger import MemoryLedger


def campaign(performer: Performer, **given: Any) -> dict[str, Any]:
    return {
        "campaign_group_id": performer.account["linkedin"]["campaign_group"],
        "name": "Spring",
        "type": "SPONSORED_UPDATES",
        "objective": "WEBSITE_VISITS",
        "cost_type": "CPM",
        "unit_cost": {"amount": "12.50", "currency": "USD"},
        "daily_budget": MONEY,
        "country": "US",
        "language": "en",
        "include": [{"urn:li:adTargetingFacet:locations": ["urn:li:geo:103644278"]}],
        "exclude": {"urn:li:adTargetingFacet:industries": ["urn:li:industry:4"]},
        "starts_at": "2026-12-01T08:00:00Z",
        "page": performer.account["linkedin"]["account"],
        "off_site": False,
        "political": "NOT_POLITICAL",
        **given,
    }


def test_a_campaign_is_made_paused_started_stopped_and_deleted(performer: Performer) -> None:
    made: Any = performer.do("linkedin.createCampaign", **campaign(performer))
    ref = {"campaign_id": made.id}

    def status() -> str:
        read: Any = performer.do("linkedin.getCampaign", **ref)
        found: str = read.status
        return found

    assert made.name.startswith("Spring [nh-")
    assert status() == "PAUSED"
    performer.do("linkedin.activateCampaign", **ref)
    assert status() == "ACTIVE"
    performer.do("linkedin.adjustBudget", **ref, daily_budget={"amount": "75", "currency": "USD"})
    read: Any = performer.do("linkedin.getCampaign", **ref)
    assert (read.daily_budget, read.serving_statuses) == ("75 USD", ("RUNNABLE",))
    performer.do("linkedin.pauseCampaign", **ref)
    assert status() == "PAUSED"
    performer.do("linkedin.deleteCampaign", **ref)
    assert status() == "PENDING_DELETION"
    performer.do("linkedin.deleteCampaign", **ref)


def test_a_draft_is_deleted_for_good(performer: Performer) -> None:
    made = performer.do("linkedin.createCampaign", **campaign(performer, status="DRAFT"))

    performer.do("linkedin.deleteCampaign", campaign_id=made.provider_id())

    with pytest.raises(NotFound):
        performer.do("linkedin.getCampaign", campaign_id=made.provider_id())
    with pytest.raises(NotFound):
        performer.do("linkedin.deleteCampaign", campaign_id=made.provider_id())


def test_two_campaigns_of_one_name_are_told_apart(performer: Performer) -> None:
    wanted = action("linkedin.createCampaign")
    data = wanted.input.model_validate(campaign(performer))
    ledgers = [MemoryLedger(), MemoryLedger()]
    made = [performer.perform(wanted, performer.call("linkedin", one), data).provider_id() for one in ledgers]

    found = [performer.look_up(wanted, performer.call("linkedin", one), data) for one in ledgers]

    assert [one.provider_id() for one in found if one is not None] == made
    assert len(set(made)) == 2


def test_campaigns_are_searched_page_by_page(performer: Performer) -> None:
    made = [performer.do("linkedin.createCampaign", **campaign(performer, status="DRAFT")) for _ in range(3)]
    first: Any = made[0]

    by_name: Any = performer.do("linkedin.searchCampaigns", names=[first.name], statuses=["DRAFT", "ACTIVE"])
    drafts: Any = performer.do("linkedin.searchCampaigns", statuses=["DRAFT"], limit=2)

    assert [one.id for one in by_name.campaigns] == [first.id]
    assert len(drafts.campaigns) == 2
    assert {one.status for one in drafts.campaigns} == {"DRAFT"}


def test_groups_and_creatives_are_made_and_listed(performer: Performer) -> None:
    group: Any = performer.do("linkedin.createCampaignGroup", name="Q4", total_budget=MONEY)
    groups: Any = performer.do("linkedin.listCampaignGroups")
    assert group.id in [one.id for one in groups.groups]
    made = performer.do("linkedin.createCampaign", **campaign(performer, campaign_group_id=group.id))
    post = performer.do("linkedin.publishPost", text=text()).provider_id()

    creative: Any = performer.do(
        "linkedin.createCreative", campaign_id=made.provider_id(), post_urn=post, name="Green jacket"
    )
    listed: Any = performer.do("linkedin.listCreatives", campaign_id=made.provider_id())

    assert [(one.id, one.name, one.post_urn) for one in listed.creatives] == [(creative.id, creative.name, post)]
    assert listed.creatives[0].intended_status == "PAUSED"


def test_campaigns_are_measured(performer: Performer) -> None:
    made = performer.do("linkedin.createCampaign", **campaign(performer)).provider_id()

    found: Any = performer.do(
        "linkedin.getCampaignAnalytics",
        campaign_ids=[made],
        starts_on="2026-11-01",
        ends_on="2026-11-07",
        metrics=["clicks", "costInLocalCurrency"],
    )

    (row,) = found.rows
    assert (row.campaign, row.starts_on, row.ends_on) == (
        f"urn:li:sponsoredCampaign:{made}",
        date(2026, 11, 1),
        date(2026, 11, 7),
    )
    assert row.metrics.keys() == {"clicks", "costInLocalCurrency"}
    assert None not in row.metrics.values()
    everything: Any = performer.do("linkedin.getCampaignAnalytics", starts_on="2026-11-01", ends_on="2026-11-07")
    assert len(everything.rows) >= 1


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"daily_budget": None}, "one of daily_budget and total_budget is needed"),
        ({"total_budget": {"amount": "1", "currency": "EUR"}}, "one currency"),
        ({"page": None}, "page is needed"),
        ({"ends_at": "2026-11-30T08:00:00Z"}, "ends_at must come after starts_at"),
        ({"name": "Spring [x]"}, "name"),
        ({"status": "ACTIVE"}, "status"),
        ({"unit_cost": {"amount": "1,50", "currency": "USD"}}, "amount"),
        ({"include": []}, "include"),
    ],
)
def test_a_campaign_that_cannot_be_is_refused_before_it_is_accepted(
    performer: Performer, given: dict[str, Any], rule: str
) -> None:
    with pytest.raises(ValidationError, match=rule):
        CreateCampaign.model_validate(campaign(performer, **given))


def test_what_linkedin_refuses_names_the_field(performer: Performer, sandbox: Sandbox) -> None:
    mark = sandbox.mark()
    with pytest.raises(InvalidRequest, match="INVALID_CAMPAIGN_CONFIGURATION for /status"):
        performer.do(
            "linkedin.createCampaign",
            **campaign(performer, campaign_group_id=performer.account["linkedin"]["draft_campaign_group"]),
        )
    assert sandbox.effects(mark) == []
