"""A TCP proxy that loses answers: what was asked is done at the other end, and who asked never hears of it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_SIZE = 65_536


class Proxy:
    """Forwards to a port of this machine until it is told to lose an answer.

    Attributes:
        lost: How many answers it has lost.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lose: Callable[[bytes], bool] | None = None
        self._open: set[socket.socket] = set()
        self.lost = 0
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def lose_answer(self, to: bytes) -> None:
        """Forward the next chunk that holds these bytes, wait for its answer, and cut instead of passing it on."""
        self._lose = lambda chunk: to in chunk

    def close(self) -> None:
        """Stop, and cut whoever is connected."""
        self._listener.close()
        for one in list(self._open):
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._open |= {client, server}
                cut = threading.Event()
                threading.Thread(target=self._up, args=(client, server, cut), daemon=True).start()
                threading.Thread(target=self._down, args=(client, server, cut), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket, cut: threading.Event) -> None:
        with suppress(OSError):
            while chunk := client.recv(_SIZE):
                if self._lose is not None and self._lose(chunk):
                    self._lose = None
                    cut.set()
                server.sendall(chunk)
        with suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    def _down(self, client: socket.socket, server: socket.socket, cut: threading.Event) -> None:
        with suppress(OSError):
            while chunk := server.recv(_SIZE):
                if cut.is_set():
                    self.lost += 1
                    break
                client.sendall(chunk)
        for one in (client, server):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@contextmanager
def proxy(target: int) -> Iterator[Proxy]:
    """A proxy to a port of this machine."""
    made = Proxy(target)
    try:
        yield made
    finally:
        made.close()
