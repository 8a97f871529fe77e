"""Ad groups: who sees a campaign's ads, for how much, and when."""

from __future__ import annotations

from itertools import islice
from typing import Any, Literal

from pydantic import Field, model_validator

from connectors.kit.action import Input, LookUp, Output, Resend
from connectors.kit.call import Call
from connectors.kit.fields import UtcDatetime
from connectors.reddit import ads_api, api
from connectors.reddit.ads_api import NAME, Created, Id, Micros, Name
from connectors.reddit.campaigns import MICROS, SETS, OptimizationGoal
from connectors.reddit.platform import REDDIT, AdAccountRef, Done, ad_account_of

Status = Literal["ACTIVE", "PAUSED", "ARCHIVED"]


class Targeting(Input):
    """Who sees the ads; what is left out does not narrow it."""

    communities: tuple[str, ...] = Field(default=(), max_length=1000, description="Subreddits, without r/.")
    excluded_communities: tuple[str, ...] = Field(default=(), max_length=1000, description="Subreddits to leave out.")
    keywords: tuple[str, ...] = Field(default=(), max_length=1000, description="Words near which it is shown.")
    excluded_keywords: tuple[str, ...] = Field(default=(), max_length=2000, description="Words to keep away from.")
    interests: tuple[str, ...] = Field(default=(), max_length=200, description="Ids of interests.")
    geolocations: tuple[str, ...] = Field(default=(), max_length=20_000, description="Ids of places, such as US.")
    excluded_geolocations: tuple[str, ...] = Field(default=(), max_length=20_000, description="Places to leave out.")
    custom_audience_ids: tuple[str, ...] = Field(default=(), description="Audiences to show it to.")
    excluded_custom_audience_ids: tuple[str, ...] = Field(default=(), description="Audiences to leave out.")
    locations: tuple[Literal["FEED", "COMMENTS_PAGE"], ...] = Field(default=(), description="Where on Reddit.")
    gender: Literal["FEMALE", "MALE"] | None = Field(default=None, description="Only these people.")
    expand_targeting: bool | None = Field(default=None, description="Whether Reddit may reach similar people too.")

    def as_json(self) -> dict[str, Any]:
        """As Reddit takes it."""
        return {name: value for name, value in self.model_dump(mode="json").items() if value not in (None, [])}


class CreateAdGroup(AdAccountRef):
    """An ad group of a campaign. It is made paused."""

    campaign_id: Id = Field(description="Its campaign, as createCampaign gave it.")
    name: Name = NAME
    bid_strategy: Literal["BIDLESS", "MANUAL_BIDDING", "MAXIMIZE_VOLUME", "TARGET_CPX"] = Field(
        description="How Reddit bids."
    )
    bid_type: Literal["CPC", "CPM", "CPV", "CPV6", "CPV15"] = Field(description="What is paid for.")
    bid_micros: Micros | None = Field(default=None, description=f"The bid, {MICROS}; per 1,000 views for CPM.")
    goal_type: Literal["DAILY_SPEND", "LIFETIME_SPEND"] | None = Field(
        default=None, description="Whether its budget is per day or over all; left out if the campaign has the budget."
    )
    goal_micros: Micros | None = Field(default=None, description=f"Its budget, {MICROS}.")
    starts_at: UtcDatetime | None = Field(default=None, description="When it begins, with offset.")
    ends_at: UtcDatetime | None = Field(default=None, description="When it ends; needed for LIFETIME_SPEND.")
    optimization_goal: OptimizationGoal | None = Field(default=None, description="What Reddit optimizes for.")
    conversion_pixel_id: Id | None = Field(default=None, description="Pixel that counts conversions.")
    targeting: Targeting = Field(default=Targeting(), description="Who sees its ads.")

    @model_validator(mode="after")
    def _fits(self) -> CreateAdGroup:
        if (self.goal_type is None) != (self.goal_micros is None):
            raise ValueError("goal_type and goal_micros belong together")
        if self.goal_type == "LIFETIME_SPEND" and self.ends_at is None:
            raise ValueError("ends_at is needed for LIFETIME_SPEND")
        if self.starts_at is not None and self.ends_at is not None and self.ends_at <= self.starts_at:
            raise ValueError("ends_at must come after starts_at")
        return self


def _find(call: Call, data: CreateAdGroup) -> Created | None:
    return ads_api.find(call, f"/ad_accounts/{ad_account_of(call, data.ad_account_id)}/ad_groups", data.name)


