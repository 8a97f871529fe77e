"""Twilio's Messages resource: what names a sender, and how a number's messages are read back and compared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import AfterValidator, Field, StringConstraints

from connectors.dialects import twilio
from connectors.dialects.phone import e164
from connectors.kit.action import Output
from connectors.kit.errors import OutcomeUnknown

if TYPE_CHECKING:
    from connectors.kit.call import Call

SETTLE_AFTER_S = 30.0
"""Twilio's side of a request was seen to run for 26 s before it gave up."""

_PAGE, _MOST_READ = 100, 2_000
_MARKS = re.compile("[\u0300-\u036f\u20d0-\u20ff\ufe00-\ufe0f]")
# Letters, combining signs of scripts, digits, pictures, currencies; modifier letters are not among them.
_KEPT = frozenset({"Lu", "Ll", "Lt", "Lo", "Mn", "Mc", "Nd", "Nl", "No", "So", "Sc"})


def _sender(text: str) -> str:
    is_short_code = text.isdigit() and 3 <= len(text) <= 8
    is_name = len(text) <= 11 and text.replace(" ", "").isalnum() and any(c.isalpha() for c in text)
    return text if text.isascii() and (is_short_code or is_name) else e164(text)


def _callback_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError("must be an https address")
    if "_" in parts.hostname:
        raise ValueError("must not have an underscore in its host name: Twilio refuses it")
    return url


Sender = Annotated[str, AfterValidator(_sender)]
"""A phone number, a short code of 3 to 8 digits, or a name of up to 11 letters and digits."""

CallbackUrl = Annotated[str, AfterValidator(_callback_url)]
ServiceSid = Annotated[str, StringConstraints(pattern=r"^MG[0-9a-fA-F]{32}$")]
MessageSid = Annotated[str, StringConstraints(pattern=r"^(SM|MM)[0-9a-fA-F]{32}$")]


def with_effect(url: str, key: str) -> str:
    """A status callback's address that carries the effect key: the first callback proves the send by itself."""
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), ("effect", key)])
    return urlunsplit(parts._replace(query=query))


def folded(body: str | None) -> str:
    """A text as it is compared: by its letters, digits and pictures alone.

    A Messaging Service's smart encoding swaps quotes, dashes, fractions, spaces and more for plain ones, by a list that
    Twilio may extend. A sign more or less is no reason to take our own message for another and send it twice.
    """
    plain = _MARKS.sub("", unicodedata.normalize("NFKC", body or ""))
    return "".join(sign for sign in plain if unicodedata.category(sign) in _KEPT) or "".join(plain.split())


def made_since(call: Call, to: str, since_at: datetime) -> Iterator[Any]:
    """Messages to a number that were made since then. No DateSent filter: it hides what is still queued or scheduled.

    Raises:
        OutcomeUnknown: There are too many to read.
    """
    older = 0
    for read, one in enumerate(twilio.client(call).messages.stream(to=to, page_size=_PAGE)):
        if read >= _MOST_READ:
            raise OutcomeUnknown(f"ambiguous: more than {_MOST_READ} messages to this recipient")
        if one.date_created is None or one.date_created >= since_at:
            older = 0
            yield one
        elif (older := older + 1) >= _PAGE:
            return


def is_from(one: Any, sender: dict[str, str]) -> bool:
    """Whether a message of ours went out through this sender; a service's own choice of number may not be known yet."""
    service, number = sender.get("messaging_service_sid"), sender.get("from_")
    if one.direction not in (None, "outbound-api"):
        return False
    if service is not None and one.messaging_service_sid != service:
        return False
    if number is None or one.from_ is None:
        return number is None or service is not None
    return str(one.from_).casefold() == number.casefold()


class MessageStatus(Output):
    """How far a message has come."""

    sid: str
    status: str
    final: bool = Field(description="Whether the status will not change any more; `sent` may stay the last one.")
    error_code: int | None = Field(default=None, description="Why it was not delivered, by Twilio's number.")
    error_class: str | None = Field(
        default=None, description="What that means for another try, by the name of our error class."
    )
    segments: int | None = Field(default=None, description="As billed; null until known.")
    price: str | None = Field(default=None, description="What it cost, a decimal; null until billed.")
    price_unit: str | None = None
    sent_at: datetime | None = None
    updated_at: datetime | None = None

    def provider_id(self) -> str:
        """The message's sid."""
        return self.sid


_FINAL = frozenset({"delivered", "undelivered", "failed", "canceled", "read"})


def status_of(one: Any) -> MessageStatus:
    """The SDK's message as an output."""
    return MessageStatus(
        sid=one.sid,
        status=one.status,
        final=one.status in _FINAL,
        error_code=one.error_code,
        error_class=twilio.reported_class(one.error_code),
        segments=int(one.num_segments or 0) or None,
        price=one.price,
        price_unit=one.price_unit,
        sent_at=one.date_sent,
        updated_at=one.date_updated,
    )


class ListedMessage(MessageStatus):
    """A message in a list."""

    to: str | None
    from_: str | None
    body: str | None
    direction: str | None
    messaging_service_sid: str | None
    created_at: datetime | None


def listed(one: Any) -> ListedMessage:
    """The SDK's message as an item of a list."""
    return ListedMessage(
        **status_of(one).model_dump(),
        to=one.to,
        from_=one.from_,
        body=one.body,
        direction=one.direction,
        messaging_service_sid=one.messaging_service_sid,
        created_at=one.date_created,
    )
