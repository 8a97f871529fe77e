"""Composing: a mail becomes what Gmail takes, from an address that it may come from, below what it answers."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any, cast

from pydantic import Field, model_validator

from connectors.dialects.google_api import Answer
from connectors.email import api, mime
from connectors.email.api import EmailSettings, GmailId
from connectors.email.mails import MOST_SUBJECT, Mail
from connectors.email.messages import Headers
from connectors.email.platform import CHANNEL
from connectors.kit.errors import InvalidRequest, RecipientOptedOut

if TYPE_CHECKING:
    from connectors.kit.action import JsonValue
    from connectors.kit.call import Call

# What others wrote goes into our headers only if it cannot be anything else.
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,500}>")


class NewMail(Mail):
    """A mail to up to 100 people, or an answer to one."""

    in_reply_to: GmailId | None = Field(
        default=None, description="Id of the message in this mailbox that it answers; it goes into that thread."
    )

    @model_validator(mode="after")
    def _has_a_subject(self) -> NewMail:
        if self.subject is None and self.in_reply_to is None:
            raise ValueError("subject is needed, unless in_reply_to is given")
        return self


def check_consent(call: Call, recipients: tuple[str, ...]) -> None:
    """Nobody who has opted out gets a copy, be it in to, cc or bcc.

    Args:
        recipients: All addresses, in that order.

    Raises:
        RecipientOptedOut: Somebody has.
    """
    found = [
        str(number)
        for number, address in enumerate(recipients, start=1)
        if call.ledger.opt_out(CHANNEL, address.lower()) is not None
    ]
    if found:
        text = f"recipient {', '.join(found)} of {len(recipients)}, through to, cc and bcc, opted out of e-mail"
        raise RecipientOptedOut(f"{text}; leave them out")


class Asked(Answer):
    """What has to be asked of Gmail before a mail can be written, as a step keeps it.

    Attributes:
        sender: The mailbox that it comes from; Gmail's default if None.
        thread_id: The conversation that it goes into; None if it begins one.
        headers: Those that put it below what it answers.
    """

    sender: str | None
    subject: str
    thread_id: str | None
    headers: dict[str, str]


def ask(call: Call, data: NewMail) -> JsonValue:
    """Ask Gmail what has to be known before the mail can be written.

    Raises:
        InvalidRequest: Its sender is none of the mailbox's.
        NotFound: The message that it answers does not exist (any more).
        ConnectorError: Gmail could not be asked.
    """
    parent = _answered(call, data.in_reply_to)
    asked = Asked(
        sender=_sender(call, data),
        subject=data.subject or _answer_subject((parent and parent.header("Subject")) or ""),
        thread_id=None if parent is None else parent.thread_id,
        headers={} if parent is None else _threading(parent),
    )
    return cast("JsonValue", asked.model_dump(mode="json"))


def compose(call: Call, data: NewMail, asked: JsonValue) -> dict[str, Any]:
    """A mail as Gmail takes it, with our mark in it.

    Args:
        asked: What ``ask`` found.
    """
    known = Asked.model_validate(asked)
    headers = {api.MARK: call.key, **known.headers}
    raw = mime.write(data, sender=known.sender, subject=known.subject, headers=headers)
    thread = {} if known.thread_id is None else {"threadId": known.thread_id}
    return {"raw": base64.urlsafe_b64encode(raw).decode(), **thread}


def _sender(call: Call, data: Mail) -> str | None:
    settings = call.settings_as(EmailSettings)
    sender, name = data.from_address, data.from_name
    if sender is None:
        sender, name = settings.from_address, data.from_name or settings.from_name
    elif not _is_accepted(call, sender):
        raise InvalidRequest("from_address: is no accepted alias of the mailbox; Gmail would send as another address")
    if sender is None and name is not None:
        raise InvalidRequest("from_name: needs from_address, here or in the connection's settings")
    return sender if name is None else f"{name} <{sender}>"


def _is_accepted(call: Call, sender: str) -> bool:
    known = api.send_as(api.gmail(call))
    return any(one.is_accepted and one.send_as_email.lower() == sender.lower() for one in known)


def _answered(call: Call, message_id: str | None) -> Headers | None:
    if message_id is None:
        return None
    params = {"format": "metadata", "metadataHeaders": ["Message-ID", "References", "Subject"]}
    return api.gmail(call).get(Headers, "users.messages.get", f"messages/{message_id}", **params)


def _answer_subject(subject: str) -> str:
    line = "".join(sign if sign.isprintable() else " " for sign in subject).strip()[:MOST_SUBJECT]
    return line if line.lower().startswith("re:") else f"Re: {line}"


def _threading(parent: Headers) -> dict[str, str]:
    """The headers by which mail programs, and Gmail itself, put an answer below what it answers."""
    own = (parent.header("Message-ID") or "").strip()
    if not _MESSAGE_ID.fullmatch(own):
        return {}
    earlier = [one for one in (parent.header("References") or "").split() if _MESSAGE_ID.fullmatch(one)]
    # Of a long conversation the first and the latest are enough.
    return {"In-Reply-To": own, "References": " ".join([*earlier[:1], *earlier[1:][-8:], own])}
