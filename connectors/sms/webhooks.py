"""What does Twilio tell unasked? Each message's way, and what people answer.

See https://www.twilio.com/docs/usage/webhooks/webhooks-security and
https://www.twilio.com/docs/messaging/guides/webhook-request. Twilio signs no time: a repeat is known by its content.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import SplitResult, parse_qs

from connectors.dialects import opt_out_words
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
    word,
)
from connectors.sms.platform import CHANNEL

_STAGES = {
    "accepted": Stage.ACCEPTED,
    "scheduled": Stage.ACCEPTED,
    "queued": Stage.ACCEPTED,
    "sending": Stage.ACCEPTED,
    "sent": Stage.SENT,
    "failed": Stage.FAILED,
    "undelivered": Stage.UNDELIVERED,
    "delivered": Stage.DELIVERED,
    "read": Stage.READ,
}
_OPTED_OUT = "21610"
_ADVANCED = {"STOP": True, "START": False, "HELP": None}
_TOLL_FREE = tuple(f"+1{prefix}" for prefix in (800, 833, 844, 855, 866, 877, 888))
_PORTS = {"https": 443, "http": 80}
_MOST_FIELDS = 200


class SmsWebhooks(Webhooks):
    """Twilio's status callbacks and inbound messages."""

    # An API key signs in, but proves nothing here: Twilio signs with the account's auth token alone.
    secret: ClassVar[str] = "auth_token"  # noqa: S105 (a field's name)
    # Anything else that is not TwiML would be sent to the person as an answer.
    answer: ClassVar[Answer] = Answer(body=b"<Response/>", content_type="text/xml")

    def verify(self, delivery: Delivery, secrets: Mapping[str, Any], *, now: datetime) -> None:
        """``X-Twilio-Signature``: HMAC-SHA1 of the address and the sorted fields, or of the address and a digest."""
        secret, given = self.secret_of(secrets), header(delivery, "x-twilio-signature")
        parts = address(delivery)
        body_digest = parse_qs(parts.query).get("bodySHA256")
        if body_digest:
            check_same(body_digest[0], hashlib.sha256(delivery.body).hexdigest())
        content = "" if body_digest else _content(delivery)
        # Twilio sometimes signs the address with its port and sometimes without.
        wanted = [_signature(secret, url + content) for url in _with_and_without_port(delivery.url, parts)]
        # All are compared, whichever fits.
        if not any([hmac.compare_digest(given.encode(errors="replace"), one) for one in wanted]):  # noqa: C419
            raise DeliveryRefused(Reason.FORGED)

    def read(self, delivery: Delivery, *, now: datetime) -> Reading:
        """A status callback has a status that an inbound message lacks, or only says ``received`` of."""
        fields = {name: values[0] for name, values in _fields(delivery).items()}
        sid = word(fields.get("MessageSid") or fields.get("SmsSid"))
        if sid is None:
            raise DeliveryRefused(Reason.UNREADABLE)
        said = word(fields.get("MessageStatus"))
        if said is None:
            return Reading(_inbound(sid, fields))
        return Reading(_status(sid, said, fields, delivery))


def _status(
    sid: str, said: str, fields: Mapping[str, str], delivery: Delivery
) -> tuple[DeliveryStatus | ConsentChange | Other, ...]:
    stage, code = _STAGES.get(said), word(fields.get("ErrorCode"))
    if stage is None:  # canceled: our own doing, or nothing was sent
        return (Other(id=f"{sid}:{said}", said=f"status {said}"),)
    key = parse_qs(address(delivery).query).get("effect", [None])[0]
    status = DeliveryStatus(
        id=f"{sid}:{said}", stage=stage, said=said, provider_id=sid, effect_key=word(key), code=code
    )
    to = word(fields.get("To"))
    if code != _OPTED_OUT or to is None:
        return (status,)
    proof = f"twilio {_OPTED_OUT} of message {sid}"
    return (
        status,
        ConsentChange(id=f"{sid}:opt-out", channel=CHANNEL, address=to, opted_out=True, proof=proof),
    )


def _inbound(sid: str, fields: Mapping[str, str]) -> tuple[MessageReceived | ConsentChange, ...]:
    received = MessageReceived(id=sid, provider_id=sid)
    person, how = word(fields.get("From")), fields.get("OptOutType", "").upper()
    if how in _ADVANCED:
        # Advanced Opt-Out has understood it already, in whatever language.
        out, said = _ADVANCED[how], f"OptOutType {how}"
    else:
        yes_counts = not fields.get("To", "").startswith(_TOLL_FREE)
        out = opt_out_words.wish(fields.get("Body", ""), yes_counts=yes_counts)
        said = "STOP" if out else "START"
    if out is None or person is None:
        return (received,)
    proof = f"{said} in message {sid}"
    return (
        received,
        ConsentChange(id=f"{sid}:consent", channel=CHANNEL, address=person, opted_out=out, proof=proof),
    )


def _fields(delivery: Delivery) -> dict[str, list[str]]:
    """The fields of the form."""
    try:
        text = delivery.body.decode()
        return parse_qs(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        raise DeliveryRefused(Reason.UNREADABLE) from None


def _content(delivery: Delivery) -> str:
    fields = _fields(delivery)
    return "".join(name + value for name in sorted(fields) for value in sorted(set(fields[name])))


def _signature(secret: bytes, content: str) -> bytes:
    return base64.b64encode(hmac.new(secret, content.encode(errors="replace"), hashlib.sha1).digest())


def _with_and_without_port(url: str, parts: SplitResult) -> tuple[str, str]:
    host = parts.netloc.rpartition("@")[2]
    bare = host if parts.port is None else host.rpartition(":")[0]
    port = parts.port or _PORTS.get(parts.scheme, 443)
    # The rest as it came: taking an address apart and putting it together again would lose an empty query.
    rest = url.partition("://")[2][len(parts.netloc) :]
    return f"{parts.scheme}://{bare}{rest}", f"{parts.scheme}://{bare}:{port}{rest}"
