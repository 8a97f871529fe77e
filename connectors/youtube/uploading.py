"""Uploading: open a session, bring all pieces but the last, then the last one, once.

YouTube takes no idempotency key. The session is the key: it is recorded before any byte is sent, becomes one video at
most, and tells afterwards whether it did. Should it be forgotten by then, the channel's uploads tell: the video carries
a tag of the run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import cache, partial
from typing import Annotated, Any, cast

from pydantic import AfterValidator, Field, model_validator

from connectors.kit import clock
from connectors.kit.action import Input, JsonValue, LookUp
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, OutcomeUnknown, PolicyRejected, looking
from connectors.kit.fields import HttpsUrl, UtcDatetime
from connectors.kit.media import Media, MediaRules, open_media
from connectors.youtube import lists, sessions
from connectors.youtube.platform import READ, UPLOAD, UPLOADS, YOUTUBE
from connectors.youtube.resources import (
    MADE_FOR_KIDS,
    MOST_TAG_CHARACTERS,
    PUBLISH_AHEAD,
    PUBLISH_AT,
    SYNTHETIC,
    CategoryId,
    Description,
    Language,
    License,
    Privacy,
    Tag,
    Title,
    Video,
    VideoState,
    tag_characters,
)
from connectors.youtube.sessions import Session, SessionLost

RULES = MediaRules(types=("video/*",), max_bytes=274_877_906_944)
"""256 GB; YouTube takes any measure and works on what it can read."""

SETTLE_AFTER_S = 120.0
"""A session that still lacks bytes, or an upload that the channel does not list, two minutes after the last piece."""

_MOST_SESSIONS = 3
_TAG_CHARACTERS = 16
_LOOK_EVERY_S, _PROCESSING_S = 30.0, 3600.0
_BROKEN_FILES = frozenset({"length"})


class UploadVideo(Input):
    """A video for the channel, fetched from an address while it is uploaded."""

    media_url: HttpsUrl = Field(
        description="https address of the file; it must stay there, unchanged, until it is uploaded."
    )
    title: Title = Field(description="1 to 100 characters, without < and >.")
    description: Description = Field(default="", description="At most 5,000 bytes of UTF-8, without < and >.")
    tags: tuple[Tag, ...] = Field(
        default=(),
        description="484 characters in all, counting commas between them and quotes around those with spaces.",
    )
    category_id: CategoryId = Field(default="22", description="From listCategories; 22 is People & Blogs.")
    language: Language | None = Field(default=None, description="Language of title and description, such as en.")
    privacy: Privacy = Field(default="private", description="Who may see it; private if publish_at is given.")
    publish_at: Annotated[UtcDatetime, AfterValidator(PUBLISH_AHEAD.accept)] | None = Field(
        default=None, description=PUBLISH_AT.description
    )
    made_for_kids: bool = MADE_FOR_KIDS
    contains_synthetic_media: bool = SYNTHETIC
    license: License = Field(default="youtube", description="youtube or creativeCommon.")
    embeddable: bool = Field(default=True, description="Whether other sites may show it.")
    notify_subscribers: bool = Field(default=True, description="Whether subscribers are told; not for backfills.")

    @model_validator(mode="after")
    def _goes_together(self) -> UploadVideo:
        if tag_characters(self.tags) > MOST_TAG_CHARACTERS - _TAG_CHARACTERS:
            raise ValueError(f"tags may have {MOST_TAG_CHARACTERS - _TAG_CHARACTERS} characters in all")
        if self.publish_at is not None and self.privacy != "private":
            raise ValueError("privacy must be private where publish_at says when it becomes public")
        return self


def run_tag(call: Call) -> str:
    """The tag by which a video of this run is found again."""
    return f"nh-{hashlib.sha256(call.key.encode()).hexdigest()[:12]}"


def _find(call: Call, data: UploadVideo) -> VideoState | None:
    """The video that the run's newest session became."""
    newest = _newest(call)
    if newest is None:
        return None
    with looking():
        try:
            found = sessions.progress(call, newest)
        except SessionLost:
            return _listed(call)
    return VideoState.of(found) if isinstance(found, Video) else None


@YOUTUBE.action(
    "uploadVideo",
    UploadVideo,
    VideoState,
    repeat=LookUp(_find, settle_after_s=SETTLE_AFTER_S),
    why="A session becomes one video at most and tells whether it did; the channel's list tells where it is forgotten.",
    multi_step=True,
    pace=UPLOADS,
    scopes=(UPLOAD, READ),
    limits=(
        "100 uploads a day in the app's Google Cloud project, and fewer for a new channel",
        "256 GB; video of any kind that YouTube can read",
        "private for good until the project has passed YouTube's audit",
        "carries a tag of the run, such as nh-0a1b2c3d4e5f, for the read-back",
    ),
)
def upload_video(call: Call, data: UploadVideo) -> VideoState:
    """Upload a video, resuming where an interrupted upload has arrived."""
    made = _upload(call, data)
    return _worked_on(call, made)


def _upload(call: Call, data: UploadVideo) -> VideoState:
    """Upload through as many sessions as it takes.

    Raises:
        Unavailable: YouTube lost several.
    """
    for number in range(1, _MOST_SESSIONS + 1):
        if call.recall(f"lost:{number}") is None:
            try:
                return _through(call, data, number)
            except SessionLost as lost:
                call.step(f"lost:{number}", partial(str, lost))
    raise InvalidRequest(f"YouTube lost {_MOST_SESSIONS} upload sessions of this run; begin another run")


