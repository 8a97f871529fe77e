"""Are files checked before they are sent, and read in pieces without a mixture? Asked of the sandbox's files."""

from __future__ import annotations

import random
import zlib

import pytest
import requests

from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, Unavailable
from connectors.kit.media import Media, MediaRules, open_media
from tests.contract.conftest import Performer, Sandbox

ANY = MediaRules(types=("*/*",), max_bytes=2**40)
KB, MB = 2**10, 2**20


@pytest.fixture
def call(performer: Performer) -> Call:
    return performer.call("slack")


def opened(call: Call, path: str, rules: MediaRules = ANY) -> Media:
    return open_media(call, f"https://media.example/{path}", rules, field="media_url")


def whole(sandbox: Sandbox, path: str) -> bytes:
    return requests.get(f"{sandbox.url}/media.example/{path}", timeout=10).content


@pytest.mark.parametrize(
    ("path", "media_type", "measure", "duration_s"),
    [
        ("photo-1080x1350.jpg", "image/jpeg", (1080, 1350), None),
        ("photo-640x480.png", "image/png", (640, 480), None),
        ("loop-320x200.gif", "image/gif", (320, 200), None),
        ("photo-1200x628.webp", "image/webp", (1200, 628), None),
        ("clip-1080x1920-30s.mp4", "video/mp4", (1080, 1920), 30.0),
        ("moov-at-end/clip-1080x1920-12.5s-5MB.mp4", "video/mp4", (1080, 1920), 12.5),
        ("no-ranges/moov-at-end/clip-640x360-7s-3MB.mov", "video/quicktime", (640, 360), 7.0),
        ("moved/photo-10x20.jpg", "image/jpeg", (10, 20), None),
        ("clip.webm", "video/webm", (None, None), None),
        ("brochure-2MB.pdf", "application/pdf", (None, None), None),
        ("notes.txt", "application/octet-stream", (None, None), None),
    ],
)
def test_a_file_is_measured_by_its_own_bytes(
    call: Call,
    sandbox: Sandbox,
    path: str,
    media_type: str,
    measure: tuple[int | None, int | None],
    duration_s: float | None,
) -> None:
    media = opened(call, path)

    assert media.media_type == media_type
    assert (media.width, media.height) == measure
    assert media.duration_s == duration_s
    assert media.size == len(whole(sandbox, path.removeprefix("moved/")))
    assert media.name == path.rpartition("/")[2]


@pytest.mark.parametrize("folder", ["", "no-ranges/"])
@pytest.mark.parametrize("start", [0, 1, 300_000, 2 * MB + 7])
def test_pieces_are_the_file_from_where_it_is_gone_on_with(
    call: Call, sandbox: Sandbox, folder: str, start: int
) -> None:
    path = f"{folder}clip-5MB.mp4"
    pieces = list(opened(call, path).pieces(start, piece_bytes=MB))

    assert [offset for offset, _ in pieces] == list(range(start, 5 * MB, MB))
    assert b"".join(piece for _, piece in pieces) == whole(sandbox, path)[start:]


def test_a_body_is_the_file_and_knows_its_length(call: Call, sandbox: Sandbox) -> None:
    path = "clip-5MB.mp4"
    body, some = opened(call, path).body(), opened(call, path).body(5, 3 * MB)

    assert (len(body), len(some)) == (5 * MB, 3 * MB - 5)
    assert zlib.crc32(b"".join(body)) == zlib.crc32(whole(sandbox, path))
    found = b""
    while part := some.read(random.randrange(1, 900_000)):
        found += part
    assert found == whole(sandbox, path)[5 : 3 * MB]


def test_a_small_file_is_read_at_once_and_a_large_one_is_not(call: Call, sandbox: Sandbox) -> None:
    assert opened(call, "photo-70KB.jpg").read_all(70 * KB) == whole(sandbox, "photo-70KB.jpg")
    with pytest.raises(InvalidRequest, match="media_url: the file has 71680 bytes; must be at most 70000"):
        opened(call, "photo-70KB.jpg").read_all(70_000)


