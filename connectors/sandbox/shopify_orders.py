"""Which orders has the Shopify shop? A few, made by the sandbox, one of them with a discount code."""

from __future__ import annotations

import sqlite3
from typing import Any

from connectors.sandbox import shopify_data as data
from connectors.sandbox.platform import Call
from connectors.sandbox.shopify_data import CURRENCY, SHOP, gid, moment
from connectors.sandbox.shopify_schema import Json

KIND = "order"
_HOUR_S = 3600.0
_ORDERS: tuple[Json, ...] = (
    {"name": "#1001", "status": "PAID", "codes": [], "price": "89.90", "quantity": 1, "ago": 50},
    {"name": "#1002", "status": "PAID", "codes": ["WELCOME10"], "price": "80.91", "quantity": 2, "ago": 26},
    {"name": "#1003", "status": "REFUNDED", "codes": [], "price": "19.00", "quantity": 1, "ago": 2},
)


def seed(db: sqlite3.Connection, *, now: float) -> None:
    """Three orders."""
    for one in _ORDERS:
        content = {**one, "at": now - one["ago"] * _HOUR_S}
        data.insert(db, KIND, one["name"], content, visible_at=now)


def _money(amount: str) -> Json:
    return {"shopMoney": {"amount": amount, "currencyCode": CURRENCY}}


def _shown(one: Json) -> Json:
    at = moment(one["at"])
    line = {
        "id": gid("LineItem", one["n"]),
        "title": "Trail Shoe",
        "quantity": one["quantity"],
        "sku": "TS-42",
        "discountedTotalSet": _money(one["price"]),
    }
    return {
        "id": gid("Order", one["n"]),
        "name": one["name"],
        "createdAt": at,
        "updatedAt": at,
        "processedAt": at,
        "cancelledAt": None,
        "displayFinancialStatus": one["status"],
        "displayFulfillmentStatus": "UNFULFILLED",
        "discountCodes": one["codes"],
        "tags": [],
        "test": True,
        "totalPriceSet": _money(one["price"]),
        "customer": {"id": gid("Customer", one["n"]), "numberOfOrders": str(one["quantity"])},
        "lineItems": {"nodes": [line]},
    }


def listing(call: Call, arguments: Json) -> Json:
    """Orders by when they changed, their payment and their codes."""
    terms: dict[str, Any] = {
        "name": lambda one: one["name"],
        "updated_at": lambda one: float(one["at"]),
        "created_at": lambda one: float(one["at"]),
        "financial_status": lambda one: one["status"],
        "discount_code": lambda one: one["codes"],
    }
    rows = [one for one in data.everything(call, KIND) if data.matches(arguments.get("query"), one, terms)]
    return data.page(sorted(rows, key=lambda one: one["at"]), arguments, _shown)


def shop(call: Call, arguments: Json) -> Json:
    """The shop itself."""
    return {
        "id": gid("Shop", 1),
        "name": "Sandbox Store",
        "myshopifyDomain": SHOP,
        "currencyCode": CURRENCY,
        "ianaTimezone": "Europe/Berlin",
        "plan": {"publicDisplayName": "Development"},
    }
