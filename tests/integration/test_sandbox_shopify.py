"""The sandbox's Shopify is as strict as the real one: its schema, its scopes, its codes, its points, its storage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

import jsonschema_rs
import pytest
import requests

from tests.unit.sandbox.process import Box, running

SET = """mutation ($identifier: ProductSetIdentifiers, $input: ProductSetInput!, $synchronous: Boolean) {
  productSet(identifier: $identifier, input: $input, synchronous: $synchronous) {
    product { id handle title variants(first: 9) { nodes { id title price sku } } }
    productSetOperation { id status }
    userErrors { code field message }
  }
}"""
CREATE = """mutation ($product: ProductCreateInput!) {
  productCreate(product: $product) { product { id handle } userErrors { field message } }
}"""
DISCOUNT = """mutation ($it: DiscountCodeBasicInput!) {
  discountCodeBasicCreate(basicCodeDiscount: $it) {
    codeDiscountNode { id codeDiscount { ... on DiscountCodeBasic { status } } }
    userErrors { code field message }
  }
}"""
STOCK = """mutation ($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id }
    userErrors { code }
  }
}"""
SIZES = [{"name": "Size", "position": 1, "values": [{"name": "S"}, {"name": "L"}]}]


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


@pytest.fixture
def box_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("moved")) as found:
        yield found


def data(answer: requests.Response) -> Any:
    """What the only field of the answer holds."""
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert "errors" not in body, body
    ((_, found),) = body["data"].items()
    return found


def code(answer: requests.Response) -> str:
    """The code of the answer's only error."""
    (error,) = answer.json()["errors"]
    return str(error["extensions"]["code"])


def codes(payload: dict[str, Any]) -> list[str]:
    return [error["code"] for error in payload["userErrors"]]


def size(name: str, **more: Any) -> dict[str, Any]:
    return {"optionValues": [{"optionName": "Size", "name": name}], **more}


def test_a_document_is_checked_against_the_schema(box: Box) -> None:
    assert code(box.shop("{ shop { id nope } }")) == "undefinedField"
    assert code(box.shop("{ products(first: 1, sortKey: NOPE) { nodes { id } } }")) == "argumentLiteralsIncompatible"
    assert box.shop("{ shop { id ").json()["errors"][0]["locations"]
    for variables in ({}, {"product": {}, "other": 1}, {"product": {"titel": "x"}}, {"product": {"status": "HIDDEN"}}):
        answer = box.shop(CREATE, **variables)
        if variables.get("product") == {}:
            assert "blank" in data(answer)["userErrors"][0]["message"]
        else:
            assert code(answer) == "INVALID_VARIABLE"
    identifier = {"handle": "a", "id": "gid://shopify/Product/1"}
    assert code(box.shop(SET, identifier=identifier, input={"title": "x"})) == "INVALID_VARIABLE"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("startsAt", "tomorrow"),
        ("startsAt", "2026-11-25T08:00:00"),
        ("usageLimit", "many"),
        ("minimumRequirement", {"subtotal": {"greaterThanOrEqualToSubtotal": "9,90"}}),
        ("minimumRequirement", {"subtotal": {"greaterThanOrEqualToSubtotal": True}}),
        ("minimumRequirement", {"quantity": {"greaterThanOrEqualToQuantity": -1}}),
    ],
)
def test_a_scalar_of_the_wrong_form_is_refused(box: Box, kind: str, value: Any) -> None:
    assert code(box.shop(DISCOUNT, it={kind: value})) == "INVALID_VARIABLE"


def test_a_token_is_needed_and_its_scopes_count(box: Box) -> None:
    answer = box.shop("{ shop { id } }", token="shpat_none")
    assert (answer.status_code, answer.json()["errors"][:25]) == (401, "[API] Invalid API key or ")
    token = box.shopify["limited_credential"]["access_token"]
    assert code(box.shop("{ orders(first: 1) { nodes { id } } }", token=token)) == "ACCESS_DENIED"
    assert box.shop("{ products(first: 1) { nodes { id } } }", token=token).json()["data"]["products"]


