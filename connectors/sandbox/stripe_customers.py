"""What can be done with Stripe's customers? Create, fetch, list, search; nothing about them is unique."""

from __future__ import annotations

import re

from connectors.sandbox.platform import Call, Refusal, Reply
from connectors.sandbox.stripe_data import (
    Json,
    answer,
    created,
    error,
    everything,
    find,
    invalid,
    missing,
    new_id,
    page,
)

_SEARCH_LAG_S = 60.0
_CLAUSE = re.compile(r"(?:metadata\['(?P<name>[^']+)'\]|(?P<field>email|name|phone)):'(?P<value>[^']*)'")
_DECLINED = "pm_card_chargeDeclined"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_KEPT = ("address", "description", "email", "name", "phone", "shipping", "business_name", "individual_name")


def create(call: Call) -> Reply:
    """POST /v1/customers."""
    fields: Json = call.body or {}
    if fields.get("email") and not _EMAIL.fullmatch(fields["email"]):
        raise invalid("email", f"Invalid email address: {fields['email']}", code="email_invalid")
    if fields.get("payment_method") == _DECLINED:
        declined = error(
            402, "Your card was declined.", kind="card_error", code="card_declined", decline_code="generic_decline"
        )
        raise Refusal(declined)
    content = {
        "id": new_id("cus_", 14),
        "balance": fields.get("balance", 0),
        "currency": None,
        "delinquent": False,
        "metadata": fields.get("metadata") or {},
        "preferred_locales": fields.get("preferred_locales", []),
        **{name: fields.get(name) or None for name in _KEPT},
    }
    return created(call, "customer", content, recipient=fields.get("email"), text=fields.get("name"))


def fetch(call: Call) -> Reply:
    """GET /v1/customers/{customer}."""
    found = find(call, "customer", call.path["customer"])
    if found is None:
        raise missing("customer", call.path["customer"], param="id")
    return answer(200, found)


def listing(call: Call) -> Reply:
    """GET /v1/customers: by exact email, capitals told from small letters."""
    email = call.query.get("email")
    return page(call, "customer", lambda one: email in (None, one["email"]))


def search(call: Call) -> Reply:
    """GET /v1/customers/search: what was created about a minute ago and earlier."""
    clauses = [_CLAUSE.fullmatch(part.strip()) for part in call.query["query"].split(" AND ")]
    if not all(clauses):
        raise invalid("query", "We were unable to parse your search query.")
    found = [
        one
        for one in everything(call, "customer")
        if one["created"] <= call.now - _SEARCH_LAG_S
        and all(clause is not None and _fits(one, clause) for clause in clauses)
    ]
    limit = call.query.get("limit", 10)
    return answer(
        200,
        {
            "object": "search_result",
            "data": found[:limit],
            "has_more": len(found) > limit,
            "next_page": None,
            "url": call.operation.path,
        },
    )


def _fits(one: Json, clause: re.Match[str]) -> bool:
    has = one[clause["field"]] if clause["field"] else one["metadata"].get(clause["name"])
    return bool(has == clause["value"])
