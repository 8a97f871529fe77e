"""Inputs of shopify that work against a fresh sandbox."""

from __future__ import annotations

import uuid
from typing import Any

from connectors.shopify.inventory import VariantPage
from tests.contract.case import Case
from tests.contract.conftest import Performer


def _name() -> str:
    return f"spring-{uuid.uuid4().hex}"


def _product(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"title": f"Spring box {uuid.uuid4().hex}", "tags": ["spring"], "status": "ACTIVE"}


def _feed(performer: Performer, recipient: str) -> dict[str, Any]:
    variants = [{"options": {"Size": size}, "price": "89.90", "sku": f"{_name()}-{size}"} for size in ("41", "42")]
    return {"products": [{"handle": _name(), "title": "Trail Shoe", "variants": variants}]}


def _made(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"id": performer.do("shopify.createProduct", **_product(performer, recipient)).provider_id()}


def _published(performer: Performer, recipient: str) -> dict[str, Any]:
    channels = [*performer.account["shopify"]["publications"].values()]
    return {**_made(performer, recipient), "publications": channels}


def _stock(performer: Performer, recipient: str) -> dict[str, Any]:
    feed = _feed(performer, recipient)
    performer.do("shopify.syncProductFeed", **feed)
    sku = feed["products"][0]["variants"][0]["sku"]
    found = performer.do("shopify.listVariants", query=f"sku:{sku}")
    assert isinstance(found, VariantPage)
    place = performer.account["shopify"]["locations"]["Berlin"]
    item = found.variants[0].inventory_item_id
    return {"quantities": [{"inventory_item_id": item, "location_id": place, "quantity": 7}]}


def _discount(performer: Performer, recipient: str) -> dict[str, Any]:
    code = f"SPRING-{uuid.uuid4().hex}"
    return {"code": code, "title": "Spring", "starts_at": "2026-11-20T00:00:00+01:00", "percent_off": 20}


def _old_discount(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"id": performer.do("shopify.createDiscountCode", **_discount(performer, recipient)).provider_id()}


def _new_limit(performer: Performer, recipient: str) -> dict[str, Any]:
    return {**_old_discount(performer, recipient), "usage_limit": 5}


CASES = (
    Case("shopify.createProduct", "productCreate", _product, once=True),
    Case("shopify.syncProductFeed", "productSet", _feed, once=False),
    Case("shopify.publishProduct", "publishablePublish", _published, once=False),
    Case("shopify.deleteProduct", "productDelete", _made, once=False),
    Case("shopify.setInventory", "inventorySetQuantities", _stock, once=True),
    Case("shopify.createDiscountCode", "discountCodeBasicCreate", _discount, once=True),
    Case("shopify.updateDiscountCode", "discountCodeBasicUpdate", _new_limit, once=False),
    Case("shopify.deactivateDiscountCode", "discountCodeDeactivate", _old_discount, once=False),
    Case("shopify.deleteDiscountCode", "discountCodeDelete", _old_discount, once=False),
)
