"""What does WhatsApp tell unasked? What became of a message, who wrote, and who wants no marketing any more.

See https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any, ClassVar

from connectors.dialects import meta_webhooks, opt_out_words
from connectors.dialects.meta_webhooks import AnyEvent, MetaWebhooks
from connectors.kit.webhook import (
    ConsentChange,
    DeliveryStatus,
    MessageReceived,
    Other,
    Stage,
    instant,
    obj,
    objects,
    word,
)
from connectors.whatsapp.platform import CHANNEL

_STAGES = {
    "sent": Stage.SENT,
    "delivered": Stage.DELIVERED,
    "read": Stage.READ,
    "played": Stage.READ,
    "failed": Stage.FAILED,
}
_STOPPED_MARKETING = "131050"
_WISHES = {"stop": True, "resume": False}


class WhatsAppWebhooks(MetaWebhooks):
    """The Cloud API's webhooks."""

    objects: ClassVar[tuple[str, ...]] = ("whatsapp_business_account",)

    def events(self, entry: dict[str, Any]) -> Iterator[AnyEvent]:
        """Statuses, messages and preferences; the rest by name."""
        for name, value in meta_webhooks.changes(entry):
            if name == "messages":
                for status in objects(value.get("statuses")):
                    yield from _status(status)
                for message in objects(value.get("messages")):
                    yield from _message(message)
            elif name == "user_preferences":
                for preference in objects(value.get("user_preferences")):
                    yield from _preference(preference)
            else:
                yield meta_webhooks.other(entry, name, value)


def _status(status: dict[str, Any]) -> Iterator[AnyEvent]:
    wamid, said = word(status.get("id")), word(status.get("status"))
    if wamid is None or said is None:
        return
    at, stage = instant(status.get("timestamp")), _STAGES.get(said)
    if stage is None:
        yield Other(id=f"{wamid}:{said}", at=at, said=f"status {said}")
        return
    codes = [code for error in objects(status.get("errors")) if (code := word(error.get("code"))) is not None]
    yield DeliveryStatus(
        id=f"{wamid}:{said}",
        at=at,
        stage=stage,
        said=said,
        provider_id=wamid,
        effect_key=word(status.get("biz_opaque_callback_data")),
        code=codes[0] if codes else None,
    )
    person = _number(status.get("recipient_id"))
    if _STOPPED_MARKETING in codes and person is not None:
        proof = f"whatsapp {_STOPPED_MARKETING} of a message"
        yield ConsentChange(id=f"{wamid}:opt-out", at=at, channel=CHANNEL, address=person, opted_out=True, proof=proof)


def _message(message: dict[str, Any]) -> Iterator[AnyEvent]:
    wamid, at = word(message.get("id")), instant(message.get("timestamp"))
    if wamid is None:
        return
    yield MessageReceived(id=wamid, at=at, provider_id=wamid)
    # The Cloud API has no words of its own for it: a person who writes STOP is heard by nobody but us.
    texts = (
        obj(message.get("text")).get("body"),
        obj(message.get("button")).get("text"),
        obj(obj(message.get("interactive")).get("button_reply")).get("title"),
    )
    text = next((one for one in texts if isinstance(one, str)), "")
    out, person = opt_out_words.wish(text), _number(message.get("from"))
    if out is not None and person is not None:
        proof = f"whatsapp message {'STOP' if out else 'START'}"
        yield ConsentChange(id=f"{wamid}:consent", at=at, channel=CHANNEL, address=person, opted_out=out, proof=proof)


def _preference(preference: dict[str, Any]) -> Iterator[AnyEvent]:
    """A person stopped or resumed marketing in the app."""
    person, at = _number(preference.get("wa_id")), instant(preference.get("timestamp"))
    out = _WISHES.get(word(preference.get("value")) or "")
    if person is None or out is None:
        return
    same = json.dumps([preference.get(name) for name in ("wa_id", "category", "value", "timestamp")], default=str)
    proof = f"whatsapp user_preferences {'stop' if out else 'resume'}"
    # A digest, because the id of an event must not hold a phone number.
    yield ConsentChange(
        id=hashlib.sha256(same.encode()).hexdigest(), at=at, channel=CHANNEL, address=person, opted_out=out, proof=proof
    )


def _number(value: Any) -> str | None:
    """A WhatsApp id as E.164; a person may be without one (usernames)."""
    text = word(value)
    digits = None if text is None else text.removeprefix("+")
    return f"+{digits}" if digits is not None and digits.isascii() and digits.isdigit() else None
