"""Insights: how a post, or the whole account, did. Up to 48 hours late."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from connectors.dialects.meta_graph import NodeId
from connectors.instagram import api
from connectors.instagram.platform import INSTAGRAM
from connectors.kit.action import Input, Output
from connectors.kit.call import Call
from connectors.kit.errors import Unavailable
from connectors.kit.fields import UtcDatetime

Metric = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,64}$")]

_MOST_DAYS = 30


class GetInsights(Input):
    """What to measure: one post, reel or story, or the whole account."""

    media_id: NodeId | None = Field(default=None, description="The media; the account if left out.")
    metrics: tuple[Metric, ...] = Field(
        default=("reach", "views", "likes", "comments", "saved", "shares", "total_interactions"),
        min_length=1,
        max_length=25,
        description="Names as Instagram gives them, such as views; which ones there are depends on the media.",
    )
    period: Literal["day", "week", "days_28", "lifetime"] | None = Field(
        default=None, description="Span of each value; lifetime for media and day for the account if left out."
    )
    since: UtcDatetime | None = Field(default=None, description="For the account: from then, with until.")
    until: UtcDatetime | None = Field(default=None, description="For the account: up to then, 30 days at most.")

    @model_validator(mode="after")
    def _spans_what_can_be_asked(self) -> GetInsights:
        if (self.since is None) != (self.until is None):
            raise ValueError("since and until belong together")
        if self.since is None or self.until is None:
            return self
        if self.media_id is not None:
            raise ValueError("since and until are for the account, not for one media")
        if not 0 < (self.until - self.since).total_seconds() <= _MOST_DAYS * 86_400:
            raise ValueError(f"until must follow since by at most {_MOST_DAYS} days")
        return self


class Reading(Output):
    """One value of a metric."""

    value: int | float | dict[str, Any] = Field(description="A number, or numbers by name.")
    end_time: datetime | None = Field(default=None, description="End of the span it stands for.")


class Measured(Output):
    """One metric."""

    name: str
    period: str
    readings: tuple[Reading, ...]


class Insights(Output):
    """What was measured; a metric that Instagram has no value for is not there."""

    metrics: tuple[Measured, ...]


@INSTAGRAM.read(
    "getInsights",
    GetInsights,
    Insights,
    scopes=("instagram_business_basic", "instagram_business_manage_insights"),
    limits=("up to 48 h late", "a story's metrics are gone after 24 h"),
)
def get_insights(call: Call, data: GetInsights) -> Insights:
    """Measure a post, a story or the account."""
    of_account = data.media_id is None
    found = api.graph(call).get(
        f"{data.media_id or api.account(call).ig_user_id}/insights",
        needs=("data",),
        metric=",".join(data.metrics),
        period=data.period or ("day" if of_account else None),
        metric_type="total_value" if of_account else None,
        since=None if data.since is None else int(data.since.timestamp()),
        until=None if data.until is None else int(data.until.timestamp()),
    )
    try:
        return Insights(metrics=tuple(_measured(row) for row in found["data"]))
    except (KeyError, TypeError, AttributeError, ValueError):
        raise Unavailable("insights: Meta's answer is not readable", http_status=200) from None


def _measured(row: dict[str, Any]) -> Measured:
    values = [row["total_value"]] if "total_value" in row else row["values"]
    return Measured(
        name=row["name"],
        period=row["period"],
        readings=tuple(Reading(value=one["value"], end_time=one.get("end_time")) for one in values),
    )
