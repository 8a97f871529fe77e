"""What can be done with a Shopify shop's stock? Quantities are set once per key, and only from what they were."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

from connectors.sandbox import shopify_data as data
from connectors.sandbox.platform import Call
from connectors.sandbox.shopify_data import gid, moment, problem
from connectors.sandbox.shopify_schema import Json

_LIFE_S = 24 * 3600.0
_NAMES = ("available", "on_hand")
_MOST = 1_000_000_000
_REASONS = """correction cycle_count_available damaged movement_canceled movement_created movement_received
movement_updated other promotion quality_control received reservation_created reservation_deleted reservation_updated
restock safety_stock shrinkage"""


def set_quantities(call: Call, arguments: Json) -> Json:
    """Set quantities; a key brings its first answer again for a day."""
    key, given = arguments["@key"], arguments["input"]
    request = json.dumps(given, sort_keys=True)
    row = call.db.execute("SELECT * FROM shopify_key WHERE key = ? AND at > ?", (key, call.now - _LIFE_S)).fetchone()
    if row is not None:
        if row["request"] != request:
            return _refused([problem("Key was used otherwise", code="IDEMPOTENCY_KEY_PARAMETER_MISMATCH")])
        again: Json = json.loads(row["answer"])
        return again
    errors = [*_wrong(call, given)]
    answer = _refused(errors) if errors else _set(call, given, key)
    call.db.execute(
        "INSERT OR REPLACE INTO shopify_key VALUES (?, ?, ?, ?)", (key, request, json.dumps(answer), call.now)
    )
    return answer


def _refused(errors: list[Json]) -> Json:
    return {"inventoryAdjustmentGroup": None, "userErrors": errors}


def _wrong(call: Call, given: Json) -> Iterator[Json]:
    if given["name"] not in _NAMES:
        yield problem("Name is unknown", "input", "name", code="INVALID_NAME")
    if given["reason"] not in _REASONS.split():
        yield problem("Reason is unknown", "input", "reason", code="INVALID_REASON")
    if given.get("referenceDocumentUri") and not urlsplit(given["referenceDocumentUri"]).scheme:
        yield problem("No URI", "input", "referenceDocumentUri", code="INVALID_REFERENCE_DOCUMENT")
    pairs = [(one["inventoryItemId"], one["locationId"]) for one in given["quantities"]]
    if len(set(pairs)) < len(pairs):
        code = "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR"
        yield problem("A pair repeats", "input", "quantities", code=code)
    places = {gid("Location", one["n"]) for one in data.everything(call, "location")}
    for position, one in enumerate(given["quantities"]):
        found = _wrong_quantity(call, one, places)
        if found is not None:
            field, code = found
            yield problem("It does not fit", "input", "quantities", str(position), field, code=code)


def _wrong_quantity(call: Call, one: Json, places: set[str]) -> tuple[str, str] | None:
    """The field at fault and its code."""
    variant = _variant(call, one["inventoryItemId"])
    if variant is None:
        return "inventoryItemId", "INVALID_INVENTORY_ITEM"
    if one["locationId"] not in places:
        return "locationId", "INVALID_LOCATION"
    if abs(one["quantity"]) > _MOST:
        return "quantity", f"INVALID_QUANTITY_TOO_{'HIGH' if one['quantity'] > 0 else 'LOW'}"
    if "changeFromQuantity" not in one:
        return "changeFromQuantity", "COMPARE_QUANTITY_REQUIRED"
    if one["changeFromQuantity"] not in (None, variant[1]["stock"].get(one["locationId"], 0)):
        return "changeFromQuantity", "CHANGE_FROM_QUANTITY_STALE"
    return None


def _variant(call: Call, item: str) -> tuple[Json, Json] | None:
    n = data.number(item, "InventoryItem")
    for product in data.everything(call, "product", hidden=True):
        for variant in product["variants"]:
            if variant["n"] == n:
                return product, variant
    return None


def _set(call: Call, given: Json, key: str) -> Json:
    for one in given["quantities"]:
        found = _variant(call, one["inventoryItemId"])
        assert found is not None
        product, variant = found
        variant["stock"][one["locationId"]] = one["quantity"]
        data.update(call, product["n"], product)
    content = {"reason": given["reason"], "referenceDocumentUri": given.get("referenceDocumentUri")}
    n = data.insert(call.db, "adjustment", None, content, visible_at=call.visible_at)
    group_id = gid("InventoryAdjustmentGroup", n)
    call.effect("setInventory", group_id, key=key)
    group = {**content, "id": group_id, "createdAt": moment(call.now)}
    return {"inventoryAdjustmentGroup": group, "userErrors": []}


def locations(call: Call, arguments: Json) -> Json:
    """Places that hold stock."""
    rows = data.everything(call, "location")
    return data.page(rows, arguments, lambda one: {**one, "id": gid("Location", one["n"]), "isActive": True})


def publications(call: Call, arguments: Json) -> Json:
    """Sales channels."""
    rows = data.everything(call, "publication")
    return data.page(rows, arguments, lambda one: {**one, "id": gid("Publication", one["n"])})
