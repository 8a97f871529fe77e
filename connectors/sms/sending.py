"""Sending, now and later.

Twilio takes no idempotency key, so after an unknown outcome the recipient's messages are read back and compared:
recipient, sender, text and time. What two runs could mistake for each other is never in flight together (``alike``),
and what another run owns is left out. The effect key also rides in the status callback's address, so the first callback
proves the send even if its answer was lost. Shortened links and smart encoding would change the text and spoil the
comparison; they are not offered.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from connectors.dialects import gsm7, twilio
from connectors.dialects.phone import PhoneNumber
from connectors.dialects.twilio_messages import (
    SETTLE_AFTER_S,
    Sender,
    ServiceSid,
    folded,
    is_from,
    made_since,
    with_effect,
)
from connectors.kit import clock
from connectors.kit.action import Input, LookUp, Output
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, OutcomeUnknown, RecipientOptedOut, looking
from connectors.kit.fields import Ahead, HttpsUrl, UtcDatetime
from connectors.sms.platform import CHANNEL, SMS, SmsSettings


class SendSMS(Input):
    """A message to one person."""

    to: PhoneNumber = Field(description="Recipient: phone number with country code, such as +14155550123.")
    body: str | None = Field(
        default=None,
        min_length=1,
        max_length=1600,
        description="Text; each 160 GSM-7 or 70 other characters are a segment.",
    )
    media_urls: tuple[HttpsUrl, ...] = Field(
        default=(), max_length=10, description="https addresses: jpeg, png, gif up to 5 MB, others up to 500 KB (MMS)."
    )
    content_sid: str | None = Field(
        default=None, pattern=r"^HX[0-9a-fA-F]{32}$", description="A content template, HX..."
    )
    content_variables: dict[str, str] = Field(default={}, description="Values of the template's variables.")
    from_: Sender | None = Field(default=None, description="Sender; the connection's if left out.")
    messaging_service_sid: ServiceSid | None = Field(default=None, description="Service that picks the sender, MG...")
    validity_period: int | None = Field(
        default=None,
        ge=1,
        le=36_000,
        description="Seconds it may wait in Twilio's queue; then it is dropped. Best over 5.",
    )

    @model_validator(mode="after")
    def _says_something(self) -> SendSMS:
        written = self.body is not None or bool(self.media_urls)
        if not written and self.content_sid is None:
            raise ValueError("one of body, media_urls and content_sid is needed")
        if written and self.content_sid is not None:
            raise ValueError("content_sid stands alone: leave body and media_urls out")
        if self.content_variables and self.content_sid is None:
            raise ValueError("content_variables belong to a content_sid")
        return self


AHEAD = Ahead(soonest=timedelta(seconds=300 + 60), latest=timedelta(days=35))


class ScheduleSMS(SendSMS):
    """A message that Twilio keeps and sends later."""

    send_at: Annotated[UtcDatetime, AfterValidator(AHEAD.accept)] = Field(
        description="When Twilio sends it, with offset: over 6 minutes (better 15) and at most 35 days ahead."
    )


class Message(Output):
    """A message that Twilio accepted."""

    sid: str = Field(description="Twilio's id of the message.")
    status: str = Field(description="queued, accepted, scheduled... at the time of the answer.")
    segments: int = Field(description="Segments of the text, each billed on its own; 0 if a template makes it.")
    encoding: Literal["GSM-7", "UCS-2"] = Field(description="UCS-2 if a character is outside the GSM-7 alphabet.")
    from_: str | None = Field(default=None, description="Sender; null until a Messaging Service has picked one.")
    messaging_service_sid: str | None = None

    def provider_id(self) -> str:
        """The message's sid."""
        return self.sid


def alike(data: SendSMS) -> str:
    """What read-back cannot tell apart. Sender and time are left out: a default sender is not known here."""
    return json.dumps([data.to, data.content_sid or folded(data.body)])


def _sender(call: Call, data: SendSMS) -> dict[str, str]:
    settings = call.settings_as(SmsSettings)
    number, service = data.from_, data.messaging_service_sid
    if number is None and service is None:
        service = settings.messaging_service_sid
        number = settings.from_number if service is None else None
    if isinstance(data, ScheduleSMS):
        service = service or settings.messaging_service_sid
        if service is None:
            raise InvalidRequest(
                "messaging_service_sid: Twilio schedules only through a Messaging Service; without one it would send "
                "at once. Name one in the input or the connection's settings"
            )
    if number is None and service is None:
        raise InvalidRequest(
            "from_: no sender. Give from_ or messaging_service_sid in the input or the connection's settings"
        )
    sender = {"from_": number, "messaging_service_sid": service}
    return {name: value for name, value in sender.items() if value is not None}


