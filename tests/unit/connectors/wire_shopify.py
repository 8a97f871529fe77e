"""One request of every Shopify action as Shopify documents it, and an answer to it."""

from __future__ import annotations

import json
from typing import Any

from connectors.sandbox.bodies import MULTIPART
from connectors.shopify.documents import DOCUMENTS
from tests.unit.connectors.calls import SHOP
from tests.unit.connectors.wire import AT, HERE, JSON, KEY, Sent

API = f"https://{SHOP}/admin/api/2026-10/graphql.json"
STORAGE = "https://shopify-staged-uploads.storage.googleapis.com/"
RESULTS = "https://storage.googleapis.com/shopify-tiers-assets-prod-us-east1/r1"
UTC = AT.strftime("%Y-%m-%dT%H:%M:%SZ")
PRODUCT, PLACE, ITEM = "gid://shopify/Product/1", "gid://shopify/Location/2", "gid://shopify/InventoryItem/3"
CHANNEL, DISCOUNT, BULK = (
    "gid://shopify/Publication/4",
    "gid://shopify/DiscountCodeNode/5",
    "gid://shopify/BulkOperation/6",
)
SHOWN = {"id": PRODUCT, "handle": "box"}
LIST = {"nodes": [], "pageInfo": {"hasNextPage": False}}
KEPT = {"name": "key", "value": "tmp/1/products.jsonl"}


def asked(operation: str, document: str | None = None, **variables: Any) -> Sent:
    body = {"query": document or DOCUMENTS[operation], "variables": variables, "operationName": operation}
    return Sent("POST", API, JSON, body, [])


def said(field: str, value: Any) -> dict[str, Any]:
    return {"data": {field: value}}


def done(field: str, **payload: Any) -> dict[str, Any]:
    return said(field, {**payload, "userErrors": []})


def _fields(number: int) -> dict[str, Any]:
    return {"handle": f"box-{number}", "title": "Box", "status": "DRAFT"}


def _lines() -> bytes:
    rows = (
        {"identifier": {"handle": f"box-{number}"}, "input": _fields(number), "synchronous": True}
        for number in range(101)
    )
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


FILE = Sent("POST", STORAGE, MULTIPART, [("key", KEPT["value"]), ("file", _lines())], [])
STAGED = {"url": STORAGE, "resourceUrl": None, "parameters": [KEPT]}
NAMED = DOCUMENTS["SyncProduct"].replace("SyncProduct", f"SyncProduct_{KEY}", 1)
ENDED = {"id": BULK, "status": "COMPLETED", "errorCode": None, "url": RESULTS}

