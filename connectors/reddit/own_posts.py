"""What has been posted? Reading, changing and deleting the account's posts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import Field

from connectors.kit.action import Input, Output, Resend
from connectors.kit.call import Call
from connectors.kit.errors import NotFound
from connectors.reddit import api, data_api
from connectors.reddit.platform import DATA_CALLS, POST, REDDIT, Done, PostId


class PostRef(Input):
    """A post."""

    post_id: PostId = POST


class Post(Output):
    """A post as Reddit shows it."""

    post_id: str
    subreddit: str | None
    title: str | None
    url: str | None = Field(description="Where a link post leads, or the post itself.")
    permalink: str | None
    created_at: datetime | None
    score: int | None = Field(description="Votes for it less votes against it.")
    upvote_ratio: float | None = Field(description="Share of the votes that are for it, 0 to 1.")
    num_comments: int | None
    removed_by: str | None = Field(description="Who removed it, such as moderator or automod_filtered; null if nobody.")


@REDDIT.read("getPost", PostRef, Post, pace=DATA_CALLS, scopes=("read",))
def get_post(call: Call, data: PostRef) -> Post:
    """Read a post, its votes, and whether it was removed."""
    rows = data_api.listed(data_api.get(call, "/api/info", id=data.post_id))
    found = next((row for row in rows if row["name"] == data.post_id), None)
    if found is None:
        raise NotFound("Reddit knows no such post")
    return _post(found)


class ListMyPosts(Input):
    """How many of the account's posts to list, the newest first."""

    limit: int = Field(default=100, ge=1, le=1000, description="At most so many; Reddit lists the last 1,000.")


class PostList(Output):
    """The account's posts."""

    posts: tuple[Post, ...]


@REDDIT.read("listMyPosts", ListMyPosts, PostList, pace=DATA_CALLS, scopes=("history",))
def list_my_posts(call: Call, data: ListMyPosts) -> PostList:
    """List the posts of the account."""
    path, after, found = f"/user/{api.account(call).username}/submitted", None, list[Post]()
    while len(found) < data.limit:
        page = data_api.get(call, path, sort="new", limit=min(100, data.limit - len(found)), after=after)
        found += [_post(row) for row in data_api.listed(page)]
        after = api.text(page["data"].get("after"))
        if after is None:
            break
    return PostList(posts=tuple(found[: data.limit]))


def _post(row: dict[str, Any]) -> Post:
    permalink = api.text(row.get("permalink"))
    ratio = row.get("upvote_ratio")
    return Post(
        post_id=row["name"],
        subreddit=api.text(row.get("subreddit")),
        title=api.text(row.get("title")),
        url=api.text(row.get("url")),
        permalink=None if permalink is None else f"https://www.reddit.com{permalink}",
        created_at=_instant(row.get("created_utc")),
        score=api.number(row.get("score")),
        upvote_ratio=float(ratio) if isinstance(ratio, (int, float)) and 0 <= ratio <= 1 else None,
        num_comments=api.number(row.get("num_comments")),
        removed_by=api.text(row.get("removed_by_category")),
    )


def _instant(seconds: Any) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, (int, float)) else None
    except (OverflowError, ValueError, OSError):
        return None


class EditPost(PostRef):
    """The new text of a text post; titles and links cannot be changed."""

    text: str = Field(min_length=1, max_length=40_000, description="Markdown, at most 40,000 characters.")


@REDDIT.action(
    "editPost",
    EditPost,
    Done,
    repeat=Resend(),
    why="It sets the text: twice is the same as once.",
    pace=DATA_CALLS,
    scopes=("edit",),
)
def edit_post(call: Call, data: EditPost) -> Done:
    """Replace the text of a text post."""
    data_api.post_for(call, "/api/editusertext", {"thing_id": data.post_id, "text": data.text})
    return Done()


@REDDIT.action(
    "deletePost",
    PostRef,
    Done,
    repeat=Resend(),
    why="Reddit answers a second deletion as it did the first.",
    pace=DATA_CALLS,
    scopes=("edit",),
)
def delete_post(call: Call, data: PostRef) -> Done:
    """Delete a post of the account."""
    data_api.post(call, "/api/del", {"id": data.post_id}, effect=True)
    return Done()
