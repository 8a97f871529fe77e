"""How large is a picture? Read from the headers of JPEG, PNG, GIF and WebP; nothing is decoded."""

from __future__ import annotations

from connectors.kit.window import Broken, Window

Measure = tuple[int, int]
"""Width and height in pixels, as shown."""

_MOST_SEGMENTS = 256
_MOST_TAGS = 512
# Start of frame, in all its kinds; C4, C8 and CC among them are tables.
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
_ORIENTATION = 0x0112
_TURNED = frozenset({5, 6, 7, 8})


def png(window: Window) -> Measure:
    """The measure of a PNG (ISO/IEC 15948, IHDR).

    Raises:
        Broken: It has none.
    """
    if window.all(12, 4) != b"IHDR":
        raise Broken("the file is a broken image/png: it does not begin with IHDR")
    return window.number(16, 4), window.number(20, 4)


def gif(window: Window) -> Measure:
    """The measure of a GIF's screen.

    Raises:
        Broken: It has none.
    """
    width, height = window.all(6, 2), window.all(8, 2)
    return int.from_bytes(width, "little"), int.from_bytes(height, "little")


def webp(window: Window) -> Measure:
    """The measure of a WebP (RFC 9649), in any of its three forms.

    Raises:
        Broken: It has none.
    """
    form = window.all(12, 4)
    if form == b"VP8X":
        wide, high = window.all(24, 3), window.all(27, 3)
        return 1 + int.from_bytes(wide, "little"), 1 + int.from_bytes(high, "little")
    if form == b"VP8L" and window.all(20, 1) == b"\x2f":
        bits = int.from_bytes(window.all(21, 4), "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if form == b"VP8 " and window.all(23, 3) == b"\x9d\x01\x2a":
        size = int.from_bytes(window.all(26, 4), "little")
        return size & 0x3FFF, size >> 16 & 0x3FFF
    raise Broken("the file is a broken image/webp: it holds no picture")


def jpeg(window: Window) -> Measure:
    """The measure of a JPEG (ITU T.81), turned as its Exif data says.

    Raises:
        Broken: It has none.
    """
    offset, turned = 2, False
    for _ in range(_MOST_SEGMENTS):
        if window.number(offset, 1) != 0xFF:
            break
        marker = window.number(offset + 1, 1)
        if marker == 0xFF or marker in _WITHOUT_LENGTH:
            offset += 1 if marker == 0xFF else 2
            continue
        length = window.number(offset + 2, 2)
        if length < 2 or marker in (0xD9, 0xDA):
            break
        if marker in _FRAMES:
            height, width = window.number(offset + 5, 2), window.number(offset + 7, 2)
            return (height, width) if turned else (width, height)
        if marker == 0xE1 and not turned:
            turned = _is_turned(window.most(offset + 4, length - 2))
        offset += 2 + length
    raise Broken("the file is a broken image/jpeg: it has no frame")


def _is_turned(segment: bytes) -> bool:
    """Whether Exif says that the picture is shown on its side; what cannot be read says nothing."""
    if segment[:6] != b"Exif\x00\x00" or segment[6:8] not in (b"II", b"MM"):
        return False
    order = "little" if segment[6:8] == b"II" else "big"
    tiff = segment[6:]

    def number(offset: int, count: int) -> int:
        return int.from_bytes(tiff[offset : offset + count], order)  # type: ignore[arg-type]

    directory = number(4, 4)
    for place in range(min(number(directory, 2), _MOST_TAGS)):
        entry = directory + 2 + 12 * place
        if number(entry, 2) == _ORIENTATION:
            return number(entry + 8, 2) in _TURNED
    return False
