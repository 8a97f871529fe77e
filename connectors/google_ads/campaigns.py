"""Campaigns: made paused and with their budget in one request, switched on and off, removed."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from connectors.google_ads import api
from connectors.google_ads.bidding import Bidding
from connectors.google_ads.failures import TAKEN
from connectors.google_ads.platform import GOOGLE_ADS, CampaignId, Micros
from connectors.google_ads.search import MARK, Campaign, found_campaign, marked
from connectors.kit.action import Input, LookUp, Output, Resend
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, NotDone, NotFound, OutcomeUnknown, Permission, looking

SETTLE_AFTER_S = 60.0
"""A search shows a campaign once it is committed; this covers a request that Google still works on."""

_MOST_NAME_BYTES = 200
_BUDGET, _CAMPAIGN = -1, -2
# Google fills what a daily budget leaves on one day up on another.
_COST = "up to 2 x daily_budget_micros on a day and 30.4 x in a month, or total_budget_micros in all"

Name = Annotated[str, StringConstraints(min_length=1, pattern=r"^[^\x00-\x1f]+$", strip_whitespace=True)]


class NewCampaign(Input):
    """A campaign and its own budget."""

    name: Name = Field(description="Its name, up to 200 bytes of UTF-8; the run is added to it.")
    channel: Literal["SEARCH", "DISPLAY", "DEMAND_GEN", "PERFORMANCE_MAX"] = Field(
        default="SEARCH", description="Where it is shown."
    )
    daily_budget_micros: Micros | None = Field(
        default=None, description="Per day, in micros of the account's currency: 50000000 is 50 euros."
    )
    total_budget_micros: Micros | None = Field(
        default=None, description="In all, in micros, instead of a daily budget; needs end_date."
    )
    bidding: Bidding = Field(description="How it bids.")
    contains_eu_political_advertising: bool = Field(
        strict=True, description="The advertiser's own declaration under EU regulation 2024/900; never guess it."
    )
    target_search_network: bool = Field(default=True, description="For SEARCH: also on Google's search partners.")
    target_content_network: bool = Field(default=False, description="For SEARCH: also on the display network.")
    start_date: date | None = Field(
        default=None, description="First day, in the account's time zone; at once if empty."
    )
    end_date: date | None = Field(default=None, description="Last day, in the account's time zone; none if empty.")
    final_url_suffix: str | None = Field(
        default=None, min_length=1, max_length=2048, pattern=r"^[^\s#?]+$", description="Added to all its addresses."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> NewCampaign:
        if len(self.name.encode()) > _MOST_NAME_BYTES:
            raise ValueError(f"name may hold {_MOST_NAME_BYTES} bytes of UTF-8")
        if (self.daily_budget_micros is None) == (self.total_budget_micros is None):
            raise ValueError("one of daily_budget_micros and total_budget_micros is needed, not both")
        if self.total_budget_micros is not None and self.end_date is None:
            raise ValueError("total_budget_micros needs end_date")
        if self.start_date is not None and self.end_date is not None and self.end_date < self.start_date:
            raise ValueError("end_date must not be before start_date")
        if self.channel == "PERFORMANCE_MAX" and not self.bidding.strategy.startswith("MAXIMIZE_"):
            raise ValueError("PERFORMANCE_MAX bids by MAXIMIZE_CONVERSIONS or MAXIMIZE_CONVERSION_VALUE")
        return self


class CreatedCampaign(Output):
    """A campaign that does not serve yet."""

    id: str
    budget_id: str | None
    name: str = Field(description="As it stands in the account, with the run's key.")
    effect_id: str | None = Field(default=None, description="The effect key of the run that created it.")

    def provider_id(self) -> str:
        """The campaign's id."""
        return self.id


class Valid(Output):
    """Google would create it."""

    valid: Literal[True] = True


class CampaignRef(Input):
    """Which campaign."""

    campaign_id: CampaignId = Field(description="Its id.")


class CampaignDone(Output):
    """It is so."""

    campaign_id: str
    status: str

    def provider_id(self) -> str:
        """The campaign's id."""
        return self.campaign_id


def _name(call: Call, data: NewCampaign) -> str:
    return f"{data.name} [{MARK}{call.key}]"


def _budget(call: Call, data: NewCampaign) -> dict[str, Any]:
    if data.daily_budget_micros is not None:
        amount = {"amountMicros": str(data.daily_budget_micros)}
    else:
        amount = {"totalAmountMicros": str(data.total_budget_micros), "period": "CUSTOM_PERIOD"}
    return {
        "resourceName": api.name_of(call, "campaignBudgets", _BUDGET),
        "name": f"{_name(call, data)} budget",
        **amount,
        "deliveryMethod": "STANDARD",
        # Left out it would be shared, and open to other campaigns.
        "explicitlyShared": False,
    }


