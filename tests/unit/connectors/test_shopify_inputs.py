"""What does a Shopify action take? Money as text, one thing where Shopify takes one, documents that fit."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import graphql
import pytest
from pydantic import ValidationError

from connectors import registry
from connectors.shopify.documents import DOCUMENTS
from connectors.shopify.feed import FeedProduct
from tests.unit.connectors.wire_shopify import API, DISCOUNT, ITEM, PLACE, PRODUCT, WIRE

CODE = {"code": "A", "title": "Autumn", "starts_at": "2026-11-20T00:00:00Z"}
OFF = {**CODE, "percent_off": 20}
BOX = {"handle": "box", "title": "Box"}
ONE = {"inventory_item_id": ITEM, "location_id": PLACE, "quantity": 1}
SCHEMA = graphql.build_schema(resources.files("connectors.specs").joinpath("shopify.graphql").read_text("utf-8"))


def product(**changes: Any) -> dict[str, Any]:
    return {"products": [{**BOX, **changes}]}


def variants(*given: dict[str, Any]) -> dict[str, Any]:
    return product(variants=[{"price": "1.00", **one} for one in given])


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("createProduct", {}),
        ("createProduct", {"title": ""}),
        ("createProduct", {"title": "x" * 256}),
        ("createProduct", {"title": "Box", "handle": "With Space"}),
        ("createProduct", {"title": "Box", "tags": ["a,b"]}),
        ("createProduct", {"title": "Box", "status": "HIDDEN"}),
        ("createProduct", {"title": "Box", "media": [{"original_source": "http://a.example/1.png"}]}),
        ("getProduct", {}),
        ("getProduct", {"id": PRODUCT, "handle": "box"}),
        ("getProduct", {"id": "gid://shopify/Order/1"}),
        ("listProducts", {"first": 251}),
        ("publishProduct", {"id": PRODUCT, "publications": []}),
        ("syncProductFeed", {"products": []}),
        ("syncProductFeed", {"products": [BOX, BOX]}),
        ("syncProductFeed", {"products": [{**BOX, "handle": f"box-{number}"} for number in range(5001)]}),
        ("syncProductFeed", variants({"price": "9,90"})),
        ("syncProductFeed", variants({"price": 9.9})),
        ("syncProductFeed", variants({"price": "-1.00"})),
        ("syncProductFeed", variants({"options": {"Size": "S"}}, {"options": {"Color": "Red"}})),
        ("syncProductFeed", variants({"options": {"Size": "S"}}, {"options": {"Size": "S"}})),
        ("syncProductFeed", variants({"options": {"A": "1", "B": "1", "C": "1", "D": "1"}})),
        ("syncProductFeed", variants({}, {})),
        ("syncProductFeed", product(variants=[{"price": "1", "options": {"N": str(n)}} for n in range(2049)])),
        ("setInventory", {"quantities": []}),
        ("setInventory", {"quantities": [ONE, ONE]}),
        ("setInventory", {"quantities": [{**ONE, "quantity": 1.5}]}),
        ("setInventory", {"quantities": [ONE], "reason": "because"}),
        ("createDiscountCode", CODE),
        ("createDiscountCode", {**OFF, "amount_off": "5.00"}),
        ("createDiscountCode", {**CODE, "percent_off": 101}),
        ("createDiscountCode", {**CODE, "percent_off": 0}),
        ("createDiscountCode", {**CODE, "amount_off": 5}),
        ("createDiscountCode", {**OFF, "applies_on_each_item": True}),
        ("createDiscountCode", {**OFF, "ends_at": CODE["starts_at"]}),
        ("createDiscountCode", {**OFF, "starts_at": "2026-11-20T00:00:00"}),
        ("createDiscountCode", {**OFF, "products": [PRODUCT], "collections": ["gid://shopify/Collection/1"]}),
        ("createDiscountCode", {**OFF, "minimum_subtotal": "5.00", "minimum_quantity": 2}),
        ("createDiscountCode", {**OFF, "usage_limit": 0}),
        (
            "createDiscountCode",
            {**OFF, "customers": ["gid://shopify/Customer/1"], "customer_segments": ["gid://shopify/Segment/1"]},
        ),
        ("updateDiscountCode", {"id": DISCOUNT}),
        ("updateDiscountCode", {"id": DISCOUNT, "products": [PRODUCT]}),
        ("getDiscountCode", {"id": DISCOUNT, "code": "A"}),
        ("listOrders", {"updated_since": "2026-11-20"}),
    ],
)
def test_what_shopify_would_refuse_is_not_accepted(name: str, given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        registry.action(f"shopify.{name}").input.model_validate(given)


def test_a_list_that_is_left_out_is_left_as_it_is_and_an_empty_one_is_emptied() -> None:
    assert FeedProduct.model_validate(BOX).fields() == {**BOX, "status": "DRAFT"}
    emptied = FeedProduct.model_validate({**BOX, "tags": [], "collections": [], "pictures": []}).fields()
    assert (emptied["tags"], emptied["collections"], emptied["files"]) == ([], [], [])


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_document_fits_the_schema(name: str) -> None:
    document = graphql.parse(DOCUMENTS[name])
    assert graphql.validate(SCHEMA, document) == []
    (operation,) = document.definitions
    assert isinstance(operation, graphql.OperationDefinitionNode)
    assert operation.name is not None
    assert operation.name.value == name
    assert len(operation.selection_set.selections) == 1


REQUESTS = [one for row in WIRE for one in row[2] if one.url == API]


@pytest.mark.parametrize("sent", REQUESTS, ids=[one.content["operationName"] for one in REQUESTS])
def test_every_request_s_variables_fit_the_schema(sent: Any) -> None:
    document = graphql.parse(sent.content["query"])
    (operation,) = document.definitions
    assert isinstance(operation, graphql.OperationDefinitionNode)
    variables = json.loads(json.dumps(sent.content["variables"]))
    found = graphql.execute_sync(SCHEMA, document, variable_values=variables)
    # Nothing is behind this schema; what could not be read would have been said first.
    assert [error for error in found.errors or [] if error.path is None] == []
    declared = {one.variable.name.value for one in operation.variable_definitions or ()}
    assert set(variables) <= declared
