"""Which platform is it, and what does a connection to it hold?"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from connectors.dialects import twilio
from connectors.dialects.twilio_messages import CallbackUrl, Sender, ServiceSid
from connectors.kit.action import Input, Output
from connectors.kit.call import Call
from connectors.kit.connector import Connector
from connectors.kit.errors import InvalidRequest, Permission

CHANNEL = "sms"
"""The channel of consent that all of it belongs to."""


class SmsSettings(BaseModel):
    """What a connection knows of its sender."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    messaging_service_sid: ServiceSid | None = Field(
        default=None,
        description="Messaging Service that picks the sender when the input names none; goes before from_number.",
    )
    from_number: Sender | None = Field(
        default=None, description="Number, short code or name that sends when the input names none."
    )
    status_callback_url: CallbackUrl | None = Field(
        default=None, description="https address that Twilio reports each message's way to; gets effect=<key> appended."
    )


SMS = Connector(
    "sms",
    "SMS (Twilio)",
    hosts=twilio.HOSTS,
    credential=twilio.TwilioCredential,
    settings=SmsSettings,
    api_version="2010-04-01",
    console=(
        "Open https://console.twilio.com and choose the account that sends; its SID (AC...) stands on the first page.",
        "Under Account > API keys & tokens create a Standard API key: its SID (SK...) and secret are shown once.",
        "The auth token stands on the same page; it also proves the webhooks that Twilio sends.",
        "Buy or port a number, or make a Messaging Service (MG...); scheduled messages need the latter.",
    ),
)


class CheckCredentials(Input):
    """Nothing is needed."""


class AccountState(Output):
    """Whose credential it is, and whether that account may send."""

    account_sid: str
    status: str = Field(description="active, suspended or closed.")
    name: str | None = None


@SMS.read("checkCredentials", CheckCredentials, AccountState)
def check_credentials(call: Call, data: CheckCredentials) -> AccountState:
    """Tell which account the credential signs in to, and its status."""
    sid = call.credential_as(twilio.TwilioCredential).account_sid
    with twilio.speaking(effect=False):
        found = twilio.client(call).api.v2010.accounts(sid).fetch()
        return AccountState(account_sid=found.sid, status=found.status, name=found.friendly_name)


class CheckSender(Input):
    """Which Messaging Service to read."""

    messaging_service_sid: ServiceSid | None = Field(
        default=None, description="Service, MG...; the connection's if left out."
    )


class SenderState(Output):
    """How a Messaging Service sends."""

    messaging_service_sid: str
    name: str | None
    usecase: str | None = Field(description="What it was declared for, such as marketing.")
    us_registered: bool | None = Field(description="Whether it is registered for messages to the United States.")
    validity_period: int | None = Field(description="Seconds a message may wait in Twilio's queue.")
    status_callback_url: str | None = Field(description="Where it reports to when a message names no address.")


@SMS.read("checkSender", CheckSender, SenderState)
def check_sender(call: Call, data: CheckSender) -> SenderState:
    """Tell how a Messaging Service sends, before a campaign."""
    sid = data.messaging_service_sid or call.settings_as(SmsSettings).messaging_service_sid
    if sid is None:
        raise InvalidRequest("messaging_service_sid: none given, and the connection's settings have none")
    with twilio.speaking(effect=False):
        found = twilio.client(call).messaging.v1.services(sid).fetch()
        return SenderState(
            messaging_service_sid=found.sid,
            name=found.friendly_name,
            usecase=found.usecase,
            us_registered=found.us_app_to_person_registered,
            validity_period=found.validity_period,
            status_callback_url=found.status_callback,
        )


@SMS.check
def check_account(call: Call) -> str:
    """Read the account; refuse one that is not active."""
    found = check_credentials(call, CheckCredentials())
    if found.status != "active":
        raise Permission(f"the Twilio account is {found.status}")
    return f"Twilio account {found.account_sid}, active"
