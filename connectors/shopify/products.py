"""Products: created once by their handle, published, found, listed, deleted."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from connectors.kit import clock
from connectors.kit.action import Input, LookUp, Output, Resend
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, NotFound, OutcomeUnknown, looking
from connectors.kit.fields import HttpsUrl
from connectors.shopify import admin
from connectors.shopify.admin import LIMITS, PACE
from connectors.shopify.platform import AFTER, QUERY, SHOPIFY, Handle, Page, ProductId, Tag, Title, moment, whole

SETTLE_AFTER_S = 30.0
"""Shopify creates within its answer's time; this covers a request it still works on when we stop waiting."""

Status = Literal["ACTIVE", "ARCHIVED", "DRAFT", "UNLISTED"]

_WRITE = ("write_products", "read_products")


class Media(Input):
    """A picture, video or 3D model that Shopify loads by itself."""

    original_source: HttpsUrl = Field(description="Public https address.")
    kind: Literal["IMAGE", "VIDEO", "EXTERNAL_VIDEO", "MODEL_3D"] = Field(default="IMAGE", description="What it is.")
    alt: str | None = Field(default=None, max_length=512, description="What it shows, for those who cannot see it.")


class CreateProduct(Input):
    """A product with one variant."""

    title: Title = Field(description="Its name, up to 255 characters.")
    handle: Handle | None = Field(
        default=None, description="Its name in addresses, unique in the shop; made from the title if left out."
    )
    description_html: str | None = Field(default=None, max_length=512_000, description="Description, as HTML.")
    vendor: str | None = Field(default=None, min_length=1, max_length=255, description="Who makes it.")
    product_type: str | None = Field(default=None, min_length=1, max_length=255, description="What kind it is.")
    status: Status = Field(default="DRAFT", description="ACTIVE is for sale once it is published.")
    tags: tuple[Tag, ...] = Field(default=(), max_length=250, description="Up to 250, without commas.")
    media: tuple[Media, ...] = Field(default=(), max_length=250, description="Pictures, videos and 3D models.")


class Product(Output):
    """A product of the shop."""

    id: str
    handle: str
    title: str | None
    status: str | None
    vendor: str | None = None
    product_type: str | None = None
    total_inventory: int | None = None
    url: str | None = Field(default=None, description="Its page, once it is published to the online store.")
    created_at: datetime | None = None
    updated_at: datetime | None = None

    def provider_id(self) -> str:
        """The product's id."""
        return self.id


class ProductRef(Input):
    """Which product."""

    id: ProductId | None = Field(default=None, description="Its id.")
    handle: Handle | None = Field(default=None, description="Its handle, instead of its id.")

    @model_validator(mode="after")
    def _is_one(self) -> ProductRef:
        if (self.id is None) == (self.handle is None):
            raise ValueError("one of id and handle is needed, not both")
        return self


class ListProducts(Input):
    """Which products to list."""

    query: str | None = QUERY
    first: int = Field(default=50, ge=1, le=250, description="At most so many: 1 to 250.")
    after: str | None = AFTER


class ProductPage(Page):
    """Products, those first that were changed longest ago."""

    products: tuple[Product, ...]


class DeleteProduct(Input):
    """Which product to delete, for good."""

    id: ProductId = Field(description="Its id.")


class Deleted(Output):
    """It is gone."""

    id: str

    def provider_id(self) -> str:
        """The id of what was deleted."""
        return self.id


class PublishProduct(Input):
    """Where a product is to be sold."""

    id: ProductId = Field(description="Its id.")
    publications: tuple[Annotated[str, StringConstraints(pattern=r"^gid://shopify/Publication/\d+$")], ...] = Field(
        min_length=1, max_length=20, description="Ids of sales channels, as listPublications gives them."
    )


class PublishedProduct(Output):
    """A product that sales channels show."""

    id: str
    publications: int | None = Field(description="In how many sales channels it is available.")

    def provider_id(self) -> str:
        """The product's id."""
        return self.id


def product(one: dict[str, Any]) -> Product:
    """A product as Shopify shows it.

    Raises:
        KeyError: It has no id or no handle.
    """
    return Product(
        id=str(one["id"]),
        handle=str(one["handle"]),
        title=one.get("title"),
        status=one.get("status"),
        vendor=one.get("vendor"),
        product_type=one.get("productType"),
        total_inventory=whole(one.get("totalInventory")),
        url=one.get("onlineStoreUrl"),
        created_at=moment(one.get("createdAt")),
        updated_at=moment(one.get("updatedAt")),
    )


