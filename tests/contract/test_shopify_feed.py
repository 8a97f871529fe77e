"""What becomes of a product feed? Product by product, in one file, and across crashes; asked of the sandbox."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from connectors.kit.errors import InvalidRequest, OutcomeUnknown, Postpone, Unavailable
from connectors.registry import action
from connectors.shopify.bulk import BulkOperation, BulkOperations
from connectors.shopify.inventory import VariantPage
from connectors.shopify.outcomes import SyncedFeed
from connectors.shopify.products import Product
from tests.contract.conftest import Performer, Sandbox
from tests.contract.memory_ledger import MemoryLedger

SYNC = action("shopify.syncProductFeed")


def item(handle: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"handle": handle or f"feed-{uuid.uuid4().hex}", "title": "Trail Shoe", **fields}


class Feed:
    """One run of one feed, performed until it is over."""

    def __init__(self, performer: Performer, sandbox: Sandbox, products: list[dict[str, Any]]) -> None:
        self._performer, self._sandbox = performer, sandbox
        self._data = SYNC.input.model_validate({"products": products})
        self._mark = sandbox.mark()
        self.ledger = MemoryLedger()

    def attempt(self) -> SyncedFeed:
        found = self._performer.perform(SYNC, self._performer.call("shopify", self.ledger), self._data)
        assert isinstance(found, SyncedFeed)
        return found

    def finish(self) -> SyncedFeed:
        while True:
            try:
                return self.attempt()
            except Postpone:
                self._sandbox.ask("POST", "clock", json={"advance_s": 1.5})

    def effects(self) -> list[object]:
        return [one["key"] for one in self._sandbox.effects(self._mark) if one["action"] == "syncProductFeed"]


def test_a_product_is_made_and_then_changed_under_its_handle(performer: Performer, sandbox: Sandbox) -> None:
    sizes = [{"options": {"Size": size}, "price": "89.90", "sku": f"{uuid.uuid4().hex}"} for size in ("41", "42")]
    one = item(variants=sizes)
    (made,) = Feed(performer, sandbox, [one]).finish().synced
    (changed,) = Feed(performer, sandbox, [{**one, "title": "Trail Shoe 2", "variants": sizes[:1]}]).finish().synced
    assert changed == made
    found = performer.do("shopify.getProduct", handle=one["handle"])
    assert isinstance(found, Product)
    assert found.title == "Trail Shoe 2"
    gone, kept = (performer.do("shopify.listVariants", query=f"sku:{size['sku']}") for size in reversed(sizes))
    assert isinstance(gone, VariantPage)
    assert isinstance(kept, VariantPage)
    assert (len(gone.variants), len(kept.variants)) == (0, 1)


def test_a_crash_between_two_products_goes_on_with_the_second(performer: Performer, sandbox: Sandbox) -> None:
    products = [item(), item(), item()]
    feed = Feed(performer, sandbox, products)
    sandbox.fault("reset_before", "shopify", "productSet", after=1)
    with pytest.raises(OutcomeUnknown):
        feed.attempt()
    assert len(feed.finish().synced) == 3
    assert feed.effects() == [one["handle"] for one in products]


def test_a_product_that_is_refused_does_not_hold_up_the_others(performer: Performer, sandbox: Sandbox) -> None:
    bad = item(variants=[{"price": "1.00", "stock": [{"location_id": "gid://shopify/Location/999", "available": 1}]}])
    done = Feed(performer, sandbox, [item(), bad, item()]).finish()
    assert len(done.synced) == 2
    ((handle, code),) = [(one.handle, one.code) for one in done.refused]
    assert (handle, code) == (bad["handle"], "INVALID_VARIANT")
    with pytest.raises(InvalidRequest, match=r"none of the products.*INVALID_VARIANT"):
        Feed(performer, sandbox, [bad]).finish()


def test_a_product_of_many_variants_is_waited_for(performer: Performer, sandbox: Sandbox) -> None:
    variants = [{"options": {"Number": str(number)}, "price": "1.00"} for number in range(101)]
    feed = Feed(performer, sandbox, [item(variants=variants)])
    with pytest.raises(Postpone):
        feed.attempt()
    (made,) = feed.finish().synced
    assert made.id.startswith("gid://shopify/Product/")
    assert len(feed.effects()) == 1


def test_a_large_feed_goes_as_one_file(performer: Performer, sandbox: Sandbox) -> None:
    products = [item() for _ in range(101)]
    products[7] = item(
        variants=[{"price": "1.00", "stock": [{"location_id": "gid://shopify/Location/9", "available": 1}]}]
    )
    feed = Feed(performer, sandbox, products)
    done = feed.finish()
    assert (len(done.synced), [one.handle for one in done.refused]) == (100, [products[7]["handle"]])
    assert len(feed.effects()) == 100
    assert done.operation_id is not None
    found = performer.do("shopify.getBulkOperation", id=done.operation_id)
    assert isinstance(found, BulkOperation)
    assert (found.status, found.objects) == ("COMPLETED", 101)


def test_a_file_whose_run_was_not_confirmed_is_not_run_again(performer: Performer, sandbox: Sandbox) -> None:
    feed = Feed(performer, sandbox, [item() for _ in range(101)])
    sandbox.fault("reset_after", "shopify", "bulkOperationRunMutation")
    with pytest.raises(OutcomeUnknown):
        feed.attempt()
    feed.ledger.attempt = 2
    assert len(feed.finish().synced) == 101
    assert len(feed.effects()) == 101


def test_a_file_that_did_not_arrive_is_brought_again(performer: Performer, sandbox: Sandbox) -> None:
    feed = Feed(performer, sandbox, [item() for _ in range(101)])
    for operation in ("stagedUploadsCreate", "uploadStagedFile", "bulkOperation", "downloadBulkResult"):
        sandbox.fault("error_503_before", "shopify", operation)
        with pytest.raises(Unavailable):
            feed.finish()
    assert len(feed.finish().synced) == 101
    assert len(feed.effects()) == 101


def test_an_operation_is_stopped_and_its_products_are_left_as_they_were(performer: Performer, sandbox: Sandbox) -> None:
    feed = Feed(performer, sandbox, [item() for _ in range(101)])
    with pytest.raises(Postpone):
        feed.attempt()
    listed = performer.do("shopify.listBulkOperations")
    assert isinstance(listed, BulkOperations)
    for _ in range(2):
        stopped = performer.do("shopify.cancelBulkOperation", id=listed.operations[0].id)
        assert isinstance(stopped, BulkOperation)
        assert stopped.status == "CANCELING"
    with pytest.raises(OutcomeUnknown, match="CANCELED without a result"):
        feed.finish()
    assert feed.effects() == []
