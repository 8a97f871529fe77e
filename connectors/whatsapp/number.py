"""The number that sends: how it stands with Meta, and whether its account is heard."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from connectors.kit.action import Input, Output, Resend
from connectors.kit.call import Call
from connectors.kit.errors import Unavailable
from connectors.whatsapp import cloud
from connectors.whatsapp.platform import WHATSAPP, account, sender
from connectors.whatsapp.status import Done

_FIELDS = (
    "display_phone_number,verified_name,quality_rating,status,throughput,whatsapp_business_manager_messaging_limit"
)


class Nothing(Input):
    """Nothing is needed."""


class NumberState(Output):
    """How the number stands."""

    phone_number_id: str
    number: str | None = Field(description="As people see it.")
    name: str | None = Field(description="The name that Meta has verified.")
    quality: str | None = Field(description="GREEN, YELLOW or RED, by how people take its messages.")
    status: str | None = Field(description="CONNECTED can send.")
    throughput: str | None = Field(description="STANDARD is 80 messages a second, HIGH 1,000.")
    people_per_day: str | None = Field(description="How many people may be written to first in 24 hours, as a tier.")


@WHATSAPP.read("getPhoneNumber", Nothing, NumberState, scopes=("whatsapp_business_management",))
def get_phone_number(call: Call, data: Nothing) -> NumberState:
    """Tell how the number stands with Meta, before a campaign."""
    found: dict[str, Any] = cloud.graph(call).get(sender(call), needs=("id",), fields=_FIELDS)
    try:
        return NumberState(
            phone_number_id=found["id"],
            number=found.get("display_phone_number"),
            name=found.get("verified_name"),
            quality=found.get("quality_rating"),
            status=found.get("status"),
            throughput=(found.get("throughput") or {}).get("level"),
            people_per_day=found.get("whatsapp_business_manager_messaging_limit"),
        )
    except (AttributeError, ValueError):
        raise Unavailable("number: Meta's answer is not readable", http_status=200) from None


@WHATSAPP.action(
    "subscribeWebhooks",
    Nothing,
    Done,
    repeat=Resend(),
    why="It sets a value: twice is the same as once.",
    scopes=("whatsapp_business_management",),
)
def subscribe_webhooks(call: Call, data: Nothing) -> Done:
    """Let Meta report the account's messages to the app; without it no status arrives."""
    cloud.graph(call).post(f"{account(call)}/subscribed_apps", {}, effect=True, needs=("success",))
    return Done()
