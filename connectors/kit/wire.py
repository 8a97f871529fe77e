"""Has anything left this side yet? Sockets that ask before they write, and remember that they did.

Opening a connection takes time (names, TCP, TLS), and a process may freeze meanwhile: a check made before it proves
nothing about the moment of the write. These connections ask the guard of the request in hand right before each write,
and note the first one, so a failure can be told apart by fact: before it nothing was sent, after it perhaps.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class Wire:
    """What happened to one request on its way out.

    Args:
        before_write: Called right before each socket write; raises to forbid it.
        after_write: Called right after each.
        write_s: Seconds that one write may take; those of the connecting if left out.

    Attributes:
        written: Whether any of it may have left this side; None if it did not travel over these connections.
    """

    def __init__(
        self,
        before_write: Callable[[], None] | None = None,
        after_write: Callable[[], None] | None = None,
        *,
        write_s: float | None = None,
    ) -> None:
        self.before_write = before_write
        self.after_write = after_write
        self.write_s = write_s
        self.written: bool | None = None


_current: ContextVar[Wire | None] = ContextVar("wire", default=None)


@contextmanager
def watching(wire: Wire) -> Iterator[None]:
    """Requests made inside, in this thread, are watched by ``wire``."""
    token = _current.set(wire)
    try:
        yield
    finally:
        _current.reset(token)


def _about_to_write(sock: socket.socket | None) -> None:
    wire = _current.get()
    if wire is not None:
        if sock is not None and wire.write_s is not None:
            # urllib3 lets a write take as long as the connecting; before the answer it sets the timeout anew.
            sock.settimeout(wire.write_s)
        if wire.before_write is not None:
            wire.before_write()
        wire.written = True


def _has_written() -> None:
    wire = _current.get()
    if wire is not None and wire.after_write is not None:
        wire.after_write()


def _about_to_connect() -> None:
    wire = _current.get()
    if wire is not None and wire.written is None:
        wire.written = False


class _Connection(HTTPConnection):
    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _about_to_write(self.sock)
        super().send(data)
        _has_written()


class _TlsConnection(HTTPSConnection):
    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        _about_to_write(self.sock)
        super().send(data)
        _has_written()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection

    def urlopen(self, *args: Any, **kwargs: Any) -> Any:
        _about_to_connect()
        return super().urlopen(*args, **kwargs)


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection

    def urlopen(self, *args: Any, **kwargs: Any) -> Any:
        _about_to_connect()
        return super().urlopen(*args, **kwargs)


class WatchedAdapter(HTTPAdapter):
    """Sends over watched connections, and never repeats a request by itself."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pool manager as requests does, with watched connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
