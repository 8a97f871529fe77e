"""How is what people type read? Wrong text is refused by the name of its option."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from neonhub_worker.errors import FieldError, InvalidInput


def json_object(text: str, field: str) -> dict[str, Any]:
    """Read a JSON object.

    Args:
        field: How the error calls it, such as ``--input``.

    Raises:
        InvalidInput: It is none.
    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInput([FieldError(field, f"must be JSON ({error.msg} at character {error.pos + 1})")]) from None
    except (RecursionError, ValueError):
        raise InvalidInput([FieldError(field, "is nested too deeply, or holds a number that is too long")]) from None
    if not isinstance(value, dict):
        raise InvalidInput([FieldError(field, "must be a JSON object")])
    return value


def instant(text: str, field: str = "--at") -> datetime:
    """Read an instant.

    Args:
        field: How the error calls it.

    Raises:
        InvalidInput: It is none, or has no offset.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput([FieldError(field, "must be ISO 8601, such as 2026-12-01T09:00:00+01:00")]) from None
    if moment.tzinfo is None:
        raise InvalidInput([FieldError(field, "needs an offset, such as +01:00 or Z")])
    return moment


def seconds(number: float) -> timedelta:
    """Read the length of ``--every``.

    Raises:
        InvalidInput: It is no length of time.
    """
    try:
        return timedelta(seconds=number)
    except (ValueError, OverflowError):
        raise InvalidInput([FieldError("--every", "must be a number of seconds, at most some years")]) from None
