"""Which discount codes does Shopify take? One thing that is taken off, of what, for whom, and how long."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from connectors.kit.action import Input
from connectors.kit.fields import UtcDatetime
from connectors.shopify.platform import AFTER, QUERY, Amount, CollectionId, ProductId
from connectors.shopify.products import given

DiscountId = Annotated[str, StringConstraints(pattern=r"^gid://shopify/DiscountCodeNode/\d+$")]
CustomerId = Annotated[str, StringConstraints(pattern=r"^gid://shopify/Customer/\d+$")]
SegmentId = Annotated[str, StringConstraints(pattern=r"^gid://shopify/Segment/\d+$")]
Code = Annotated[str, StringConstraints(pattern=r"^[^\s,]([^\n\r,]*[^\s,])?$", max_length=255)]

_KINDS = ("order_discounts", "product_discounts", "shipping_discounts")


class _Worth(Input):
    """What a code takes off, and of what."""

    percent_off: float | None = Field(default=None, gt=0, le=100, description="Percent taken off: 20 is 20 percent.")
    amount_off: Amount | None = Field(
        default=None, description="Taken off instead, in the shop's currency, as text such as 5.00."
    )
    applies_on_each_item: bool = Field(default=False, description="Take amount_off off each item, not off the order.")
    products: tuple[ProductId, ...] = Field(default=(), max_length=100, description="Only for these products.")
    collections: tuple[CollectionId, ...] = Field(default=(), max_length=100, description="Only for these collections.")
    minimum_subtotal: Amount | None = Field(default=None, description="Only from this sum on, in the shop's currency.")
    minimum_quantity: int | None = Field(default=None, ge=1, le=2**31 - 1, description="Only from so many items on.")

    def _check_worth(self, *, needed: bool) -> None:
        given_both = self.percent_off is not None and self.amount_off is not None
        if given_both or (needed and self.percent_off is None and self.amount_off is None):
            raise ValueError("one of percent_off and amount_off is needed, not both")
        if self.applies_on_each_item and self.amount_off is None:
            raise ValueError("applies_on_each_item belongs to amount_off")
        if self.products and self.collections:
            raise ValueError("products and collections exclude each other")
        if self.minimum_subtotal is not None and self.minimum_quantity is not None:
            raise ValueError("minimum_subtotal and minimum_quantity exclude each other")

    def _gets(self) -> dict[str, Any] | None:
        value: dict[str, Any] | None = None
        if self.percent_off is not None:
            # Shopify's percentage 0.2 means 20 percent.
            value = {"percentage": round(self.percent_off / 100, 6)}
        elif self.amount_off is not None:
            value = {"discountAmount": {"amount": self.amount_off, "appliesOnEachItem": self.applies_on_each_item}}
        items: dict[str, Any] | None = None
        if self.products:
            items = {"products": {"productsToAdd": [*self.products]}}
        elif self.collections:
            items = {"collections": {"add": [*self.collections]}}
        elif value is not None:
            items = {"all": True}
        return given(value=value, items=items) or None

    def _requires(self) -> dict[str, Any] | None:
        if self.minimum_subtotal is not None:
            return {"subtotal": {"greaterThanOrEqualToSubtotal": self.minimum_subtotal}}
        if self.minimum_quantity is not None:
            return {"quantity": {"greaterThanOrEqualToQuantity": str(self.minimum_quantity)}}
        return None


class CreateDiscountCode(_Worth):
    """A code, and what it takes off."""

    code: Code = Field(description="What people type; unique in the shop, whatever its case.")
    title: str = Field(min_length=1, max_length=200, description="Name for the shop's staff; the run is added to it.")
    starts_at: UtcDatetime = Field(description="From when on it works, with offset.")
    ends_at: UtcDatetime | None = Field(default=None, description="Until when, with offset; for ever if left out.")
    usage_limit: int | None = Field(default=None, ge=1, le=2**31 - 1, description="How often it may be used in all.")
    applies_once_per_customer: bool = Field(default=False, description="Each customer may use it once only.")
    customers: tuple[CustomerId, ...] = Field(default=(), max_length=100, description="Only for these customers.")
    customer_segments: tuple[SegmentId, ...] = Field(default=(), max_length=100, description="Only for these segments.")
    combines_with: tuple[Literal["order_discounts", "product_discounts", "shipping_discounts"], ...] = Field(
        default=(), max_length=3, description="Other discounts it may be used together with."
    )

    @model_validator(mode="after")
    def _is_whole(self) -> CreateDiscountCode:
        self._check_worth(needed=True)
        if self.customers and self.customer_segments:
            raise ValueError("customers and customer_segments exclude each other")
        if self.ends_at is not None and self.ends_at <= self.starts_at:
            raise ValueError("ends_at must be later than starts_at")
        return self

    def fields(self, title: str) -> dict[str, Any]:
        """The discount as Shopify takes it."""
        return given(
            title=title,
            code=self.code,
            startsAt=_instant(self.starts_at),
            endsAt=_instant(self.ends_at),
            usageLimit=self.usage_limit,
            appliesOncePerCustomer=self.applies_once_per_customer,
            context=self._context(),
            customerGets=self._gets(),
            minimumRequirement=self._requires(),
            combinesWith={_camel(kind): kind in self.combines_with for kind in _KINDS},
        )

    def _context(self) -> dict[str, Any]:
        if self.customers:
            return {"customers": {"add": [*self.customers]}}
        if self.customer_segments:
            return {"customerSegments": {"add": [*self.customer_segments]}}
        return {"all": "ALL"}


class UpdateDiscountCode(_Worth):
    """What to change about a code; what is left out stays."""

    id: DiscountId = Field(description="As createDiscountCode gave it.")
    code: Code | None = Field(default=None, description="What people type from now on.")
    starts_at: UtcDatetime | None = Field(default=None, description="From when on it works, with offset.")
    ends_at: UtcDatetime | None = Field(default=None, description="Until when, with offset.")
    usage_limit: int | None = Field(default=None, ge=1, le=2**31 - 1, description="How often it may be used in all.")
    applies_once_per_customer: bool | None = Field(default=None, description="Each customer may use it once only.")

    @model_validator(mode="after")
    def _changes_something(self) -> UpdateDiscountCode:
        self._check_worth(needed=False)
        if (self.products or self.collections) and self.percent_off is None and self.amount_off is None:
            raise ValueError("products and collections need percent_off or amount_off")
        if self.model_fields_set <= {"id"}:
            raise ValueError("name at least one thing to change")
        return self

    def fields(self) -> dict[str, Any]:
        """What changes, as Shopify takes it."""
        return given(
            code=self.code,
            startsAt=_instant(self.starts_at),
            endsAt=_instant(self.ends_at),
            usageLimit=self.usage_limit,
            appliesOncePerCustomer=self.applies_once_per_customer,
            customerGets=self._gets(),
            minimumRequirement=self._requires(),
        )


class DiscountRef(Input):
    """Which discount."""

    id: DiscountId = Field(description="As createDiscountCode gave it.")


class DiscountQuery(Input):
    """Which discount, by its id or by its code."""

    id: DiscountId | None = Field(default=None, description="Its id.")
    code: Code | None = Field(default=None, description="Its code, whatever the case, instead of its id.")

    @model_validator(mode="after")
    def _is_one(self) -> DiscountQuery:
        if (self.id is None) == (self.code is None):
            raise ValueError("one of id and code is needed, not both")
        return self


class ListDiscountCodes(Input):
    """Which codes to list."""

    query: str | None = QUERY
    first: int = Field(default=50, ge=1, le=250, description="At most so many: 1 to 250.")
    after: str | None = AFTER


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%SZ")
