"""What can be done with Shopify's discount codes? A code is unique in the shop, whatever its case."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.sandbox import shopify_data as data
from connectors.sandbox.platform import Call
from connectors.sandbox.shopify_data import gid, moment, problem, seconds
from connectors.sandbox.shopify_schema import Json

KIND = "discount"
_IN = "basicCodeDiscount"
_BOTH = "MINIMUM_SUBTOTAL_AND_QUANTITY_RANGE_BOTH_PRESENT"


def _content(call: Call, one: Json) -> Json:
    """A discount as the API shows it."""
    starts, ends = seconds(one["startsAt"]), one.get("endsAt")
    over = ends is not None and seconds(ends) <= call.now
    return {
        **one,
        "__typename": "DiscountCodeBasic",
        "status": "EXPIRED" if over else "SCHEDULED" if starts > call.now else "ACTIVE",
        "createdAt": moment(one["created"]),
        "asyncUsageCount": 0,
        "codes": lambda _info, **_arguments: {"nodes": [{"code": one["code"]}]},
    }


def node(call: Call, one: Json) -> Json:
    """A discount's node."""
    return {"id": gid("DiscountCodeNode", one["n"]), "codeDiscount": _content(call, one)}


def _find(call: Call, discount_id: str) -> Json | None:
    return data.by_number(call, KIND, data.number(discount_id, "DiscountCodeNode", "DiscountNode"))


def _same_code(call: Call, code: str) -> Json | None:
    return data.by_name(call, KIND, code.lower())


def create(call: Call, arguments: Json) -> Json:
    """Make a code."""
    given = arguments[_IN]
    errors = [*_missing(given), *_wrong(call, given, besides=None)]
    if errors:
        return {"codeDiscountNode": None, "userErrors": errors}
    content = {"usageLimit": None, "endsAt": None, **given, "created": call.now}
    n = data.insert(call.db, KIND, given["code"].lower(), content, visible_at=call.visible_at)
    call.effect("createDiscountCode", gid("DiscountCodeNode", n), key=given["code"], text=given["title"])
    return {"codeDiscountNode": node(call, {**content, "n": n}), "userErrors": []}


def _missing(given: Json) -> Iterator[Json]:
    for name in ("title", "code"):
        if not (given.get(name) or "").strip():
            yield problem(f"{name} can't be blank", _IN, name, code="BLANK")
    for name in ("startsAt", "context", "customerGets"):
        if given.get(name) is None:
            yield problem(f"{name} can't be blank", _IN, name, code="BLANK")
    gets = given.get("customerGets") or {}
    for name in ("value", "items"):
        if given.get("customerGets") is not None and gets.get(name) is None:
            yield problem(f"{name} can't be blank", _IN, "customerGets", name, code="BLANK")


def _wrong(call: Call, given: Json, *, besides: int | None) -> Iterator[Json]:
    code = given.get("code")
    taken = _same_code(call, code) if code else None
    if taken is not None and taken["n"] != besides:
        yield problem("Code must be unique. Please try a different code.", _IN, "code", code="TAKEN")
    if code and len(code) > 255:
        yield problem("Code is too long", _IN, "code", code="TOO_LONG")
    if given.get("startsAt") and given.get("endsAt") and seconds(given["endsAt"]) <= seconds(given["startsAt"]):
        yield problem("Ends before it starts", _IN, "endsAt", code="END_DATE_BEFORE_START_DATE")
    if given.get("usageLimit") is not None and given["usageLimit"] < 1:
        yield problem("Must be greater than 0", _IN, "usageLimit", code="GREATER_THAN")
    minimum = given.get("minimumRequirement") or {}
    if minimum.get("subtotal") and minimum.get("quantity"):
        yield problem("Only one minimum", _IN, "minimumRequirement", code=_BOTH)
    yield from _value(call, given.get("customerGets") or {})


