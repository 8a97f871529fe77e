"""How is the sandbox itself steered? The JSON routes under /_sandbox."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import jsonschema_rs
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from connectors.sandbox import callbacks, effects, faults, webhooks
from connectors.sandbox.platform import Platform
from connectors.sandbox.server import Sandbox

_FAULT = {
    "type": "object",
    "properties": {
        "connector": {"type": ["string", "null"]},
        "operation": {"type": ["string", "null"]},
        "kind": {"enum": [kind.value for kind in faults.Kind]},
        "probability": {"type": "number", "minimum": 0, "maximum": 1},
        "times": {"type": ["integer", "null"], "minimum": 1},
        "after": {"type": "integer", "minimum": 0},
        "seconds": {"type": ["number", "null"], "minimum": 0},
        "seed": {"type": ["integer", "null"]},
    },
    "required": ["kind"],
    "additionalProperties": False,
}
_PERSON: dict[str, Any] = {
    "type": "object",
    "properties": {"connector": {"type": "string"}, "address": {"type": "string", "minLength": 1}},
    "required": ["connector", "address"],
    "additionalProperties": False,
}
_INBOUND = {
    **_PERSON,
    "properties": {**_PERSON["properties"], "text": {"type": "string", "minLength": 1, "maxLength": 4096}},
}
_WEBHOOK = {
    "type": "object",
    "properties": {"connector": {"type": "string"}, "url": {"type": ["string", "null"], "minLength": 1}},
    "required": ["connector", "url"],
    "additionalProperties": False,
}
_LIMIT = {
    "type": "object",
    "properties": {"connector": {"type": "string"}, "per_second": {"type": ["number", "null"], "exclusiveMinimum": 0}},
    "required": ["connector", "per_second"],
    "additionalProperties": False,
}
_CLOCK = {
    "type": "object",
    "properties": {"advance_s": {"type": "number", "minimum": 0}},
    "required": ["advance_s"],
    "additionalProperties": False,
}

Endpoint = Callable[[Request], Awaitable[JSONResponse]]


class _BadRequestError(Exception):
    """The control request cannot be carried out; the message says what to do."""


class Control:
    """The routes that look at the sandbox and steer it. They are not part of any platform."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._store = sandbox.store

    def app(self) -> Starlette:
        """The routes as an ASGI application."""
        table: list[tuple[str, str, Endpoint]] = [
            ("GET", "health", self.health),
            ("GET", "accounts", self.accounts),
            ("DELETE", "state", self.start_over),
            ("GET", "effects", self.effects),
            ("GET", "effects/count", self.effects_count),
            ("GET", "faults", self.faults),
            ("POST", "faults", self.add_fault),
            ("DELETE", "faults", self.clear_faults),
            ("GET", "limits", self.limits),
            ("POST", "limits", self.set_limit),
            ("POST", "opt-outs", self.opt_out),
            ("DELETE", "opt-outs", self.opt_in),
            ("POST", "inbound", self.inbound),
            ("POST", "clock", self.advance),
            ("GET", "callbacks", self.callbacks),
            ("GET", "webhooks", self.webhooks),
            ("POST", "webhooks", self.set_webhook),
        ]
        return Starlette(
            routes=[Route(f"/_sandbox/{path}", endpoint, methods=[method]) for method, path, endpoint in table],
            exception_handlers={_BadRequestError: _bad_request},
            lifespan=self._lifespan,
        )

    async def health(self, request: Request) -> JSONResponse:
        """Is it up, and what does it play?"""
        return JSONResponse({"status": "ok", "connectors": sorted(self._connectors()), "now": self._store.now()})

    async def start_over(self, request: Request) -> JSONResponse:
        """Forget all that happened; the accounts and their credentials are new."""
        self._sandbox.start_over()
        return JSONResponse({"started_over": True})

    async def accounts(self, request: Request) -> JSONResponse:
        """The seeded account of each platform, in the shape a connection wants."""
        db = self._store.db
        return JSONResponse({slug: found.describe(db) for slug, found in self._connectors().items()})

    async def effects(self, request: Request) -> JSONResponse:
        """Effects above ``since_id``, oldest first."""
        found, last_id = effects.listing(
            self._store.db,
            connector=request.query_params.get("connector") or None,
            since_id=_whole(request, "since_id") or 0,
            limit=_whole(request, "limit"),
        )
        return JSONResponse({"effects": found, "last_id": last_id})

    async def effects_count(self, request: Request) -> JSONResponse:
        """How many effects, by connector and action."""
        counts = effects.counts(self._store.db)
        return JSONResponse({"counts": counts, "total": sum(n for found in counts.values() for n in found.values())})

    async def faults(self, request: Request) -> JSONResponse:
        """All faults, with how many requests each has seen and how often it fired."""
        return JSONResponse({"faults": faults.listing(self._store.db)})

    async def add_fault(self, request: Request) -> JSONResponse:
        """Make something go wrong from now on."""
        wanted = await _body(request, _FAULT)
        connector, operation = wanted.get("connector"), wanted.get("operation")
        if connector is not None:
            self._known(connector)
        pool = [self._sandbox.operations[connector]] if connector else [*self._sandbox.operations.values()]
        if operation is not None and not any(operation in names for names in pool):
            raise _BadRequestError(f"no operation {operation!r}; known: {', '.join(sorted(set().union(*pool)))}")
        with self._store.transaction() as db:
            fault = faults.add(db, **{**wanted, "kind": faults.Kind(wanted["kind"])})
        self._sandbox.faults_changed()
        return JSONResponse(fault, status_code=201)

    async def clear_faults(self, request: Request) -> JSONResponse:
        """Let everything go right again, or remove the one fault whose ``id`` is given."""
        with self._store.transaction() as db:
            removed = faults.clear(db, fault_id=_whole(request, "id"))
        self._sandbox.faults_changed()
        return JSONResponse({"removed": removed})

    async def limits(self, request: Request) -> JSONResponse:
        """The rate limits in force."""
        return JSONResponse({"limits": self._sandbox.limits.listing()})

    async def set_limit(self, request: Request) -> JSONResponse:
        """Set, change or (null) remove a platform's rate limit."""
        wanted = await _body(request, _LIMIT)
        self._known(wanted["connector"])
        with self._store.transaction() as db:
            self._sandbox.limits.set(db, wanted["connector"], wanted["per_second"])
        return await self.limits(request)

    async def opt_out(self, request: Request) -> JSONResponse:
        """A recipient says STOP."""
        return await self._opted(request, out=True)

    async def opt_in(self, request: Request) -> JSONResponse:
        """A recipient says START again."""
        return await self._opted(request, out=False)

    async def inbound(self, request: Request) -> JSONResponse:
        """A person writes to the account; its owner is told."""
        wanted = await _body(request, _INBOUND)
        platform = self._known(wanted["connector"])
        try:
            with self._store.transaction() as db:
                platform.hear(db, wanted["address"], now=self._store.now())
                platform.write_in(db, wanted["address"], wanted.get("text", "Hello"), now=self._store.now())
        except NotImplementedError as error:
            raise _BadRequestError(str(error)) from None
        return JSONResponse({"connector": platform.slug, "heard": True})

    async def advance(self, request: Request) -> JSONResponse:
        """Move the sandbox's clock ahead: what is scheduled until then has happened."""
        wanted = await _body(request, _CLOCK)
        return JSONResponse({"now": self._store.advance(wanted["advance_s"])})

    async def callbacks(self, request: Request) -> JSONResponse:
        """All callbacks of the platforms, and whether they were delivered."""
        return JSONResponse({"callbacks": callbacks.listing(self._store.db)})

    async def webhooks(self, request: Request) -> JSONResponse:
        """Where each platform tells the account's owner what happens."""
        return JSONResponse({"webhooks": webhooks.targets(self._store.db)})

    async def set_webhook(self, request: Request) -> JSONResponse:
        """Tell everything of a platform to this address of this machine, or (null) nothing any more."""
        wanted = await _body(request, _WEBHOOK)
        self._known(wanted["connector"])
        if wanted["url"] is not None and not callbacks.reachable(wanted["url"]):
            raise _BadRequestError("url: must be http on this machine; nothing else is ever called")
        with self._store.transaction() as db:
            webhooks.register(db, wanted["connector"], wanted["url"])
        return await self.webhooks(request)

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        deliveries = asyncio.create_task(callbacks.deliver_forever(self._store))
        yield
        deliveries.cancel()
        await asyncio.gather(deliveries, return_exceptions=True)

    async def _opted(self, request: Request, *, out: bool) -> JSONResponse:
        wanted = await _body(request, _PERSON)
        platform = self._known(wanted["connector"])
        try:
            with self._store.transaction() as db:
                platform.opt_out(db, wanted["address"], out=out, now=self._store.now())
        except NotImplementedError as error:
            raise _BadRequestError(str(error)) from None
        return JSONResponse({"connector": platform.slug, "opted_out": out})

    def _connectors(self) -> dict[str, Platform]:
        return {slug: found for slug, found in self._sandbox.platforms.items() if found.is_connector}

    def _known(self, connector: str) -> Platform:
        if connector not in self._sandbox.platforms:
            known = ", ".join(sorted(self._sandbox.platforms))
            raise _BadRequestError(f"no connector {connector!r}; known: {known}")
        return self._sandbox.platforms[connector]


async def _body(request: Request, schema: dict[str, Any]) -> dict[str, Any]:
    try:
        value = json.loads(await request.body())
        jsonschema_rs.validate(schema, value)
    except jsonschema_rs.ValidationError as error:
        raise _BadRequestError(f"{'.'.join(map(str, error.instance_path)) or 'body'}: {error.message}") from None
    except ValueError:
        raise _BadRequestError("body: send one JSON object") from None
    found: dict[str, Any] = value
    return found


def _whole(request: Request, name: str) -> int | None:
    text = request.query_params.get(name, "")
    if text and not text.isdecimal():
        raise _BadRequestError(f"{name}: send a whole number from 0")
    return int(text) if text else None


async def _bad_request(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": "bad_request", "message": str(error)}, status_code=400)
