"""Stripe: customers, checkout pages, payment links, refunds and discounts, with a secret key."""

from __future__ import annotations

from connectors.stripe import checkout, coupons, customers, payment_links, promotion_codes, refunds
from connectors.stripe.platform import STRIPE
from connectors.stripe.web import StripeSettings

__all__ = [
    "STRIPE",
    "StripeSettings",
    "checkout",
    "coupons",
    "customers",
    "payment_links",
    "promotion_codes",
    "refunds",
]
