"""How does Slack show a text? Signs escaped, addresses as links, pictures by name."""

from __future__ import annotations

import re

# What is markup already stays as it is: links, mentions, and signs that the sender has escaped.
_MARKUP = re.compile(r"<(?:https?://|mailto:|tel:|[@#!])[^<>]*>|&(?:amp|lt|gt);")
_SIGN_OR_ADDRESS = re.compile(r"https?://[^\s<>|]+|[&<>]")
_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# Some of the names that Slack gives to pictures.
_PICTURES = str.maketrans(
    {"🎉": ":tada:", "🚀": ":rocket:", "🌸": ":cherry_blossom:", "👍": ":+1:", "😀": ":grinning:"}
)


def shown(text: str) -> str:
    """A text as it comes back in lists."""
    parts, end = [], 0
    for markup in _MARKUP.finditer(text):
        parts += [_plain(text[end : markup.start()]), markup[0]]
        end = markup.end()
    return "".join([*parts, _plain(text[end:])])


def _plain(text: str) -> str:
    return _SIGN_OR_ADDRESS.sub(_written, text.translate(_PICTURES))


def _written(found: re.Match[str]) -> str:
    return _ESCAPED.get(found[0]) or f"<{found[0].replace('&', '&amp;')}>"
