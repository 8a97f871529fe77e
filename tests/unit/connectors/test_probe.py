"""Is a file measured right, and can a hostile one do more than be refused?"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.kit.probe import UNKNOWN, Broken, Probed, probe, sniff

PNG = b"\x89PNG\r\n\x1a\n"
APP0 = b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
LONG_SEGMENT = b"\xff\xe2\xff\xff" + b"\x00" * 65_533


def measured(content: bytes) -> Probed:
    return probe(lambda offset, count: content[offset : offset + count], len(content))


def box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def frame(width: int, height: int, marker: int = 0xC0) -> bytes:
    return struct.pack(">BBHBHH", 0xFF, marker, 17, 8, height, width) + b"\x03" + b"\x01\x11\x00" * 3


def exif(orientation: int, order: str = ">") -> bytes:
    entries = struct.pack(f"{order}HHII", 0x010F, 2, 4, 0) + struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0)
    mark = b"MM\x00\x2a" if order == ">" else b"II\x2a\x00"
    tiff = mark + struct.pack(f"{order}I", 8) + struct.pack(f"{order}H", 2) + entries
    body = b"Exif\x00\x00" + tiff
    return b"\xff\xe1" + struct.pack(">H", 2 + len(body)) + body


def jpeg(*segments: bytes) -> bytes:
    return b"\xff\xd8" + b"".join(segments) + b"\xff\xda\x00\x0c" + b"\x00" * 40 + b"\xff\xd9"


def png(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return PNG + struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))


def track(width: int, height: int, *, handler: bytes = b"vide", turned: bool = False, version: int = 0) -> bytes:
    upright, across = (0, 1 << 16) if turned else (1 << 16, 0)
    matrix = struct.pack(">9i", upright, across, 0, -across, upright, 0, 0, 0, 1 << 30)
    head = bytes([version]) + b"\x00" * (51 if version else 39)
    tkhd = box(b"tkhd", head + matrix + struct.pack(">II", width << 16, height << 16))
    return box(b"trak", tkhd + box(b"mdia", box(b"hdlr", b"\x00" * 8 + handler + b"\x00" * 13)))


def mvhd(seconds: float, *, per_s: int = 600, version: int = 0) -> bytes:
    if version:
        return box(b"mvhd", b"\x01" + b"\x00" * 19 + struct.pack(">IQ", per_s, round(seconds * per_s)) + b"\x00" * 80)
    return box(b"mvhd", b"\x00" * 12 + struct.pack(">II", per_s, round(seconds * per_s)) + b"\x00" * 80)


def mp4(*moov: bytes, brand: bytes = b"isom", before: bytes = b"", after: bytes = b"") -> bytes:
    return box(b"ftyp", brand + b"\x00" * 4) + before + box(b"moov", b"".join(moov)) + after


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (jpeg(APP0, frame(640, 480)), Probed("image/jpeg", 640, 480)),
        (jpeg(frame(640, 480, 0xC2)), Probed("image/jpeg", 640, 480)),
        (jpeg(APP0, b"\xff\xc4\x00\x04ab", frame(7, 9)), Probed("image/jpeg", 7, 9)),
        (jpeg(b"\xff\xff\xff", frame(7, 9)), Probed("image/jpeg", 7, 9)),
        (
            jpeg(*[b"\xff\xe2" + struct.pack(">H", 65_535) + b"\x00" * 65_533] * 20, frame(7, 9)),
            Probed("image/jpeg", 7, 9),
        ),
        (jpeg(exif(1), frame(640, 480)), Probed("image/jpeg", 640, 480)),
        (jpeg(exif(6), frame(640, 480)), Probed("image/jpeg", 480, 640)),
        (jpeg(exif(8, "<"), frame(640, 480)), Probed("image/jpeg", 480, 640)),
        (png(800, 600), Probed("image/png", 800, 600)),
        (b"GIF89a" + struct.pack("<HH", 320, 200), Probed("image/gif", 320, 200)),
        (
            b"RIFF\x00\x00\x00\x00WEBPVP8X" + b"\x0a\x00\x00\x00" + b"\x00" * 4 + b"\x7f\x02\x00" + b"\xdf\x01\x00",
            Probed("image/webp", 640, 480),
        ),
        (
            b"RIFF\x00\x00\x00\x00WEBPVP8L\x08\x00\x00\x00\x2f" + (639 | 479 << 14).to_bytes(4, "little"),
            Probed("image/webp", 640, 480),
        ),
        (
            b"RIFF\x00\x00\x00\x00WEBPVP8 \x0a\x00\x00\x00\x00\x00\x00\x9d\x01\x2a" + struct.pack("<HH", 640, 480),
            Probed("image/webp", 640, 480),
        ),
        (mp4(mvhd(12.5), track(1080, 1920)), Probed("video/mp4", 1080, 1920, 12.5)),
        (mp4(mvhd(12.5, version=1), track(64, 36, version=1)), Probed("video/mp4", 64, 36, 12.5)),
        (mp4(mvhd(1), track(1920, 1080, turned=True)), Probed("video/mp4", 1080, 1920, 1.0)),
        (mp4(mvhd(1), track(0, 0, handler=b"soun"), track(64, 36)), Probed("video/mp4", 64, 36, 1.0)),
        (mp4(mvhd(2), track(64, 36), brand=b"qt  "), Probed("video/quicktime", 64, 36, 2.0)),
        (mp4(mvhd(2), track(64, 36), before=box(b"mdat", b"x" * 90_000)), Probed("video/mp4", 64, 36, 2.0)),
        (mp4(mvhd(2), track(64, 36), after=box(b"mdat", b"x" * 90_000)), Probed("video/mp4", 64, 36, 2.0)),
        (mp4(mvhd(2), track(64, 36), after=b"\x00\x00\x00\x00mdat" + b"x" * 99), Probed("video/mp4", 64, 36, 2.0)),
        (mp4(mvhd(2), track(64, 36), after=b"\x00" * 20), Probed("video/mp4", 64, 36, 2.0)),
        (mp4(mvhd(0), track(64, 36)), Probed("video/mp4", 64, 36, None)),
        (mp4(mvhd(0), track(64, 36), after=box(b"moof", b"x" * 99) * 5000), Probed("video/mp4", 64, 36, None)),
        (
            mp4(mvhd(0), box(b"mvex", box(b"mehd", b"\x00" * 4 + struct.pack(">I", 900))), track(64, 36)),
            Probed("video/mp4", 64, 36, 1.5),
        ),
        (box(b"wide") + box(b"moov", mvhd(2) + track(64, 36)), Probed("video/quicktime", 64, 36, 2.0)),
    ],
)
def test_a_file_is_measured_as_it_is_shown(content: bytes, expected: Probed) -> None:
    assert measured(content) == expected


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", UNKNOWN),
        (b"<!doctype html>", UNKNOWN),
        (b"%PDF-1.7", "application/pdf"),
        (b"\x1aE\xdf\xa3\x42\x82\x84webm", "video/webm"),
        (b"\x1aE\xdf\xa3\x42\x82\x88matroska", "video/x-matroska"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "video/x-msvideo"),
        (b"RIFF\x00\x00\x00\x00????", UNKNOWN),
        (b"\x00\x00\x00\x18ftypheic", "image/heic"),
        (b"\x00\x00\x00\x18ftypavif", "image/avif"),
        (b"\x00\x00\x00\x18ftypM4A ", "audio/mp4"),
        (b"\x00\x00\x00\x18ftypmp42", "video/mp4"),
        (b"PK\x03\x04", "application/zip"),
    ],
)
def test_a_kind_is_told_by_the_first_bytes(head: bytes, kind: str) -> None:
    assert sniff(head) == kind


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (PNG, "cut short"),
        (PNG + b"\x00" * 40, "does not begin with IHDR"),
        (png(0, 5), "it has no size"),
        (b"GIF89a\x01", "cut short"),
        (b"RIFF\x00\x00\x00\x00WEBPJUNK" + b"\x00" * 40, "holds no picture"),
        (b"\xff\xd8\xff", "cut short"),
        (b"\xff\xd8\xff\xda\x00\x04", "no frame"),
        (jpeg(APP0), "no frame"),
        (jpeg(b"\xff\xe0\x00\x01"), "no frame"),
        (jpeg(frame(0, 0)), "it has no size"),
        (b"\xff\xd8" + b"\xff\xe0\x00\x02" * 100_000, "no frame"),
        (b"\xff\xd8" + b"\xff\xd0" * 100_000, "no frame"),
        (b"\xff\xd8" + b"\xff" * 100_000, "no frame"),
        (b"\xff\xd8" + LONG_SEGMENT * 80, "too many places"),
        (box(b"ftyp", b"isom\x00\x00\x00\x00"), "no header"),
        (mp4(mvhd(1)), "holds no picture"),
        (mp4(mvhd(1), track(0, 0)), "holds no picture"),
        (mp4(mvhd(1), track(64, 36, handler=b"soun")), "holds no picture"),
        (mp4(mvhd(1), track(64, 36))[:-9], "cut short"),
        (mp4(mvhd(1), track(64, 36), after=struct.pack(">I", 999) + b"mdat" + b"x" * 9), "cut short"),
        (mp4(mvhd(1), track(64, 36), before=struct.pack(">I", 7) + b"mdat" + b"x" * 99), "smaller than its own header"),
        (mp4(mvhd(1), track(64, 36), before=b"\x00\x00\x00\x01mdat" + b"\x00" * 8), "smaller than its own header"),
        (mp4(mvhd(1), track(64, 36), before=b"\x00\x00\x00\x01mdat" + b"\xff" * 8), "cut short"),
        (box(b"ftyp", b"isom") + box(b"free") * 1000 + box(b"moov", mvhd(1) + track(64, 36)), "no header"),
        (box(b"ftyp", b"isom") + b"".join(box(b"free", b"x" * 70_000) for _ in range(90)), "no header"),
    ],
)
def test_a_broken_file_is_refused_with_the_reason(content: bytes, said: str) -> None:
    with pytest.raises(Broken, match=said):
        measured(content)


class Counting:
    """A file that says how much of it was looked at."""

    def __init__(self, content: bytes) -> None:
        self.content, self.reads, self.most = content, 0, 0

    def __call__(self, offset: int, count: int) -> bytes:
        assert 0 <= offset <= len(self.content)
        self.reads += 1
        self.most = max(self.most, count)
        return self.content[offset : offset + count]


_SEEDS = [
    jpeg(APP0, exif(6), frame(640, 480)),
    png(8, 6),
    b"GIF89a" + struct.pack("<HH", 320, 200),
    mp4(mvhd(2), track(64, 36), box(b"mvex", box(b"mehd", b"\x00" * 8)), after=box(b"mdat", b"x" * 99)),
    b"RIFF\x00\x00\x00\x00WEBPVP8X" + b"\x0a\x00\x00\x00" + b"\x00" * 10,
    b"\x00\x00\x00\x01moov" + b"\xff" * 60,
]


@st.composite
def _damaged(draw: Callable[[st.SearchStrategy[object]], object]) -> bytes:
    content = bytearray(draw(st.sampled_from(_SEEDS)))  # type: ignore[call-overload]
    for place, value in draw(st.lists(st.tuples(st.integers(2, 300), st.integers(0, 255)), max_size=8)):  # type: ignore[attr-defined]
        if place < len(content):
            content[place] = value
    end = draw(st.integers(0, len(content)))
    return bytes(content[:end]) + draw(st.binary(max_size=64))  # type: ignore[operator]


@given(_damaged() | st.binary(max_size=200))
@example(b"\x00\x00\x00\x08moov" * 40)
@example(b"".join(box(b"trak", box(b"tkhd")) for _ in range(300)))
def test_whatever_a_file_holds_it_is_measured_or_refused_after_a_few_looks(content: bytes) -> None:
    read = Counting(content)
    try:
        found = probe(read, len(content))
    except Broken as broken:
        said = str(broken)
    else:
        said = "the file is measured"
        assert found.width is None or 0 < found.width < 2**32
        assert found.duration_s is None or found.duration_s > 0
    assert said.startswith("the file")
    assert read.reads <= 49
    assert read.most <= 2**16
