"""How does a plain text go into a post? LinkedIn's little text format gives some characters a meaning.

A reserved character that means nothing there is not refused: LinkedIn answers 201 and drops the rest of the text. So
every one is escaped, except those that are meant: hashtags, and the mentions that the input names.
See https://learn.microsoft.com/linkedin/marketing/community-management/shares/little-text-format.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

MAX_LENGTH = 3000
"""Longest text, escaped, in UTF-16 units; LinkedIn cuts a longer one without saying so."""

_RESERVED = re.compile(r"[\\|{}@\[\]()<>#*_~]")
_HASHTAG = re.compile(r"(?<![^\s(])#(?=[^\W_]+(?!_))")


def little_text(text: str, mentions: Mapping[str, str]) -> str:
    """The text as LinkedIn wants it.

    Args:
        mentions: URN by name; each ``@name`` in the text becomes a link to that member or organization.

    Raises:
        ValueError: A name does not occur in the text, or the result is too long.
    """
    for name in mentions:
        if f"@{name}" not in text:
            raise ValueError("mentions: each name must occur in the text as @name")
    names = sorted(mentions, key=len, reverse=True)
    pattern = re.compile("|".join(f"@{re.escape(name)}" for name in names)) if names else None
    made = "".join(_pieces(text, pattern, mentions))
    length = len(made.encode("utf-16-le", errors="surrogatepass")) // 2
    if length > MAX_LENGTH:
        raise ValueError(f"text: is {length} characters long with its escapes, and LinkedIn cuts it after {MAX_LENGTH}")
    return made


def _pieces(text: str, pattern: re.Pattern[str] | None, mentions: Mapping[str, str]) -> list[str]:
    pieces: list[str] = []
    begin = 0
    for found in pattern.finditer(text) if pattern is not None else ():
        name = found.group()[1:]
        pieces += [_escaped(text[begin : found.start()]), f"@[{_escaped(name)}]({mentions[name]})"]
        begin = found.end()
    return [*pieces, _escaped(text[begin:])]


def _escaped(text: str) -> str:
    hashtags = {found.start() for found in _HASHTAG.finditer(text)}
    return "".join(
        sign if place in hashtags or not _RESERVED.fullmatch(sign) else f"\\{sign}" for place, sign in enumerate(text)
    )
