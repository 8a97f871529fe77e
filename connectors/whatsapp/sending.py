"""How does a message leave? Both kinds alike: the effect key rides along, and the answer is the message's id.

The Cloud API takes no idempotency key and lists no messages by recipient, so after an unknown outcome nothing can be
asked. Only the status webhook brings the effect key back, and with it the message's id.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from connectors.kit.action import Output, Park
from connectors.kit.call import Call
from connectors.kit.errors import OutcomeUnknown, RateLimited, RecipientOptedOut
from connectors.whatsapp import cloud
from connectors.whatsapp.platform import CHANNEL, sender

PARK = Park(
    "the Cloud API takes no key and lists no messages by recipient. Look into the chat with the recipient, or for a "
    "status webhook whose biz_opaque_callback_data is the run's id without dashes: it proves the message, and its id "
    "(wamid...) is the one to settle with; `neonhub webhooks serve` does so by itself"
)
WHY = "The Cloud API takes no idempotency key and cannot be asked; only a later status webhook tells."
LIMITS = (
    "80 messages/s per number, in and out",
    "1 message per 6 s to one person, bursts of 45",
    "who stops marketing in the app gets nothing more from here until opted in again",
)

_LONGEST_PAIR_WAIT_S = 4.0**5


class Message(Output):
    """A message that WhatsApp accepted; whether it arrives shows later."""

    wamid: str = Field(description="WhatsApp's id of the message.")
    status: str = Field(description="accepted, held_for_quality_assessment or paused.")
    wa_id: str | None = Field(default=None, description="The recipient's id at WhatsApp; may differ from the number.")

    def provider_id(self) -> str:
        """The message's wamid."""
        return self.wamid


def send(
    call: Call, to: str, content: dict[str, Any], *, reply_to: str | None = None, edge: str = "messages"
) -> Message:
    """Send one message, once.

    Args:
        to: The recipient, E.164.
        content: ``type`` and what belongs to it.
        reply_to: The wamid it answers.
        edge: Which of Meta's ways it takes.

    Raises:
        ConnectorError: It was not accepted, or that is not known.
    """
    body = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": to.removeprefix("+"),
        "biz_opaque_callback_data": call.key,
        "context": None if reply_to is None else {"message_id": reply_to},
        **content,
    }
    try:
        answer = cloud.graph(call).post(f"{sender(call)}/{edge}", body, effect=True, needs=("messages",))
    except RecipientOptedOut as refused:
        call.ledger.record_consent(CHANNEL, to, opted_out=True, source=f"whatsapp {refused.code}")
        raise
    except RateLimited as limited:
        if limited.code != cloud.PAIR_LIMIT or limited.retry_after_s is not None:
            raise
        raise _pair_limited(limited, call.ledger.attempt) from None
    return _message(answer)


def _pair_limited(limited: RateLimited, attempt: int) -> RateLimited:
    """The wait that Meta asks for: 4 to the power of the tries before this one, in seconds."""
    return RateLimited(
        str(limited),
        retry_after_s=min(4.0 ** (attempt - 1), _LONGEST_PAIR_WAIT_S),
        code=limited.code,
        http_status=limited.http_status,
        request_id=limited.request_id,
    )


def _message(answer: dict[str, Any]) -> Message:
    try:
        made = answer["messages"][0]
        contacts = answer.get("contacts") or [{}]
        return Message(
            wamid=made["id"], status=made.get("message_status") or "accepted", wa_id=contacts[0].get("wa_id")
        )
    except (LookupError, TypeError, AttributeError, ValueError):
        raise OutcomeUnknown("messages: Meta's answer is not readable", http_status=200) from None
