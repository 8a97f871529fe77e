"""What does Shopify tell unasked? What changed in the shop, and what privacy law asks of an app.

See https://shopify.dev/docs/apps/build/webhooks. Only the body is signed: neither a header nor a time in one can be
believed, so a repeat is known by its bytes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from connectors.kit.webhook import (
    Delivery,
    DeliveryRefused,
    Other,
    Reading,
    Reason,
    Webhooks,
    check_same,
    digest,
    header,
    json_object,
    word,
)


class ShopifyWebhooks(Webhooks):
    """Shopify's webhooks."""

    secret: ClassVar[str] = "client_secret"  # noqa: S105 (a field's name)

    def verify(self, delivery: Delivery, secrets: Mapping[str, Any], *, now: datetime) -> None:
        """``X-Shopify-Hmac-Sha256``: HMAC-SHA256 of the raw body, in base64."""
        secret = self.secret_of(secrets)
        wanted = base64.b64encode(hmac.new(secret, delivery.body, hashlib.sha256).digest()).decode()
        check_same(header(delivery, "x-shopify-hmac-sha256"), wanted)

    def read(self, delivery: Delivery, *, now: datetime) -> Reading:
        """One event, by its topic; orders and customers stay at Shopify."""
        json_object(delivery)
        topic = word(delivery.headers.get("x-shopify-topic"))
        if topic is None:
            raise DeliveryRefused(Reason.UNREADABLE)
        return Reading((Other(id=digest(delivery, topic), said=topic),))
