"""Which values can be kept, as ``text`` and ``jsonb``? Others are refused on every way in, by their field's name."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from neonhub_worker.db import jsonb
from neonhub_worker.errors import FieldError

MAX_DEPTH = 64
"""Levels of objects and lists in one another. Python's own JSON reader gives up at about a thousand."""

_MAX_SHOWN = 20
_NUL = "must not hold a NUL character (U+0000); PostgreSQL cannot keep it"
_HALF = "must be Unicode; it holds half of a surrogate pair"
_HALVES = re.compile("[\ud800-\udfff]")


def broken_rules(value: Any, *, where: str = "") -> list[FieldError]:
    """The first of a JSON-like value's parts that cannot be kept.

    Args:
        where: Put before each field's name, such as ``"item 3: "``.
    """
    first = itertools.islice(_broken(value, ()), _MAX_SHOWN)
    return [FieldError(where + path, rule) for path, rule in first]


def field_name(part: object) -> str:
    """One part of a field's path as it may be shown and kept: senders choose the names of their fields."""
    name = jsonb.text(str(part))
    return name if len(name) <= 60 else f"{name[:60]}…"


def _broken(value: Any, path: tuple[object, ...]) -> Iterator[tuple[str, str]]:
    rule = _broken_rule(value)
    if rule is None and len(path) > MAX_DEPTH and isinstance(value, (Mapping, list, tuple)):
        rule = f"must not be nested more than {MAX_DEPTH} levels deep"
        path = path[:4]
    if rule is not None:
        yield ".".join(field_name(part) for part in path), rule
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _broken_name(key, path)
            yield from _broken(one, (*path, key))
    elif isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        for number, one in enumerate(value):
            yield from _broken(one, (*path, number))


def _broken_name(key: object, path: tuple[object, ...]) -> Iterator[tuple[str, str]]:
    rule = _broken_rule(key) if isinstance(key, str) else "must be a text"
    if rule is not None:
        yield ".".join(field_name(part) for part in (*path, key)), f"its name {rule}"


def _broken_rule(value: Any) -> str | None:
    if isinstance(value, str):
        return _NUL if "\0" in value else _HALF if _HALVES.search(value) else None
    if isinstance(value, (bytes, bytearray)):
        return _NUL if 0 in value else None
    if isinstance(value, float):
        return None if math.isfinite(value) else "must be a finite number"
    if isinstance(value, int):
        return None if value.bit_length() <= 64 else "must be a number of at most 64 bits"
    return None
