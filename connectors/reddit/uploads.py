"""How does a file get to Reddit? Reddit leases a place in its storage, which takes a form with the file at its end."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, Unavailable
from connectors.kit.http import Body
from connectors.kit.media import MediaRules, open_media
from connectors.reddit import api, data_api

MB = 10**6

IMAGES = MediaRules(types=("image/png", "image/jpeg", "image/gif", "image/webp"), max_bytes=20 * MB)
VIDEOS = MediaRules(types=("video/mp4", "video/quicktime"), max_bytes=1000 * MB)

_MOST_FIELDS = 50
_LOCATION = re.compile(r"<Location>([^<>]{1,2000})</Location>")
_PART = 2**16


def bring(call: Call, url: str, rules: MediaRules, *, field: str) -> str:
    """Bring a file; returns the address under which it may be submitted.

    Raises:
        InvalidRequest: It breaks a rule, or Reddit's storage does not take it.
        Unavailable: It did not arrive.
    """
    media = open_media(call, url, rules, field=field)
    leased = data_api.post(
        call, "/api/media/asset.json", {"filepath": media.name, "mimetype": media.media_type}, effect=False
    )
    address, fields = _lease(leased)
    form = FormBody(fields, media.name, media.media_type, media.body())
    # The storage is not Reddit's: the form's own fields are the permission, and no token goes there.
    answer = call.http.request("POST", address, effect=False, data=form, headers={"Content-Type": form.content_type})
    found = _LOCATION.search(answer.text) if answer.status_code == 201 else None
    if found is not None:
        return unescape(found[1])
    refused = 300 <= answer.status_code < 500 and answer.status_code != 408
    kind = InvalidRequest if refused else Unavailable
    raise kind(f"{field}: Reddit's storage answered {answer.status_code}", http_status=answer.status_code)


def _lease(body: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """The address of the storage and the form's fields.

    Raises:
        Unavailable: The answer does not hold them.
    """
    args = body.get("args")
    action, fields = (args.get("action"), args.get("fields")) if isinstance(args, dict) else (None, None)
    address = f"https:{action}" if isinstance(action, str) and action.startswith("//") else str(action)
    known = {
        one["name"]: one["value"]
        for one in (fields if isinstance(fields, list) else [])[:_MOST_FIELDS]
        if isinstance(one, dict) and isinstance(one.get("name"), str) and isinstance(one.get("value"), str)
    }
    if urlsplit(address).netloc not in api.MEDIA_HOSTS or not known:
        raise Unavailable("Reddit did not say where the file goes")
    return address, known


class FormBody:
    """A form whose last field is a file, which is read while it is sent (RFC 7578)."""

    def __init__(self, fields: dict[str, str], name: str, media_type: str, file: Body) -> None:
        mark = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={mark}"
        begin = f"--{mark}\r\nContent-Disposition: form-data"
        parts = [f'{begin}; name="{_quoted(key)}"\r\n\r\n{value}\r\n' for key, value in fields.items()]
        parts.append(f'{begin}; name="file"; filename="{_quoted(name)}"\r\nContent-Type: {media_type}\r\n\r\n')
        self._head, self._file, self._tail = "".join(parts).encode(), file, f"\r\n--{mark}--\r\n".encode()
        self._length = len(self._head) + len(file) + len(self._tail)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[bytes]:
        while part := self.read(_PART):
            yield part

    def read(self, count: int = -1, /) -> bytes:
        """At most so many further bytes; none at the end."""
        if self._head:
            wanted = len(self._head) if count < 0 else count
            part, self._head = self._head[:wanted], self._head[wanted:]
            return part
        part = self._file.read(count)
        if part:
            return part
        wanted = len(self._tail) if count < 0 else count
        part, self._tail = self._tail[:wanted], self._tail[wanted:]
        return part


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", " ").replace("\n", " ")
