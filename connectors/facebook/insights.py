"""Insights: how ads did, and how the Page and its posts did. Numbers settle for up to 72 hours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from connectors.dialects.meta_graph import NodeId
from connectors.facebook import api
from connectors.facebook.kept_posts import PostId
from connectors.facebook.platform import ADS_READ, FACEBOOK, decimal, said, whole
from connectors.kit.action import Input, Output, Resend
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, Unavailable
from connectors.kit.fields import UtcDatetime

FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]

_LATE = "numbers settle for up to 72 h, what followed a click or view for 28 days"
_LIMITS = (_LATE, "190,000 calls an hour per ad account in the standard tier")
_SHOWN = ("impressions", "reach", "clicks", "spend", "ctr", "cpc", "cpm", "frequency", "actions")
_NAMES = ("account_id", "campaign_id", "campaign_name", "adset_id", "adset_name", "ad_id", "ad_name")
_EVERY_S, _LONGEST_S = 15.0, 3600.0


class GetInsights(Input):
    """What to measure of ads: one object of the ad account, or the whole account."""

    object_id: NodeId | None = Field(
        default=None, description="A campaign, an ad set or an ad; the ad account if left out."
    )
    level: Literal["account", "campaign", "adset", "ad"] | None = Field(
        default=None, description="What each row stands for; the object itself if left out."
    )
    fields: tuple[FieldName, ...] = Field(
        default=("impressions", "reach", "clicks", "spend", "actions"),
        min_length=1,
        max_length=60,
        description="Metrics and names as Meta gives them, such as impressions, spend or campaign_name.",
    )
    date_preset: Literal["last_3d", "last_7d", "last_14d", "last_28d", "last_30d", "last_90d", "maximum"] | None = (
        Field(default=None, description="Days to measure, instead of since and until; the last 30 if all are left out.")
    )
    since: date | None = Field(default=None, description="First day, in the account's time zone; with until.")
    until: date | None = Field(default=None, description="Last day, in the account's time zone; with since.")
    days_per_row: int | None = Field(default=None, ge=1, le=90, description="Days in each row; all if left out.")
    breakdowns: tuple[FieldName, ...] = Field(
        default=(), max_length=4, description="What to split rows by, such as age, gender or country."
    )

    @model_validator(mode="after")
    def _spans_some_days(self) -> GetInsights:
        if (self.since is None) != (self.until is None):
            raise ValueError("since and until belong together")
        if self.since is not None and self.date_preset is not None:
            raise ValueError("one of date_preset and since with until, not both")
        if self.since is not None and self.until is not None and self.until < self.since:
            raise ValueError("until must not be before since")
        return self


class InsightsRow(Output):
    """One row; a metric that Meta has no value for is null."""

    date_start: str | None
    date_stop: str | None
    impressions: int | None = None
    reach: int | None = None
    clicks: int | None = None
    spend: float | None = Field(default=None, description="In major units of the account's currency.")
    ctr: float | None = Field(default=None, description="Clicks per impression, in percent.")
    cpc: float | None = Field(default=None, description="Cost of a click, in major units.")
    cpm: float | None = Field(default=None, description="Cost of a thousand impressions, in major units.")
    frequency: float | None = None
    actions: dict[str, float] = Field(description="What people did, by action type.")
    of: dict[str, str] = Field(description="Ids, names and breakdowns that the row stands for.")
    more: dict[str, float] = Field(description="Other metrics that were asked for and are plain numbers.")


class Insights(Output):
    """How ads did; without rows if nothing was shown."""

    rows: tuple[InsightsRow, ...]


def _query(data: GetInsights) -> dict[str, Any]:
    span = None if data.since is None else {"since": str(data.since), "until": str(data.until)}
    return {
        "level": data.level,
        "fields": ",".join(data.fields),
        "date_preset": data.date_preset,
        "time_range": span,
        "time_increment": None if data.days_per_row is None else str(data.days_per_row),
        "breakdowns": ",".join(data.breakdowns) or None,
    }


def _rows(found: Iterator[dict[str, Any]], breakdowns: tuple[str, ...]) -> Insights:
    names = (*_NAMES, *breakdowns)
    return Insights(rows=tuple(_row(one, names) for one in found))


def _row(one: dict[str, Any], names: tuple[str, ...]) -> InsightsRow:
    known = {"date_start", "date_stop", *_SHOWN, *names}
    others = {name: decimal(value) for name, value in one.items() if name not in known}
    actions = one.get("actions")
    return InsightsRow(
        date_start=said(one.get("date_start")),
        date_stop=said(one.get("date_stop")),
        impressions=whole(one.get("impressions")),
        reach=whole(one.get("reach")),
        clicks=whole(one.get("clicks")),
        **{name: decimal(one.get(name)) for name in ("spend", "ctr", "cpc", "cpm", "frequency")},
        actions=dict(_actions(actions if isinstance(actions, list) else [])),
        of={name: str(one[name]) for name in names if one.get(name) is not None},
        more={name: value for name, value in others.items() if value is not None},
    )


def _actions(found: list[Any]) -> Iterator[tuple[str, float]]:
    for one in found:
        kind, value = (one.get("action_type"), decimal(one.get("value"))) if isinstance(one, dict) else (None, None)
        if isinstance(kind, str) and value is not None:
            yield kind, value


@FACEBOOK.read("getInsights", GetInsights, Insights, scopes=ADS_READ, limits=_LIMITS)
def get_insights(call: Call, data: GetInsights) -> Insights:
    """Measure ads, and answer at once; for much data see getInsightsReport."""
    query = _query(data)
    span = query.pop("time_range")
    path = f"{data.object_id or api.account(call)}/insights"
    found = api.listed(api.graph(call), path, time_range=None if span is None else json.dumps(span), **query)
    return _rows(found, data.breakdowns)


@FACEBOOK.action(
    "getInsightsReport",
    GetInsights,
    Insights,
    repeat=Resend(),
    why="A report changes nothing; it is asked for once and then waited for.",
    effect=False,
    multi_step=True,
    scopes=ADS_READ,
    limits=(*_LIMITS, "a report is kept for 30 days"),
)
def get_insights_report(call: Call, data: GetInsights) -> Insights:
    """Measure ads in the background, for more data than one answer can hold."""
    source, path = api.graph(call), f"{data.object_id or api.account(call)}/insights"

    def begin() -> str:
        made = source.post(path, _query(data), effect=False, needs=("report_run_id",))
        return str(made["report_run_id"])

    report = str(call.step("report", begin))
    if not report.isdigit():
        raise Unavailable("insights: Meta's answer is not readable", http_status=200)

    def finished() -> bool | None:
        found = source.get(report, needs=("async_status",), fields="async_status,async_percent_completion")
        if found["async_status"] in ("Job Failed", "Job Skipped"):
            raise InvalidRequest(f"insights: Meta gave the report up ({found['async_status']}); ask for less")
        return True if found["async_status"] == "Job Completed" else None

    call.wait_for("report", finished, every_s=_EVERY_S, timeout_s=_LONGEST_S)
    return _rows(api.listed(source, f"{report}/insights"), data.breakdowns)


class GetPageInsights(Input):
    """What to measure of the Page, or of one of its posts."""

    post_id: PostId | None = Field(default=None, description="The post; the Page if left out.")
    metrics: tuple[FieldName, ...] = Field(
        min_length=1,
        max_length=25,
        description="Such as page_media_view, page_post_engagements or page_daily_follows; post_clicks for a post.",
    )
    period: Literal["day", "week", "days_28", "lifetime"] | None = Field(
        default=None, description="Span of each value; lifetime for a post and day for the Page if left out."
    )
    since: UtcDatetime | None = Field(default=None, description="For the Page: from then, with until.")
    until: UtcDatetime | None = Field(default=None, description="For the Page: up to then, 90 days at most.")

    @model_validator(mode="after")
    def _spans_what_can_be_asked(self) -> GetPageInsights:
        if (self.since is None) != (self.until is None):
            raise ValueError("since and until belong together")
        if self.since is None or self.until is None:
            return self
        if not 0 < (self.until - self.since).total_seconds() <= 90 * 86_400:
            raise ValueError("until must follow since by at most 90 days")
        return self


class Reading(Output):
    """One value of a metric."""

    value: int | float | dict[str, Any] = Field(description="A number, or numbers by name.")
    end_time: datetime | None = Field(default=None, description="End of the span it stands for.")


class Measured(Output):
    """One metric."""

    name: str
    period: str | None
    readings: tuple[Reading, ...]


class PageInsights(Output):
    """What was measured; a metric that Facebook has no value for is not there."""

    metrics: tuple[Measured, ...]


@FACEBOOK.read(
    "getPageInsights", GetPageInsights, PageInsights, scopes=("read_insights", "pages_read_engagement"), limits=(_LATE,)
)
def get_page_insights(call: Call, data: GetPageInsights) -> PageInsights:
    """Measure the Page or a post."""
    found = api.page_graph(call).get(
        f"{data.post_id or api.page(call)}/insights",
        needs=("data",),
        metric=",".join(data.metrics),
        period=data.period or ("day" if data.post_id is None else "lifetime"),
        since=None if data.since is None else int(data.since.timestamp()),
        until=None if data.until is None else int(data.until.timestamp()),
    )
    try:
        return PageInsights(metrics=tuple(_measured(row) for row in api.rows(found, "insights")))
    except (KeyError, TypeError, AttributeError, ValueError):
        raise Unavailable("insights: Meta's answer is not readable", http_status=200) from None


def _measured(row: dict[str, Any]) -> Measured:
    readings = tuple(Reading(value=one["value"], end_time=one.get("end_time")) for one in row["values"])
    return Measured(name=row["name"], period=said(row.get("period")), readings=readings)
