"""How does a post do? Its counts now, and over time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from connectors.kit.action import Input, Limit, Output
from connectors.kit.fields import UtcDatetime
from connectors.x import web
from connectors.x.platform import READ, X, XId
from connectors.x.posts import TweetRef

if TYPE_CHECKING:
    from connectors.kit.call import Call

_COUNTS = "impressions engagements likes replies retweets quote_tweets bookmarks url_clicks user_profile_clicks follows"


class Metrics(Output):
    """What X counts of a post; null where it does not say."""

    impressions: int | None = None
    likes: int | None = None
    replies: int | None = None
    reposts: int | None = None
    quotes: int | None = None
    bookmarks: int | None = None


class TweetMetrics(Metrics):
    """What X counts of one post."""

    id: str
    created_at: datetime | None
    url_clicks: int | None = Field(default=None, description="Clicks on its addresses; own posts of 30 days only.")
    profile_clicks: int | None = Field(default=None, description="Clicks on its author; own posts of 30 days only.")


class GetTweetMetrics(TweetRef):
    """Which post to count."""

    private: bool = Field(default=False, description="Also what only its author sees, in its first 30 days.")


def metrics_of(post: Mapping[str, Any]) -> Metrics:
    """X's public counts; asked within ``web.reading``. X calls reposts by an old and a new name."""
    counts = post.get("public_metrics") or {}
    reposts = counts.get("repost_count")
    return Metrics(
        impressions=counts.get("impression_count"),
        likes=counts.get("like_count"),
        replies=counts.get("reply_count"),
        reposts=counts.get("retweet_count") if reposts is None else reposts,
        quotes=counts.get("quote_count"),
        bookmarks=counts.get("bookmark_count"),
    )


@X.read(
    "getTweetMetrics",
    GetTweetMetrics,
    TweetMetrics,
    pace=(Limit(900, per_s=900, of="action"),),
    scopes=READ,
    limits=("0.005 USD, own posts 0.001 USD", "private counts: own posts of the last 30 days"),
)
def get_tweet_metrics(call: Call, data: GetTweetMetrics) -> TweetMetrics:
    """Tell how often a post was seen, liked, answered and shared."""
    fields = ("public_metrics", "created_at", *(("non_public_metrics",) if data.private else ()))
    found = web.get(call, f"/2/tweets/{data.tweet_id}", fields=fields)
    with web.reading():
        post = found["data"]
        own = post.get("non_public_metrics") or {}
        return TweetMetrics(
            **metrics_of(post).model_dump(),
            id=post["id"],
            created_at=post.get("created_at"),
            url_clicks=own.get("url_link_clicks"),
            profile_clicks=own.get("user_profile_clicks"),
        )


class GetTweetAnalytics(Input):
    """Which of the account's own posts to count over time."""

    tweet_ids: tuple[XId, ...] = Field(min_length=1, max_length=100, description="At most 100 ids.")
    since: UtcDatetime = Field(description="From when, with offset.")
    until: UtcDatetime = Field(description="Until when, with offset.")
    granularity: Literal["hourly", "daily", "weekly", "total"] = Field(default="total", description="One row for each.")

    @model_validator(mode="after")
    def _in_order(self) -> GetTweetAnalytics:
        if self.until - self.since < timedelta(seconds=1):
            raise ValueError("until must be after since")
        return self


class AnalyticsRow(Output):
    """The counts of one post in one span; those that X does not tell are left out."""

    id: str
    at: datetime | None = Field(description="When the span begins; null for the total.")
    counts: dict[str, int]


class Analytics(Output):
    """Counts of posts over time."""

    rows: tuple[AnalyticsRow, ...]


@X.read(
    "getTweetAnalytics",
    GetTweetAnalytics,
    Analytics,
    pace=(Limit(300, per_s=900, of="action"),),
    scopes=READ,
    limits=("own posts only",),
)
def get_tweet_analytics(call: Call, data: GetTweetAnalytics) -> Analytics:
    """Tell how the account's own posts did over time."""
    params = {
        "ids": ",".join(data.tweet_ids),
        "start_time": data.since.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "end_time": data.until.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "granularity": data.granularity,
        "analytics.fields": ",".join(("id", "timestamp", "timestamped_metrics", *_COUNTS.split())),
    }
    found = web.get(call, "/2/tweets/analytics", params=params)
    with web.reading():
        return Analytics(rows=tuple(row for one in found["data"] for row in _rows(one)))


def _rows(one: dict[str, Any]) -> list[AnalyticsRow]:
    spans = one.get("timestamped_metrics") or [one]
    return [_row(str(one["id"]), span) for span in spans]


def _row(tweet_id: str, span: dict[str, Any]) -> AnalyticsRow:
    counted = {**span, **(span.get("metrics") or {})}
    counts = {name: counted[name] for name in _COUNTS.split() if isinstance(counted.get(name), int)}
    return AnalyticsRow(id=tweet_id, at=span.get("timestamp"), counts=counts)
