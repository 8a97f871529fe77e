"""How do Meta's platforms prove what they send? One way for all: a handshake, and the app's secret over the raw body.

See https://developers.facebook.com/docs/graph-api/webhooks/getting-started.
"""

from __future__ import annotations

import hashlib
import hmac
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qs

from connectors.kit.webhook import (
    Answer,
    ConsentChange,
    Delivery,
    DeliveryRefused,
    DeliveryStatus,
    MessageReceived,
    Other,
    Reading,
    Reason,
    Stage,
    Webhooks,
    address,
    check_same,
    header,
    instant,
    json_object,
    obj,
    objects,
    word,
)

AnyEvent = DeliveryStatus | ConsentChange | MessageReceived | Other

MAX_AGE = timedelta(days=8)
"""Meta repeats a delivery that failed for up to 7 days. It signs no time: what is older counts as a replay."""

_CHALLENGE_CHARS = 256


class MetaWebhooks(Webhooks):
    """Webhooks of one of Meta's objects.

    Attributes:
        objects: The objects that the app is subscribed to.
    """

    secret: ClassVar[str] = "app_secret"  # noqa: S105 (a field's name)
    objects: ClassVar[tuple[str, ...]]

    def verify_token(self, secrets: Mapping[str, Any], connection_id: str) -> str:
        """What the app's dashboard is told as "Verify token" of a connection; made from the app's secret.

        Raises:
            DeliveryRefused: The credential has no app secret.
        """
        made = hmac.new(self.secret_of(secrets), f"verify token of {connection_id}".encode(), hashlib.sha256)
        return made.hexdigest()[:40]

    def handshake(self, delivery: Delivery, secrets: Mapping[str, Any]) -> Answer:
        """Give ``hub.challenge`` back to who knows the verify token."""
        query = {name: values[0] for name, values in parse_qs(address(delivery).query).items()}
        challenge = query.get("hub.challenge", "")
        if query.get("hub.mode") != "subscribe" or not challenge:
            raise DeliveryRefused(Reason.UNEXPECTED)
        check_same(query.get("hub.verify_token", ""), self.verify_token(secrets, delivery.connection_id))
        if len(challenge) > _CHALLENGE_CHARS or not (challenge.isascii() and challenge.isalnum()):
            raise DeliveryRefused(Reason.UNREADABLE)
        return Answer(body=challenge.encode())

    def verify(self, delivery: Delivery, secrets: Mapping[str, Any], *, now: datetime) -> None:
        """``X-Hub-Signature-256``: HMAC-SHA256 of the raw body."""
        secret = self.secret_of(secrets)
        wanted = hmac.new(secret, delivery.body, hashlib.sha256).hexdigest()
        check_same(header(delivery, "x-hub-signature-256"), f"sha256={wanted}")

    def read(self, delivery: Delivery, *, now: datetime) -> Reading:
        """All events of all entries: Meta puts many into one delivery."""
        body = json_object(delivery)
        if body.get("object") not in self.objects:
            return Reading()
        found = [event for entry in objects(body.get("entry")) for event in self.events(entry)]
        fresh = tuple(one for one in found if one.at is None or now - one.at <= MAX_AGE)
        if found and not fresh:
            raise DeliveryRefused(Reason.STALE)
        return Reading(fresh)

    @abstractmethod
    def events(self, entry: dict[str, Any]) -> Iterator[AnyEvent]:
        """The events of one entry; strange ones are passed over."""


def direct_messages(entry: dict[str, Any]) -> Iterator[AnyEvent]:
    """The events of ``messaging``, in which Messenger and Instagram are alike.

    Our own messages come back as echoes, with the metadata that they were sent with; what was read is told by time and
    not by message, so it says nothing about a single one.
    """
    for one in objects(entry.get("messaging")):
        at = instant(one.get("timestamp"))
        message = obj(one.get("message"))
        mid = word(message.get("mid"))
        if mid is not None and message.get("is_echo") is True:
            key = word(message.get("metadata"))
            yield DeliveryStatus(
                id=f"echo:{mid}", at=at, stage=Stage.SENT, said="echo", provider_id=mid, effect_key=key
            )
        elif mid is not None:
            yield MessageReceived(id=mid, at=at, provider_id=mid)
        for delivered in _delivered(one):
            yield DeliveryStatus(
                id=f"delivered:{delivered}", at=at, stage=Stage.DELIVERED, said="delivered", provider_id=delivered
            )


def _delivered(one: dict[str, Any]) -> Iterator[str]:
    mids = obj(one.get("delivery")).get("mids")
    for mid in mids if isinstance(mids, list) else ():
        found = word(mid)
        if found is not None:
            yield found


def changes(entry: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The changed fields of an entry, each with its value."""
    for one in objects(entry.get("changes")):
        name = word(one.get("field"))
        if name is not None:
            yield name, obj(one.get("value"))


def other(entry: dict[str, Any], name: str, value: dict[str, Any]) -> Other:
    """A changed field that means nothing to us; the same for every repeat."""
    content = repr((entry.get("id"), entry.get("time"), name, sorted(value.items(), key=lambda item: item[0])))
    made = hashlib.sha256(content.encode(errors="surrogatepass")).hexdigest()
    return Other(id=f"{name}:{made}", at=instant(entry.get("time")), said=name)
