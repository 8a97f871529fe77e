"""How is a file looked into without reading it? Through a window of some kilobytes, moved a few times at most."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Read: TypeAlias = Callable[[int, int], bytes]
"""Reads so many bytes from an offset on; fewer where the file ends."""

_WIDTH = 2**16
_MOST_MOVES = 48


class Broken(Exception):
    """A file is not what it claims to be; the text completes "media_url: ..."."""


class Window:
    """A file, seen through a window.

    Args:
        read: Reads of it.
        size: Bytes it has.
    """

    def __init__(self, read: Read, size: int) -> None:
        self._read = read
        self.size = size
        self._begin, self._seen = 0, b""
        self._moves = 0

    def most(self, offset: int, count: int) -> bytes:
        """The bytes from an offset on, fewer where the file ends; ``count`` is at most the window's width.

        Raises:
            Broken: The file leads about too much.
        """
        count = min(count, _WIDTH, self.size - offset)
        if count <= 0:
            return b""
        if offset < self._begin or offset + count > self._begin + len(self._seen):
            self._moves += 1
            if self._moves > _MOST_MOVES:
                raise Broken("the file's header is spread over too many places")
            self._begin, self._seen = offset, self._read(offset, _WIDTH)
        return self._seen[offset - self._begin : offset - self._begin + count]

    def all(self, offset: int, count: int) -> bytes:
        """Exactly these bytes.

        Raises:
            Broken: The file ends before.
        """
        found = self.most(offset, count) if offset >= 0 else b""
        if len(found) < count:
            raise Broken("the file is cut short: it ends inside its own header")
        return found

    def number(self, offset: int, count: int) -> int:
        """An unsigned number of so many bytes, the highest first.

        Raises:
            Broken: The file ends before.
        """
        return int.from_bytes(self.all(offset, count))
