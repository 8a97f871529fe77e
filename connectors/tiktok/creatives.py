"""What does an ad show? A video, an image or several, with a text, a button and a name that it speaks for."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from connectors.kit.action import Input
from connectors.kit.fields import HttpsUrl
from connectors.tiktok.platform import NAME, Name, without_emoji
from connectors.tiktok.web import ObjectId

AdText = Annotated[
    str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True), AfterValidator(without_emoji)
]
DisplayName = Annotated[
    str, StringConstraints(min_length=1, max_length=40, strip_whitespace=True), AfterValidator(without_emoji)
]
FileId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_./~:-]{1,256}$")]
Button = Literal[
    "LEARN_MORE",
    "SHOP_NOW",
    "SIGN_UP",
    "DOWNLOAD_NOW",
    "CONTACT_US",
    "SUBSCRIBE",
    "APPLY_NOW",
    "BOOK_NOW",
    "GET_QUOTE",
    "ORDER_NOW",
    "INSTALL_NOW",
    "VIEW_NOW",
    "WATCH_NOW",
    "VISIT_STORE",
    "READ_MORE",
    "PREORDER_NOW",
    "SEND_MESSAGE",
]
AI = Field(default=False, description="Whether it was made by AI, which people are then told.")


class Identity(Input):
    """Who speaks."""

    identity_type: Literal["CUSTOMIZED_USER", "AUTH_CODE", "TT_USER", "BC_AUTH_TT"] = Field(
        description="CUSTOMIZED_USER is a name made for ads; the others are TikTok accounts."
    )
    identity_id: str = Field(min_length=1, max_length=64, description="Its id.")


class CreateAd(Input):
    """A manual ad; it is created switched off."""

    name: Name = Field(description=NAME)
    adgroup_id: ObjectId = Field(description="The ad group, as createAdGroup gave it.")
    video_id: FileId | None = Field(default=None, description="A video, as uploadVideo gave it.")
    image_ids: tuple[FileId, ...] = Field(
        default=(), max_length=35, description="Images, as uploadImage gave them: the cover of a video, or a carousel."
    )
    tiktok_item_id: ObjectId | None = Field(default=None, description="A TikTok post to promote, instead of files.")
    ad_text: AdText | None = Field(default=None, description="Its text: up to 100 characters, no emoji.")
    call_to_action: Button | None = Field(default=None, description="The button.")
    landing_page_url: HttpsUrl | None = Field(default=None, description="Where a click leads.")
    identity: Identity | None = Field(default=None, description="Who speaks.")
    display_name: DisplayName | None = Field(
        default=None, description="Name above it, up to 40 characters, for an identity made for ads."
    )
    made_by_ai: bool = AI

    @model_validator(mode="after")
    def _shows_one_thing(self) -> CreateAd:
        if self.tiktok_item_id is not None:
            if self.video_id is not None or self.image_ids:
                raise ValueError("tiktok_item_id goes without video_id and image_ids")
        elif self.video_id is None and not self.image_ids:
            raise ValueError("one of video_id, image_ids and tiktok_item_id is needed")
        elif self.ad_text is None:
            raise ValueError("ad_text is needed, except for a TikTok post")
        elif self.video_id is not None and len(self.image_ids) != 1:
            raise ValueError("image_ids must hold the one cover of the video")
        return self

    def as_sent(self, name: str) -> dict[str, Any]:
        """As TikTok takes it."""
        kind = "SINGLE_VIDEO" if self.video_id or self.tiktok_item_id else "SINGLE_IMAGE"
        fields = {
            "ad_name": name,
            "ad_format": "CAROUSEL_ADS" if self.video_id is None and len(self.image_ids) > 1 else kind,
            **self.model_dump(
                mode="json",
                include={"video_id", "tiktok_item_id", "ad_text", "call_to_action", "landing_page_url", "display_name"},
            ),
            "image_ids": list(self.image_ids) or None,
            **({} if self.identity is None else self.identity.model_dump(mode="json")),
            "aigc_disclosure_type": "SELF_DISCLOSURE" if self.made_by_ai else None,
            "operation_status": "DISABLE",
        }
        return {field: value for field, value in fields.items() if value is not None}


class SmartCreative(Input):
    """One of the videos or posts that a Smart+ ad tries."""

    video_id: FileId | None = Field(default=None, description="A video, as uploadVideo gave it.")
    cover: FileId | None = Field(default=None, description="Its cover: an image, as uploadImage gave it.")
    tiktok_item_id: ObjectId | None = Field(default=None, description="A TikTok post, instead of a video.")
    identity: Identity | None = Field(default=None, description="Who speaks.")

    @model_validator(mode="after")
    def _is_one_thing(self) -> SmartCreative:
        if (self.video_id is None) == (self.tiktok_item_id is None):
            raise ValueError("one of video_id and tiktok_item_id is needed, not both")
        if (self.video_id is None) != (self.cover is None):
            raise ValueError("video_id and cover need each other")
        return self

    def as_sent(self, *, made_by_ai: bool) -> dict[str, Any]:
        """As TikTok takes it."""
        fields = {
            "ad_format": "SINGLE_VIDEO",
            "video_info": None if self.video_id is None else {"video_id": self.video_id},
            "image_info": None if self.cover is None else [{"web_uri": self.cover}],
            "tiktok_item_id": self.tiktok_item_id,
            **({} if self.identity is None else self.identity.model_dump(mode="json")),
            "aigc_disclosure_type": "SELF_DISCLOSURE" if made_by_ai else None,
        }
        return {"creative_info": {field: value for field, value in fields.items() if value is not None}}


class CreateSmartAd(Input):
    """A Smart+ ad: TikTok puts together what does best; it is created switched off."""

    name: Name = Field(description=NAME)
    adgroup_id: ObjectId = Field(description="The ad group, as createSmartAdGroup gave it.")
    creatives: tuple[SmartCreative, ...] = Field(min_length=1, max_length=31, description="1 to 31 videos or posts.")
    ad_texts: tuple[AdText, ...] = Field(default=(), max_length=5, description="Up to 5 texts.")
    calls_to_action: tuple[Button, ...] = Field(default=(), max_length=3, description="Up to 3 buttons.")
    landing_page_url: HttpsUrl | None = Field(default=None, description="Where a click leads.")
    made_by_ai: bool = AI

    def as_sent(self) -> dict[str, Any]:
        """As TikTok takes it."""
        url = self.landing_page_url
        fields = {
            "adgroup_id": self.adgroup_id,
            "creative_list": [one.as_sent(made_by_ai=self.made_by_ai) for one in self.creatives],
            "ad_text_list": [{"ad_text": text} for text in self.ad_texts] or None,
            "call_to_action_list": [{"call_to_action": one} for one in self.calls_to_action] or None,
            "landing_page_url_list": None if url is None else [{"landing_page_url": url}],
        }
        return {field: value for field, value in fields.items() if value is not None}
