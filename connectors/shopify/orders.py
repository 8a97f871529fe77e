"""Orders: what was bought, with which discount code."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import Field

from connectors.kit.action import Input, Output
from connectors.kit.call import Call
from connectors.kit.fields import UtcDatetime
from connectors.shopify import admin
from connectors.shopify.admin import LIMITS
from connectors.shopify.platform import AFTER, QUERY, SHOPIFY, Page, decimal, moment, whole


class ListOrders(Input):
    """Which orders to list."""

    updated_since: UtcDatetime | None = Field(default=None, description="Only orders changed since then, with offset.")
    query: str | None = QUERY
    first: int = Field(default=50, ge=1, le=250, description="At most so many: 1 to 250.")
    after: str | None = AFTER


class LineItem(Output):
    """What was bought of one kind."""

    id: str
    title: str | None
    sku: str | None
    quantity: int | None
    discounted_total: Decimal | None = Field(description="In the shop's currency, after discounts.")


class Order(Output):
    """An order of the shop."""

    id: str
    name: str | None = Field(description="Its number for people, such as #1001.")
    created_at: datetime | None
    updated_at: datetime | None
    cancelled_at: datetime | None
    financial_status: str | None
    fulfillment_status: str | None
    discount_codes: tuple[str, ...]
    tags: tuple[str, ...]
    test: bool | None
    total: Decimal | None = Field(description="In the shop's currency.")
    currency: str | None
    customer_id: str | None
    customer_orders: int | None = Field(description="How many orders the customer has made in all.")
    line_items: tuple[LineItem, ...] = Field(description="The first 50.")


class OrderPage(Page):
    """Orders, those first that were changed longest ago."""

    orders: tuple[Order, ...]


def _money(one: Any) -> dict[str, Any]:
    money = one.get("shopMoney") if isinstance(one, dict) else None
    return money if isinstance(money, dict) else {}


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _order(one: dict[str, Any]) -> Order:
    customer, total = one.get("customer") or {}, _money(one.get("totalPriceSet"))
    lines = (one.get("lineItems") or {}).get("nodes") or []
    return Order(
        id=str(one["id"]),
        name=one.get("name"),
        created_at=moment(one.get("createdAt")),
        updated_at=moment(one.get("updatedAt")),
        cancelled_at=moment(one.get("cancelledAt")),
        financial_status=one.get("displayFinancialStatus"),
        fulfillment_status=one.get("displayFulfillmentStatus"),
        discount_codes=_texts(one.get("discountCodes")),
        tags=_texts(one.get("tags")),
        test=one.get("test"),
        total=decimal(total.get("amount")),
        currency=total.get("currencyCode"),
        customer_id=customer.get("id"),
        customer_orders=whole(customer.get("numberOfOrders")),
        line_items=tuple(_line(line) for line in lines if isinstance(line, dict) and "id" in line),
    )


def _line(one: dict[str, Any]) -> LineItem:
    return LineItem(
        id=str(one["id"]),
        title=one.get("title"),
        sku=one.get("sku"),
        quantity=whole(one.get("quantity")),
        discounted_total=decimal(_money(one.get("discountedTotalSet")).get("amount")),
    )


@SHOPIFY.read("listOrders", ListOrders, OrderPage, scopes=("read_orders",), limits=(*LIMITS, "orders of 60 days"))
def list_orders(call: Call, data: ListOrders) -> OrderPage:
    """List orders, a page at a time, such as those with discount_code:AUTUMN20."""
    since = None if data.updated_since is None else f"updated_at:>='{data.updated_since:%Y-%m-%dT%H:%M:%SZ}'"
    query = " ".join(part for part in (since, data.query) if part) or None
    found = admin.page(call, "ListOrders", "orders", first=data.first, after=data.after, query=query)
    rows = [one for one in found["nodes"] if isinstance(one, dict) and "id" in one]
    return OrderPage(orders=tuple(map(_order, rows)), next_cursor=admin.next_cursor(found))
