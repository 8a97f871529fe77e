"""How long is a post, and when do two say the same? Counted and compared as X does (twitter-text, configuration 3).

A character of most Latin, Greek, Cyrillic, Arabic and similar writings counts 1, any other 2; an emoji 2, however many
code points it is made of; a web address 23, however long it is.
"""

from __future__ import annotations

import html
import re
import unicodedata
from urllib.parse import unquote

MOST_WEIGHTED = 280
_ADDRESS_WEIGHT = 23
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))

# Addresses end where white space or another writing begins; the sign that ends a sentence is no part of them.
_IN_ADDRESS = r"[\w!#$%&'*+,./:;=?@~\-\[\]()|\u00c0-\u024f\u0400-\u04ff]"
_ADDRESS = re.compile(rf"https?://[^\s/?#.]+\.[^\s/?#]{_IN_ADDRESS}*", re.IGNORECASE | re.ASCII)
_BARE = re.compile(rf"(?<![\w@$#./-])(?:[a-z0-9-]+\.)+[a-z]{{2,}}(?:/{_IN_ADDRESS}*)?", re.IGNORECASE | re.ASCII)
_NOT_LAST = "!?.,:;'\")"

_PICTURES = (
    "\U0001f000-\U0001faff\u2600-\u27bf\u2190-\u21ff\u2300-\u23ff\u25a0-\u25ff\u2b00-\u2bff\u3030\u303d\u3297\u3299"
)
_TONE_OR_STYLE = "[\U0001f3fb-\U0001f3ff\ufe0f\u20e3]*"
_EMOJI = re.compile(
    "[\U0001f1e6-\U0001f1ff]{2}"
    "|[0-9#*]\ufe0f?\u20e3"
    f"|[{_PICTURES}]{_TONE_OR_STYLE}(?:\u200d[{_PICTURES}]{_TONE_OR_STYLE})*[\U000e0020-\U000e007f]*"
)
_CASHTAG = re.compile(r"(?<![\w$])\$[A-Za-z]{1,6}(?:[._][A-Za-z]{1,2})?\b")
_SHORTENED = re.compile(r"https?://t\.co/\w+", re.ASCII)
# X adds the address of what is quoted or attached to the text.
_OF_POST = re.compile(
    r"https?://(?:www\.|mobile\.)?(?:twitter|x)\.com/\w+/status/\d+(?:/(?:photo|video)/\d+)?\S*", re.I
)
# Letters, their signs, digits, pictures and currencies.
_KEPT = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd", "Nl", "No", "So", "Sc"})


def weighted_length(text: str) -> int:
    """The length of a text as X counts it; of what only X can tell, the shorter count: X has the last word."""
    rest, weight = unicodedata.normalize("NFC", text), 0
    for pattern, always in ((_ADDRESS, True), (_BARE, False)):
        for found in pattern.findall(rest):
            address = found.rstrip(_NOT_LAST)
            # Whether a name without scheme is an address depends on the list of top-level domains.
            weight += _ADDRESS_WEIGHT if always else min(_ADDRESS_WEIGHT, len(address))
            rest = rest.replace(address, "\n", 1)
            weight -= 1
    pictures = _EMOJI.findall(rest)
    return weight + 2 * len(pictures) + sum(map(_weight, _EMOJI.sub("", rest)))


def cashtags(text: str) -> int:
    """How many stock symbols such as ``$TWTR`` a text has."""
    return len(_CASHTAG.findall(text))


def folded(text: str) -> str:
    """A text as it is compared: its letters, digits and pictures, without what X adds, escapes or writes otherwise."""
    plain = _OF_POST.sub(" ", html.unescape(text))
    plain = unicodedata.normalize("NFC", unquote(plain.replace("https://", "").replace("http://", ""))).casefold()
    return "".join(sign for sign in plain if unicodedata.category(sign) in _KEPT)


def is_shortened(text: str) -> bool:
    """Whether a text still holds addresses that X has shortened."""
    return bool(_SHORTENED.search(text))


def without_addresses(text: str) -> str:
    """A text with no addresses, for comparing it with one whose addresses cannot be read."""
    return _BARE.sub(" ", _ADDRESS.sub(" ", text))


def _weight(sign: str) -> int:
    return 1 if any(first <= ord(sign) <= last for first, last in _LIGHT) else 2
