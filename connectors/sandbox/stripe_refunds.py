"""What can be paid back? The payments that the account was seeded with, in parts, up to what was paid."""

from __future__ import annotations

import json
import sqlite3

from connectors.sandbox import stripe_checks as checks
from connectors.sandbox.platform import Call, Reply
from connectors.sandbox.stripe_data import Json, answer, created, find, invalid, missing, new_id, page, refused

TABLES = """
CREATE TABLE IF NOT EXISTS stripe_payment (
    payment_intent TEXT PRIMARY KEY,
    charge TEXT NOT NULL UNIQUE,
    livemode INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    refunded INTEGER NOT NULL,
    currency TEXT NOT NULL
) WITHOUT ROWID;
"""

_SEEDED = ((90_000_000, "eur"), (5_000, "jpy"))


def seed(db: sqlite3.Connection) -> None:
    """Two payments in each mode: one that takes many refunds, and a small one."""
    for livemode in (False, True):
        for amount, currency in _SEEDED:
            db.execute(
                "INSERT INTO stripe_payment VALUES (?, ?, ?, ?, 0, ?)",
                (new_id("pi_3"), new_id("ch_3"), livemode, amount, currency),
            )


def payments(db: sqlite3.Connection) -> list[Json]:
    """The seeded payments of the test mode, the biggest first."""
    rows = db.execute(
        "SELECT payment_intent, charge, amount, currency FROM stripe_payment WHERE NOT livemode ORDER BY amount DESC"
    )
    return [dict(row) for row in rows]


def create(call: Call) -> Reply:
    """POST /v1/refunds: the whole, or a part of what is left."""
    fields: Json = call.body
    checks.one_at_most(fields, "charge", "payment_intent")
    if "amount" in fields:
        checks.money("amount", fields["amount"])
    payment = _payment(call, fields)
    left = payment["amount"] - payment["refunded"]
    amount = fields.get("amount", left)
    if left == 0:
        raise refused(f"Charge {payment['charge']} has already been refunded.", code="charge_already_refunded")
    if amount > left:
        raise refused("Refund amount is greater than unrefunded amount on charge.", param="amount")
    call.db.execute(
        "UPDATE stripe_payment SET refunded = refunded + ? WHERE payment_intent = ?",
        (amount, payment["payment_intent"]),
    )
    content = {
        "id": new_id("re_3"),
        "amount": amount,
        "balance_transaction": new_id("txn_3"),
        "charge": payment["charge"],
        "currency": payment["currency"],
        "metadata": fields.get("metadata") or {},
        "payment_intent": payment["payment_intent"],
        "reason": fields.get("reason"),
        "receipt_number": None,
        "status": "succeeded",
    }
    return created(call, "refund", content, recipient=payment["payment_intent"], text=json.dumps(amount))


def _payment(call: Call, fields: Json) -> sqlite3.Row:
    name = "payment_intent" if "payment_intent" in fields else "charge"
    if name not in fields:
        raise invalid("payment_intent", "The sandbox plays refunds of payments only.", code="parameter_missing")
    row: sqlite3.Row | None = call.db.execute(
        f"SELECT * FROM stripe_payment WHERE {name} = ? AND livemode = ?",  # noqa: S608
        (fields[name], call.principal["livemode"]),
    ).fetchone()
    if row is None:
        raise missing(name, fields[name], param=name)
    return row


def fetch(call: Call) -> Reply:
    """GET /v1/refunds/{refund}."""
    found = find(call, "refund", call.path["refund"])
    if found is None:
        raise missing("refund", call.path["refund"], param="refund")
    return answer(200, found)


def listing(call: Call) -> Reply:
    """GET /v1/refunds: of one payment, or all."""
    query = call.query
    names = ("payment_intent", "charge")
    return page(call, "refund", lambda one: all(query.get(name) in (None, one[name]) for name in names))
