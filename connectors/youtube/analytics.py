"""How did videos do? Counts as of now, and reports by day or video, which are two to three days late."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from connectors.dialects.google_api import Answer
from connectors.kit.action import Input, Output
from connectors.kit.call import Call
from connectors.kit.errors import Unavailable
from connectors.youtube.platform import READ, READS, REPORTS, YOUTUBE, VideoId, analytics_api, data_api

Metric = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9]{1,64}$")]

_MOST_VIDEOS = 50
_KEEP = "YouTube's terms: stored statistics must be refreshed or deleted within 30 days"


class _Statistics(Answer):
    # YouTube sends counts as text, and leaves out what the channel hides.
    view_count: int | None = None
    like_count: int | None = None
    comment_count: int | None = None


class _Counted(Answer):
    id: str
    statistics: _Statistics = _Statistics()


class _CountedVideos(Answer):
    items: tuple[_Counted, ...] = ()


class _Column(Answer):
    name: str


class _Report(Answer):
    column_headers: tuple[_Column, ...] = ()
    rows: tuple[tuple[int | float | str | None, ...], ...] = ()


class GetVideoStats(Input):
    """Up to 50 videos of any channel."""

    video_ids: tuple[VideoId, ...] = Field(min_length=1, max_length=_MOST_VIDEOS, description="1 to 50 ids.")


class VideoStats(Output):
    """A video's counts as of now; null where the channel hides them."""

    video_id: str
    views: int | None = None
    likes: int | None = None
    comments: int | None = None


class VideosStats(Output):
    """The counts of all that are there."""

    videos: tuple[VideoStats, ...]
    missing: tuple[str, ...] = Field(description="Ids of videos that are deleted, or another channel's and private.")


class GetAnalytics(Input):
    """What to measure of the channel, or of some of its videos."""

    start: date = Field(description="First day, in Pacific time.")
    end: date = Field(description="Last day, in Pacific time; the last two or three days are not counted yet.")
    metrics: tuple[Metric, ...] = Field(
        default=("views", "estimatedMinutesWatched", "averageViewDuration", "likes", "comments", "shares"),
        min_length=1,
        max_length=25,
        description="Names as YouTube gives them, such as views or subscribersGained.",
    )
    by: Literal["day", "video"] | None = Field(default="day", description="One row each; one in all if null.")
    video_ids: tuple[VideoId, ...] = Field(
        default=(), max_length=_MOST_VIDEOS, description="Only these videos; the whole channel if left out."
    )
    count: int = Field(default=200, ge=1, le=200, description="Rows of a page, at most 200.")
    first: int = Field(default=1, ge=1, le=100_000, description="The first row of the page, from 1.")

    @model_validator(mode="after")
    def _in_order(self) -> GetAnalytics:
        if self.start > self.end:
            raise ValueError("start must not be after end")
        return self


class Analytics(Output):
    """Rows of figures by name; with ``by`` each also holds its day or video."""

    rows: tuple[dict[str, int | float | str | None], ...] = Field(
        description="Days for which not all the figures are counted yet are left out."
    )


@YOUTUBE.read(
    "getVideoStats", GetVideoStats, VideosStats, pace=READS, scopes=(READ,), limits=("50 videos", "1 unit", _KEEP)
)
def get_video_stats(call: Call, data: GetVideoStats) -> VideosStats:
    """Read how often videos were seen, liked and commented on."""
    found = data_api(call).get(
        _CountedVideos, "videos.list", "videos", part="statistics", id=",".join(dict.fromkeys(data.video_ids))
    )
    videos = tuple(
        VideoStats(
            video_id=one.id,
            views=one.statistics.view_count,
            likes=one.statistics.like_count,
            comments=one.statistics.comment_count,
        )
        for one in found.items
    )
    known = {one.video_id for one in videos}
    return VideosStats(videos=videos, missing=tuple(one for one in dict.fromkeys(data.video_ids) if one not in known))


@YOUTUBE.read(
    "getAnalytics",
    GetAnalytics,
    Analytics,
    pace=READS,
    scopes=(REPORTS,),
    limits=("two to three days late", "200 rows", _KEEP),
)
def get_analytics(call: Call, data: GetAnalytics) -> Analytics:
    """Read a report about the channel or its videos."""
    params: dict[str, Any] = {
        "ids": "channel==MINE",
        "startDate": data.start.isoformat(),
        "endDate": data.end.isoformat(),
        "metrics": ",".join(data.metrics),
        "dimensions": data.by,
        "filters": f"video=={','.join(data.video_ids)}" if data.video_ids else None,
        # By video, YouTube only gives the first ones of an order.
        "sort": None if data.by is None else "day" if data.by == "day" else f"-{data.metrics[0]}",
        "maxResults": data.count,
        "startIndex": data.first,
    }
    found = analytics_api(call).get(_Report, "reports.query", "reports", **params)
    names = [column.name for column in found.column_headers]
    if any(len(row) != len(names) for row in found.rows):
        raise Unavailable("reports.query: a row has not as many figures as there are columns")
    return Analytics(rows=tuple(dict(zip(names, row, strict=True)) for row in found.rows))
