"""How is a value that a platform sent us stored? As JSON that Postgres takes, whatever it holds."""

from __future__ import annotations

import json
import math
import re
from typing import Any

REPLACEMENT = "\ufffd"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def dumps(value: Any) -> str:
    """JSON text for a ``jsonb`` column.

    Postgres takes neither NUL nor lone surrogates in texts, and JSON has no NaN: they become U+FFFD and null, because
    what a platform answered must never be lost for one odd character.
    """
    return json.dumps(_storable(value), ensure_ascii=False, allow_nan=False)


def text(value: str) -> str:
    """A text that a ``text`` or ``jsonb`` column takes."""
    return _UNSTORABLE.sub(REPLACEMENT, value)


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {text(str(key)): _storable(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_storable(one) for one in value]
    return value