def _campaign(call: Call, data: NewCampaign) -> dict[str, Any]:
    declared = "CONTAINS" if data.contains_eu_political_advertising else "DOES_NOT_CONTAIN"
    fields = {
        "resourceName": api.name_of(call, "campaigns", _CAMPAIGN),
        "name": _name(call, data),
        # Left out it would serve, and spend, at once.
        "status": "PAUSED",
        "advertisingChannelType": data.channel,
        "campaignBudget": api.name_of(call, "campaignBudgets", _BUDGET),
        "containsEuPoliticalAdvertising": f"{declared}_EU_POLITICAL_ADVERTISING",
        **data.bidding.fields(customer_id=api.account(call).customer_id),
        "networkSettings": _networks(data),
        "startDateTime": None if data.start_date is None else f"{data.start_date} 00:00:00",
        "endDateTime": None if data.end_date is None else f"{data.end_date} 23:59:59",
        "finalUrlSuffix": data.final_url_suffix,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _networks(data: NewCampaign) -> dict[str, bool] | None:
    if data.channel == "SEARCH":
        return {
            "targetGoogleSearch": True,
            "targetSearchNetwork": data.target_search_network,
            "targetContentNetwork": data.target_content_network,
        }
    if data.channel == "DISPLAY":
        return {"targetGoogleSearch": False, "targetSearchNetwork": False, "targetContentNetwork": True}
    return None


def _operations(call: Call, data: NewCampaign) -> list[dict[str, Any]]:
    """The budget before the campaign that names it; the ids are made up and hold in this request only."""
    return [
        {"campaignBudgetOperation": {"create": _budget(call, data)}},
        {"campaignOperation": {"create": _campaign(call, data)}},
    ]


def _created(found: Campaign) -> CreatedCampaign:
    return CreatedCampaign(id=found.id, budget_id=found.budget_id, name=found.name or "", effect_id=found.effect_id)


def _find_created(call: Call, data: NewCampaign) -> CreatedCampaign | None:
    """The campaign whose name carries this run's key."""
    with looking():
        found = marked(call, call.key)
    return None if found is None else _created(found)


@GOOGLE_ADS.action(
    "createCampaign",
    NewCampaign,
    CreatedCampaign,
    repeat=LookUp(_find_created, settle_after_s=SETTLE_AFTER_S),
    why="A name exists once in an account, this one carries the run's key, and a repeat of it creates nothing.",
    pace=api.PACE,
    scopes=api.SCOPES,
    limits=(*api.LIMITS, "10,000 campaigns an account"),
    cost=f"Nothing while it is paused, as it is made; once it is enabled {_COST}.",
)
def create_campaign(call: Call, data: NewCampaign) -> CreatedCampaign:
    """Create a campaign with a budget of its own, paused: nothing is spent before it is enabled."""
    try:
        made = api.make(call, _operations(call, data))
    except InvalidRequest as refused:
        if refused.code not in TAKEN:
            raise
        return _created_before(call, data, refused)
    responses = made.mutate_operation_responses
    if len(responses) != len(_operations(call, data)) or responses[1].campaign_result is None:
        raise OutcomeUnknown("googleAds:mutate: Google answered without what it made")
    budget = responses[0].campaign_budget_result
    return CreatedCampaign(
        id=_number(responses[1].campaign_result.resource_name),
        budget_id=None if budget is None else _number(budget.resource_name),
        name=_name(call, data),
        effect_id=call.key,
    )


def _created_before(call: Call, data: NewCampaign, taken: InvalidRequest) -> CreatedCampaign:
    """What our own earlier request created: no other run makes this name.

    Raises:
        OutcomeUnknown: It is there, and Google does not show it.
    """
    try:
        found = _find_created(call, data)
    except NotDone as unanswered:
        raise OutcomeUnknown(f"{taken}, and it could not be looked up: {unanswered}", code=taken.code) from None
    if found is None:
        raise OutcomeUnknown(f"{taken}, and Google does not show it yet", code=taken.code)
    return found


def _number(resource_name: str) -> str:
    return resource_name.rpartition("/")[2]


@GOOGLE_ADS.read("validateCampaign", NewCampaign, Valid, scopes=api.SCOPES, limits=api.LIMITS)
def validate_campaign(call: Call, data: NewCampaign) -> Valid:
    """Ask Google whether it would create a campaign, without creating it."""
    api.make(call, _operations(call, data), validate_only=True)
    return Valid()


def _set_status(call: Call, data: CampaignRef, status: str) -> CampaignDone:
    update = {"resourceName": api.name_of(call, "campaigns", data.campaign_id), "status": status}
    api.change(call, "campaigns", [{"update": update, "updateMask": "status"}])
    return CampaignDone(campaign_id=data.campaign_id, status=status)


@GOOGLE_ADS.action(
    "pauseCampaign",
    CampaignRef,
    CampaignDone,
    repeat=Resend(),
    why="It sets a status: twice is the same as once.",
    pace=api.PACE,
    scopes=api.SCOPES,
    limits=api.LIMITS,
)
def pause_campaign(call: Call, data: CampaignRef) -> CampaignDone:
    """Stop a campaign's ads; they can be shown again."""
    return _set_status(call, data, "PAUSED")


@GOOGLE_ADS.action(
    "enableCampaign",
    CampaignRef,
    CampaignDone,
    repeat=Resend(),
    why="It sets a status: twice is the same as once.",
    pace=api.PACE,
    scopes=api.SCOPES,
    limits=api.LIMITS,
    cost="The campaign's budget, from now on: up to twice its daily budget on a day.",
)
def enable_campaign(call: Call, data: CampaignRef) -> CampaignDone:
    """Show a campaign's ads: it spends its budget from now on."""
    return _set_status(call, data, "ENABLED")


@GOOGLE_ADS.action(
    "removeCampaign",
    CampaignRef,
    CampaignDone,
    repeat=Resend(),
    why="What is removed stays removed.",
    pace=api.PACE,
    scopes=api.SCOPES,
    limits=api.LIMITS,
)
def remove_campaign(call: Call, data: CampaignRef) -> CampaignDone:
    """Remove a campaign, for good; its figures stay readable."""
    try:
        api.change(call, "campaigns", [{"remove": api.name_of(call, "campaigns", data.campaign_id)}])
    except (InvalidRequest, NotFound, Permission):
        # Removed already, perhaps by our own earlier request.
        found = found_campaign(call, data.campaign_id)
        if found is None or found.status != "REMOVED":
            raise
    return CampaignDone(campaign_id=data.campaign_id, status="REMOVED")
