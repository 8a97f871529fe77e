"""Session messages: texts, files and buttons for a person who wrote to us within the last 24 hours."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from connectors.dialects.meta_graph import NodeId
from connectors.dialects.phone import PhoneNumber
from connectors.kit.action import Input, Resend
from connectors.kit.call import Call
from connectors.kit.fields import HttpsUrl
from connectors.whatsapp import cloud
from connectors.whatsapp.platform import CHANNEL, WHATSAPP, sender
from connectors.whatsapp.sending import LIMITS, PARK, WHY, Message, send
from connectors.whatsapp.status import Done, MessageRef

_SCOPES = ("whatsapp_business_messaging",)
_WINDOW = "only within 24 h after the person's last message"
TO = Field(description="Recipient: phone number with country code, such as +14155550123.")
REPLY_TO = Field(
    default=None, pattern=r"^wamid\.\S{1,500}$", description="Show it as the answer to this message (its wamid)."
)


class SendSessionMessage(Input):
    """A text for one person who wrote to us within the last 24 hours."""

    to: PhoneNumber = TO
    body: str = Field(min_length=1, max_length=4096, description="Text.")
    preview_url: bool = Field(default=False, description="Show a preview of the first link.")
    reply_to: str | None = REPLY_TO


@WHATSAPP.action(
    "sendSessionMessage",
    SendSessionMessage,
    Message,
    repeat=PARK,
    why=WHY,
    recipient=lambda data: data.to,
    channel=CHANNEL,
    scopes=_SCOPES,
    limits=(*LIMITS, _WINDOW),
)
def send_session_message(call: Call, data: SendSessionMessage) -> Message:
    """Answer a person who wrote within the last 24 hours, in free text."""
    text = {"body": data.body, "preview_url": data.preview_url}
    return send(call, data.to, {"type": "text", "text": text}, reply_to=data.reply_to)


class SendMedia(Input):
    """A picture, video, sound or document for one person who wrote to us within the last 24 hours."""

    to: PhoneNumber = TO
    kind: Literal["image", "video", "audio", "document"] = Field(description="What it is.")
    media_id: NodeId | None = Field(default=None, description="The file, as uploadMedia gave it.")
    link: HttpsUrl | None = Field(
        default=None, description="Instead, its https address, from which Meta fetches it; each version needs its own."
    )
    caption: str | None = Field(default=None, min_length=1, max_length=1024, description="Text below; not for audio.")
    filename: str | None = Field(
        default=None, min_length=1, max_length=240, pattern=r"^[^/\\\x00-\x1f]+$", description="Name of a document."
    )
    voice: bool | None = Field(default=None, description="Show audio as a voice message.")
    reply_to: str | None = REPLY_TO

    @model_validator(mode="after")
    def _fits(self) -> SendMedia:
        if (self.media_id is None) == (self.link is None):
            raise ValueError("one of media_id and link is needed, not both")
        if self.caption is not None and self.kind == "audio":
            raise ValueError("caption: audio has none")
        if self.filename is not None and self.kind != "document":
            raise ValueError("filename belongs to a document")
        if self.voice is not None and self.kind != "audio":
            raise ValueError("voice belongs to audio")
        return self


@WHATSAPP.action(
    "sendMedia",
    SendMedia,
    Message,
    repeat=PARK,
    why=WHY,
    recipient=lambda data: data.to,
    channel=CHANNEL,
    scopes=_SCOPES,
    limits=(*LIMITS, _WINDOW, "images 5 MB, videos and audio 16 MB, documents 100 MB"),
)
def send_media(call: Call, data: SendMedia) -> Message:
    """Send a picture, video, sound or document to a person who wrote within the last 24 hours."""
    given = {
        "id": data.media_id,
        "link": data.link,
        "caption": data.caption,
        "filename": data.filename,
        "voice": data.voice,
    }
    file = {name: value for name, value in given.items() if value is not None}
    return send(call, data.to, {"type": data.kind, data.kind: file}, reply_to=data.reply_to)


class Button(Input):
    """A button that answers with its label."""

    id: str = Field(min_length=1, max_length=256, description="What the answer brings back; nobody sees it.")
    title: str = Field(min_length=1, max_length=20, description="Label, at most 20 characters.")


class SendButtons(Input):
    """A text with buttons for one person who wrote to us within the last 24 hours."""

    to: PhoneNumber = TO
    body: str = Field(min_length=1, max_length=1024, description="Text, at most 1,024 characters.")
    buttons: tuple[Button, ...] = Field(default=(), max_length=3, description="Buttons that answer: at most 3.")
    url: HttpsUrl | None = Field(default=None, description="Instead, one button that opens this address.")
    url_title: Annotated[str, StringConstraints(min_length=1, max_length=20)] | None = Field(
        default=None, description="Its label, at most 20 characters."
    )
    footer: str | None = Field(default=None, min_length=1, max_length=60, description="Line below.")
    reply_to: str | None = REPLY_TO

    @model_validator(mode="after")
    def _has_buttons(self) -> SendButtons:
        if bool(self.buttons) == (self.url is not None):
            raise ValueError("one of buttons and url is needed, not both")
        if (self.url is None) != (self.url_title is None):
            raise ValueError("url and url_title belong together")
        return self

    def content(self) -> dict[str, Any]:
        """As Meta takes it."""
        action: dict[str, Any] = {
            "buttons": [{"type": "reply", "reply": {"id": one.id, "title": one.title}} for one in self.buttons]
        }
        if self.url is not None:
            action = {"name": "cta_url", "parameters": {"display_text": self.url_title, "url": self.url}}
        found = {"type": "button" if self.buttons else "cta_url", "body": {"text": self.body}, "action": action}
        return {**found, **({"footer": {"text": self.footer}} if self.footer else {})}


@WHATSAPP.action(
    "sendButtons",
    SendButtons,
    Message,
    repeat=PARK,
    why=WHY,
    recipient=lambda data: data.to,
    channel=CHANNEL,
    scopes=_SCOPES,
    limits=(*LIMITS, _WINDOW),
)
def send_buttons(call: Call, data: SendButtons) -> Message:
    """Send a text with buttons to a person who wrote within the last 24 hours."""
    content = {"type": "interactive", "interactive": data.content()}
    return send(call, data.to, content, reply_to=data.reply_to)


class MarkMessageRead(MessageRef):
    """A message that came in, to be shown as read."""

    typing: bool = Field(default=False, description="Also show that an answer is being written, for up to 25 s.")


@WHATSAPP.action(
    "markMessageRead",
    MarkMessageRead,
    Done,
    repeat=Resend(),
    why="What is read stays read.",
    scopes=_SCOPES,
)
def mark_message_read(call: Call, data: MarkMessageRead) -> Done:
    """Show a person that their message was read."""
    body = {
        "messaging_product": "whatsapp",
        "status": "read",
        "message_id": data.wamid,
        "typing_indicator": {"type": "text"} if data.typing else None,
    }
    cloud.graph(call).post(f"{sender(call)}/messages", body, effect=True, needs=("success",))
    return Done()
