"""Which campaigns has the account, and what do they look like? Asked in Google's query language."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field

from connectors.google_ads import api
from connectors.google_ads.platform import GOOGLE_ADS, CampaignId, part, whole
from connectors.kit.action import Input, Output
from connectors.kit.call import Call
from connectors.kit.errors import NotFound, OutcomeUnknown

MARK = "nh:"
"""Stands before the run's key in a campaign's name."""

Status = Literal["ENABLED", "PAUSED", "REMOVED"]

_MARKED = re.compile(rf" \[{MARK}([\w-]+)\]$")
SELECT = (
    "SELECT campaign.id, campaign.name, campaign.status, campaign.serving_status, campaign.advertising_channel_type,"
    " campaign.bidding_strategy_type, campaign.start_date_time, campaign.end_date_time,"
    " campaign.contains_eu_political_advertising, campaign_budget.id, campaign_budget.amount_micros,"
    " campaign_budget.total_amount_micros, campaign_budget.explicitly_shared, campaign_budget.reference_count"
    " FROM campaign"
)


class SearchCampaigns(Input):
    """Which campaigns to look for; all that are not removed if nothing is named."""

    name: str | None = Field(default=None, min_length=1, max_length=255, description="Only this very name.")
    name_contains: str | None = Field(default=None, min_length=1, max_length=255, description="Only names with it.")
    campaign_ids: tuple[CampaignId, ...] = Field(default=(), max_length=1000, description="Only these.")
    statuses: tuple[Status, ...] = Field(
        default=("ENABLED", "PAUSED"), min_length=1, description="Only of these states."
    )
    page_token: str | None = Field(default=None, min_length=1, description="Of the page before; pages hold 10,000.")


class Campaign(Output):
    """A campaign of the account."""

    id: str
    name: str | None
    status: str | None = Field(description="ENABLED, PAUSED or REMOVED.")
    serving_status: str | None
    channel: str | None
    bidding_strategy_type: str | None
    start_date_time: str | None = Field(description="In the account's time zone.")
    end_date_time: str | None = Field(description="In the account's time zone.")
    contains_eu_political_advertising: str | None
    budget_id: str | None
    daily_budget_micros: int | None = Field(description="In micros of the account's currency.")
    total_budget_micros: int | None = Field(description="In micros of the account's currency.")
    budget_shared: bool = Field(description="Whether other campaigns may use the budget too.")
    budget_campaigns: int = Field(description="How many campaigns use the budget.")
    effect_id: str | None = Field(default=None, description="The effect key of the run that created it.")


class CampaignPage(Output):
    """Campaigns."""

    campaigns: tuple[Campaign, ...]
    next_page_token: str | None = Field(description="Give it as page_token to get the next page; null at the end.")


class CampaignQuery(Input):
    """Which campaign."""

    campaign_id: CampaignId = Field(description="Its id.")


def _campaign(row: dict[str, Any]) -> Campaign | None:
    found, budget = part(row, "campaign"), part(row, "campaignBudget")
    if "id" not in found:
        return None
    name = str(found.get("name") or "")
    mark = _MARKED.search(name)
    return Campaign(
        id=str(found["id"]),
        name=name or None,
        status=found.get("status"),
        serving_status=found.get("servingStatus"),
        channel=found.get("advertisingChannelType"),
        bidding_strategy_type=found.get("biddingStrategyType"),
        start_date_time=found.get("startDateTime"),
        end_date_time=found.get("endDateTime"),
        contains_eu_political_advertising=found.get("containsEuPoliticalAdvertising"),
        budget_id=str(budget["id"]) if "id" in budget else None,
        daily_budget_micros=whole(budget["amountMicros"]) if "amountMicros" in budget else None,
        total_budget_micros=whole(budget["totalAmountMicros"]) if "totalAmountMicros" in budget else None,
        budget_shared=budget.get("explicitlyShared") is True,
        budget_campaigns=whole(budget.get("referenceCount")),
        effect_id=None if mark is None else mark[1],
    )


def found_campaign(call: Call, campaign_id: str) -> Campaign | None:
    """The campaign of an id; None if the account has none."""
    row = next(api.rows(call, f"{SELECT} WHERE campaign.id = {campaign_id}"), None)
    return None if row is None else _campaign(row)


def marked(call: Call, key: str) -> Campaign | None:
    """The campaign whose name carries an effect key, also when it was renamed around it or removed.

    Raises:
        OutcomeUnknown: Several do.
    """
    like = api.text(f"%{api.pattern(f'[{MARK}{key}]')}%")
    found = [_campaign(row) for row in api.rows(call, f"{SELECT} WHERE campaign.name LIKE {like}")]
    campaigns = [one for one in found if one is not None]
    if len(campaigns) > 1:
        raise OutcomeUnknown("ambiguous: several campaigns carry this run's key; look into the account")
    return campaigns[0] if campaigns else None


@GOOGLE_ADS.read("searchCampaigns", SearchCampaigns, CampaignPage, scopes=api.SCOPES, limits=api.LIMITS)
def search_campaigns(call: Call, data: SearchCampaigns) -> CampaignPage:
    """Look for campaigns by name, id and state."""
    conditions = [f"campaign.status IN ({', '.join(api.text(one) for one in data.statuses)})"]
    if data.name is not None:
        conditions.append(f"campaign.name = {api.text(data.name)}")
    if data.name_contains is not None:
        conditions.append(f"campaign.name LIKE {api.text(f'%{api.pattern(data.name_contains)}%')}")
    if data.campaign_ids:
        conditions.append(f"campaign.id IN ({', '.join(data.campaign_ids)})")
    query = f"{SELECT} WHERE {' AND '.join(conditions)} ORDER BY campaign.id"
    found = api.search(call, query, page_token=data.page_token)
    campaigns = tuple(one for one in map(_campaign, found.results) if one is not None)
    return CampaignPage(campaigns=campaigns, next_page_token=found.next_page_token or None)


@GOOGLE_ADS.read("getCampaign", CampaignQuery, Campaign, scopes=api.SCOPES, limits=api.LIMITS)
def get_campaign(call: Call, data: CampaignQuery) -> Campaign:
    """Fetch a campaign with its budget."""
    found = found_campaign(call, data.campaign_id)
    if found is None:
        raise NotFound("the account has no such campaign")
    return found
