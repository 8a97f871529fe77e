"""Where do the files lie that platforms are to publish? At ``https://media.example/``: whatever is asked for is there.

A folder before the name makes its server or the file misbehave; several may follow one another:
``https://media.example/no-ranges/moov-at-end/clip-1080x1920-30s.mp4``.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import unquote

from connectors.sandbox.connection import Receive, Scope, Send, hang_up, is_closing
from connectors.sandbox.media_files import MadeFile, make

HOST = "media.example"

MANNERS = {
    "no-ranges": "ranges are ignored, and the whole file is sent",
    "no-length": "neither ranges nor a length",
    "moov-at-end": "a video whose header stands at its end",
    "truncated": "half of the file is missing",
    "wrong-type": "a text that claims to be what the name's ending says",
    "changing": "another file at each request",
    "breaking-off": "the answer ends in the middle",
    "moved": "a redirect to the file",
    "moved-inside": "a redirect to an address that is not public",
    "moved-to-http": "a redirect to an address without TLS",
    "moved-forever": "a redirect to itself",
    "missing": "404",
    "busy": "503",
}

_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{0,18})")
_PART = 2**18
_MOVES = {
    "moved-inside": "https://169.254.169.254/latest/meta-data/",
    "moved-to-http": "http://media.example/photo.jpg",
}
_requests = count(1)


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    file: MadeFile | None = None
    first: int = 0
    end: int = 0
    """Behind the last byte that is sent."""


async def serve(scope: Scope, receive: Receive, send: Send, path: str) -> None:
    """Answer one request for a file; it is made while it is sent."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    manners, name = _read(path)
    answer = _answer(scope["method"], manners, name, path, headers.get("range", ""))
    start = [(key.lower().encode(), value.encode()) for key, value in answer.headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": start})
    if scope["method"] == "GET":
        for part in _parts(answer, half="breaking-off" in manners):
            if is_closing(scope):
                return
            await send({"type": "http.response.body", "body": part, "more_body": True})
            # A client that reads fast must not keep everyone else waiting.
            await asyncio.sleep(0)
        if "breaking-off" in manners:
            await hang_up(scope, receive)
            return
    await send({"type": "http.response.body", "body": b""})


def _read(path: str) -> tuple[frozenset[str], str]:
    *folders, name = unquote(path).removeprefix("/").split("/")
    return frozenset(folders), name


def _answer(method: str, manners: frozenset[str], name: str, path: str, wanted: str) -> _Answer:
    unusual = _unusual(method, manners, path)
    if unusual is not None:
        return unusual
    file = make(
        name,
        moov_last="moov-at-end" in manners,
        cut_short="truncated" in manners,
        seed=str(next(_requests)) if "changing" in manners else "",
    )
    if file is None:
        return _empty(404)
    if "wrong-type" in manners:
        text = b"<!doctype html><title>Not what it says</title>"
        file = MadeFile(len(text), file.media_type, text, b"", file.seed)
    headers = {"ETag": file.etag, "Content-Type": file.media_type}
    if "no-length" in manners:
        return _Answer(200, headers, file, 0, file.size)
    found = _RANGE.fullmatch(wanted)
    if found is None or "no-ranges" in manners:
        return _Answer(200, {**headers, "Content-Length": str(file.size)}, file, 0, file.size)
    first, end = int(found[1]), min(int(found[2] or file.size) + 1, file.size)
    if first >= end:
        return _Answer(416, {"Content-Range": f"bytes */{file.size}", "Content-Length": "0"})
    headers |= {"Content-Range": f"bytes {first}-{end - 1}/{file.size}", "Accept-Ranges": "bytes"}
    return _Answer(206, {**headers, "Content-Length": str(end - first)}, file, first, end)


def _unusual(method: str, manners: frozenset[str], path: str) -> _Answer | None:
    """What is no file."""
    if method not in ("GET", "HEAD") or "missing" in manners or not manners <= MANNERS.keys():
        return _empty(404 if method in ("GET", "HEAD") else 405)
    if "busy" in manners:
        return _empty(503)
    if "moved" in manners:
        return _moved(f"https://{HOST}{path.replace('/moved/', '/', 1)}")
    if "moved-forever" in manners:
        return _moved(f"https://{HOST}{path}")
    return next((_moved(_MOVES[one]) for one in sorted(manners) if one in _MOVES), None)


def _empty(status: int) -> _Answer:
    return _Answer(status, {"Content-Length": "0"})


def _moved(url: str) -> _Answer:
    return _Answer(302, {"Location": url, "Content-Length": "0"})


def _parts(answer: _Answer, *, half: bool) -> Iterator[bytes]:
    end = (answer.first + answer.end) // 2 if half else answer.end
    for offset in range(answer.first, end, _PART):
        assert answer.file is not None
        yield answer.file.read(offset, min(_PART, end - offset))
