"""Images of the ad account: the same bytes have the same hash, however often they are brought."""

from __future__ import annotations

import base64
from typing import Any

from pydantic import Field

from connectors.facebook import api
from connectors.facebook.platform import ADS_LIMITS, ADS_PACE, ADS_WRITE, FACEBOOK
from connectors.kit.action import Input, JsonValue, Output, Resend
from connectors.kit.call import Call
from connectors.kit.errors import OutcomeUnknown
from connectors.kit.fields import HttpsUrl
from connectors.kit.media import MediaRules, open_media

_RULES = MediaRules(types=("image/jpeg", "image/png"), max_bytes=30 * 2**20)


class UploadImage(Input):
    """An image for ads."""

    image_url: HttpsUrl = Field(description="Public https address of a JPEG or PNG of at most 30 MB.")


class AdImage(Output):
    """An image of the ad account."""

    image_hash: str = Field(description="For the creatives of ads.")

    def provider_id(self) -> str:
        """Its hash."""
        return self.image_hash


@FACEBOOK.action(
    "uploadImage",
    UploadImage,
    AdImage,
    repeat=Resend(),
    why="Meta knows an image by the hash of its bytes: bringing it twice is the same as once.",
    multi_step=True,
    pace=ADS_PACE,
    scopes=ADS_WRITE,
    limits=(*ADS_LIMITS, "JPEG or PNG up to 30 MB"),
)
def upload_image(call: Call, data: UploadImage) -> AdImage:
    """Bring an image into the ad account."""
    path = f"{api.account(call)}/adimages"
    media = open_media(call, data.image_url, _RULES, field="image_url")
    content = base64.b64encode(media.read_all(_RULES.max_bytes)).decode()

    def bring() -> JsonValue:
        made = api.graph(call).post(path, {"bytes": content}, effect=True, needs=("images",))
        return {"image_hash": _hash(made["images"])}

    # Fetched before the effect: a permit to send is good for a moment only.
    return AdImage.model_validate(call.effect("bring", bring))


def _hash(images: Any) -> str:
    for one in images.values() if isinstance(images, dict) else ():
        found = one.get("hash") if isinstance(one, dict) else None
        if isinstance(found, str) and found:
            return found
    raise OutcomeUnknown("adimages: Meta's answer holds no readable hash", http_status=200)
