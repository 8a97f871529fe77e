"""How did posts do? Pages and members have numbers of their own, at two different places."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from pydantic import Field

from connectors.kit.action import Input, Output
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, Unavailable
from connectors.linkedin import web
from connectors.linkedin.platform import AUTHOR, LINKEDIN, AuthorUrn, PostUrn, author_of

_MOST_OF_MEMBER = 4
_OF_MEMBER = {
    "IMPRESSION": "impressions",
    "MEMBERS_REACHED": "unique_impressions",
    "REACTION": "likes",
    "COMMENT": "comments",
    "RESHARE": "shares",
}
_OF_PAGE = {
    "impressionCount": "impressions",
    "uniqueImpressionsCount": "unique_impressions",
    "clickCount": "clicks",
    "likeCount": "likes",
    "commentCount": "comments",
    "shareCount": "shares",
    "engagement": "engagement",
}


class GetPostStatistics(Input):
    """Which posts to measure; all of one author."""

    author: AuthorUrn | None = AUTHOR
    post_urns: tuple[PostUrn, ...] = Field(
        min_length=1, max_length=50, description="URNs of the posts: at most 50 of a Page, or 4 of a member."
    )


class PostStatistics(Output):
    """Numbers of one post since it was published; null where LinkedIn reports none."""

    post_urn: str
    impressions: int | None = None
    unique_impressions: int | None = Field(default=None, description="How many people it was shown to.")
    clicks: int | None = Field(default=None, description="Pages only.")
    likes: int | None = Field(default=None, description="Reactions of every kind.")
    comments: int | None = None
    shares: int | None = None
    engagement: float | None = Field(
        default=None, description="Clicks, likes, comments and shares per impression, as a fraction; Pages only."
    )


class Statistics(Output):
    """Numbers of posts, in the order they were asked for."""

    posts: tuple[PostStatistics, ...]


@LINKEDIN.read(
    "getPostStatistics",
    GetPostStatistics,
    Statistics,
    scopes=("rw_organization_admin", "r_member_postAnalytics"),
    limits=("50 posts of a Page, or 4 of a member", "a member's post takes a call for each of its five numbers"),
)
def get_post_statistics(call: Call, data: GetPostStatistics) -> Statistics:
    """Measure posts of a Page or a member."""
    author = author_of(call, data.author)
    if author.startswith("urn:li:organization:"):
        known = {urn: row for kind in ("share", "ugcPost") for urn, row in _of_page(call, author, data, kind)}
        return Statistics(posts=tuple(known.get(one, PostStatistics(post_urn=one)) for one in data.post_urns))
    if len(data.post_urns) > _MOST_OF_MEMBER:
        raise InvalidRequest(f"post_urns: at most {_MOST_OF_MEMBER} posts of a member, not {len(data.post_urns)}")
    return Statistics(posts=tuple(_of_member(call, one) for one in data.post_urns))


def _of_page(call: Call, author: str, data: GetPostStatistics, kind: str) -> Iterator[tuple[str, PostStatistics]]:
    wanted = tuple(dict.fromkeys(one for one in data.post_urns if f":{kind}:" in one))
    if not wanted:
        return
    query = (
        f"q=organizationalEntity&organizationalEntity={web.encoded(author)}"
        f"&{'shares' if kind == 'share' else 'ugcPosts'}={web.listed(wanted)}"
    )
    for row in _rows(web.get(call, "organizationalEntityShareStatistics", query, needs=("elements",))):
        urn, numbers = row.get(kind), row.get("totalShareStatistics")
        if urn in wanted and isinstance(numbers, dict):
            found = {ours: _number(numbers.get(theirs)) for theirs, ours in _OF_PAGE.items()}
            whole = {name: None if one is None else int(one) for name, one in found.items() if name != "engagement"}
            yield urn, PostStatistics(post_urn=urn, **whole, engagement=found["engagement"])


def _of_member(call: Call, urn: str) -> PostStatistics:
    kind = "share" if ":share:" in urn else "ugc"
    numbers: dict[str, int] = {}
    for theirs, ours in _OF_MEMBER.items():
        query = f"q=entity&entity=({kind}:{web.encoded(urn)})&queryType={theirs}&aggregation=TOTAL"
        rows = _rows(web.get(call, "memberCreatorPostAnalytics", query, needs=("elements",)))
        counted = [one for row in rows if (one := _number(row.get("count", row.get("value")))) is not None]
        if counted:
            numbers[ours] = int(sum(counted))
    return PostStatistics(post_urn=urn, **numbers)


def _rows(found: dict[str, Any]) -> list[dict[str, Any]]:
    rows = found["elements"]
    if not isinstance(rows, list):
        raise Unavailable("LinkedIn's statistics cannot be read")
    return [one for one in rows if isinstance(one, dict)]


def _number(value: Any) -> float | None:
    known = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if known else None
