"""Checkout sessions: a page at Stripe where one purchase is paid, open for at most a day."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from connectors.kit.action import Input, Resend
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest
from connectors.kit.fields import Ahead, HttpsUrl, UtcDatetime
from connectors.stripe import web
from connectors.stripe.customers import Email
from connectors.stripe.items import LineItem, one_currency
from connectors.stripe.platform import (
    LIMITS,
    METADATA,
    STRIPE,
    CouponId,
    Created,
    CustomerId,
    Metadata,
    instant,
    named,
)

AHEAD = Ahead(soonest=timedelta(minutes=31), latest=timedelta(hours=24))

_SCOPES = ("Checkout Sessions: write",)
_DISCOUNTS = ("coupon", "promotion_code", "allow_promotion_codes")
_OWN_NAMES = {"line_items", "coupon", "promotion_code", "ask_for_promotions"}


class CreateCheckoutSession(Input):
    """A page for one purchase."""

    mode: Literal["payment", "subscription"] = Field(description="Paid once, or again and again.")
    line_items: Annotated[tuple[LineItem, ...], AfterValidator(one_currency)] = Field(
        min_length=1, max_length=100, description="What is bought."
    )
    success_url: HttpsUrl = Field(description="Where the buyer goes then; may hold {CHECKOUT_SESSION_ID}.")
    cancel_url: HttpsUrl | None = Field(default=None, description="Where the buyer goes who turns back.")
    customer: CustomerId | None = Field(default=None, description="Who buys, as createCustomer gave it.")
    customer_email: Email | None = Field(default=None, description="Filled in for the buyer, instead of a customer.")
    client_reference_id: str | None = Field(
        default=None, min_length=1, max_length=200, description="Your own name for the purchase."
    )
    coupon: CouponId | None = Field(default=None, description="Discount of this coupon.")
    promotion_code: str | None = Field(
        default=None, pattern=r"^promo_\w+$", description="Discount of this code, by id."
    )
    allow_promotion_codes: Literal[True] | None = Field(default=None, description="Buyers may type a code.")
    ask_for_promotions: bool = Field(
        default=False, description="Ask the buyer's consent to promotional mail, where Stripe offers that."
    )
    expires_at: Annotated[UtcDatetime, AfterValidator(AHEAD.accept)] | None = Field(
        default=None, description="When the page closes, with offset: 31 minutes to a day ahead; a day if left out."
    )
    metadata: Metadata = METADATA

    @model_validator(mode="after")
    def _excludes(self) -> CreateCheckoutSession:
        if self.customer is not None and self.customer_email is not None:
            raise ValueError("customer and customer_email exclude each other")
        if sum(getattr(self, name) is not None for name in _DISCOUNTS) > 1:
            raise ValueError(f"{', '.join(_DISCOUNTS)} exclude each other")
        return self


class CheckoutSession(Created):
    """A page for one purchase."""

    url: str | None = Field(description="The page's address; null once it is closed.")
    status: str | None = Field(description="open, complete or expired.")
    payment_status: str | None
    expires_at: datetime | None
    customer: str | None
    promotions_consent: str | None = Field(description="opt_in or opt_out, once the buyer was asked.")


class SessionRef(Input):
    """Which session."""

    session: str = Field(pattern=r"^cs_\w+$", description="As createCheckoutSession gave it.")


def _session(one: dict[str, Any]) -> CheckoutSession:
    return CheckoutSession(
        id=one["id"],
        effect_id=web.effect_id(one),
        url=one.get("url"),
        status=one.get("status"),
        payment_status=one.get("payment_status"),
        expires_at=instant(one.get("expires_at")),
        customer=named(one.get("customer")),
        promotions_consent=(one.get("consent") or {}).get("promotions"),
    )


def _fields(data: CreateCheckoutSession) -> dict[str, Any]:
    discount = {"coupon": data.coupon, "promotion_code": data.promotion_code}
    return {
        **data.model_dump(exclude=_OWN_NAMES),
        "line_items": [item.fields() for item in data.line_items],
        "discounts": [discount],
        "consent_collection": {"promotions": "auto"} if data.ask_for_promotions else None,
    }


@STRIPE.action(
    "createCheckoutSession",
    CreateCheckoutSession,
    CheckoutSession,
    repeat=web.ONCE,
    why="A second page could be paid too, but Stripe creates one per idempotency key.",
    scopes=_SCOPES,
    limits=LIMITS,
)
def create_checkout_session(call: Call, data: CreateCheckoutSession) -> CheckoutSession:
    """Open a page where one purchase is paid."""
    # A repeat only asks for the first answer, whatever time it is by now.
    if data.expires_at is not None and call.first_sent_at is None:
        AHEAD.check("expires_at", data.expires_at)

    def find() -> dict[str, Any] | None:
        return web.find_marked(call, "checkout/sessions", customer=data.customer, created=web.since_sent(call))

    return _session(web.create(call, "checkout/sessions", _fields(data), find=find, needs=("id", "url")))


@STRIPE.read("getCheckoutSession", SessionRef, CheckoutSession, scopes=("Checkout Sessions: read",), limits=LIMITS)
def get_checkout_session(call: Call, data: SessionRef) -> CheckoutSession:
    """Fetch a checkout session: whether it is paid, and what the buyer agreed to."""
    return _session(web.get(call, f"checkout/sessions/{data.session}"))


@STRIPE.action(
    "expireCheckoutSession",
    SessionRef,
    CheckoutSession,
    repeat=Resend(),
    why="What is closed stays closed.",
    scopes=_SCOPES,
    limits=LIMITS,
)
def expire_checkout_session(call: Call, data: SessionRef) -> CheckoutSession:
    """Close a checkout page that nobody has paid yet."""
    try:
        return _session(web.change(call, f"checkout/sessions/{data.session}/expire", {}))
    except InvalidRequest:
        # Stripe closes open pages only, and has no code for one that is closed already.
        found = get_checkout_session(call, data)
        if found.status != "expired":
            raise
        return found
