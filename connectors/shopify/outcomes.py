"""What became of a feed? Of each product by itself: one that Shopify refuses does not hold up the others."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from connectors.kit.action import Output


class SyncedProduct(Output):
    """A product that the shop has now."""

    handle: str
    id: str


class RefusedProduct(Output):
    """A product that Shopify did not take."""

    handle: str
    code: str | None = Field(description="Shopify's code.")
    reason: str


class SyncedFeed(Output):
    """What became of a feed."""

    synced: tuple[SyncedProduct, ...] = ()
    refused: tuple[RefusedProduct, ...] = Field(default=(), description="These are as they were before.")
    operation_id: str | None = Field(default=None, description="The bulk operation of a feed that went as a file.")

    def provider_id(self) -> str | None:
        """The operation at Shopify, or the product of a feed of one."""
        return self.operation_id or (self.synced[0].id if len(self.synced) == 1 else None)


def part_of(handle: str, payload: dict[str, Any]) -> SyncedFeed | None:
    """What a payload says of one product; None if it says nothing."""
    errors, found = payload.get("userErrors"), payload.get("product")
    if isinstance(errors, list) and errors:
        return SyncedFeed(refused=(_refused(handle, errors),))
    if isinstance(found, dict) and isinstance(found.get("id"), str):
        return SyncedFeed(synced=(SyncedProduct(handle=handle, id=found["id"]),))
    return None


def _refused(handle: str, errors: list[Any]) -> RefusedProduct:
    """By its first error, without the message: that may repeat what a person typed."""
    first = errors[0] if isinstance(errors[0], dict) else {}
    code, path = first.get("code"), first.get("field")
    named = code if isinstance(code, str) else None
    where = f" ({'.'.join(map(str, path))})" if isinstance(path, list) and path else ""
    return RefusedProduct(handle=handle, code=named, reason=f"Shopify answered {named or 'user errors'}{where}")
