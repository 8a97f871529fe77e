"""What is bought? Line items: a price that Stripe knows, or one that is made for the occasion."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from connectors.kit.action import Input
from connectors.stripe.platform import Currency, Minor


class PriceData(Input):
    """A price made for the occasion."""

    currency: Currency = Field(description="Three letters, such as eur.")
    unit_amount_minor: Minor = Field(description="Price of one, in the currency's minor unit.")
    product_name: str | None = Field(default=None, min_length=1, max_length=250, description="Shown to the buyer.")
    product: str | None = Field(default=None, pattern=r"^\w+$", description="Id of a product, instead of a name.")
    interval: Literal["day", "week", "month", "year"] | None = Field(
        default=None, description="How often it is paid; once if left out."
    )

    @model_validator(mode="after")
    def _names_one_product(self) -> PriceData:
        if (self.product is None) == (self.product_name is None):
            raise ValueError("one of product_name and product is needed, not both")
        return self

    def fields(self) -> dict[str, Any]:
        """As Stripe takes it."""
        return {
            "currency": self.currency,
            "unit_amount": self.unit_amount_minor,
            "product": self.product,
            "product_data": {"name": self.product_name},
            "recurring": {"interval": self.interval},
        }


class LineItem(Input):
    """Something, and how many of it."""

    price: Annotated[str, Field(pattern=r"^\w+$")] | None = Field(default=None, description="Id of a price.")
    price_data: PriceData | None = Field(default=None, description="A price made for the occasion, instead of an id.")
    quantity: int = Field(default=1, ge=1, le=999_999, description="How many.")

    @model_validator(mode="after")
    def _has_one_price(self) -> LineItem:
        if (self.price is None) == (self.price_data is None):
            raise ValueError("one of price and price_data is needed, not both")
        return self

    def fields(self) -> dict[str, Any]:
        """As Stripe takes it."""
        data = None if self.price_data is None else self.price_data.fields()
        return {"price": self.price, "price_data": data, "quantity": self.quantity}


def one_currency(items: tuple[LineItem, ...]) -> tuple[LineItem, ...]:
    """A validator: a page asks for money in one currency.

    Raises:
        ValueError: The prices are in several.
    """
    if len({item.price_data.currency for item in items if item.price_data is not None}) > 1:
        raise ValueError("all prices must be in one currency")
    return items
