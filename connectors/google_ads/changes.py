"""What else of a campaign can be changed? Its bidding, its budget, and the state of many at once."""

from __future__ import annotations

from typing import Any, Literal, cast

from pydantic import Field, model_validator

from connectors.google_ads import api, failures
from connectors.google_ads.bidding import Bidding
from connectors.google_ads.platform import GOOGLE_ADS, CampaignId, Micros
from connectors.google_ads.search import found_campaign
from connectors.kit.action import Input, JsonValue, Output, Resend
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, NotFound

_WHY = "It sets values: twice is the same as once."


class UpdateBidStrategy(Input):
    """How a campaign bids from now on."""

    campaign_id: CampaignId = Field(description="Its id.")
    bidding: Bidding = Field(description="The strategy and all its settings; one that is left out is taken away.")


class ChangedBidding(Output):
    """A campaign that bids so."""

    campaign_id: str
    strategy: str

    def provider_id(self) -> str:
        """The campaign's id."""
        return self.campaign_id


class AdjustBudget(Input):
    """What a campaign may spend."""

    campaign_id: CampaignId = Field(description="Its id.")
    daily_budget_micros: Micros = Field(
        description="Per day, in micros of the account's currency: 50000000 is 50 euros."
    )
    also_of_other_campaigns: bool = Field(
        default=False, description="Change it even if the budget is shared: all campaigns that use it then change."
    )


class AdjustedBudget(Output):
    """A budget as it is now."""

    budget_id: str
    daily_budget_micros: int
    campaigns: int = Field(description="How many campaigns use it.")

    def provider_id(self) -> str:
        """The budget's id."""
        return self.budget_id


class NewStatus(Input):
    """The state of one campaign."""

    campaign_id: CampaignId = Field(description="Its id.")
    status: Literal["ENABLED", "PAUSED"] = Field(description="ENABLED spends its budget from now on.")


class SetCampaignStatuses(Input):
    """The states of many campaigns."""

    campaigns: tuple[NewStatus, ...] = Field(min_length=1, max_length=1000, description="1 to 1,000, each once.")

    @model_validator(mode="after")
    def _each_once(self) -> SetCampaignStatuses:
        if len({one.campaign_id for one in self.campaigns}) < len(self.campaigns):
            raise ValueError("campaigns name one more than once")
        return self


class RefusedStatus(Output):
    """A campaign that was not changed."""

    campaign_id: str
    code: str | None = Field(description="Google's error code.")


class CampaignStatuses(Output):
    """What became of each campaign."""

    changed: tuple[str, ...] = Field(description="Ids of those that are as wanted.")
    refused: tuple[RefusedStatus, ...] = Field(description="Those that are as they were.")


@GOOGLE_ADS.action(
    "updateBidStrategy",
    UpdateBidStrategy,
    ChangedBidding,
    repeat=Resend(),
    why=_WHY,
    pace=api.PACE,
    scopes=api.SCOPES,
    limits=api.LIMITS,
    cost="Within the campaign's budget; a click may cost more or less from now on.",
)
def update_bid_strategy(call: Call, data: UpdateBidStrategy) -> ChangedBidding:
    """Change how a campaign bids."""
    update = {
        "resourceName": api.name_of(call, "campaigns", data.campaign_id),
        **data.bidding.fields(customer_id=api.account(call).customer_id),
    }
    api.change(call, "campaigns", [{"update": update, "updateMask": data.bidding.mask()}])
    return ChangedBidding(campaign_id=data.campaign_id, strategy=data.bidding.strategy)


@GOOGLE_ADS.action(
    "adjustBudget",
    AdjustBudget,
    AdjustedBudget,
    repeat=Resend(),
    why=_WHY,
    multi_step=True,
    pace=api.PACE,
    scopes=api.SCOPES,
    limits=api.LIMITS,
    cost="Up to 2 x daily_budget_micros on a day and 30.4 x in a month.",
)
def adjust_budget(call: Call, data: AdjustBudget) -> AdjustedBudget:
    """Change a campaign's daily budget."""
    found = found_campaign(call, data.campaign_id)
    if found is None or found.budget_id is None:
        raise NotFound("the account has no such campaign, or it has no budget")
    if found.budget_campaigns > 1 and not data.also_of_other_campaigns:
        raise InvalidRequest(
            f"campaign_id: its budget is shared by {found.budget_campaigns} campaigns; set also_of_other_campaigns"
        )
    if found.total_budget_micros:
        raise InvalidRequest("campaign_id: it has a total budget, not a daily one")
    update = {
        "resourceName": api.name_of(call, "campaignBudgets", found.budget_id),
        "amountMicros": str(data.daily_budget_micros),
    }
    adjusted = AdjustedBudget(
        budget_id=found.budget_id,
        daily_budget_micros=data.daily_budget_micros,
        campaigns=max(1, found.budget_campaigns),
    )

    def adjust() -> JsonValue:
        api.change(call, "campaignBudgets", [{"update": update, "updateMask": "amountMicros"}])
        return cast("JsonValue", adjusted.model_dump(mode="json"))

    # Read before the effect: a permit to send is good for a moment only.
    return AdjustedBudget.model_validate(call.effect("adjust", adjust))


@GOOGLE_ADS.action(
    "setCampaignStatuses",
    SetCampaignStatuses,
    CampaignStatuses,
    repeat=Resend(),
    why=_WHY,
    pace=api.PACE,
    scopes=api.SCOPES,
    limits=api.LIMITS,
    cost="The budgets of the campaigns that are enabled, from now on.",
)
def set_campaign_statuses(call: Call, data: SetCampaignStatuses) -> CampaignStatuses:
    """Enable and pause many campaigns; one that Google refuses does not hold up the others."""
    operations: list[dict[str, Any]] = [
        {
            "update": {"resourceName": api.name_of(call, "campaigns", one.campaign_id), "status": one.status},
            "updateMask": "status",
        }
        for one in data.campaigns
    ]
    answer = api.change(call, "campaigns", operations, partial=True)
    refused: dict[int, str | None] = {}
    for one in failures.errors_of(answer.partial_failure_error or {}):
        index, code = failures.operation_of(one), failures.code_of(one)
        if index is not None:
            refused.setdefault(index, None if code is None else ".".join(code))
    # An operation that failed has an empty result, whether or not its error could be read.
    refused |= {index: None for index, one in enumerate(answer.results) if not one and index not in refused}
    if len(refused) == len(data.campaigns):
        first = refused[min(refused)]
        raise InvalidRequest(f"Google changed none of the campaigns; the first: {first or 'unreadable'}", code=first)
    return CampaignStatuses(
        changed=tuple(one.campaign_id for index, one in enumerate(data.campaigns) if index not in refused),
        refused=tuple(
            RefusedStatus(campaign_id=one.campaign_id, code=refused[index])
            for index, one in enumerate(data.campaigns)
            if index in refused
        ),
    )
