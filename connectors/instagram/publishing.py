"""Publishing: make a container, wait until Instagram has worked on it, publish it.

Instagram takes no idempotency key. The container is the key: it is recorded before it is published, can be published
once, and tells afterwards whether it was. Media ids are found in the account's list, by caption and time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, cast

from pydantic import Field

from connectors.instagram import api, containers
from connectors.instagram.containers import Lost
from connectors.kit import clock
from connectors.kit.action import JsonValue, Output
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, NotDone, NotFound, OutcomeUnknown, looking

SETTLE_AFTER_S = 60.0
"""A container that still is FINISHED a minute after the request to publish it was not published by that request."""

SCOPES = ("instagram_business_basic", "instagram_business_content_publish")
LIMITS = (
    "100 posts, reels and stories per account and moving 24 h",
    "media at public https addresses: JPEG up to 8 MB, MP4 or MOV",
    "a container lives 24 h: hold the post here until its time",
)

_MOST_CONTAINERS = 3
_LOOK_EVERY_S = 30.0
_IMAGE_S, _VIDEO_S = 300.0, 3600.0


class Published(Output):
    """Something that people can see."""

    container_id: str = Field(description="Id of the container that was published.")
    media_id: str | None = Field(
        description="Id of the media; null if the answer was lost and the account's list does not tell it for certain."
    )

    def provider_id(self) -> str:
        """The media's id, or else the container's."""
        return self.media_id or self.container_id


@dataclass(frozen=True)
class Draft:
    """What is to be published.

    Attributes:
        fields: Of the container, for ``/media``.
        children: Of the containers in it, for a carousel.
        video: Whether Instagram has a video to work on.
    """

    fields: dict[str, Any]
    children: tuple[dict[str, Any], ...] = ()
    video: bool = False


def publish(call: Call, draft: Draft) -> Published:
    """Publish a draft once, through as many containers as it takes.

    Raises:
        InvalidRequest: Several containers came to nothing, or Instagram does not take the media.
    """
    reason = ""
    for number in range(1, _MOST_CONTAINERS + 1):
        lost = call.recall(f"lost:{number}")
        if lost is None:
            try:
                return _publish_through(call, draft, number)
            except Lost as error:
                lost = call.step(f"lost:{number}", partial(str, error))
        reason = str(lost)
    raise InvalidRequest(f"{_MOST_CONTAINERS} containers came to nothing; the last one because {reason}")


def _publish_through(call: Call, draft: Draft, number: int) -> Published:
    """Publish through one container.

    Raises:
        Lost: It came to nothing; nothing was published.
    """
    children = [_made(call, f"child:{number}:{place}", fields) for place, fields in enumerate(draft.children, start=1)]
    for place, child in enumerate(children, start=1):
        _wait_until_ready(call, f"child_ready:{number}:{place}", child, draft)
    fields = {**draft.fields, "children": children} if children else draft.fields
    container_id = _made(call, f"container:{number}", fields)
    _wait_until_ready(call, f"ready:{number}", container_id, draft)
    return Published.model_validate(call.effect(f"publish:{number}", lambda: _publish_once(call, draft, container_id)))


def _made(call: Call, step: str, fields: dict[str, Any]) -> str:
    return str(call.step(step, lambda: containers.create(call, fields)))


def _wait_until_ready(call: Call, step: str, container_id: str, draft: Draft) -> None:
    """Wait for Instagram's work on a container, without holding a worker.

    Raises:
        Lost: It came to nothing, or takes too long.
    """
    # Remembered: once the publishing has begun, only its own read-back may ask the container.
    if call.recall(step) is not None:
        return
    try:
        call.wait_for(
            step,
            lambda: containers.ready(call, container_id),
            every_s=_LOOK_EVERY_S,
            timeout_s=_VIDEO_S if draft.video else _IMAGE_S,
        )
    except OutcomeUnknown as late:
        # What was not asked for cannot have been published: a new container may be quicker.
        raise Lost(str(late)) from None
    call.step(step, lambda: True)


def _publish_once(call: Call, draft: Draft, container_id: str) -> JsonValue:
    """The irreversible step.

    Raises:
        Lost: The container has expired.
        OutcomeUnknown: It may have been published before, or just now.
    """
    try:
        path = f"{api.account(call).ig_user_id}/media_publish"
        made = api.graph(call).post(path, {"creation_id": container_id}, effect=True, needs=("id",))
    except NotFound as refused:
        if not containers.is_gone(refused):
            raise
        return _as_json(_published_before(call, draft, container_id))
    return _as_json(Published(container_id=container_id, media_id=str(made["id"])))


def _published_before(call: Call, draft: Draft, container_id: str) -> Published:
    """What a container became that Instagram does not know any more: its status tells published from expired.

    Raises:
        Lost: It has expired.
        OutcomeUnknown: Instagram does not tell.
    """
    try:
        code = _status(call, container_id)
        found = _became(call, draft, container_id, code)
    except NotDone as unanswered:
        raise OutcomeUnknown(f"the container is gone, and nothing tells whether published: {unanswered}") from None
    if found is not None:
        return found
    if code == containers.EXPIRED:
        raise Lost("the container has expired")
    raise OutcomeUnknown(f"the container is gone, and yet {code}")


def finder(draft_of: Callable[[Any], Draft]) -> Callable[[Call, Any], Published | None]:
    """The read-back of an action whose input makes a draft."""

    def find(call: Call, data: Any) -> Published | None:
        container_id = _newest(call)
        if container_id is None:
            return None
        return _became(call, draft_of(data), container_id, _status(call, container_id))

    return find


def _newest(call: Call) -> str | None:
    made = [call.recall(f"container:{number}") for number in range(1, _MOST_CONTAINERS + 1)]
    known = [str(one) for one in made if one is not None]
    return known[-1] if known else None


def _status(call: Call, container_id: str) -> str:
    with looking():
        return containers.read(call, container_id)[0]


def _became(call: Call, draft: Draft, container_id: str, code: str) -> Published | None:
    """What became of a container after a request to publish it; None if it was not published.

    Raises:
        OutcomeUnknown: Instagram does not tell.
    """
    if code == containers.FINISHED:
        return None
    with looking():
        alike = _media_since(call, draft)
    if code == containers.PUBLISHED:
        return Published(container_id=container_id, media_id=alike[0] if len(alike) == 1 else None)
    if code == containers.EXPIRED and not alike:
        return None
    raise OutcomeUnknown(f"ambiguous: the container is {code}, and {len(alike)} media could be this one")


def _media_since(call: Call, draft: Draft) -> list[str]:
    """Ids of the account's media that could be ours: of that caption, and not older than the first request."""
    if call.first_sent_at is None:
        return []
    since_at = call.first_sent_at - clock.SKEW
    caption = (draft.fields.get("caption") or "").strip()
    edge = "stories" if draft.fields.get("media_type") == "STORIES" else "media"
    path = f"{api.account(call).ig_user_id}/{edge}"
    rows = api.graph(call).get(path, needs=("data",), fields="id,caption,timestamp", limit=100)["data"]
    found = [
        str(row["id"])
        for row in rows
        if datetime.fromisoformat(row["timestamp"]) >= since_at and (row.get("caption") or "").strip() == caption
    ]
    taken = call.ledger.taken(found)
    return [one for one in found if one not in taken]


def _as_json(published: Published) -> JsonValue:
    return cast("JsonValue", published.model_dump(mode="json"))
