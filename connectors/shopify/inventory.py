"""Stock: variants with their inventory items, the places that hold them, and how many there are."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from connectors.kit.action import Input, Output, ResendWithKey
from connectors.kit.call import Call
from connectors.kit.errors import Unavailable
from connectors.shopify import admin
from connectors.shopify.admin import LIMITS, PACE
from connectors.shopify.platform import AFTER, QUERY, SHOPIFY, LocationId, Page, decimal, whole
from connectors.shopify.products import understood

InventoryItemId = Annotated[str, StringConstraints(pattern=r"^gid://shopify/InventoryItem/\d+$")]

_MOST = 1_000_000_000
_KEYS = 3
_FAILED_BEFORE = "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"


class Quantity(Input):
    """How many of one item are in one place."""

    inventory_item_id: InventoryItemId = Field(description="As listVariants gives it.")
    location_id: LocationId = Field(description="As listLocations gives it.")
    quantity: int = Field(strict=True, ge=-_MOST, le=_MOST, description="Pieces that there are from now on.")
    change_from_quantity: int | None = Field(
        default=None, strict=True, description="Only if there are so many now; whatever there are if left out."
    )


class SetInventory(Input):
    """Quantities to set."""

    name: Literal["available", "on_hand"] = Field(default="available", description="Which quantity is meant.")
    reason: Literal[
        "correction", "cycle_count_available", "damaged", "movement_created", "other", "promotion", "received",
        "reservation_created", "restock", "shrinkage",
    ] = Field(default="correction", description="Shopify's word for why.")  # fmt: skip
    quantities: tuple[Quantity, ...] = Field(min_length=1, max_length=250, description="1 to 250, each pair once.")

    @model_validator(mode="after")
    def _each_once(self) -> SetInventory:
        pairs = {(one.inventory_item_id, one.location_id) for one in self.quantities}
        if len(pairs) < len(self.quantities):
            raise ValueError("quantities name an item in one place more than once")
        return self


class InventoryChange(Output):
    """A change of stock."""

    id: str | None = Field(description="Id of the group of changes; null where nothing had to change.")
    reason: str | None

    def provider_id(self) -> str | None:
        """The id of the group of changes."""
        return self.id


class ListVariants(Input):
    """Which variants to list."""

    query: str | None = QUERY
    first: int = Field(default=50, ge=1, le=250, description="At most so many: 1 to 250.")
    after: str | None = AFTER


class Variant(Output):
    """One thing that can be bought."""

    id: str
    sku: str | None
    title: str | None
    price: Decimal | None = Field(description="In the shop's currency.")
    quantity: int | None = Field(description="Pieces for sale, in all places.")
    inventory_item_id: str | None


class VariantPage(Page):
    """Variants."""

    variants: tuple[Variant, ...]


class Nothing(Input):
    """Nothing to choose."""


class Place(Output):
    """A place that holds stock, or a channel that sells."""

    id: str
    name: str | None
    active: bool | None = None


class Places(Output):
    """All of them."""

    places: tuple[Place, ...]


@SHOPIFY.action(
    "setInventory",
    SetInventory,
    InventoryChange,
    repeat=ResendWithKey("directive @idempotent", window_s=20 * 3600.0),
    why="Shopify carries out one change per idempotency key, and keeps keys for a day.",
    pace=PACE,
    scopes=("write_inventory", "read_inventory"),
    limits=LIMITS,
)
def set_inventory(call: Call, data: SetInventory) -> InventoryChange:
    """Set how many pieces there are."""
    fields = {
        "name": data.name,
        "reason": data.reason,
        "referenceDocumentUri": f"gid://neonhub-worker/Run/{call.key}",
        "quantities": [
            {
                "inventoryItemId": one.inventory_item_id,
                "locationId": one.location_id,
                "quantity": one.quantity,
                # Null says: whatever there are. Shopify wants it written.
                "changeFromQuantity": one.change_from_quantity,
            }
            for one in data.quantities
        ],
    }
    payload = _with_a_key(call, fields)
    group = payload.get("inventoryAdjustmentGroup")
    if group is None:
        return InventoryChange(id=None, reason=None)
    found = understood(group, "SetInventory", needs=("id",))
    return InventoryChange(id=found["id"], reason=found.get("reason"))


def _with_a_key(call: Call, fields: dict[str, Any]) -> dict[str, Any]:
    """Send it under the effect key; a key whose attempt has failed at Shopify is spent, and the next one follows.

    Every attempt walks the same row of keys, so none is skipped that may have worked.
    """
    for number in range(1, _KEYS + 1):
        key = call.key if number == 1 else f"{call.key}-{number}"
        try:
            return admin.change(call, "SetInventory", "inventorySetQuantities", input=fields, key=key)
        except Unavailable as failed:
            if failed.code != _FAILED_BEFORE or number == _KEYS:
                raise
    raise AssertionError("unreachable")


@SHOPIFY.read("listVariants", ListVariants, VariantPage, scopes=("read_products", "read_inventory"), limits=LIMITS)
def list_variants(call: Call, data: ListVariants) -> VariantPage:
    """List variants with their stock, such as those of a query sku:TS-42."""
    found = admin.page(call, "ListVariants", "productVariants", first=data.first, after=data.after, query=data.query)
    rows = [one for one in found["nodes"] if isinstance(one, dict) and "id" in one]
    return VariantPage(variants=tuple(map(_variant, rows)), next_cursor=admin.next_cursor(found))


def _variant(one: dict[str, Any]) -> Variant:
    return Variant(
        id=str(one["id"]),
        sku=one.get("sku"),
        title=one.get("title"),
        price=decimal(one.get("price")),
        quantity=whole(one.get("inventoryQuantity")),
        inventory_item_id=(one.get("inventoryItem") or {}).get("id"),
    )


@SHOPIFY.read("listLocations", Nothing, Places, scopes=("read_locations",), limits=LIMITS)
def list_locations(call: Call, data: Nothing) -> Places:
    """List the places that hold stock."""
    return _places(admin.ask(call, "ListLocations", "locations"))


@SHOPIFY.read("listPublications", Nothing, Places, scopes=("read_publications",), limits=LIMITS)
def list_publications(call: Call, data: Nothing) -> Places:
    """List the sales channels that can show products."""
    return _places(admin.ask(call, "ListPublications", "publications"))


def _places(found: Any) -> Places:
    nodes = found.get("nodes") if isinstance(found, dict) else None
    if not isinstance(nodes, list):
        raise Unavailable("Shopify answered without a list")
    rows = [one for one in nodes if isinstance(one, dict) and "id" in one]
    return Places(
        places=tuple(Place(id=str(one["id"]), name=one.get("name"), active=one.get("isActive")) for one in rows)
    )
