"""How does the app run as a process? One socket, one event loop, a clean end on SIGTERM."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from neonhub_worker.errors import SettingsError
from neonhub_worker.webhooks import app

_CONNECTIONS = 256
_IDLE_S, _GRACE_S = 5, 10

QUIET_S = 10.0
"""Seconds after which a connection is closed on which no request has begun, or only part of its headers has come."""


class _Protocol(H11Protocol):
    """Closes connections on which nobody asks anything: uvicorn itself waits for the first headers for ever."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn says it
        super().connection_made(transport)
        self.loop.call_later(QUIET_S, self._close_quiet)

    def _close_quiet(self) -> None:
        cycle: Any = self.cycle
        if self.transport.is_closing():
            return
        if cycle is None or cycle.response_complete:
            self.transport.close()
        else:
            self.loop.call_later(QUIET_S, self._close_quiet)


def serve(*, host: str, port: int, public_url: str | None) -> None:
    """Serve until SIGTERM or SIGINT; what was taken in by then is kept.

    Args:
        public_url: See ``app.make``.

    Raises:
        SettingsError: The address cannot be listened on.
    """
    try:
        listener = socket.create_server((host, port), backlog=512)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SettingsError(f"cannot listen on {host}:{port}: {reason}; choose another --port or --host") from None
    with listener:
        server(public_url=public_url).run(sockets=[listener])


def server(*, public_url: str | None) -> uvicorn.Server:
    """The server, which is given the sockets that it listens on."""
    config = uvicorn.Config(
        app.make(public_url=public_url),
        http=_Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        # No header is believed that says where a request came from.
        proxy_headers=False,
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=_IDLE_S,
        timeout_graceful_shutdown=_GRACE_S,
    )
    return uvicorn.Server(config)
