"""What does Slack tell unasked? That a message of ours is posted, who wrote to the app, and that it was removed.

See https://docs.slack.dev/authentication/verifying-requests-from-slack and https://docs.slack.dev/apis/events-api.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from connectors.kit.webhook import (
    Answer,
    Delivery,
    DeliveryRefused,
    DeliveryStatus,
    MessageReceived,
    Other,
    Reading,
    Reason,
    Stage,
    Webhooks,
    check_fresh,
    check_same,
    digest,
    header,
    instant,
    json_object,
    obj,
    word,
)
from connectors.slack.messages import EVENT_TYPE

TOLERANCE_S = 300.0
"""Slack's own advice."""


class SlackWebhooks(Webhooks):
    """Slack's Events API."""

    secret: ClassVar[str] = "signing_secret"  # noqa: S105 (a field's name)

    def verify(self, delivery: Delivery, secrets: Mapping[str, Any], *, now: datetime) -> None:
        """``X-Slack-Signature``: HMAC-SHA256 of version, time and raw body."""
        secret = self.secret_of(secrets)
        given, at = header(delivery, "x-slack-signature"), header(delivery, "x-slack-request-timestamp")
        content = b"v0:" + at.encode(errors="replace") + b":" + delivery.body
        check_same(given, "v0=" + hmac.new(secret, content, hashlib.sha256).hexdigest())
        check_fresh(at, now=now, within_s=TOLERANCE_S)

    def read(self, delivery: Delivery, *, now: datetime) -> Reading:
        """One event, or the question whether the address is ours."""
        body = json_object(delivery)
        said = word(body.get("type"))
        if said == "url_verification":
            challenge = word(body.get("challenge"))
            if challenge is None:
                raise DeliveryRefused(Reason.UNREADABLE)
            return Reading(answer=Answer.of_json({"challenge": challenge}))
        if said != "event_callback":  # app_rate_limited: Slack has dropped events of ours
            return Reading((Other(id=digest(delivery), at=instant(body.get("minute_rate_limited")), said=said or "?"),))
        event_id, event = word(body.get("event_id")), obj(body.get("event"))
        if event_id is None:
            raise DeliveryRefused(Reason.UNREADABLE)
        return Reading((_event(event_id, instant(body.get("event_time")), event),))


def _event(event_id: str, at: datetime | None, event: dict[str, Any]) -> DeliveryStatus | MessageReceived | Other:
    said = word(event.get("type")) or "?"
    if said == "message_metadata_posted":
        metadata = obj(event.get("metadata"))
        key = word(obj(metadata.get("event_payload")).get("effect_id"))
        ts = word(event.get("message_ts"))
        if metadata.get("event_type") == EVENT_TYPE and key is not None and ts is not None:
            return DeliveryStatus(
                id=event_id, at=at, stage=Stage.DELIVERED, said="posted", provider_id=ts, effect_key=key
            )
    elif said == "message" and event.get("channel_type") == "im" and word(event.get("bot_id")) is None:
        return MessageReceived(id=event_id, at=at, provider_id=word(event.get("ts")))
    return Other(id=event_id, at=at, said=said)
