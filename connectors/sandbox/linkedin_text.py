"""What does LinkedIn show of a commentary? Little text, read by its rules: what breaks them ends the text."""

from __future__ import annotations

import re

_RESERVED = frozenset("\\|{}@[]()<>#*_~")
_HASHTAG = re.compile(r"#[^\W_]+")
_HASHTAG_TEMPLATE = re.compile(r"\{hashtag\|\\?#\|([^{}|]+)\}")
_MENTION = re.compile(r"@\[((?:\\.|[^\[\]\\])*)\]\(urn:li:(?:person|organization):[A-Za-z0-9_-]+\)")
_MAX_LENGTH = 3000


def shown(commentary: str) -> str:
    """The text that people see: escapes resolved, cut at the first reserved sign that means nothing where it stands."""
    seen: list[str] = []
    place = 0
    while place < len(commentary):
        piece, place = _next(commentary, place)
        if piece is None:
            break
        seen.append(piece)
    return "".join(seen)[:_MAX_LENGTH]


def _next(text: str, place: int) -> tuple[str | None, int]:
    sign = text[place]
    if sign not in _RESERVED:
        return sign, place + 1
    if sign == "\\" and text[place + 1 : place + 2] in _RESERVED - {""}:
        return text[place + 1], place + 2
    for pattern, before in ((_HASHTAG, ""), (_HASHTAG_TEMPLATE, "#"), (_MENTION, "@")):
        found = pattern.match(text, place)
        if found is not None:
            inner = found[1] if pattern.groups else found[0]
            return before + re.sub(r"\\(.)", r"\1", inner), found.end()
    return None, place
