"""How many segments does a text take as SMS? Each is sent and billed on its own (GSM 03.38, 03.40)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")


@dataclass(frozen=True)
class Segments:
    """How a text is cut.

    Attributes:
        encoding: GSM-7 if every character is in its alphabet, else UCS-2.
        count: Number of segments; 0 for an empty text.
    """

    encoding: Literal["GSM-7", "UCS-2"]
    count: int


def segments(text: str) -> Segments:
    """Cut a text: 160 units fit one GSM-7 message, 70 one UCS-2 message; 153 and 67 each part of a longer one."""
    if all(character in _BASIC or character in _EXTENDED for character in text):
        return Segments("GSM-7", _count((2 if c in _EXTENDED else 1 for c in text), single=160, part=153))
    return Segments("UCS-2", _count((2 if ord(c) > 0xFFFF else 1 for c in text), single=70, part=67))


def _count(sizes: Iterable[int], *, single: int, part: int) -> int:
    units = list(sizes)
    if sum(units) <= single:
        return 1 if units else 0
    count, used = 1, 0
    for size in units:
        # A character of two units is never split between two parts.
        if used + size > part:
            count, used = count + 1, 0
        used += size
    return count
