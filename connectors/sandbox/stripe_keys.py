"""How does Stripe do a thing once? It keeps its answer with the idempotency key, and gives it again for a day."""

from __future__ import annotations

import json
from typing import Any

from connectors.sandbox.platform import Call, Handler, Refusal, Reply
from connectors.sandbox.stripe_data import Unbegun, answer, error

LIFE_S = 24 * 3600.0
"""Stripe keeps keys at least so long; the sandbox drops them at once then, which is the hardest that may happen."""

TABLES = """
CREATE TABLE IF NOT EXISTS stripe_idempotency (
    livemode INTEGER NOT NULL,
    key TEXT NOT NULL,
    request TEXT NOT NULL,
    at REAL NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (livemode, key)
) WITHOUT ROWID;
"""


def keyed(work: Handler) -> Handler:
    """The same work, done once per key: its answer is kept, be it success, refusal or failure.

    What is refused before the work begins (parameters, credentials, rate limits, a key in use) is not kept.
    """

    def once(call: Call) -> Reply:
        key = call.headers.get("idempotency-key")
        if key is None:
            return work(call)
        kept = _kept(call, key)
        if kept is not None:
            return kept
        reply = _done_or_undone(call, work)
        _keep(call, key, failed() if call.fails_after else reply)
        return reply

    return once


def in_use() -> Reply:
    """409: another request with this key is not finished."""
    message = "There is currently another in-progress request using this Idempotent Key."
    return error(
        409, message, kind="idempotency_error", code="idempotency_key_in_use", headers={"Stripe-Should-Retry": "true"}
    )


def failed() -> Reply:
    """500: an error of Stripe's own."""
    return error(500, "An error occurred on our side while processing your request.", kind="api_error")


def _done_or_undone(call: Call, work: Handler) -> Reply:
    """Work; a refusal takes back what was done before it, but not the key."""
    call.db.execute("SAVEPOINT stripe_work")
    try:
        return work(call)
    except Unbegun:
        raise
    except Refusal as refusal:
        call.db.execute("ROLLBACK TO stripe_work")
        return refusal.reply


def _kept(call: Call, key: str) -> Reply | None:
    row = call.db.execute(
        "SELECT * FROM stripe_idempotency WHERE livemode = ? AND key = ? AND at > ?",
        (call.principal["livemode"], key, call.now - LIFE_S),
    ).fetchone()
    if row is None:
        return None
    if row["request"] != _request(call):
        message = "Keys for idempotent requests can only be used with the same parameters they were first used with."
        raise Unbegun(error(400, message, kind="idempotency_error"))
    again = {"Idempotent-Replayed": "true"}
    if row["status"] >= 500:
        again["Stripe-Should-Retry"] = "false"
    return answer(row["status"], json.loads(row["body"]), **again)


def _keep(call: Call, key: str, reply: Reply) -> None:
    call.db.execute(
        "INSERT OR REPLACE INTO stripe_idempotency VALUES (?, ?, ?, ?, ?, ?)",
        (call.principal["livemode"], key, _request(call), call.now, reply.status, json.dumps(reply.body)),
    )


def _request(call: Call) -> str:
    told: list[Any] = [call.operation.method, call.raw_path, call.body]
    return json.dumps(told, sort_keys=True)