@REDDIT.action(
    "createAdGroup",
    CreateAdGroup,
    Created,
    repeat=LookUp(_find, settle_after_s=ads_api.SETTLE_AFTER_S),
    why="Reddit takes no idempotency key for ad groups, but lists them with the name that carries ours.",
    pace=ads_api.WRITES,
    scopes=(*ads_api.WRITE, *ads_api.READ),
    limits=("200 campaign writes/min", "CPM bids from 3.50 to 100 USD"),
    cost="Nothing: it is made paused.",
)
def create_ad_group(call: Call, data: CreateAdGroup) -> Created:
    """Create an ad group, paused."""
    fields = {
        "name": ads_api.marked(data.name, call),
        "campaign_id": data.campaign_id,
        "configured_status": "PAUSED",
        "bid_strategy": data.bid_strategy,
        "bid_type": data.bid_type,
        "bid_value": data.bid_micros,
        "goal_type": data.goal_type,
        "goal_value": data.goal_micros,
        "start_time": ads_api.zulu(data.starts_at),
        "end_time": ads_api.zulu(data.ends_at),
        "optimization_goal": data.optimization_goal,
        "conversion_pixel_id": data.conversion_pixel_id,
        "targeting": data.targeting.as_json() or None,
    }
    path = f"/ad_accounts/{ad_account_of(call, data.ad_account_id)}/ad_groups"
    return ads_api.create(call, path, ads_api.given(fields))


class AdGroupRef(Input):
    """An ad group."""

    ad_group_id: Id = Field(description="Its id, as createAdGroup gave it.")


class AdGroup(Output):
    """An ad group as Reddit shows it."""

    id: str
    campaign_id: str | None
    name: str | None
    configured_status: str | None = Field(description="What it was set to.")
    effective_status: str | None = Field(description="What Reddit makes of it.")
    bid_micros: int | None = Field(description=f"Its bid, {MICROS}.")
    goal_type: str | None
    goal_micros: int | None = Field(description=f"Its budget, {MICROS}.")


@REDDIT.read("getAdGroup", AdGroupRef, AdGroup, pace=ads_api.READS, scopes=ads_api.READ)
def get_ad_group(call: Call, data: AdGroupRef) -> AdGroup:
    """Read an ad group."""
    return _ad_group(ads_api.read(call, f"/ad_groups/{data.ad_group_id}"))


class ListAdGroups(AdAccountRef):
    """Which ad groups to list."""

    campaign_id: Id | None = Field(default=None, description="Only those of this campaign.")
    limit: int = Field(default=100, ge=1, le=5000, description="At most so many.")


class AdGroupList(Output):
    """Ad groups of one ad account."""

    ad_groups: tuple[AdGroup, ...]


@REDDIT.read("listAdGroups", ListAdGroups, AdGroupList, pace=ads_api.READS, scopes=ads_api.READ)
def list_ad_groups(call: Call, data: ListAdGroups) -> AdGroupList:
    """List the ad groups of an ad account or a campaign."""
    path = f"/ad_accounts/{ad_account_of(call, data.ad_account_id)}/ad_groups"
    params = {"campaign_id": data.campaign_id, "page.size": min(data.limit, 1000)}
    rows = ads_api.listed(call, path, ads_api.given(params))
    return AdGroupList(ad_groups=tuple(_ad_group(row) for row in islice(rows, data.limit)))


def _ad_group(row: dict[str, Any]) -> AdGroup:
    return AdGroup(
        id=str(row.get("id")),
        campaign_id=api.text(row.get("campaign_id")),
        name=api.text(row.get("name")),
        configured_status=api.text(row.get("configured_status")),
        effective_status=api.text(row.get("effective_status")),
        bid_micros=api.number(row.get("bid_value")),
        goal_type=api.text(row.get("goal_type")),
        goal_micros=api.number(row.get("goal_value")),
    )


class SetAdGroupStatus(AdGroupRef):
    """The state of an ad group."""

    status: Status = Field(description="ACTIVE lets it run with its campaign; PAUSED stops it; ARCHIVED puts it away.")


@REDDIT.action(
    "setAdGroupStatus",
    SetAdGroupStatus,
    Done,
    repeat=Resend(),
    why=SETS,
    pace=ads_api.WRITES,
    scopes=ads_api.WRITE,
    cost="An active ad group of an active campaign spends its budget.",
)
def set_ad_group_status(call: Call, data: SetAdGroupStatus) -> Done:
    """Start, stop or put away an ad group."""
    ads_api.send(call, "PATCH", f"/ad_groups/{data.ad_group_id}", {"configured_status": data.status}, effect=True)
    return Done()
