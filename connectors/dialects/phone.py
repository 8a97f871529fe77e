"""Phone numbers: one form for all connectors, E.164."""

from __future__ import annotations

from typing import Annotated

import phonenumbers
from pydantic import AfterValidator


def e164(text: str) -> str:
    """Normalise a phone number that is written with its country code.

    Returns:
        The number as ``+`` and digits only, such as ``+14155550123``.

    Raises:
        ValueError: It is none; the message does not repeat it.
    """
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        raise ValueError("must be a phone number in E.164 form: + and country code, such as +14155550123") from None
    # "Possible", not "valid": the list of assigned ranges ages, and a new range is no reason to refuse.
    if not phonenumbers.is_possible_number(number):
        raise ValueError("is not a possible phone number of its country: too long, too short or no such country code")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


PhoneNumber = Annotated[str, AfterValidator(e164)]
"""A phone number in any notation with country code; read as E.164."""
