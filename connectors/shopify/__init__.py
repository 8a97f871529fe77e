"""Shopify: products, stock, discount codes and orders of a shop, over the GraphQL Admin API."""

from __future__ import annotations

from connectors.shopify import bulk, discounts, feed, inventory, orders, products
from connectors.shopify.platform import SHOPIFY

__all__ = ["SHOPIFY", "bulk", "discounts", "feed", "inventory", "orders", "products"]
