"""A product feed: each product as the shop is to have it, made or changed by its handle."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal, cast

from pydantic import Field, StringConstraints, model_validator

from connectors.kit.action import Input, JsonValue, Resend
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, OutcomeUnknown, Permission, Refused
from connectors.kit.fields import HttpsUrl
from connectors.shopify import admin, bulk
from connectors.shopify.admin import LIMITS, PACE
from connectors.shopify.outcomes import RefusedProduct, SyncedFeed, part_of
from connectors.shopify.platform import SHOPIFY, Amount, CollectionId, Handle, LocationId, Tag, Title
from connectors.shopify.products import Status, given

BULK_FROM = 101
"""From so many products on, Shopify takes the feed as one file and works on it by itself."""

_AT_ONCE = 100
_LONGEST_S = 3600.0
_NOT_ALLOWED = "ACCESS_DENIED"
Sku = Annotated[str, StringConstraints(min_length=1, max_length=255)]
OptionName = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class Stock(Input):
    """How many pieces one place has."""

    location_id: LocationId = Field(description="As listLocations gives it.")
    available: int = Field(strict=True, ge=-1_000_000_000, le=1_000_000_000, description="Pieces for sale.")


class FeedVariant(Input):
    """One thing that can be bought."""

    options: dict[OptionName, OptionName] = Field(
        default_factory=lambda: {"Title": "Default Title"},
        min_length=1,
        max_length=3,
        description="Its value of each option, such as Size: 42; left out where a product has one variant only.",
    )
    price: Amount = Field(description="In the shop's currency, as text such as 89.90.")
    compare_at_price: Amount | None = Field(default=None, description="Price before, shown struck through.")
    sku: Sku | None = Field(default=None, description="The seller's own name for it.")
    barcode: str | None = Field(default=None, min_length=1, max_length=255, description="EAN, UPC or ISBN.")
    sell_without_stock: bool | None = Field(default=None, description="Go on selling when none are left.")
    tracked: bool | None = Field(default=None, description="Whether Shopify counts its pieces.")
    stock: tuple[Stock, ...] = Field(
        default=(), max_length=250, description="Pieces in each place; untouched if empty."
    )


class Picture(Input):
    """A picture that Shopify loads by itself."""

    url: HttpsUrl = Field(description="Public https address.")
    alt: str | None = Field(default=None, max_length=512, description="What it shows, for those who cannot see it.")


class FeedProduct(Input):
    """A product as the shop is to have it: of lists that are given, what is not in them is taken away."""

    handle: Handle = Field(description="Its name in addresses; which product is meant.")
    title: Title = Field(description="Its name, up to 255 characters.")
    description_html: str | None = Field(default=None, max_length=512_000, description="Description, as HTML.")
    vendor: str | None = Field(default=None, min_length=1, max_length=255, description="Who makes it.")
    product_type: str | None = Field(default=None, min_length=1, max_length=255, description="What kind it is.")
    status: Status = Field(default="DRAFT", description="ACTIVE is for sale once it is published.")
    tags: tuple[Tag, ...] | None = Field(default=None, max_length=250, description="All its tags.")
    collections: tuple[CollectionId, ...] | None = Field(default=None, max_length=250, description="All that hold it.")
    pictures: tuple[Picture, ...] | None = Field(default=None, max_length=250, description="All its pictures.")
    variants: tuple[FeedVariant, ...] = Field(
        default=(), max_length=2048, description="All its variants; untouched if left out."
    )

    @model_validator(mode="after")
    def _variants_differ(self) -> FeedProduct:
        names = {tuple(one.options) for one in self.variants}
        if len(names) > 1:
            raise ValueError("variants must all have the same options, in the same order")
        if len({tuple(one.options.values()) for one in self.variants}) < len(self.variants):
            raise ValueError("variants must differ in the value of an option")
        return self

    def fields(self) -> dict[str, Any]:
        """The product as Shopify takes it: options and variants go together."""
        return given(
            handle=self.handle,
            title=self.title,
            descriptionHtml=self.description_html,
            vendor=self.vendor,
            productType=self.product_type,
            status=self.status,
            tags=None if self.tags is None else [*self.tags],
            collections=None if self.collections is None else [*self.collections],
            files=None if self.pictures is None else [_file(one) for one in self.pictures],
            productOptions=self._options() or None,
            variants=[_variant(one) for one in self.variants] or None,
        )

    def _options(self) -> list[dict[str, Any]]:
        names = [*self.variants[0].options] if self.variants else []
        return [
            {
                "name": name,
                "position": position,
                "values": [{"name": value} for value in dict.fromkeys(one.options[name] for one in self.variants)],
            }
            for position, name in enumerate(names, 1)
        ]


class SyncProductFeed(Input):
    """Products that the shop is to have."""

    products: tuple[FeedProduct, ...] = Field(
        min_length=1, max_length=5000, description="1 to 5,000, each handle once."
    )

    @model_validator(mode="after")
    def _each_once(self) -> SyncProductFeed:
        if len({one.handle for one in self.products}) < len(self.products):
            raise ValueError("products name a handle more than once")
        return self


def _file(one: Picture) -> dict[str, Any]:
    return given(originalSource=one.url, alt=one.alt, contentType="IMAGE")


def _variant(one: FeedVariant) -> dict[str, Any]:
    policy: Literal["CONTINUE", "DENY"] | None = None
    if one.sell_without_stock is not None:
        policy = "CONTINUE" if one.sell_without_stock else "DENY"
    return given(
        optionValues=[{"optionName": name, "name": value} for name, value in one.options.items()],
        price=one.price,
        compareAtPrice=one.compare_at_price,
        sku=one.sku,
        barcode=one.barcode,
        inventoryPolicy=policy,
        inventoryItem=None if one.tracked is None else {"tracked": one.tracked},
        inventoryQuantities=[
            {"locationId": at.location_id, "name": "available", "quantity": at.available} for at in one.stock
        ]
        or None,
    )


@SHOPIFY.action(
    "syncProductFeed",
    SyncProductFeed,
    SyncedFeed,
    repeat=Resend(),
    why="Each product is set to a whole state under its handle: twice is the same as once.",
    multi_step=True,
    pace=PACE,
    scopes=("write_products", "read_products", "write_inventory", "read_locations"),
    limits=(
        *LIMITS,
        "2,048 variants a product",
        "files of 100 MB, 5 at once, from 101 products on",
        "1,000 new variants a day in a shop with over 50,000",
    ),
)
def sync_product_feed(call: Call, data: SyncProductFeed) -> SyncedFeed:
    """Bring products into the shop as a feed has them: new ones are made, known ones changed."""
    if len(data.products) < BULK_FROM:
        feed = _joined(_one_by_one(call, data))
    else:
        handles = [one.handle for one in data.products]
        feed = bulk.run(call, handles, [_variables(one, synchronous=True) for one in data.products])
    if not feed.synced:
        first = feed.refused[0]
        raise InvalidRequest(f"Shopify took none of the products; the first: {first.reason}", code=first.code)
    return feed


def _variables(one: FeedProduct, *, synchronous: bool) -> dict[str, Any]:
    return {"identifier": {"handle": one.handle}, "input": one.fields(), "synchronous": synchronous}


def _one_by_one(call: Call, data: SyncProductFeed) -> list[SyncedFeed]:
    parts: list[SyncedFeed] = []
    for number, one in enumerate(data.products, 1):
        parts.append(_part(call, one, number))
        if number == 1 and parts[0].refused and parts[0].refused[0].code == _NOT_ALLOWED:
            raise Permission(parts[0].refused[0].reason, code=_NOT_ALLOWED)
        call.ledger.keep_lease()
    return parts


def _part(call: Call, one: FeedProduct, number: int) -> SyncedFeed:
    """What became of one product, remembered: a run that is taken up again goes on with the next."""
    begun = SyncedFeed.model_validate(call.effect(f"set:{number}", lambda: _as_json(_set(call, one))))
    operation_id = begun.operation_id
    if operation_id is None:
        return begun
    done = f"done:{number}"
    if call.recall(done) is None:
        found = call.wait_for(
            f"set:{number}", lambda: _finished(call, one, operation_id), every_s=2.0, timeout_s=_LONGEST_S
        )
        call.step(done, lambda: _as_json(found))
    return SyncedFeed.model_validate(call.recall(done))


def _as_json(part: SyncedFeed) -> JsonValue:
    return cast("JsonValue", part.model_dump(mode="json"))


def _set(call: Call, one: FeedProduct) -> SyncedFeed:
    """One product, or the operation that Shopify goes on with by itself where it has many variants."""
    variables = _variables(one, synchronous=len(one.variants) <= _AT_ONCE)
    try:
        payload = admin.change(call, "SyncProduct", "productSet", **variables)
    except Refused as error:
        return SyncedFeed(refused=(RefusedProduct(handle=one.handle, code=error.code, reason=str(error)),))
    operation = payload.get("productSetOperation")
    if isinstance(operation, dict) and isinstance(operation.get("id"), str) and payload.get("product") is None:
        return SyncedFeed(operation_id=operation["id"])
    part = part_of(one.handle, payload)
    if part is None:
        raise OutcomeUnknown("SyncProduct: Shopify answered with neither a product nor an operation")
    return part


def _finished(call: Call, one: FeedProduct, operation_id: str) -> SyncedFeed | None:
    found = admin.ask(call, "ProductSetStatus", "productOperation", id=operation_id)
    if not isinstance(found, dict) or found.get("status") != "COMPLETE":
        return None
    nothing = RefusedProduct(handle=one.handle, code=None, reason="Shopify ended without a product")
    return part_of(one.handle, found) or SyncedFeed(refused=(nothing,))


def _joined(parts: Iterable[SyncedFeed]) -> SyncedFeed:
    found = [*parts]
    return SyncedFeed(
        synced=tuple(one for part in found for one in part.synced),
        refused=tuple(one for part in found for one in part.refused),
    )