WIRE: list[tuple[str, dict[str, Any], list[Sent], list[dict[str, Any]]]] = [
    (
        "shopify.createProduct",
        {
            "title": "Box & ribbon",
            "handle": "box",
            "description_html": "<p>Größe</p>",
            "vendor": "Ana",
            "product_type": "Gift",
            "status": "ACTIVE",
            "tags": ["spring"],
            "media": [{"original_source": "https://a.example/1.png", "alt": "A box"}],
        },
        [
            asked("FindProduct", identifier={"handle": "box"}),
            asked(
                "CreateProduct",
                product={
                    "title": "Box & ribbon",
                    "handle": "box",
                    "descriptionHtml": "<p>Größe</p>",
                    "vendor": "Ana",
                    "productType": "Gift",
                    "status": "ACTIVE",
                    "tags": ["spring"],
                },
                media=[{"originalSource": "https://a.example/1.png", "mediaContentType": "IMAGE", "alt": "A box"}],
            ),
        ],
        [said("productByIdentifier", None), done("productCreate", product=SHOWN)],
    ),
    (
        "shopify.createProduct",
        {"title": "Box"},
        [asked("CreateProduct", product={"title": "Box", "handle": f"box-{KEY}", "status": "DRAFT"})],
        [done("productCreate", product=SHOWN)],
    ),
    (
        "shopify.getProduct",
        {"id": PRODUCT},
        [asked("FindProduct", identifier={"id": PRODUCT})],
        [said("productByIdentifier", SHOWN)],
    ),
    (
        "shopify.listProducts",
        {"query": "tag:spring", "first": 5, "after": "c1"},
        [asked("ListProducts", first=5, after="c1", query="tag:spring")],
        [said("products", LIST)],
    ),
    (
        "shopify.publishProduct",
        {"id": PRODUCT, "publications": [CHANNEL]},
        [asked("PublishProduct", id=PRODUCT, input=[{"publicationId": CHANNEL}])],
        [done("publishablePublish", publishable={"availablePublicationsCount": {"count": 1}})],
    ),
    (
        "shopify.deleteProduct",
        {"id": PRODUCT},
        [asked("DeleteProduct", input={"id": PRODUCT})],
        [done("productDelete", deletedProductId=PRODUCT)],
    ),
    (
        "shopify.syncProductFeed",
        {
            "products": [
                {
                    "handle": "box",
                    "title": "Box",
                    "status": "ACTIVE",
                    "tags": [],
                    "collections": ["gid://shopify/Collection/7"],
                    "pictures": [{"url": "https://a.example/1.png", "alt": "A box"}],
                    "variants": [
                        {
                            "options": {"Size": "S", "Color": "Red"},
                            "price": "9.90",
                            "compare_at_price": "12.00",
                            "sku": "B-S",
                            "barcode": "4006381333931",
                            "sell_without_stock": False,
                            "tracked": True,
                            "stock": [{"location_id": PLACE, "available": 3}],
                        },
                        {"options": {"Size": "L", "Color": "Red"}, "price": "9.90"},
                    ],
                }
            ]
        },
        [
            asked(
                "SyncProduct",
                identifier={"handle": "box"},
                synchronous=True,
                input={
                    "handle": "box",
                    "title": "Box",
                    "status": "ACTIVE",
                    "tags": [],
                    "collections": ["gid://shopify/Collection/7"],
                    "files": [{"originalSource": "https://a.example/1.png", "alt": "A box", "contentType": "IMAGE"}],
                    "productOptions": [
                        {"name": "Size", "position": 1, "values": [{"name": "S"}, {"name": "L"}]},
                        {"name": "Color", "position": 2, "values": [{"name": "Red"}]},
                    ],
                    "variants": [
                        {
                            "optionValues": [
                                {"optionName": "Size", "name": "S"},
                                {"optionName": "Color", "name": "Red"},
                            ],
                            "price": "9.90",
                            "compareAtPrice": "12.00",
                            "sku": "B-S",
                            "barcode": "4006381333931",
                            "inventoryPolicy": "DENY",
                            "inventoryItem": {"tracked": True},
                            "inventoryQuantities": [{"locationId": PLACE, "name": "available", "quantity": 3}],
                        },
                        {
                            "optionValues": [
                                {"optionName": "Size", "name": "L"},
                                {"optionName": "Color", "name": "Red"},
                            ],
                            "price": "9.90",
                        },
                    ],
                },
            )
        ],
        [done("productSet", product=SHOWN, productSetOperation=None)],
    ),
    (
        "shopify.syncProductFeed",
        {"products": [{"handle": f"box-{number}", "title": "Box"} for number in range(101)]},
        [
            asked(
                "StagedUpload",
                input=[
                    {
                        "resource": "BULK_MUTATION_VARIABLES",
                        "filename": "products.jsonl",
                        "mimeType": "text/jsonl",
                        "httpMethod": "POST",
                    }
                ],
            ),
            FILE,
            asked("RunBulk", mutation=NAMED, stagedUploadPath=KEPT["value"]),
            asked("BulkStatus", id=BULK),
            Sent("GET", RESULTS, None, b"", []),
        ],
        [
            done("stagedUploadsCreate", stagedTargets=[STAGED]),
            {},
            done("bulkOperationRunMutation", bulkOperation={"id": BULK, "status": "CREATED"}),
            said("bulkOperation", ENDED),
            {**done("productSet", product=SHOWN), "__lineNumber": 0},
        ],
    ),
    ("shopify.getBulkOperation", {"id": BULK}, [asked("BulkStatus", id=BULK)], [said("bulkOperation", ENDED)]),
    (
        "shopify.listBulkOperations",
        {},
        [asked("RecentBulkOperations", query="operation_type:mutation")],
        [said("bulkOperations", LIST)],
    ),
    (
        "shopify.cancelBulkOperation",
        {"id": BULK},
        [asked("CancelBulk", id=BULK)],
        [done("bulkOperationCancel", bulkOperation={"id": BULK, "status": "CANCELING"})],
    ),
    (
        "shopify.setInventory",
        {"quantities": [{"inventory_item_id": ITEM, "location_id": PLACE, "quantity": 7}], "reason": "restock"},
        [
            asked(
                "SetInventory",
                key=KEY,
                input={
                    "name": "available",
                    "reason": "restock",
                    "referenceDocumentUri": f"gid://neonhub-worker/Run/{KEY}",
                    "quantities": [
                        {"inventoryItemId": ITEM, "locationId": PLACE, "quantity": 7, "changeFromQuantity": None}
                    ],
                },
            )
        ],
        [done("inventorySetQuantities", inventoryAdjustmentGroup=None)],
    ),
    (
        "shopify.listVariants",
        {"query": "sku:B-S"},
        [asked("ListVariants", first=50, query="sku:B-S")],
        [said("productVariants", LIST)],
    ),
    ("shopify.listLocations", {}, [asked("ListLocations")], [said("locations", LIST)]),
    ("shopify.listPublications", {}, [asked("ListPublications")], [said("publications", LIST)]),
    (
        "shopify.createDiscountCode",
        {
            "code": "AUTUMN20",
            "title": "Autumn",
            "starts_at": HERE,
            "percent_off": 12.5,
            "usage_limit": 100,
            "applies_once_per_customer": True,
            "customer_segments": ["gid://shopify/Segment/8"],
            "minimum_subtotal": "50.00",
            "combines_with": ["shipping_discounts"],
        },
        [
            asked(
                "CreateDiscountCode",
                basicCodeDiscount={
                    "title": f"Autumn [nh:{KEY}]",
                    "code": "AUTUMN20",
                    "startsAt": UTC,
                    "usageLimit": 100,
                    "appliesOncePerCustomer": True,
                    "context": {"customerSegments": {"add": ["gid://shopify/Segment/8"]}},
                    "customerGets": {"value": {"percentage": 0.125}, "items": {"all": True}},
                    "minimumRequirement": {"subtotal": {"greaterThanOrEqualToSubtotal": "50.00"}},
                    "combinesWith": {
                        "orderDiscounts": False,
                        "productDiscounts": False,
                        "shippingDiscounts": True,
                    },
                },
            )
        ],
        [done("discountCodeBasicCreate", codeDiscountNode={"id": DISCOUNT})],
    ),
    (
        "shopify.updateDiscountCode",
        {"id": DISCOUNT, "ends_at": HERE, "amount_off": "5.00", "products": [PRODUCT], "minimum_quantity": 2},
        [
            asked(
                "UpdateDiscountCode",
                id=DISCOUNT,
                basicCodeDiscount={
                    "endsAt": UTC,
                    "customerGets": {
                        "value": {"discountAmount": {"amount": "5.00", "appliesOnEachItem": False}},
                        "items": {"products": {"productsToAdd": [PRODUCT]}},
                    },
                    "minimumRequirement": {"quantity": {"greaterThanOrEqualToQuantity": "2"}},
                },
            )
        ],
        [done("discountCodeBasicUpdate", codeDiscountNode={"id": DISCOUNT})],
    ),
    (
        "shopify.deactivateDiscountCode",
        {"id": DISCOUNT},
        [asked("DeactivateDiscountCode", id=DISCOUNT)],
        [done("discountCodeDeactivate", codeDiscountNode={"id": DISCOUNT})],
    ),
    (
        "shopify.deleteDiscountCode",
        {"id": DISCOUNT},
        [asked("DeleteDiscountCode", id=DISCOUNT)],
        [done("discountCodeDelete", deletedCodeDiscountId=DISCOUNT)],
    ),
    (
        "shopify.getDiscountCode",
        {"code": "AUTUMN20"},
        [asked("FindDiscountByCode", code="AUTUMN20")],
        [said("codeDiscountNodeByCode", {"id": DISCOUNT})],
    ),
    (
        "shopify.getDiscountCode",
        {"id": DISCOUNT},
        [asked("GetDiscount", id=DISCOUNT)],
        [said("discountNode", {"id": DISCOUNT})],
    ),
    (
        "shopify.listDiscountCodes",
        {"query": "status:active"},
        [asked("ListDiscounts", first=50, query="method:code status:active")],
        [said("discountNodes", LIST)],
    ),
    (
        "shopify.listOrders",
        {"updated_since": HERE, "query": "discount_code:AUTUMN20"},
        [asked("ListOrders", first=50, query=f"updated_at:>='{UTC}' discount_code:AUTUMN20")],
        [said("orders", LIST)],
    ),
]
