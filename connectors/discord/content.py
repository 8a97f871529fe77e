"""What can a message hold? Text, embeds, a poll and more, within Discord's limits; and when two are alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from connectors.discord.files import File
from connectors.discord.platform import Snowflake
from connectors.kit.action import Input
from connectors.kit.fields import HttpsUrl, UtcDatetime

_MOST_EMBEDDED = 6000
_SUPPRESS_EMBEDS, _SUPPRESS_NOTIFICATIONS, _COMPONENTS_V2 = 1 << 2, 1 << 12, 1 << 15

ShortText = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class EmbedField(Input):
    """A titled paragraph of an embed."""

    name: ShortText = Field(description="Title, at most 256 characters.")
    value: str = Field(min_length=1, max_length=1024, description="Text, at most 1,024 characters.")
    inline: bool = Field(default=False, description="Show it beside the next one.")


class EmbedPart(Input):
    """The line above or below an embed."""

    text: str = Field(min_length=1, max_length=2048, description="Text: author at most 256, footer 2,048 characters.")
    url: HttpsUrl | None = Field(default=None, description="Link of the author's name.")
    icon_url: HttpsUrl | None = Field(default=None, description="Small picture before it.")


class Embed(Input):
    """A framed card below the text."""

    title: ShortText | None = Field(default=None, description="At most 256 characters.")
    description: str | None = Field(default=None, min_length=1, max_length=4096, description="Text, Discord markup.")
    url: HttpsUrl | None = Field(default=None, description="Link of the title.")
    color: int | None = Field(default=None, ge=0, le=0xFFFFFF, description="Colour of the edge, as 0xRRGGBB.")
    timestamp: UtcDatetime | None = Field(default=None, description="Shown at the foot, in the reader's zone.")
    author: EmbedPart | None = Field(default=None, description="Line above the title.")
    footer: EmbedPart | None = Field(default=None, description="Line at the foot.")
    image_url: HttpsUrl | None = Field(default=None, description="Large picture.")
    thumbnail_url: HttpsUrl | None = Field(default=None, description="Small picture at the right.")
    fields: tuple[EmbedField, ...] = Field(default=(), max_length=25, description="At most 25.")

    @model_validator(mode="after")
    def _fits(self) -> Embed:
        if self.author is not None and len(self.author.text) > 256:
            raise ValueError("author.text may have at most 256 characters")
        if self.footer is not None and self.footer.url is not None:
            raise ValueError("footer.url: a footer has no link")
        return self

    def length(self) -> int:
        """How much of the 6,000 characters it takes that a message's embeds may have together."""
        parts = [self.title, self.description, self.author and self.author.text, self.footer and self.footer.text]
        parts += [part for field in self.fields for part in (field.name, field.value)]
        return sum(len(part) for part in parts if part)

    def body(self) -> dict[str, Any]:
        """As Discord takes it."""
        author = self.author and {"name": self.author.text, "url": self.author.url, "icon_url": self.author.icon_url}
        footer = self.footer and {"text": self.footer.text, "icon_url": self.footer.icon_url}
        found = {
            "title": self.title,
            "description": self.description,
            "url": self.url,
            "color": self.color,
            "timestamp": self.timestamp and self.timestamp.isoformat(),
            "author": author and _given(author),
            "footer": footer and _given(footer),
            "image": self.image_url and {"url": self.image_url},
            "thumbnail": self.thumbnail_url and {"url": self.thumbnail_url},
            "fields": [field.model_dump() for field in self.fields] or None,
        }
        return _given(found)


class Poll(Input):
    """A question with answers to choose from."""

    question: str = Field(min_length=1, max_length=300, description="At most 300 characters.")
    answers: tuple[Annotated[str, StringConstraints(min_length=1, max_length=55)], ...] = Field(
        min_length=1, max_length=10, description="At most 10, each of at most 55 characters."
    )
    duration_hours: int = Field(default=24, ge=1, le=768, description="Hours it stays open.")
    several: bool = Field(default=False, description="Whether several answers may be chosen.")

    def body(self) -> dict[str, Any]:
        """As Discord takes it."""
        return {
            "question": {"text": self.question},
            "answers": [{"poll_media": {"text": answer}} for answer in self.answers],
            "duration": self.duration_hours,
            "allow_multiselect": self.several,
        }


