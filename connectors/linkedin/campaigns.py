"""Campaigns: made without spending, found again by their names, started, stopped and given budgets."""

from __future__ import annotations

import re
from datetime import datetime
from itertools import islice
from typing import Annotated, Any, Literal, cast

from pydantic import Field, StringConstraints, model_validator

from connectors.kit.action import JsonValue, LookUp, Output, Resend
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, NotFound
from connectors.kit.fields import UtcDatetime
from connectors.linkedin import ads, web
from connectors.linkedin.ads import NAME, AdAccountRef, Created, Done, Money, Name
from connectors.linkedin.platform import LINKEDIN, Digits, ad_account_of

Facet = Annotated[str, StringConstraints(pattern=r"^urn:li:adTargetingFacet:[A-Za-z]+$")]
Urn = Annotated[str, StringConstraints(pattern=r"^urn:li:[A-Za-z]+:.+$", max_length=500)]
Status = Literal["ACTIVE", "PAUSED", "ARCHIVED", "COMPLETED", "CANCELED", "DRAFT", "PENDING_DELETION", "REMOVED"]

_ID = re.compile(r"[0-9]{1,20}")
_SETS = "It sets a value: twice is the same as once."


class CreateCampaign(AdAccountRef):
    """A campaign of a campaign group. It spends nothing before activateCampaign."""

    campaign_group_id: Digits = Field(description="Number of its group; a draft group holds drafts only.")
    name: Name = NAME
    type: Literal["TEXT_AD", "SPONSORED_UPDATES", "SPONSORED_INMAILS", "DYNAMIC"] = Field(description="Kind of ad.")
    objective: Literal[
        "BRAND_AWARENESS",
        "ENGAGEMENT",
        "JOB_APPLICANTS",
        "LEAD_GENERATION",
        "WEBSITE_CONVERSIONS",
        "WEBSITE_VISITS",
        "VIDEO_VIEWS",
    ] = Field(description="What it is for; cannot be changed later.")
    cost_type: Literal["CPM", "CPC", "CPV"] = Field(description="What is paid for: 1,000 views, clicks, video views.")
    unit_cost: Money = Field(description="Most that one unit may cost.")
    daily_budget: Money | None = Field(default=None, description="Spent per day; this or total_budget, or both.")
    total_budget: Money | None = Field(default=None, description="Spent over all.")
    country: str = Field(pattern=r"^[A-Z]{2}$", description="Of the ads' locale, such as US.")
    language: str = Field(pattern=r"^[a-z]{2}$", description="Of the ads' locale, such as en.")
    include: tuple[dict[Facet, tuple[Urn, ...]], ...] = Field(
        min_length=1, description="Who sees it: someone who fits each of these; of the URNs of a facet one is enough."
    )
    exclude: dict[Facet, tuple[Urn, ...]] = Field(default={}, description="Who does not: who fits any of these.")
    starts_at: UtcDatetime | None = Field(default=None, description="When it may begin, with offset.")
    ends_at: UtcDatetime | None = Field(default=None, description="When it ends, with offset.")
    page: str | None = Field(
        default=None,
        pattern=r"^urn:li:organization:[0-9]+$",
        description="Page that it speaks for; needed for SPONSORED_UPDATES.",
    )
    format: str | None = Field(
        default=None, pattern=r"^[A-Z_]{1,60}$", description="Format of its ads, such as STANDARD_UPDATE."
    )
    creative_selection: Literal["ROUND_ROBIN", "OPTIMIZED"] | None = Field(
        default=None, description="How its ads take turns."
    )
    audience_expansion: bool | None = Field(default=None, description="Whether similar people see it too.")
    off_site: bool = Field(description="Whether it may be shown outside LinkedIn.")
    political: Literal["POLITICAL", "NOT_POLITICAL", "NOT_DECLARED"] = Field(
        description="Whether it is political; for people in the EU NOT_POLITICAL is the advertiser's own statement."
    )
    status: Literal["DRAFT", "PAUSED"] = Field(default="PAUSED", description="State it is made in; neither spends.")

    @model_validator(mode="after")
    def _fits(self) -> CreateCampaign:
        if self.daily_budget is None and self.total_budget is None:
            raise ValueError("one of daily_budget and total_budget is needed")
        if len({one.currency for one in (self.unit_cost, self.daily_budget, self.total_budget) if one}) > 1:
            raise ValueError("unit_cost, daily_budget and total_budget must be in the ad account's one currency")
        if self.type == "SPONSORED_UPDATES" and self.page is None:
            raise ValueError("page is needed for SPONSORED_UPDATES")
        if self.ends_at is not None and (self.starts_at is None or self.ends_at <= self.starts_at):
            raise ValueError("ends_at must come after starts_at")
        return self


