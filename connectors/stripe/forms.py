"""How are values written into Stripe's forms? Brackets say what is inside what: ``items[0][price]=p``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any


def pairs(fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and texts, in the order of the fields: the same fields always give the same form.

    What is None, or an empty list or object, is left out; instants become Unix seconds.
    """
    return [pair for name, value in fields.items() for pair in _written(name, value)]


def _written(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for inner, part in value.items():
            yield from _written(f"{name}[{inner}]", part)
    elif isinstance(value, (list, tuple)):
        for number, part in enumerate(value):
            yield from _written(f"{name}[{number}]", part)
    elif value is not None:
        yield name, _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return str(int(value.timestamp()))
    return str(value)
