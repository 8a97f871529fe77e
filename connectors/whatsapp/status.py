"""What became of a message? The history of a number, asked by the message's id."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field

from connectors.kit.action import Input, Output
from connectors.kit.call import Call
from connectors.kit.errors import NotFound, Unavailable
from connectors.whatsapp import cloud
from connectors.whatsapp.platform import WHATSAPP, sender

_FIELDS = "id,message_id,events{delivery_status,timestamp,error_description}"
# Events may come in any order; of two at the same second the later stage counts.
_STAGES = ("SENT", "DELIVERED", "READ", "FAILED", "DELETED")


class Done(Output):
    """It is so."""

    done: Literal[True] = True


class MessageRef(Input):
    """A message by its id."""

    wamid: str = Field(pattern=r"^wamid\.\S{1,500}$", description="As sendTemplate or sendSessionMessage gave it.")


class MessageStatus(Output):
    """How far a message got."""

    wamid: str
    status: str = Field(description="accepted (nothing heard yet), sent, delivered, read, failed or deleted.")
    at: datetime | None = Field(default=None, description="Since when.")
    error: str | None = Field(default=None, description="Why it failed, in Meta's words.")


@WHATSAPP.read(
    "getMessageStatus",
    MessageRef,
    MessageStatus,
    scopes=("whatsapp_business_management",),
    limits=("5,000 requests per hour and account; status webhooks tell it unasked",),
)
def get_message_status(call: Call, data: MessageRef) -> MessageStatus:
    """Tell how far a message got."""
    found = cloud.graph(call).get(
        f"{sender(call)}/message_history", needs=("data",), message_id=data.wamid, fields=_FIELDS
    )
    try:
        rows = [row for row in found["data"] if row["message_id"] == data.wamid]
        if not rows:
            raise NotFound("message_history: this number sent no such message")
        return _status(data.wamid, [event for row in rows for event in (row.get("events") or {}).get("data", ())])
    except (KeyError, TypeError, AttributeError, ValueError):
        raise Unavailable("message_history: Meta's answer is not readable", http_status=200) from None


def _status(wamid: str, events: list[dict[str, Any]]) -> MessageStatus:
    if not events:
        return MessageStatus(wamid=wamid, status="accepted")
    last = max(events, key=lambda event: (int(event["timestamp"]), _STAGES.index(event["delivery_status"])))
    return MessageStatus(
        wamid=wamid,
        status=last["delivery_status"].lower(),
        at=datetime.fromtimestamp(int(last["timestamp"]), UTC),
        error=last.get("error_description"),
    )
