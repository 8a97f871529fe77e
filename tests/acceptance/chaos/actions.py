"""What is asked for? One line per kind of action; adding a line adds the action."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connectors import registry
from connectors.kit.action import Park

_MARK = re.compile(r"chaos-\d{5}")


@dataclass(frozen=True)
class Kind:
    """One kind of action.

    Attributes:
        name: Its full name in the catalog.
        make: Its input, from the number of the request and its mark, which the sandbox's list of effects must show.
        most: How many of it a platform takes in a day; the first kind stands in for the others.
    """

    name: str
    make: Callable[[int, str], dict[str, Any]]
    most: int | None = None

    @property
    def connection(self) -> str:
        """The connection of the organization ``demo`` that it goes through."""
        return self.name.partition(".")[0]

    @property
    def policy(self) -> str:
        """What it does when the outcome is unknown, by the catalog."""
        return type(registry.action(self.name).repeat).__name__

    @property
    def may_park(self) -> bool:
        """Whether its policy leaves an unknown outcome to a person."""
        return isinstance(registry.action(self.name).repeat, Park)


KINDS = (
    Kind("sms.sendSMS", lambda n, mark: {"to": f"+1415555{n % 10_000:04d}", "body": f"Spring is here: {mark}"}),
    Kind("stripe.createCoupon", lambda n, mark: {"percent_off": 20, "name": mark}),
    Kind(
        "whatsapp.sendTemplate",
        lambda n, mark: {
            "to": f"+1415556{n % 10_000:04d}",
            "template": "appointment",
            "language": "en_US",
            "named_values": {"day": mark, "name": "Ada"},
        },
    ),
    # Three steps with a wait between them.
    Kind(
        "instagram.publishPost",
        lambda n, mark: {"image_url": "https://cdn.example.com/spring.jpg", "caption": f"Spring is here: {mark}"},
        most=90,
    ),
)

KIND_OF = {kind.name: kind for kind in KINDS}


def mark(number: int) -> str:
    """What a request is known by, to us and to the sandbox."""
    return f"chaos-{number:05d}"


def request(number: int) -> dict[str, Any]:
    """The request of a number: the kinds take turns."""
    turn, place = divmod(number, len(KINDS))
    kind = KINDS[place]
    if kind.most is not None and turn >= kind.most:
        kind = KINDS[0]
    return {
        "action": kind.name,
        "organization_id": "demo",
        "connection": kind.connection,
        "input": kind.make(number, mark(number)),
        "idempotency_key": mark(number),
    }


def mark_of(effect: dict[str, Any]) -> str | None:
    """The mark that an effect shows; None if it shows none."""
    found = _MARK.search(f"{effect['text']} {effect['recipient']} {effect['provider_id']} {effect['key']}")
    return None if found is None else found.group()
