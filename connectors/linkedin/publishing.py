"""Publishing: bring the media, hold the post until its time, post it once.

LinkedIn takes no idempotency key. But it refuses a post that its author has already, and names the one that is there:
so a repeat with the same bytes is the question and the answer. It is not said for how long; a repeat is only made well
within a day.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

from pydantic import Field

from connectors.kit import clock
from connectors.kit.action import JsonValue, Output, ResendWithKey
from connectors.kit.call import Call
from connectors.kit.errors import NotDone, NotFound, OutcomeUnknown, Permission, Postpone, Refused
from connectors.linkedin import uploads, web
from connectors.linkedin.content import PublishPost, SchedulePost
from connectors.linkedin.platform import LINKEDIN, author_of

_POSTS = "https://www.linkedin.com/feed/update"
_AHEAD_OF_POST = timedelta(minutes=10)

_ONCE = ResendWithKey(key="author and content of the post", window_s=7200.0)
_WHY = "LinkedIn refuses a post that its author has already, and names the one that is there."
_SCOPES = ("w_member_social", "w_organization_social", "r_organization_social")
_LIMITS = (
    "3,000 characters",
    "20 images of at most 36,152,320 pixels, or one document of at most 100 MB, or one video of at most 500 MB",
    "the same content of the same author once within about a day",
    "calls per day by app and member; LinkedIn shows them in the developer portal only",
)


class Published(Output):
    """A post that people can see."""

    post_urn: str = Field(description="urn:li:share:... or urn:li:ugcPost:...")
    url: str

    def provider_id(self) -> str:
        """The post's URN."""
        return self.post_urn


@LINKEDIN.action(
    "publishPost",
    PublishPost,
    Published,
    repeat=_ONCE,
    why=_WHY,
    multi_step=True,
    scopes=_SCOPES,
    limits=_LIMITS,
)
def publish_post(call: Call, data: PublishPost) -> Published:
    """Publish a post, with an article, images, a document, a video or a poll."""
    return _publish(call, data, at=None)


@LINKEDIN.action(
    "schedulePost",
    SchedulePost,
    Published,
    repeat=_ONCE,
    why=_WHY,
    multi_step=True,
    scopes=_SCOPES,
    limits=(
        "LinkedIn offers apps no scheduling: the run waits here, at most 365 days, and can be cancelled until its time",
        *_LIMITS,
    ),
)
def schedule_post(call: Call, data: SchedulePost) -> Published:
    """Hold a post here, and publish it at its time."""
    return _publish(call, data, at=data.publish_at)


def _publish(call: Call, data: PublishPost, *, at: datetime | None) -> Published:
    author = author_of(call, data.author)
    # What was brought long ago may be gone by the time it is needed.
    _hold_until(None if at is None else at - _AHEAD_OF_POST, "its media")
    media = uploads.bring(call, data, author)
    _hold_until(at, "its time")
    body = data.body(author, media)
    return Published.model_validate(call.effect("publish", lambda: _publish_once(call, author, body)))


def _hold_until(at: datetime | None, what: str) -> None:
    """Give the worker free until then.

    Raises:
        Postpone: It is not yet time.
    """
    left_s = 0.0 if at is None else (at - clock.now()).total_seconds()
    if left_s > 0:
        raise Postpone(left_s, f"held until {what}")


def _publish_once(call: Call, author: str, body: dict[str, object]) -> JsonValue:
    """The irreversible step.

    Raises:
        OutcomeUnknown: It may have been published before, or just now.
    """
    try:
        urn = web.create(call, "posts", body)
    except web.DuplicatePost as duplicate:
        urn = _there_already(call, author, duplicate)
    except Refused as refused:
        if call.first_sent_at is None:
            raise
        # Refused before the content was looked at: that says nothing about the first request.
        raise OutcomeUnknown(
            f"the repeat that would tell was refused: {refused}", code=refused.code, http_status=refused.http_status
        ) from None
    if not web.POST_URN.fullmatch(urn):
        raise OutcomeUnknown("LinkedIn created something, and named no post")
    return cast("JsonValue", Published(post_urn=urn, url=f"{_POSTS}/{urn}/").model_dump(mode="json"))


def _there_already(call: Call, author: str, duplicate: web.DuplicatePost) -> str:
    """The URN of our own post, which an earlier request of this run made.

    Raises:
        DuplicatePost: Somebody else made it, so this run has posted nothing.
        OutcomeUnknown: LinkedIn does not tell.
    """
    if call.first_sent_at is None:
        raise web.DuplicatePost(
            f"the author posted the same content within about a day: {duplicate.urn}; change the text",
            code=duplicate.code,
            http_status=duplicate.http_status,
            request_id=duplicate.request_id,
        )
    if duplicate.urn is None:
        raise OutcomeUnknown("LinkedIn has the post already and does not name it; look into the author's posts")
    if call.ledger.taken([duplicate.urn]):
        raise duplicate
    if author.startswith("urn:li:organization:") and _is_older(call, duplicate.urn, call.first_sent_at):
        raise duplicate
    return duplicate.urn


def _is_older(call: Call, urn: str, first_sent_at: datetime) -> bool:
    """Whether a Page's post was there before; members' posts cannot be read.

    Raises:
        OutcomeUnknown: The post is gone, or could not be read just now.
    """
    try:
        found = web.get(call, f"posts/{web.encoded(urn)}", needs=("id",))
    except Permission:
        return False
    except (NotFound, NotDone) as unread:
        raise OutcomeUnknown(f"LinkedIn names {urn}, which cannot be read ({unread}); look into the Page") from None
    created_ms = found.get("createdAt")
    since_ms = (first_sent_at - clock.SKEW).timestamp() * 1000
    return isinstance(created_ms, int) and created_ms < since_ms