def test_a_request_outside_the_envelope_is_refused(box: Box) -> None:
    headers = {"X-Shopify-Access-Token": box.shopify["credential"]["access_token"]}
    url = f"{box.url}/{box.shopify['account']}/admin/api"

    def post(path: str, **content: Any) -> requests.Response:
        return box.http.post(f"{url}/{path}", headers=headers, timeout=10, **content)

    assert post("2026-10/graphql.json", json={"variables": {}}).status_code == 400
    assert post("2026-10/graphql.json", json={"query": "{ shop { id } }", "extra": 1}).status_code == 400
    assert post("2026-10/graphql.json", data={"query": "{ shop { id } }"}).status_code == 406
    assert post("2019-01/graphql.json", json={"query": "{ shop { id } }"}).status_code == 404
    assert post("2026-10/products.json", json={}).status_code == 404
    answer = post("2026-07/graphql.json", json={"query": "{ shop { id } }"})
    assert answer.headers["X-Shopify-API-Version"] == "2026-07"


def test_every_answer_says_what_it_cost_and_keeps_the_contract(box: Box) -> None:
    answer = box.shop("{ products(first: 100) { nodes { id title } } }").json()
    cost = answer["extensions"]["cost"]
    assert cost["requestedQueryCost"] == cost["actualQueryCost"] > 10
    spec = json.loads(resources.files("connectors.specs").joinpath("shopify.json").read_text())
    schema = spec["paths"]["/admin/api/{version}/graphql.json"]["post"]["responses"]["200"]["content"]
    for body in (answer, box.shop("{ nope }").json(), box.shop("{ shop { id } }").json()):
        jsonschema_rs.validate(schema["application/json"]["schema"], body)
    deep = "nodes { id variants(first: 250) { nodes { id inventoryItem { id } } } }"
    parts = " ".join(f"p{number}: products(first: 250) {{ {deep} }}" for number in range(9))
    assert code(box.shop(f"{{ {parts} }}")) == "MAX_COST_EXCEEDED"


def test_an_empty_bucket_throttles_with_status_200_until_it_is_restored(box: Box) -> None:
    token = box.shopify["slow_credential"]["access_token"]

    def ask() -> requests.Response:
        return box.shop("{ products(first: 250) { nodes { id } } }", token=token)

    answers = [ask() for _ in range(20)]
    throttled = next(one for one in answers if "errors" in one.json())
    assert (throttled.status_code, code(throttled)) == (200, "THROTTLED")
    status = throttled.json()["extensions"]["cost"]["throttleStatus"]
    assert (status["maximumAvailable"], status["restoreRate"]) == (100.0, 10.0)
    box.control("POST", "clock", {"advance_s": 10})
    assert "errors" not in ask().json()


def test_what_is_going_to_be_removed_is_marked_in_the_header(box: Box) -> None:
    given = {"title": "Old", "handle": "old", "id": "gid://shopify/Product/999999"}
    assert "X-Shopify-API-Deprecated-Reason" not in box.shop(SET, input={"title": "New", "handle": "new"}).headers
    written = SET.replace("input: $input", 'input: {title: "Old", id: "gid://shopify/Product/9"}')
    written = written.replace(", $input: ProductSetInput!", "")
    assert given["title"] in written
    assert "X-Shopify-API-Deprecated-Reason" in box.shop(written).headers


def test_a_handle_is_made_or_changed_and_a_created_one_gets_a_number(box: Box) -> None:
    before = box.last_effect()
    wanted = {
        "title": "Shoe",
        "handle": "shoe",
        "productOptions": SIZES,
        "variants": [size("S", price="9.9"), size("L")],
    }
    made = data(box.shop(SET, identifier={"handle": "shoe"}, input=wanted))["product"]
    again = data(box.shop(SET, identifier={"handle": "shoe"}, input={**wanted, "variants": [size("S")]}))["product"]
    assert (again["id"], len(made["variants"]["nodes"])) == (made["id"], 2)
    assert again["variants"]["nodes"] == made["variants"]["nodes"][:1]
    assert made["variants"]["nodes"][0]["price"] == "9.90"
    created = data(box.shop(CREATE, product={"title": "Shoe", "handle": "shoe"}))["product"]
    assert created["handle"] == "shoe-1"
    actions = [(one["action"], one["key"]) for one in box.effects("shopify", since_id=before)]
    assert actions == [("syncProductFeed", "shoe"), ("syncProductFeed", "shoe"), ("createProduct", "shoe-1")]