def _value(call: Call, gets: Json) -> Iterator[Json]:
    value, items = gets.get("value"), gets.get("items")
    if value is not None:
        kinds = [name for name, part in value.items() if part is not None]
        path = (_IN, "customerGets", "value")
        if len(kinds) != 1:
            yield problem("Exactly one value", *path, code="INVALID")
        elif kinds == ["percentage"] and not 0 < value["percentage"] <= 1:
            yield problem("Value must be between 0.0 and 1.0", *path, "percentage", code="VALUE_OUTSIDE_RANGE")
        elif kinds == ["discountAmount"] and float(value["discountAmount"].get("amount") or 0) <= 0:
            yield problem("Must be greater than 0", *path, "discountAmount", "amount", code="GREATER_THAN")
    if items is not None:
        products = (items.get("products") or {}).get("productsToAdd") or []
        known = {gid("Product", one["n"]) for one in data.everything(call, "product", hidden=True)}
        if [one for one in products if one not in known]:
            yield problem("Product is invalid", _IN, "customerGets", "items", "products", code="INVALID")
        if not any(items.values()):
            yield problem("Applies to nothing", _IN, "customerGets", "items", code="APPLIES_ON_NOTHING")


def change(call: Call, arguments: Json) -> Json:
    """Change a code; what is left out stays."""
    found = _find(call, arguments["id"])
    if found is None:
        return {"codeDiscountNode": None, "userErrors": [_gone()]}
    given = arguments[_IN]
    errors = [*_wrong(call, {**_dates(found), **given}, besides=found["n"])]
    if errors:
        return {"codeDiscountNode": None, "userErrors": errors}
    content = {**found, **given}
    data.update(call, found["n"], content, name=content["code"].lower())
    call.effect("updateDiscountCode", gid("DiscountCodeNode", found["n"]), key=content["code"])
    return {"codeDiscountNode": node(call, content), "userErrors": []}


def _dates(found: Json) -> Json:
    return {name: found.get(name) for name in ("startsAt", "endsAt")}


def _gone() -> Json:
    return problem("Code discount does not exist.", "id", code="INVALID")


def deactivate(call: Call, arguments: Json) -> Json:
    """End a code now."""
    found = _find(call, arguments["id"])
    if found is None:
        return {"codeDiscountNode": None, "userErrors": [_gone()]}
    content = {**found, "endsAt": moment(call.now)}
    data.update(call, found["n"], content)
    call.effect("deactivateDiscountCode", gid("DiscountCodeNode", found["n"]), key=found["code"])
    return {"codeDiscountNode": node(call, content), "userErrors": []}


def delete(call: Call, arguments: Json) -> Json:
    """Delete a code."""
    found = _find(call, arguments["id"])
    if found is None:
        return {"deletedCodeDiscountId": None, "userErrors": [_gone()]}
    data.remove(call, found["n"])
    call.effect("deleteDiscountCode", gid("DiscountCodeNode", found["n"]), key=found["code"])
    return {"deletedCodeDiscountId": gid("DiscountCodeNode", found["n"]), "userErrors": []}


def find_by_code(call: Call, arguments: Json) -> Json | None:
    """A discount by its code, whatever the case."""
    found = _same_code(call, arguments["code"])
    return None if found is None else node(call, found)


def find(call: Call, arguments: Json) -> Json | None:
    """A discount by its id."""
    found = _find(call, arguments["id"])
    return None if found is None else _listed(call, found)


def _listed(call: Call, one: Json) -> Json:
    return {"id": gid("DiscountCodeNode", one["n"]), "discount": _content(call, one)}


def listing(call: Call, arguments: Json) -> Json:
    """Discounts by their titles, states and codes."""
    terms: dict[str, Any] = {
        "method": lambda _one: "code",
        "title": lambda one: one["title"],
        "code": lambda one: one["code"],
        "status": lambda one: _content(call, one)["status"],
        "created_at": lambda one: float(one["created"]),
        "starts_at": lambda one: seconds(one["startsAt"]),
    }
    rows = [one for one in data.everything(call, KIND) if data.matches(arguments.get("query"), one, terms)]
    return data.page(rows, arguments, lambda one: _listed(call, one))
