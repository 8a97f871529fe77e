"""Which budget does a campaign or an ad group have? One of three kinds, or none; and how it is changed."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from connectors.kit.action import Input, Output, Resend
from connectors.kit.call import Call
from connectors.tiktok import web
from connectors.tiktok.platform import ADS, LIMITS, PACE, TIKTOK, WHY_SET, Major, money
from connectors.tiktok.web import ObjectId

SPENDS = "While it is switched on: up to this budget, which TikTok bills to the advertiser."


class Budget(Input):
    """A budget a day, or in all; none if all are left out."""

    daily_budget_major: Major | None = Field(
        default=None, description="Budget a day, in whole units of the account's currency."
    )
    average_daily_budget_major: Major | None = Field(
        default=None, description="Budget a day on average over a week, in whole units, instead."
    )
    total_budget_major: Major | None = Field(
        default=None, description="Budget in all, in whole units of the account's currency, instead."
    )

    @model_validator(mode="after")
    def _is_one_budget(self) -> Budget:
        if len(self._given()) > 1:
            raise ValueError(
                "one of daily_budget_major, average_daily_budget_major and total_budget_major, not several"
            )
        return self

    def _given(self) -> list[tuple[str, Any]]:
        kinds = {
            "BUDGET_MODE_DAY": self.daily_budget_major,
            "BUDGET_MODE_DYNAMIC_DAILY_BUDGET": self.average_daily_budget_major,
            "BUDGET_MODE_TOTAL": self.total_budget_major,
        }
        return [(mode, value) for mode, value in kinds.items() if value is not None]

    @property
    def has_budget(self) -> bool:
        """Whether there is one."""
        return bool(self._given())

    def as_sent(self) -> dict[str, Any]:
        """As TikTok takes it."""
        for mode, value in self._given():
            return {"budget_mode": mode, "budget": money(value)}
        return {"budget_mode": "BUDGET_MODE_INFINITE"}


class AdGroupBudget(Input):
    """An ad group's new budget."""

    adgroup_id: ObjectId = Field(description="As createAdGroup gave it.")
    budget_major: Major = Field(description="In whole units of the account's currency.")


class AdjustBudget(Input):
    """New budgets of ad groups, each of the kind that the ad group has."""

    budgets: tuple[AdGroupBudget, ...] = Field(min_length=1, max_length=20, description="For 1 to 20 ad groups.")
    from_tomorrow: bool = Field(
        default=False, description="From midnight in the account's time zone on, instead of at once."
    )

    @model_validator(mode="after")
    def _names_each_once(self) -> AdjustBudget:
        if len({one.adgroup_id for one in self.budgets}) < len(self.budgets):
            raise ValueError("budgets may name each ad group once")
        return self


class AdjustCampaignBudget(Input):
    """A campaign's new budget, of the kind that it has."""

    campaign_id: ObjectId = Field(description="As createCampaign or createSmartCampaign gave it.")
    budget_major: Major = Field(description="In whole units of the account's currency.")
    smart_plus: bool = Field(default=False, description="Whether it is a Smart+ campaign.")


class Changed(Output):
    """What was changed."""

    ids: tuple[str, ...]

    def provider_id(self) -> str:
        """The ids."""
        return ",".join(self.ids)


@TIKTOK.action(
    "adjustBudget",
    AdjustBudget,
    Changed,
    repeat=Resend(),
    why=WHY_SET,
    pace=PACE,
    scopes=ADS,
    limits=LIMITS,
    cost=SPENDS,
)
def adjust_budget(call: Call, data: AdjustBudget) -> Changed:
    """Set the budgets of ad groups."""
    field, amount = ("scheduled_budget", "scheduled_budget") if data.from_tomorrow else ("budget", "budget")
    entries = [{"adgroup_id": one.adgroup_id, amount: money(one.budget_major)} for one in data.budgets]
    web.post(call, "adgroup/budget/update", {field: entries}, effect=True)
    return Changed(ids=tuple(one.adgroup_id for one in data.budgets))


@TIKTOK.action(
    "adjustCampaignBudget",
    AdjustCampaignBudget,
    Changed,
    repeat=Resend(),
    why=WHY_SET,
    pace=PACE,
    scopes=ADS,
    limits=LIMITS,
    cost=SPENDS,
)
def adjust_campaign_budget(call: Call, data: AdjustCampaignBudget) -> Changed:
    """Set the budget of a campaign that has one."""
    path = "smart_plus/campaign/update" if data.smart_plus else "campaign/update"
    web.post(call, path, {"campaign_id": data.campaign_id, "budget": money(data.budget_major)}, effect=True)
    return Changed(ids=(data.campaign_id,))
