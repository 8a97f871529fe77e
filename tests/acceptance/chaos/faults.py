"""What goes wrong at the platforms? One call in ten, in every way they know, as the seed decides."""

from __future__ import annotations

from typing import Any

SHARE = 0.10
"""Share of the calls that go wrong."""

LATENCY_S = 0.15
"""How long a platform takes over every call: only what takes time can be cut short."""

_KINDS = (
    "timeout_before",
    "timeout_after",
    "reset_before",
    "reset_after",
    "error_500_before",
    "error_500_after",
    "error_503_before",
    "error_503_after",
)
_WAITS_S = {"sms": 2, "stripe": 2, "whatsapp": 0, "instagram": 0}
"""What a platform answers when it limits: seconds in its header; Meta, which tells whole minutes, tells nothing."""


def faults(seed: int) -> list[dict[str, Any]]:
    """As the sandbox's control takes them.

    Each kind is asked about only those calls that no kind before it took, so that all of them together take ``SHARE``.
    """
    each = 1 - (1 - SHARE) ** (1 / (len(_KINDS) + 1))
    drawn = [{"kind": kind, "probability": each, "seed": seed * 100 + n} for n, kind in enumerate(_KINDS)]
    limits = [
        {"kind": "rate_limit", "connector": slug, "seconds": wait_s, "probability": each, "seed": seed * 100 + 50 + n}
        for n, (slug, wait_s) in enumerate(_WAITS_S.items())
    ]
    return [{"kind": "latency", "seconds": LATENCY_S}, *drawn, *limits]
