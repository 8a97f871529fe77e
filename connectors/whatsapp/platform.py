"""Which platform is it, and what does a connection to it hold?"""

from __future__ import annotations

from copy import copy

from pydantic import BaseModel, ConfigDict, Field

from connectors.dialects import meta_graph, twilio
from connectors.dialects.meta_graph import NodeId
from connectors.dialects.phone import PhoneNumber
from connectors.dialects.twilio_messages import CallbackUrl, ServiceSid
from connectors.kit.call import Call
from connectors.kit.connector import Connector
from connectors.kit.errors import InvalidRequest, Permission
from connectors.whatsapp import cloud

CHANNEL = "whatsapp"
"""The channel of consent that all of it belongs to."""


class WhatsAppSettings(BaseModel):
    """Which number sends, and which account it belongs to."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    phone_number_id: NodeId | None = Field(
        default=None, description="Id of the business phone number that sends; not the number itself."
    )
    waba_id: NodeId | None = Field(
        default=None, description="Id of the WhatsApp Business account; its templates and webhooks need it."
    )
    twilio_number: PhoneNumber | None = Field(
        default=None, description="WhatsApp number at Twilio that sends via Twilio, with country code."
    )
    twilio_service_sid: ServiceSid | None = Field(
        default=None, description="Messaging Service at Twilio that picks the sender instead, MG..."
    )
    twilio_callback_url: CallbackUrl | None = Field(
        default=None, description="https address that Twilio reports each message's way to; gets effect=<key> appended."
    )


WHATSAPP = Connector(
    "whatsapp",
    "WhatsApp (Meta Cloud API)",
    hosts=(*cloud.HOSTS, *twilio.HOSTS),
    credential=cloud.WhatsAppCredential,
    settings=WhatsAppSettings,
    api_version=meta_graph.VERSION,
    api_sunset=meta_graph.SUNSET,
    # An answer that comes too late leaves the message to a person: rather wait as long as a lease allows.
    read_s=16.0,
    console=(
        "Open https://developers.facebook.com/apps, create an app of type Business and add the product WhatsApp.",
        "In https://business.facebook.com/settings/system-users make a system user for the app and the account.",
        "Generate its token with whatsapp_business_messaging and whatsapp_business_management, to expire never.",
        "Under WhatsApp > API Setup you find the ids of the number that sends and of the WhatsApp Business account.",
        "For a number at Twilio, put account_sid and auth_token of https://console.twilio.com into a JSON file.",
    ),
)


def sender(call: Call) -> str:
    """The id of the phone number that sends.

    Raises:
        InvalidRequest: The connection names none.
    """
    found = call.settings_as(WhatsAppSettings).phone_number_id
    if found is None:
        raise InvalidRequest("phone_number_id: the connection's settings name none; nothing was sent")
    return found


def account(call: Call) -> str:
    """The id of the WhatsApp Business account.

    Raises:
        InvalidRequest: The connection names none.
    """
    found = call.settings_as(WhatsAppSettings).waba_id
    if found is None:
        raise InvalidRequest("waba_id: the connection's settings name none; nothing was sent")
    return found


def as_twilio(call: Call) -> Call:
    """The same call with what Twilio wants to know of us.

    Raises:
        Permission: The connection is none through Twilio.
    """
    credential = call.credential_as(cloud.WhatsAppCredential).twilio
    if credential is None:
        raise Permission("the connection has no twilio credential; Meta's own are other actions. Nothing was sent")
    through = copy(call)
    through.credential = credential
    return through


@WHATSAPP.check
def check_number(call: Call) -> str:
    """Read the phone number that sends, or the account at Twilio."""
    if call.credential_as(cloud.WhatsAppCredential).access_token is None:
        return _check_twilio(as_twilio(call))
    fields = "id,display_phone_number,verified_name,quality_rating"
    found = cloud.graph(call).get(sender(call), needs=("id",), fields=fields)
    name, quality = found.get("verified_name"), found.get("quality_rating")
    return (
        f"WhatsApp number {found['id']}" + (f", {name}" if name else "") + (f", quality {quality}" if quality else "")
    )


def _check_twilio(call: Call) -> str:
    sid = call.credential_as(twilio.TwilioCredential).account_sid
    with twilio.speaking(effect=False):
        found = twilio.client(call).api.v2010.accounts(sid).fetch()
        status = str(found.status)
    if status != "active":
        raise Permission(f"the Twilio account is {status}")
    return f"WhatsApp through Twilio account {sid}, active"
