"""Stripe's API v1, as the connector ``stripe`` meets it."""

from __future__ import annotations

import base64
import binascii
import json
import re
import sqlite3
from collections.abc import Mapping
from typing import Any, ClassVar

from connectors.sandbox import (
    stripe_checkout,
    stripe_customers,
    stripe_data,
    stripe_discounts,
    stripe_keys,
    stripe_refunds,
    webhooks,
)
from connectors.sandbox.contract import Problem, ProblemKind
from connectors.sandbox.platform import Call, Handler, Platform, Reply
from connectors.sandbox.shapes import Violation
from connectors.sandbox.stripe_data import API_VERSION, Unbegun, error, new_id
from connectors.sandbox.stripe_keys import keyed

_LIMITED_RIGHTS = "customers"
_PRODUCT = "prod_SandboxPlan0"
_PRICES: dict[str, dict[str, Any]] = {
    "once": {"id": "price_1SandboxOnce", "recurring": None, "unit_amount": 1500},
    "monthly": {"id": "price_1SandboxMonthly", "recurring": {"interval": "month"}, "unit_amount": 900},
}


class Stripe(Platform):
    """Stripe: customers, checkout sessions, payment links, refunds, coupons and promotion codes."""

    slug: ClassVar[str] = "stripe"
    tables: ClassVar[str] = stripe_data.TABLES + stripe_keys.TABLES + stripe_refunds.TABLES
    operations: ClassVar[Mapping[str, Handler]] = {
        "createCustomer": keyed(stripe_customers.create),
        "getCustomer": stripe_customers.fetch,
        "listCustomers": stripe_customers.listing,
        "searchCustomers": stripe_customers.search,
        "createCheckoutSession": keyed(stripe_checkout.create_session),
        "getCheckoutSession": stripe_checkout.fetch_session,
        "listCheckoutSessions": stripe_checkout.list_sessions,
        "expireCheckoutSession": keyed(stripe_checkout.expire_session),
        "createPaymentLink": keyed(stripe_checkout.create_link),
        "getPaymentLink": stripe_checkout.fetch_link,
        "updatePaymentLink": keyed(stripe_checkout.update_link),
        "listPaymentLinks": stripe_checkout.list_links,
        "createRefund": keyed(stripe_refunds.create),
        "getRefund": stripe_refunds.fetch,
        "listRefunds": stripe_refunds.listing,
        "createCoupon": keyed(stripe_discounts.create_coupon),
        "getCoupon": stripe_discounts.fetch_coupon,
        "deleteCoupon": stripe_discounts.delete_coupon,
        "createPromotionCode": keyed(stripe_discounts.create_code),
        "updatePromotionCode": keyed(stripe_discounts.update_code),
        "listPromotionCodes": stripe_discounts.list_codes,
        "listEvents": stripe_checkout.list_events,
    }

    def seed(self, db: sqlite3.Connection, *, now: float) -> None:
        """One account with a key per mode, a key of few rights, a product with two prices, and paid payments."""
        db.execute("INSERT INTO stripe_account VALUES (?)", (new_id("acct_1", 15),))
        add = "INSERT INTO stripe_secret VALUES (?, ?, ?)"
        db.execute(add, (new_id("sk_test_51"), False, None))
        db.execute(add, (new_id("sk_live_51"), True, None))
        db.execute(add, (new_id("rk_test_51"), False, _LIMITED_RIGHTS))
        for livemode in (False, True):
            things: list[tuple[str, dict[str, Any]]] = [("product", {"id": _PRODUCT, "name": "Plan"})]
            things += [("price", {**price, "currency": "eur", "product": _PRODUCT}) for price in _PRICES.values()]
            db.executemany(
                "INSERT INTO stripe_object (id, kind, livemode, content, visible_at) VALUES (?, ?, ?, ?, ?)",
                [(thing["id"], kind, livemode, json.dumps(thing), now) for kind, thing in things],
            )
        stripe_refunds.seed(db)

    def describe(self, db: sqlite3.Connection) -> dict[str, Any]:
        """The account in the shape a connection wants, in test mode, and what can be bought and paid back."""

        def credential(prefix: str) -> dict[str, str]:
            row = db.execute("SELECT secret FROM stripe_secret WHERE secret LIKE ?", (f"{prefix}%",)).fetchone()
            return {
                "secret_key": row["secret"],
                "webhook_secret": webhooks.secret(db, self.slug, prefix="whsec_"),
            }

        return {
            "account": db.execute("SELECT id FROM stripe_account").fetchone()["id"],
            "credential": credential("sk_test_"),
            "settings": {},
            "live_credential": credential("sk_live_"),
            "limited_credential": credential("rk_test_"),
            "prices": {name: price["id"] for name, price in _PRICES.items()},
            "product": _PRODUCT,
            "payments": stripe_refunds.payments(db),
        }

    def authenticate(self, call: Call) -> sqlite3.Row:
        """A secret key as bearer token or as Basic user, with the right to use the resource."""
        secret = _secret(call.headers)
        if not secret:
            raise Unbegun(error(401, "You did not provide an API key."))
        row: sqlite3.Row | None = call.db.execute("SELECT * FROM stripe_secret WHERE secret = ?", (secret,)).fetchone()
        if row is None:
            raise Unbegun(error(401, f"Invalid API Key provided: {secret[:8]}****"))
        resource = call.operation.path.removeprefix("/v1/").partition("/{")[0]
        if row["rights"] is not None and resource not in row["rights"].split(","):
            raise Unbegun(error(403, f"The provided key does not have the rights to use {resource}."))
        version = call.headers.get("stripe-version", API_VERSION)
        if version != API_VERSION:
            raise Unbegun(error(400, f"Invalid Stripe API version: {version}"))
        return row

    def refuse(self, problem: Problem) -> Reply:
        """400 or 404 with Stripe's type, code and param."""
        match problem.kind:
            case ProblemKind.UNKNOWN_PATH | ProblemKind.METHOD:
                return error(404, "Unrecognized request URL.")
            case ProblemKind.CONTENT_TYPE:
                return error(400, "Invalid request: send the parameters as a form.")
            case ProblemKind.MALFORMED_BODY:
                return error(400, "Invalid request: the form cannot be read.")
            case _ if problem.violations:
                return _unfit(problem.violations[0])
            case _:
                return error(400, "Invalid query string.")

    def rate_limited(self, *, retry_after_s: int | None) -> Reply:
        """429 with code ``rate_limit``; it was not executed."""
        wait = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
        headers = {**wait, "Stripe-Rate-Limited-Reason": "global-rate"}
        return error(429, "Request rate limit exceeded.", code="rate_limit", headers=headers)

    def server_error(self, status: int) -> Reply:
        """Stripe's 500 or 503."""
        return stripe_keys.failed() if status == 500 else error(status, "Service unavailable.", kind="api_error")

    def auth_expired(self) -> Reply:
        """401 with code ``api_key_expired``."""
        return error(401, "Expired API Key provided.", code="api_key_expired")

    def exclusive(self, headers: Mapping[str, str]) -> str | None:
        """The idempotency key, in the account and mode of the secret key."""
        key = headers.get("idempotency-key")
        return None if key is None else f"{_secret(headers)} {key}"

    def in_use(self) -> Reply:
        """409 with code ``idempotency_key_in_use``."""
        return stripe_keys.in_use()


def _secret(headers: Mapping[str, str]) -> str:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _unfit(found: Violation) -> Reply:
    # Of several that exclude each other the first is named.
    field = found.field.partition("|")[0]
    param = field + "".join(f"[{part}]" for part in re.findall(r"[^.]+", found.inside))
    if found.rule == "required" or "|" in found.field:
        return error(400, f"Missing required param: {param}.", param=param, code="parameter_missing")
    if found.rule == "additionalProperties":
        return error(400, f"Received unknown parameter: {param}", param=param, code="parameter_unknown")
    if found.rule == "type":
        return error(400, f"Invalid value for {param}", param=param, code="parameter_invalid_integer")
    return error(400, f"Invalid value for {param}: {found.rule}", param=param)
