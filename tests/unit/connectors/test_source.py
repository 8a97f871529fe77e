"""Is a file read as one version, whatever its server says? Against a server with TLS that answers as it is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from connectors.kit.errors import InvalidRequest, Unavailable
from connectors.kit.media import Media, MediaRules, open_media
from tests.unit.connectors.calls import call
from tests.unit.connectors.file_server import HOST, FileServer, answer, file_server

CONTENT = bytes(range(256)) * 1000
RULES = MediaRules(types=("*/*",), max_bytes=2**30)


def opened(server: FileServer, rules: MediaRules = RULES) -> Media:
    return open_media(
        call("slack"), f"https://{HOST}/a%20b%2Fc.bin?x=1", rules, field="media_url", network=server.network()
    )


def read(media: Media) -> bytes:
    return b"".join(piece for _, piece in media.pieces(piece_bytes=100_000))


def ranges(
    edit: Callable[[int, int, dict[str, str]], bytes | None] = lambda first, last, headers: None,
) -> Callable[[BaseHTTPRequestHandler], None]:
    """A server of ``CONTENT`` with ranges; ``edit`` may change an answer's headers, and give other bytes."""

    def respond(request: BaseHTTPRequestHandler) -> None:
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers["Range"])
        assert found is not None
        first, last = int(found[1]), min(int(found[2]), len(CONTENT) - 1)
        headers = {"ETag": '"1"', "Content-Range": f"bytes {first}-{last}/{len(CONTENT)}"}
        body = edit(first, last, headers)
        body = CONTENT[first : last + 1] if body is None else body
        request.send_response(206)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)

    return respond


def test_pieces_come_over_one_connection(tmp_path: Path) -> None:
    with file_server(tmp_path, ranges()) as server:
        media = opened(server)

        assert read(media) == CONTENT
        assert (len(server.asked), len(server.dialled)) == (4, 1)
        assert {one["accept-encoding"] for one in server.asked} == {"identity"}
    assert (media.name, media.media_type) == ("a b-c.bin", "application/octet-stream")


Edit = Callable[[int, int, dict[str, str]], bytes | None]


def changed(**more: str) -> Edit:
    """Other headers from the second request on."""

    def edit(first: int, last: int, headers: dict[str, str]) -> bytes | None:
        if first:
            headers.update({name.replace("_", "-"): value for name, value in more.items()})
        return None

    return edit


def longer(first: int, last: int, headers: dict[str, str]) -> bytes | None:
    if first:
        headers["Content-Range"] = f"bytes {first}-{last}/{len(CONTENT) + 1}"
    return None


def elsewhere(first: int, last: int, headers: dict[str, str]) -> bytes | None:
    if first:
        headers["Content-Range"] = f"bytes {first + 1}-{last}/{len(CONTENT)}"
    return None


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (changed(ETag='"2"'), "was changed while it was read"),
        (longer, "was changed while it was read"),
        (elsewhere, "does not say how large"),
        (changed(Content_Range="bytes */*"), "does not say how large"),
        (changed(Content_Range="what"), "does not say how large"),
        (changed(Content_Encoding="gzip"), "only sends the file compressed"),
    ],
)
def test_parts_of_another_version_are_never_mixed_in(tmp_path: Path, edit: Edit, said: str) -> None:
    with file_server(tmp_path, ranges(edit)) as server:
        media = opened(server)

        with pytest.raises(InvalidRequest, match=f"^media_url: .*{said}"):
            read(media)


def test_without_an_etag_the_date_tells_versions_apart(tmp_path: Path) -> None:
    def edit(first: int, last: int, headers: dict[str, str]) -> bytes | None:
        del headers["ETag"]
        headers["Last-Modified"] = "Wed, 25 Nov 2026 10:00:00 GMT" if first == 0 else "Wed, 25 Nov 2026 10:00:01 GMT"
        return None

    with file_server(tmp_path, ranges(edit)) as server, pytest.raises(InvalidRequest, match="changed while"):
        read(opened(server))


def test_a_part_that_is_too_short_is_asked_for_again_later(tmp_path: Path) -> None:
    with file_server(tmp_path, ranges(lambda first, last, headers: b"x" if first else None)) as server:
        media = opened(server)

        with pytest.raises(Unavailable, match=r"^media_url: its server broke off"):
            read(media)


def test_a_part_that_is_too_long_is_cut(tmp_path: Path) -> None:
    with file_server(tmp_path, ranges(lambda first, last, headers: CONTENT[first:])) as server:
        assert read(opened(server)) == CONTENT


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with file_server(tmp_path, ranges()) as server:
        with pytest.raises(InvalidRequest, match="size is 256000 bytes; must be at least 1 and at most 1000"):
            opened(server, MediaRules(types=("*/*",), max_bytes=1000))

        assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "headers", "kind", "said"),
    [
        (200, {"Content_Length": "-5"}, InvalidRequest, "does not say how large"),
        (200, {"Content_Length": "9" * 19}, InvalidRequest, "does not say how large"),
        (206, {"Content_Range": f"bytes 0-9/{'9' * 30}"}, InvalidRequest, "does not say how large"),
        (200, {"Content_Encoding": "br", "Content_Length": "5"}, InvalidRequest, "compressed"),
        (204, {}, InvalidRequest, "answered 204"),
        (401, {}, InvalidRequest, "answered 401"),
        (403, {}, InvalidRequest, "answered 403"),
        (404, {}, InvalidRequest, "answered 404"),
        (410, {}, InvalidRequest, "answered 410"),
        (416, {"Content_Range": "bytes */0"}, InvalidRequest, "is empty"),
        (408, {}, Unavailable, "answered 408"),
        (429, {}, Unavailable, "answered 429"),
        (500, {}, Unavailable, "answered 500"),
        (503, {}, Unavailable, "answered 503"),
        (302, {}, InvalidRequest, "more than 3 redirects"),
        (302, {"Location": "javascript:alert(1)"}, InvalidRequest, "must be an https address"),
        (302, {"Location": "https://" + "a" * 3000}, InvalidRequest, "at most 2048"),
    ],
)
def test_strange_answers_are_classed(
    tmp_path: Path, status: int, headers: dict[str, str], kind: type[Exception], said: str
) -> None:
    with (
        file_server(tmp_path, answer(status, b"", **headers)) as server,
        pytest.raises(kind, match=f"^media_url: .*{said}"),
    ):
        opened(server)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", "media"),
        ("/a.jpg", "a.jpg"),
        ("/..%2f..%2fetc%2fpasswd", "etc-passwd"),
        ("/a%0d%0aX-Header:%201.jpg", "a-X-Header- 1.jpg"),
        ("/%22quoted%22", "quoted"),
        ("/%ff%fe.png", "\ufffd\ufffd.png"),
        ("/" + "a" * 500 + ".mp4", "a" * 124 + ".mp4"),
    ],
)
def test_a_name_is_safe_in_headers_and_on_disks(tmp_path: Path, path: str, name: str) -> None:
    with file_server(tmp_path, answer(200, b"x")) as server:
        media = open_media(call("slack"), f"https://{HOST}{path}", RULES, field="media_url", network=server.network())

    assert media.name == name