def test_a_product_is_found_by_a_unique_metafield(box: Box) -> None:
    mark = {"namespace": "feed", "key": "sku", "value": "K-1"}
    assert codes(data(box.shop(SET, identifier={"customId": mark}, input={"title": "K"}))) == ["METAFIELD_MISMATCH"]
    wanted = {"title": "K", "handle": "k", "metafields": [mark]}
    first, second = (data(box.shop(SET, identifier={"customId": mark}, input=wanted)) for _ in range(2))
    assert first["product"]["id"] == second["product"]["id"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"title": " "}, "MISSING_FIELD_REQUIRED"),
        ({"variants": [size("S")]}, "PRODUCT_OPTIONS_INPUT_MISSING"),
        ({"productOptions": SIZES}, "VARIANTS_INPUT_MISSING"),
        ({"productOptions": SIZES, "variants": [size("XL")]}, "OPTION_VALUE_DOES_NOT_EXIST"),
        ({"productOptions": SIZES, "variants": [size("S"), size("S")]}, "INVALID_VARIANT"),
        ({"productOptions": SIZES, "variants": [size("S", price="-1")]}, "INVALID_VARIANT"),
        ({"productOptions": SIZES, "variants": [{"optionValues": []}]}, "OPTION_VALUES_MISSING"),
        ({"productOptions": SIZES * 2, "variants": [size("S")]}, "DUPLICATED_OPTION_NAME"),
    ],
)
def test_a_product_that_breaks_a_rule_is_refused_with_its_code(box: Box, given: dict[str, Any], expected: str) -> None:
    before = box.last_effect()
    refused = data(box.shop(SET, identifier={"handle": "broken"}, input={"title": "Broken", **given}))
    assert expected in codes(refused)
    assert refused["product"] is None
    assert box.last_effect() == before


def test_an_asynchronous_set_is_over_a_moment_later(box: Box) -> None:
    begun = data(box.shop(SET, identifier={"handle": "later"}, input={"title": "Later"}, synchronous=False))
    assert begun["product"] is None
    ask = "query ($id: ID!) { productOperation(id: $id) { status product { handle } } }"
    operation = begun["productSetOperation"]["id"]
    assert data(box.shop(ask, id=operation)) == {"status": "CREATED", "product": None}
    box.control("POST", "clock", {"advance_s": 5})
    assert data(box.shop(ask, id=operation)) == {"status": "COMPLETE", "product": {"handle": "later"}}


def test_what_is_not_shown_yet_is_missing_in_lists_only(box: Box) -> None:
    box.fault("delayed_visibility", connector="shopify", operation="productSet", times=1, seconds=60)
    data(box.shop(SET, identifier={"handle": "hidden"}, input={"title": "Hidden"}))
    listed = '{ products(first: 5, query: "handle:hidden") { nodes { handle } } }'
    assert data(box.shop(listed))["nodes"] == []
    assert data(box.shop('{ productByIdentifier(identifier: {handle: "hidden"}) { title } }')) == {"title": "Hidden"}
    box.control("POST", "clock", {"advance_s": 61})
    assert data(box.shop(listed))["nodes"] == [{"handle": "hidden"}]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"title": ""}, "BLANK"),
        ({"context": None}, "BLANK"),
        ({"code": "x" * 256}, "TOO_LONG"),
        ({"endsAt": "2026-01-01T00:00:00Z"}, "END_DATE_BEFORE_START_DATE"),
        ({"usageLimit": 0}, "GREATER_THAN"),
        ({"customerGets": {"items": {"all": True}, "value": {"percentage": 20.0}}}, "VALUE_OUTSIDE_RANGE"),
        ({"customerGets": {"items": {}, "value": {"percentage": 0.2}}}, "APPLIES_ON_NOTHING"),
        ({"customerGets": {"items": {"all": True}, "value": {}}}, "INVALID"),
    ],
)
def test_a_code_that_breaks_a_rule_is_refused_with_its_code(box: Box, changes: dict[str, Any], expected: str) -> None:
    assert codes(data(box.shop(DISCOUNT, it={**_discount("BROKEN"), **changes}))) == [expected]


