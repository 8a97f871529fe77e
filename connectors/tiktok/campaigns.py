"""Campaigns: what is to be reached. Manual ones say everything themselves, Smart+ ones leave much to TikTok."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

from pydantic import Field, model_validator

from connectors.kit.action import LookUp, Output
from connectors.kit.call import Call
from connectors.tiktok import web
from connectors.tiktok.budgets import Budget
from connectors.tiktok.platform import (
    ADS,
    LIMITS,
    NAME,
    PACE,
    SETTLE_AFTER_S,
    TIKTOK,
    WHY_NAMED,
    Made,
    Name,
    create,
    named,
    number,
    said,
)
from connectors.tiktok.reading import Listing

COST = "Nothing while it is switched off; then up to its or its ad groups' budgets, billed to the advertiser."
Industry = Literal["HOUSING", "EMPLOYMENT", "CREDIT"]
INDUSTRIES = Field(default=(), description="What it must declare by law; that restricts whom it may reach.")
APP = Field(default=None, description="For APP_PROMOTION: what is wanted of the app.")


class CreateCampaign(Budget):
    """A manual campaign; it is created switched off."""

    name: Name = Field(description=NAME)
    objective: Literal[
        "REACH",
        "TRAFFIC",
        "VIDEO_VIEWS",
        "ENGAGEMENT",
        "LEAD_GENERATION",
        "APP_PROMOTION",
        "WEB_CONVERSIONS",
        "PRODUCT_SALES",
    ] = Field(description="What it is to reach; it cannot be changed.")
    budget_optimize_on: bool | None = Field(
        default=None, description="Whether TikTok spreads the campaign's budget over its ad groups."
    )
    special_industries: tuple[Industry, ...] = INDUSTRIES
    app_promotion_type: Literal["APP_INSTALL", "APP_RETARGETING", "APP_PREREGISTRATION"] | None = APP
    sales_destination: Literal["TIKTOK_SHOP", "WEBSITE", "APP", "WEB_AND_APP"] | None = Field(
        default=None, description="Where sales are made."
    )

    @model_validator(mode="after")
    def _fits_its_objective(self) -> CreateCampaign:
        if (self.objective == "APP_PROMOTION") != (self.app_promotion_type is not None):
            raise ValueError("app_promotion_type and objective APP_PROMOTION need each other")
        if self.budget_optimize_on and not self.has_budget:
            raise ValueError("budget_optimize_on needs a budget of the campaign")
        return self


class CreateSmartCampaign(Budget):
    """An Upgraded Smart+ campaign; it is created switched off."""

    name: Name = Field(description=NAME)
    objective: Literal["APP_PROMOTION", "LEAD_GENERATION", "WEB_CONVERSIONS"] = Field(
        description="What it is to reach; it cannot be changed."
    )
    special_industries: tuple[Industry, ...] = INDUSTRIES
    app_promotion_type: Literal["APP_INSTALL"] | None = APP
    app_id: web.ObjectId | None = Field(default=None, description="For APP_PROMOTION: the app.")

    @model_validator(mode="after")
    def _fits_its_objective(self) -> CreateSmartCampaign:
        if self.daily_budget_major is not None:
            raise ValueError("daily_budget_major: a Smart+ campaign has an average daily or a total budget, or none")
        if (self.objective == "APP_PROMOTION") != (self.app_promotion_type is not None):
            raise ValueError("app_promotion_type and objective APP_PROMOTION need each other")
        return self


class Campaign(Output):
    """A campaign as it is."""

    id: str
    name: str | None
    objective: str | None
    operation_status: str | None = Field(description="ENABLE or DISABLE, as it was set.")
    secondary_status: str | None = Field(description="How it is delivered, and what is in the way.")
    budget_mode: str | None
    budget_major: float | None = Field(description="In whole units of the account's currency.")

    def provider_id(self) -> str:
        """Its id."""
        return self.id


class ListCampaigns(Listing):
    """Which campaigns of the advertiser."""

    name_contains: str | None = Field(default=None, min_length=1, max_length=512, description="Part of the name.")
    campaign_ids: tuple[web.ObjectId, ...] = Field(default=(), max_length=100, description="Only these.")


class CampaignList(Output):
    """Campaigns."""

    campaigns: tuple[Campaign, ...]


def request_id(call: Call) -> str:
    """The effect key as TikTok takes a request id: the decimal text of 63 bits."""
    return str(int(hashlib.sha256(call.key.encode()).hexdigest()[:15], 16))


def _find(path: str) -> LookUp[Any, Made]:
    def find(call: Call, data: Any) -> Made | None:
        name = named(call, data.name)
        found = web.find_named(
            call,
            path,
            name,
            id_field="campaign_id",
            name_field="campaign_name",
            filtering={"campaign_name": web.mark(call)},
        )
        return None if found is None else Made(id=found, name=name)

    return LookUp(find, settle_after_s=SETTLE_AFTER_S)


_MANUAL, _SMART = _find("campaign/get"), _find("smart_plus/campaign/get")


@TIKTOK.action(
    "createCampaign",
    CreateCampaign,
    Made,
    repeat=_MANUAL,
    why=WHY_NAMED,
    pace=PACE,
    scopes=ADS,
    limits=(*LIMITS, "manual creation ends on 2026-12-31, at least for the objectives that Smart+ has"),
    cost=COST,
)
def create_campaign(call: Call, data: CreateCampaign) -> Made:
    """Create a manual campaign, switched off."""
    name = named(call, data.name)
    # Without a request id: with one, TikTok would take a second campaign of the same name.
    fields = {
        **data.as_sent(),
        "campaign_name": name,
        "objective_type": data.objective,
        "budget_optimize_on": data.budget_optimize_on,
        "special_industries": list(data.special_industries) or None,
        "app_promotion_type": data.app_promotion_type,
        "sales_destination": data.sales_destination,
    }
    return create(
        call, "campaign/create", fields, name=name, id_field="campaign_id", find=lambda: _MANUAL.find(call, data)
    )


@TIKTOK.action(
    "createSmartCampaign",
    CreateSmartCampaign,
    Made,
    repeat=_SMART,
    why=WHY_NAMED,
    pace=PACE,
    scopes=("Upgraded Smart Plus Ads",),
    limits=LIMITS,
    cost=COST,
)
def create_smart_campaign(call: Call, data: CreateSmartCampaign) -> Made:
    """Create an Upgraded Smart+ campaign, switched off."""
    name = named(call, data.name)
    budget = {**data.as_sent(), "budget_optimize_on": True} if data.has_budget else {"budget_optimize_on": False}
    fields = {
        **budget,
        "campaign_name": name,
        "objective_type": data.objective,
        "special_industries": list(data.special_industries) or None,
        "app_promotion_type": data.app_promotion_type,
        "app_id": data.app_id,
        "sales_destination": "WEBSITE" if data.objective == "WEB_CONVERSIONS" else None,
        "request_id": request_id(call),
    }
    return create(
        call,
        "smart_plus/campaign/create",
        fields,
        name=name,
        id_field="campaign_id",
        find=lambda: _SMART.find(call, data),
    )


@TIKTOK.read("listCampaigns", ListCampaigns, CampaignList, pace=PACE, scopes=ADS, limits=LIMITS)
def list_campaigns(call: Call, data: ListCampaigns) -> CampaignList:
    """List the advertiser's campaigns, manual or Smart+ ones."""
    filtering = {
        "campaign_name": data.name_contains,
        "campaign_ids": list(data.campaign_ids) or None,
        **data.with_deleted(),
    }
    return CampaignList(campaigns=tuple(map(_campaign, data.rows(call, "campaign", filtering))))


def _campaign(row: dict[str, Any]) -> Campaign:
    return Campaign(
        id=str(row.get("campaign_id")),
        name=said(row.get("campaign_name")),
        objective=said(row.get("objective_type")),
        operation_status=said(row.get("operation_status")),
        secondary_status=said(row.get("secondary_status")),
        budget_mode=said(row.get("budget_mode")),
        budget_major=number(row.get("budget")),
    )