def _find(call: Call, data: CreateCampaign) -> Created | None:
    return ads.find(call, "adCampaigns", data, data.name)


@LINKEDIN.action(
    "createCampaign",
    CreateCampaign,
    Created,
    repeat=LookUp(_find, settle_after_s=ads.SETTLE_AFTER_S),
    why="LinkedIn takes no idempotency key for campaigns, but its search finds the name that carries ours.",
    scopes=ads.WRITE,
    limits=ads.LIMITS,
    cost="Nothing: it is made as a draft or paused.",
)
def create_campaign(call: Call, data: CreateCampaign) -> Created:
    """Create a campaign that does not run yet."""
    account = ad_account_of(call, data.ad_account_id)
    schedule = {"start": _ms(data.starts_at), "end": _ms(data.ends_at)}
    body = {
        "account": f"urn:li:sponsoredAccount:{account}",
        "campaignGroup": f"urn:li:sponsoredCampaignGroup:{data.campaign_group_id}",
        "name": ads.marked(data.name, call),
        "type": data.type,
        "objectiveType": data.objective,
        "costType": data.cost_type,
        "unitCost": data.unit_cost.as_json(),
        "dailyBudget": data.daily_budget and data.daily_budget.as_json(),
        "totalBudget": data.total_budget and data.total_budget.as_json(),
        "locale": {"country": data.country, "language": data.language},
        "runSchedule": _given(schedule) or None,
        "targetingCriteria": _targeting(data),
        "status": data.status,
        "offsiteDeliveryEnabled": data.off_site,
        "politicalIntent": data.political,
        "associatedEntity": data.page,
        "format": data.format,
        "creativeSelection": data.creative_selection,
        "audienceExpansionEnabled": data.audience_expansion,
    }
    return ads.create(call, f"adAccounts/{account}/adCampaigns", _given(body), wanted=_ID)


def _targeting(data: CreateCampaign) -> dict[str, Any]:
    include = {"and": [{"or": {facet: list(urns) for facet, urns in one.items()}} for one in data.include]}
    exclude = {"or": {facet: list(urns) for facet, urns in data.exclude.items()}}
    return {"include": include, **({"exclude": exclude} if data.exclude else {})}


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


class CampaignRef(AdAccountRef):
    """A campaign."""

    campaign_id: Digits = Field(description="Its number, as createCampaign gave it.")


class Campaign(Output):
    """A campaign as LinkedIn shows it."""

    id: str
    name: str | None
    status: str | None
    serving_statuses: tuple[str, ...] = Field(description="Why it is shown or not, in LinkedIn's words.")
    campaign_group: str | None
    objective: str | None
    daily_budget: str | None = Field(description="Such as 50 USD.")
    total_budget: str | None = Field(description="Such as 1000 USD.")
    created_at: datetime | None


@LINKEDIN.read("getCampaign", CampaignRef, Campaign, scopes=ads.READ)
def get_campaign(call: Call, data: CampaignRef) -> Campaign:
    """Read a campaign."""
    return _campaign(web.get(call, _path(call, data), needs=("id",)))


class SearchCampaigns(AdAccountRef):
    """Which campaigns to list."""

    names: tuple[str, ...] = Field(default=(), max_length=20, description="Only those of one of these whole names.")
    statuses: tuple[Status, ...] = Field(default=(), description="Only those in one of these states.")
    limit: int = Field(default=100, ge=1, le=2000, description="At most so many.")


class CampaignList(Output):
    """Campaigns of one ad account."""

    campaigns: tuple[Campaign, ...]


