"""How is a request body read? Bytes in, plain values out, or MalformedError."""

from __future__ import annotations

import json
from email import policy
from email.parser import BytesParser
from typing import Any
from urllib.parse import parse_qsl

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
MULTIPART = "multipart/form-data"

Pairs = list[tuple[str, Any]]


class MalformedError(ValueError):
    """The bytes are not what the content type says."""


def media_type(header: str) -> str:
    """The media type of a Content-Type header, without its parameters, in lower case."""
    return header.partition(";")[0].strip().lower()


def read_json(raw: bytes) -> Any:
    """A JSON value.

    Raises:
        MalformedError: not JSON, or not UTF-8.
    """
    try:
        value = json.loads(raw.decode(), parse_constant=_no_constant)
        if b"\\u" in raw:
            # An escaped half of a surrogate pair is text that nothing can carry on.
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise MalformedError("not JSON") from error
    return value


def _no_constant(name: str) -> None:
    raise ValueError(name)


def read_form(raw: bytes) -> Pairs:
    """The fields of a form or a query string, in order, repeated keys kept.

    Raises:
        MalformedError: not percent-encoded UTF-8.
    """
    try:
        return [*parse_qsl(raw.decode("ascii"), keep_blank_values=True, strict_parsing=bool(raw), errors="strict")]
    except ValueError as error:
        raise MalformedError("not a form") from error


def read_multipart(raw: bytes, content_type: str) -> Pairs:
    """The fields of a multipart form; a part with a file name stays bytes, the others are text.

    Raises:
        MalformedError: no boundary, no parts, or a part without a name.
    """
    head = f"Content-Type: {content_type}\r\nMIME-Version: 1.0\r\n\r\n".encode()
    message = BytesParser(policy=policy.HTTP).parsebytes(head + raw)
    if not message.is_multipart():
        raise MalformedError("not multipart")
    pairs: Pairs = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(payload, bytes):
            raise MalformedError("a part has no name")
        pairs.append((name, payload if part.get_filename() else payload.decode(errors="replace")))
    return pairs
