"""What is a mail? Who gets it, what it says, and what goes with it, within Gmail's limits."""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import PurePath
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from connectors.email.addresses import EmailAddress, Mailbox, PersonName, address_of
from connectors.kit.action import Input

MOST_RECIPIENTS = 100
MOST_SUBJECT = 500
MOST_BYTES = 3_000_000
"""Of all attachments together, before they are encoded: a mail with them stays below what one JSON request carries."""

# https://support.google.com/mail/answer/6590
_BLOCKED = re.compile(
    r"""\.(ade|adp|apk|appx|appxbundle|bat|cab|chm|cmd|com|cpl|diagcab|diagcfg|diagpack|dll|dmg|ex|ex_|exe|hta|img|ins|iso
    |isp|jar|jnlp|js|jse|lib|lnk|mde|mjs|msc|msi|msix|msixbundle|msp|mst|nsh|pif|ps1|scr|sct|shb|sys|vb|vbe|vbs|vhd|vxd
    |wsc|wsf|wsh|xll)""",
    re.VERBOSE | re.IGNORECASE,
)
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+_-]{0,62}/[a-z0-9][a-z0-9.+_-]{0,62}")


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be one line without control characters")
    return text


def _file_name(text: str) -> str:
    name = _one_line(text)
    if re.search(r'[/\\"]', name) or name.startswith("."):
        raise ValueError("must be a file's name, without a path")
    if _BLOCKED.fullmatch(PurePath(name.rstrip(". ")).suffix):
        raise ValueError("is of a kind that Gmail refuses, because it can be run")
    return name


def _media_type(text: str) -> str:
    if not _MEDIA_TYPE.fullmatch(text) or text.startswith(("message/", "multipart/")):
        raise ValueError("must be a media type in lower case, such as application/pdf, that is no message or multipart")
    return text


def _text(text: str) -> str:
    if "\x00" in text:
        raise ValueError("must not hold a zero character")
    return text


def _decodable(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("must be base64 (RFC 4648) without line breaks") from None
    return text


def _listed(given: Any) -> Any:
    return (given,) if isinstance(given, str) else given


Subject = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MOST_SUBJECT), AfterValidator(_one_line)
]
PlainText = Annotated[str, StringConstraints(min_length=1, max_length=200_000), AfterValidator(_text)]
Html = Annotated[str, StringConstraints(min_length=1, max_length=400_000), AfterValidator(_text)]
LinkUrl = Annotated[
    str, StringConstraints(pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]+)?([/?][!-;=?-~]*)?$", max_length=900)
]
"""An https address that can stand in a header: ASCII, without spaces or angle brackets."""


class Attachment(Input):
    """A file that goes with a mail, or a picture that its HTML shows."""

    filename: Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_file_name)] = Field(
        description="Name with its ending; endings of programs are refused, as Gmail does."
    )
    content_type: Annotated[str, AfterValidator(_media_type)] = Field(
        description="Media type such as application/pdf; no message/... or multipart/..., which cannot be encoded."
    )
    content_base64: Annotated[
        str, StringConstraints(min_length=4, max_length=4_000_004), AfterValidator(_decodable)
    ] = Field(description="The file in base64; all files of a mail together hold at most 3,000,000 bytes.")
    content_id: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        description="Shows a picture in the HTML, which names it as cid:<content_id>; an attachment if left out.",
    )

    @property
    def content(self) -> bytes:
        """The file."""
        return base64.b64decode(self.content_base64)


Recipients = Annotated[tuple[Mailbox, ...], BeforeValidator(_listed), Field(max_length=MOST_RECIPIENTS)]
"""Addresses; one alone need not be a list."""


class Mail(Input):
    """A mail."""

    to: Annotated[Recipients, Field(min_length=1)] = Field(
        description="One or more of ada@example.org or Ada Lovelace <ada@example.org>; all see each other."
    )
    cc: Recipients = Field(default=(), description="Addresses that get a copy, which all see.")
    bcc: Recipients = Field(default=(), description="Addresses that get a copy, which nobody else sees.")
    subject: Subject | None = Field(
        default=None, description="Subject; of an answer it may be left out, and is then the other mail's."
    )
    text: PlainText | None = Field(
        default=None, description="The mail as plain text; a mail of HTML alone is more often taken for spam."
    )
    html: Html | None = Field(default=None, description="The mail as HTML; mail programs show it instead of text.")
    from_address: EmailAddress | None = Field(
        default=None, description="Accepted alias to send as; the connection's address if left out."
    )
    from_name: PersonName | None = Field(default=None, description="Name in front of it.")
    reply_to: Mailbox | None = Field(default=None, description="Address that answers go to; the sender's if left out.")
    attachments: tuple[Attachment, ...] = Field(default=(), max_length=50, description="Files that go with it.")
    unsubscribe_url: LinkUrl | None = Field(
        default=None,
        description="https address that takes a person off the list with one POST (RFC 8058); bulk mail needs it.",
    )
    unsubscribe_email: EmailAddress | None = Field(
        default=None, description="Address that takes a person off the list by mail (RFC 2369)."
    )

    @model_validator(mode="after")
    def _can_be_written(self) -> Mail:
        if self.text is None and self.html is None:
            raise ValueError("one of text and html is needed, best both")
        if len(self.recipients) > MOST_RECIPIENTS:
            raise ValueError(f"to, cc and bcc may hold at most {MOST_RECIPIENTS} addresses together")
        if sum(len(one.content) for one in self.attachments) > MOST_BYTES:
            raise ValueError(f"attachments may hold at most {MOST_BYTES:,} bytes together")
        shown = [one.content_id for one in self.attachments if one.content_id is not None]
        if shown and self.html is None:
            raise ValueError("a content_id needs html that shows it")
        if len(set(shown)) != len(shown):
            raise ValueError("each content_id may stand once")
        return self

    @property
    def recipients(self) -> tuple[str, ...]:
        """The addresses of everyone who gets it, in lower case."""
        return tuple(address_of(one).lower() for one in (*self.to, *self.cc, *self.bcc))
