"""What may a post hold? A text, and at most one kind of content beside it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from connectors.kit.action import Input
from connectors.kit.fields import Ahead, HttpsUrl, UtcDatetime
from connectors.linkedin.platform import AUTHOR, AuthorUrn
from connectors.linkedin.text import MAX_LENGTH, little_text

AltText = Annotated[str, StringConstraints(min_length=1, max_length=4086)]

_LIKE_THIS = "an https address that is fetched from here"


class PostImage(Input):
    """An image of a post."""

    url: HttpsUrl = Field(description=f"JPEG, PNG or GIF of at most 36,152,320 pixels: {_LIKE_THIS}.")
    alt_text: AltText | None = Field(default=None, description="What the image shows, for those who cannot see it.")


class Article(Input):
    """A link with a preview; LinkedIn makes none by itself."""

    source: HttpsUrl = Field(description="Where it leads.")
    title: str = Field(min_length=1, max_length=400, description="Title of the preview.")
    description: str | None = Field(default=None, min_length=1, max_length=4086, description="Text of the preview.")
    thumbnail: PostImage | None = Field(default=None, description="Picture of the preview.")


class Document(Input):
    """A document that can be leafed through."""

    url: HttpsUrl = Field(description=f"PDF, PPTX or DOCX of at most 100 MB and 300 pages: {_LIKE_THIS}.")
    title: str = Field(min_length=1, max_length=400, description="Shown above it.")


class Video(Input):
    """A video."""

    url: HttpsUrl = Field(description=f"MP4 of 3 s to 30 min and at most 500 MB: {_LIKE_THIS}.")
    title: str | None = Field(default=None, min_length=1, max_length=400, description="Shown with it.")


class Poll(Input):
    """A question with answers to choose from."""

    question: str = Field(min_length=1, max_length=140, description="The question.")
    options: tuple[Annotated[str, StringConstraints(min_length=1, max_length=30)], ...] = Field(
        min_length=2, max_length=4, description="The answers."
    )
    duration: Literal["ONE_DAY", "THREE_DAYS", "SEVEN_DAYS", "FOURTEEN_DAYS"] = Field(
        default="SEVEN_DAYS", description="How long it is open."
    )


MENTIONS: Any = Field(
    default={}, description="URN of a member or organization by name; links each @name that occurs in the text."
)
TEXT = Field(
    min_length=1,
    max_length=MAX_LENGTH,
    description="Plain text; #words become hashtags. At most 3,000 characters, each of \\|{}@[]()<>#*_~ counting two.",
)


class PublishPost(Input):
    """A post of a Page or a member, with at most one of article, images, document, video and poll."""

    author: AuthorUrn | None = AUTHOR
    text: str = TEXT
    mentions: dict[str, AuthorUrn] = MENTIONS
    visibility: Literal["PUBLIC", "CONNECTIONS", "LOGGED_IN"] = Field(
        default="PUBLIC", description="Who sees it; CONNECTIONS are a member's."
    )
    article: Article | None = Field(default=None, description="A link with a preview.")
    images: tuple[PostImage, ...] = Field(default=(), max_length=20, description="One image, or 2 to 20.")
    document: Document | None = Field(default=None, description="A document.")
    video: Video | None = Field(default=None, description="A video.")
    poll: Poll | None = Field(default=None, description="A poll.")
    disable_reshare: bool = Field(default=False, description="Whether others may not share it.")

    @model_validator(mode="after")
    def _fits(self) -> PublishPost:
        given = [
            name for name in ("article", "images", "document", "video", "poll") if getattr(self, name) not in (None, ())
        ]
        if len(given) > 1:
            raise ValueError(f"a post has one kind of content, not {' and '.join(given)}")
        if self.visibility == "CONNECTIONS" and (self.author or "").startswith("urn:li:organization:"):
            raise ValueError("visibility: a Page has no connections; PUBLIC or LOGGED_IN")
        little_text(self.text, self.mentions)
        return self

    def body(self, author: str, media: tuple[str, ...]) -> dict[str, Any]:
        """What LinkedIn is sent; the same for the same input and media.

        Args:
            media: URNs of what was brought, in the input's order.
        """
        content = self._content(media)
        return {
            "author": author,
            "commentary": little_text(self.text, self.mentions),
            "visibility": self.visibility,
            "distribution": {
                "feedDistribution": "MAIN_FEED",
                "targetEntities": [],
                "thirdPartyDistributionChannels": [],
            },
            **({"content": content} if content else {}),
            "lifecycleState": "PUBLISHED",
            "isReshareDisabledByAuthor": self.disable_reshare,
        }

    def _content(self, media: tuple[str, ...]) -> dict[str, Any] | None:
        if self.article is not None:
            return {"article": _article(self.article, media)}
        if self.images:
            images = [{"id": urn, **_given(altText=one.alt_text)} for urn, one in zip(media, self.images, strict=True)]
            return {"media": images[0]} if len(images) == 1 else {"multiImage": {"images": images}}
        if self.document is not None:
            return {"media": {"id": media[0], "title": self.document.title}}
        if self.video is not None:
            return {"media": {"id": media[0], **_given(title=self.video.title)}}
        return None if self.poll is None else {"poll": _poll(self.poll)}


AHEAD = Ahead(soonest=timedelta(0), latest=timedelta(days=365))
"""LinkedIn has no schedule for us to keep to; a consent, which the post needs at its time, lives a year."""


class SchedulePost(PublishPost):
    """A post that is held here until its time."""

    publish_at: Annotated[UtcDatetime, AfterValidator(AHEAD.accept)] = Field(
        description="When it is published, with offset: at most 365 days ahead."
    )


def _article(article: Article, media: tuple[str, ...]) -> dict[str, Any]:
    thumbnail = article.thumbnail
    pictured = {} if thumbnail is None else {"thumbnail": media[0], **_given(thumbnailAltText=thumbnail.alt_text)}
    return {
        "source": article.source,
        "title": article.title,
        **_given(description=article.description),
        **pictured,
    }


def _poll(poll: Poll) -> dict[str, Any]:
    return {
        "question": poll.question,
        "options": [{"text": one} for one in poll.options],
        "settings": {"duration": poll.duration},
    }


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
