"""Ad groups: created, changed, listed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field, model_validator

from connectors.kit.action import Input, LookUp, Output, Resend
from connectors.kit.call import Call
from connectors.kit.fields import UtcDatetime
from connectors.tiktok import web
from connectors.tiktok.budgets import Changed
from connectors.tiktok.campaigns import COST, request_id
from connectors.tiktok.grouping import CreateAdGroup, CreateSmartAdGroup
from connectors.tiktok.platform import (
    ADS,
    LIMITS,
    PACE,
    SETTLE_AFTER_S,
    TIKTOK,
    WHY_NAMED,
    WHY_SET,
    Made,
    Major,
    create,
    money,
    named,
    number,
    said,
)
from connectors.tiktok.reading import Listing
from connectors.tiktok.web import ObjectId


class UpdateAdGroup(Input):
    """What to change of a manual ad group; what is left out stays."""

    adgroup_id: ObjectId = Field(description="As createAdGroup gave it.")
    end_at: UtcDatetime | None = Field(default=None, description="Until when, with offset.")
    bid_price_major: Major | None = Field(default=None, description="Highest bid in whole units.")
    conversion_bid_price_major: Major | None = Field(default=None, description="Wanted cost per result, whole units.")

    @model_validator(mode="after")
    def _changes_something(self) -> UpdateAdGroup:
        if not self.model_fields_set - {"adgroup_id"}:
            raise ValueError("one of end_at, bid_price_major and conversion_bid_price_major is needed")
        return self


class AdGroup(Output):
    """An ad group as it is."""

    id: str
    name: str | None
    campaign_id: str | None
    operation_status: str | None = Field(description="ENABLE or DISABLE, as it was set.")
    secondary_status: str | None = Field(description="How it is delivered, and what is in the way.")
    budget_mode: str | None
    budget_major: float | None = Field(description="In whole units of the account's currency.")
    start_at: datetime | None
    end_at: datetime | None

    def provider_id(self) -> str:
        """Its id."""
        return self.id


class ListAdGroups(Listing):
    """Which ad groups of the advertiser."""

    campaign_ids: tuple[ObjectId, ...] = Field(default=(), max_length=100, description="Only of these campaigns.")
    adgroup_ids: tuple[ObjectId, ...] = Field(default=(), max_length=100, description="Only these.")


class AdGroupList(Output):
    """Ad groups."""

    adgroups: tuple[AdGroup, ...]


def _find(path: str) -> LookUp[Any, Made]:
    def find(call: Call, data: Any) -> Made | None:
        name = named(call, data.name)
        found = web.find_named(
            call,
            path,
            name,
            id_field="adgroup_id",
            name_field="adgroup_name",
            filtering={"campaign_ids": [data.campaign_id], "adgroup_name": web.mark(call)},
        )
        return None if found is None else Made(id=found, name=name)

    return LookUp(find, settle_after_s=SETTLE_AFTER_S)


_MANUAL, _SMART = _find("adgroup/get"), _find("smart_plus/adgroup/get")


@TIKTOK.action(
    "createAdGroup",
    CreateAdGroup,
    Made,
    repeat=_MANUAL,
    why=WHY_NAMED,
    pace=PACE,
    scopes=ADS,
    limits=LIMITS,
    cost=COST,
)
def create_adgroup(call: Call, data: CreateAdGroup) -> Made:
    """Create a manual ad group, switched off."""
    name = named(call, data.name)
    fields = {
        **data.terms(),
        **data.people(),
        **data.as_sent(),
        "adgroup_name": name,
        "placement_type": "PLACEMENT_TYPE_NORMAL" if data.placements else "PLACEMENT_TYPE_AUTOMATIC",
        "placements": list(data.placements) or None,
        "promotion_type": data.promotion_type,
        "pacing": "PACING_MODE_FAST" if data.fast_pacing else "PACING_MODE_SMOOTH",
    }
    return create(
        call, "adgroup/create", fields, name=name, id_field="adgroup_id", find=lambda: _MANUAL.find(call, data)
    )


@TIKTOK.action(
    "createSmartAdGroup",
    CreateSmartAdGroup,
    Made,
    repeat=_SMART,
    why=WHY_NAMED,
    pace=PACE,
    scopes=("Upgraded Smart Plus Ads",),
    limits=(*LIMITS, "30 ad groups per campaign"),
    cost=COST,
)
def create_smart_adgroup(call: Call, data: CreateSmartAdGroup) -> Made:
    """Create a Smart+ ad group, switched off."""
    name = named(call, data.name)
    fields = {
        **data.terms(),
        **(data.as_sent() if data.has_budget else {}),
        "adgroup_name": name,
        "targeting_spec": data.people(),
        "promotion_type": data.promotion_type,
        "request_id": request_id(call),
    }
    return create(
        call,
        "smart_plus/adgroup/create",
        fields,
        name=name,
        id_field="adgroup_id",
        find=lambda: _SMART.find(call, data),
    )


@TIKTOK.action(
    "updateAdGroup",
    UpdateAdGroup,
    Changed,
    repeat=Resend(),
    why=WHY_SET,
    pace=PACE,
    scopes=ADS,
    limits=LIMITS,
    cost="Nothing itself; while the ad group is switched on it goes on spending its budget, at the new bid.",
)
def update_adgroup(call: Call, data: UpdateAdGroup) -> Changed:
    """Change the bid or the end of a manual ad group."""
    fields = {
        "adgroup_id": data.adgroup_id,
        "schedule_end_time": None if data.end_at is None else web.shown_time(data.end_at),
        "bid_price": money(data.bid_price_major),
        "conversion_bid_price": money(data.conversion_bid_price_major),
    }
    web.post(call, "adgroup/update", fields, effect=True)
    return Changed(ids=(data.adgroup_id,))


@TIKTOK.read("listAdGroups", ListAdGroups, AdGroupList, pace=PACE, scopes=ADS, limits=LIMITS)
def list_adgroups(call: Call, data: ListAdGroups) -> AdGroupList:
    """List the advertiser's ad groups, manual or Smart+ ones."""
    filtering = {
        "campaign_ids": list(data.campaign_ids) or None,
        "adgroup_ids": list(data.adgroup_ids) or None,
        **data.with_deleted(),
    }
    return AdGroupList(adgroups=tuple(map(_adgroup, data.rows(call, "adgroup", filtering))))


def _adgroup(row: dict[str, Any]) -> AdGroup:
    return AdGroup(
        id=str(row.get("adgroup_id")),
        name=said(row.get("adgroup_name")),
        campaign_id=said(row.get("campaign_id")),
        operation_status=said(row.get("operation_status")),
        secondary_status=said(row.get("secondary_status")),
        budget_mode=said(row.get("budget_mode")),
        budget_major=number(row.get("budget")),
        start_at=_instant(row.get("schedule_start_time")),
        end_at=_instant(row.get("schedule_end_time")),
    )


def _instant(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(f"{text}+00:00")
    except ValueError:
        return None
