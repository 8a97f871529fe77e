"""Who can a mail go to? Addresses as RFC 5321 has them, with or without a name in front."""

from __future__ import annotations

import re
from email.headerregistry import Address
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@(?P<domain>(?:{_LABEL}\.)+{_LABEL})")
_NAMED = re.compile(r"(?P<name>[^<>]{1,100}?)\s*<(?P<address>[^<>]+)>")
# Whoever writes the header quotes a name; these could not be told from an address, or from the end of the quotes.
_NOT_IN_NAMES = re.compile(r"[<>@\"\\]")
_WRONG = "must be an e-mail address such as ada@example.org"


def address(text: str) -> str:
    """An address without a name.

    Raises:
        ValueError: It is none; the message does not repeat it.
    """
    found = _ADDRESS.fullmatch(text.strip())
    if found is None or len(found["local"]) > 64 or len(found["domain"]) > 253 or len(found[0]) > 254:
        raise ValueError(f"{_WRONG}; an international domain is written as xn--...")
    return found[0]


def person_name(text: str) -> str:
    """A name as it may stand in front of an address.

    Raises:
        ValueError: It holds a line break or a sign that addresses are told apart by.
    """
    name = text.strip()
    if not name or not name.isprintable() or _NOT_IN_NAMES.search(name):
        raise ValueError('must be a name on one line, without any of < > @ " \\')
    return name


def mailbox(text: str) -> str:
    """An address, perhaps with a name: ``ada@example.org`` or ``Ada Lovelace <ada@example.org>``.

    Raises:
        ValueError: It is none; the message does not repeat it.
    """
    named = _NAMED.fullmatch(text.strip())
    if named is None:
        return address(text)
    return f"{person_name(named['name'])} <{address(named['address'])}>"


def address_of(text: str) -> str:
    """The address in a mailbox."""
    return text.rpartition("<")[2].rstrip(">")


def header(text: str) -> Address:
    """A mailbox as the headers of a mail want it."""
    return Address(display_name=text.rpartition("<")[0].strip(), addr_spec=address_of(text))


EmailAddress = Annotated[str, StringConstraints(max_length=400), AfterValidator(address)]
"""An e-mail address without a name."""

Mailbox = Annotated[str, StringConstraints(max_length=400), AfterValidator(mailbox)]
"""An e-mail address, perhaps with a name in front."""

PersonName = Annotated[str, StringConstraints(max_length=100), AfterValidator(person_name)]
"""A name that stands in front of an address."""
