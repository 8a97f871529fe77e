"""What does a platform tell us unasked? A delivery, proved to come from it, and the events that it brings.

Nothing here keeps or acts: a connector says how its platform proves a delivery and what is in one.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, TypeAlias
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

from connectors.kit.fields import UtcDatetime

_MOST_CHARS = 200
_LAST_YEAR = 9990


@dataclass(frozen=True)
class Delivery:
    """One request, as it came in.

    Attributes:
        method: GET or POST.
        url: The address that the platform was given, with its query; some platforms sign it.
        headers: By their names in lower case.
        body: The bytes that were signed.
        connection_id: Whose address it is.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    connection_id: str


class Reason(StrEnum):
    """Why a delivery is refused."""

    NO_SECRET = "no_secret"  # noqa: S105 (a reason)
    """The connection's credential lacks what proves the platform."""
    UNSIGNED = "unsigned"
    FORGED = "forged"
    STALE = "stale"
    """Signed too long ago, or in the future: it may be a replay."""
    UNREADABLE = "unreadable"
    UNEXPECTED = "unexpected"
    """A method or a handshake that this platform does not use."""


class DeliveryRefused(Exception):
    """The delivery does not prove where it comes from, or cannot be read; nothing of it may be believed."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True)
class Answer:
    """What the platform gets to hear."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"

    @classmethod
    def of_json(cls, value: Any) -> Answer:
        """An answer of JSON."""
        return cls(body=json.dumps(value).encode(), content_type="application/json")


class Stage(StrEnum):
    """How far an effect got, as the platform tells; each later one outranks the earlier ones, in whatever order."""

    ACCEPTED = "accepted"
    SENT = "sent"
    FAILED = "failed"
    UNDELIVERED = "undelivered"
    DELIVERED = "delivered"
    READ = "read"


def _short(text: Any) -> Any:
    """An id that can be kept and shown; a strange one becomes its digest."""
    if isinstance(text, str) and (len(text) > _MOST_CHARS or not text.isprintable()):
        return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    return text


EventId = Annotated[str, BeforeValidator(_short), Field(min_length=1)]


