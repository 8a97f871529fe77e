"""Templates: the only messages that may begin a conversation. Meta has approved their text; a send fills the blanks."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints, model_validator

from connectors.dialects.phone import PhoneNumber
from connectors.kit.action import Input
from connectors.kit.call import Call
from connectors.kit.fields import HttpsUrl
from connectors.whatsapp.platform import CHANNEL, WHATSAPP
from connectors.whatsapp.sending import LIMITS, PARK, WHY, Message, send

Value = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
ButtonIndex = Annotated[str, StringConstraints(pattern=r"^[0-9]$")]
BlankName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]


class SendTemplate(Input):
    """A template for one person, with its blanks filled."""

    to: PhoneNumber = Field(description="Recipient: phone number with country code, such as +14155550123.")
    template: str = Field(pattern=r"^[a-z0-9_]{1,512}$", description="Name of an approved template.")
    language: str = Field(pattern=r"^[a-z]{2,3}(_[A-Z]{2,3})?$", description="Its language, such as en_US or de.")
    body_values: tuple[Value, ...] = Field(default=(), description="Values of the body's {{1}}, {{2}} and so on.")
    named_values: dict[BlankName, Value] = Field(
        default={}, description="Values of the body's named blanks, instead of body_values."
    )
    header_text: Value | None = Field(default=None, description="Value of the header's blank.")
    header_image_url: HttpsUrl | None = Field(
        default=None, description="https address of the header's image: jpeg or png up to 5 MB."
    )
    url_endings: dict[ButtonIndex, Value] = Field(
        default={}, description="Ending of each URL button's address, by the button's place from 0."
    )

    @model_validator(mode="after")
    def _fills_blanks_in_one_way(self) -> SendTemplate:
        if self.body_values and self.named_values:
            raise ValueError("give body_values or named_values, not both")
        if self.header_text is not None and self.header_image_url is not None:
            raise ValueError("give header_text or header_image_url, not both")
        return self


@WHATSAPP.action(
    "sendTemplate",
    SendTemplate,
    Message,
    repeat=PARK,
    why=WHY,
    recipient=lambda data: data.to,
    channel=CHANNEL,
    scopes=("whatsapp_business_messaging",),
    limits=(
        *LIMITS,
        "250 to unlimited people per 24 h and business portfolio, as Meta trusts it",
        "marketing templates to US numbers (+1) are not delivered",
    ),
)
def send_template(call: Call, data: SendTemplate) -> Message:
    """Send an approved template to one person; the only way to write first."""
    return send(call, data.to, filled(data))


def filled(data: SendTemplate) -> dict[str, Any]:
    """A template with its blanks filled, as Meta takes it."""
    template: dict[str, Any] = {"name": data.template, "language": {"code": data.language}}
    components = _components(data)
    if components:
        template["components"] = components
    return {"type": "template", "template": template}


def _components(data: SendTemplate) -> list[dict[str, Any]]:
    header: list[dict[str, Any]] = []
    if data.header_text is not None:
        header = [_text(data.header_text)]
    elif data.header_image_url is not None:
        header = [{"type": "image", "image": {"link": data.header_image_url}}]
    body = [_text(value) for value in data.body_values]
    body += [{**_text(value), "parameter_name": name} for name, value in data.named_values.items()]
    parts = [{"type": "header", "parameters": header}, {"type": "body", "parameters": body}]
    buttons = [
        {"type": "button", "sub_type": "url", "index": index, "parameters": [_text(ending)]}
        for index, ending in sorted(data.url_endings.items())
    ]
    return [part for part in parts if part["parameters"]] + buttons


def _text(value: str) -> dict[str, Any]:
    return {"type": "text", "text": value}
