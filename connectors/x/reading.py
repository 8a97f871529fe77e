"""Which posts are there? Some by their ids, an account's, those that mention it, and those that a search finds."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from connectors.kit.action import Input, Limit, Output
from connectors.kit.fields import UtcDatetime
from connectors.x import web
from connectors.x.metrics import Metrics, metrics_of
from connectors.x.platform import READ, X, XId, own_id
from connectors.x.read_back import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.kit.call import Call

FIELDS = ("created_at", "entities", "attachments", "author_id", "references", "public_metrics", "note")
_MOST_PER_PAGE = 100


class ShownTweet(Output):
    """A post as X shows it."""

    id: str
    text: str = Field(description="With its addresses as they were written.")
    author_id: str | None
    created_at: datetime | None
    replies_to: str | None = Field(description="The post it answers.")
    quotes: str | None = Field(description="The post it quotes.")
    media: int = Field(description="How many files it has.")
    metrics: Metrics

    def provider_id(self) -> str:
        """The post's id."""
        return self.id


class TweetList(Output):
    """Posts, in X's order."""

    tweets: tuple[ShownTweet, ...]


def shown(post: dict[str, Any]) -> ShownTweet:
    """X's post as an output; asked within ``web.reading``."""
    references = post.get("referenced_posts") or post.get("referenced_tweets") or ()
    to = {one["type"]: str(one["id"]) for one in references}
    return ShownTweet(
        id=post["id"],
        text=readable(post),
        author_id=post.get("author_id"),
        created_at=post.get("created_at"),
        replies_to=to.get("replied_to"),
        quotes=to.get("quoted"),
        media=len((post.get("attachments") or {}).get("media_keys") or ()),
        metrics=metrics_of(post),
    )


def listed(call: Call, path: str, params: dict[str, Any], *, limit: int, least: int, token: str) -> TweetList:
    """The posts of all pages of a list.

    Args:
        least: Fewest posts that a page may be asked for.
        token: Name of the parameter that asks for the next page.
    """
    size = min(max(limit, least), _MOST_PER_PAGE)

    def pages() -> Iterator[dict[str, Any]]:
        more: str | None = None
        while True:
            # Without a single post there is no data, only meta.
            asked = {**params, "max_results": size, token: more}
            page = web.get(call, path, params=asked, fields=FIELDS, needs=("meta",))
            yield from page.get("data") or ()
            more = page["meta"].get("next_token")
            if more is None:
                return

    with web.reading():
        return TweetList(tweets=tuple(shown(one) for one in islice(pages(), limit)))


class _Span(Input):
    """Between when."""

    since: UtcDatetime | None = Field(default=None, description="Only those posted then or later.")
    until: UtcDatetime | None = Field(default=None, description="Only those posted before.")
    since_id: XId | None = Field(default=None, description="Only those newer than this post.")
    limit: int = Field(default=100, ge=1, le=1000, description="At most so many; each one read is charged.")

    def params(self) -> dict[str, Any]:
        """As X takes it."""
        return {"start_time": instant(self.since), "end_time": instant(self.until), "since_id": self.since_id}


def instant(moment: datetime | None) -> str | None:
    """An instant as X takes it."""
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class SearchTweets(_Span):
    """Which posts of the last seven days to find."""

    query: str = Field(
        min_length=1,
        max_length=512,
        description="X's search language, at most 512 characters, such as from:neon -is:reply.",
    )
    sort_order: Literal["recency", "relevancy"] = Field(default="recency", description="Which come first.")

    @model_validator(mode="after")
    def _one_beginning(self) -> SearchTweets:
        if self.since is not None and self.since_id is not None:
            raise ValueError("give since or since_id, not both")
        return self


@X.read(
    "searchTweets",
    SearchTweets,
    TweetList,
    pace=(Limit(300, per_s=900, of="action"),),
    scopes=READ,
    limits=("the last 7 days", "no reposts", "0.005 USD per post read"),
)
def search_tweets(call: Call, data: SearchTweets) -> TweetList:
    """Find posts of the last seven days."""
    params = {**data.params(), "query": data.query, "sort_order": data.sort_order}
    return listed(call, "/2/tweets/search/recent", params, limit=data.limit, least=10, token="next_token")  # noqa: S106


class ListUserTweets(_Span):
    """Which posts of an account to list; newest first."""

    user_id: XId | None = Field(default=None, description="Whose; the connection's own account if left out.")
    exclude: tuple[Literal["replies", "retweets"], ...] = Field(
        default=(), max_length=2, description="Leave these out."
    )


@X.read(
    "listUserTweets",
    ListUserTweets,
    TweetList,
    pace=(Limit(900, per_s=900, of="action"),),
    scopes=READ,
    limits=("the latest 3,200 posts", "own posts 0.001 USD per post read, others 0.005 USD"),
)
def list_user_tweets(call: Call, data: ListUserTweets) -> TweetList:
    """List the posts of an account."""
    path = f"/2/users/{data.user_id or own_id(call)}/tweets"
    params = {**data.params(), "exclude": ",".join(data.exclude) or None}
    return listed(call, path, params, limit=data.limit, least=5, token="pagination_token")  # noqa: S106


class ListMentions(_Span):
    """Which posts that mention the account to list; newest first."""


@X.read(
    "listMentions",
    ListMentions,
    TweetList,
    pace=(Limit(300, per_s=900, of="action"),),
    scopes=READ,
    limits=("the latest 800 mentions", "0.001 USD per post read"),
)
def list_mentions(call: Call, data: ListMentions) -> TweetList:
    """List the posts that mention the account."""
    path = f"/2/users/{own_id(call)}/mentions"
    return listed(call, path, data.params(), limit=data.limit, least=5, token="pagination_token")  # noqa: S106


class GetTweets(Input):
    """Which posts to read."""

    tweet_ids: tuple[XId, ...] = Field(min_length=1, max_length=100, description="At most 100 ids.")


class FoundTweets(TweetList):
    """Those of the posts that can be read."""

    missing: tuple[str, ...] = Field(description="Ids of posts that are deleted, protected or never were.")


@X.read(
    "getTweets",
    GetTweets,
    FoundTweets,
    pace=(Limit(3500, per_s=900, of="action"),),
    scopes=READ,
    limits=("0.005 USD per post read, own posts 0.001 USD",),
)
def get_tweets(call: Call, data: GetTweets) -> FoundTweets:
    """Read posts by their ids."""
    found = web.get(call, "/2/tweets", params={"ids": ",".join(data.tweet_ids)}, fields=FIELDS, needs=())
    with web.reading():
        tweets = tuple(shown(one) for one in found.get("data") or ())
    seen = {one.id for one in tweets}
    return FoundTweets(tweets=tweets, missing=tuple(one for one in data.tweet_ids if one not in seen))
