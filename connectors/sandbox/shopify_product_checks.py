"""Which products does Shopify refuse? The rules of productSet, each with its code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.sandbox import shopify_data as data
from connectors.sandbox.platform import Call
from connectors.sandbox.shopify_data import gid, problem
from connectors.sandbox.shopify_schema import Json

_MOST_VARIANTS = 2048
_MOST_OPTIONS = 3
_MOST_QUANTITIES = 50_000


def mark(metafield: Json) -> list[Any]:
    """What makes a metafield unique."""
    return [metafield.get("namespace"), metafield.get("key"), metafield.get("value")]


def of_set(call: Call, identifier: Json, given: Json, old: Json | None) -> list[Json]:
    """Everything that is wrong with a productSet."""
    return [*_identity(call, identifier, given, old), *_variants(call, given)]


def _identity(call: Call, identifier: Json, given: Json, old: Json | None) -> Iterator[Json]:
    if "id" in identifier and old is None:
        yield problem("Product does not exist", "identifier", "id", code="PRODUCT_DOES_NOT_EXIST")
    if "customId" in identifier:
        marks = [mark(one) for one in given.get("metafields") or []]
        if mark(identifier["customId"]) not in marks:
            yield problem("Metafield is missing", "input", "metafields", code="METAFIELD_MISMATCH")
    if old is None and not (given.get("title") or "").strip():
        yield problem("Title can't be blank", "input", "title", code="MISSING_FIELD_REQUIRED")
    handle = given.get("handle")
    other = data.by_name(call, "product", handle) if handle else None
    if other is not None and (old is None or other["n"] != old["n"]):
        yield problem(f"Handle '{handle}' already in use", "input", "handle", code="HANDLE_NOT_UNIQUE")


def _variants(call: Call, given: Json) -> Iterator[Json]:
    options, variants = given.get("productOptions"), given.get("variants")
    if variants and not options:
        yield problem("Options are missing", "input", "productOptions", code="PRODUCT_OPTIONS_INPUT_MISSING")
    elif options and not variants:
        yield problem("Variants are missing", "input", "variants", code="VARIANTS_INPUT_MISSING")
    elif options and variants:
        yield from _sizes(options, variants)
        yield from _values(options, variants)
        yield from _stock(call, variants)


def _sizes(options: list[Json], variants: list[Json]) -> Iterator[Json]:
    if len(options) > _MOST_OPTIONS:
        yield problem("Over the limit of 3 options", "input", "productOptions", code="OPTIONS_OVER_LIMIT")
    if len(variants) > _MOST_VARIANTS:
        yield problem("Over the limit of variants", "input", "variants", code="VARIANTS_OVER_LIMIT")
    if sum(len(one.get("inventoryQuantities") or []) for one in variants) > _MOST_QUANTITIES:
        yield problem("Too many quantities", "input", "variants", code="INVENTORY_QUANTITIES_LIMIT_EXCEEDED")
    names = [one.get("name") for one in options]
    if len(set(names)) < len(names):
        yield problem("Option names repeat", "input", "productOptions", code="DUPLICATED_OPTION_NAME")


def _values(options: list[Json], variants: list[Json]) -> Iterator[Json]:
    known = {one.get("name"): [value.get("name") for value in one.get("values") or []] for one in options}
    seen: set[tuple[Any, ...]] = set()
    for position, variant in enumerate(variants):
        path = ("input", "variants", str(position), "optionValues")
        chosen = {one.get("optionName"): one.get("name") for one in variant["optionValues"]}
        if set(known) - set(chosen):
            yield problem("Option values are missing", *path, code="OPTION_VALUES_MISSING")
        for name, value in chosen.items():
            if name not in known:
                yield problem("Option does not exist", *path, code="OPTION_DOES_NOT_EXIST")
            elif value not in known[name]:
                yield problem("Option value does not exist", *path, code="OPTION_VALUE_DOES_NOT_EXIST")
        values = tuple(chosen.values())
        if values in seen:
            yield problem("The variant exists already", *path, code="INVALID_VARIANT")
        seen.add(values)


def _stock(call: Call, variants: list[Json]) -> Iterator[Json]:
    places = {gid("Location", one["n"]) for one in data.everything(call, "location")}
    for position, variant in enumerate(variants):
        for one in variant.get("inventoryQuantities") or []:
            path = ("input", "variants", str(position), "inventoryQuantities")
            if one["locationId"] not in places or one["name"] not in ("available", "on_hand"):
                yield problem("Location or quantity name is unknown", *path, code="INVALID_VARIANT")
        if variant.get("price") is not None and float(variant["price"]) < 0:
            yield problem("Price is negative", "input", "variants", str(position), "price", code="INVALID_VARIANT")
