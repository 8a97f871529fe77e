"""Is every documented error of Shopify classed by what may be done next, whichever of its three layers it comes in?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import responses

from connectors.kit.errors import (
    AuthExpired,
    ConnectorError,
    GrantDead,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Permission,
    PolicyRejected,
    RateLimited,
    Unavailable,
)
from connectors.kit.oauth import OAuth
from connectors.registry import action, connector
from connectors.shopify.admin import ShopifyCredential
from tests.contract.memory_ledger import MemoryLedger
from tests.unit.connectors.calls import APP_SECRET, SHOP, SHOP_TOKEN, call
from tests.unit.connectors.wire_shopify import API, BULK, DISCOUNT, ITEM, LIST, PLACE, PRODUCT, done, said

TOKENS = f"https://{SHOP}/admin/oauth/access_token"
TITLE = "Secret offer of Ana"
SET = {"quantities": [{"inventory_item_id": ITEM, "location_id": PLACE, "quantity": 7}]}
CODE = {"code": "ANA-7", "title": TITLE, "starts_at": "2026-11-20T00:00:00Z", "percent_off": 20}

# The class for a mutation, and for a read.
STATUSES: list[tuple[int, type[ConnectorError], type[ConnectorError]]] = [
    (400, InvalidRequest, InvalidRequest),
    (401, AuthExpired, AuthExpired),
    (402, PolicyRejected, PolicyRejected),
    (403, Permission, Permission),
    (404, NotFound, NotFound),
    (406, InvalidRequest, InvalidRequest),
    (408, OutcomeUnknown, Unavailable),
    (414, InvalidRequest, InvalidRequest),
    (423, PolicyRejected, PolicyRejected),
    (429, RateLimited, RateLimited),
    (500, OutcomeUnknown, Unavailable),
    (502, OutcomeUnknown, Unavailable),
    (503, OutcomeUnknown, Unavailable),
    (504, OutcomeUnknown, Unavailable),
]
DOCUMENT: list[tuple[str | None, type[ConnectorError], type[ConnectorError]]] = [
    ("THROTTLED", RateLimited, RateLimited),
    ("ACCESS_DENIED", Permission, Permission),
    ("SHOP_INACTIVE", PolicyRejected, PolicyRejected),
    ("MAX_COST_EXCEEDED", InvalidRequest, InvalidRequest),
    ("INTERNAL_SERVER_ERROR", OutcomeUnknown, Unavailable),
    ("INVALID_VARIABLE", InvalidRequest, InvalidRequest),
    ("undefinedField", InvalidRequest, InvalidRequest),
    ("NEW_IN_2028", OutcomeUnknown, Unavailable),
    (None, InvalidRequest, InvalidRequest),
]
USER: list[tuple[str | None, type[ConnectorError]]] = [
    ("BLANK", InvalidRequest),
    ("INVALID", InvalidRequest),
    ("TOO_LONG", InvalidRequest),
    ("INCLUSION", InvalidRequest),
    ("MISSING_ARGUMENT", InvalidRequest),
    ("VALUE_OUTSIDE_RANGE", InvalidRequest),
    ("DUPLICATE", InvalidRequest),
    ("HANDLE_NOT_UNIQUE", InvalidRequest),
    ("CHANGE_FROM_QUANTITY_STALE", InvalidRequest),
    ("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", InvalidRequest),
    ("INVALID_INVENTORY_ITEM", InvalidRequest),
    ("NOT_FOUND", NotFound),
    ("PRODUCT_DOES_NOT_EXIST", NotFound),
    ("MAX_APP_DISCOUNTS", PolicyRejected),
    ("PRODUCT_SUSPENDED", PolicyRejected),
    ("LIMIT_REACHED", RateLimited),
    ("OPERATION_IN_PROGRESS", RateLimited),
    ("IDEMPOTENCY_CONCURRENT_REQUEST", OutcomeUnknown),
    ("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", Unavailable),
    ("INTERNAL_ERROR", OutcomeUnknown),
    ("GENERIC_ERROR", OutcomeUnknown),
    ("JOB_ERROR", OutcomeUnknown),
    ("INTERNAL_FILE_SERVER_ERROR", OutcomeUnknown),
    (None, InvalidRequest),
]


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as found:
        yield found


def perform(name: str, ledger: MemoryLedger | None = None, /, **given: Any) -> Any:
    found = action(f"shopify.{name}")
    return found.perform(call("shopify", ledger), found.input.model_validate(given))


def deactivate() -> Any:
    return perform("deactivateDiscountCode", id=DISCOUNT)


def bodies(mock: responses.RequestsMock) -> list[dict[str, Any]]:
    """What was sent, as JSON."""
    return [json.loads(made.request.body or b"") for made in mock.calls]


def errors(code: str | None, **more: Any) -> dict[str, Any]:
    said_so: dict[str, Any] = {"message": f"{TITLE} is not what we like"}
    return {"errors": [said_so if code is None else {**said_so, "extensions": {"code": code}}], **more}


def refused(field: str, *codes: str | None) -> dict[str, Any]:
    rows = [{"code": code, "field": ["input", "title"], "message": f"{TITLE} is wrong"} for code in codes]
    return {"data": {field: {"codeDiscountNode": None, "userErrors": rows}}}


@pytest.mark.parametrize(("status", "of_change", "of_read"), STATUSES)
def test_every_status(
    mock: responses.RequestsMock,
    status: int,
    of_change: type[ConnectorError],
    of_read: type[ConnectorError],
) -> None:
    mock.post(API, status=status, json={"errors": TITLE}, headers={"X-Request-Id": "r-1"})
    with pytest.raises(ConnectorError) as changing:
        deactivate()
    with pytest.raises(ConnectorError) as reading:
        perform("listOrders")
    assert (type(changing.value), type(reading.value)) == (of_change, of_read)
    assert (changing.value.http_status, changing.value.request_id) == (status, "r-1")
    assert TITLE not in str(changing.value)
    assert SHOP_TOKEN not in str(changing.value)


@pytest.mark.parametrize(("code", "of_change", "of_read"), DOCUMENT)
def test_every_error_of_a_document(
    mock: responses.RequestsMock,
    code: str | None,
    of_change: type[ConnectorError],
    of_read: type[ConnectorError],
) -> None:
    mock.post(API, json=errors(code))
    with pytest.raises(ConnectorError) as changing:
        deactivate()
    with pytest.raises(ConnectorError) as reading:
        perform("listLocations")
    assert (type(changing.value), type(reading.value)) == (of_change, of_read)
    assert changing.value.code == code
    assert TITLE not in str(changing.value)


@pytest.mark.parametrize(("code", "kind"), USER)
def test_every_user_error(mock: responses.RequestsMock, code: str | None, kind: type[ConnectorError]) -> None:
    mock.post(API, json=refused("discountCodeDeactivate", code))
    with pytest.raises(ConnectorError) as caught:
        deactivate()
    assert type(caught.value) is kind
    assert "(input.title)" in str(caught.value)
    assert TITLE not in str(caught.value)


def test_of_several_user_errors_the_gravest_decides(mock: responses.RequestsMock) -> None:
    mock.post(API, json=refused("discountCodeDeactivate", "BLANK", "GENERIC_ERROR", "NOT_FOUND"))
    with pytest.raises(OutcomeUnknown, match="GENERIC_ERROR"):
        deactivate()


GARBAGE = (
    "<html>Oops</html>",
    "[]",
    "{}",
    '{"data": ',
    '{"data": null}',
    '{"data": {"other": {}}}',
    '{"errors": "x"}',
    '{"errors": [7]}',
    '{"data": {"discountCodeDeactivate": 7}}',
    '{"data": {"discountCodeDeactivate": null}}',
    '{"data": {"discountCodeDeactivate": {"userErrors": [7]}}}',
    '{"errors": [{"extensions": 7}], "data": null}',
)


@pytest.mark.parametrize("body", GARBAGE)
def test_a_yes_that_cannot_be_read_leaves_it_open(mock: responses.RequestsMock, body: str) -> None:
    mock.post(API, body=body)
    with pytest.raises(OutcomeUnknown):
        deactivate()


def test_an_error_below_what_was_done_does_not_undo_it(mock: responses.RequestsMock) -> None:
    denied = {"message": "no", "path": ["discountCodeDeactivate", "x"], "extensions": {"code": "ACCESS_DENIED"}}
    mock.post(API, json={**done("discountCodeDeactivate", codeDiscountNode={"id": DISCOUNT}), "errors": [denied]})
    assert deactivate().id == DISCOUNT


def test_the_time_to_wait_is_what_the_bucket_lacks(mock: responses.RequestsMock) -> None:
    status = {"maximumAvailable": 1000.0, "currentlyAvailable": 40, "restoreRate": 50.0}
    cost = {"cost": {"requestedQueryCost": 140, "actualQueryCost": None, "throttleStatus": status}}
    mock.post(API, json=errors("THROTTLED", extensions=cost))
    with pytest.raises(RateLimited) as caught:
        deactivate()
    assert caught.value.retry_after_s == 2.0


@pytest.mark.parametrize("extensions", [{}, {"cost": 7}, {"cost": {"requestedQueryCost": 1, "throttleStatus": {}}}])
def test_a_bucket_that_says_nothing_is_waited_for_as_usual(mock: responses.RequestsMock, extensions: Any) -> None:
    mock.post(API, json=errors("THROTTLED", extensions=extensions))
    with pytest.raises(RateLimited) as caught:
        deactivate()
    assert caught.value.retry_after_s is None


def test_the_edge_says_how_long_to_wait(mock: responses.RequestsMock) -> None:
    mock.post(API, status=429, json={"errors": "slow down"}, headers={"Retry-After": "2.0"})
    with pytest.raises(RateLimited) as caught:
        deactivate()
    assert caught.value.retry_after_s == 2.0


def test_a_page_that_costs_too_much_is_asked_for_in_half_the_size(mock: responses.RequestsMock) -> None:
    for _ in range(2):
        mock.post(API, json=errors("MAX_COST_EXCEEDED"))
    mock.post(API, json=said("orders", LIST))
    perform("listOrders", first=100)
    assert [sent["variables"]["first"] for sent in bodies(mock)] == [100, 50, 25]


def test_a_code_that_our_own_lost_request_took_is_adopted(mock: responses.RequestsMock) -> None:
    ledger = MemoryLedger()
    mock.post(API, json=refused("discountCodeBasicCreate", "TAKEN"))
    mine = {"id": DISCOUNT, "codeDiscount": {"title": f"{TITLE} [nh:{ledger.key}]", "status": "ACTIVE"}}
    mock.post(API, json=said("codeDiscountNodeByCode", mine))
    found = perform("createDiscountCode", ledger, **CODE)
    assert (found.id, found.title, found.effect_id) == (DISCOUNT, TITLE, ledger.key)


def test_a_code_that_is_taken_by_nobody_knows_whom_leaves_it_open(mock: responses.RequestsMock) -> None:
    mock.post(API, json=refused("discountCodeBasicCreate", "TAKEN"))
    mock.post(API, status=503)
    with pytest.raises(OutcomeUnknown, match="perhaps by this run"):
        perform("createDiscountCode", **CODE)


def test_a_product_that_shows_late_is_adopted_by_the_repeat(mock: responses.RequestsMock) -> None:
    ledger = MemoryLedger()
    ledger.sent()
    late = {"id": PRODUCT, "handle": "box", "title": TITLE, "createdAt": datetime.now(UTC).isoformat()}
    mock.post(API, json=said("productByIdentifier", late))
    assert perform("createProduct", ledger, title=TITLE, handle="box").id == PRODUCT
    assert {sent["operationName"] for sent in bodies(mock)} == {"FindProduct"}


def test_a_key_whose_attempt_failed_is_followed_by_the_next(mock: responses.RequestsMock) -> None:
    ledger = MemoryLedger()
    mock.post(API, json=refused("inventorySetQuantities", "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"))
    mock.post(API, json=done("inventorySetQuantities", inventoryAdjustmentGroup={"id": "g-1", "reason": "other"}))
    assert perform("setInventory", ledger, **SET).id == "g-1"
    assert [sent["variables"]["key"] for sent in bodies(mock)] == [ledger.key, f"{ledger.key}-2"]


def test_a_mutation_that_does_not_say_what_it_made_leaves_it_open(mock: responses.RequestsMock) -> None:
    mock.post(API, json=done("productCreate", product={"id": PRODUCT}))
    with pytest.raises(OutcomeUnknown, match="without what it made"):
        perform("createProduct", title=TITLE)


def test_a_result_kept_elsewhere_is_not_fetched(mock: responses.RequestsMock) -> None:
    ledger = MemoryLedger()
    ledger.results = {"stage": "tmp/1", "run": {"operation_id": BULK}}
    mock.post(API, json=said("bulkOperation", {"id": BULK, "status": "COMPLETED", "url": "https://evil.example/x"}))
    feed = [{"handle": f"box-{number}", "title": "Box"} for number in range(101)]
    with pytest.raises(OutcomeUnknown, match="not where Shopify keeps results"):
        perform("syncProductFeed", ledger, products=feed)


@pytest.mark.parametrize("targets", [None, [], [7], [{}], [{"url": 7, "parameters": [{"name": "key"}]}]])
def test_a_place_for_a_file_that_cannot_be_read_is_asked_for_again(mock: responses.RequestsMock, targets: Any) -> None:
    mock.post(API, json=done("stagedUploadsCreate", stagedTargets=targets))
    feed = [{"handle": f"box-{number}", "title": "Box"} for number in range(101)]
    with pytest.raises(Unavailable, match="without a place"):
        perform("syncProductFeed", products=feed)


def test_another_version_than_ours_is_told_by_the_check(mock: responses.RequestsMock) -> None:
    shop = {"name": "Spring Shoes", "currencyCode": "EUR", "myshopifyDomain": SHOP}
    mock.post(API, json=said("shop", shop), headers={"X-Shopify-API-Version": "2027-01"})
    with pytest.raises(InvalidRequest, match="2027-01, not 2026-10"):
        connector("shopify").test(call("shopify"))


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": "invalid_grant"}, GrantDead),
        (400, {"error": "invalid_request"}, InvalidRequest),
        (400, {"error": "application_cannot_be_found"}, Permission),
        (400, {"error": "shop_not_permitted"}, Permission),
        (401, {"error": "invalid_client"}, Permission),
        (429, {}, RateLimited),
        (500, {"error": "x"}, Unavailable),
        (200, {"scope": "read_products"}, Unavailable),
    ],
)
def test_every_error_of_the_token_endpoint(
    mock: responses.RequestsMock, status: int, body: dict[str, Any], kind: type[ConnectorError]
) -> None:
    mock.post(TOKENS, status=status, json=body)
    oauth, made = _oauth()
    with pytest.raises(ConnectorError) as caught:
        oauth.refresh(made.http, made.credential_as(ShopifyCredential))
    assert type(caught.value) is kind
    assert APP_SECRET not in str(caught.value)


def test_an_app_of_the_shops_own_needs_nobodys_consent(mock: responses.RequestsMock) -> None:
    mock.post(TOKENS, json={"access_token": "new", "scope": "write_products", "expires_in": 86399})
    oauth, made = _oauth()
    renewed = oauth.refresh(made.http, made.credential_as(ShopifyCredential))
    assert (renewed.scopes, renewed.shop) == (("write_products",), SHOP)
    assert "read_products" not in oauth.missing(renewed)
    assert "read_orders" in oauth.missing(renewed)
    assert oauth.renews(renewed)
    oauth.exchange(made.http, renewed, code="c-1", redirect_uri="https://app.example", verifier="v")
    app = {"client_id": "app", "client_secret": APP_SECRET}
    assert bodies(mock) == [{**app, "grant_type": "client_credentials"}, {**app, "code": "c-1", "expiring": "1"}]
    with pytest.raises(GrantDead):
        oauth.refresh(made.http, renewed.model_copy(update={"client_secret": None}))


def _oauth() -> tuple[OAuth, Any]:
    oauth = connector("shopify").oauth
    assert oauth is not None
    return oauth, call("shopify")


def test_no_token_is_sent_before_there_is_one() -> None:
    made = call("shopify")
    made.credential = made.credential_as(ShopifyCredential).model_copy(update={"access_token": None})
    found = action("shopify.listLocations")
    with pytest.raises(AuthExpired, match="no access token"):
        found.perform(made, found.input())


@pytest.mark.parametrize(
    "shop", ["evil.example", "a.myshopify.com.evil.example", "x@a.myshopify.com", "a/b.myshopify.com"]
)
def test_a_token_goes_to_no_other_host_than_a_shops(shop: str) -> None:
    with pytest.raises(ValueError, match="shop"):
        ShopifyCredential.model_validate({"shop": shop, "client_id": "a"})
