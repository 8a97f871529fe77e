"""How long is a post, and what does X make of its text?"""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from typing import Any

_ADDRESS = re.compile(r"https?://[^\s\"<>]+[^\s\"<>.,:;!?)']")
_SEQUENCE = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf](?:[\ufe0f\U0001f3fb-\U0001f3ff]|\u200d.)*")


def length(text: str) -> int:
    """280 is the most: an address 23, an emoji or a sign of most Asian writings 2."""
    plain = unicodedata.normalize("NFC", text)
    addresses, plain = len(_ADDRESS.findall(plain)), _ADDRESS.sub("", plain)
    emoji, plain = len(_SEQUENCE.findall(plain)), _SEQUENCE.sub("", plain)
    light = sum(1 for sign in plain if sign < "\u1100" or "\u2000" <= sign <= "\u201f" or "\u2032" <= sign <= "\u2037")
    return 23 * addresses + 2 * emoji + light + 2 * (len(plain) - light)


def shown(text: str, *, after: tuple[str, ...] = ()) -> tuple[str, dict[str, Any]]:
    """A text as X shows it, and its entities: addresses are shortened, and those of ``after`` follow it."""
    urls: list[dict[str, Any]] = []

    def shorten(address: str, **more: str) -> str:
        short = f"https://t.co/{hashlib.sha256(f'{len(urls)}{address}'.encode()).hexdigest()[:10]}"
        urls.append({"url": short, "expanded_url": address, "display_url": address.partition("//")[2][:26], **more})
        return short

    plain = _ADDRESS.sub(lambda found: shorten(found[0]), unicodedata.normalize("NFC", text).strip())
    plain = html.escape(plain, quote=False)
    for address in after:
        media = {"media_key": f"3_{address.rpartition('/')[2]}"} if "/photo/" in address else {}
        plain = f"{plain} {shorten(address, **media)}".strip()
    return plain, {"urls": urls} if urls else {}