@LINKEDIN.read("searchCampaigns", SearchCampaigns, CampaignList, scopes=ads.READ)
def search_campaigns(call: Call, data: SearchCampaigns) -> CampaignList:
    """List campaigns of an ad account."""
    path = f"adAccounts/{ad_account_of(call, data.ad_account_id)}/adCampaigns"
    rows = ads.searched(call, path, names=data.names, statuses=data.statuses)
    return CampaignList(campaigns=tuple(_campaign(one) for one in islice(rows, data.limit)))


def _campaign(found: dict[str, Any]) -> Campaign:
    stamps = found.get("changeAuditStamps")
    created = stamps.get("created") if isinstance(stamps, dict) else None
    servings = found.get("servingStatuses")
    return Campaign(
        id=str(found["id"]),
        name=web.text(found.get("name")),
        status=web.text(found.get("status")),
        serving_statuses=tuple(map(str, servings)) if isinstance(servings, list) else (),
        campaign_group=web.text(found.get("campaignGroup")),
        objective=web.text(found.get("objectiveType")),
        daily_budget=ads.money(found.get("dailyBudget")),
        total_budget=ads.money(found.get("totalBudget")),
        created_at=web.instant(created.get("time")) if isinstance(created, dict) else None,
    )


def _path(call: Call, data: CampaignRef) -> str:
    return f"adAccounts/{ad_account_of(call, data.ad_account_id)}/adCampaigns/{data.campaign_id}"


@LINKEDIN.action("pauseCampaign", CampaignRef, Done, repeat=Resend(), why=_SETS, scopes=ads.WRITE)
def pause_campaign(call: Call, data: CampaignRef) -> Done:
    """Stop a campaign from running until it is activated again."""
    web.update(call, _path(call, data), {"status": "PAUSED"})
    return Done()


@LINKEDIN.action(
    "activateCampaign",
    CampaignRef,
    Done,
    repeat=Resend(),
    why=_SETS,
    scopes=ads.WRITE,
    cost="From then on it spends its budget.",
)
def activate_campaign(call: Call, data: CampaignRef) -> Done:
    """Let a campaign run."""
    web.update(call, _path(call, data), {"status": "ACTIVE"})
    return Done()


class AdjustBudget(CampaignRef):
    """The new budget of a campaign."""

    daily_budget: Money | None = Field(default=None, description="Spent per day.")
    total_budget: Money | None = Field(default=None, description="Spent over all.")

    @model_validator(mode="after")
    def _says_something(self) -> AdjustBudget:
        if self.daily_budget is None and self.total_budget is None:
            raise ValueError("one of daily_budget and total_budget is needed")
        return self


@LINKEDIN.action(
    "adjustBudget",
    AdjustBudget,
    Done,
    repeat=Resend(),
    why=_SETS,
    scopes=ads.WRITE,
    cost="A running campaign spends up to its new budget.",
)
def adjust_budget(call: Call, data: AdjustBudget) -> Done:
    """Set the budget of a campaign."""
    budgets = {
        "dailyBudget": data.daily_budget and data.daily_budget.as_json(),
        "totalBudget": data.total_budget and data.total_budget.as_json(),
    }
    web.update(call, _path(call, data), _given(budgets))
    return Done()


@LINKEDIN.action(
    "deleteCampaign",
    CampaignRef,
    Done,
    repeat=Resend(),
    why="Deleting twice is the same as once.",
    multi_step=True,
    scopes=ads.WRITE,
)
def delete_campaign(call: Call, data: CampaignRef) -> Done:
    """Delete a draft, or have a campaign deleted that has been more than one."""
    path = _path(call, data)
    # Read before the effect: a permit to send is good for a moment only.
    try:
        status = web.get(call, path, needs=("id",)).get("status")
    except NotFound as missing:
        status = missing

    def delete() -> JsonValue:
        if isinstance(status, NotFound):
            if call.first_sent_at is None:
                raise status
        elif status == "DRAFT":
            ads.delete(call, path)
        elif status == "REMOVED":
            raise InvalidRequest("campaign_id: the campaign has been deleted already")
        elif status != "PENDING_DELETION":
            web.update(call, path, {"status": "PENDING_DELETION"})
        return cast("JsonValue", Done().model_dump(mode="json"))

    return Done.model_validate(call.effect("delete", delete))
