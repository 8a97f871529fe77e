"""What is a video at YouTube? The parts that are read, and the rules for those that are written."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from connectors.dialects.google_api import Answer
from connectors.kit.action import Input, Output
from connectors.kit.fields import Ahead, UtcDatetime

PUBLISH_AHEAD = Ahead(soonest=timedelta(minutes=5), latest=timedelta(days=730))
"""YouTube publishes a video with a past time at once; the margin covers the way there."""

MOST_TAG_CHARACTERS = 500
_MOST_DESCRIPTION_BYTES = 5000

Privacy = Literal["public", "unlisted", "private"]
License = Literal["youtube", "creativeCommon"]
Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)]
CategoryId = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,4}$")]


def _fits(text: str) -> str:
    if len(text.encode()) > _MOST_DESCRIPTION_BYTES:
        raise ValueError(f"may hold at most {_MOST_DESCRIPTION_BYTES} bytes of UTF-8")
    return text


Title = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^<>]*$")]
Description = Annotated[
    str, StringConstraints(max_length=_MOST_DESCRIPTION_BYTES, pattern=r"^[^<>]*$"), AfterValidator(_fits)
]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=MOST_TAG_CHARACTERS, pattern=r"^[^<>,]*$")]


def tag_characters(tags: tuple[str, ...]) -> int:
    """How YouTube counts tags: with a comma between two, and quotes around one that holds a space."""
    return sum(len(tag) + 2 * (" " in tag) for tag in tags) + max(0, len(tags) - 1)


MADE_FOR_KIDS = Field(
    description="Whether it is made for children, as US law (COPPA) wants declared; such a video has no comments."
)
SYNTHETIC = Field(description="Whether it shows realistic scenes that were made or changed by machine.")
PUBLISH_AT = Field(
    description="When it becomes public, with offset: at least 5 minutes ahead; until then it is private."
)


class Snippet(Answer):
    """The texts of a video."""

    title: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    category_id: str | None = None
    default_language: str | None = None
    default_audio_language: str | None = None
    published_at: UtcDatetime | None = None


class Status(Answer):
    """Who may see a video, and how far YouTube is with it."""

    privacy_status: str | None = None
    publish_at: UtcDatetime | None = None
    license: str | None = None
    embeddable: bool | None = None
    public_stats_viewable: bool | None = None
    self_declared_made_for_kids: bool | None = None
    contains_synthetic_media: bool | None = None
    upload_status: str | None = None
    failure_reason: str | None = None
    rejection_reason: str | None = None


class Video(Answer):
    """A video with the parts that were asked for."""

    id: str = Field(min_length=1)
    snippet: Snippet = Snippet()
    status: Status = Status()


class Videos(Answer):
    """Videos; those that are not there are left out."""

    items: tuple[Video, ...] = ()


def as_sent(part: Answer, *, leave_out: frozenset[str]) -> dict[str, Any]:
    """A part as YouTube takes it back: what was not set stays out."""
    return part.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=set(leave_out))


READ_ONLY = frozenset({"published_at", "upload_status", "failure_reason", "rejection_reason"})
"""What is told of a video and cannot be set."""


class VideoRef(Input):
    """A video of the channel."""

    model_config = ConfigDict(frozen=True)

    video_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{11}$")] = Field(
        description="Id of the video: 11 characters, as in youtu.be/ID."
    )


class VideoState(Output):
    """A video as it is now."""

    video_id: str
    url: str = Field(description="Where people watch it, once they may.")
    privacy: str | None = Field(default=None, description="public, unlisted or private.")
    publish_at: UtcDatetime | None = Field(default=None, description="When it becomes public by itself.")
    upload_status: str | None = Field(
        default=None, description="uploaded (YouTube works on it), processed, failed, rejected or deleted."
    )
    reason: str | None = Field(default=None, description="Why it failed or was rejected, in YouTube's word.")

    def provider_id(self) -> str:
        """The video's id."""
        return self.video_id

    @classmethod
    def of(cls, video: Video) -> VideoState:
        """From YouTube's answer."""
        status = video.status
        return cls(
            video_id=video.id,
            url=f"https://www.youtube.com/watch?v={video.id}",
            privacy=status.privacy_status,
            publish_at=status.publish_at,
            upload_status=status.upload_status,
            reason=status.failure_reason or status.rejection_reason,
        )
