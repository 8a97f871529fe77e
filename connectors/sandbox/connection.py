"""How does a connection really break? ASGI has no word for it, so the server's protocol lends us its transport."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Scope = MutableMapping[str, Any]

_TRANSPORT = "sandbox.transport"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def _connection_made(self: Any, transport: asyncio.Transport) -> None:
    AutoHTTPProtocol.connection_made(self, transport)
    peer: socket.socket | None = transport.get_extra_info("socket")
    if peer is not None:
        # asyncio sets this only on sockets whose protocol number is spelled out; without it, each answer waits 40 ms.
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # uvicorn copies this mapping into scope["state"] of every request on the connection.
    self.app_state = {**self.app_state, _TRANSPORT: transport}


# Whichever protocol uvicorn picked (h11, or httptools where installed), with its transport within reach of the app.
SandboxProtocol: type[asyncio.Protocol] = type(
    "SandboxProtocol", (AutoHTTPProtocol,), {"connection_made": _connection_made}
)


def is_closing(scope: Scope) -> bool:
    """Whether nobody reads an answer any more."""
    transport: asyncio.Transport = scope["state"][_TRANSPORT]
    return transport.is_closing()


async def reset(scope: Scope, receive: Receive) -> None:
    """Drop the connection with a TCP reset, whatever was promised to the client."""
    transport: asyncio.Transport = scope["state"][_TRANSPORT]
    if transport.is_closing():
        return
    peer: socket.socket | None = transport.get_extra_info("socket")
    if peer is not None:
        # Zero linger makes close() send RST instead of FIN: the client must not take it for an orderly end.
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()
    await gone(receive)


async def hang_up(scope: Scope, receive: Receive) -> None:
    """Close the connection in an orderly way, after what was already written."""
    transport: asyncio.Transport = scope["state"][_TRANSPORT]
    transport.close()
    await gone(receive)


async def gone(receive: Receive) -> None:
    """Wait until the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def say_nothing(receive: Receive, *, seconds: float, unless: asyncio.Event) -> None:
    """Stay silent for so long, or until the client has left or ``unless`` is set."""
    waits = {asyncio.create_task(gone(receive)), asyncio.create_task(unless.wait())}
    await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    await asyncio.gather(*waits, return_exceptions=True)


async def whole_body(receive: Receive) -> bytes | None:
    """The request's body, or None when the client left before sending all of it."""
    message = await receive()
    parts: list[bytes] = [message.get("body", b"")]
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
    return None if message["type"] == "http.disconnect" else b"".join(parts)


async def send_reply(
    send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes, *, only_half: bool = False
) -> None:
    """Write an answer; ``only_half`` promises the whole length and writes half of it."""
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if only_half:
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    else:
        await send({"type": "http.response.body", "body": body})
