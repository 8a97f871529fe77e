"""What does Discord tell unasked? Interactions and Webhook Events; what became of a message only its gateway tells.

See https://docs.discord.com/developers/interactions/overview and https://docs.discord.com/developers/events/webhook-events.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from connectors.kit.webhook import (
    Answer,
    Delivery,
    DeliveryRefused,
    Other,
    Reading,
    Reason,
    Webhooks,
    check_fresh,
    digest,
    header,
    json_object,
    obj,
    word,
)

TOLERANCE_S = 300.0
"""Discord names none; it signs the time so that one can be kept to."""

_PING, _EVENT_PING = 1, 0
_AUTOCOMPLETE = 4
_EPHEMERAL = 64
_SEEN = {"type": 4, "data": {"content": "Received.", "flags": _EPHEMERAL}}
_NO_CHOICES = {"type": 8, "data": {"choices": []}}


class DiscordWebhooks(Webhooks):
    """Discord's interactions endpoint and its Webhook Events."""

    # Not secret: whoever knows it can check a signature and make none.
    secret: ClassVar[str] = "public_key"  # noqa: S105 (a field's name)
    answer: ClassVar[Answer] = Answer(status=204)

    def verify(self, delivery: Delivery, secrets: Mapping[str, Any], *, now: datetime) -> None:
        """``X-Signature-Ed25519``: the app's signature of time and raw body."""
        key = self.secret_of(secrets)
        given, at = header(delivery, "x-signature-ed25519"), header(delivery, "x-signature-timestamp")
        try:
            public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.decode()))
        except ValueError:
            raise DeliveryRefused(Reason.NO_SECRET) from None
        try:
            public.verify(bytes.fromhex(given), at.encode(errors="replace") + delivery.body)
        except (InvalidSignature, ValueError):
            raise DeliveryRefused(Reason.FORGED) from None
        check_fresh(at, now=now, within_s=TOLERANCE_S)

    def read(self, delivery: Delivery, *, now: datetime) -> Reading:
        """A PING, an interaction that is answered at once, or an event by its name."""
        body = json_object(delivery)
        kind = body.get("type")
        if "event" in body or ("version" in body and "token" not in body and kind == _EVENT_PING):
            return _event(delivery, body)
        if kind == _PING:
            return Reading(answer=Answer.of_json({"type": 1}))
        interaction = word(body.get("id"))
        if interaction is None or not isinstance(kind, int):
            raise DeliveryRefused(Reason.UNREADABLE)
        heard = _NO_CHOICES if kind == _AUTOCOMPLETE else _SEEN
        return Reading((Other(id=interaction, said=f"interaction {kind}"),), Answer.of_json(heard))


def _event(delivery: Delivery, body: dict[str, Any]) -> Reading:
    event = obj(body.get("event"))
    said = word(event.get("type"))
    if said is None:  # the PING of Webhook Events, heard with an empty 204
        return Reading()
    return Reading((Other(id=digest(delivery), at=_time(event.get("timestamp")), said=said),))


def _time(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
