"""Files in messages: fetched from their address, checked, and sent with the message in one request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from connectors.kit.action import Input
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest
from connectors.kit.fields import HttpsUrl
from connectors.kit.media import MediaRules, open_media

_MB = 2**20
_MOST_TOGETHER = 25 * _MB
_RULES = MediaRules(types=("*/*",), max_bytes=10 * _MB)


class File(Input):
    """A file of a message, by its address."""

    url: HttpsUrl = Field(description="https address; at most 10 MB, all files of a message 25 MB.")
    name: str | None = Field(
        default=None, min_length=1, max_length=200, pattern=r'^[^/\\"\x00-\x1f]+$', description="Name with ending."
    )
    description: str | None = Field(
        default=None, min_length=1, max_length=1024, description="What it shows, for those who cannot see it."
    )


@dataclass(frozen=True)
class Part:
    """A file as it is sent."""

    name: str
    content: bytes
    media_type: str
    description: str | None


def fetched(call: Call, files: Sequence[File]) -> tuple[Part, ...]:
    """The files of a message.

    Raises:
        InvalidRequest: One is too large, or they are together, or one cannot be had; nothing was sent.
        Unavailable: The server of one does not answer.
    """
    found = [(one, open_media(call, one.url, _RULES, field=f"files.{place}.url")) for place, one in enumerate(files)]
    together = sum(media.size for _, media in found)
    if together > _MOST_TOGETHER:
        raise InvalidRequest(f"files: have {together} bytes together; at most {_MOST_TOGETHER}")
    return tuple(
        Part(one.name or media.name, media.read_all(media.size), media.media_type, one.description)
        for one, media in found
    )
