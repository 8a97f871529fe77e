"""Search analytics: how often pages were shown and clicked in Google's search, for which queries."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Literal

from pydantic import Field, model_validator

from connectors.dialects.google_api import Answer, segment
from connectors.google_search_console import api
from connectors.google_search_console.api import SITE_URL, SiteUrl
from connectors.google_search_console.platform import GOOGLE_SEARCH_CONSOLE
from connectors.kit.action import Input, Limit, Output
from connectors.kit.call import Call
from connectors.kit.errors import Unavailable

Dimension = Literal["date", "hour", "query", "page", "country", "device", "searchAppearance"]
FilterBy = Literal["query", "page", "country", "device", "searchAppearance"]
Operator = Literal["equals", "notEquals", "contains", "notContains", "includingRegex", "excludingRegex"]
Kind = Literal["web", "image", "video", "news", "discover", "googleNews"]
Aggregation = Literal["auto", "byPage", "byProperty", "byNewsShowcasePanel"]

_AGGREGATIONS = ("auto", "byPage", "byProperty", "byNewsShowcasePanel")
_HOURLY_DAYS = 10


class Filter(Input):
    """What rows must have."""

    dimension: FilterBy = Field(description="What is compared.")
    operator: Operator = Field(default="equals", description="How; the two of regex take RE2.")
    expression: str = Field(
        min_length=1,
        max_length=4096,
        description="What with: a country as three small letters, a device as DESKTOP, MOBILE or TABLET.",
    )


class QuerySearchAnalytics(Input):
    """Which figures to ask for. Days are those of Pacific time, and the latest two or three are not final."""

    site_url: SiteUrl = SITE_URL
    start_date: date = Field(description="First day, YYYY-MM-DD, Pacific time.")
    end_date: date = Field(description="Last day, included.")
    dimensions: tuple[Dimension, ...] = Field(
        default=(), max_length=7, description="What rows are grouped by; one row for everything if left out."
    )
    filters: tuple[Filter, ...] = Field(default=(), max_length=100, description="Only rows that fit all of these.")
    kind: Kind = Field(default="web", description="Which search.")
    aggregation: Aggregation = Field(default="auto", description="Whether a search that shows two pages counts twice.")
    data_state: Literal["final", "all", "hourly_all"] = Field(
        default="final", description="all: fresh days too, which still change; hourly_all: with dimension hour."
    )
    row_limit: int = Field(default=1000, ge=1, le=25_000, description="Most rows of a page.")
    start_row: int = Field(default=0, ge=0, le=10_000_000, description="Rows to leave out: next_start_row goes on.")

    @model_validator(mode="after")
    def _can_be_asked(self) -> QuerySearchAnalytics:
        if self.end_date < self.start_date:
            raise ValueError("end_date must not be before start_date")
        if len(set(self.dimensions)) != len(self.dimensions):
            raise ValueError("each of dimensions may stand once")
        if "searchAppearance" in self.dimensions and len(self.dimensions) > 1:
            raise ValueError("searchAppearance must be the only one of dimensions; then filter by it")
        self._check_hours()
        self._check_aggregation()
        return self

    def _check_hours(self) -> None:
        if ("hour" in self.dimensions) != (self.data_state == "hourly_all"):
            raise ValueError("dimension hour and data_state hourly_all belong together")
        if self.data_state == "hourly_all" and self.end_date - self.start_date > timedelta(days=_HOURLY_DAYS):
            raise ValueError(f"hours are kept for {_HOURLY_DAYS} days")

    def _check_aggregation(self) -> None:
        if self.aggregation != "byProperty":
            return
        by_page = "page" in self.dimensions or any(one.dimension == "page" for one in self.filters)
        if by_page or self.kind in ("discover", "googleNews"):
            raise ValueError("aggregation byProperty goes neither with page nor with kind discover or googleNews")


class Row(Output):
    """The figures of one group."""

    keys: tuple[str, ...] = Field(description="The group, in the order of dimensions.")
    clicks: float
    impressions: float
    ctr: float = Field(description="Clicks per impression, 0 to 1.")
    position: float | None = Field(description="Average place, from 1; average it by impressions.")


class SearchAnalytics(Output):
    """A page of figures; rare queries are left out, so that they add up to less than the totals."""

    rows: tuple[Row, ...]
    next_start_row: int | None = Field(description="Gives the next page; null if this is the last one.")
    aggregation: str | None = Field(description="How it was counted: byPage or byProperty.")
    first_incomplete_date: str | None = Field(description="From this day on figures still change.")
    first_incomplete_hour: str | None = Field(description="From this hour on figures still change.")


class _Row(Answer):
    keys: tuple[str, ...] = ()
    clicks: float = 0.0
    impressions: float = 0.0
    ctr: float = 0.0
    position: float | None = None


class _Metadata(Answer):
    first_incomplete_date: str | None = None
    first_incomplete_hour: str | None = None


class _Found(Answer):
    rows: tuple[_Row, ...] = ()
    response_aggregation_type: api.Folded | None = None
    metadata: _Metadata = _Metadata()


def _body(data: QuerySearchAnalytics) -> dict[str, Any]:
    filters = [one.model_dump(mode="json") for one in data.filters]
    return {
        "startDate": data.start_date.isoformat(),
        "endDate": data.end_date.isoformat(),
        "dimensions": list(data.dimensions) or None,
        "dimensionFilterGroups": [{"groupType": "and", "filters": filters}] if filters else None,
        "type": data.kind,
        "aggregationType": data.aggregation,
        "dataState": data.data_state,
        "rowLimit": data.row_limit,
        "startRow": data.start_row,
    }


@GOOGLE_SEARCH_CONSOLE.read(
    "querySearchAnalytics",
    QuerySearchAnalytics,
    SearchAnalytics,
    scopes=(api.READ,),
    target=lambda data: data.site_url,
    pace=(Limit(1200, per_s=60.0, of="target"),),
    limits=(
        "1,200/min per property",
        "a load quota per 10 minutes and day: ask for one day at a time and keep it",
        "about 16 months back",
    ),
)
def query_search_analytics(call: Call, data: QuerySearchAnalytics) -> SearchAnalytics:
    """Query clicks, impressions, click rate and position in Google's search."""
    path = f"sites/{segment(data.site_url)}/searchAnalytics/query"
    found = api.console(call).post(_Found, "searchanalytics.query", path, _body(data), effect=False)
    if any(len(row.keys) != len(data.dimensions) for row in found.rows):
        raise Unavailable("searchanalytics.query: the rows do not have the dimensions that were asked for")
    full = len(found.rows) >= data.row_limit
    return SearchAnalytics(
        rows=tuple(Row(**row.model_dump()) for row in found.rows),
        next_start_row=data.start_row + len(found.rows) if full else None,
        aggregation=api.known(found.response_aggregation_type, _AGGREGATIONS),
        first_incomplete_date=found.metadata.first_incomplete_date,
        first_incomplete_hour=found.metadata.first_incomplete_hour,
    )
