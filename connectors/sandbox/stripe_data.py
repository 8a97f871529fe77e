"""What does the sandbox's Stripe account hold, how is it looked up, and how does Stripe say no?"""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Callable, Mapping
from typing import Any

from connectors.sandbox import webhooks
from connectors.sandbox.platform import Call, Refusal, Reply
from connectors.sandbox.signatures import Scheme

API_VERSION = "2026-10-28.endive"

TABLES = """
CREATE TABLE IF NOT EXISTS stripe_account (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stripe_secret (
    secret TEXT PRIMARY KEY,
    livemode INTEGER NOT NULL,
    rights TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stripe_object (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    livemode INTEGER NOT NULL,
    content TEXT NOT NULL,
    visible_at REAL NOT NULL,
    UNIQUE (livemode, kind, id)
);
"""

_LETTERS = string.ascii_letters + string.digits
# What Stripe's objects have in common, but these do not have.
_NOT_SAID = {"payment_link": "created", "refund": "livemode"}
_MOST_LISTED = 100
_LISTED = 10

Json = dict[str, Any]


class Unbegun(Refusal):
    """A refusal before any work began: Stripe forgets it, so the same idempotency key may be used again."""


def new_id(prefix: str, length: int = 24) -> str:
    """An id as Stripe makes them: a prefix and random letters."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(length))


def answer(status: int, body: Any, **headers: str) -> Reply:
    """An answer with the headers that all have."""
    return Reply(status, body, {"Request-Id": new_id("req_", 14), "Stripe-Version": API_VERSION, **headers})


def error(
    status: int,
    message: str,
    *,
    kind: str = "invalid_request_error",
    code: str | None = None,
    param: str | None = None,
    decline_code: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Stripe's error body."""
    given = {"code": code, "param": param, "decline_code": decline_code}
    said = {name: text for name, text in given.items() if text is not None}
    return answer(status, {"error": {"type": kind, "message": message, **said}}, **(headers or {}))


def invalid(param: str, message: str, *, code: str | None = None) -> Unbegun:
    """A parameter that breaks a rule: found before any work."""
    return Unbegun(error(400, message, param=param, code=code))


def refused(message: str, *, code: str | None = None, param: str | None = None) -> Refusal:
    """No, after the work began: this answer is remembered with the key."""
    return Refusal(error(400, message, code=code, param=param))


def missing(what: str, object_id: str, *, param: str, status: int = 404) -> Refusal:
    """There is no such object."""
    return Refusal(error(status, f"No such {what}: '{object_id}'", code="resource_missing", param=param))


def insert(call: Call, kind: str, content: Json) -> Json:
    """Store a new object; returns it with what every object has."""
    livemode = bool(call.principal["livemode"])
    whole = {"object": kind, "created": int(call.now), "livemode": livemode, **content}
    whole.pop(_NOT_SAID.get(kind, ""), None)
    call.db.execute(
        "INSERT INTO stripe_object (id, kind, livemode, content, visible_at) VALUES (?, ?, ?, ?, ?)",
        (whole["id"], kind, livemode, json.dumps(whole), call.visible_at),
    )
    return whole


def created(call: Call, kind: str, content: Json, *, recipient: str | None = None, text: str | None = None) -> Reply:
    """Store a new object, count the effect, and answer with the object."""
    whole = insert(call, kind, content)
    key = call.headers.get("idempotency-key")
    call.effect(call.operation.id, whole["id"], key=key, recipient=recipient, text=text)
    happened(call, f"{kind}.created", whole)
    return answer(200, whole)


def changed(call: Call, kind: str, content: Json, *, event: str = "updated") -> Reply:
    """Store an object's new content, count the effect, and answer with the object."""
    call.db.execute(
        "UPDATE stripe_object SET content = ? WHERE livemode = ? AND kind = ? AND id = ?",
        (json.dumps(content), call.principal["livemode"], kind, content["id"]),
    )
    call.effect(call.operation.id, content["id"], key=call.headers.get("idempotency-key"))
    happened(call, f"{kind}.{event}", content)
    return answer(200, content)


def happened(call: Call, event: str, content: Json) -> None:
    """Keep an event about an object."""
    more = {"type": event, "data": {"object": content}, "api_version": API_VERSION, "pending_webhooks": 0}
    told = insert(call, "event", {"id": new_id("evt_"), "request": None, **more})
    secret = webhooks.secret(call.db, "stripe", prefix="whsec_")
    call.tell(content["id"], [(call.now, told)], scheme=Scheme.STRIPE, secret=secret)


def find(call: Call, kind: str, object_id: str) -> Json | None:
    """An object by its id, in the key's mode."""
    row = call.db.execute(
        "SELECT content FROM stripe_object WHERE livemode = ? AND kind = ? AND id = ?",
        (call.principal["livemode"], kind, object_id),
    ).fetchone()
    return None if row is None else dict(json.loads(row["content"]))


def everything(call: Call, kind: str, *, hidden: bool = False) -> list[Json]:
    """All objects of a kind in the key's mode, newest first; ``hidden`` adds those that lists do not show yet."""
    rows = call.db.execute(
        "SELECT content FROM stripe_object WHERE livemode = ? AND kind = ? AND (visible_at <= ? OR ?) ORDER BY n DESC",
        (call.principal["livemode"], kind, call.now, hidden),
    )
    return [json.loads(row["content"]) for row in rows]


def page(call: Call, kind: str, wanted: Callable[[Json], bool]) -> Reply:
    """A list of the objects that are wanted, newest first, in Stripe's pages."""
    query = call.query
    limit = _limit(query)
    found = [one for one in everything(call, kind) if wanted(one) and _in_time(one, query.get("created"))]
    ids = [one["id"] for one in found]
    for name in ("starting_after", "ending_before"):
        if name in query and query[name] not in ids:
            raise missing(kind, query[name], param=name, status=400)
    if "starting_after" in query:
        found = found[ids.index(query["starting_after"]) + 1 :]
    elif "ending_before" in query:
        found = found[: ids.index(query["ending_before"])][-limit:]
    return answer(
        200, {"object": "list", "data": found[:limit], "has_more": len(found) > limit, "url": call.operation.path}
    )


def _limit(query: Json) -> int:
    limit: int = query.get("limit", _LISTED)
    if not 1 <= limit <= _MOST_LISTED:
        raise invalid(
            "limit", f"Invalid integer: must be between 1 and {_MOST_LISTED}", code="parameter_invalid_integer"
        )
    return limit


def _in_time(one: Json, created_at: Any) -> bool:
    if created_at is None:
        return True
    if not isinstance(created_at, dict):
        return bool(one["created"] == created_at)
    at: int = one["created"]
    compared = {
        "gt": at > created_at.get("gt", at - 1),
        "gte": at >= created_at.get("gte", at),
        "lt": at < created_at.get("lt", at + 1),
        "lte": at <= created_at.get("lte", at),
    }
    return all(compared.values())
