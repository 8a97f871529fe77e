"""Campaigns: made paused, found again by their names, started, stopped and given budgets."""

from __future__ import annotations

from itertools import islice
from typing import Any, Literal

from pydantic import Field, model_validator

from connectors.kit.action import Input, LookUp, Output, Resend
from connectors.kit.call import Call
from connectors.kit.fields import UtcDatetime
from connectors.reddit import ads_api, api
from connectors.reddit.ads_api import NAME, Created, Id, Micros, Name
from connectors.reddit.platform import REDDIT, AdAccountRef, Done, ad_account_of

SETS = "It sets a value: twice is the same as once."
MICROS = "in millionths of the account's currency: 50000000 is 50.00"

OptimizationGoal = Literal[
    "ADD_TO_CART",
    "ADD_TO_WISHLIST",
    "CLICKS",
    "LEAD",
    "PAGE_VISIT",
    "PURCHASE",
    "SEARCH",
    "SIGN_UP",
    "VIEW_CONTENT",
    "MOBILE_CONVERSION_INSTALL",
    "MOBILE_CONVERSION_SIGN_UP",
    "MOBILE_CONVERSION_ADD_PAYMENT_INFO",
    "MOBILE_CONVERSION_ADD_TO_CART",
    "MOBILE_CONVERSION_PURCHASE",
    "MOBILE_CONVERSION_LEVEL_ACHIEVED",
    "MOBILE_CONVERSION_START_TRIAL",
    "MOBILE_CONVERSION_SUBSCRIBE",
    "MOBILE_CONVERSION_FIRST_TIME_PURCHASE",
    "LANDING_PAGE_VISIT",
    "VIDEO_VIEW_6S",
    "VIDEO_VIEW_15S",
]
_AUTOMATED = ("APP_INSTALLS", "CLICKS", "CONVERSIONS")


class CampaignBudget(Input):
    """A budget that Reddit spreads over a campaign's ad groups; that it is one cannot be changed later."""

    goal_type: Literal["DAILY_SPEND", "LIFETIME_SPEND"] = Field(description="Whether it is per day or over all.")
    goal_micros: Micros = Field(description=f"The budget, {MICROS}.")
    starts_at: UtcDatetime = Field(description="When it begins, with offset.")
    ends_at: UtcDatetime | None = Field(default=None, description="When it ends; needed for LIFETIME_SPEND.")
    bid_strategy: Literal["BIDLESS", "MAXIMIZE_VOLUME", "TARGET_CPX"] = Field(description="How Reddit bids.")
    bid_type: Literal["CPC", "CPM", "CPV6", "CPV15"] = Field(description="What is paid for.")
    bid_micros: Micros | None = Field(default=None, description=f"The bid, {MICROS}.")
    conversion_pixel_id: Id = Field(description="Pixel that counts conversions, as listPixels gave it.")
    optimization_goal: OptimizationGoal | None = Field(
        default=None, description="What Reddit optimizes for, in conversion and video campaigns."
    )

    @model_validator(mode="after")
    def _fits(self) -> CampaignBudget:
        if self.goal_type == "LIFETIME_SPEND" and self.ends_at is None:
            raise ValueError("ends_at is needed for LIFETIME_SPEND")
        if self.ends_at is not None and self.ends_at <= self.starts_at:
            raise ValueError("ends_at must come after starts_at")
        return self

    def as_json(self) -> dict[str, Any]:
        """As Reddit takes it."""
        fields = {
            "goal_type": self.goal_type,
            "goal_value": self.goal_micros,
            "start_time": ads_api.zulu(self.starts_at),
            "end_time": ads_api.zulu(self.ends_at),
            "bid_strategy": self.bid_strategy,
            "bid_type": self.bid_type,
            "bid_value": self.bid_micros,
            "conversion_pixel_id": self.conversion_pixel_id,
            "optimization_goal": self.optimization_goal,
        }
        return ads_api.given(fields)


