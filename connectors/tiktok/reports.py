"""Reports: how ads did, at once or as a file."""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from connectors.kit.action import Input, Limit, Output, Resend
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, Unavailable
from connectors.tiktok import web
from connectors.tiktok.platform import LIMITS, PACE, REPORTING, TIKTOK, number, said

Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Level = Literal["AUCTION_AD", "AUCTION_ADGROUP", "AUCTION_CAMPAIGN", "AUCTION_ADVERTISER"]

# A report by day spans 30 days at most, one by hour a single day.
_LONGEST_DAYS = {"stat_time_day": 30, "stat_time_hour": 1}
_EVERY_S, _LONGEST_S = 5.0, 3600.0


class Filter(Input):
    """One condition on the rows."""

    field_name: Word = Field(description="Such as campaign_ids or ad_status.")
    filter_type: Literal["IN", "MATCH", "BETWEEN", "GREATER_EQUAL", "GREATER_THAN", "LOWER_EQUAL", "LOWER_THAN"] = (
        Field(description="How to compare.")
    )
    values: tuple[str, ...] = Field(min_length=1, max_length=100, description="What to compare with.")

    def as_sent(self) -> dict[str, str]:
        """As TikTok takes it: the values are JSON in a text."""
        several = self.filter_type in ("IN", "BETWEEN")
        value = json.dumps(list(self.values)) if several else self.values[0]
        return {"field_name": self.field_name, "filter_type": self.filter_type, "filter_value": value}


class GetReport(Input):
    """What to measure, and by what."""

    report_type: Literal["BASIC", "AUDIENCE", "CATALOG"] = Field(default="BASIC", description="Which kind of report.")
    data_level: Level | None = Field(default="AUCTION_CAMPAIGN", description="What each row stands for.")
    dimensions: tuple[Word, ...] = Field(
        default=("campaign_id",), min_length=1, max_length=4, description="An id, and perhaps stat_time_day or a trait."
    )
    metrics: tuple[Word, ...] = Field(
        default=("spend", "impressions", "clicks", "ctr", "cpc", "cpm", "conversion"),
        min_length=1,
        max_length=100,
        description="Names as TikTok gives them.",
    )
    start_date: date | None = Field(default=None, description="First day, in the account's time zone.")
    end_date: date | None = Field(default=None, description="Last day, in the account's time zone.")
    lifetime: bool = Field(default=False, description="Over the whole life, instead of between two days.")
    filters: tuple[Filter, ...] = Field(default=(), max_length=20, description="Conditions that all hold.")
    include_deleted: bool = Field(default=False, description="Whether deleted ads are in it too.")

    @model_validator(mode="after")
    def _spans_what_can_be_asked(self) -> GetReport:
        if self.lifetime:
            if self.start_date is not None or self.end_date is not None:
                raise ValueError("lifetime goes without start_date and end_date")
            return self
        if self.start_date is None or self.end_date is None:
            raise ValueError("start_date and end_date are needed, or lifetime")
        days = (self.end_date - self.start_date).days + 1
        if days < 1:
            raise ValueError("end_date must not be before start_date")
        for dimension, most in _LONGEST_DAYS.items():
            if dimension in self.dimensions and days > most:
                raise ValueError(f"a report by {dimension} spans at most {most} days; this is {days}")
        return self

    def as_sent(self) -> dict[str, Any]:
        """As TikTok takes it."""
        deleted = [{"field_name": "ad_status", "filter_type": "IN", "filter_value": '["STATUS_ALL"]'}]
        filters = [one.as_sent() for one in self.filters] + (deleted if self.include_deleted else [])
        return {
            "report_type": self.report_type,
            "data_level": self.data_level,
            "dimensions": list(self.dimensions),
            "metrics": list(self.metrics),
            "start_date": None if self.start_date is None else str(self.start_date),
            "end_date": None if self.end_date is None else str(self.end_date),
            "query_lifetime": self.lifetime or None,
            "filtering": filters or None,
        }


class Row(Output):
    """One row."""

    dimensions: dict[str, str] = Field(description="What it stands for.")
    metrics: dict[str, float | None] = Field(
        description="Numbers; money in whole units of the account's currency. Null where TikTok has none."
    )
    texts: dict[str, str] = Field(description="What was asked for and is no number, such as campaign_name.")


class Report(Output):
    """How ads did; without rows if nothing was shown."""

    rows: tuple[Row, ...]


class ReportFile(Output):
    """A report as a file."""

    task_id: str
    download_url: str = Field(description="Address of the CSV; whoever knows it may read it, for some hours.")

    def provider_id(self) -> str:
        """The task's id."""
        return self.task_id


@TIKTOK.read("getReport", GetReport, Report, pace=PACE, scopes=REPORTING, limits=LIMITS)
def get_report(call: Call, data: GetReport) -> Report:
    """Measure ads, and answer at once; for much data see getReportFile."""
    found = web.listed(call, "report/integrated/get", **data.as_sent())
    return Report(rows=tuple(map(_row, found)))


@TIKTOK.action(
    "getReportFile",
    GetReport,
    ReportFile,
    repeat=Resend(),
    why="A report changes nothing; it is asked for once and then waited for.",
    effect=False,
    multi_step=True,
    pace=(Limit(2, 1.0, of="action"), Limit(60, 60.0, of="action")),
    scopes=REPORTING,
    limits=("2 looks/s, 60/min and 4,500/day at a report that is being made",),
)
def get_report_file(call: Call, data: GetReport) -> ReportFile:
    """Measure ads in the background, for more data than answers can hold."""

    def begin() -> str:
        fields = {**data.as_sent(), "output_format": "CSV_DOWNLOAD"}
        return str(web.post(call, "report/task/create", fields, effect=False).get("task_id"))

    task = str(call.step("task", begin))
    url = call.wait_for("report", lambda: _finished(call, task), every_s=_EVERY_S, timeout_s=_LONGEST_S)
    return ReportFile(task_id=task, download_url=url)


def _finished(call: Call, task: str) -> str | None:
    found = web.get(call, "report/task/check", advertiser_id=web.advertiser(call), task_id=task)
    status, url = found.get("status"), found.get("download_url")
    if status in ("FAILED", "CANCELED"):
        raise InvalidRequest(f"report task check: TikTok gave the report up ({status}); ask for less")
    if status != "SUCCESS":
        return None
    if not isinstance(url, str) or not url.startswith("https://"):
        raise Unavailable("report task check: TikTok's answer holds no readable address", http_status=200)
    return url


def _row(found: dict[str, Any]) -> Row:
    dimensions, metrics = found.get("dimensions"), found.get("metrics")
    if not isinstance(dimensions, dict) or not isinstance(metrics, dict):
        raise Unavailable("report integrated get: TikTok's answer is not readable", http_status=200)
    texts = {name: said(value) for name, value in metrics.items() if number(value) is None and value != "-"}
    return Row(
        dimensions={name: str(value) for name, value in dimensions.items()},
        metrics={name: number(value) for name, value in metrics.items() if texts.get(name) is None},
        texts={name: value for name, value in texts.items() if value is not None},
    )
