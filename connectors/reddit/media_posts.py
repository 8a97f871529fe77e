"""Image and video posts: bring the file, submit its address, and wait until Reddit shows the post.

The answer to the submission has no id. Reddit works on the file first; the post then appears among the account's own.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, cast

from pydantic import Field, model_validator

from connectors.kit import clock
from connectors.kit.action import JsonValue, LookUp, Output
from connectors.kit.call import Call
from connectors.kit.errors import OutcomeUnknown, looking
from connectors.kit.fields import HttpsUrl
from connectors.reddit import data_api, uploads
from connectors.reddit.platform import REDDIT
from connectors.reddit.posts import LIMITS, PATIENT, Titled, own_posts_since, submitted

_SHOWN_S = 900.0


class SubmitMediaPost(Titled):
    """An image, or a video with its poster."""

    image_url: HttpsUrl | None = Field(
        default=None, description="PNG, JPEG, GIF or WebP of at most 20 MB: an https address that is fetched from here."
    )
    video_url: HttpsUrl | None = Field(
        default=None, description="MP4 or MOV of at most 1,000 MB, likewise; instead of an image."
    )
    poster_url: HttpsUrl | None = Field(default=None, description="Image that stands for the video; needed with one.")
    silent: bool = Field(default=False, description="Show the video as a loop without sound.")

    @model_validator(mode="after")
    def _is_one_kind(self) -> SubmitMediaPost:
        if (self.image_url is None) == (self.video_url is None):
            raise ValueError("one of image_url and video_url is needed, not both")
        if (self.video_url is None) != (self.poster_url is None):
            raise ValueError("poster_url belongs to a video_url, and is needed with it")
        if self.silent and self.video_url is None:
            raise ValueError("silent belongs to a video_url")
        return self


class MediaPost(Output):
    """A post that shows an image or a video."""

    post_id: str | None = Field(default=None, description="Full name, t3_...; null while Reddit does not show it yet.")
    url: str | None = None

    def provider_id(self) -> str | None:
        """The post's full name."""
        return self.post_id


def _find(call: Call, data: SubmitMediaPost) -> MediaPost | None:
    """The post that this run made.

    Raises:
        OutcomeUnknown: Several could be it, or none is listed.
    """
    before = call.recall("before")
    if call.first_sent_at is None or before is None:
        return None
    found = _shown(call, data, before)
    if found is None:
        raise OutcomeUnknown(
            "the account's list does not show it, and may not show removed posts; look into the subreddit"
        )
    return found


def _before(call: Call, data: SubmitMediaPost) -> JsonValue:
    """When it begins, and which posts of the account already look like it."""
    now = clock.now()
    names: list[JsonValue] = [row["name"] for row in own_posts_since(call, data, now)]
    return {"at": now.isoformat(), "names": names}


def _shown(call: Call, data: SubmitMediaPost, before: JsonValue) -> MediaPost | None:
    """The post, if Reddit lists it.

    Args:
        before: As ``_before`` gave it.

    Raises:
        OutcomeUnknown: Several could be it.
    """
    known = cast("dict[str, Any]", before)
    with looking():
        rows = own_posts_since(call, data, datetime.fromisoformat(known["at"]))
    found = [row for row in rows if not row.get("is_self") and row["name"] not in known["names"]]
    if len(found) > 1:
        raise OutcomeUnknown(f"ambiguous: {len(found)} posts of the account could be this one; look into the subreddit")
    return MediaPost(**submitted(found[0]).model_dump()) if found else None


@REDDIT.action(
    "submitMediaPost",
    SubmitMediaPost,
    MediaPost,
    repeat=LookUp(_find, settle_after_s=120.0),
    why="Reddit takes no idempotency key, but lists the account's posts; what it does not list, a person looks for.",
    multi_step=True,
    retry=PATIENT,
    target=lambda data: data.subreddit.lower(),
    scopes=("submit", "history", "read"),
    limits=(
        *LIMITS,
        "an image of 20 MB, a video of 1,000 MB",
        "one post of a title and subreddit at a time: two that are alike cannot be told apart while neither is shown",
    ),
)
def submit_media_post(call: Call, data: SubmitMediaPost) -> MediaPost:
    """Submit an image or a video to a subreddit or profile, and wait until it is shown."""
    form = {**data.form(), **_media(call, data)}
    before = call.step("before", partial(_before, call, data))
    call.effect("submit", lambda: _submit(call, form))
    found = call.wait_for("shown", lambda: _shown(call, data, before), every_s=10.0, timeout_s=_SHOWN_S)
    # It sends nothing: it keeps the post's name with this run, so that no other run takes the post for its own.
    return MediaPost.model_validate(call.effect("named", lambda: _as_json(found)))


def _media(call: Call, data: SubmitMediaPost) -> dict[str, Any]:
    """Bring the files; what is brought and not submitted stays out of sight, so a repeat does no harm."""
    if data.image_url is not None:
        return {"kind": "image", "url": _brought(call, "image", data.image_url)}
    return {
        "kind": "videogif" if data.silent else "video",
        "url": _brought(call, "video", str(data.video_url)),
        "video_poster_url": _brought(call, "poster", str(data.poster_url)),
    }


def _brought(call: Call, what: str, url: str) -> str:
    rules = uploads.VIDEOS if what == "video" else uploads.IMAGES
    return str(call.step(f"upload:{what}", partial(uploads.bring, call, url, rules, field=f"{what}_url")))


def _submit(call: Call, form: dict[str, Any]) -> JsonValue:
    data_api.post_for(call, "/api/submit", form)
    return _as_json(MediaPost())


def _as_json(post: MediaPost) -> JsonValue:
    return cast("JsonValue", post.model_dump(mode="json"))
