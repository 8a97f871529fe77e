"""How do campaigns do? Their figures by day or in all."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import Field, model_validator

from connectors.google_ads import api
from connectors.google_ads.platform import GOOGLE_ADS, CampaignId, number, part, whole
from connectors.kit.action import Input, Output
from connectors.kit.call import Call

_METRICS = (
    "metrics.impressions, metrics.clicks, metrics.cost_micros, metrics.conversions, metrics.conversions_value,"
    " metrics.ctr, metrics.average_cpc"
)


class GetCampaignMetrics(Input):
    """Whose figures, and of which days."""

    campaign_ids: tuple[CampaignId, ...] = Field(
        default=(), max_length=1000, description="Only these; all campaigns if left out."
    )
    since: date = Field(description="First day, in the account's time zone; at most 37 months ago.")
    until: date = Field(description="Last day, in the account's time zone.")
    by_day: bool = Field(default=False, description="A row for each day on which something happened.")

    @model_validator(mode="after")
    def _in_order(self) -> GetCampaignMetrics:
        if self.until < self.since:
            raise ValueError("until must not be before since")
        return self


class CampaignMetrics(Output):
    """Figures of one campaign; conversions may still come for weeks."""

    campaign_id: str
    name: str | None
    day: date | None = Field(description="In the account's time zone; null where the days are summed up.")
    impressions: int
    clicks: int
    cost_micros: int = Field(description="In micros of the account's currency.")
    conversions: float
    conversions_value: float = Field(description="In the account's currency.")
    ctr: float = Field(description="Clicks for each impression, 0 to 1.")
    average_cpc_micros: float = Field(description="In micros of the account's currency.")


class MetricsReport(Output):
    """Figures of campaigns; a day without any has no row."""

    rows: tuple[CampaignMetrics, ...]


def _row(row: dict[str, Any]) -> CampaignMetrics | None:
    campaign, found = part(row, "campaign"), part(row, "metrics")
    if "id" not in campaign:
        return None
    day = part(row, "segments").get("date")
    return CampaignMetrics(
        campaign_id=str(campaign["id"]),
        name=campaign.get("name"),
        day=_day(day),
        impressions=whole(found.get("impressions")),
        clicks=whole(found.get("clicks")),
        cost_micros=whole(found.get("costMicros")),
        conversions=number(found.get("conversions")),
        conversions_value=number(found.get("conversionsValue")),
        ctr=number(found.get("ctr")),
        average_cpc_micros=number(found.get("averageCpc")),
    )


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


@GOOGLE_ADS.read("getCampaignMetrics", GetCampaignMetrics, MetricsReport, scopes=api.SCOPES, limits=api.LIMITS)
def get_campaign_metrics(call: Call, data: GetCampaignMetrics) -> MetricsReport:
    """Fetch figures of campaigns: impressions, clicks, cost, conversions."""
    selected = f"campaign.id, campaign.name, {'segments.date, ' if data.by_day else ''}{_METRICS}"
    conditions = f"segments.date BETWEEN '{data.since}' AND '{data.until}'"
    if data.campaign_ids:
        conditions += f" AND campaign.id IN ({', '.join(data.campaign_ids)})"
    order = ("ORDER BY segments.date",) if data.by_day else ()
    rows = api.stream(call, " ".join(("SELECT", selected, "FROM campaign WHERE", conditions, *order)))
    return MetricsReport(rows=tuple(one for one in map(_row, rows) if one is not None))
