"""Creatives: what an ad shows. They never change; an ad is given a new one instead."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from connectors.dialects.meta_graph import NodeId
from connectors.facebook import api
from connectors.kit.action import Input
from connectors.kit.call import Call
from connectors.kit.fields import HttpsUrl

CallToAction = Literal[
    "LEARN_MORE",
    "SHOP_NOW",
    "SIGN_UP",
    "SUBSCRIBE",
    "DOWNLOAD",
    "BOOK_TRAVEL",
    "CONTACT_US",
    "GET_OFFER",
    "GET_QUOTE",
    "APPLY_NOW",
    "ORDER_NOW",
    "WATCH_MORE",
    "MESSAGE_PAGE",
    "INSTALL_MOBILE_APP",
    "DONATE_NOW",
]


class Creative(Input):
    """What an ad shows: a link, a video or a post of the Page."""

    link: HttpsUrl | None = Field(default=None, description="Where a click leads.")
    message: str | None = Field(default=None, min_length=1, max_length=63_206, description="The main text.")
    headline: str | None = Field(default=None, min_length=1, max_length=255, description="Title below the picture.")
    description: str | None = Field(default=None, min_length=1, max_length=255, description="Small text of a link.")
    image_hash: str | None = Field(
        default=None, pattern=r"^[0-9a-f]{16,64}$", description="Hash of an image, as uploadImage gave it."
    )
    image_url: HttpsUrl | None = Field(
        default=None, description="Public https address of an image, instead of a hash; Meta loads it from there."
    )
    video_id: NodeId | None = Field(default=None, description="A video of the ad account; needs an image as its cover.")
    call_to_action: CallToAction | None = Field(default=None, description="The button; needs link.")
    post_id: str | None = Field(
        default=None, pattern=r"^[0-9]+_[0-9]+$", description="A post of the Page to promote, instead of all else."
    )
    page_id: NodeId | None = Field(default=None, description="Page it speaks for; the connection's if left out.")
    instagram_user_id: NodeId | None = Field(default=None, description="Instagram account it speaks for there.")

    @model_validator(mode="after")
    def _is_one_kind(self) -> Creative:
        if self.post_id is not None:
            if self.model_fields_set - {"post_id"}:
                raise ValueError("post_id stands alone: the post says all else")
        elif self.link is None and self.video_id is None:
            raise ValueError("one of link, video_id and post_id is needed")
        return self

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Creative:
        if self.image_hash is not None and self.image_url is not None:
            raise ValueError("one of image_hash and image_url, not both")
        if self.call_to_action is not None and self.link is None:
            raise ValueError("call_to_action needs link")
        if self.video_id is None:
            return self
        if self.image_hash is None and self.image_url is None:
            raise ValueError("video_id needs image_hash or image_url as its cover")
        if self.description is not None:
            raise ValueError("description belongs to a link without a video")
        if self.link is not None and self.call_to_action is None:
            raise ValueError("the link of a video needs call_to_action")
        return self


def create(call: Call, data: Creative) -> str:
    """Make a creative; one that no ad shows costs nothing and stays out of sight, so a repeat does no harm.

    Returns:
        Its id.
    """
    fields = {"name": f"creative [{api.mark(call)}]", **_content(call, data)}
    made = api.graph(call).post(f"{api.account(call)}/adcreatives", fields, effect=False, needs=("id",))
    return api.made_id(made, "adcreatives")


def _content(call: Call, data: Creative) -> dict[str, Any]:
    if data.post_id is not None:
        return {"object_story_id": data.post_id}
    kind, shown = ("video_data", _video(data)) if data.video_id is not None else ("link_data", _link(data))
    story = {
        "page_id": data.page_id or api.page(call),
        "instagram_user_id": data.instagram_user_id,
        kind: _given(shown),
    }
    return {"object_story_spec": _given(story)}


def _link(data: Creative) -> dict[str, Any]:
    return {
        "link": data.link,
        "message": data.message,
        "name": data.headline,
        "description": data.description,
        "image_hash": data.image_hash,
        "picture": data.image_url,
        "call_to_action": _button(data),
    }


def _video(data: Creative) -> dict[str, Any]:
    return {
        "video_id": data.video_id,
        "message": data.message,
        "title": data.headline,
        "image_hash": data.image_hash,
        "image_url": data.image_url,
        "call_to_action": _button(data),
    }


def _button(data: Creative) -> dict[str, Any] | None:
    if data.call_to_action is None:
        return None
    return {"type": data.call_to_action, "value": {"link": data.link}}


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
