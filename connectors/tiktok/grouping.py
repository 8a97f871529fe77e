"""What does an ad group say? Who is reached, when, for how much and optimized for what."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from connectors.kit.fields import UtcDatetime
from connectors.tiktok import web
from connectors.tiktok.budgets import Budget
from connectors.tiktok.platform import NAME, Major, Name, money
from connectors.tiktok.web import ObjectId

Billing = Literal["CPC", "CPM", "CPV", "OCPM"]
Goal = Literal[
    "CLICK",
    "REACH",
    "SHOW",
    "CONVERT",
    "INSTALL",
    "IN_APP_EVENT",
    "VALUE",
    "LEAD_GENERATION",
    "FOLLOWERS",
    "PAGE_VISIT",
    "ENGAGED_VIEW",
    "ENGAGED_VIEW_FIFTEEN",
    "TRAFFIC_LANDING_PAGE_VIEW",
    "DESTINATION_VISIT",
]
Promotion = Literal["WEBSITE", "APP_ANDROID", "APP_IOS", "LEAD_GENERATION", "TIKTOK_SHOP", "WEBSITE_OR_DISPLAY"]

# What TikTok bills for follows from what it looks for.
_BILLED: dict[str, tuple[str, ...]] = {
    "REACH": ("CPM",),
    "SHOW": ("CPM",),
    "CLICK": ("CPC", "CPM", "OCPM"),
    "FOLLOWERS": ("OCPM",),
    "CONVERT": ("OCPM",),
    "VALUE": ("OCPM",),
    "INSTALL": ("OCPM",),
    "ENGAGED_VIEW": ("OCPM", "CPV"),
}


class Group(Budget):
    """What manual and Smart+ ad groups share."""

    name: Name = Field(description=NAME)
    campaign_id: ObjectId = Field(description="The campaign, as it was created.")
    billing_event: Billing = Field(description="What TikTok bills for.")
    optimization_goal: Goal = Field(description="What TikTok looks for.")
    location_ids: tuple[ObjectId, ...] = Field(
        min_length=1, max_length=3000, description="TikTok's ids of the places to reach."
    )
    age_groups: tuple[Literal["AGE_13_17", "AGE_18_24", "AGE_25_34", "AGE_35_44", "AGE_45_54", "AGE_55_100"], ...] = (
        Field(default=(), description="All if left out; in the US nobody under 18.")
    )
    gender: Literal["GENDER_FEMALE", "GENDER_MALE", "GENDER_UNLIMITED"] | None = Field(
        default=None, description="All if left out."
    )
    languages: tuple[str, ...] = Field(default=(), description="Language codes, such as en; all if left out.")
    start_at: UtcDatetime = Field(description="From when, with offset.")
    end_at: UtcDatetime | None = Field(
        default=None, description="Until when, with offset; needed for a total budget. Without an end if left out."
    )
    pixel_id: ObjectId | None = Field(default=None, description="For CONVERT: the pixel.")
    optimization_event: str | None = Field(
        default=None, pattern=r"^[A-Z_]{1,64}$", description="For CONVERT: the pixel's event, such as SHOPPING."
    )
    bid_price_major: Major | None = Field(
        default=None, description="Highest bid in whole units, for CPC, CPM and CPV; TikTok bids by itself if left out."
    )
    conversion_bid_price_major: Major | None = Field(
        default=None, description="Wanted cost per result in whole units, for OCPM; TikTok bids by itself if left out."
    )

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Group:
        if self.end_at is not None and self.end_at <= self.start_at:
            raise ValueError("end_at must be after start_at")
        if self.total_budget_major is not None and self.end_at is None:
            raise ValueError("total_budget_major needs end_at")
        return self

    @model_validator(mode="after")
    def _bids_for_what_it_is_billed(self) -> Group:
        allowed = _BILLED.get(self.optimization_goal)
        if allowed is not None and self.billing_event not in allowed:
            raise ValueError(f"billing_event must be {' or '.join(allowed)} for {self.optimization_goal}")
        if self.bid_price_major is not None and self.billing_event == "OCPM":
            raise ValueError("bid_price_major is for CPC, CPM and CPV; OCPM has conversion_bid_price_major")
        if self.conversion_bid_price_major is not None and self.billing_event != "OCPM":
            raise ValueError("conversion_bid_price_major is for OCPM; others have bid_price_major")
        if (self.pixel_id is None) != (self.optimization_event is None):
            raise ValueError("pixel_id and optimization_event need each other")
        return self

    def people(self) -> dict[str, Any]:
        """Whom to reach, as TikTok takes it."""
        return {
            "location_ids": list(self.location_ids),
            **({"age_groups": list(self.age_groups)} if self.age_groups else {}),
            **({"gender": self.gender} if self.gender else {}),
            **({"languages": list(self.languages)} if self.languages else {}),
        }

    def terms(self) -> dict[str, Any]:
        """All else, as TikTok takes it."""
        bids = self.bid_price_major is not None or self.conversion_bid_price_major is not None
        return {
            "campaign_id": self.campaign_id,
            "billing_event": self.billing_event,
            "optimization_goal": self.optimization_goal,
            "schedule_type": "SCHEDULE_FROM_NOW" if self.end_at is None else "SCHEDULE_START_END",
            "schedule_start_time": web.shown_time(self.start_at),
            "schedule_end_time": None if self.end_at is None else web.shown_time(self.end_at),
            "pixel_id": self.pixel_id,
            "optimization_event": self.optimization_event,
            "bid_type": "BID_TYPE_CUSTOM" if bids else "BID_TYPE_NO_BID",
            "bid_price": money(self.bid_price_major),
            "conversion_bid_price": money(self.conversion_bid_price_major),
        }


class CreateAdGroup(Group):
    """A manual ad group; it is created switched off."""

    placements: tuple[Literal["PLACEMENT_TIKTOK", "PLACEMENT_PANGLE", "PLACEMENT_GLOBAL_APP_BUNDLE"], ...] = Field(
        default=(), max_length=3, description="Where ads are shown; TikTok chooses if left out."
    )
    promotion_type: Promotion | None = Field(default=None, description="What is promoted.")
    fast_pacing: bool = Field(default=False, description="Spend the budget as fast as possible, not evenly.")

    @model_validator(mode="after")
    def _has_a_budget(self) -> CreateAdGroup:
        if not self.has_budget:
            raise ValueError("a budget is needed: daily_budget_major, average_daily_budget_major or total_budget_major")
        return self


class CreateSmartAdGroup(Group):
    """A Smart+ ad group; it is created switched off."""

    promotion_type: Promotion = Field(description="What is promoted.")