def test_a_code_is_taken_whatever_its_case_and_free_when_deleted(box: Box) -> None:
    made = data(box.shop(DISCOUNT, it=_discount("Spring")))["codeDiscountNode"]
    assert made["codeDiscount"]["status"] == "ACTIVE"
    assert codes(data(box.shop(DISCOUNT, it=_discount("SPRING")))) == ["TAKEN"]
    delete = "mutation ($id: ID!) { discountCodeDelete(id: $id) { deletedCodeDiscountId userErrors { code } } }"
    assert data(box.shop(delete, id=made["id"]))["deletedCodeDiscountId"] == made["id"]
    assert codes(data(box.shop(delete, id=made["id"]))) == ["INVALID"]
    late = {**_discount("SPRING"), "startsAt": "2099-01-01T00:00:00Z"}
    assert data(box.shop(DISCOUNT, it=late))["codeDiscountNode"]["codeDiscount"]["status"] == "SCHEDULED"


def _discount(name: str) -> dict[str, Any]:
    gets = {"items": {"all": True}, "value": {"percentage": 0.2}}
    return {
        "title": "Spring",
        "code": name,
        "startsAt": "2026-11-01T00:00:00Z",
        "context": {"all": "ALL"},
        "customerGets": gets,
    }


def test_stock_needs_a_key_and_what_it_was_and_a_key_is_kept_for_a_day(box_of_its_own: Box) -> None:
    box = box_of_its_own
    wanted = {"title": "Box", "productOptions": SIZES[:1], "variants": [size("S", sku="B-1")]}
    data(box.shop(SET, identifier={"handle": "stock"}, input=wanted))
    find = '{ productVariants(first: 1, query: "sku:B-1") { nodes { inventoryItem { id } inventoryQuantity } } }'
    item = data(box.shop(find))["nodes"][0]["inventoryItem"]["id"]
    place = box.shopify["locations"]["Berlin"]

    def put(key: str, quantity: int, **more: Any) -> dict[str, Any]:
        one = {"inventoryItemId": item, "locationId": place, "quantity": quantity, **more}
        given = {"name": "available", "reason": "correction", "quantities": [one]}
        found: dict[str, Any] = data(box.shop(STOCK, input=given, key=key))
        return found

    without = STOCK.replace("@idempotent(key: $key)", "").replace(", $key: String!", "")
    assert code(box.shop(without, input={"name": "available", "reason": "other", "quantities": []})) == "BAD_REQUEST"
    assert codes(put("k-1", 5)) == ["COMPARE_QUANTITY_REQUIRED"]
    first = put("k-2", 5, changeFromQuantity=0)
    assert put("k-2", 5, changeFromQuantity=0) == first
    assert codes(put("k-2", 6, changeFromQuantity=0)) == ["IDEMPOTENCY_KEY_PARAMETER_MISMATCH"]
    assert codes(put("k-3", 6, changeFromQuantity=0)) == ["CHANGE_FROM_QUANTITY_STALE"]
    assert len(box.effects("shopify")) == 2
    box.control("POST", "clock", {"advance_s": 80_000})
    assert put("k-2", 5, changeFromQuantity=0) == first
    assert data(box.shop(find))["nodes"][0]["inventoryQuantity"] == 5


def test_faults_are_set_for_a_field_of_the_schema(box: Box) -> None:
    box.fault("error_500_before", connector="shopify", operation="productByIdentifier", times=1)
    assert box.shop("{ shop { id } }").status_code == 200
    assert box.shop('{ productByIdentifier(identifier: {handle: "x"}) { id } }').status_code == 500
    refused = box.control("POST", "faults", {"kind": "latency", "connector": "shopify", "operation": "x"}, status=400)
    assert "productSet" in refused["message"]
