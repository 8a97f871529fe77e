"""Ads: created, one to a run, and listed with what became of their review."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from connectors.kit.action import LookUp, Output
from connectors.kit.call import Call
from connectors.kit.errors import OutcomeUnknown
from connectors.tiktok import web
from connectors.tiktok.campaigns import COST
from connectors.tiktok.creatives import CreateAd, CreateSmartAd
from connectors.tiktok.platform import AD_PACE, ADS, LIMITS, PACE, SETTLE_AFTER_S, TIKTOK, Made, create, named, said
from connectors.tiktok.reading import Listing
from connectors.tiktok.web import ObjectId

_WHY = "TikTok takes ads of the same name; each carries the run's mark in its name and is looked for by it."


class Ad(Output):
    """An ad as it is."""

    id: str
    name: str | None
    adgroup_id: str | None
    campaign_id: str | None
    operation_status: str | None = Field(description="ENABLE or DISABLE, as it was set.")
    secondary_status: str | None = Field(description="How it is delivered; the state of its review too.")

    def provider_id(self) -> str:
        """Its id."""
        return self.id


class ListAds(Listing):
    """Which ads of the advertiser."""

    campaign_ids: tuple[ObjectId, ...] = Field(default=(), max_length=100, description="Only of these campaigns.")
    adgroup_ids: tuple[ObjectId, ...] = Field(default=(), max_length=100, description="Only of these ad groups.")


class AdList(Output):
    """Ads."""

    ads: tuple[Ad, ...]


def _find(path: str, id_field: str) -> LookUp[Any, Made]:
    def find(call: Call, data: Any) -> Made | None:
        name = named(call, data.name)
        filtering = {"adgroup_ids": [data.adgroup_id]}
        found = web.find_named(call, path, name, id_field=id_field, name_field="ad_name", filtering=filtering)
        return None if found is None else Made(id=found, name=name)

    return LookUp(find, settle_after_s=SETTLE_AFTER_S)


_SMART = _find("smart_plus/ad/get", "smart_plus_ad_id")


@TIKTOK.action(
    "createAd",
    CreateAd,
    Made,
    repeat=_find("ad/get", "ad_id"),
    why=_WHY,
    pace=AD_PACE,
    scopes=ADS,
    limits=(*LIMITS, "5 ads/s and 150/min in the basic tier", "a video must have been worked on by TikTok"),
    cost=COST,
)
def create_ad(call: Call, data: CreateAd) -> Made:
    """Create a manual ad, switched off."""
    name = named(call, data.name)
    # One creative to a request: of several TikTok may take some and refuse others.
    fields = {"adgroup_id": data.adgroup_id, "creatives": [data.as_sent(name)]}
    made = web.post(call, "ad/create", fields, effect=True).get("ad_ids")
    if not isinstance(made, list) or len(made) != 1 or not isinstance(made[0], str):
        raise OutcomeUnknown("ad create: TikTok's answer holds no readable ad_ids", http_status=200)
    return Made(id=made[0], name=name)


@TIKTOK.action(
    "createSmartAd",
    CreateSmartAd,
    Made,
    repeat=_SMART,
    why=_WHY,
    pace=AD_PACE,
    scopes=("Upgraded Smart Plus Ads",),
    limits=(*LIMITS, "one change within 5 s per ad"),
    cost=COST,
)
def create_smart_ad(call: Call, data: CreateSmartAd) -> Made:
    """Create a Smart+ ad, switched off."""
    name = named(call, data.name)
    fields = {**data.as_sent(), "ad_name": name}
    return create(
        call,
        "smart_plus/ad/create",
        fields,
        name=name,
        id_field="smart_plus_ad_id",
        find=lambda: _SMART.find(call, data),
    )


@TIKTOK.read("listAds", ListAds, AdList, pace=PACE, scopes=ADS, limits=LIMITS)
def list_ads(call: Call, data: ListAds) -> AdList:
    """List the advertiser's ads, manual or Smart+ ones, with the state of their review."""
    filtering = {
        "campaign_ids": list(data.campaign_ids) or None,
        "adgroup_ids": list(data.adgroup_ids) or None,
        **data.with_deleted(),
    }
    return AdList(ads=tuple(map(_ad, data.rows(call, "ad", filtering))))


def _ad(row: dict[str, Any]) -> Ad:
    return Ad(
        id=str(row.get("ad_id") or row.get("smart_plus_ad_id")),
        name=said(row.get("ad_name")),
        adgroup_id=said(row.get("adgroup_id")),
        campaign_id=said(row.get("campaign_id")),
        operation_status=said(row.get("operation_status")),
        secondary_status=said(row.get("secondary_status")),
    )
