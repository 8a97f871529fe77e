"""How do signals reach a waiting loop? Each one ends the wait; a request to stop is remembered."""

from __future__ import annotations

import contextlib
import os
import select
import signal
from types import FrameType

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Stopped(Exception):
    """Someone asked this process to stop."""


class Wakeups:
    """The signals of this process, from its creation on.

    Attributes:
        stop: Whether a stop was asked for.
    """

    def __init__(self) -> None:
        self.stop = False
        self._receive, self._send = os.pipe()
        for end in (self._receive, self._send):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._send, warn_on_full_buffer=False)
        for number in _STOP_SIGNALS:
            signal.signal(number, self._ask_to_stop)
        signal.signal(signal.SIGCHLD, self._wake)

    def _ask_to_stop(self, _: int, __: FrameType | None) -> None:
        self.stop = True

    def _wake(self, _: int, __: FrameType | None) -> None:
        """The byte that Python writes to the pipe is all that is needed."""

    def wait(self, timeout_s: float) -> None:
        """Wait for the next signal, at most this long."""
        select.select([self._receive], [], [], timeout_s)
        with contextlib.suppress(BlockingIOError):
            os.read(self._receive, 4096)
