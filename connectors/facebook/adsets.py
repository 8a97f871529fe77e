"""Ad sets: who is reached, when, for how much and optimized for what."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from connectors.dialects.meta_graph import NodeId
from connectors.facebook import api
from connectors.facebook.campaigns import BidStrategy, name_filter
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
from connectors.facebook.targeting import EU, PromotedObject, Targeting
from connectors.kit.action import Input, Output
from connectors.kit.call import Call
from connectors.kit.fields import UtcDatetime

# Meta takes the floor of a return on ad spend in ten-thousandths.
_ROAS_UNIT = 10_000


class CreateAdSet(Input):
    """An ad set; it is created paused."""

    name: Name = Field(description="Its name; the run's mark is added.")
    campaign_id: NodeId = Field(description="The campaign, as createCampaign gave it.")
    billing_event: Literal[
        "IMPRESSIONS", "LINK_CLICKS", "THRUPLAY", "PAGE_LIKES", "POST_ENGAGEMENT", "APP_INSTALLS", "PURCHASE"
    ] = Field(description="What Meta bills for.")
    optimization_goal: Literal[
        "REACH",
        "IMPRESSIONS",
        "LINK_CLICKS",
        "LANDING_PAGE_VIEWS",
        "POST_ENGAGEMENT",
        "PAGE_LIKES",
        "THRUPLAY",
        "AD_RECALL_LIFT",
        "CONVERSATIONS",
        "LEAD_GENERATION",
        "QUALITY_LEAD",
        "OFFSITE_CONVERSIONS",
        "VALUE",
        "APP_INSTALLS",
        "PROFILE_VISIT",
        "EVENT_RESPONSES",
    ] = Field(description="What Meta looks for.")
    targeting: Targeting = Field(description="Whom to reach.")
    daily_budget_minor: Minor | None = Field(
        default=None, description="Budget a day in minor units, if the campaign has none; may change 4 times an hour."
    )
    lifetime_budget_minor: Minor | None = Field(
        default=None, description="Budget in all, in minor units, if the campaign has none; needs end_at."
    )
    bid_strategy: BidStrategy | None = Field(default=None, description="How it bids; as the campaign if left out.")
    bid_amount_minor: Minor | None = Field(
        default=None,
        description="Cap of a bid or cost goal in minor units; for COST_CAP and the strategy with bid cap.",
    )
    min_roas: float | None = Field(
        default=None, ge=0.01, le=1000, description="Least return on ad spend, such as 1.5; for the strategy with it."
    )
    promoted_object: PromotedObject | None = Field(default=None, description="What it is optimized for.")
    destination_type: Literal["WEBSITE", "APP", "MESSENGER", "WHATSAPP", "ON_AD", "ON_POST", "ON_PAGE"] | None = Field(
        default=None, description="Where a click leads."
    )
    start_at: UtcDatetime | None = Field(default=None, description="From when, with offset; at once if left out.")
    end_at: UtcDatetime | None = Field(default=None, description="Until when, with offset.")
    dsa_beneficiary: str | None = Field(
        default=None, min_length=1, max_length=512, description="Who benefits; needed to reach the EU."
    )
    dsa_payor: str | None = Field(
        default=None, min_length=1, max_length=512, description="Who pays; needed to reach the EU."
    )

    @model_validator(mode="after")
    def _has_a_budget_that_ends(self) -> CreateAdSet:
        if self.daily_budget_minor is not None and self.lifetime_budget_minor is not None:
            raise ValueError("one of daily_budget_minor and lifetime_budget_minor, not both")
        if self.lifetime_budget_minor is not None and self.end_at is None:
            raise ValueError("lifetime_budget_minor needs end_at")
        if self.start_at is not None and self.end_at is not None and self.end_at <= self.start_at:
            raise ValueError("end_at must be after start_at")
        return self

    @model_validator(mode="after")
    def _bids_as_its_strategy_says(self) -> CreateAdSet:
        capped = self.bid_strategy in ("COST_CAP", "LOWEST_COST_WITH_BID_CAP")
        if capped != (self.bid_amount_minor is not None):
            raise ValueError("bid_amount_minor and bid_strategy COST_CAP or LOWEST_COST_WITH_BID_CAP need each other")
        if (self.bid_strategy == "LOWEST_COST_WITH_MIN_ROAS") != (self.min_roas is not None):
            raise ValueError("min_roas and bid_strategy LOWEST_COST_WITH_MIN_ROAS need each other")
        return self

    @model_validator(mode="after")
    def _says_who_pays(self) -> CreateAdSet:
        if not EU.isdisjoint(self.targeting.countries) and None in (self.dsa_beneficiary, self.dsa_payor):
            raise ValueError("dsa_beneficiary and dsa_payor are needed to reach people in the EU")
        return self


class AdSet(Output):
    """An ad set as it is."""

    id: str
    name: str | None
    campaign_id: str | None
    status: str | None = Field(description="As it was set.")
    effective_status: str | None = Field(description="As it is in effect.")
    daily_budget_minor: int | None
    lifetime_budget_minor: int | None

    def provider_id(self) -> str:
        """Its id."""
        return self.id


class AdSetRef(Input):
    """Which ad set."""

    adset_id: NodeId = Field(description="As createAdSet gave it.")


class ListAdSets(Input):
    """Which ad sets of the ad account."""

    name_contains: str | None = Field(default=None, min_length=1, max_length=300, description="Part of the name.")


class AdSetList(Output):
    """Ad sets."""

    adsets: tuple[AdSet, ...]


_FIELDS = "id,name,campaign_id,status,effective_status,daily_budget,lifetime_budget"


def _adset(row: dict[str, Any]) -> AdSet:
    return AdSet(
        id=str(row.get("id")),
        name=said(row.get("name")),
        campaign_id=said(row.get("campaign_id")),
        status=said(row.get("status")),
        effective_status=said(row.get("effective_status")),
        daily_budget_minor=whole(row.get("daily_budget")),
        lifetime_budget_minor=whole(row.get("lifetime_budget")),
    )


@FACEBOOK.action(
    "createAdSet",
    CreateAdSet,
    Made,
    repeat=marked("adsets"),
    why=WHY_MARKED,
    pace=ADS_PACE,
    scopes=ADS_WRITE,
    limits=ADS_LIMITS,
    cost="Nothing while it is paused; once active up to its own or its campaign's budget.",
)
def create_adset(call: Call, data: CreateAdSet) -> Made:
    """Create an ad set, paused."""
    promoted = data.promoted_object
    fields = {
        **data.model_dump(
            mode="json",
            include={"campaign_id", "billing_event", "optimization_goal", "bid_strategy", "destination_type"}
            | {"dsa_beneficiary", "dsa_payor"},
        ),
        "status": "PAUSED",
        "targeting": data.targeting.as_sent(),
        "daily_budget": data.daily_budget_minor,
        "lifetime_budget": data.lifetime_budget_minor,
        "bid_amount": data.bid_amount_minor,
        "bid_constraints": None if data.min_roas is None else {"roas_average_floor": round(data.min_roas * _ROAS_UNIT)},
        "promoted_object": None if promoted is None else promoted.model_dump(mode="json", exclude_none=True),
        "start_time": None if data.start_at is None else int(data.start_at.timestamp()),
        "end_time": None if data.end_at is None else int(data.end_at.timestamp()),
    }
    return create(call, "adsets", data.name, fields)


@FACEBOOK.read("getAdSet", AdSetRef, AdSet, scopes=ADS_READ, limits=ADS_LIMITS)
def get_adset(call: Call, data: AdSetRef) -> AdSet:
    """Fetch an ad set."""
    return _adset(api.graph(call).get(data.adset_id, needs=("id",), fields=_FIELDS))


@FACEBOOK.read("listAdSets", ListAdSets, AdSetList, scopes=ADS_READ, limits=ADS_LIMITS)
def list_adsets(call: Call, data: ListAdSets) -> AdSetList:
    """List the ad account's ad sets."""
    path = f"{api.account(call)}/adsets"
    found = api.listed(api.graph(call), path, fields=_FIELDS, filtering=name_filter(data.name_contains))
    return AdSetList(adsets=tuple(map(_adset, found)))