class CreateCampaign(AdAccountRef):
    """A campaign. It is made paused and spends nothing before activateCampaign."""

    name: Name = NAME
    objective: Literal[
        "APP_INSTALLS",
        "BRAND_AWARENESS",
        "CATALOG_SALES",
        "CLICKS",
        "CONVERSIONS",
        "IMPRESSIONS",
        "LEAD_GENERATION",
        "SALES",
        "VIDEO_VIEWABLE_IMPRESSIONS",
    ] = Field(description="What it is for.")
    automated: bool = Field(
        default=False, description="Let Reddit run it whole (Reddit Max): APP_INSTALLS, CLICKS or CONVERSIONS."
    )
    budget: CampaignBudget | None = Field(
        default=None, description="Budget of the campaign; if left out, each ad group has its own."
    )
    funding_instrument_id: Id | None = Field(default=None, description="Who pays, as listFundingInstruments gave it.")
    spend_cap_micros: Micros | None = Field(default=None, description=f"Most that it ever spends, {MICROS}.")
    invoice_label: str | None = Field(
        default=None, min_length=1, max_length=80, description="Shown on the invoice; not with a card."
    )
    special_ad_categories: tuple[Literal["HOUSING_EMPLOYMENT_CREDIT"], ...] = Field(
        default=(), max_length=1, description="Must be declared for housing, employment and credit; fixed afterwards."
    )
    use_catalog: bool | None = Field(default=None, description="Whether it advertises a product catalog.")

    @model_validator(mode="after")
    def _fits(self) -> CreateCampaign:
        if self.automated and self.objective not in _AUTOMATED:
            raise ValueError(f"automated campaigns have the objective {', '.join(_AUTOMATED)}")
        if self.automated and self.use_catalog is not None:
            raise ValueError("use_catalog is not for automated campaigns")
        return self


def _find(call: Call, data: CreateCampaign) -> Created | None:
    return ads_api.find(call, f"/ad_accounts/{ad_account_of(call, data.ad_account_id)}/campaigns", data.name)


@REDDIT.action(
    "createCampaign",
    CreateCampaign,
    Created,
    repeat=LookUp(_find, settle_after_s=ads_api.SETTLE_AFTER_S),
    why="Reddit takes no idempotency key for campaigns, but lists them with the name that carries ours.",
    pace=ads_api.WRITES,
    scopes=(*ads_api.WRITE, *ads_api.READ),
    limits=("200 campaign writes/min",),
    cost="Nothing: it is made paused.",
)
def create_campaign(call: Call, data: CreateCampaign) -> Created:
    """Create a campaign, paused."""
    fields = {
        "name": ads_api.marked(data.name, call),
        "objective": data.objective,
        "configured_status": "PAUSED",
        "type": "AUTOMATED" if data.automated else None,
        "funding_instrument_id": data.funding_instrument_id,
        "spend_cap": data.spend_cap_micros,
        "invoice_label": data.invoice_label,
        "special_ad_categories": list(data.special_ad_categories) or None,
        "use_catalog": data.use_catalog,
        # An automated campaign has no other budget than its own, so nothing says so.
        "is_campaign_budget_optimization": True if data.budget is not None and not data.automated else None,
        **(data.budget.as_json() if data.budget is not None else {}),
    }
    path = f"/ad_accounts/{ad_account_of(call, data.ad_account_id)}/campaigns"
    return ads_api.create(call, path, ads_api.given(fields))


class CampaignRef(Input):
    """A campaign."""

    campaign_id: Id = Field(description="Its id, as createCampaign gave it.")


class Campaign(Output):
    """A campaign as Reddit shows it."""

    id: str
    name: str | None
    objective: str | None
    configured_status: str | None = Field(description="What it was set to.")
    effective_status: str | None = Field(description="What Reddit makes of it, such as PENDING_APPROVAL or REJECTED.")
    goal_type: str | None
    goal_micros: int | None = Field(description=f"Its budget, {MICROS}.")
    spend_cap_micros: int | None
    created_at: str | None


@REDDIT.read("getCampaign", CampaignRef, Campaign, pace=ads_api.READS, scopes=ads_api.READ)
def get_campaign(call: Call, data: CampaignRef) -> Campaign:
    """Read a campaign."""
    return _campaign(ads_api.read(call, f"/campaigns/{data.campaign_id}"))


