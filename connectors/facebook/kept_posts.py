"""Posts that there are: listed, changed, published sooner or later, deleted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints

from connectors.dialects.meta_graph import Graph
from connectors.facebook import api
from connectors.facebook.platform import FACEBOOK, SETTLE_AFTER_S, WHY_SET, said, whole
from connectors.facebook.posts import AHEAD, SCOPES, Message, Post
from connectors.kit.action import Input, JsonValue, LookUp, Output, Resend
from connectors.kit.call import Call
from connectors.kit.errors import NotFound, Unavailable, looking
from connectors.kit.fields import UtcDatetime

PostId = Annotated[str, StringConstraints(pattern=r"^[0-9]+_[0-9]+$", max_length=80)]

_READ = ("pages_read_engagement",)
_MOST = 500


class PostRef(Input):
    """Which post."""

    post_id: PostId = Field(description="As createPost or schedulePost gave it.")


class UpdatePost(PostRef):
    """A post's new text."""

    message: Message = Field(description="The text in place of the old one.")


class ReschedulePost(PostRef):
    """A scheduled post's new time."""

    publish_at: Annotated[UtcDatetime, AfterValidator(AHEAD.accept)] = Field(
        description="When, with offset: over 11 minutes and at most 30 days ahead."
    )


class ListPosts(Input):
    """Which posts of the Page."""

    since: UtcDatetime | None = Field(default=None, description="Published from then on, with offset.")
    until: UtcDatetime | None = Field(default=None, description="Published up to then, with offset.")
    limit: int = Field(default=50, ge=1, le=_MOST, description="How many at most, newest first.")


class ListScheduledPosts(Input):
    """Every post that Facebook keeps for later."""


class PagePost(Output):
    """A post as it is."""

    post_id: str
    message: str | None
    created_at: datetime | None
    publish_at: int | None = Field(description="Seconds since 1970 at which it will be published, if it is kept.")

    def provider_id(self) -> str:
        """Its id."""
        return self.post_id


class PostList(Output):
    """Posts of the Page."""

    posts: tuple[PagePost, ...]


def _post(row: dict[str, Any]) -> PagePost:
    return PagePost(
        post_id=str(row.get("id")),
        message=said(row.get("message")),
        created_at=_instant(row.get("created_time")),
        publish_at=whole(row.get("scheduled_publish_time")),
    )


def _instant(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None


@FACEBOOK.read("listPosts", ListPosts, PostList, scopes=_READ)
def list_posts(call: Call, data: ListPosts) -> PostList:
    """List the Page's posts, newest first."""
    source, found, after = api.page_graph(call), list[dict[str, Any]](), None
    while len(found) < data.limit:
        page = source.get(
            f"{api.page(call)}/feed",
            needs=("data",),
            fields="id,message,created_time",
            since=None if data.since is None else int(data.since.timestamp()),
            until=None if data.until is None else int(data.until.timestamp()),
            limit=min(100, data.limit - len(found)),
            after=after,
        )
        rows = api.rows(page, "feed")
        found += rows
        after = api.after_of(page)
        if after is None:
            break
        if not rows:
            raise Unavailable("feed: Meta's pages go on without an end", http_status=200)
    return PostList(posts=tuple(map(_post, found[: data.limit])))


@FACEBOOK.read("listScheduledPosts", ListScheduledPosts, PostList, scopes=_READ)
def list_scheduled_posts(call: Call, data: ListScheduledPosts) -> PostList:
    """List the posts that Facebook keeps for later."""
    fields = "id,message,created_time,scheduled_publish_time"
    found = api.listed(api.page_graph(call), f"{api.page(call)}/scheduled_posts", fields=fields)
    return PostList(posts=tuple(map(_post, found)))


@FACEBOOK.action("updatePost", UpdatePost, Post, repeat=Resend(), why=WHY_SET, multi_step=True, scopes=SCOPES)
def update_post(call: Call, data: UpdatePost) -> Post:
    """Change the text of a post."""
    return _set(call, data.post_id, {"message": data.message})


@FACEBOOK.action("reschedulePost", ReschedulePost, Post, repeat=Resend(), why=WHY_SET, multi_step=True, scopes=SCOPES)
def reschedule_post(call: Call, data: ReschedulePost) -> Post:
    """Move a scheduled post to another time."""
    AHEAD.check("publish_at", data.publish_at)
    return _set(call, data.post_id, {"scheduled_publish_time": int(data.publish_at.timestamp())})


def _find_public(call: Call, data: PostRef) -> Post | None:
    with looking():
        found = api.page_graph(call).get(data.post_id, needs=("id",), fields="id,is_published")
    return Post(post_id=data.post_id) if found.get("is_published") is True else None


@FACEBOOK.action(
    "publishScheduledPost",
    PostRef,
    Post,
    repeat=LookUp(_find_public, settle_after_s=SETTLE_AFTER_S),
    why="The post itself tells whether it is published.",
    multi_step=True,
    scopes=SCOPES,
)
def publish_scheduled_post(call: Call, data: PostRef) -> Post:
    """Publish a scheduled post now."""
    return _set(call, data.post_id, {"is_published": True})


@FACEBOOK.action(
    "deletePost",
    PostRef,
    Post,
    repeat=Resend(),
    why="Deleting twice is the same as once.",
    multi_step=True,
    scopes=SCOPES,
)
def delete_post(call: Call, data: PostRef) -> Post:
    """Delete a post, or cancel one that is scheduled."""
    return _once(call, data.post_id, partial(_delete, call, data.post_id))


def _delete(call: Call, post_id: str, source: Graph) -> None:
    try:
        source.delete(post_id)
    except NotFound:
        # Only an earlier attempt of this run can tell that it was there.
        if call.first_sent_at is None:
            raise


def _set(call: Call, post_id: str, fields: dict[str, Any]) -> Post:
    return _once(call, post_id, lambda source: source.post(post_id, fields, effect=True, needs=("success",)))


def _once(call: Call, post_id: str, do: Callable[[Graph], object]) -> Post:
    """Do something with a post. The Page's token is asked for before: a permit to send is good for a moment only."""
    source = api.page_graph(call)

    def change() -> JsonValue:
        do(source)
        return {"post_id": post_id}

    return Post.model_validate(call.effect("change", change))
