"""How does the sandbox run as a process? One socket, one event loop, a clean end on SIGTERM."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from connectors.sandbox.connection import Receive, SandboxProtocol, Scope, Send
from connectors.sandbox.control import Control
from connectors.sandbox.platform import Platform
from connectors.sandbox.platforms import PLATFORMS
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import Store

_GRACE_S = 1


class PortTakenError(Exception):
    """The address cannot be listened on; the message says why and what to do."""


class _App:
    """Platforms and control routes behind one door."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._control = Control(sandbox).app()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith("/_sandbox/"):
            await self._sandbox(scope, receive, send)
        else:
            await self._control(scope, receive, send)


class _Server(uvicorn.Server):
    """A server that says on standard output, and in a file, that it listens."""

    def __init__(
        self, config: uvicorn.Config, *, url: str, port: int, port_file: Path | None, stopping: asyncio.Event
    ) -> None:
        super().__init__(config)
        self._url, self._port, self._port_file, self._stopping = url, port, port_file, stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._port_file is not None:
            # Renamed into place, so that a reader never sees half a number.
            draft = self._port_file.with_name(f".{self._port_file.name}.{os.getpid()}")
            draft.write_text(f"{self._port}\n")
            draft.replace(self._port_file)
        print(f"sandbox listening on {self._url}", flush=True)  # noqa: T201

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping.set()
        await super().shutdown(sockets)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Raises:
        PortTakenError: something else listens there, or the address is not ours.
    """
    try:
        return socket.create_server((host, port), backlog=2048)
    except OSError as error:
        reason = error.strerror or str(error)
        raise PortTakenError(f"cannot listen on {host}:{port}: {reason}; choose another --port or 0") from None


def serve(
    state: Path, *, host: str, port: int, port_file: Path | None = None, platforms: Sequence[Platform] = PLATFORMS
) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        state: Directory that holds the sandbox's state.
        host: Address to listen on.
        port: TCP port; 0 for a free one.
        port_file: Where to write the port once it listens.
        platforms: The platforms to play.

    Raises:
        PortTakenError: the address cannot be listened on.
        StateUnusableError: the state directory cannot be used.
    """
    with listen(host, port) as listener:
        chosen: int = listener.getsockname()[1]
        store = Store(state)
        try:
            sandbox = Sandbox(store, platforms)
            config = uvicorn.Config(
                _App(sandbox),
                http=SandboxProtocol,
                ws="none",
                lifespan="on",
                log_level="warning",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_GRACE_S,
            )
            url = f"http://{host}:{chosen}"
            server = _Server(config, url=url, port=chosen, port_file=port_file, stopping=sandbox.stopping)
            server.run(sockets=[listener])
        finally:
            store.close()
