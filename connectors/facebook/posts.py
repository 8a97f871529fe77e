"""Posts of the Page: published at once, or given to Facebook for later.

Facebook takes no idempotency key for them. What tells a post from another is its text and its time, so every post has
a text, and of several runs of one connection with the same text only one is in flight at a time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any, cast

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from connectors.dialects.meta_graph import Graph
from connectors.facebook import api
from connectors.facebook.errors import DUPLICATES
from connectors.facebook.platform import FACEBOOK, SETTLE_AFTER_S
from connectors.kit import clock
from connectors.kit.action import Input, JsonValue, LookUp, Output
from connectors.kit.call import Call
from connectors.kit.errors import OutcomeUnknown, PolicyRejected, looking
from connectors.kit.fields import Ahead, HttpsUrl, UtcDatetime

SCOPES = ("pages_manage_posts", "pages_read_engagement")
AHEAD = Ahead(soonest=timedelta(minutes=11), latest=timedelta(days=30))
"""Facebook takes times from 10 minutes ahead on; the margin is for the way there."""

_LIMITS = ("4,800 calls per engaged user of the Page and 24 h", "the same text twice in a row is refused")
_POST = "post"

Message = Annotated[str, StringConstraints(min_length=1, max_length=63_206, strip_whitespace=True)]


class CreatePost(Input):
    """A post that people see at once."""

    message: Message = Field(description="Its text.")
    link: HttpsUrl | None = Field(default=None, description="An address that it shows a preview of.")
    photo_urls: tuple[HttpsUrl, ...] = Field(
        default=(), max_length=10, description="Public https addresses of photos; Facebook loads them from there."
    )

    @model_validator(mode="after")
    def _shows_one_kind(self) -> CreatePost:
        if self.link is not None and self.photo_urls:
            raise ValueError("one of link and photo_urls, not both: a post with photos shows no preview of a link")
        return self


class SchedulePost(CreatePost):
    """A post that Facebook keeps and publishes later."""

    publish_at: Annotated[UtcDatetime, AfterValidator(AHEAD.accept)] = Field(
        description="When, with offset: over 11 minutes and at most 30 days ahead."
    )


class Post(Output):
    """A post, or one to be."""

    post_id: str

    def provider_id(self) -> str:
        """Its id."""
        return self.post_id


def _alike(data: CreatePost) -> str:
    return json.dumps(["now", data.message])


def _alike_later(data: SchedulePost) -> str:
    return json.dumps([data.publish_at.isoformat(), data.message])


def _find_published(call: Call, data: CreatePost) -> Post | None:
    if call.first_sent_at is None:
        return None
    return _only(call, _published_since(call, call.first_sent_at - clock.SKEW, data.message))


def _find_scheduled(call: Call, data: SchedulePost) -> Post | None:
    at = int(data.publish_at.timestamp())
    with looking():
        path = f"{api.page(call)}/scheduled_posts"
        kept = [*api.listed(api.page_graph(call), path, fields="id,message,scheduled_publish_time")]
    found = [
        api.made_id(row, "scheduled_posts")
        for row in kept
        if _says(row, data.message) and str(row.get("scheduled_publish_time")) == str(at)
    ]
    # What was due meanwhile is among the published ones.
    due = clock.now() >= data.publish_at - clock.SKEW
    return _only(call, [*found, *_published_since(call, data.publish_at - clock.SKEW, data.message)] if due else found)


def _published_since(call: Call, since_at: datetime, message: str) -> Iterator[str]:
    with looking():
        since = str(int(since_at.timestamp()))
        path = f"{api.page(call)}/feed"
        for row in api.listed(api.page_graph(call), path, fields="id,message,created_time", since=since):
            if _says(row, message):
                yield api.made_id(row, "feed")


def _says(row: dict[str, Any], message: str) -> bool:
    return str(row.get("message") or "").strip() == message


def _only(call: Call, found: Iterable[str]) -> Post | None:
    ids = [*dict.fromkeys(found)]
    taken = call.ledger.taken(ids)
    free = [one for one in ids if one not in taken]
    if len(free) > 1:
        raise OutcomeUnknown(f"ambiguous: {len(free)} posts of the Page could be this one: {', '.join(free)}")
    return Post(post_id=free[0]) if free else None


@FACEBOOK.action(
    "createPost",
    CreatePost,
    Post,
    repeat=LookUp(_find_published, settle_after_s=SETTLE_AFTER_S, alike=_alike),
    why="Facebook takes no idempotency key, but the Page's feed shows text and time of its posts.",
    multi_step=True,
    scopes=SCOPES,
    limits=_LIMITS,
)
def create_post(call: Call, data: CreatePost) -> Post:
    """Publish a post of the Page, with a link or photos."""
    photos = _photos(call, data, temporary=False)
    fields = {**_fields(data, photos), "published": True}
    # The Page's token is fetched before the effect: a permit to send is good for a moment only.
    source, find = api.page_graph(call), partial(_find_published, call, data)
    return Post.model_validate(call.effect(_POST, lambda: _send(call, source, fields, find)))


@FACEBOOK.action(
    "schedulePost",
    SchedulePost,
    Post,
    repeat=LookUp(_find_scheduled, settle_after_s=SETTLE_AFTER_S, alike=_alike_later),
    why="Facebook takes no idempotency key, but lists the Page's scheduled posts with text and time.",
    multi_step=True,
    scopes=SCOPES,
    limits=_LIMITS,
)
def schedule_post(call: Call, data: SchedulePost) -> Post:
    """Give Facebook a post of the Page to publish later."""
    photos = _photos(call, data, temporary=True)
    fields = {
        **_fields(data, photos),
        "published": False,
        "scheduled_publish_time": int(data.publish_at.timestamp()),
        "unpublished_content_type": "SCHEDULED",
    }

    source = api.page_graph(call)

    def send() -> JsonValue:
        AHEAD.check("publish_at", data.publish_at)
        return _send(call, source, fields, lambda: _find_scheduled(call, data))

    return Post.model_validate(call.effect(_POST, send))


def _photos(call: Call, data: CreatePost, *, temporary: bool) -> list[str]:
    """Photos that belong to no post yet: nobody sees them, and Facebook forgets them, so a repeat does no harm."""

    def upload(url: str) -> JsonValue:
        fields = {"url": url, "published": False, "temporary": temporary or None}
        made = api.page_graph(call).post(f"{api.page(call)}/photos", fields, effect=False, needs=("id",))
        return api.made_id(made, "photos")

    return [
        str(call.step(f"photo:{number}", partial(upload, url))) for number, url in enumerate(data.photo_urls, start=1)
    ]


def _fields(data: CreatePost, photos: list[str]) -> dict[str, Any]:
    attached = [{"media_fbid": photo} for photo in photos]
    return {"message": data.message, "link": data.link, "attached_media": attached or None}


def _send(call: Call, source: Graph, fields: dict[str, Any], find: Callable[[], Post | None]) -> JsonValue:
    """The irreversible step.

    Raises:
        PolicyRejected: Among others: the Page's last post says the same, and is none of this run's.
    """
    try:
        made = source.post(f"{api.page(call)}/feed", fields, effect=True, needs=("id",))
    except PolicyRejected as refused:
        if not DUPLICATES & set((refused.code or "").split("/")):
            raise
        found = find()
        if found is None:
            raise
        return _as_json(found)
    return _as_json(Post(post_id=api.made_id(made, "feed")))


def _as_json(post: Post) -> JsonValue:
    return cast("JsonValue", post.model_dump(mode="json"))
