"""What is a file really, and how large is its picture? Told by its own first bytes, whatever its name or server says.

Everything here may come from an enemy: no length in a file is believed, nothing is decoded, and a file that makes us
look about too much is given up.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.kit import boxes, pictures
from connectors.kit.window import Broken, Read, Window

__all__ = ["Broken", "Probed", "Read", "probe"]

UNKNOWN = "application/octet-stream"

_MOV_BOXES = frozenset({b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"})
# Brands that are pictures or sound in the boxes of MP4.
_BRANDS = {
    b"qt  ": "video/quicktime",
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"hevc": "image/heic",
    b"mif1": "image/heif",
    b"msf1": "image/heif",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
}
_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"FLV\x01", "video/x-flv"),
    (b"\x00\x00\x01\xba", "video/mpeg"),
    (b"\x00\x00\x01\xb3", "video/mpeg"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-wmv"),
    (b"PK\x03\x04", "application/zip"),
)
_RIFF = {b"WEBP": "image/webp", b"AVI ": "video/x-msvideo", b"WAVE": "audio/wav"}
_PICTURES = {
    "image/jpeg": pictures.jpeg,
    "image/png": pictures.png,
    "image/gif": pictures.gif,
    "image/webp": pictures.webp,
}


@dataclass(frozen=True)
class Probed:
    """What a file is.

    Attributes:
        media_type: By its first bytes.
        width: Pixels, as shown; None where it is not told. Likewise ``height``.
        duration_s: Seconds; None where it is not told.
    """

    media_type: str
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None


def probe(read: Read, size: int) -> Probed:
    """Look at a file.

    Args:
        read: Reads of it.
        size: Bytes it has.

    Raises:
        Broken: It begins like a kind of file that is known, and is none.
    """
    window = Window(read, size)
    kind = sniff(window.most(0, 64))
    if kind in _PICTURES:
        width, height = _PICTURES[kind](window)
        if not width or not height:
            raise Broken(f"the file is a broken {kind}: it has no size")
        return Probed(kind, width, height)
    if kind in ("video/mp4", "video/quicktime"):
        found = boxes.movie(window)
        return Probed(kind, found.width, found.height, found.duration_s)
    return Probed(kind)


def sniff(head: bytes) -> str:
    """The media type of a file with this beginning (64 bytes are enough); ``UNKNOWN`` if it is none known here."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], UNKNOWN)
    if head[:4] == b"\x1aE\xdf\xa3":
        return "video/webm" if b"webm" in head else "video/x-matroska"
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    return "video/quicktime" if head[4:8] in _MOV_BOXES else UNKNOWN
