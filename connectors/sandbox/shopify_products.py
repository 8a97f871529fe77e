"""What can be done with Shopify's products? Set by handle, create, find, list, publish, delete."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from connectors.sandbox import shopify_data as data
from connectors.sandbox import shopify_product_checks as checks
from connectors.sandbox.platform import Call
from connectors.sandbox.shopify_data import gid, moment, problem
from connectors.sandbox.shopify_schema import Json

KIND = "product"
_READY_AFTER_S = 3.0


def shown(one: Json) -> Json:
    """A product as the API shows it."""
    return {
        **one,
        "__typename": "Product",
        "id": gid("Product", one["n"]),
        "createdAt": moment(one["created"]),
        "updatedAt": moment(one["updated"]),
        "totalInventory": sum(sum(variant["stock"].values()) for variant in one["variants"]),
        "onlineStoreUrl": f"https://sandbox-store.example/products/{one['handle']}" if one["publications"] else None,
        "availablePublicationsCount": {"count": len(one["publications"])},
        "variants": lambda _info, **_arguments: {"nodes": [variant_shown(variant) for variant in one["variants"]]},
    }


def variant_shown(variant: Json) -> Json:
    """A variant as the API shows it."""
    return {
        "__typename": "ProductVariant",
        "id": gid("ProductVariant", variant["n"]),
        "sku": variant["sku"],
        "title": " / ".join(variant["options"].values()),
        "price": variant["price"],
        "inventoryQuantity": sum(variant["stock"].values()),
        "inventoryItem": {"id": gid("InventoryItem", variant["n"])},
    }


def by_identifier(call: Call, identifier: Json) -> Json | None:
    """The product that an identifier names."""
    if "id" in identifier:
        return data.by_number(call, KIND, data.number(identifier["id"], "Product"))
    if "handle" in identifier:
        return data.by_name(call, KIND, identifier["handle"])
    mark = checks.mark(identifier["customId"])
    return next((one for one in data.everything(call, KIND, hidden=True) if mark in one["marks"]), None)


def product_set(call: Call, arguments: Json) -> Json:
    """Make or change a whole product, which the identifier names."""
    identifier, given = arguments.get("identifier") or {}, arguments["input"]
    old = by_identifier(call, identifier) if identifier else None
    errors = checks.of_set(call, identifier, given, old)
    if errors:
        return {"product": None, "productSetOperation": None, "userErrors": errors}
    content = _set(call, old, {"handle": identifier.get("handle"), **given})
    product = _keep(call, old, content)
    call.effect("syncProductFeed", gid("Product", product["n"]), key=product["handle"], text=product["title"])
    if arguments.get("synchronous", True):
        return {"product": shown(product), "productSetOperation": None, "userErrors": []}
    work = {"product": product["n"], "ready": call.now + _READY_AFTER_S}
    n = data.insert(call.db, "operation", None, work, visible_at=call.now)
    return {"product": None, "productSetOperation": _operation(call, {**work, "n": n}), "userErrors": []}


def operation(call: Call, arguments: Json) -> Json | None:
    """How far an asynchronous productSet is."""
    found = data.by_number(call, "operation", data.number(arguments["id"], "ProductSetOperation"))
    return None if found is None else _operation(call, found)


def _operation(call: Call, work: Json) -> Json:
    left_s = work["ready"] - call.now
    status = "COMPLETE" if left_s <= 0 else "CREATED" if left_s > _READY_AFTER_S - 1 else "ACTIVE"
    product = data.by_number(call, KIND, work["product"]) if status == "COMPLETE" else None
    return {
        "__typename": "ProductSetOperation",
        "id": gid("ProductSetOperation", work["n"]),
        "status": status,
        "product": None if product is None else shown(product),
        "userErrors": [],
    }


def _set(call: Call, old: Json | None, given: Json) -> Json:
    base = old or _fresh(call, given.get("handle") or _free_handle(call, given["title"]))
    plain = ("title", "vendor", "productType", "status", "descriptionHtml", "tags", "collections", "files")
    changed = {name: given[name] for name in plain if given.get(name) is not None}
    marks = [checks.mark(one) for one in given.get("metafields") or []] or base["marks"]
    variants = base["variants"]
    if given.get("variants"):
        known = {tuple(one["options"].values()): one for one in variants}
        variants = [_variant(call, one, known) for one in given["variants"]]
    handle = given.get("handle") or base["handle"]
    return {**base, **changed, "handle": handle, "marks": marks, "variants": variants, "updated": call.now}


def _fresh(call: Call, handle: str) -> Json:
    only = {"options": {"Title": "Default Title"}, "sku": None, "price": "0.00", "stock": {}, "n": _next_variant(call)}
    return {
        "handle": handle,
        "title": "",
        "status": "ACTIVE",
        "vendor": "Sandbox Store",
        "productType": "",
        "tags": [],
        "marks": [],
        "publications": [],
        "variants": [only],
        "created": call.now,
        "updated": call.now,
    }


def _variant(call: Call, given: Json, known: dict[tuple[str, ...], Json]) -> Json:
    options = {one["optionName"]: one["name"] for one in given["optionValues"]}
    old = known.get(tuple(options.values())) or {"sku": None, "price": "0.00", "stock": {}, "n": _next_variant(call)}
    stock = {one["locationId"]: one["quantity"] for one in given.get("inventoryQuantities") or []}
    price = given.get("price")
    return {
        **old,
        "options": options,
        "sku": given.get("sku", old["sku"]),
        "price": old["price"] if price is None else f"{Decimal(price):.2f}",
        "stock": {**old["stock"], **stock},
    }


def _next_variant(call: Call) -> int:
    return data.insert(call.db, "variant", None, {}, visible_at=call.now)


def _keep(call: Call, old: Json | None, content: Json) -> Json:
    if old is not None:
        data.update(call, old["n"], content, name=content["handle"])
        return content
    n = data.insert(call.db, KIND, content["handle"], content, visible_at=call.visible_at)
    return {**content, "n": n}


def _free_handle(call: Call, wanted: str) -> str:
    """A handle that no product has: a number is added to one that is taken."""
    base = re.sub(r"[^a-z0-9]+", "-", wanted.lower()).strip("-") or "product"
    taken = {one["handle"] for one in data.everything(call, KIND, hidden=True)}
    numbered = (f"{base}-{number}" for number in range(1, len(taken) + 2))
    return base if base not in taken else next(one for one in numbered if one not in taken)


def product_create(call: Call, arguments: Json) -> Json:
    """Make a product with one variant. A handle that is taken gets a number: nothing is refused, two are there."""
    given = arguments.get("product") or arguments.get("input") or {}
    errors = [
        *([] if (given.get("title") or "").strip() else [problem("Title can't be blank", "title", coded=False)]),
        *(
            problem("Media source is not a URL", "media", str(number), "originalSource", coded=False)
            for number, one in enumerate(arguments.get("media") or [])
            if not one["originalSource"].startswith("https://")
        ),
    ]
    if errors:
        return {"product": None, "userErrors": errors}
    handle = _free_handle(call, given.get("handle") or given["title"])
    product = _keep(call, None, _set(call, None, {**given, "handle": handle}))
    call.effect("createProduct", gid("Product", product["n"]), key=handle, text=product["title"])
    return {"product": shown(product), "userErrors": []}


def find(call: Call, arguments: Json) -> Json | None:
    """A product by id, handle or unique metafield."""
    found = by_identifier(call, arguments["identifier"])
    return None if found is None else shown(found)


def listing(call: Call, arguments: Json) -> Json:
    """Products, those first that were changed longest ago where asked so."""
    terms: dict[str, Any] = {
        "handle": lambda one: one["handle"],
        "title": lambda one: one["title"],
        "status": lambda one: one["status"],
        "tag": lambda one: one["tags"],
        "vendor": lambda one: one["vendor"],
        "product_type": lambda one: one["productType"],
        "updated_at": lambda one: float(one["updated"]),
        "created_at": lambda one: float(one["created"]),
    }
    rows = [one for one in data.everything(call, KIND) if data.matches(arguments.get("query"), one, terms)]
    if arguments.get("sortKey") == "UPDATED_AT":
        rows.sort(key=lambda one: (one["updated"], one["n"]))
    return data.page(rows, arguments, shown)


def variants(call: Call, arguments: Json) -> Json:
    """Variants of all products."""
    rows = [variant for one in data.everything(call, KIND) for variant in one["variants"]]
    terms: dict[str, Any] = {"sku": lambda one: one["sku"]}
    return data.page(
        [one for one in rows if data.matches(arguments.get("query"), one, terms)], arguments, variant_shown
    )


def delete(call: Call, arguments: Json) -> Json:
    """Delete a product."""
    found = data.by_number(call, KIND, data.number(arguments["input"]["id"], "Product"))
    if found is None:
        return {"deletedProductId": None, "userErrors": [problem("Product does not exist", "id", coded=False)]}
    data.remove(call, found["n"])
    call.effect("deleteProduct", gid("Product", found["n"]), key=found["handle"])
    return {"deletedProductId": gid("Product", found["n"]), "userErrors": []}


def publish(call: Call, arguments: Json) -> Json:
    """Show a product in sales channels."""
    found = data.by_number(call, KIND, data.number(arguments["id"], "Product"))
    if found is None:
        return {"publishable": None, "userErrors": [problem("Resource does not exist", "id", coded=False)]}
    channels = [one.get("publicationId") or "" for one in arguments["input"]]
    known = {gid("Publication", one["n"]) for one in data.everything(call, "publication")}
    for position, channel in enumerate(channels):
        if channel not in known:
            error = problem("Publication does not exist", "input", str(position), "publicationId", coded=False)
            return {"publishable": None, "userErrors": [error]}
    product = {**found, "publications": sorted({*found["publications"], *channels})}
    data.update(call, found["n"], product)
    call.effect("publishProduct", gid("Product", found["n"]), key=found["handle"])
    return {"publishable": shown(product), "userErrors": []}