@pytest.mark.parametrize(
    ("path", "rules", "said"),
    [
        ("photo.jpg", {"types": ("image/png", "video/*")}, "the file is image/jpeg; must be image/png or video/*"),
        (
            "wrong-type/photo.jpg",
            {"types": ("image/jpeg",)},
            "the file is application/octet-stream; must be image/jpeg",
        ),
        ("photo-9MB.jpg", {"max_bytes": 8 * MB}, "size is 9437184 bytes; must be at least 1 and at most 8388608"),
        ("photo-2KB.jpg", {"min_bytes": 4 * KB}, "size is 2048 bytes; must be at least 4096"),
        ("photo-319x400.jpg", {"min_width": 320}, "width is 319 pixels; must be at least 320"),
        ("photo-1441x400.jpg", {"max_width": 1440}, "width is 1441 pixels; must be at most 1440"),
        ("photo-400x99.jpg", {"min_height": 100}, "height is 99 pixels; must be at least 100"),
        ("photo-400x999.jpg", {"max_height": 998}, "height is 999 pixels; must be at most 998"),
        ("photo-100x200.jpg", {"min_ratio": 0.8}, "width divided by height is 0.50; must be at least 0.8"),
        ("photo-200x100.jpg", {"max_ratio": 1.91}, "width divided by height is 2.00; must be at most 1.91"),
        ("clip-2s.mp4", {"min_duration_s": 3.0}, "duration is 2.00 s; must be at least 3"),
        ("clip-141s.mp4", {"max_duration_s": 140.0}, "duration is 141.00 s; must be at most 140"),
    ],
)
def test_a_broken_rule_is_named_with_its_field_and_limit(
    call: Call, path: str, rules: dict[str, object], said: str
) -> None:
    given = {"types": ("*/*",), "max_bytes": 2**40, **rules}

    with pytest.raises(InvalidRequest) as caught:
        opened(call, path, MediaRules(**given))  # type: ignore[arg-type]

    assert str(caught.value).startswith(f"media_url: {said}")


@pytest.mark.parametrize(
    ("path", "rules"),
    [
        ("photo-1080x1350.jpg", {"min_ratio": 0.8}),
        ("photo-1200x628.jpg", {"max_ratio": 1.91}),
        ("photo-8MB.jpg", {"max_bytes": 8 * MB}),
        ("clip.webm", {"max_duration_s": 1.0, "min_width": 9999}),
    ],
)
def test_what_just_fits_is_taken(call: Call, path: str, rules: dict[str, object]) -> None:
    given = {"types": ("*/*",), "max_bytes": 2**40, **rules}

    opened(call, path, MediaRules(**given))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("truncated/clip-3MB.mp4", "cut short"),
        ("truncated/moov-at-end/clip-3MB.mp4", "cut short"),
        ("photo-12B.jpg", "cut short"),
        ("photo-0B.jpg", "is empty"),
        ("no-ranges/photo-0B.jpg", "is empty"),
        ("no-length/photo.jpg", "does not say how large"),
        ("missing/photo.jpg", "answered 404; anyone must be able"),
        ("moved-forever/photo.jpg", "more than 3 redirects"),
        ("moved-inside/photo.jpg", "not on the public internet"),
        ("moved-to-http/photo.jpg", "must be an https address"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_the_reason(call: Call, path: str, said: str) -> None:
    with pytest.raises(InvalidRequest, match=f"^media_url: .*{said}"):
        opened(call, path)


@pytest.mark.parametrize("path", ["busy/photo.jpg", "breaking-off/photo.jpg", "no-ranges/breaking-off/clip-3MB.mp4"])
def test_a_server_that_does_not_answer_may_do_so_later(call: Call, path: str) -> None:
    with pytest.raises(Unavailable, match=r"^media_url: its server"):
        list(opened(call, path).pieces())


@pytest.mark.parametrize("path", ["changing/clip-3MB.mp4", "no-ranges/changing/clip-3MB.mp4"])
def test_a_file_that_changes_while_it_is_read_is_never_mixed(call: Call, path: str) -> None:
    media = opened(call, path)
    with pytest.raises(InvalidRequest, match="changed while it was read"):
        # Twice: without ranges, the first reading is the answer that was measured.
        b"".join(piece for _ in range(2) for _, piece in media.pieces())


def test_the_lease_is_kept_while_a_file_is_read(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[bool] = []
    monkeypatch.setattr(call.ledger, "keep_lease", lambda: kept.append(True))
    media = opened(call, "clip-5MB.mp4")

    for how in (lambda: list(media.pieces()), lambda: list(media.body()), lambda: media.read_all(5 * MB)):
        kept.clear()
        how()
        assert kept


def test_no_address_is_in_a_repr_or_an_error(call: Call) -> None:
    assert "secret" not in repr(opened(call, "photo.jpg?signature=secret"))
    for path in ("missing/photo.jpg?signature=secret", "busy/photo.jpg?signature=secret"):
        with pytest.raises((InvalidRequest, Unavailable)) as caught:
            opened(call, path)
        assert "secret" not in f"{caught.value!r}"
