"""The same through Twilio: messages of its Messages resource, to and from ``whatsapp:`` addresses.

Unlike Meta, Twilio lists what was sent to a number, so an unknown outcome is read back as that of an SMS is.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import Field

from connectors.dialects import twilio
from connectors.dialects.phone import PhoneNumber
from connectors.dialects.twilio_messages import (
    SETTLE_AFTER_S,
    MessageSid,
    MessageStatus,
    folded,
    is_from,
    made_since,
    status_of,
    with_effect,
)
from connectors.kit import clock
from connectors.kit.action import Input, LookUp, Output
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, OutcomeUnknown, RecipientOptedOut, looking
from connectors.whatsapp.platform import CHANNEL, WHATSAPP, WhatsAppSettings, as_twilio

_SCHEME = "whatsapp:"
_WHY = "Twilio takes no idempotency key, but lists what was sent to a number."
_LIMITS = ("80 messages/s per number", "a status webhook tells later whether it was delivered")
TO = Field(description="Recipient: phone number with country code, such as +14155550123.")


class _Outgoing(Input):
    """A message to one person, as Twilio knows it."""

    to: PhoneNumber = TO

    def fields(self) -> dict[str, Any]:
        """What is said, as Twilio takes it."""
        raise NotImplementedError

    def said(self) -> str | None:
        """The text; None if Twilio makes it."""
        raise NotImplementedError


class SendTwilioTemplate(_Outgoing):
    """A content template of Twilio's, with its blanks filled."""

    content_sid: str = Field(pattern=r"^HX[0-9a-fA-F]{32}$", description="An approved content template, HX...")
    content_variables: dict[str, str] = Field(default={}, description="Values of its blanks, by their name or number.")

    def fields(self) -> dict[str, Any]:
        """What is said, as Twilio takes it."""
        variables = json.dumps(self.content_variables) if self.content_variables else None
        return {"content_sid": self.content_sid, "content_variables": variables}

    def said(self) -> str | None:
        """Twilio makes the text."""
        return None


class SendTwilioMessage(_Outgoing):
    """A text for one person who wrote to us within the last 24 hours."""

    body: str = Field(min_length=1, max_length=1600, description="Text, at most 1,600 characters.")

    def fields(self) -> dict[str, Any]:
        """What is said, as Twilio takes it."""
        return {"body": self.body}

    def said(self) -> str | None:
        """The text."""
        return self.body


class TwilioMessage(Output):
    """A message that Twilio accepted; whether it arrives shows later."""

    sid: str = Field(description="Twilio's id of the message.")
    status: str = Field(description="queued or accepted at the time of the answer.")

    def provider_id(self) -> str:
        """The message's sid."""
        return self.sid


def _alike(data: _Outgoing) -> str:
    said = data.said()
    return json.dumps([data.to, data.fields().get("content_sid") if said is None else folded(said)])


def _sender(call: Call) -> dict[str, str]:
    settings = call.settings_as(WhatsAppSettings)
    if settings.twilio_service_sid is not None:
        return {"messaging_service_sid": settings.twilio_service_sid}
    if settings.twilio_number is None:
        raise InvalidRequest("twilio_number: the connection's settings name neither a number nor twilio_service_sid")
    return {"from_": f"{_SCHEME}{settings.twilio_number}"}


def _find(call: Call, data: _Outgoing) -> TwilioMessage | None:
    """The message that this effect made, or None if the recipient was sent none like it.

    Raises:
        OutcomeUnknown: Several could be it, or one whose text Twilio has made.
    """
    if call.first_sent_at is None:
        return None
    said = data.said()
    with looking(), twilio.speaking(effect=False):
        through, sender, since_at = as_twilio(call), _sender(call), call.first_sent_at - clock.SKEW
        found = [
            one
            for one in made_since(through, f"{_SCHEME}{data.to}", since_at)
            if is_from(one, sender) and (said is None or folded(one.body) == folded(said))
        ]
    taken = call.ledger.taken([one.sid for one in found])
    free = [one for one in found if one.sid not in taken]
    if not free:
        return None
    if len(free) > 1 or said is None:
        raise OutcomeUnknown(f"ambiguous: {len(free)} messages to this recipient could be this one")
    return TwilioMessage(sid=free[0].sid, status=free[0].status)


def _create(call: Call, data: _Outgoing) -> TwilioMessage:
    through, callback_url = as_twilio(call), call.settings_as(WhatsAppSettings).twilio_callback_url
    fields: dict[str, Any] = {
        "to": f"{_SCHEME}{data.to}",
        "status_callback": callback_url and with_effect(callback_url, call.key),
        **data.fields(),
        **_sender(call),
    }
    messages = twilio.client(through).messages
    try:
        with twilio.speaking(effect=True):
            made = messages.create(**{name: value for name, value in fields.items() if value is not None})
            return TwilioMessage(sid=made.sid, status=made.status)
    except RecipientOptedOut as refused:
        call.ledger.record_consent(CHANNEL, data.to, opted_out=True, source=f"twilio {refused.code}")
        raise


@WHATSAPP.action(
    "sendTwilioTemplate",
    SendTwilioTemplate,
    TwilioMessage,
    repeat=LookUp[SendTwilioTemplate, TwilioMessage](_find, settle_after_s=SETTLE_AFTER_S, alike=_alike),
    why=_WHY,
    recipient=lambda data: data.to,
    channel=CHANNEL,
    limits=_LIMITS,
)
def send_twilio_template(call: Call, data: SendTwilioTemplate) -> TwilioMessage:
    """Send a content template to one person through Twilio; the only way to write first."""
    return _create(call, data)


@WHATSAPP.action(
    "sendTwilioMessage",
    SendTwilioMessage,
    TwilioMessage,
    repeat=LookUp[SendTwilioMessage, TwilioMessage](_find, settle_after_s=SETTLE_AFTER_S, alike=_alike),
    why=_WHY,
    recipient=lambda data: data.to,
    channel=CHANNEL,
    limits=(*_LIMITS, "only within 24 h after the person's last message"),
)
def send_twilio_message(call: Call, data: SendTwilioMessage) -> TwilioMessage:
    """Answer a person through Twilio, in free text, within 24 hours."""
    return _create(call, data)


class TwilioMessageRef(Input):
    """A message by Twilio's id."""

    sid: MessageSid = Field(description="As sendTwilioTemplate or sendTwilioMessage gave it, SM... or MM...")


@WHATSAPP.read("getTwilioStatus", TwilioMessageRef, MessageStatus)
def get_twilio_status(call: Call, data: TwilioMessageRef) -> MessageStatus:
    """Tell how far a message that went through Twilio has come."""
    through = as_twilio(call)
    with twilio.speaking(effect=False):
        return status_of(twilio.client(through).messages(data.sid).fetch())
