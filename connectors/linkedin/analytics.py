"""How did campaigns do?"""

from __future__ import annotations

import math
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from connectors.kit.action import Output
from connectors.kit.call import Call
from connectors.kit.errors import Unavailable
from connectors.linkedin import web
from connectors.linkedin.ads import AdAccountRef
from connectors.linkedin.platform import LINKEDIN, Digits, ad_account_of

Metric = Annotated[str, StringConstraints(pattern=r"^[a-z][A-Za-z]{1,60}$")]


class GetCampaignAnalytics(AdAccountRef):
    """Which numbers of which campaigns."""

    campaign_ids: tuple[Digits, ...] = Field(
        default=(), max_length=20, description="Only these campaigns; all of the ad account if left out."
    )
    starts_on: date = Field(description="First day, in UTC.")
    ends_on: date = Field(description="Last day, in UTC; it counts too.")
    granularity: Literal["ALL", "DAILY", "MONTHLY", "YEARLY"] = Field(
        default="ALL", description="One row for the whole time, or one for each day, month or year."
    )
    metrics: tuple[Metric, ...] = Field(
        default=("impressions", "clicks", "costInLocalCurrency"),
        min_length=1,
        max_length=18,
        description="LinkedIn's names of the numbers.",
    )

    @model_validator(mode="after")
    def _fits(self) -> GetCampaignAnalytics:
        if self.ends_on < self.starts_on:
            raise ValueError("ends_on must not come before starts_on")
        return self


class AnalyticsRow(Output):
    """Numbers of one campaign in one stretch of time."""

    campaign: str | None = Field(description="Its URN.")
    starts_on: date | None
    ends_on: date | None
    metrics: dict[str, float | None] = Field(description="By LinkedIn's name; costs are in the currency's main unit.")


class Analytics(Output):
    """Numbers of campaigns; what was not shown has no row."""

    rows: tuple[AnalyticsRow, ...]


@LINKEDIN.read("getCampaignAnalytics", GetCampaignAnalytics, Analytics, scopes=("r_ads_reporting",))
def get_campaign_analytics(call: Call, data: GetCampaignAnalytics) -> Analytics:
    """Measure the campaigns of an ad account."""
    if data.campaign_ids:
        of = f"campaigns={web.listed(tuple(f'urn:li:sponsoredCampaign:{one}' for one in data.campaign_ids))}"
    else:
        of = f"accounts={web.listed((f'urn:li:sponsoredAccount:{ad_account_of(call, data.ad_account_id)}',))}"
    query = (
        f"q=analytics&pivot=CAMPAIGN&timeGranularity={data.granularity}"
        f"&dateRange=(start:{_day(data.starts_on)},end:{_day(data.ends_on)})"
        f"&{of}&fields={','.join(('dateRange', 'pivotValues', *data.metrics))}"
    )
    rows = web.get(call, "adAnalytics", query, needs=("elements",))["elements"]
    if not isinstance(rows, list):
        raise Unavailable("LinkedIn's analytics cannot be read")
    return Analytics(rows=tuple(_row(one, data) for one in rows if isinstance(one, dict)))


def _day(day: date) -> str:
    return f"(year:{day.year},month:{day.month},day:{day.day})"


def _row(found: dict[str, Any], data: GetCampaignAnalytics) -> AnalyticsRow:
    pivots, stretch = found.get("pivotValues"), found.get("dateRange")
    ends = stretch if isinstance(stretch, dict) else {}
    return AnalyticsRow(
        campaign=pivots[0] if isinstance(pivots, list) and pivots and isinstance(pivots[0], str) else None,
        starts_on=_date(ends.get("start")),
        ends_on=_date(ends.get("end")),
        metrics={name: _number(found.get(name)) for name in data.metrics},
    )


def _date(found: Any) -> date | None:
    try:
        return date(found["year"], found["month"], found["day"])
    except (KeyError, TypeError, ValueError):
        return None


def _number(value: Any) -> float | None:
    # Costs come as texts, so that nothing of them is lost on the way.
    try:
        number = float(value) if isinstance(value, (int, float, str)) else math.nan
    except (OverflowError, ValueError):
        return None
    return number if math.isfinite(number) else None
