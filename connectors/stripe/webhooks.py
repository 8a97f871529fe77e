"""What does Stripe tell unasked? That an object exists, and what became of a refund or a checkout.

See https://docs.stripe.com/webhooks#verify-manually.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from connectors.kit.webhook import (
    Delivery,
    DeliveryRefused,
    DeliveryStatus,
    Other,
    Reading,
    Reason,
    Stage,
    Webhooks,
    check_fresh,
    header,
    instant,
    json_object,
    obj,
    word,
)
from connectors.stripe.web import MARK

TOLERANCE_S = 300.0
"""Stripe's own libraries take nothing that was signed longer ago."""

_MADE = frozenset({"customer", "checkout.session", "payment_link", "refund", "coupon", "promotion_code"})
_REFUND = {
    "pending": Stage.ACCEPTED,
    "requires_action": Stage.ACCEPTED,
    "succeeded": Stage.DELIVERED,
    "failed": Stage.FAILED,
    "canceled": Stage.FAILED,
}


class StripeWebhooks(Webhooks):
    """Stripe's events."""

    secret: ClassVar[str] = "webhook_secret"  # noqa: S105 (a field's name)

    def verify(self, delivery: Delivery, secrets: Mapping[str, Any], *, now: datetime) -> None:
        """``Stripe-Signature``: the time, and HMAC-SHA256 of time and raw body by each secret that is valid."""
        secret = self.secret_of(secrets)
        parts = [part.strip().partition("=") for part in header(delivery, "stripe-signature").split(",")]
        times = [value for name, _, value in parts if name == "t"]
        given = [value for name, _, value in parts if name == "v1"]
        if len(times) != 1 or not given:
            raise DeliveryRefused(Reason.UNSIGNED)
        content = times[0].encode(errors="replace") + b"." + delivery.body
        wanted = hmac.new(secret, content, hashlib.sha256).hexdigest().encode()
        # All are compared, whichever fits.
        if not any([hmac.compare_digest(one.encode(errors="replace"), wanted) for one in given]):  # noqa: C419
            raise DeliveryRefused(Reason.FORGED)
        check_fresh(times[0], now=now, within_s=TOLERANCE_S)

    def read(self, delivery: Delivery, *, now: datetime) -> Reading:
        """One event; an object that carries our mark proves that our effect made it."""
        body = json_object(delivery)
        event_id, said = word(body.get("id")), word(body.get("type"))
        if event_id is None or said is None:
            raise DeliveryRefused(Reason.UNREADABLE)
        at, one = instant(body.get("created")), obj(obj(body.get("data")).get("object"))
        key, object_id = word(obj(one.get("metadata")).get(MARK)), _made(one)
        if key is None or object_id is None or said.endswith(".deleted"):
            return Reading((Other(id=event_id, at=at, said=said),))
        is_refund = one.get("object") == "refund"
        stage = _REFUND.get(word(one.get("status")) or "", Stage.ACCEPTED) if is_refund else Stage.ACCEPTED
        code = word(one.get("failure_reason")) if is_refund else None
        return Reading(
            (
                DeliveryStatus(
                    id=event_id,
                    at=at,
                    stage=stage,
                    said=said,
                    provider_id=object_id,
                    effect_key=key,
                    code=code,
                ),
            )
        )


def _made(one: dict[str, Any]) -> str | None:
    """The id of what an action of ours made; a payment link hands its metadata on to the sessions that it opens."""
    if one.get("object") == "checkout.session" and one.get("payment_link") is not None:
        return word(one.get("payment_link"))
    return word(one.get("id")) if one.get("object") in _MADE else None
