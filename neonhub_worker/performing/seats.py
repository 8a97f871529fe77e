"""How many runs may one process hold at once? So many as it has seats; who finds none free waits before it claims."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Seats:
    """A number of seats that threads take several of at a time.

    Args:
        count: How many there are; nobody may ask for more.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._changed = threading.Condition()

    @contextmanager
    def taken(self, count: int) -> Iterator[None]:
        """Wait for so many seats and hold them."""
        with self._changed:
            self._changed.wait_for(lambda: self._free >= count)
            self._free -= count
        try:
            yield
        finally:
            with self._changed:
                self._free += count
                self._changed.notify_all()
