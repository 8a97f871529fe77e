"""Posts that there are: listed, changed, published sooner or later, deleted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints

from connectors.facebook import api
from connectors.facebook.platform import FACEBOOK, SETTLE_AFTER_S, WHY_SET, said, whole
from connectors.facebook.posts import AHEAD, SCOPES, Message, Post
from connectors.kit.action import Input, JsonValue, LookUp, Output, Resend
from connectors.kit.call import Call
from connectors.kit.errors import NotFound, OutcomeUnknown, Refused, Unavailable, looking
from connectors.kit.fields import UtcDatetime

PostId = Annotated[str, StringConstraints(pattern=r"^[0-9]+_[0-9]+$", max_length=80)]

_READ = ("pages_read_engagement",)
_MOST = 500
_CHANGE = "change"


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


def _find_moved(call: Call, data: ReschedulePost) -> Post | None:
    with looking():
        found = api.page_graph(call).get(data.post_id, needs=("id",), fields="id,scheduled_publish_time")
    at = whole(found.get("scheduled_publish_time"))
    return Post(post_id=data.post_id) if at == int(data.publish_at.timestamp()) else None


@FACEBOOK.action(
    "reschedulePost",
    ReschedulePost,
    Post,
    repeat=LookUp(_find_moved, settle_after_s=SETTLE_AFTER_S),
    why="The post itself tells its time, also once that is too near to be set again.",
    multi_step=True,
    scopes=SCOPES,
)
def reschedule_post(call: Call, data: ReschedulePost) -> Post:
    """Move a scheduled post to another time."""

    def check() -> None:
        AHEAD.check("publish_at", data.publish_at)

    return _set(call, data.post_id, {"scheduled_publish_time": int(data.publish_at.timestamp())}, check=check)


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


def _find_gone(call: Call, data: PostRef) -> Post | None:
    try:
        api.page_graph(call).get(data.post_id, needs=("id",), fields="id")
    except NotFound:
        return Post(post_id=data.post_id)
    except Refused as refused:
        raise OutcomeUnknown(f"Facebook refused to say whether the post is there: {refused}") from None
    return None


@FACEBOOK.action(
    "deletePost",
    PostRef,
    Post,
    repeat=LookUp(_find_gone, settle_after_s=SETTLE_AFTER_S),
    why="What is not there any more was deleted: the Page tells.",
    multi_step=True,
    scopes=SCOPES,
)
def delete_post(call: Call, data: PostRef) -> Post:
    """Delete a post, or cancel one that is scheduled."""
    source = api.page_graph(call)

    def send() -> JsonValue:
        source.delete(data.post_id)
        return {"post_id": data.post_id}

    return Post.model_validate(call.effect(_CHANGE, send))


def _set(call: Call, post_id: str, fields: dict[str, Any], *, check: Callable[[], None] | None = None) -> Post:
    # The Page's token is fetched before the effect: a permit to send is good for a moment only.
    source = api.page_graph(call)

    def send() -> JsonValue:
        if check is not None:
            check()
        source.post(post_id, fields, effect=True, needs=("success",))
        return {"post_id": post_id}

    return Post.model_validate(call.effect(_CHANGE, send))
