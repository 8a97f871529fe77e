"""How does each platform sign what it posts? By its own documentation; the time is that of the post."""

from __future__ import annotations

import hashlib
import hmac
from enum import StrEnum


class Scheme(StrEnum):
    """Whose way of signing."""

    META = "meta"
    SLACK = "slack"
    STRIPE = "stripe"


def headers(scheme: Scheme, secret: str, body: bytes, *, at: float) -> dict[str, str]:
    """The headers that prove a post.

    Args:
        scheme: Whose way.
        secret: The app's or the endpoint's secret.
        body: The bytes as posted.
        at: Seconds since 1970, on the clock of who receives it.
    """
    seconds = str(int(at))
    match scheme:
        case Scheme.META:
            return {"X-Hub-Signature-256": f"sha256={_hex(secret, body)}"}
        case Scheme.SLACK:
            signature = _hex(secret, b"v0:" + seconds.encode() + b":" + body)
            return {"X-Slack-Request-Timestamp": seconds, "X-Slack-Signature": f"v0={signature}"}
        case Scheme.STRIPE:
            return {"Stripe-Signature": f"t={seconds},v1={_hex(secret, seconds.encode() + b'.' + body)}"}


def _hex(secret: str, content: bytes) -> str:
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
