"""Which platform is it, and which fields do its actions share?"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from connectors.kit.action import Output
from connectors.kit.call import Call
from connectors.kit.connector import Connector
from connectors.kit.errors import InvalidRequest
from connectors.shopify import admin
from connectors.shopify.admin import ShopifyCredential, ShopifySettings

_API_SUNSET = date(2027, 10, 1)

_AMOUNT = r"^\d{1,15}(\.\d{1,4})?$"
Amount = Annotated[str, StringConstraints(pattern=_AMOUNT)]
"""Money in the shop's currency in whole units, as text such as 89.90: no rounding on the way."""


ProductId = Annotated[str, StringConstraints(pattern=r"^gid://shopify/Product/\d+$")]
LocationId = Annotated[str, StringConstraints(pattern=r"^gid://shopify/Location/\d+$")]
CollectionId = Annotated[str, StringConstraints(pattern=r"^gid://shopify/Collection/\d+$")]
Handle = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+([-_][a-z0-9]+)*$", max_length=255)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^,]+$")]

AFTER = Field(default=None, min_length=1, description="Cursor where the last page ended.")
QUERY = Field(default=None, min_length=1, max_length=2000, description="Filter in Shopify's search syntax.")

SHOPIFY = Connector(
    "shopify",
    "Shopify",
    hosts=admin.HOSTS,
    credential=ShopifyCredential,
    settings=ShopifySettings,
    api_version=admin.API_VERSION,
    api_sunset=_API_SUNSET,
    oauth=admin.OAUTH,
    console=(
        "Open https://dev.shopify.com/dashboard in the organization that owns the shop, and create an app.",
        "In a version of the app, choose the Admin API scopes that the actions name, and release it.",
        "Install the app in the shop.",
        "Copy the app's client id and secret from its settings: tokens are fetched with them, nobody has to agree.",
        "The shop's host is the name that ends in .myshopify.com, in the shop's settings under Domains.",
    ),
)


class Page(Output):
    """One page of a list."""

    next_cursor: str | None = Field(description="Give it as after to get the next page; null at the end.")


def moment(value: Any) -> datetime | None:
    """An instant as Shopify writes it; None if there is none."""
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def whole(value: Any) -> int | None:
    """A whole number, which Shopify writes as text where it may be large; None if there is none."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    text = str(value)
    return int(text) if text.removeprefix("-").isdecimal() else None


def decimal(value: Any) -> Decimal | None:
    """Money; None if there is none."""
    try:
        return Decimal(value) if isinstance(value, str) else None
    except ArithmeticError:
        return None


@SHOPIFY.check
def check_shop(call: Call) -> str:
    """Ask which shop it is, and in which version of the API it answers."""
    shop, served = admin.served_version(call)
    if served not in (None, call.connector.api_version):
        raise InvalidRequest(f"the shop answers in API version {served}, not {call.connector.api_version}; update")
    currency = shop.get("currencyCode")
    return f"Shopify shop {shop.get('name') or shop.get('myshopifyDomain')}" + (f", in {currency}" if currency else "")
