"""How each platform signs what it sends, written down a second time: the tests share no code with the connectors."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import parse_qsl, urlencode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

_PRIVATE = Ed25519PrivateKey.from_private_bytes(b"neonhub-tests-neonhub-tests-0001")
PUBLIC_KEY = _PRIVATE.public_key().public_bytes_raw().hex()

SECRETS: dict[str, dict[str, str]] = {
    "sms": {"account_sid": "AC" + "a" * 32, "auth_token": "token-of-the-tests"},
    "whatsapp": {"access_token": "EAA-1", "app_secret": "secret-of-the-tests"},
    "instagram": {"access_token": "EAA-2", "app_secret": "secret-of-the-tests"},
    "facebook": {"access_token": "EAA-3", "client_secret": "secret-of-the-tests"},
    "stripe": {"secret_key": "sk_test_1", "webhook_secret": "whsec_of_the_tests"},
    "slack": {"bot_token": "xoxb-1", "signing_secret": "secret-of-the-tests"},
    "discord": {"bot_token": "bot", "public_key": PUBLIC_KEY},
    "shopify": {"client_id": "app", "client_secret": "secret-of-the-tests"},
}
"""A credential of each platform that can prove its webhooks."""


def encoded(slug: str, content: dict[str, Any]) -> bytes:
    """A body as the platform writes it."""
    return urlencode(content).encode() if slug == "sms" else json.dumps(content).encode()


def headers(
    slug: str, url: str, body: bytes, *, secrets: dict[str, Any] | None = None, at: float | None = None
) -> dict[str, str]:
    """The headers that the platform sends along.

    Args:
        secrets: The connection's credential; ``SECRETS`` if left out.
        at: When it is signed, in seconds since 1970; now if left out.
    """
    found = SECRETS[slug] if secrets is None else secrets
    seconds = str(int(time.time() if at is None else at))
    match slug:
        case "sms":
            form = dict(parse_qsl(body.decode(), keep_blank_values=True))
            signature = RequestValidator(found["auth_token"]).compute_signature(url, form)
            return {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signature}
        case "stripe":
            v1 = _hex(found["webhook_secret"], f"{seconds}.".encode() + body)
            return {"stripe-signature": f"t={seconds},v1={v1}"}
        case "slack":
            v0 = _hex(found["signing_secret"], f"v0:{seconds}:".encode() + body)
            return {"x-slack-request-timestamp": seconds, "x-slack-signature": f"v0={v0}"}
        case "discord":
            return {
                "x-signature-timestamp": seconds,
                "x-signature-ed25519": _PRIVATE.sign(seconds.encode() + body).hex(),
            }
        case "shopify":
            made = hmac.new(found["client_secret"].encode(), body, hashlib.sha256).digest()
            return {"x-shopify-hmac-sha256": base64.b64encode(made).decode(), "x-shopify-topic": "orders/create"}
        case _:
            return {"x-hub-signature-256": f"sha256={_hex(found.get('app_secret') or found['client_secret'], body)}"}


def _hex(secret: str, content: bytes) -> str:
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def meta(slug: str, **entry: Any) -> dict[str, Any]:
    """A body of one of Meta's platforms with one entry."""
    name = {"whatsapp": "whatsapp_business_account", "facebook": "page"}.get(slug, slug)
    return {"object": name, "entry": [{"id": "1020304050607", **entry}]}


def whatsapp(field: str = "messages", **value: Any) -> dict[str, Any]:
    """A body of WhatsApp's with one changed field."""
    return meta("whatsapp", changes=[{"field": field, "value": {"messaging_product": "whatsapp", **value}}])


def wa_status(wamid: str, status: str, *, key: str | None = None, code: int | None = None) -> dict[str, Any]:
    """A body that tells how far a WhatsApp message got, now."""
    told: dict[str, Any] = {"id": wamid, "status": status, "timestamp": str(int(time.time()))}
    told["recipient_id"] = "4915112345678"
    if key is not None:
        told["biz_opaque_callback_data"] = key
    if code is not None:
        told["errors"] = [{"code": code, "title": "no"}]
    return whatsapp(statuses=[told])


def wa_message(wamid: str, text: str, *, sender: str = "4915112345678", at: float | None = None) -> dict[str, Any]:
    """A body that brings a WhatsApp message."""
    seconds = str(int(time.time() if at is None else at))
    return whatsapp(
        messages=[{"id": wamid, "from": sender, "timestamp": seconds, "type": "text", "text": {"body": text}}]
    )


def twilio_status(sid: str, status: str, **more: str) -> dict[str, Any]:
    """The form of a status callback."""
    account = SECRETS["sms"]["account_sid"]
    said = {"MessageStatus": status, "SmsStatus": status, "MessageSid": sid, "SmsSid": sid, "AccountSid": account}
    return {**said, "From": "+15005550006", "To": "+14155550123", "ApiVersion": "2010-04-01", **more}


def twilio_message(sid: str, text: str, **more: str) -> dict[str, Any]:
    """The form of an inbound message."""
    said = {"MessageSid": sid, "SmsSid": sid, "SmsStatus": "received", "From": "+14155550123", "To": "+15005550006"}
    return {**said, "Body": text, "NumMedia": "0", **more}
