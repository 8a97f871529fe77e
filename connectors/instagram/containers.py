"""Containers: what a post is before it is published. Nobody sees one, it can be published once, and lives 24 hours."""

from __future__ import annotations

import re
from typing import Any

from connectors.instagram import api
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, NotFound, Unavailable

IN_PROGRESS, FINISHED, PUBLISHED, EXPIRED, ERROR = "IN_PROGRESS", "FINISHED", "PUBLISHED", "EXPIRED", "ERROR"

_GONE = frozenset({"2207006", "2207008", "2207020"})
_PASSING = frozenset({2207001, 2207003, 2207032, 2207052, 2207053, 2207082})
"""Subcodes with which Instagram gives up on media that it takes at another try."""

_SUBCODE = re.compile(r"\b2207\d{3}\b")


class Lost(NotFound):
    """The container came to nothing and certainly was not published; a new one may do better."""


def is_gone(refused: NotFound) -> bool:
    """Whether it was refused because the container does not exist any more."""
    return (refused.code or "").rpartition("/")[2] in _GONE


def create(call: Call, fields: dict[str, Any]) -> str:
    """Make a container; one that is never published stays out of sight, so a repeat does no harm.

    Returns:
        Its id.
    """
    made = api.graph(call).post(f"{api.account(call).ig_user_id}/media", fields, effect=False, needs=("id",))
    return str(made["id"])


def read(call: Call, container_id: str) -> tuple[str, int | None]:
    """A container's ``status_code``, and the subcode of what went wrong with it."""
    found = api.graph(call).get(container_id, needs=("status_code",), fields="status_code,status")
    subcode = _SUBCODE.search(str(found.get("status", "")))
    return str(found["status_code"]), None if subcode is None else int(subcode.group())


def ready(call: Call, container_id: str) -> bool | None:
    """Whether a container can be published; None while Instagram still works on it.

    Raises:
        Lost: It came to nothing, and a new one may do better.
        InvalidRequest: Instagram does not take the media.
    """
    try:
        code, subcode = read(call, container_id)
    except NotFound:
        # A fresh container is not always found at once.
        return None
    match code:
        case "FINISHED" | "PUBLISHED":
            return True
        case "IN_PROGRESS":
            return None
        case "EXPIRED":
            raise Lost("the container has expired")
        case "ERROR":
            raise _failed(subcode)
        case _:
            raise Unavailable(f"the container is {code}, which is not known here")


def _failed(subcode: int | None) -> Lost | InvalidRequest:
    hint = api.RULES.hints.get(subcode or 0)
    message = f"Instagram could not use the media: {hint or subcode or 'it does not say why'}"
    code = None if subcode is None else str(subcode)
    return Lost(message, code=code) if subcode in _PASSING else InvalidRequest(message, code=code)
