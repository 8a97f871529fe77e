"""One request of every Stripe action as Stripe documents it, and an answer to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.unit.connectors.wire import AT, HERE, KEY, Sent, asked, form

API = "https://api.stripe.com/v1/"
UNIX = str(int(AT.timestamp()))
SOON = (datetime.now(UTC) + timedelta(hours=3)).replace(microsecond=0)
MARK = ("metadata[neonhub_effect]", KEY)
CUSTOMER, SESSION, LINK = {"id": "cus_1"}, {"id": "cs_test_1", "url": "https://checkout.stripe.com/c/1"}, "plink_1"
PAGE = {"id": LINK, "url": "https://buy.stripe.com/1", "active": True}
REFUND = {"id": "re_1", "amount": 1500, "currency": "eur"}
CODE = {"id": "promo_1", "code": "SPRING", "active": True}
NOTHING = {"object": "list", "data": [], "has_more": False}
PRICE = {"currency": " EUR ", "unit_amount_minor": 1500, "product_name": "Box & ribbon"}

STRIPE_WIRE: list[tuple[str, dict[str, Any], list[Sent], list[dict[str, Any]]]] = [
    (
        "stripe.createCustomer",
        {
            "email": "ana@example.com",
            "name": "Ana Ruíz",
            "address": {"line1": "Am Markt 1", "country": "DE"},
            "preferred_locales": ["de", "en"],
            "metadata": {"source": "spring"},
        },
        [
            form(
                f"{API}customers",
                ("email", "ana@example.com"),
                ("name", "Ana Ruíz"),
                ("address[line1]", "Am Markt 1"),
                ("address[country]", "DE"),
                ("preferred_locales[0]", "de"),
                ("preferred_locales[1]", "en"),
                ("metadata[source]", "spring"),
                MARK,
            )
        ],
        [CUSTOMER],
    ),
    ("stripe.getCustomer", {"customer": "cus_1"}, [asked(f"{API}customers/cus_1")], [CUSTOMER]),
    (
        "stripe.listCustomers",
        {"email": "Ana@example.com"},
        [asked(f"{API}customers", ("limit", "100"), ("email", "Ana@example.com"))],
        [NOTHING],
    ),
    (
        "stripe.createCheckoutSession",
        {
            "mode": "payment",
            "line_items": [{"price_data": PRICE, "quantity": 2}, {"price": "price_1"}],
            "success_url": "https://example.com/done?session={CHECKOUT_SESSION_ID}",
            "cancel_url": "https://example.com/basket",
            "customer": "cus_1",
            "client_reference_id": "order-7",
            "coupon": "SPRING",
            "ask_for_promotions": True,
            "expires_at": SOON.isoformat(),
        },
        [
            form(
                f"{API}checkout/sessions",
                ("mode", "payment"),
                ("line_items[0][price_data][currency]", "eur"),
                ("line_items[0][price_data][unit_amount]", "1500"),
                ("line_items[0][price_data][product_data][name]", "Box & ribbon"),
                ("line_items[0][quantity]", "2"),
                ("line_items[1][price]", "price_1"),
                ("line_items[1][quantity]", "1"),
                ("success_url", "https://example.com/done?session={CHECKOUT_SESSION_ID}"),
                ("cancel_url", "https://example.com/basket"),
                ("customer", "cus_1"),
                ("client_reference_id", "order-7"),
                ("discounts[0][coupon]", "SPRING"),
                ("consent_collection[promotions]", "auto"),
                ("expires_at", str(int(SOON.timestamp()))),
                MARK,
            )
        ],
        [SESSION],
    ),
    (
        "stripe.getCheckoutSession",
        {"session": "cs_test_1"},
        [asked(f"{API}checkout/sessions/cs_test_1")],
        [SESSION],
    ),
    (
        "stripe.expireCheckoutSession",
        {"session": "cs_test_1"},
        [Sent("POST", f"{API}checkout/sessions/cs_test_1/expire", None, b"", [])],
        [SESSION],
    ),
    (
        "stripe.createPaymentLink",
        {
            "line_items": [{"price_data": {**PRICE, "interval": "month"}}],
            "redirect_url": "https://example.com/thanks",
            "allow_promotion_codes": True,
            "max_completed_sessions": 50,
            "inactive_message": "Sold out",
        },
        [
            form(
                f"{API}payment_links",
                ("line_items[0][price_data][currency]", "eur"),
                ("line_items[0][price_data][unit_amount]", "1500"),
                ("line_items[0][price_data][product_data][name]", "Box & ribbon"),
                ("line_items[0][price_data][recurring][interval]", "month"),
                ("line_items[0][quantity]", "1"),
                ("after_completion[type]", "redirect"),
                ("after_completion[redirect][url]", "https://example.com/thanks"),
                ("allow_promotion_codes", "true"),
                ("restrictions[completed_sessions][limit]", "50"),
                ("inactive_message", "Sold out"),
                MARK,
            )
        ],
        [PAGE],
    ),
    (
        "stripe.updatePaymentLink",
        {"payment_link": LINK, "active": False},
        [form(f"{API}payment_links/{LINK}", ("active", "false"))],
        [PAGE],
    ),
    (
        "stripe.listPaymentLinks",
        {"active": True},
        [asked(f"{API}payment_links", ("limit", "100"), ("active", "true"))],
        [NOTHING],
    ),
    (
        "stripe.createRefund",
        {"payment_intent": "pi_1", "amount_minor": 1500, "reason": "requested_by_customer"},
        [
            form(
                f"{API}refunds",
                ("payment_intent", "pi_1"),
                ("amount", "1500"),
                ("reason", "requested_by_customer"),
                MARK,
            )
        ],
        [REFUND],
    ),
    (
        "stripe.listRefunds",
        {"charge": "ch_1"},
        [asked(f"{API}refunds", ("limit", "100"), ("charge", "ch_1"))],
        [NOTHING],
    ),
    (
        "stripe.createCoupon",
        {
            "id": "SPRING",
            "amount_off_minor": 500,
            "currency": "eur",
            "duration": "repeating",
            "duration_in_months": 3,
            "max_redemptions": 9,
            "redeem_by": HERE,
            "name": "Spring",
            "products": ["prod_1"],
        },
        [
            form(
                f"{API}coupons",
                ("id", "SPRING"),
                ("amount_off", "500"),
                ("currency", "eur"),
                ("duration", "repeating"),
                ("duration_in_months", "3"),
                ("max_redemptions", "9"),
                ("redeem_by", UNIX),
                ("name", "Spring"),
                ("applies_to[products][0]", "prod_1"),
                MARK,
            )
        ],
        [{"id": "SPRING"}],
    ),
    (
        "stripe.createCoupon",
        {"percent_off": 12.5},
        [form(f"{API}coupons", ("id", f"nh_{KEY}"), ("percent_off", "12.5"), ("duration", "once"), MARK)],
        [{"id": f"nh_{KEY}"}],
    ),
    ("stripe.getCoupon", {"coupon": "SPRING"}, [asked(f"{API}coupons/SPRING")], [{"id": "SPRING"}]),
    (
        "stripe.deleteCoupon",
        {"coupon": "SPRING"},
        [Sent("DELETE", f"{API}coupons/SPRING", None, b"", [])],
        [{"id": "SPRING", "object": "coupon", "deleted": True}],
    ),
    (
        "stripe.createPromotionCode",
        {
            "coupon": "SPRING",
            "code": "HELLO-7",
            "customer": "cus_1",
            "expires_at": HERE,
            "max_redemptions": 1,
            "first_time_only": True,
            "minimum_amount_minor": 2000,
            "currency": "EUR",
        },
        [
            form(
                f"{API}promotion_codes",
                ("promotion[type]", "coupon"),
                ("promotion[coupon]", "SPRING"),
                ("code", "HELLO-7"),
                ("customer", "cus_1"),
                ("expires_at", UNIX),
                ("max_redemptions", "1"),
                ("restrictions[first_time_transaction]", "true"),
                ("restrictions[minimum_amount]", "2000"),
                ("restrictions[minimum_amount_currency]", "eur"),
                MARK,
            )
        ],
        [CODE],
    ),
    (
        "stripe.updatePromotionCode",
        {"promotion_code": "promo_1", "active": False},
        [form(f"{API}promotion_codes/promo_1", ("active", "false"))],
        [CODE],
    ),
    (
        "stripe.listPromotionCodes",
        {"code": "hello-7", "coupon": "SPRING", "active": True},
        [
            asked(
                f"{API}promotion_codes",
                ("limit", "100"),
                ("code", "hello-7"),
                ("coupon", "SPRING"),
                ("active", "true"),
            )
        ],
        [NOTHING],
    ),
]
