"""How does one request become one answer? Routing, faults, authentication, contract, work: in this order."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.sandbox import callbacks, connection, effects, faults, media, webhooks
from connectors.sandbox.connection import Receive, Scope, Send
from connectors.sandbox.contract import Contract, Problem, ProblemKind
from connectors.sandbox.faults import Kind, Plan
from connectors.sandbox.limits import Limits
from connectors.sandbox.platform import JSON_TYPE, Call, Platform, Refusal, Reply
from connectors.sandbox.routing import Match, Router
from connectors.sandbox.store import Store

_BEFORE = frozenset({Kind.TIMEOUT_BEFORE, Kind.RESET_BEFORE})
_AFTER = frozenset({Kind.TIMEOUT_AFTER, Kind.RESET_AFTER})
_ERROR_BEFORE = {Kind.ERROR_500_BEFORE: 500, Kind.ERROR_503_BEFORE: 503}
_ERROR_AFTER = {Kind.ERROR_500_AFTER: 500, Kind.ERROR_503_AFTER: 503}
_NOTHING_WRONG = Plan()
_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class Sandbox:
    """The platforms on one store, as an ASGI application.

    ``stopping`` is to be set when the process is asked to end: no request is held back any longer.

    Args:
        store: The state; new platforms are seeded into it.
        platforms: The platforms to play.

    Raises:
        ValueError: a platform's handlers are not exactly its contract's operations.
    """

    def __init__(self, store: Store, platforms: Sequence[Platform]) -> None:
        self.store = store
        self.stopping = asyncio.Event()
        self.platforms = {platform.slug: platform for platform in platforms}
        store.create(effects.TABLES + faults.TABLES + callbacks.TABLES + webhooks.TABLES)
        contracts = [(platform, self._prepare(platform)) for platform in platforms]
        self.router = Router((platform, found) for platform, contract in contracts for found in contract.operations)
        self.operations = {
            contract.slug: {found.id for found in contract.operations} | platform.more_operations
            for platform, contract in contracts
        }
        self.limits = Limits(store.db)
        self._faulty = faults.any_active(store.db)
        self._under_way: set[tuple[str, str]] = set()

    def start_over(self) -> None:
        """Forget all that happened; the accounts are new ones."""
        self.store.empty()
        for platform in self.platforms.values():
            self._seed(platform)
        self.limits = Limits(self.store.db)
        self.faults_changed()

    def faults_changed(self) -> None:
        """Look again whether any fault is stored; without one, requests do not ask."""
        self._faulty = faults.any_active(self.store.db)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request to a platform."""
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        host, _, rest = raw.decode("latin-1").removeprefix("/").partition("/")
        path = f"/{rest}"
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body = await connection.whole_body(receive)
        if body is None:
            return
        if host == media.HOST:
            await media.serve(scope, receive, send, path)
            return
        match = self._route(host, path, scope, headers)
        if isinstance(match, Reply):
            await self._send(send, match)
            return
        plan = self._draw(match, body) if self._faulty else _NOTHING_WRONG
        if plan.kind in _BEFORE:
            await self._delay(plan)
            await self._break_off(plan, scope, receive)
            return
        with self._alone(match.route.platform, headers) as alone:
            if alone:
                await self._delay(plan)
                reply = self._replaced(match, plan, self._answer(match, path, scope, headers, body, plan))
            else:
                reply = match.route.platform.in_use()
        if plan.kind in _AFTER:
            await self._break_off(plan, scope, receive)
            return
        await self._send(send, reply, only_half=plan.kind is Kind.TRUNCATED_BODY_AFTER)
        if plan.kind is Kind.TRUNCATED_BODY_AFTER:
            await connection.hang_up(scope, receive)

    def _prepare(self, platform: Platform) -> Contract:
        contract = Contract(platform.slug)
        wanted = {operation.id for operation in contract.operations}
        if wanted != set(platform.operations):
            difference = ", ".join(sorted(wanted ^ set(platform.operations)))
            raise ValueError(f"{platform.slug}: handlers and contract differ in {difference}")
        platform.widen(contract)
        self.store.create(platform.tables)
        self._seed(platform)
        return contract

    def _seed(self, platform: Platform) -> None:
        with self.store.transaction() as db:
            if db.execute("INSERT OR IGNORE INTO seeded VALUES (?)", (platform.slug,)).rowcount:
                platform.seed(db, now=self.store.now())

    def _route(self, host: str, path: str, scope: Scope, headers: Mapping[str, str]) -> Match[Platform] | Reply:
        matches, path_known = self.router.find(host, path, scope["method"])
        if len(matches) == 1:
            return matches[0]
        for match in matches:
            if match.route.platform.recognizes(headers, scope["query_string"], self.store.db):
                return match
        if matches:
            return matches[0]
        platforms = self.router.platforms_at(host)
        if not platforms:
            return Reply(404, {"error": "no_such_platform", "message": f"the sandbox plays no platform at {host}"})
        return platforms[0].refuse(Problem(ProblemKind.METHOD if path_known else ProblemKind.UNKNOWN_PATH))

    async def _delay(self, plan: Plan) -> None:
        if plan.latency_s:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), plan.latency_s)

    @contextlib.contextmanager
    def _alone(self, platform: Platform, headers: Mapping[str, str]) -> Iterator[bool]:
        """Whether no other request works with what this one may only have to itself; and no other will, inside."""
        wanted = platform.exclusive(headers)
        mark = None if wanted is None else (platform.slug, wanted)
        if mark in self._under_way:
            yield False
            return
        if mark is not None:
            self._under_way.add(mark)
        try:
            yield True
        finally:
            self._under_way -= {mark}

    def _draw(self, match: Match[Platform], body: bytes) -> Plan:
        operation = match.route.operation
        name = match.route.platform.operation_name(operation, body)
        with self.store.transaction() as db:
            return faults.draw(db, connector=operation.connector, operation=name)

    def _answer(
        self, match: Match[Platform], path: str, scope: Scope, headers: Mapping[str, str], body: bytes, plan: Plan
    ) -> Reply:
        platform, operation = match.route.platform, match.route.operation
        refused = self._refused_at_the_door(platform, plan)
        if refused is not None:
            return refused
        try:
            with self.store.transaction() as db:
                now = self.store.now()
                call = Call(
                    operation=operation,
                    raw_path=path,
                    headers=headers,
                    path=dict(match.values),
                    raw_query=scope["query_string"],
                    raw_body=body,
                    db=db,
                    now=now,
                    visible_at=now + plan.hidden_s,
                    manner=plan.manner,
                    fails_after=plan.kind is Kind.ERROR_500_AFTER,
                )
                return _perform(platform, call)
        except Refusal as refusal:
            return refusal.reply
        except Problem as problem:
            return platform.refuse(problem)

    def _refused_at_the_door(self, platform: Platform, plan: Plan) -> Reply | None:
        wait_s = self.limits.take(platform.slug)
        if wait_s:
            return platform.rate_limited(retry_after_s=math.ceil(wait_s))
        if plan.kind is Kind.RATE_LIMIT:
            return platform.rate_limited(retry_after_s=math.ceil(plan.seconds) or None)
        if plan.kind is Kind.AUTH_EXPIRED:
            return platform.auth_expired()
        status = None if plan.kind is None else _ERROR_BEFORE.get(plan.kind)
        return None if status is None else platform.server_error(status)

    def _replaced(self, match: Match[Platform], plan: Plan, reply: Reply) -> Reply:
        status = None if plan.kind is None else _ERROR_AFTER.get(plan.kind)
        return reply if status is None else match.route.platform.server_error(status)

    async def _break_off(self, plan: Plan, scope: Scope, receive: Receive) -> None:
        if plan.kind in (Kind.TIMEOUT_BEFORE, Kind.TIMEOUT_AFTER):
            await connection.say_nothing(receive, seconds=plan.seconds, unless=self.stopping)
        await connection.reset(scope, receive)

    async def _send(self, send: Send, reply: Reply, *, only_half: bool = False) -> None:
        body = _encoded(reply.body)
        headers = [(name.lower().encode(), value.encode()) for name, value in reply.headers.items()]
        if body:
            charset = "; charset=utf-8" if reply.content_type == JSON_TYPE else ""
            headers.append((b"content-type", f"{reply.content_type}{charset}".encode()))
        await connection.send_reply(send, reply.status, headers, body, only_half=only_half)


def _perform(platform: Platform, call: Call) -> Reply:
    """Authenticate, check against the contract, work; all in the caller's transaction."""
    operation = call.operation
    call.path = operation.read_path(call.path)
    call.principal = platform.authenticate(call)
    operation.read_headers(call.headers)
    content_type = call.headers.get("content-type", "")
    if operation.body_is_query:
        call.query = operation.read_posted_query(call.raw_query, call.raw_body, content_type)
    else:
        call.query = operation.read_query(call.raw_query)
        call.body = operation.read_body(call.raw_body, content_type)
    return platform.operations[operation.id](call)


def _encoded(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, bytes):
        return body
    return (body if isinstance(body, str) else _COMPACT.encode(body)).encode()
