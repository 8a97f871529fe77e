"""What does Twilio's smart encoding make of a text? Signs outside GSM-7 become the plain ones that look like them."""

from __future__ import annotations

_LIKE = {
    '"': "\u00ab\u00bb\u201c\u201d\u201e\u201f\u2033\uff02",
    "'": "\u0060\u00b4\u2018\u2019\u201a\u201b\u2032\uff07",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015",
    " ": "\u00a0\u2002\u2003\u2009\u202f\u3000",
    "": "\u200b\u2060\ufeff",
    "/": "\u00f7\u2044\u2215",
}
_WORDS = {"\u2026": "...", "\u203c": "!!", "\u00bc": "1/4", "\u00bd": "1/2", "\u00be": "3/4"}
_TABLE = str.maketrans({sign: plain for plain, signs in _LIKE.items() for sign in signs} | _WORDS)


def smart(text: str) -> str:
    """The text as it is sent and listed."""
    return text.translate(_TABLE)