def _through(call: Call, data: UploadVideo, number: int) -> VideoState:
    """Upload through one session.

    Raises:
        SessionLost: It is gone, and no video was made through it.
    """
    done = call.recall(f"upload:{number}")
    if done is not None:
        return VideoState.model_validate(done)
    opened = cache(partial(_file, call, data))
    is_new = call.recall(f"session:{number}") is None
    recorded = cast("dict[str, Any]", call.step(f"session:{number}", lambda: _open(call, data, opened())))
    session = Session(uri=recorded["uri"], size=recorded["size"], media_type=recorded["media_type"])

    def media() -> Media:
        found = opened()
        if found.mark != recorded["mark"]:
            raise InvalidRequest("media_url: the file was changed since its upload began; begin another run")
        return found

    def bring() -> JsonValue:
        return sessions.bring(call, session, media(), 0 if is_new else _offset(call, session))

    offset = cast("int", call.step(f"brought:{number}", bring))
    tried = call.recall(f"finishing:{number}") is not None
    call.step(f"finishing:{number}", lambda: True)
    # All that takes time comes before the effect: a permit to send is good for a moment only.
    last = _last(call, session, media, offset, ask=tried or offset == session.size)
    return VideoState.model_validate(call.effect(f"upload:{number}", lambda: _as_json(VideoState.of(last()))))


def _file(call: Call, data: UploadVideo) -> Media:
    return open_media(call, data.media_url, RULES, field="media_url")


def _open(call: Call, data: UploadVideo, media: Media) -> JsonValue:
    if data.publish_at is not None:
        PUBLISH_AHEAD.check("publish_at", data.publish_at)
    began_at = clock.now().isoformat()
    uri = sessions.open_session(call, _resource(call, data), media, notify=data.notify_subscribers)
    return {"uri": uri, "size": media.size, "media_type": media.media_type, "mark": media.mark, "began_at": began_at}


def _resource(call: Call, data: UploadVideo) -> dict[str, Any]:
    language = {} if data.language is None else {"defaultLanguage": data.language}
    publish_at = {} if data.publish_at is None else {"publishAt": data.publish_at.isoformat().replace("+00:00", "Z")}
    return {
        "snippet": {
            "title": data.title,
            "description": data.description,
            "tags": [*data.tags, run_tag(call)],
            "categoryId": data.category_id,
            **language,
        },
        "status": {
            "privacyStatus": data.privacy,
            "license": data.license,
            "embeddable": data.embeddable,
            "selfDeclaredMadeForKids": data.made_for_kids,
            "containsSyntheticMedia": data.contains_synthetic_media,
            **publish_at,
        },
    }


def _offset(call: Call, session: Session) -> int:
    stored = sessions.progress(call, session)
    return session.size if isinstance(stored, Video) else stored


def _last(call: Call, session: Session, media: Callable[[], Media], offset: int, *, ask: bool) -> Callable[[], Video]:
    """The last piece, ready to be sent. Whether an earlier one has made the video is for the read-back to find out.

    Args:
        ask: Whether a last piece may have been sent before: then what is missing of it.

    Raises:
        ConnectorError: YouTube did not tell, or the file cannot be read.
    """
    if ask:
        try:
            stored = sessions.progress(call, session)
        except SessionLost as lost:
            return partial(_raise, lost)
        if isinstance(stored, Video):
            return partial(_same, stored)
        offset = sessions.bring(call, session, media(), stored)
    return partial(sessions.finish, call, session, media(), offset)


def _same(video: Video) -> Video:
    return video


def _raise(lost: SessionLost) -> Video:
    raise lost


def _newest(call: Call) -> Session | None:
    made = [call.recall(f"session:{number}") for number in range(1, _MOST_SESSIONS + 1)]
    known = [cast("dict[str, Any]", one) for one in made if one is not None]
    if not known:
        return None
    return Session(uri=known[-1]["uri"], size=known[-1]["size"], media_type=known[-1]["media_type"])


def _listed(call: Call) -> VideoState | None:
    """The channel's upload since the run's first session that carries the run's tag."""
    first = cast("dict[str, Any] | None", call.recall("session:1"))
    if first is None:
        return None
    since_at = datetime.fromisoformat(first["began_at"]) - clock.SKEW
    return lists.uploaded_with_tag(call, run_tag(call), since_at=since_at)


def _worked_on(call: Call, made: VideoState) -> VideoState:
    """What YouTube makes of the file, without holding a worker; after an hour, how far it is.

    Raises:
        InvalidRequest: It is no video that YouTube can read. Nobody can see it.
        PolicyRejected: YouTube does not show it to anyone.
    """

    def look() -> VideoState | None:
        now = lists.state(call, made.video_id)
        return None if now is not None and now.upload_status == "uploaded" else now or made

    try:
        found = call.wait_for("processed", look, every_s=_LOOK_EVERY_S, timeout_s=_PROCESSING_S)
    except OutcomeUnknown:
        return made
    if found.upload_status == "failed" or (found.upload_status == "rejected" and found.reason in _BROKEN_FILES):
        raise InvalidRequest(f"video {made.video_id}: YouTube cannot use the file: {found.reason}", code=found.reason)
    if found.upload_status == "rejected":
        raise PolicyRejected(f"video {made.video_id}: YouTube rejects it: {found.reason}", code=found.reason)
    return found


def _as_json(state: VideoState) -> JsonValue:
    return cast("JsonValue", state.model_dump(mode="json"))
