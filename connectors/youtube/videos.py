"""What can be changed of a video that is there? YouTube replaces whole parts, so each is read, changed and written."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, Field, model_validator

from connectors.dialects.google_api import Answer
from connectors.kit.action import JsonValue, Output, Resend
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, NotFound
from connectors.kit.fields import HttpsUrl, UtcDatetime
from connectors.kit.media import Media, MediaRules, open_media
from connectors.youtube.platform import (
    MANAGE,
    READ,
    UPLOAD,
    WRITE_COST,
    WRITES,
    YOUTUBE,
    data_api,
    upload_api,
)
from connectors.youtube.resources import (
    MOST_TAG_CHARACTERS,
    PUBLISH_AHEAD,
    PUBLISH_AT,
    READ_ONLY,
    CategoryId,
    Description,
    Language,
    License,
    Privacy,
    Tag,
    Title,
    Video,
    VideoRef,
    Videos,
    VideoState,
    as_sent,
    tag_characters,
)

THUMBNAIL_RULES = MediaRules(types=("image/jpeg", "image/png"), max_bytes=52_428_800)

_SNIPPET = {"title": "title", "description": "description", "tags": "tags", "category_id": "category_id"}
_STATUS = {
    "privacy": "privacy_status",
    "license": "license",
    "embeddable": "embeddable",
    "public_stats_viewable": "public_stats_viewable",
    "made_for_kids": "self_declared_made_for_kids",
    "contains_synthetic_media": "contains_synthetic_media",
}


class UpdateVideo(VideoRef):
    """What is to be different; what is left out stays as it is."""

    title: Title | None = Field(default=None, description="1 to 100 characters, without < and >.")
    description: Description | None = Field(default=None, description="At most 5,000 bytes of UTF-8.")
    tags: tuple[Tag, ...] | None = Field(default=None, description="All its tags anew, 500 characters in all.")
    category_id: CategoryId | None = Field(default=None, description="From listCategories.")
    language: Language | None = Field(default=None, description="Language of title and description, such as en.")
    privacy: Privacy | None = Field(default=None, description="Who may see it; public publishes it now.")
    license: License | None = Field(default=None, description="youtube or creativeCommon.")
    embeddable: bool | None = Field(default=None, description="Whether other sites may show it.")
    public_stats_viewable: bool | None = Field(default=None, description="Whether anyone may see its statistics.")
    made_for_kids: bool | None = Field(default=None, description="Whether it is made for children.")
    contains_synthetic_media: bool | None = Field(
        default=None, description="Whether it shows realistic scenes that were made or changed by machine."
    )

    @model_validator(mode="after")
    def _changes_something(self) -> UpdateVideo:
        given = self.model_dump(exclude={"video_id"}, exclude_none=True)
        if not given:
            raise ValueError("name at least one field that is to be different")
        if tag_characters(self.tags or ()) > MOST_TAG_CHARACTERS:
            raise ValueError(f"tags may have {MOST_TAG_CHARACTERS} characters in all")
        return self


class ScheduleVideo(VideoRef):
    """When a private video becomes public by itself."""

    publish_at: Annotated[UtcDatetime, AfterValidator(PUBLISH_AHEAD.accept)] = Field(description=PUBLISH_AT.description)


class SetThumbnail(VideoRef):
    """The picture that stands for a video."""

    image_url: HttpsUrl = Field(description="https address of a JPEG or PNG, best 1280 x 720 and under 2 MB.")


class Thumbnail(Output):
    """It is set."""

    video_id: str

    def provider_id(self) -> str:
        """The video's id."""
        return self.video_id


class Deleted(Output):
    """It is gone."""

    video_id: str
    done: Literal[True] = True

    def provider_id(self) -> str:
        """The video's id."""
        return self.video_id


class _Thumbnails(Answer):
    kind: str | None = None


@YOUTUBE.action(
    "updateVideo",
    UpdateVideo,
    VideoState,
    repeat=Resend(),
    why="It sets fields: twice is the same as once.",
    multi_step=True,
    pace=WRITES,
    scopes=(MANAGE,),
    limits=(WRITE_COST, "a change that someone else makes in the same second may be undone"),
)
def update_video(call: Call, data: UpdateVideo) -> VideoState:
    """Change a video's texts, visibility or declarations."""
    given = data.model_dump(exclude_none=True)
    before = _read(call, data.video_id)
    body: dict[str, Any] = {}
    if given.keys() & {*_SNIPPET, "language"}:
        changes = {_SNIPPET[name]: given[name] for name in given.keys() & _SNIPPET.keys()}
        changes |= {"default_language": data.language} if data.language is not None else {}
        body["snippet"] = as_sent(before.snippet.model_copy(update=changes), leave_out=READ_ONLY)
    if given.keys() & _STATUS.keys():
        changes = {_STATUS[name]: given[name] for name in given.keys() & _STATUS.keys()}
        if data.privacy not in (None, "private"):
            # A video that is to be seen now has no time ahead any more.
            changes["publish_at"] = None
        body["status"] = as_sent(before.status.model_copy(update=changes), leave_out=READ_ONLY)
    return _write(call, data.video_id, body)


