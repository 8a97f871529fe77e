"""Which platform is it, and what does a connection to it hold?"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from connectors.dialects import meta_graph
from connectors.dialects.meta_graph import NodeId
from connectors.kit.call import Call
from connectors.kit.connector import Connector
from connectors.whatsapp import cloud

CHANNEL = "whatsapp"
"""The channel of consent that all of it belongs to."""


class WhatsAppSettings(BaseModel):
    """Which number sends."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    phone_number_id: NodeId = Field(description="Id of the business phone number that sends; not the number itself.")


WHATSAPP = Connector(
    "whatsapp",
    "WhatsApp (Meta Cloud API)",
    hosts=cloud.HOSTS,
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
        "Under WhatsApp > API Setup you find the id of the phone number that sends.",
    ),
)


def sender(call: Call) -> str:
    """The id of the phone number that sends."""
    return call.settings_as(WhatsAppSettings).phone_number_id


@WHATSAPP.check
def check_number(call: Call) -> str:
    """Read the phone number that sends."""
    fields = "id,display_phone_number,verified_name,quality_rating"
    found = cloud.graph(call).get(sender(call), needs=("id",), fields=fields)
    name, quality = found.get("verified_name"), found.get("quality_rating")
    return (
        f"WhatsApp number {found['id']}" + (f", {name}" if name else "") + (f", quality {quality}" if quality else "")
    )