def handle_of(title: str, key: str) -> str:
    """A handle from a title, which no other run makes: Shopify would add a number to one that is taken."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = "-".join(re.findall(r"[a-z0-9]+", plain))[:200].strip("-")
    return f"{words or 'product'}-{key}"


def _by_handle(call: Call, handle: str) -> dict[str, Any] | None:
    found = admin.ask(call, "FindProduct", "productByIdentifier", identifier={"handle": handle})
    return found if isinstance(found, dict) and "id" in found and "handle" in found else None


def _find_created(call: Call, data: CreateProduct) -> Product | None:
    """The product that this run created: under the handle that was free when it was sent."""
    if call.first_sent_at is None:
        return None
    with looking():
        found = _by_handle(call, data.handle or handle_of(data.title, call.key))
    if found is None:
        return None
    made = product(found)
    if data.handle is None:
        return made
    if made.created_at is None or made.created_at < call.first_sent_at - clock.SKEW or made.title != data.title:
        return None
    if call.ledger.taken([made.id]):
        raise OutcomeUnknown("ambiguous: another run has created the product of this handle meanwhile")
    return made


@SHOPIFY.action(
    "createProduct",
    CreateProduct,
    Product,
    repeat=LookUp(_find_created, settle_after_s=SETTLE_AFTER_S, alike=lambda data: data.handle or data.title),
    why="Shopify takes no idempotency key here, but shows at once which product has a handle, and since when.",
    pace=PACE,
    scopes=_WRITE,
    limits=(*LIMITS, "1,000 new variants a day in a shop with over 50,000"),
)
def create_product(call: Call, data: CreateProduct) -> Product:
    """Create a product; nobody sees it before it is published."""
    handle = data.handle or handle_of(data.title, call.key)
    # Shopify does not refuse a handle that is taken: it would make another one of it.
    if data.handle is not None and _by_handle(call, handle) is not None:
        mine = _find_created(call, data)
        if mine is not None:
            return mine
        raise InvalidRequest("handle: another product of the shop has it; nothing was sent", code="HANDLE_NOT_UNIQUE")
    fields = {
        "title": data.title,
        "handle": handle,
        "descriptionHtml": data.description_html,
        "vendor": data.vendor,
        "productType": data.product_type,
        "status": data.status,
        "tags": [*data.tags] or None,
    }
    media = [given(originalSource=one.original_source, mediaContentType=one.kind, alt=one.alt) for one in data.media]
    made = admin.change(call, "CreateProduct", "productCreate", product=given(**fields), media=media or None).get(
        "product"
    )
    return product(understood(made, "CreateProduct"))


def given(**fields: Any) -> dict[str, Any]:
    """The fields that are there: null would empty a field."""
    return {name: value for name, value in fields.items() if value is not None}


def understood(made: Any, operation: str, *, needs: tuple[str, ...] = ("id", "handle")) -> dict[str, Any]:
    """What a mutation says that it made.

    Raises:
        OutcomeUnknown: It does not say.
    """
    if isinstance(made, dict) and all(isinstance(made.get(name), str) for name in needs):
        return made
    raise OutcomeUnknown(f"{operation}: Shopify answered without what it made")


@SHOPIFY.read("getProduct", ProductRef, Product, scopes=("read_products",), limits=LIMITS)
def get_product(call: Call, data: ProductRef) -> Product:
    """Fetch a product by its id or its handle."""
    identifier = {"id": data.id} if data.handle is None else {"handle": data.handle}
    found = admin.ask(call, "FindProduct", "productByIdentifier", identifier=identifier)
    if not isinstance(found, dict) or "id" not in found or "handle" not in found:
        raise NotFound("the shop has no such product")
    return product(found)


@SHOPIFY.read("listProducts", ListProducts, ProductPage, scopes=("read_products",), limits=LIMITS)
def list_products(call: Call, data: ListProducts) -> ProductPage:
    """List products, a page at a time."""
    found = admin.page(call, "ListProducts", "products", first=data.first, after=data.after, query=data.query)
    rows = [one for one in found["nodes"] if isinstance(one, dict) and "id" in one and "handle" in one]
    return ProductPage(products=tuple(map(product, rows)), next_cursor=admin.next_cursor(found))


@SHOPIFY.action(
    "deleteProduct",
    DeleteProduct,
    Deleted,
    repeat=Resend(),
    why="What is gone stays gone.",
    pace=PACE,
    scopes=_WRITE,
    limits=LIMITS,
)
def delete_product(call: Call, data: DeleteProduct) -> Deleted:
    """Delete a product, for good."""
    try:
        admin.change(call, "DeleteProduct", "productDelete", input={"id": data.id})
    except InvalidRequest:
        # Shopify has no code for a product that is not there.
        if admin.ask(call, "FindProduct", "productByIdentifier", identifier={"id": data.id}) is not None:
            raise
        if call.first_sent_at is None:
            raise NotFound("the shop has no such product") from None
    return Deleted(id=data.id)


@SHOPIFY.action(
    "publishProduct",
    PublishProduct,
    PublishedProduct,
    repeat=Resend(),
    why="It sets where the product is shown: twice is the same as once.",
    pace=PACE,
    scopes=("write_publications", "read_publications"),
    limits=LIMITS,
)
def publish_product(call: Call, data: PublishProduct) -> PublishedProduct:
    """Show a product in sales channels."""
    channels = [{"publicationId": one} for one in data.publications]
    found = admin.change(call, "PublishProduct", "publishablePublish", id=data.id, input=channels)
    count = (found.get("publishable") or {}).get("availablePublicationsCount") or {}
    return PublishedProduct(id=data.id, publications=whole(count.get("count")))
