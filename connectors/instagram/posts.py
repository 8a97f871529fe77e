"""Posts and stories: what can be put into a container."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints, model_validator

from connectors.instagram.platform import INSTAGRAM
from connectors.instagram.publishing import LIMITS, SCOPES, SETTLE_AFTER_S, Draft, Published, finder, publish
from connectors.kit.action import Input, LookUp
from connectors.kit.call import Call
from connectors.kit.fields import HttpsUrl

AltText = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
_WHY = "Instagram takes no idempotency key, but a container is published once and tells whether it was."

IMAGE = Field(default=None, description="Public https address of a JPEG up to 8 MB; Instagram loads it from there.")
VIDEO = Field(default=None, description="Public https address of an MP4 or MOV; Instagram loads it from there.")


class _Media(Input):
    """One image or one video."""

    image_url: HttpsUrl | None = IMAGE
    video_url: HttpsUrl | None = VIDEO

    def media(self) -> dict[str, Any]:
        """The field that names it, as Instagram takes it."""
        return {"image_url": self.image_url} if self.video_url is None else {"video_url": self.video_url}


class CarouselItem(_Media):
    """An image or video of a carousel."""

    alt_text: AltText | None = Field(default=None, description="What an image shows, for those who cannot see it.")

    @model_validator(mode="after")
    def _is_one(self) -> CarouselItem:
        if (self.image_url is None) == (self.video_url is None):
            raise ValueError("one of image_url and video_url is needed, not both")
        return self


class PublishPost(_Media):
    """An image, a reel or a carousel."""

    carousel: tuple[CarouselItem, ...] = Field(
        default=(), max_length=10, description="2 to 10 images and videos, instead of image_url and video_url."
    )
    caption: str | None = Field(
        default=None, min_length=1, max_length=2200, description="Text below it: up to 30 hashtags and 20 mentions."
    )
    alt_text: AltText | None = Field(default=None, description="What the image shows, for those who cannot see it.")
    cover_url: HttpsUrl | None = Field(default=None, description="Public https address of a reel's cover.")
    share_to_feed: bool | None = Field(default=None, description="Show a reel in the feed too.")

    @model_validator(mode="after")
    def _is_one_kind(self) -> PublishPost:
        given = [self.image_url is not None, self.video_url is not None, bool(self.carousel)]
        if sum(given) != 1:
            raise ValueError("one of image_url, video_url and carousel is needed, and no other")
        if len(self.carousel) == 1:
            raise ValueError("carousel holds 2 to 10 items")
        if self.alt_text is not None and self.image_url is None:
            raise ValueError("alt_text belongs to an image")
        if self.video_url is None and (self.cover_url is not None or self.share_to_feed is not None):
            raise ValueError("cover_url and share_to_feed belong to a video")
        return self


class PublishStory(_Media):
    """An image or a video that is shown for 24 hours."""

    @model_validator(mode="after")
    def _is_one(self) -> PublishStory:
        if (self.image_url is None) == (self.video_url is None):
            raise ValueError("one of image_url and video_url is needed, not both")
        return self


def post_draft(data: PublishPost) -> Draft:
    """The containers of a post."""
    caption = {} if data.caption is None else {"caption": data.caption}
    if data.carousel:
        items = tuple(_item(one) for one in data.carousel)
        fields = {"media_type": "CAROUSEL", **caption}
        return Draft(fields, children=items, video=any("video_url" in item for item in items))
    extras = data.model_dump(mode="json", include={"alt_text", "cover_url", "share_to_feed"}, exclude_none=True)
    kind = {} if data.video_url is None else {"media_type": "REELS"}
    return Draft({**kind, **data.media(), **caption, **extras}, video=data.video_url is not None)


def _item(one: CarouselItem) -> dict[str, Any]:
    kind = {} if one.video_url is None else {"media_type": "VIDEO"}
    alt_text = {} if one.alt_text is None else {"alt_text": one.alt_text}
    return {**kind, **one.media(), **alt_text, "is_carousel_item": True}


def story_draft(data: PublishStory) -> Draft:
    """The container of a story."""
    return Draft({"media_type": "STORIES", **data.media()}, video=data.video_url is not None)


@INSTAGRAM.action(
    "publishPost",
    PublishPost,
    Published,
    repeat=LookUp(finder(post_draft), settle_after_s=SETTLE_AFTER_S),
    why=_WHY,
    multi_step=True,
    scopes=SCOPES,
    limits=LIMITS,
)
def publish_post(call: Call, data: PublishPost) -> Published:
    """Publish an image, a reel or a carousel."""
    return publish(call, post_draft(data))


@INSTAGRAM.action(
    "publishStory",
    PublishStory,
    Published,
    repeat=LookUp(finder(story_draft), settle_after_s=SETTLE_AFTER_S),
    why=_WHY,
    multi_step=True,
    scopes=SCOPES,
    limits=LIMITS,
)
def publish_story(call: Call, data: PublishStory) -> Published:
    """Publish a story: one image or one video for 24 hours."""
    return publish(call, story_draft(data))