@YOUTUBE.action(
    "scheduleVideo",
    ScheduleVideo,
    VideoState,
    repeat=Resend(),
    why="It sets a time: twice is the same as once.",
    multi_step=True,
    pace=WRITES,
    scopes=(MANAGE,),
    limits=(WRITE_COST, "only a private video that was never published"),
)
def schedule_video(call: Call, data: ScheduleVideo) -> VideoState:
    """Set when a private video becomes public, or another time than before."""
    PUBLISH_AHEAD.check("publish_at", data.publish_at)
    return _set_time(call, data.video_id, data.publish_at)


@YOUTUBE.action(
    "cancelSchedule",
    VideoRef,
    VideoState,
    repeat=Resend(),
    why="It takes a time away: twice is the same as once.",
    multi_step=True,
    pace=WRITES,
    scopes=(MANAGE,),
    limits=(WRITE_COST,),
)
def cancel_schedule(call: Call, data: VideoRef) -> VideoState:
    """Keep a video private that would become public by itself."""
    return _set_time(call, data.video_id, None)


@YOUTUBE.action(
    "deleteVideo",
    VideoRef,
    Deleted,
    repeat=Resend(),
    why="Deleting twice is the same as once.",
    pace=WRITES,
    scopes=(MANAGE,),
    limits=("50 of the project's 10,000 units a day",),
)
def delete_video(call: Call, data: VideoRef) -> Deleted:
    """Delete a video for good."""
    try:
        data_api(call).change("DELETE", "videos.delete", "videos", id=data.video_id)
    except NotFound:
        # An earlier attempt may have deleted it; else there never was one.
        if call.first_sent_at is None:
            raise
    return Deleted(video_id=data.video_id)


@YOUTUBE.action(
    "setThumbnail",
    SetThumbnail,
    Thumbnail,
    repeat=Resend(),
    why="It sets the picture: twice is the same as once.",
    multi_step=True,
    pace=WRITES,
    scopes=(UPLOAD, READ),
    limits=("50 of the project's 10,000 units a day", "JPEG or PNG", "the channel must be verified by telephone"),
)
def set_thumbnail(call: Call, data: SetThumbnail) -> Thumbnail:
    """Set the picture that stands for a video."""
    # Before the effect: a permit to send is good for a moment only.
    image = open_media(call, data.image_url, THUMBNAIL_RULES, field="image_url")
    return Thumbnail.model_validate(call.effect("set", lambda: _send_thumbnail(call, data.video_id, image)))


def _send_thumbnail(call: Call, video_id: str, image: Media) -> JsonValue:
    api = upload_api(call)
    answer = call.http.request(
        "POST",
        f"{api.base}/thumbnails/set",
        effect=True,
        params={"videoId": video_id, "uploadType": "media"},
        data=image.body(),
        headers={**api.authorization(), "Content-Type": image.media_type},
    )
    api.understood(_Thumbnails, "thumbnails.set", answer, effect=True)
    return {"video_id": video_id}


def _set_time(call: Call, video_id: str, publish_at: UtcDatetime | None) -> VideoState:
    before = _read(call, video_id).status
    if before.privacy_status != "private":
        raise InvalidRequest(f"video_id: the video is {before.privacy_status}; only a private one can have a time")
    # YouTube wants both each time, and resets whatever else is left out.
    status = before.model_copy(update={"privacy_status": "private", "publish_at": publish_at})
    return _write(call, video_id, {"status": as_sent(status, leave_out=READ_ONLY)})


def _read(call: Call, video_id: str) -> Video:
    """A video's parts that can be written.

    Raises:
        NotFound: It is not there.
    """
    found = data_api(call).get(Videos, "videos.list", "videos", part="snippet,status", id=video_id).items
    for video in found:
        if video.id == video_id:
            return video
    raise NotFound("videos.list: there is no such video, or it is another channel's")


def _write(call: Call, video_id: str, parts: dict[str, Any]) -> VideoState:
    """Replace parts of a video that was read before; the answer shows only those."""

    def put() -> JsonValue:
        body = {"id": video_id, **parts}
        made = data_api(call).put(Video, "videos.update", "videos", body, effect=True, part=",".join(parts))
        return cast("JsonValue", VideoState.of(made).model_dump(mode="json"))

    return VideoState.model_validate(call.effect("write", put))
