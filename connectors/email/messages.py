"""What is a message? Its headers, its parts and its texts, however strange the mail that they came in."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from connectors.dialects.google_api import Answer, GoogleApi
from connectors.email import api
from connectors.email.api import GmailId
from connectors.kit.action import Output
from connectors.kit.errors import Unavailable

_MOST_PARTS = 500
PageToken = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,1024}$")]


class Headers(Answer):
    """A message with some of its headers, or all of its content."""

    id: GmailId
    thread_id: GmailId
    label_ids: tuple[str, ...] = ()
    snippet: str = ""
    internal_date: int | None = None
    payload: dict[str, Any] = Field(default_factory=dict)

    def header(self, name: str) -> str | None:
        """The first header of a name; None if there is none."""
        return next(iter(headers_of(self.payload, name)), None)


class Reference(Answer):
    """A message by its ids, as lists give it."""

    id: GmailId
    thread_id: GmailId


class Page(Answer):
    """A page of a list of messages."""

    messages: tuple[Reference, ...] = ()
    next_page_token: PageToken | None = None
    result_size_estimate: int = 0


def search(gmail: GoogleApi, query: str, *, most: int) -> tuple[Reference, ...]:
    """All messages that a search finds.

    Raises:
        Unavailable: There are more than ``most``.
        ConnectorError: Gmail did not answer with a list.
    """
    page = gmail.get(Page, "users.messages.list", "messages", q=query, maxResults=most)
    if page.next_page_token is not None:
        raise Unavailable(f"more than {most} messages match; the one that is looked for may be a later one")
    return page.messages


def headers_of(part: Mapping[str, Any], name: str) -> Iterator[str]:
    """The values of a part's headers of that name."""
    given = part.get("headers")
    for one in given if isinstance(given, list) else ():
        if isinstance(one, dict) and str(one.get("name", "")).lower() == name.lower():
            yield _whole(str(one.get("value", "")))


def parts_of(payload: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A message's parts, itself first, in the order in which they stand."""
    waiting = [payload]
    for _ in range(_MOST_PARTS):
        if not waiting:
            return
        part = waiting.pop()
        yield part
        inside = part.get("parts")
        if isinstance(inside, list):
            waiting.extend(one for one in reversed(inside) if isinstance(one, dict))


def content_of(part: Mapping[str, Any]) -> bytes | None:
    """A part's content; None if it comes by itself, or cannot be read."""
    body = part.get("body")
    data = body.get("data") if isinstance(body, dict) else None
    return None if not isinstance(data, str) else decoded(data)


def decoded(data: str) -> bytes | None:
    """What Gmail wrote in base64 for addresses, with or without padding; None if it is none."""
    try:
        return base64.urlsafe_b64decode(data + "=" * (-len(data) % 4))
    except (binascii.Error, ValueError):
        return None


class MessageFile(Output):
    """A file that came with a message."""

    filename: str
    content_type: str
    size: int = Field(description="Bytes.")
    attachment_id: str | None = Field(description="For getAttachment; null if the content came with the message.")


class MailMessage(Output):
    """A message."""

    message_id: str
    thread_id: str
    label_ids: tuple[str, ...]
    snippet: str = Field(description="Its first words, with HTML entities.")
    received_at: datetime | None
    sender: str | None = Field(description="The From header.")
    to: str | None = Field(description="The To header.")
    cc: str | None = Field(description="The Cc header.")
    subject: str | None
    message_id_header: str | None = Field(description="Its Message-ID, which mail programs know it by.")
    effect_id: str | None = Field(description="Effect key of the run that sent it; null if none of ours did.")
    text: str | None = Field(description="The plain text; null if there is none, or only headers were asked for.")
    html: str | None = Field(description="The HTML; null likewise.")
    files: tuple[MessageFile, ...] = Field(description="What came with it.")


def read(found: Headers) -> MailMessage:
    """A message, as people want it."""
    texts: dict[str, str] = {}
    files: list[MessageFile] = []
    for part in parts_of(found.payload):
        kind, name = _whole(str(part.get("mimeType", ""))).lower(), _whole(str(part.get("filename") or ""))
        if name:
            files.append(_file(part, kind, name))
        elif kind in ("text/plain", "text/html") and kind not in texts:
            content = content_of(part)
            if content is not None:
                # Gmail gives texts in UTF-8, whatever they came in.
                texts[kind] = content.decode(errors="replace")
    return MailMessage(
        message_id=found.id,
        thread_id=found.thread_id,
        label_ids=found.label_ids,
        snippet=found.snippet,
        received_at=_moment(found.internal_date),
        sender=found.header("From"),
        to=found.header("To"),
        cc=found.header("Cc"),
        subject=found.header("Subject"),
        message_id_header=found.header("Message-ID"),
        effect_id=found.header(api.MARK),
        text=texts.get("text/plain"),
        html=texts.get("text/html"),
        files=tuple(files),
    )


def _whole(text: str) -> str:
    """A text without halves of characters, which JSON can carry and nothing else can."""
    return text.encode(errors="replace").decode()


def _file(part: Mapping[str, Any], kind: str, name: str) -> MessageFile:
    body = part.get("body")
    body = body if isinstance(body, dict) else {}
    size, attachment_id = body.get("size"), body.get("attachmentId")
    return MessageFile(
        filename=name,
        content_type=kind,
        size=size if isinstance(size, int) else 0,
        attachment_id=_whole(attachment_id) if isinstance(attachment_id, str) else None,
    )


def _moment(epoch_ms: int | None) -> datetime | None:
    try:
        return None if epoch_ms is None else datetime.fromtimestamp(epoch_ms / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
