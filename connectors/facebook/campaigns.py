"""Campaigns: what is to be reached, and perhaps the budget of all their ad sets."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from connectors.dialects.meta_graph import NodeId
from connectors.facebook import api
from connectors.facebook.platform import (
    ADS_LIMITS,
    ADS_PACE,
    ADS_READ,
    ADS_WRITE,
    FACEBOOK,
    WHY_MARKED,
    Made,
    Minor,
    Name,
    create,
    marked,
    said,
    whole,
)
from connectors.kit.action import Input, Output
from connectors.kit.call import Call

Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
BidStrategy = Literal["LOWEST_COST_WITHOUT_CAP", "LOWEST_COST_WITH_BID_CAP", "COST_CAP", "LOWEST_COST_WITH_MIN_ROAS"]
Status = Literal["ACTIVE", "PAUSED", "ARCHIVED", "DELETED"]


class CreateCampaign(Input):
    """A campaign; it is created paused and spends nothing until it is activated."""

    name: Name = Field(description="Its name; the run's mark is added.")
    objective: Literal[
        "OUTCOME_AWARENESS",
        "OUTCOME_TRAFFIC",
        "OUTCOME_ENGAGEMENT",
        "OUTCOME_LEADS",
        "OUTCOME_APP_PROMOTION",
        "OUTCOME_SALES",
    ] = Field(description="What it is to reach.")
    special_ad_categories: tuple[
        Literal[
            "NONE",
            "HOUSING",
            "EMPLOYMENT",
            "FINANCIAL_PRODUCTS_SERVICES",
            "ISSUES_ELECTIONS_POLITICS",
            "ONLINE_GAMBLING_AND_GAMING",
        ],
        ...,
    ] = Field(description="What it must declare by law; empty if nothing of it.")
    special_ad_category_countries: tuple[Country, ...] = Field(
        default=(), description="Countries that the special categories are for, as ISO 3166 codes."
    )
    daily_budget_minor: Minor | None = Field(
        default=None, description="Budget a day of all its ad sets, in minor units of the account's currency."
    )
    lifetime_budget_minor: Minor | None = Field(
        default=None, description="Budget in all of its ad sets, in minor units; instead of a daily one."
    )
    bid_strategy: BidStrategy | None = Field(default=None, description="How it bids; needs a budget of the campaign.")
    buying_type: Literal["AUCTION", "RESERVED"] | None = Field(default=None, description="AUCTION if left out.")
    spend_cap_minor: Minor | None = Field(
        default=None, description="What it may spend in its whole life, in minor units of the account's currency."
    )
    adset_budget_sharing: bool = Field(
        default=False, description="Whether ad sets with budgets of their own may share a fifth of them."
    )

    @model_validator(mode="after")
    def _is_one_budget(self) -> CreateCampaign:
        if self.daily_budget_minor is not None and self.lifetime_budget_minor is not None:
            raise ValueError("one of daily_budget_minor and lifetime_budget_minor, not both")
        if not self.has_budget and self.bid_strategy is not None:
            raise ValueError("bid_strategy belongs to the ad sets of a campaign without a budget")
        if self.has_budget and self.adset_budget_sharing:
            raise ValueError("adset_budget_sharing is for a campaign without a budget")
        if "NONE" in self.special_ad_categories and len(self.special_ad_categories) > 1:
            raise ValueError("special_ad_categories: NONE stands alone")
        return self

    @property
    def has_budget(self) -> bool:
        """Whether the campaign has a budget itself."""
        return self.daily_budget_minor is not None or self.lifetime_budget_minor is not None


class Campaign(Output):
    """A campaign as it is."""

    id: str
    name: str | None
    objective: str | None
    status: str | None = Field(description="As it was set.")
    effective_status: str | None = Field(description="As it is in effect.")
    daily_budget_minor: int | None
    lifetime_budget_minor: int | None

    def provider_id(self) -> str:
        """Its id."""
        return self.id


class CampaignRef(Input):
    """Which campaign."""

    campaign_id: NodeId = Field(description="As createCampaign gave it.")


class ListCampaigns(Input):
    """Which campaigns of the ad account."""

    name_contains: str | None = Field(default=None, min_length=1, max_length=300, description="Part of the name.")
    statuses: tuple[Literal["ACTIVE", "PAUSED", "ARCHIVED", "DELETED", "IN_PROCESS", "WITH_ISSUES"], ...] = Field(
        default=(), description="Statuses in effect; all but archived and deleted ones if left out."
    )


class CampaignList(Output):
    """Campaigns."""

    campaigns: tuple[Campaign, ...]


_FIELDS = "id,name,objective,status,effective_status,daily_budget,lifetime_budget"


def _campaign(row: dict[str, object]) -> Campaign:
    return Campaign(
        id=str(row.get("id")),
        name=said(row.get("name")),
        objective=said(row.get("objective")),
        status=said(row.get("status")),
        effective_status=said(row.get("effective_status")),
        daily_budget_minor=whole(row.get("daily_budget")),
        lifetime_budget_minor=whole(row.get("lifetime_budget")),
    )


@FACEBOOK.action(
    "createCampaign",
    CreateCampaign,
    Made,
    repeat=marked("campaigns"),
    why=WHY_MARKED,
    pace=ADS_PACE,
    scopes=ADS_WRITE,
    limits=ADS_LIMITS,
    cost="Nothing while it is paused; once active up to its budget, which Meta bills to the ad account.",
)
def create_campaign(call: Call, data: CreateCampaign) -> Made:
    """Create a campaign, paused."""
    fields = {
        "objective": data.objective,
        "status": "PAUSED",
        "special_ad_categories": list(data.special_ad_categories),
        "special_ad_category_country": list(data.special_ad_category_countries) or None,
        "daily_budget": data.daily_budget_minor,
        "lifetime_budget": data.lifetime_budget_minor,
        "bid_strategy": data.bid_strategy,
        "buying_type": data.buying_type,
        "spend_cap": data.spend_cap_minor,
        "is_adset_budget_sharing_enabled": None if data.has_budget else data.adset_budget_sharing,
    }
    return create(call, "campaigns", data.name, fields)


@FACEBOOK.read("getCampaign", CampaignRef, Campaign, scopes=ADS_READ, limits=ADS_LIMITS)
def get_campaign(call: Call, data: CampaignRef) -> Campaign:
    """Fetch a campaign."""
    return _campaign(api.graph(call).get(data.campaign_id, needs=("id",), fields=_FIELDS))


@FACEBOOK.read("listCampaigns", ListCampaigns, CampaignList, scopes=ADS_READ, limits=ADS_LIMITS)
def list_campaigns(call: Call, data: ListCampaigns) -> CampaignList:
    """List the ad account's campaigns."""
    found = api.listed(
        api.graph(call),
        f"{api.account(call)}/campaigns",
        fields=_FIELDS,
        filtering=name_filter(data.name_contains),
        effective_status=json.dumps(list(data.statuses)) if data.statuses else None,
    )
    return CampaignList(campaigns=tuple(map(_campaign, found)))


def name_filter(part: str | None) -> str | None:
    """The ``filtering`` that finds names with a part in them."""
    if part is None:
        return None
    return json.dumps([{"field": "name", "operator": "CONTAIN", "value": part}])
