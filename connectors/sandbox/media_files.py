"""What does a made-up file hold? Headers as its name says, then filler: the same name is always the same file.

``photo-1080x1350.jpg``, ``clip-1080x1920-30s-64MB.mp4``, ``brochure-2MB.pdf``: width and height, seconds, size (B, KB,
MB, GB), each of which may be left out.
"""

from __future__ import annotations

import hashlib
import random
import re
import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache

_PARTS = re.compile(r"(?:-(\d{1,5})x(\d{1,5}))?(?:-(\d{1,6}(?:\.\d{1,3})?)s)?(?:-(\d{1,12})(B|KB|MB|GB))?$")
_UNITS = {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30}
_MOST_BYTES = 2**40
# A prime number of bytes, so that no two pieces of an upload look alike.
_PATTERN_BYTES = 1_048_573

TYPES = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "pdf": "application/pdf",
    "txt": "text/plain",
}


@dataclass(frozen=True)
class MadeFile:
    """A file that is nowhere stored.

    Attributes:
        size: Bytes.
        media_type: What its server says that it is.
        head: How it begins.
        tail: How it ends; filler lies between.
        seed: Decides the filler.
    """

    size: int
    media_type: str
    head: bytes
    tail: bytes
    seed: str

    @property
    def etag(self) -> str:
        """Another one for each other file."""
        return f'"{hashlib.sha256(f"{self.seed} {self.size}".encode()).hexdigest()[:16]}"'

    def read(self, offset: int, count: int) -> bytes:
        """The bytes from an offset on; fewer where it ends."""
        end = min(offset + count, self.size)
        tail_at = max(len(self.head), self.size - len(self.tail))
        begin = self.head[offset:end]
        rest = _filler(self.seed, max(offset, len(self.head)), min(end, tail_at))
        return (begin + rest + self.tail[max(0, offset - tail_at) : max(0, end - tail_at)])[: max(0, end - offset)]


def make(name: str, *, moov_last: bool = False, cut_short: bool = False, seed: str = "") -> MadeFile | None:
    """The file of a name; None if its ending is none of ``TYPES``.

    Args:
        name: Without folder.
        moov_last: Whether a video has its header at the end.
        cut_short: Whether half of it is missing.
        seed: Makes other filler of the same name.
    """
    stem, _, ending = name.rpartition(".")
    kind = TYPES.get(ending.lower())
    found = _PARTS.search(stem)
    if kind is None or found is None:
        return None
    wide, high = (min(int(one or 1080), 2**16 - 1) for one in found.group(1, 2))
    size = min(int(found[4]) * _UNITS[found[5]] if found[4] else _usual_size(kind), _MOST_BYTES)
    head, tail = _ends(kind, size, wide, high, float(found[3] or 10), moov_last)
    size = max(size, len(head) + len(tail)) if found[4] is None else size
    return MadeFile(size // 2 if cut_short else size, kind, head, b"" if cut_short else tail, f"{name} {seed}")


def _usual_size(kind: str) -> int:
    return 2**20 if kind.startswith("video/") else 100 * 2**10


def _ends(kind: str, size: int, wide: int, high: int, seconds: float, moov_last: bool) -> tuple[bytes, bytes]:
    if kind in ("video/mp4", "video/quicktime"):
        return _movie(kind, size, wide, high, seconds, moov_last)
    if kind == "image/png":
        header = struct.pack(">IIBBBBB", wide, high, 8, 2, 0, 0, 0)
        end = _chunk(b"IEND", b"")
        head = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header)
        # The filler's checksum is left out: nobody decodes it.
        return head + struct.pack(">I", max(0, size - len(head) - 12 - len(end)) % 2**32) + b"IDAT", b"\x00" * 4 + end
    return {
        "image/jpeg": (_JPEG % struct.pack(">HH", high, wide), b"\xff\xd9"),
        "image/gif": (b"GIF89a" + struct.pack("<HH", wide, high) + b"\x00\x00\x00", b";"),
        "image/webp": (_webp(size, wide, high), b""),
        "video/webm": (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm", b""),
        "application/pdf": (b"%PDF-1.7\n", b"\n%%EOF\n"),
    }.get(kind, (b"", b""))


_JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    b"\xff\xc0\x00\x11\x08%b\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01\xff\xda\x00\x0c\x03\x01\x00\x02\x11\x03\x11\x00?\x00"
)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _webp(size: int, wide: int, high: int) -> bytes:
    form = b"VP8X" + struct.pack("<II", 10, 0) + (wide - 1).to_bytes(3, "little") + (high - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", max(0, size - 8) % 2**32) + b"WEBP" + form


def _movie(kind: str, size: int, wide: int, high: int, seconds: float, moov_last: bool) -> tuple[bytes, bytes]:
    brand = b"qt  " if kind == "video/quicktime" else b"isom"
    head = _box(b"ftyp", brand + struct.pack(">I", 512) + brand)
    moov = _moov(wide, high, seconds)
    rest = size - len(head) - len(moov)
    # A box of 64-bit length, whatever it holds.
    mdat = struct.pack(">I", 1) + b"mdat" + struct.pack(">Q", max(rest, 16))
    return (head + mdat, moov) if moov_last else (head + moov + mdat, b"")


def _moov(wide: int, high: int, seconds: float) -> bytes:
    matrix = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    length = round(seconds * 1000)
    mvhd = struct.pack(">IIIII", 0, 0, 0, 1000, length) + struct.pack(">IHH8x", 1 << 16, 1 << 8, 0) + matrix
    tkhd = struct.pack(">IIIIII8xhhHH", 3, 0, 0, 1, 0, length, 0, 0, 0, 0) + matrix
    tables = b"".join(_box(name, struct.pack(">II", 0, 0)) for name in (b"stsd", b"stts", b"stsc", b"stco"))
    minf = _box(b"vmhd", struct.pack(">IQ", 1, 0)) + _box(b"stbl", tables + _box(b"stsz", struct.pack(">III", 0, 0, 0)))
    mdia = (
        _box(b"mdhd", struct.pack(">IIIIIHH", 0, 0, 0, 1000, length, 0x55C4, 0))
        + _box(b"hdlr", struct.pack(">II4s12x", 0, 0, b"vide") + b"\x00")
        + _box(b"minf", minf)
    )
    trak = _box(b"tkhd", tkhd + struct.pack(">II", wide << 16, high << 16)) + _box(b"mdia", mdia)
    return _box(b"moov", _box(b"mvhd", mvhd + struct.pack(">24xI", 2)) + _box(b"trak", trak))


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


@lru_cache(maxsize=8)
def _pattern(seed: str) -> bytes:
    # The same bytes for the same name, in every process.
    return random.Random(seed).randbytes(_PATTERN_BYTES)  # noqa: S311


def _filler(seed: str, begin: int, end: int) -> bytes:
    if end <= begin:
        return b""
    pattern, first = _pattern(seed), begin % _PATTERN_BYTES
    times = (first + end - begin) // _PATTERN_BYTES + 1
    return (pattern * times)[first : first + end - begin] if times > 1 else pattern[first : first + end - begin]