class _Event(BaseModel):
    """What all events have.

    Attributes:
        id: Unique among the deliveries to one address; the same in every repeat of a delivery.
        at: When it happened, as the platform tells; None if it does not.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    id: EventId
    at: UtcDatetime | None = None


class DeliveryStatus(_Event):
    """An effect happened, and got so far.

    Attributes:
        stage: How far.
        said: In the platform's own word.
        provider_id: The platform's id of the effect.
        effect_key: Our key, where the platform gives it back.
        code: The platform's error code.
    """

    kind: Literal["delivery_status"] = "delivery_status"
    stage: Stage
    said: str
    provider_id: str | None = None
    effect_key: str | None = None
    code: str | None = None


class ConsentChange(_Event):
    """A person does not want to be written to any more, or does again.

    Attributes:
        proof: What was said and how we know, without the person's address.
    """

    kind: Literal["consent_change"] = "consent_change"
    channel: str
    address: str = Field(repr=False)
    opted_out: bool
    proof: str


class MessageReceived(_Event):
    """Somebody wrote to the account. Neither the text nor who wrote it is kept."""

    kind: Literal["message_received"] = "message_received"
    provider_id: str | None = None


class Other(_Event):
    """Anything else.

    Attributes:
        said: The platform's name for it.
    """

    kind: Literal["other"] = "other"
    said: str


Event: TypeAlias = Annotated[DeliveryStatus | ConsentChange | MessageReceived | Other, Field(discriminator="kind")]
EVENT: TypeAdapter[DeliveryStatus | ConsentChange | MessageReceived | Other] = TypeAdapter(Event)
"""Writes and reads events as JSON."""


@dataclass(frozen=True)
class Reading:
    """What a delivery brought.

    Attributes:
        answer: What the platform must hear in return; None if any 2xx will do.
    """

    events: tuple[DeliveryStatus | ConsentChange | MessageReceived | Other, ...] = ()
    answer: Answer | None = None


class Webhooks(ABC):
    """How one platform proves and words its deliveries. Holds no state.

    Attributes:
        secret: The field of the credential that proves a delivery.
        answer: What it hears when a delivery was taken in.
    """

    secret: ClassVar[str]
    answer: ClassVar[Answer] = Answer()

    def handshake(self, delivery: Delivery, secrets: Mapping[str, Any]) -> Answer:
        """Answer a GET by which the platform makes sure that the address is ours.

        Raises:
            DeliveryRefused: The platform does not do so, or the request does not prove where it comes from.
        """
        raise DeliveryRefused(Reason.UNEXPECTED)

    @abstractmethod
    def verify(self, delivery: Delivery, secrets: Mapping[str, Any], *, now: datetime) -> None:
        """Make sure that the platform sent it.

        Args:
            secrets: The connection's credential.
            now: The instant that a signed time is compared with.

        Raises:
            DeliveryRefused: It is unsigned, forged or stale.
        """

    @abstractmethod
    def read(self, delivery: Delivery, *, now: datetime) -> Reading:
        """What a delivery that was verified brings; unknown kinds and fields are no error.

        Raises:
            DeliveryRefused: It cannot be read, or all in it is stale.
        """

    def secret_of(self, secrets: Mapping[str, Any]) -> bytes:
        """The secret that proves a delivery.

        Raises:
            DeliveryRefused: The credential has none.
        """
        found = secrets.get(self.secret)
        if not isinstance(found, str) or not found.strip():
            raise DeliveryRefused(Reason.NO_SECRET)
        return found.strip().encode()


def header(delivery: Delivery, name: str) -> str:
    """A header of the signature.

    Raises:
        DeliveryRefused: It is not there.
    """
    found = delivery.headers.get(name, "").strip()
    if not found:
        raise DeliveryRefused(Reason.UNSIGNED)
    return found


def address(delivery: Delivery) -> SplitResult:
    """The address, taken apart; who sends a request chooses its host.

    Raises:
        DeliveryRefused: It is none.
    """
    try:
        parts = urlsplit(delivery.url)
        parts.port  # noqa: B018 (asking is the check)
    except ValueError:
        raise DeliveryRefused(Reason.UNREADABLE) from None
    return parts


def check_same(given: str, wanted: str) -> None:
    """Compare in constant time.

    Raises:
        DeliveryRefused: They differ.
    """
    if not hmac.compare_digest(given.encode(errors="replace"), wanted.encode()):
        raise DeliveryRefused(Reason.FORGED)


def check_fresh(signed_at: str, *, now: datetime, within_s: float) -> None:
    """Whether the signed time, in seconds since 1970, is near enough to ``now``, before or after.

    Raises:
        DeliveryRefused: It is not, or is no time.
    """
    if not (signed_at.isascii() and signed_at.isdigit() and len(signed_at) <= 12):
        raise DeliveryRefused(Reason.FORGED)
    if abs(now.timestamp() - int(signed_at)) > within_s:
        raise DeliveryRefused(Reason.STALE)


def json_object(delivery: Delivery) -> dict[str, Any]:
    """The body as a JSON object.

    Raises:
        DeliveryRefused: It is none.
    """
    try:
        found = json.loads(delivery.body)
    except (ValueError, RecursionError):
        raise DeliveryRefused(Reason.UNREADABLE) from None
    if not isinstance(found, dict):
        raise DeliveryRefused(Reason.UNREADABLE)
    return found


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """The objects in a list; nothing if it is no list, and without whatever else is in it."""
    if isinstance(value, list):
        yield from (one for one in value if isinstance(one, dict))


def obj(value: Any) -> dict[str, Any]:
    """An object, or an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def word(value: Any) -> str | None:
    """A short printable text, such as an id or a status; None in place of anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**30 else None
    if not isinstance(value, str) or not value or not value.isprintable() or len(value) > 2 * _MOST_CHARS:
        return None
    return value


def instant(value: Any) -> datetime | None:
    """An instant in seconds or milliseconds since 1970, as a number or its text; None in place of anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 16:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 10**16:
        return None
    seconds = value / 1000 if value > 10**11 else value
    found = datetime.fromtimestamp(seconds, UTC) if seconds < 253_000_000_000 else None
    return found if found is not None and found.year <= _LAST_YEAR else None


def digest(delivery: Delivery, *more: str) -> str:
    """An id for what the platform gives none: the same for every repeat of the same bytes."""
    made = hashlib.sha256(delivery.body)
    for text in more:
        made.update(b"\0" + text.encode(errors="replace"))
    return made.hexdigest()
