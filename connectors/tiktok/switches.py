"""Switches: campaigns, ad groups and ads are switched on and off, or deleted for good."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from connectors.kit.action import Input, Resend
from connectors.kit.call import Call
from connectors.tiktok import web
from connectors.tiktok.budgets import Changed
from connectors.tiktok.platform import ADS, LIMITS, PACE, TIKTOK, WHY_SET
from connectors.tiktok.web import ObjectId

Ids = Annotated[tuple[ObjectId, ...], Field(min_length=1, max_length=20)]
Status = Literal["ENABLE", "DISABLE", "DELETE"]

STATUS = Field(description="ENABLE may spend money; DELETE is for good.")
SMART = Field(default=False, description="Whether they are Smart+ ones.")
SPENDS = "If it is switched on: up to the budgets, which TikTok bills to the advertiser."


class TurnOffAd(Input):
    """Ads to switch off."""

    ad_ids: Ids = Field(description="1 to 20, as createAd or createSmartAd gave them.")
    smart_plus: bool = SMART


class SetAdStatus(TurnOffAd):
    """The new status of ads."""

    status: Status = STATUS


class SetAdGroupStatus(Input):
    """The new status of ad groups."""

    adgroup_ids: Ids = Field(description="1 to 20, as createAdGroup or createSmartAdGroup gave them.")
    status: Status = STATUS
    smart_plus: bool = SMART


class SetCampaignStatus(Input):
    """The new status of campaigns."""

    campaign_ids: Ids = Field(description="1 to 20, as createCampaign or createSmartCampaign gave them.")
    status: Status = STATUS
    smart_plus: bool = SMART


def _set(call: Call, kind: str, ids: tuple[str, ...], status: str, *, smart_plus: bool) -> Changed:
    path = f"smart_plus/{kind}/status/update" if smart_plus else f"{kind}/status/update"
    field = "smart_plus_ad_ids" if smart_plus and kind == "ad" else f"{kind}_ids"
    fields: dict[str, Any] = {field: list(dict.fromkeys(ids)), "operation_status": status}
    web.post(call, path, fields, effect=True)
    return Changed(ids=ids)


@TIKTOK.action("turnOffAd", TurnOffAd, Changed, repeat=Resend(), why=WHY_SET, pace=PACE, scopes=ADS, limits=LIMITS)
def turn_off_ad(call: Call, data: TurnOffAd) -> Changed:
    """Switch ads off: they are not shown until they are switched on again."""
    return _set(call, "ad", data.ad_ids, "DISABLE", smart_plus=data.smart_plus)


@TIKTOK.action(
    "setAdStatus",
    SetAdStatus,
    Changed,
    repeat=Resend(),
    why=WHY_SET,
    pace=PACE,
    scopes=ADS,
    limits=LIMITS,
    cost=SPENDS,
)
def set_ad_status(call: Call, data: SetAdStatus) -> Changed:
    """Switch ads on or off, or delete them."""
    return _set(call, "ad", data.ad_ids, data.status, smart_plus=data.smart_plus)


@TIKTOK.action(
    "setAdGroupStatus",
    SetAdGroupStatus,
    Changed,
    repeat=Resend(),
    why=WHY_SET,
    pace=PACE,
    scopes=ADS,
    limits=LIMITS,
    cost=SPENDS,
)
def set_adgroup_status(call: Call, data: SetAdGroupStatus) -> Changed:
    """Switch ad groups on or off, or delete them."""
    return _set(call, "adgroup", data.adgroup_ids, data.status, smart_plus=data.smart_plus)


@TIKTOK.action(
    "setCampaignStatus",
    SetCampaignStatus,
    Changed,
    repeat=Resend(),
    why=WHY_SET,
    pace=PACE,
    scopes=ADS,
    limits=LIMITS,
    cost=SPENDS,
)
def set_campaign_status(call: Call, data: SetCampaignStatus) -> Changed:
    """Switch campaigns on or off, or delete them."""
    return _set(call, "campaign", data.campaign_ids, data.status, smart_plus=data.smart_plus)
