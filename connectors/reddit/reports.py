"""How did campaigns do?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any, Literal, TypeAlias
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from connectors.kit.action import Limit, Output
from connectors.kit.call import Call
from connectors.kit.errors import Unavailable
from connectors.kit.fields import UtcDatetime
from connectors.reddit import ads_api, api
from connectors.reddit.platform import REDDIT, AdAccountRef, ad_account_of

Breakdown = Literal[
    "AD_ACCOUNT_ID",
    "AD_GROUP_ID",
    "AD_ID",
    "CAMPAIGN_ID",
    "COUNTRY",
    "DATE",
    "HOUR",
    "DMA",
    "METRO",
    "CAROUSEL_CARD",
    "GALLERY_ITEM_ID",
    "GENDER",
    "INTEREST",
    "KEYWORD",
    "PLACEMENT",
    "OS_TYPE",
    "ASSET_ID",
    "REGION",
    "COMMUNITY",
    "LANGUAGE",
]
Figure: TypeAlias = "str | int | float | bool | None"
Metric = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{1,80}$")]


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("must be an IANA zone such as America/New_York")
    return name


class GetReport(AdAccountRef):
    """Which numbers of which time."""

    starts_at: UtcDatetime = Field(description="When it begins: a whole hour, with offset; at most 24 months ago.")
    ends_at: UtcDatetime = Field(description="When it ends: a whole hour, with offset.")
    fields: tuple[Metric, ...] = Field(
        default=("IMPRESSIONS", "CLICKS", "SPEND"),
        min_length=1,
        max_length=100,
        description="Reddit's names of the numbers. SPEND, CPC and ECPM are in millionths, conversion values in cents.",
    )
    breakdowns: tuple[Breakdown, ...] = Field(
        default=("CAMPAIGN_ID",), description="One row for each: at most 3, or 4 with COUNTRY and REGION."
    )
    time_zone_id: Annotated[str, AfterValidator(_known_zone)] | None = Field(
        default=None, description="IANA zone that days are counted in; the ad account's if left out."
    )
    limit: int = Field(default=1000, ge=1, le=20_000, description="At most so many rows.")

    @model_validator(mode="after")
    def _fits(self) -> GetReport:
        for name, at in (("starts_at", self.starts_at), ("ends_at", self.ends_at)):
            if (at.minute, at.second, at.microsecond) != (0, 0, 0):
                raise ValueError(f"{name} must be a whole hour in UTC")
        if self.ends_at <= self.starts_at:
            raise ValueError("ends_at must come after starts_at")
        most = 4 if {"COUNTRY", "REGION"} <= set(self.breakdowns) else 3
        if len(set(self.breakdowns)) != len(self.breakdowns) or len(self.breakdowns) > most:
            raise ValueError(f"breakdowns: at most {most} different ones")
        return self


class Report(Output):
    """Numbers as Reddit gives them, by its names in lower case; what was not delivered has no row."""

    rows: tuple[dict[str, Figure], ...]
    updated_at: str | None = Field(description="When Reddit last counted; numbers settle in about six hours.")


@REDDIT.read(
    "getReport",
    GetReport,
    Report,
    pace=(Limit(60, per_s=60, of="action"),),
    scopes=ads_api.READ,
    limits=("60 reports/min", "24 months back; by keyword about 10 days"),
)
def get_report(call: Call, data: GetReport) -> Report:
    """Measure an ad account's campaigns, ad groups or ads."""
    fields = {
        "starts_at": ads_api.zulu(data.starts_at),
        "ends_at": ads_api.zulu(data.ends_at),
        "fields": list(data.fields),
        "breakdowns": list(data.breakdowns),
        "time_zone_id": data.time_zone_id,
    }
    path = f"/ad_accounts/{ad_account_of(call, data.ad_account_id)}/reports"
    updated: list[str] = []
    rows = _rows(call, path, {"data": ads_api.given(fields)}, min(data.limit, 1000), updated)
    found = tuple(islice(rows, data.limit))
    return Report(rows=found, updated_at=updated[0] if updated else None)


def _rows(call: Call, path: str, body: dict[str, Any], size: int, updated: list[str]) -> Iterator[dict[str, Figure]]:
    for answer in ads_api.paged(call, "POST", path, params={"page.size": size}, body=body):
        content = api.json_of(answer)
        data = content.get("data") if isinstance(content, dict) else None
        # Its contract says one object; the service has been seen to answer a list of one.
        parts = data if isinstance(data, list) else [data]
        for part in parts:
            if not isinstance(part, dict) or not isinstance(part.get("metrics"), list):
                raise Unavailable("Reddit's report cannot be read")
            updated += [one for one in (api.text(part.get("metrics_updated_at")),) if one is not None]
            yield from (_plain(row) for row in part["metrics"] if isinstance(row, dict))


def _plain(row: dict[str, Any]) -> dict[str, Figure]:
    """The figures of a row; nothing else belongs there."""
    return {name: value for name, value in row.items() if _is_figure(value)}


def _is_figure(value: Any) -> bool:
    return math.isfinite(value) if isinstance(value, float) else value is None or isinstance(value, (str, int))
