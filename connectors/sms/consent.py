"""May this person be written to? What we know of it, and telling Twilio."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Literal

from pydantic import Field

from connectors.dialects import twilio
from connectors.dialects.phone import PhoneNumber
from connectors.dialects.twilio_messages import Sender, ServiceSid
from connectors.kit.action import Input, Output, Resend
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest
from connectors.kit.fields import UtcDatetime
from connectors.sms.platform import CHANNEL, SMS, SmsSettings

ConsentSource = Literal["website", "offline", "opt-in-message", "opt-out-message", "others"]


class CheckOptOut(Input):
    """Whose wish to look up."""

    to: PhoneNumber = Field(description="Phone number with country code.")


class OptOutStatus(Output):
    """What we know of a person's wish; Twilio has no way to ask for its own list."""

    opted_out: bool
    since_at: datetime | None = None
    source: str | None = Field(default=None, description="What told us, such as a STOP or Twilio's error 21610.")


@SMS.read("checkOptOut", CheckOptOut, OptOutStatus)
def check_opt_out(call: Call, data: CheckOptOut) -> OptOutStatus:
    """Tell whether a person has opted out of SMS, as far as the organization knows."""
    found = call.ledger.opt_out(CHANNEL, data.to)
    if found is None:
        return OptOutStatus(opted_out=False)
    return OptOutStatus(opted_out=True, since_at=found.since_at, source=found.source)


class SetConsent(Input):
    """A person's wish, as it reached us outside of SMS."""

    to: PhoneNumber = Field(description="The person's phone number with country code.")
    opted_out: bool = Field(description="true: must not be written to; false: wants to be.")
    source: ConsentSource = Field(description="How the wish reached us.")
    sender: Sender | ServiceSid | None = Field(
        default=None, description="For which sender or service; the connection's if left out."
    )
    consented_at: UtcDatetime | None = Field(default=None, description="When the person said so, with offset.")


class ConsentSet(Output):
    """A wish that Twilio and the organization have on record."""

    opted_out: bool


@SMS.action("setConsent", SetConsent, ConsentSet, repeat=Resend(), why="It sets a value: twice is the same as once.")
def set_consent(call: Call, data: SetConsent) -> ConsentSet:
    """Record a person's opt-in or opt-out, at Twilio and here."""
    settings = call.settings_as(SmsSettings)
    sender = data.sender or settings.messaging_service_sid or settings.from_number
    if sender is None:
        raise InvalidRequest("sender: none given, and the connection's settings have neither service nor number")
    source = f"setConsent: {data.source}"
    if data.opted_out:
        # Before the call: an opt-out counts at once, even if Twilio cannot be reached.
        call.ledger.record_consent(CHANNEL, data.to, opted_out=True, source=source)
    _store(
        call,
        number=data.to,
        sender=sender,
        opted_out=data.opted_out,
        source=data.source,
        consented_at=data.consented_at,
    )
    if not data.opted_out:
        call.ledger.record_consent(CHANNEL, data.to, opted_out=False, source=source)
    return ConsentSet(opted_out=data.opted_out)


def _store(
    call: Call, *, number: str, sender: str, opted_out: bool, source: ConsentSource, consented_at: datetime | None
) -> None:
    """Tell Twilio about one person's wish; telling it twice is the same as once.

    Raises:
        InvalidRequest: Twilio took the list but refused this item.
        ConnectorError: The list was not taken, or nobody knows.
    """
    item = {
        "contact_id": number,
        "correlation_id": hashlib.sha256(call.key.encode()).hexdigest()[:32],
        "sender_id": sender,
        "status": "opt-out" if opted_out else "opt-in",
        "source": source,
    }
    if consented_at is not None:
        item["date_of_consent"] = consented_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    with twilio.speaking(effect=True):
        answer = twilio.client(call).accounts.v1.bulk_consents.create(items=[item])
        (result,) = answer.items
        code = int(result["error_code"])
    # The answer is 201 even if the item was not stored.
    if code != 0:
        raise InvalidRequest(f"Twilio refused the consent item with {code}", code=str(code))
