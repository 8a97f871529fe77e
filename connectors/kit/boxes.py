"""How long is a video, and how large its picture? Read from the boxes of MP4 and QuickTime (ISO/IEC 14496-12)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connectors.kit.window import Broken, Window

# A file in fragments has thousands of boxes; its header comes before them.
_MOST_BEFORE, _MOST_AFTER, _MOST_INSIDE, _MOST_TRACKS = 32, 8, 256, 16
_UNKNOWN = frozenset({0, 2**32 - 1, 2**64 - 1})


@dataclass(frozen=True)
class Movie:
    """What the header of a video says."""

    width: int
    height: int
    duration_s: float | None
    """None where only all fragments together would tell."""


@dataclass(frozen=True)
class _Box:
    kind: bytes
    begin: int
    """Where its content begins."""
    end: int


def movie(window: Window) -> Movie:
    """Measure a video; its header may stand at either end.

    Raises:
        Broken: It has no header or no picture, or ends before its boxes do.
    """
    parts = [*_boxes(window, *_header(window), most=_MOST_INSIDE)]
    tracks = [box for box in parts if box.kind == b"trak"][:_MOST_TRACKS]
    found = next((size for track in tracks if (size := _picture(window, track)) is not None), None)
    if found is None:
        raise Broken("the file is a broken video: it holds no picture")
    return Movie(*found, _duration_s(window, parts))


def _header(window: Window) -> tuple[int, int]:
    """Where the content of ``moov`` begins and ends.

    Raises:
        Broken: There is none, or the file ends before its boxes do.
    """
    found: tuple[int, int] | None = None
    after = 0
    for box in _boxes(window, 0, window.size, most=_MOST_BEFORE + _MOST_AFTER):
        after += found is not None
        if box.kind == b"moov" and found is None:
            found = box.begin, box.end
        if after == _MOST_AFTER:
            break
    if found is None:
        raise Broken("the file is a broken video: it has no header (moov)")
    return found


def _boxes(window: Window, begin: int, end: int, *, most: int) -> Iterator[_Box]:
    """The first boxes between two offsets.

    Raises:
        Broken: One does not fit.
    """
    for _ in range(most):
        if end - begin < 8:
            return
        size, kind, head = window.number(begin, 4), window.all(begin + 4, 4), 8
        if not kind.isascii() or kind == b"\0\0\0\0":
            # What some programs leave behind the last box.
            return
        if size == 1:
            size, head = window.number(begin + 8, 8), 16
        elif size == 0:
            size = end - begin
        if size < head:
            raise Broken("the file is a broken video: a box is smaller than its own header")
        if begin + size > end:
            raise Broken("the file is cut short: it ends before its video does")
        yield _Box(kind, begin + head, begin + size)
        begin += size


def _inside(window: Window, box: _Box, kind: bytes) -> _Box | None:
    return next((one for one in _boxes(window, box.begin, box.end, most=_MOST_INSIDE) if one.kind == kind), None)


def _duration_s(window: Window, parts: Sequence[_Box]) -> float | None:
    """Of the movie header, or that of its fragments, which counts in the same units."""
    header = next((box for box in parts if box.kind == b"mvhd"), None)
    if header is None:
        return None
    is_long = window.number(header.begin, 1) == 1
    per_s = window.number(header.begin + (20 if is_long else 12), 4)
    length = window.number(header.begin + (24 if is_long else 16), 8 if is_long else 4)
    extends = next((box for box in parts if box.kind == b"mvex"), None)
    fragments = None if extends is None else _inside(window, extends, b"mehd")
    if fragments is not None:
        length = window.number(fragments.begin + 4, 8 if window.number(fragments.begin, 1) == 1 else 4)
    return None if per_s == 0 or length in _UNKNOWN else length / per_s


def _picture(window: Window, track: _Box) -> tuple[int, int] | None:
    """Width and height of a track as shown, turned by its matrix; None if it holds no picture."""
    header, media = _inside(window, track, b"tkhd"), _inside(window, track, b"mdia")
    handler = None if media is None else _inside(window, media, b"hdlr")
    if header is None or handler is None or window.all(handler.begin + 8, 4) != b"vide":
        return None
    matrix = header.begin + (52 if window.number(header.begin, 1) == 1 else 40)
    # 16.16 fixed point.
    width, height = window.number(matrix + 36, 4) >> 16, window.number(matrix + 40, 4) >> 16
    if not width or not height:
        return None
    upright, across = window.number(matrix, 4), window.number(matrix + 4, 4)
    return (height, width) if across and not upright else (width, height)
