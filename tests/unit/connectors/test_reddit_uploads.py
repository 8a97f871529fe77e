"""Does a file reach Reddit's storage whole, and only there, and without the token?"""

from __future__ import annotations

from typing import Any

import pytest

from connectors.kit.errors import Unavailable
from connectors.reddit import uploads
from connectors.sandbox.bodies import read_multipart

HOST = "reddit-uploaded-media.s3-accelerate.amazonaws.com"


class File:
    """Bytes that are read once."""

    def __init__(self, content: bytes) -> None:
        self._content, self._length = content, len(content)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Any:
        raise AssertionError("read in parts")

    def read(self, count: int = -1, /) -> bytes:
        wanted = len(self._content) if count < 0 else min(count, 7)
        part, self._content = self._content[:wanted], self._content[wanted:]
        return part


@pytest.mark.parametrize("count", [-1, 1, 10, 65_536])
def test_a_form_is_read_in_parts_of_any_size_and_is_as_long_as_it_says(count: int) -> None:
    content = bytes(range(256)) * 3
    form = uploads.FormBody({"key": "rte_images/a", 'x"y': "1"}, 'a"b.png', "image/png", File(content))
    length = len(form)

    whole = b"".join(iter(lambda: form.read(count), b""))

    assert len(whole) == length
    assert read_multipart(whole, form.content_type) == [("key", "rte_images/a"), ('x"y', "1"), ("file", content)]


def test_a_form_can_be_gone_through() -> None:
    form = uploads.FormBody({"key": "a"}, "a.png", "image/png", File(b"xyz"))

    assert read_multipart(b"".join(form), form.content_type)[-1] == ("file", b"xyz")


def lease(action: Any, fields: Any) -> dict[str, Any]:
    return {"args": {"action": action, "fields": fields}, "asset": {"asset_id": "a"}}


FIELDS = [{"name": "key", "value": "k"}]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"args": []},
        lease(None, FIELDS),
        lease("//evil.example", FIELDS),
        lease(f"//x@{HOST}", FIELDS),
        lease(f"//{HOST}.evil.example", FIELDS),
        lease(f"//{HOST}", []),
        lease(f"//{HOST}", 7),
        lease(f"//{HOST}", [{"name": 7, "value": "x"}]),
    ],
)
def test_a_lease_for_another_place_is_not_used(body: dict[str, Any]) -> None:
    with pytest.raises(Unavailable):
        uploads._lease(body)


def test_a_lease_names_the_place_and_the_form() -> None:
    assert uploads._lease(lease(f"//{HOST}", [*FIELDS, 7])) == (f"https://{HOST}", {"key": "k"})
