"""What can be set on campaigns, ad sets and ads: their status and their budget."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field, model_validator

from connectors.dialects.meta_graph import NodeId
from connectors.facebook import api
from connectors.facebook.ads import AdRef
from connectors.facebook.adsets import AdSetRef
from connectors.facebook.campaigns import CampaignRef, Status
from connectors.facebook.platform import ADS_LIMITS, ADS_PACE, ADS_WRITE, FACEBOOK, WHY_SET, Done, Minor
from connectors.kit.action import Input, Limit, Resend
from connectors.kit.call import Call

STATUS = Field(description="ACTIVE may spend money; ARCHIVED and DELETED are for good.")
SPENDS = "If it is activated: up to its budget, which Meta bills to the ad account."


class SetCampaignStatus(CampaignRef):
    """A campaign's new status."""

    status: Status = STATUS


class SetAdSetStatus(AdSetRef):
    """An ad set's new status."""

    status: Status = STATUS


class SetAdStatus(AdRef):
    """An ad's new status."""

    status: Status = STATUS


class _Budget(Input):
    daily_budget_minor: Minor | None = Field(
        default=None, description="Budget a day, in minor units of the account's currency."
    )
    lifetime_budget_minor: Minor | None = Field(
        default=None, description="Budget in all, in minor units; instead of a daily one."
    )

    @model_validator(mode="after")
    def _is_one_budget(self) -> _Budget:
        if (self.daily_budget_minor is None) == (self.lifetime_budget_minor is None):
            raise ValueError("one of daily_budget_minor and lifetime_budget_minor is needed, not both")
        return self

    def as_sent(self) -> dict[str, int | None]:
        """As Meta takes it."""
        return {"daily_budget": self.daily_budget_minor, "lifetime_budget": self.lifetime_budget_minor}


class SetCampaignBudget(_Budget):
    """A campaign's new budget, of the kind that it has."""

    campaign_id: NodeId = Field(description="As createCampaign gave it.")


class SetAdSetBudget(_Budget):
    """An ad set's new budget, of the kind that it has."""

    adset_id: NodeId = Field(description="As createAdSet gave it.")


def _set(call: Call, node_id: str, fields: Mapping[str, int | str | None]) -> Done:
    api.graph(call).post(node_id, fields, effect=True, needs=("success",))
    return Done(id=node_id)


@FACEBOOK.action(
    "pauseAdSet", AdSetRef, Done, repeat=Resend(), why=WHY_SET, pace=ADS_PACE, scopes=ADS_WRITE, limits=ADS_LIMITS
)
def pause_adset(call: Call, data: AdSetRef) -> Done:
    """Pause an ad set: its ads are not shown until it is activated again."""
    return _set(call, data.adset_id, {"status": "PAUSED"})


@FACEBOOK.action(
    "setCampaignStatus",
    SetCampaignStatus,
    Done,
    repeat=Resend(),
    why=WHY_SET,
    pace=ADS_PACE,
    scopes=ADS_WRITE,
    limits=ADS_LIMITS,
    cost=SPENDS,
)
def set_campaign_status(call: Call, data: SetCampaignStatus) -> Done:
    """Activate, pause, archive or delete a campaign."""
    return _set(call, data.campaign_id, {"status": data.status})


@FACEBOOK.action(
    "setAdSetStatus",
    SetAdSetStatus,
    Done,
    repeat=Resend(),
    why=WHY_SET,
    pace=ADS_PACE,
    scopes=ADS_WRITE,
    limits=ADS_LIMITS,
    cost=SPENDS,
)
def set_adset_status(call: Call, data: SetAdSetStatus) -> Done:
    """Activate, pause, archive or delete an ad set."""
    return _set(call, data.adset_id, {"status": data.status})


@FACEBOOK.action(
    "setAdStatus",
    SetAdStatus,
    Done,
    repeat=Resend(),
    why=WHY_SET,
    pace=ADS_PACE,
    scopes=ADS_WRITE,
    limits=ADS_LIMITS,
    cost=SPENDS,
)
def set_ad_status(call: Call, data: SetAdStatus) -> Done:
    """Activate, pause, archive or delete an ad."""
    return _set(call, data.ad_id, {"status": data.status})


@FACEBOOK.action(
    "setCampaignBudget",
    SetCampaignBudget,
    Done,
    repeat=Resend(),
    why=WHY_SET,
    pace=ADS_PACE,
    scopes=ADS_WRITE,
    limits=ADS_LIMITS,
    cost="While it is active: up to this budget.",
)
def set_campaign_budget(call: Call, data: SetCampaignBudget) -> Done:
    """Set the budget of a campaign that has one."""
    return _set(call, data.campaign_id, data.as_sent())


@FACEBOOK.action(
    "setAdSetBudget",
    SetAdSetBudget,
    Done,
    repeat=Resend(),
    why=WHY_SET,
    target=lambda data: data.adset_id,
    pace=(*ADS_PACE, Limit(4, 3600.0, of="target")),
    scopes=ADS_WRITE,
    limits=(*ADS_LIMITS, "4 changes an hour per ad set"),
    cost="While it is active: up to this budget.",
)
def set_adset_budget(call: Call, data: SetAdSetBudget) -> Done:
    """Set the budget of an ad set that has one."""
    return _set(call, data.adset_id, data.as_sent())