def _find(call: Call, data: SendSMS) -> Message | None:
    """The message that this effect made, or None if the recipient was sent none like it."""
    if call.first_sent_at is None:
        return None
    with looking(), twilio.speaking(effect=False):
        sender, since_at = _sender(call, data), call.first_sent_at - clock.SKEW
        found = [one for one in made_since(call, data.to, since_at) if _is_like(one, data, sender)]
    taken = call.ledger.taken([one.sid for one in found])
    free = [one for one in found if one.sid not in taken]
    if not free:
        return None
    if len(free) > 1 or data.content_sid is not None:
        raise OutcomeUnknown(f"ambiguous: {len(free)} messages to this recipient could be this one")
    return _message(free[0], data)


def _is_like(one: Any, data: SendSMS, sender: dict[str, str]) -> bool:
    if isinstance(data, ScheduleSMS):
        # What left Twilio before its time was not held for it. The status does not tell: it may be accepted or queued.
        kept = one.date_sent is None or one.date_sent >= data.send_at - clock.SKEW
    else:
        kept = one.status not in ("scheduled", "canceled")
    if not kept:
        return False
    # A template's text is Twilio's: any message of that sender could be it.
    return is_from(one, sender) and (data.content_sid is not None or folded(one.body) == folded(data.body))


def _message(one: Any, data: SendSMS) -> Message:
    cut = gsm7.segments(data.body or "")
    return Message(
        sid=one.sid,
        status=one.status,
        segments=cut.count,
        encoding=cut.encoding,
        from_=one.from_,
        messaging_service_sid=one.messaging_service_sid,
    )


def _create(call: Call, data: SendSMS, **timing: Any) -> Message:
    callback_url = call.settings_as(SmsSettings).status_callback_url
    fields: dict[str, Any] = {
        "to": data.to,
        "body": data.body,
        "media_url": list(data.media_urls) or None,
        "content_sid": data.content_sid,
        "content_variables": json.dumps(data.content_variables) if data.content_variables else None,
        "validity_period": data.validity_period,
        "status_callback": callback_url and with_effect(callback_url, call.key),
        **_sender(call, data),
        **timing,
    }
    messages = twilio.client(call).messages
    try:
        with twilio.speaking(effect=True):
            made = messages.create(**{k: v for k, v in fields.items() if v is not None})
            return _message(made, data)
    except RecipientOptedOut:
        call.ledger.record_consent(CHANNEL, data.to, opted_out=True, source="twilio 21610")
        raise


@SMS.action(
    "sendSMS",
    SendSMS,
    Message,
    repeat=LookUp(_find, settle_after_s=SETTLE_AFTER_S, alike=alike),
    why="Twilio takes no idempotency key, but lists what was sent to a number.",
    recipient=lambda data: data.to,
    channel=CHANNEL,
    limits=("1 segment/s per US long code, 100/s per short code", "a sender's queue holds 10 hours of messages"),
)
def send_sms(call: Call, data: SendSMS) -> Message:
    """Send an SMS or MMS now."""
    return _create(call, data)


@SMS.action(
    "scheduleSMS",
    ScheduleSMS,
    Message,
    repeat=LookUp[ScheduleSMS, Message](_find, settle_after_s=SETTLE_AFTER_S, alike=alike),
    why="Twilio takes no idempotency key, but lists scheduled messages among those to a number.",
    recipient=lambda data: data.to,
    channel=CHANNEL,
    limits=(
        "over 6 minutes and at most 35 days ahead",
        "500,000 scheduled messages per account",
        "Twilio does not cancel it for a later STOP: `neonhub webhooks serve` does, or use sendSMS with a time of ours",
    ),
)
def schedule_sms(call: Call, data: ScheduleSMS) -> Message:
    """Hand a message to Twilio that it sends later."""
    AHEAD.check("send_at", data.send_at)
    return _create(call, data, schedule_type="fixed", send_at=data.send_at)
