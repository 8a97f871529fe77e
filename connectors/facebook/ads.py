"""Ads: a creative in an ad set. Meta reviews each before it is shown, and again after every change."""

from __future__ import annotations

from typing import Any, cast

from pydantic import Field, model_validator

from connectors.dialects.meta_graph import NodeId
from connectors.facebook import api, creatives
from connectors.facebook.campaigns import name_filter
from connectors.facebook.creatives import Creative
from connectors.facebook.platform import (
    ADS_LIMITS,
    ADS_PACE,
    ADS_READ,
    ADS_WRITE,
    FACEBOOK,
    SETTLE_AFTER_S,
    Name,
    create,
    said,
)
from connectors.kit.action import Input, JsonValue, LookUp, Output
from connectors.kit.call import Call
from connectors.kit.errors import looking

_CREATIVE, _AD = "creative", "ad"


class _Shows(Input):
    """What an ad shows: a new creative, or one that there is."""

    creative: Creative | None = Field(default=None, description="What to show; a creative is made of it.")
    creative_id: NodeId | None = Field(default=None, description="A creative that there is, instead.")

    @model_validator(mode="after")
    def _is_one_creative(self) -> _Shows:
        if (self.creative is None) == (self.creative_id is None):
            raise ValueError("one of creative and creative_id is needed, not both")
        return self


class CreateAd(_Shows):
    """An ad; it is created paused."""

    name: Name = Field(description="Its name; the run's mark is added.")
    adset_id: NodeId = Field(description="The ad set, as createAdSet gave it.")


class UpdateCreative(_Shows):
    """Another creative for an ad."""

    ad_id: NodeId = Field(description="The ad, as createAd gave it.")


class AdMade(Output):
    """An ad and its creative."""

    ad_id: str
    creative_id: str

    def provider_id(self) -> str:
        """The ad's id."""
        return self.ad_id


class Ad(Output):
    """An ad as it is."""

    id: str
    name: str | None
    adset_id: str | None
    campaign_id: str | None
    creative_id: str | None
    status: str | None = Field(description="As it was set.")
    effective_status: str | None = Field(description="As it is in effect: PENDING_REVIEW and DISAPPROVED too.")

    def provider_id(self) -> str:
        """Its id."""
        return self.id


class AdRef(Input):
    """Which ad."""

    ad_id: NodeId = Field(description="As createAd gave it.")


class ListAds(Input):
    """Which ads of the ad account."""

    name_contains: str | None = Field(default=None, min_length=1, max_length=300, description="Part of the name.")


class AdList(Output):
    """Ads."""

    ads: tuple[Ad, ...]


_FIELDS = "id,name,adset_id,campaign_id,creative{id},status,effective_status"


def _ad(row: dict[str, Any]) -> Ad:
    return Ad(
        id=str(row.get("id")),
        name=said(row.get("name")),
        adset_id=said(row.get("adset_id")),
        campaign_id=said(row.get("campaign_id")),
        creative_id=_creative_of(row),
        status=said(row.get("status")),
        effective_status=said(row.get("effective_status")),
    )


def _creative_of(row: dict[str, Any]) -> str | None:
    creative = row.get("creative")
    return said(creative.get("id")) if isinstance(creative, dict) else None


def _creative_id(call: Call, data: _Shows) -> str:
    """The creative: the given one, or the one that this run made, once."""
    if data.creative is None:
        return str(data.creative_id)
    wanted = data.creative
    return str(call.step(_CREATIVE, lambda: creatives.create(call, wanted)))


def _recalled(call: Call, data: _Shows) -> str:
    return str(data.creative_id or call.recall(_CREATIVE))


def _find_ad(call: Call, data: CreateAd) -> AdMade | None:
    row = api.find_marked(call, "ads", fields="id,name,creative{id}")
    if row is None:
        return None
    return AdMade(ad_id=api.made_id(row, "ads"), creative_id=_creative_of(row) or _recalled(call, data))


@FACEBOOK.action(
    "createAd",
    CreateAd,
    AdMade,
    repeat=LookUp(_find_ad, settle_after_s=SETTLE_AFTER_S),
    why="Meta takes no idempotency key; the ad's name carries the run's mark, and its creative is made before it.",
    multi_step=True,
    pace=ADS_PACE,
    scopes=ADS_WRITE,
    limits=ADS_LIMITS,
    cost="Nothing while it is paused; once active its ad set's or campaign's budget.",
)
def create_ad(call: Call, data: CreateAd) -> AdMade:
    """Create an ad, paused, with its creative."""
    creative_id = _creative_id(call, data)

    def send() -> JsonValue:
        fields = {"adset_id": data.adset_id, "status": "PAUSED", "creative": {"creative_id": creative_id}}
        made = create(call, "ads", data.name, fields)
        return _as_json(AdMade(ad_id=made.id, creative_id=creative_id))

    return AdMade.model_validate(call.effect(_AD, send))


def _find_changed(call: Call, data: UpdateCreative) -> AdMade | None:
    creative_id = _recalled(call, data)
    with looking():
        shown = _creative_of(api.graph(call).get(data.ad_id, needs=("id",), fields="id,creative{id}"))
    return AdMade(ad_id=data.ad_id, creative_id=creative_id) if shown == creative_id else None


@FACEBOOK.action(
    "updateCreative",
    UpdateCreative,
    AdMade,
    repeat=LookUp(_find_changed, settle_after_s=SETTLE_AFTER_S),
    why="The ad itself tells which creative it shows; a change that is not repeated spares it a second review.",
    multi_step=True,
    pace=ADS_PACE,
    scopes=ADS_WRITE,
    limits=(*ADS_LIMITS, "the ad goes back to review, and its ad set learns anew"),
    cost="Nothing itself; the ad goes on spending its ad set's or campaign's budget if it is active.",
)
def update_creative(call: Call, data: UpdateCreative) -> AdMade:
    """Give an ad another creative."""
    creative_id = _creative_id(call, data)

    def send() -> JsonValue:
        api.graph(call).post(data.ad_id, {"creative": {"creative_id": creative_id}}, effect=True, needs=("success",))
        return _as_json(AdMade(ad_id=data.ad_id, creative_id=creative_id))

    return AdMade.model_validate(call.effect(_AD, send))


@FACEBOOK.read("getAd", AdRef, Ad, scopes=ADS_READ, limits=ADS_LIMITS)
def get_ad(call: Call, data: AdRef) -> Ad:
    """Fetch an ad, with the state of its review."""
    return _ad(api.graph(call).get(data.ad_id, needs=("id",), fields=_FIELDS))


@FACEBOOK.read("listAds", ListAds, AdList, scopes=ADS_READ, limits=ADS_LIMITS)
def list_ads(call: Call, data: ListAds) -> AdList:
    """List the ad account's ads."""
    path = f"{api.account(call)}/ads"
    found = api.listed(api.graph(call), path, fields=_FIELDS, filtering=name_filter(data.name_contains))
    return AdList(ads=tuple(map(_ad, found)))


def _as_json(made: AdMade) -> JsonValue:
    return cast("JsonValue", made.model_dump(mode="json"))
