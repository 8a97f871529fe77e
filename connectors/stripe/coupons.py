"""Coupons: what is taken off. Their ids are unique, so each carries one of ours."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from connectors.kit.action import Input, Resend
from connectors.kit.call import Call
from connectors.kit.errors import NotFound
from connectors.kit.fields import Ahead, UtcDatetime
from connectors.stripe import web
from connectors.stripe.platform import (
    CURRENCY,
    LIMITS,
    METADATA,
    STRIPE,
    CouponId,
    Created,
    Currency,
    Deleted,
    Metadata,
    Minor,
    instant,
)

AHEAD = Ahead(soonest=timedelta(minutes=1), latest=timedelta(days=5 * 365))

_SCOPES = ("Coupons: write",)


class CreateCoupon(Input):
    """A discount."""

    id: CouponId | None = Field(default=None, description="Its id, unique in the account; one is made if left out.")
    percent_off: float | None = Field(default=None, gt=0, le=100, description="Percent taken off.")
    amount_off_minor: Minor | None = Field(
        default=None, description="Taken off instead, in the currency's minor unit; needs currency."
    )
    currency: Currency | None = CURRENCY
    duration: Literal["once", "repeating", "forever"] = Field(default="once", description="For which invoices.")
    duration_in_months: int | None = Field(default=None, ge=1, description="For how long, if repeating.")
    max_redemptions: int | None = Field(default=None, ge=1, description="How often it may be used in all.")
    redeem_by: Annotated[UtcDatetime, AfterValidator(AHEAD.accept)] | None = Field(
        default=None, description="Until when, with offset: at most five years ahead."
    )
    name: str | None = Field(default=None, min_length=1, max_length=40, description="Shown to buyers.")
    products: tuple[str, ...] = Field(default=(), description="Ids of the products it is for; all if left out.")
    metadata: Metadata = METADATA

    @model_validator(mode="after")
    def _takes_one_thing_off(self) -> CreateCoupon:
        if (self.percent_off is None) == (self.amount_off_minor is None):
            raise ValueError("one of percent_off and amount_off_minor is needed, not both")
        if (self.amount_off_minor is None) != (self.currency is None):
            raise ValueError("amount_off_minor and currency need each other")
        if (self.duration == "repeating") != (self.duration_in_months is not None):
            raise ValueError("duration repeating and duration_in_months need each other")
        return self


class Coupon(Created):
    """A discount."""

    name: str | None
    percent_off: float | None
    amount_off_minor: int | None
    currency: str | None
    redeem_by: datetime | None
    times_redeemed: int | None
    valid: bool | None = Field(description="Whether it can still be used.")


class CouponRef(Input):
    """Which coupon."""

    coupon: CouponId = Field(description="As createCoupon gave it.")


def _coupon(one: dict[str, Any]) -> Coupon:
    return Coupon(
        id=one["id"],
        effect_id=web.effect_id(one),
        name=one.get("name"),
        percent_off=one.get("percent_off"),
        amount_off_minor=one.get("amount_off"),
        currency=one.get("currency"),
        redeem_by=instant(one.get("redeem_by")),
        times_redeemed=one.get("times_redeemed"),
        valid=one.get("valid"),
    )


@STRIPE.action(
    "createCoupon",
    CreateCoupon,
    Coupon,
    repeat=web.ONCE,
    why="Stripe creates one per idempotency key, and its id is unique besides.",
    scopes=_SCOPES,
    limits=LIMITS,
)
def create_coupon(call: Call, data: CreateCoupon) -> Coupon:
    """Create a coupon."""
    # A repeat only asks for the first answer, whatever time it is by now.
    if data.redeem_by is not None and call.first_sent_at is None:
        AHEAD.check("redeem_by", data.redeem_by)
    coupon_id = data.id or f"nh_{call.key}"
    fields = {
        **data.model_dump(exclude={"id", "amount_off_minor", "products"}),
        "id": coupon_id,
        "amount_off": data.amount_off_minor,
        "applies_to": {"products": data.products},
    }

    def find() -> dict[str, Any] | None:
        try:
            found = web.get(call, f"coupons/{coupon_id}")
        except NotFound:
            return None
        return found if web.effect_id(found) == call.key else None

    return _coupon(web.create(call, "coupons", fields, find=find))


@STRIPE.read("getCoupon", CouponRef, Coupon, scopes=("Coupons: read",), limits=LIMITS)
def get_coupon(call: Call, data: CouponRef) -> Coupon:
    """Fetch a coupon."""
    return _coupon(web.get(call, f"coupons/{data.coupon}"))


@STRIPE.action(
    "deleteCoupon",
    CouponRef,
    Deleted,
    repeat=Resend(),
    why="Deleting twice is the same as once.",
    scopes=_SCOPES,
    limits=LIMITS,
)
def delete_coupon(call: Call, data: CouponRef) -> Deleted:
    """Delete a coupon; discounts that were granted stay."""
    try:
        web.delete(call, f"coupons/{data.coupon}")
    except NotFound:
        # Only an earlier attempt of this run can tell that it was there.
        if call.first_sent_at is None:
            raise
    return Deleted(id=data.coupon)
