"""Does a person want no more messages? STOP and START in whatever words, case and punctuation.

Twilio's words (https://help.twilio.com/articles/223134027) and those that the FCC takes for a revocation in any case
(47 CFR 64.1200(a)(10)): stop, quit, end, revoke, opt out, cancel, unsubscribe. A carrier hears a single word only; a
person who writes "Please stop texting me" has to be heard as well.
"""

from __future__ import annotations

import re
import unicodedata

_OUT = frozenset({"stop", "stopall", "unsubscribe", "end", "quit", "revoke", "optout", "cancel"})
_IN = frozenset({"start", "unstop"})
_YES = "yes"
_TWO_WORDS = {"stop all": "stopall", "opt out": "optout", "opt me out": "optout", "un stop": "unstop"}
# What may stand beside such a word without giving it another sense, as "cancel my order" would.
_POLITE_WORDS = """
    please pls plz kindly thanks thank you thx now all any more me from to the this these those it i want wish would
    like texting messaging contacting sending messages message texts text sms msgs spam immediately ok okay hi hello
    hey sir madam us everything just do
"""
_POLITE = frozenset(_POLITE_WORDS.split())
_LONGEST = 120
_APOSTROPHES = "'`\u2018\u2019"


def wish(text: str, *, yes_counts: bool = False) -> bool | None:
    """What a message says about being written to.

    Args:
        yes_counts: Whether a bare YES means yes to messages, as on a long code.

    Returns:
        True for a STOP, False for a START, None for anything else.
    """
    if len(text) > _LONGEST:
        return None
    said = _plain(text)
    for two, one in _TWO_WORDS.items():
        said = re.sub(rf"\b{two}\b", one, said)
    words = said.split()
    if words == [_YES]:
        return False if yes_counts else None
    if len(words) == 1 and words[0] in _IN:
        return False
    asked = [one for one in words if one in _OUT]
    return True if asked and all(one in _OUT or one in _POLITE for one in words) else None


def _plain(text: str) -> str:
    """Lower case, letters and digits and single spaces only: full-width letters and accents read as plain ones."""
    folded = unicodedata.normalize("NFKD", text).casefold()
    kept = "".join(one for one in folded if not unicodedata.combining(one) and one not in _APOSTROPHES)
    words = re.sub(r"[\W_]+", " ", kept).split()
    # Letters that were spread for emphasis, such as S.T.O.P, are one word.
    return ("" if all(len(one) == 1 for one in words) else " ").join(words)
