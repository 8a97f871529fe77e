"""How do deliveries come in? A small ASGI app with hard limits on size, time and number."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.kit.webhook import Answer, Delivery
from connectors.webhooks import WEBHOOKS
from neonhub_worker.errors import first_line
from neonhub_worker.webhooks.receive import NOBODY, receive
from neonhub_worker.webhooks.refusals import Refusals
from neonhub_worker.webhooks.working import working

log = structlog.get_logger("neonhub.webhooks")

MAX_BYTES = 3 * 1024 * 1024
"""Meta's payloads reach 3 MB; nobody else's come near."""

BODY_S = 5.0
"""Seconds within which a body must have arrived."""

_AT_ONCE = 8
_TOO_LONG, _TOO_SLOW, _AWAY = Answer(413), Answer(408), Answer(503)


class _Refused(Exception):
    """The body does not keep to the limits."""

    def __init__(self, reason: str, answer: Answer) -> None:
        super().__init__(reason)
        self.reason = reason
        self.answer = answer


def make(*, public_url: str | None = None, max_bytes: int = MAX_BYTES, body_s: float = BODY_S) -> Starlette:
    """The app.

    Args:
        public_url: The address before ``/webhooks``, as platforms are given it; that of the request if left out. A
            proxy in front changes what a request says of itself, and Twilio signs the address.
        max_bytes: The largest body.
        body_s: Seconds within which it must have arrived.
    """
    refusals = Refusals()
    # No more than there are database connections: what waits, waits here.
    pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="delivery")

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        with pool, working(refusals) as wake:
            app.state.wake = wake
            yield

    async def deliver(request: Request) -> Response:
        slug = request.path_params["slug"]
        try:
            body = await _body(request, max_bytes=max_bytes, body_s=body_s)
        except _Refused as refused:
            refusals.count(slug if slug in WEBHOOKS else NOBODY, refused.reason)
            return _response(refused.answer, close=True)
        delivery = Delivery(
            method=request.method,
            url=_url(request, public_url),
            headers=dict(request.headers),
            body=body,
            connection_id=request.path_params["connection_id"],
        )
        try:
            answer = await asyncio.get_running_loop().run_in_executor(pool, partial(receive, slug, delivery, refusals))
        except Exception as error:
            # Not thanked for: the platform sends it again.
            log.error("not_taken_in", connector=slug, error=type(error).__name__, reason=first_line(error))
            return _response(_AWAY)
        request.app.state.wake.set()
        return _response(answer)

    return Starlette(
        routes=[
            Route("/webhooks/{slug}/{connection_id}", deliver, methods=["GET", "POST"]),
            Route("/health", _health),
        ],
        lifespan=lifespan,
    )


async def _health(request: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})


async def _body(request: Request, *, max_bytes: int, body_s: float) -> bytes:
    """The whole body.

    Raises:
        _Refused: It is too long or comes too slowly.
    """
    told = request.headers.get("content-length", "0")
    if told.isdecimal() and int(told) > max_bytes:
        raise _Refused("too_long", _TOO_LONG)
    found = bytearray()
    try:
        async with asyncio.timeout(body_s):
            async for chunk in request.stream():
                found += chunk
                if len(found) > max_bytes:
                    raise _Refused("too_long", _TOO_LONG)
    except (TimeoutError, ClientDisconnect):
        raise _Refused("too_slow", _TOO_SLOW) from None
    return bytes(found)


def _url(request: Request, public_url: str | None) -> str:
    """The address with its query as it came, byte for byte: some platforms sign it."""
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    query: bytes = request.scope["query_string"]
    base = public_url.rstrip("/") if public_url else f"{request.url.scheme}://{request.url.netloc}"
    return base + raw.decode("latin-1").partition("?")[0] + (f"?{query.decode('latin-1')}" if query else "")


def _response(answer: Answer, *, close: bool = False) -> Response:
    headers = {"connection": "close"} if close else {}
    return Response(answer.body, answer.status, headers, media_type=answer.content_type if answer.body else None)