class ListCampaigns(AdAccountRef):
    """Which campaigns to list."""

    limit: int = Field(default=100, ge=1, le=5000, description="At most so many.")


class CampaignList(Output):
    """Campaigns of one ad account."""

    campaigns: tuple[Campaign, ...]


@REDDIT.read("listCampaigns", ListCampaigns, CampaignList, pace=ads_api.READS, scopes=ads_api.READ)
def list_campaigns(call: Call, data: ListCampaigns) -> CampaignList:
    """List the campaigns of an ad account."""
    path = f"/ad_accounts/{ad_account_of(call, data.ad_account_id)}/campaigns"
    rows = ads_api.listed(call, path, {"page.size": min(data.limit, 1000)})
    return CampaignList(campaigns=tuple(_campaign(row) for row in islice(rows, data.limit)))


def _campaign(row: dict[str, Any]) -> Campaign:
    return Campaign(
        id=str(row.get("id")),
        name=api.text(row.get("name")),
        objective=api.text(row.get("objective")),
        configured_status=api.text(row.get("configured_status")),
        effective_status=api.text(row.get("effective_status")),
        goal_type=api.text(row.get("goal_type")),
        goal_micros=api.number(row.get("goal_value")),
        spend_cap_micros=api.number(row.get("spend_cap")),
        created_at=api.text(row.get("created_at")),
    )


def _set_status(call: Call, data: CampaignRef, status: str) -> Done:
    ads_api.send(call, "PATCH", f"/campaigns/{data.campaign_id}", {"configured_status": status}, effect=True)
    return Done()


@REDDIT.action("pauseCampaign", CampaignRef, Done, repeat=Resend(), why=SETS, pace=ads_api.WRITES, scopes=ads_api.WRITE)
def pause_campaign(call: Call, data: CampaignRef) -> Done:
    """Stop a campaign from running until it is activated again."""
    return _set_status(call, data, "PAUSED")


@REDDIT.action(
    "activateCampaign",
    CampaignRef,
    Done,
    repeat=Resend(),
    why=SETS,
    pace=ads_api.WRITES,
    scopes=ads_api.WRITE,
    cost="From then on it spends its budget, or those of its ad groups.",
)
def activate_campaign(call: Call, data: CampaignRef) -> Done:
    """Let a campaign run, once Reddit has approved it."""
    return _set_status(call, data, "ACTIVE")


@REDDIT.action(
    "archiveCampaign", CampaignRef, Done, repeat=Resend(), why=SETS, pace=ads_api.WRITES, scopes=ads_api.WRITE
)
def archive_campaign(call: Call, data: CampaignRef) -> Done:
    """Put a campaign away; Reddit has no deletion besides."""
    return _set_status(call, data, "ARCHIVED")


class AdjustBudget(Input):
    """The new budget of a campaign, or of an ad group where the campaign has none of its own."""

    campaign_id: Id | None = Field(default=None, description="Campaign that was made with a budget.")
    ad_group_id: Id | None = Field(default=None, description="Ad group, if the campaign has no budget.")
    goal_micros: Micros = Field(description=f"The budget, {MICROS}.")

    @model_validator(mode="after")
    def _names_one(self) -> AdjustBudget:
        if (self.campaign_id is None) == (self.ad_group_id is None):
            raise ValueError("one of campaign_id and ad_group_id is needed, not both")
        return self


@REDDIT.action(
    "adjustBudget",
    AdjustBudget,
    Done,
    repeat=Resend(),
    why=SETS,
    pace=ads_api.WRITES,
    scopes=ads_api.WRITE,
    cost="What runs spends up to its new budget.",
)
def adjust_budget(call: Call, data: AdjustBudget) -> Done:
    """Set the budget of a campaign or an ad group."""
    path = f"/ad_groups/{data.ad_group_id}" if data.campaign_id is None else f"/campaigns/{data.campaign_id}"
    ads_api.send(call, "PATCH", path, {"goal_value": data.goal_micros}, effect=True)
    return Done()