class Content(Input):
    """What a message says. Nobody is notified of a mention unless ``mention`` or its lists say so."""

    content: str | None = Field(
        default=None, min_length=1, max_length=2000, description="Text in Discord markup, at most 2,000 characters."
    )
    embeds: tuple[Embed, ...] = Field(
        default=(), max_length=10, description="At most 10, together at most 6,000 characters."
    )
    components: tuple[dict[str, Any], ...] = Field(
        default=(), max_length=40, description="Buttons and other components, as Discord describes them."
    )
    layout: bool = Field(default=False, description="The components are the whole message (IS_COMPONENTS_V2).")
    suppress_embeds: bool = Field(default=False, description="Show no previews of links.")
    mention: tuple[Literal["users", "roles", "everyone"], ...] = Field(
        default=(), max_length=3, description="Kinds of mention in the text that notify."
    )
    mention_users: tuple[Snowflake, ...] = Field(default=(), max_length=100, description="Users that are notified.")
    mention_roles: tuple[Snowflake, ...] = Field(default=(), max_length=100, description="Roles that are notified.")

    @model_validator(mode="after")
    def _fits(self) -> Content:
        if not self.says_something():
            raise ValueError(f"one of {', '.join(self.sayings())} is needed")
        if sum(embed.length() for embed in self.embeds) > _MOST_EMBEDDED:
            raise ValueError(f"embeds may have at most {_MOST_EMBEDDED} characters together")
        if self.layout and (not self.components or self.content is not None or self.embeds):
            raise ValueError("layout stands alone: give components, and neither content nor embeds")
        if ("users" in self.mention and self.mention_users) or ("roles" in self.mention and self.mention_roles):
            raise ValueError("mention and the list of the same kind exclude each other")
        return self

    def sayings(self) -> tuple[str, ...]:
        """The fields of which one is needed."""
        return ("content", "embeds", "components")

    def says_something(self) -> bool:
        """Whether one of them is given."""
        return any(getattr(self, name) for name in self.sayings())

    def flags(self) -> int:
        """Discord's flags of the message."""
        return (_SUPPRESS_EMBEDS if self.suppress_embeds else 0) | (_COMPONENTS_V2 if self.layout else 0)

    def body(self) -> dict[str, Any]:
        """As Discord takes it; what is not given is None."""
        mentions = {
            "parse": list(self.mention),
            "users": list(self.mention_users) or None,
            "roles": list(self.mention_roles) or None,
        }
        return {
            "content": self.content,
            "embeds": [embed.body() for embed in self.embeds] or None,
            "components": list(self.components) or None,
            "allowed_mentions": _given(mentions),
            "flags": self.flags() or None,
        }


class NewContent(Content):
    """What a new message says."""

    poll: Poll | None = Field(default=None, description="A poll.")
    files: tuple[File, ...] = Field(default=(), max_length=10, description="At most 10, together at most 25 MB.")
    silent: bool = Field(default=False, description="Nobody gets a push notification of it.")

    def sayings(self) -> tuple[str, ...]:
        """The fields of which one is needed."""
        return (*super().sayings(), "poll", "files")

    def flags(self) -> int:
        """Discord's flags of the message."""
        return super().flags() | (_SUPPRESS_NOTIFICATIONS if self.silent else 0)

    def body(self) -> dict[str, Any]:
        """As Discord takes it; what is not given is None."""
        return {**super().body(), "poll": self.poll and self.poll.body()}


def alike(place: str, data: NewContent) -> str:
    """What read-back cannot tell apart: the same words at the same place."""
    return json.dumps([place, *_said(data)])


def shows(message: Mapping[str, Any], data: NewContent) -> bool:
    """Whether a message says what ``data`` says. Previews of links and what Discord adds to them do not count."""
    shown = [embed for embed in message.get("embeds") or () if isinstance(embed, dict)]
    cards = {(folded(embed.get("title")), folded(embed.get("description"))) for embed in shown}
    ours = {(folded(embed.title), folded(embed.description)) for embed in data.embeds}
    if folded(message.get("content")) != folded(data.content) or not ours <= cards:
        return False
    if len(message.get("attachments") or ()) != len(data.files):
        return False
    question = ((message.get("poll") or {}).get("question") or {}).get("text")
    return folded(question) == folded(data.poll and data.poll.question)


def folded(text: Any) -> str:
    """A text as it is compared: Discord cuts white space off, and shows an empty text for none."""
    return "".join(text.split()) if isinstance(text, str) else ""


def _said(data: NewContent) -> list[str]:
    cards = sorted(f"{folded(embed.title)} {folded(embed.description)}" for embed in data.embeds)
    return [folded(data.content), *cards, folded(data.poll and data.poll.question), str(len(data.files))]


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
