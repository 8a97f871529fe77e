"""What does each Shopify action do in the shop? Asked of the sandbox."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.kit.errors import GrantDead, InvalidRequest, NotFound, OutcomeUnknown, Permission, RateLimited
from connectors.registry import action, connector
from connectors.shopify.admin import ShopifyCredential
from connectors.shopify.discounts import DiscountCode, DiscountPage
from connectors.shopify.inventory import InventoryChange, Places, VariantPage
from connectors.shopify.orders import OrderPage
from connectors.shopify.products import Product, ProductPage, PublishedProduct
from tests.contract.conftest import Performer, Sandbox
from tests.contract.memory_ledger import MemoryLedger

CREATE, DISCOUNT = action("shopify.createProduct"), action("shopify.createDiscountCode")


@pytest.fixture
def handle() -> str:
    """A handle that no other test uses."""
    return f"box-{uuid.uuid4().hex}"


@pytest.fixture
def product(performer: Performer, handle: str) -> Product:
    made = performer.do("shopify.createProduct", title="Box", handle=handle, tags=["spring"], vendor="Ana")
    assert isinstance(made, Product)
    return made


def discount(**changes: Any) -> dict[str, Any]:
    wanted = {"code": f"SPRING-{uuid.uuid4().hex}", "title": "Spring", "starts_at": "2026-11-20T09:00:00+01:00"}
    return {**wanted, "percent_off": 20, **changes}


def test_a_product_is_made_found_and_listed(performer: Performer, handle: str, product: Product) -> None:
    assert (product.handle, product.title, product.status) == (handle, "Box", "DRAFT")
    for identifier in ({"handle": handle}, {"id": product.id}):
        found = performer.do("shopify.getProduct", **identifier)
        assert isinstance(found, Product)
        assert (found.id, found.created_at) == (product.id, product.created_at)
    listed = performer.do("shopify.listProducts", query=f"handle:{handle}")
    assert isinstance(listed, ProductPage)
    assert [(one.id, one.vendor) for one in listed.products] == [(product.id, "Ana")]


def test_a_handle_that_is_taken_makes_no_second_product(
    performer: Performer, sandbox: Sandbox, handle: str, product: Product
) -> None:
    mark = sandbox.mark()
    with pytest.raises(InvalidRequest, match="handle: another product"):
        performer.do("shopify.createProduct", title="Other box", handle=handle)
    assert sandbox.effects(mark) == []


def test_two_products_of_one_title_get_handles_of_their_own(performer: Performer, sandbox: Sandbox) -> None:
    mark = sandbox.mark()
    ledgers = [MemoryLedger(), MemoryLedger()]
    for ledger in ledgers:
        performer.perform(CREATE, performer.call("shopify", ledger), CREATE.input.model_validate({"title": "Größe M!"}))
    assert [effect["key"] for effect in sandbox.effects(mark)] == [f"groe-m-{ledger.key}" for ledger in ledgers]


def test_a_read_back_tells_the_runs_own_product_from_one_of_the_same_handle(
    performer: Performer, handle: str, product: Product
) -> None:
    ledger = MemoryLedger()
    call = performer.call("shopify", ledger)
    same = CREATE.input.model_validate({"title": "Box", "handle": handle})
    assert performer.look_up(CREATE, call, same) is None
    ledger.sent()
    assert performer.look_up(CREATE, call, same) == product.model_copy(
        update={"updated_at": product.created_at, "vendor": None}
    )
    assert performer.look_up(CREATE, call, CREATE.input.model_validate({"title": "Bag", "handle": handle})) is None
    ledger.owned_by_others = {product.id}
    with pytest.raises(OutcomeUnknown, match="ambiguous"):
        performer.look_up(CREATE, call, same)
    ledger.owned_by_others = set()
    ledger.first_sent_at = datetime.now(UTC) + timedelta(hours=1)
    assert performer.look_up(CREATE, call, same) is None


def test_a_product_is_shown_in_sales_channels_and_deleted(performer: Performer, product: Product) -> None:
    channels = performer.do("shopify.listPublications")
    assert isinstance(channels, Places)
    assert {one.name for one in channels.places} == {"Online Store", "Point of Sale"}
    shown = performer.do("shopify.publishProduct", id=product.id, publications=[one.id for one in channels.places])
    assert isinstance(shown, PublishedProduct)
    assert shown.publications == 2
    with pytest.raises(InvalidRequest):
        performer.do("shopify.publishProduct", id=product.id, publications=["gid://shopify/Publication/999"])
    performer.do("shopify.deleteProduct", id=product.id)
    with pytest.raises(NotFound):
        performer.do("shopify.getProduct", id=product.id)
    with pytest.raises(NotFound):
        performer.do("shopify.deleteProduct", id=product.id)


def test_a_deletion_that_is_repeated_is_done(performer: Performer, product: Product) -> None:
    delete, ledger = action("shopify.deleteProduct"), MemoryLedger()
    for _ in range(2):
        done = performer.perform(
            delete, performer.call("shopify", ledger), delete.input.model_validate({"id": product.id})
        )
        assert done.provider_id() == product.id


def test_stock_is_set_only_from_what_it_was(performer: Performer, handle: str) -> None:
    places = performer.do("shopify.listLocations")
    assert isinstance(places, Places)
    place = places.places[0].id
    variant = {"price": "5.50", "sku": handle, "stock": [{"location_id": place, "available": 3}]}
    performer.do("shopify.syncProductFeed", products=[{"handle": handle, "title": "Box", "variants": [variant]}])

    def stock() -> int | None:
        found = performer.do("shopify.listVariants", query=f"sku:{handle}")
        assert isinstance(found, VariantPage)
        assert found.variants[0].price == Decimal("5.50")
        wanted["inventory_item_id"] = found.variants[0].inventory_item_id
        return found.variants[0].quantity

    wanted: dict[str, Any] = {"location_id": place, "quantity": 8, "change_from_quantity": 3}
    assert stock() == 3
    changed = performer.do("shopify.setInventory", quantities=[wanted])
    assert isinstance(changed, InventoryChange)
    assert stock() == 8
    with pytest.raises(InvalidRequest, match="CHANGE_FROM_QUANTITY_STALE"):
        performer.do("shopify.setInventory", quantities=[wanted])
    performer.do("shopify.setInventory", quantities=[{**wanted, "change_from_quantity": None, "quantity": 0}])
    assert stock() == 0


def test_a_code_carries_the_run_and_is_found_by_any_spelling(performer: Performer, sandbox: Sandbox) -> None:
    ledger, mark, given = MemoryLedger(), sandbox.mark(), discount(ends_at="2027-01-01T00:00:00Z", usage_limit=10)
    made = performer.perform(DISCOUNT, performer.call("shopify", ledger), DISCOUNT.input.model_validate(given))
    assert isinstance(made, DiscountCode)
    assert (made.code, made.title, made.status, made.effect_id) == (given["code"], "Spring", "ACTIVE", ledger.key)
    assert (made.usage_limit, made.starts_at) == (10, datetime(2026, 11, 20, 8, tzinfo=UTC))
    (effect,) = sandbox.effects(mark)
    assert (effect["key"], effect["text"]) == (given["code"], f"Spring [nh:{ledger.key}]")
    found = performer.do("shopify.getDiscountCode", code=given["code"].lower())
    assert isinstance(found, DiscountCode)
    assert found.id == made.id
    assert performer.do("shopify.getDiscountCode", id=made.id) == made.model_copy(update={"kind": "DiscountCodeBasic"})


def test_a_code_of_another_run_is_refused_and_never_adopted(performer: Performer, sandbox: Sandbox) -> None:
    given = discount()
    performer.do("shopify.createDiscountCode", **given)
    mark, ledger = sandbox.mark(), MemoryLedger()
    call, data = (
        performer.call("shopify", ledger),
        DISCOUNT.input.model_validate({**given, "code": given["code"].lower()}),
    )
    with pytest.raises(InvalidRequest, match=r"TAKEN \(basicCodeDiscount.code\)"):
        performer.perform(DISCOUNT, call, data)
    assert performer.look_up(DISCOUNT, call, data) is None
    assert sandbox.effects(mark) == []


def test_a_code_is_changed_ended_listed_and_deleted(performer: Performer, product: Product) -> None:
    given = discount(percent_off=None, amount_off="5.00", products=[product.id], minimum_quantity=2)
    made = performer.do("shopify.createDiscountCode", **given, combines_with=["shipping_discounts"])
    assert isinstance(made, DiscountCode)
    performer.do("shopify.updateDiscountCode", id=made.id, usage_limit=3, percent_off=12.5)
    changed = performer.do("shopify.getDiscountCode", id=made.id)
    assert isinstance(changed, DiscountCode)
    assert (changed.usage_limit, changed.status, changed.effect_id) == (3, "ACTIVE", made.effect_id)
    performer.do("shopify.deactivateDiscountCode", id=made.id)
    listed = performer.do("shopify.listDiscountCodes", query=f"code:{given['code']}")
    assert isinstance(listed, DiscountPage)
    assert [(one.id, one.status) for one in listed.discounts] == [(made.id, "EXPIRED")]
    performer.do("shopify.deleteDiscountCode", id=made.id)
    with pytest.raises(NotFound):
        performer.do("shopify.getDiscountCode", code=given["code"])
    with pytest.raises(InvalidRequest):
        performer.do("shopify.deleteDiscountCode", id=made.id)


def test_orders_come_in_pages_and_by_their_discount_code(performer: Performer) -> None:
    first = performer.do("shopify.listOrders", first=2)
    assert isinstance(first, OrderPage)
    assert first.next_cursor is not None
    last = performer.do("shopify.listOrders", first=2, after=first.next_cursor)
    assert isinstance(last, OrderPage)
    assert last.next_cursor is None
    assert [one.name for one in (*first.orders, *last.orders)] == ["#1001", "#1002", "#1003"]
    found = performer.do("shopify.listOrders", query="discount_code:WELCOME10 financial_status:paid")
    assert isinstance(found, OrderPage)
    (order,) = found.orders
    assert (order.total, order.currency, order.customer_orders) == (Decimal("80.91"), "EUR", 2)
    assert (order.line_items[0].sku, order.line_items[0].quantity) == ("TS-42", 2)
    assert last.orders[-1].updated_at is not None
    since = last.orders[-1].updated_at - timedelta(minutes=1)
    newest = performer.do("shopify.listOrders", updated_since=since.isoformat())
    assert isinstance(newest, OrderPage)
    assert [one.name for one in newest.orders] == ["#1003"]


def test_what_the_token_may_not_do_is_a_matter_of_permission(performer: Performer) -> None:
    performer.account["shopify"]["credential"] = performer.account["shopify"]["limited_credential"]
    performer.do("shopify.listProducts")
    for name, given in (
        ("listOrders", {}),
        ("createDiscountCode", discount()),
        ("syncProductFeed", {"products": [{"handle": "a", "title": "A"}]}),
    ):
        with pytest.raises(Permission, match="ACCESS_DENIED"):
            performer.do(f"shopify.{name}", **given)


def test_an_empty_bucket_says_when_it_is_full_enough(performer: Performer) -> None:
    performer.account["shopify"]["credential"] = performer.account["shopify"]["slow_credential"]

    def use_it_up() -> None:
        for _ in range(50):
            performer.do("shopify.listOrders", first=50)

    with pytest.raises(RateLimited, match="THROTTLED") as caught:
        use_it_up()
    assert caught.value.retry_after_s is not None
    assert 0 < caught.value.retry_after_s < 30


def test_the_check_names_the_shop(performer: Performer) -> None:
    assert connector("shopify").test(performer.call("shopify")) == "Shopify shop Sandbox Store, in EUR"


def test_a_token_is_renewed_by_the_refresh_token_and_by_the_apps_own_identity(performer: Performer) -> None:
    oauth, call = connector("shopify").oauth, performer.call("shopify")
    assert oauth is not None
    credential = call.credential_as(ShopifyCredential)
    renewed = oauth.refresh(call.http, credential)
    assert renewed.refresh_token not in (None, credential.refresh_token)
    assert not oauth.is_stale(renewed, datetime.now(UTC))
    assert "write_products" in renewed.scopes
    # The answer may be lost: the old one works until its successor is used.
    again = oauth.refresh(call.http, credential)
    performer.account["shopify"]["credential"] = _plain(again)
    performer.do("shopify.listProducts")
    with pytest.raises(GrantDead):
        oauth.refresh(call.http, credential)
    own = oauth.refresh(call.http, again.model_copy(update={"refresh_token": None}))
    performer.account["shopify"]["credential"] = _plain(own)
    performer.do("shopify.listProducts")


def _plain(credential: Any) -> dict[str, Any]:
    shown = credential.model_dump(mode="json")
    secrets = ("client_secret", "refresh_token", "access_token")
    opened = {name: getattr(credential, name).get_secret_value() for name in secrets if getattr(credential, name)}
    return {**shown, **opened}
