"""Shopify's GraphQL Admin API, as the connector ``shopify`` meets it, with its token endpoint and its file storage."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from connectors.sandbox import (
    shopify_bulk,
    shopify_data,
    shopify_discounts,
    shopify_inventory,
    shopify_orders,
    shopify_products,
    shopify_schema,
    shopify_tokens,
)
from connectors.sandbox.contract import Operation, Problem, ProblemKind
from connectors.sandbox.platform import Call, Handler, Platform, Refusal, Reply
from connectors.sandbox.shopify_schema import Document, Json, Resolver, Unreadable

_MOST_POINTS = 1000
_DEAD = "[API] Invalid API key or access token (unrecognized login or wrong password)"

_RESOLVERS: Mapping[str, Resolver] = {
    "bulkOperation": shopify_bulk.find,
    "bulkOperations": shopify_bulk.listing,
    "codeDiscountNodeByCode": shopify_discounts.find_by_code,
    "discountNode": shopify_discounts.find,
    "discountNodes": shopify_discounts.listing,
    "locations": shopify_inventory.locations,
    "orders": shopify_orders.listing,
    "productByIdentifier": shopify_products.find,
    "productOperation": shopify_products.operation,
    "productVariants": shopify_products.variants,
    "products": shopify_products.listing,
    "publications": shopify_inventory.publications,
    "shop": shopify_orders.shop,
    "bulkOperationCancel": shopify_bulk.cancel,
    "bulkOperationRunMutation": shopify_bulk.run,
    "discountCodeBasicCreate": shopify_discounts.create,
    "discountCodeBasicUpdate": shopify_discounts.change,
    "discountCodeDeactivate": shopify_discounts.deactivate,
    "discountCodeDelete": shopify_discounts.delete,
    "inventorySetQuantities": shopify_inventory.set_quantities,
    "productCreate": shopify_products.product_create,
    "productDelete": shopify_products.delete,
    "productSet": shopify_products.product_set,
    "publishablePublish": shopify_products.publish,
    "stagedUploadsCreate": shopify_bulk.stage,
}
_SCOPES: Mapping[str, str] = {
    "codeDiscountNodeByCode": "read_discounts",
    "discountNode": "read_discounts",
    "discountNodes": "read_discounts",
    "locations": "read_locations",
    "orders": "read_orders",
    "productByIdentifier": "read_products",
    "productVariants": "read_products",
    "products": "read_products",
    "publications": "read_publications",
    "discountCodeBasicCreate": "write_discounts",
    "discountCodeBasicUpdate": "write_discounts",
    "discountCodeDeactivate": "write_discounts",
    "discountCodeDelete": "write_discounts",
    "inventorySetQuantities": "write_inventory",
    "productCreate": "write_products",
    "productDelete": "write_products",
    "productSet": "write_products",
    "publishablePublish": "write_publications",
}


def _graphql(call: Call) -> Reply:
    """POST graphql.json: checked, charged, executed."""
    shopify_bulk.work_on(call)
    body: Json = call.body
    try:
        document = Document(body["query"], body.get("variables") or {}, body.get("operationName"))
    except Unreadable as unreadable:
        return _answer(call, {"errors": unreadable.errors})
    cost = document.cost()
    if cost > _MOST_POINTS:
        error = {"message": "Query cost is over the maximum", "extensions": {"code": "MAX_COST_EXCEEDED", "cost": cost}}
        return _answer(call, {"errors": [error]})
    points = _points(call)
    if points < cost:
        error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
        return _answer(call, {"errors": [error], **_charged(call, cost, None, points)})
    refused = _denied(call, document)
    if refused is not None:
        return _answer(call, {**refused, **_charged(call, cost, 1, points)})
    try:
        data, errors = document.execute(call)
    except Unreadable as unreadable:
        return _answer(call, {"errors": unreadable.errors})
    said = {"data": data, **({"errors": errors} if errors else {})}
    return _answer(call, {**said, **_charged(call, cost, cost, points)}, deprecated=document.deprecated)


def _points(call: Call) -> float:
    app = call.principal
    found: float = min(app["bucket"], app["points"] + max(0.0, call.now - app["counted_at"]) * app["restore_per_s"])
    return found


def _charged(call: Call, requested: int, actual: int | None, points: float) -> Json:
    left = points - (actual or 0)
    call.db.execute(
        "UPDATE shopify_app SET points = ?, counted_at = ? WHERE client_id = ?",
        (left, call.now, call.principal["client_id"]),
    )
    status = {
        "maximumAvailable": call.principal["bucket"],
        "currentlyAvailable": int(left),
        "restoreRate": call.principal["restore_per_s"],
    }
    return {
        "extensions": {
            "cost": {"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": status},
        }
    }


def _denied(call: Call, document: Document) -> Json | None:
    needed = _SCOPES.get(document.field)
    if needed is None or needed in call.principal["scopes"].split(","):
        return None
    error = {
        "message": f"Access denied for {document.field} field. Required access: `{needed}` access scope.",
        "path": [document.field],
        "extensions": {"code": "ACCESS_DENIED", "requiredAccess": f"`{needed}` access scope."},
    }
    return {"data": {document.field: None}, "errors": [error]}


def _answer(call: Call, body: Json, *, deprecated: bool = False) -> Reply:
    headers = {"X-Request-Id": secrets.token_hex(16), "X-Shopify-API-Version": call.path["version"]}
    if deprecated:
        headers["X-Shopify-API-Deprecated-Reason"] = "https://shopify.dev/api/usage/versioning#deprecation-practices"
    return Reply(200, body, headers=headers)


class Shopify(Platform):
    """Shopify: products, stock, discount codes, orders, bulk operations, tokens."""

    slug: ClassVar[str] = "shopify"
    tables: ClassVar[str] = shopify_data.TABLES
    operations: ClassVar[Mapping[str, Handler]] = {
        "graphql": _graphql,
        "getAccessToken": shopify_tokens.give,
        "uploadStagedFile": shopify_bulk.receive,
        "downloadBulkResult": shopify_bulk.download,
    }
    more_operations: ClassVar[frozenset[str]] = shopify_schema.fields()

    def __init__(self) -> None:
        shopify_schema.bind(_RESOLVERS)

    def operation_name(self, operation: Operation, raw_body: bytes) -> str:
        """Of a GraphQL request the field that it asks for."""
        if operation.id != "graphql":
            return operation.id
        try:
            body = json.loads(raw_body)
            return Document(body["query"], {}, body.get("operationName")).field or operation.id
        except (ValueError, KeyError, TypeError, Unreadable):
            return operation.id

    def seed(self, db: sqlite3.Connection, *, now: float) -> None:
        """A shop with a place, two sales channels and orders, and apps with different rights."""
        shopify_tokens.seed(db, now=now)
        for kind, name in (
            ("location", "Berlin"),
            ("location", "Hamburg"),
            ("publication", "Online Store"),
            ("publication", "Point of Sale"),
        ):
            shopify_data.insert(db, kind, name, {"name": name}, visible_at=now)
        shopify_orders.seed(db, now=now)

    def describe(self, db: sqlite3.Connection) -> dict[str, Any]:
        """The shop, in the shape a connection wants, and the credentials of lesser apps."""

        def credential(client_id: str) -> dict[str, Any]:
            app = db.execute("SELECT * FROM shopify_app WHERE client_id = ?", (client_id,)).fetchone()
            access = shopify_tokens.newest(db, client_id, "access")
            refresh = shopify_tokens.newest(db, client_id, "refresh")
            return {
                "shop": shopify_data.SHOP,
                "client_id": client_id,
                "client_secret": app["client_secret"],
                "refresh_token": refresh["token"],
                "access_token": access["token"],
                "expires_at": datetime.fromtimestamp(access["expires_at"], UTC).isoformat(),
            }

        def ids(kind: str, shown: str) -> dict[str, str]:
            rows = db.execute("SELECT * FROM shopify_object WHERE kind = ? ORDER BY n", (kind,))
            return {row["name"]: shopify_data.gid(shown, row["n"]) for row in rows}

        return {
            "account": shopify_data.SHOP,
            "credential": credential("sandbox-app"),
            "settings": {},
            "limited_credential": credential("reading-app"),
            "slow_credential": credential("slow-app"),
            "locations": ids("location", "Location"),
            "publications": ids("publication", "Publication"),
        }

    def authenticate(self, call: Call) -> sqlite3.Row | None:
        """A living access token in Shopify's own header."""
        if call.operation.security is None:
            return None
        token = call.headers.get("x-shopify-access-token", "")
        row: sqlite3.Row | None = call.db.execute(
            "SELECT app.*, token.replaces FROM shopify_token token JOIN shopify_app app USING (client_id)"
            " WHERE token.token = ? AND token.kind = 'access' AND token.expires_at > ?",
            (token, call.now),
        ).fetchone()
        if row is None:
            raise Refusal(self.auth_expired())
        if row["replaces"] is not None:
            # From now on the refresh token that brought it is spent.
            call.db.execute("UPDATE shopify_token SET used = 1 WHERE replaces = ?", (row["replaces"],))
        return row

    def refuse(self, problem: Problem) -> Reply:
        """404 for what is not there, else 400 with the parameter."""
        match problem.kind:
            case ProblemKind.UNKNOWN_PATH | ProblemKind.METHOD | ProblemKind.PATH:
                return Reply(404, {"errors": "Not Found"})
            case ProblemKind.CONTENT_TYPE:
                return Reply(406, {"errors": "Not Acceptable"})
            case _ if problem.operation is not None and problem.operation.id == "getAccessToken":
                return Reply(400, {"error": "invalid_request", "error_description": "The request is malformed."})
            case _:
                field = problem.violations[0].field if problem.violations else "body"
                return Reply(400, {"errors": {field: ["Required parameter missing or invalid"]}})

    def rate_limited(self, *, retry_after_s: int | None) -> Reply:
        """429 at the edge; nothing was executed."""
        wait = {} if retry_after_s is None else {"Retry-After": f"{retry_after_s:.1f}"}
        return Reply(429, {"errors": "Exceeded 2 calls per second for api client."}, headers=wait)

    def server_error(self, status: int) -> Reply:
        """500 or 503."""
        return Reply(status, {"errors": "Internal Server Error" if status == 500 else "Service Unavailable"})

    def auth_expired(self) -> Reply:
        """401: the token is unknown or over."""
        return Reply(401, {"errors": _DEAD})
