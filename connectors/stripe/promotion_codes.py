"""Promotion codes: what people type to get a coupon's discount."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from connectors.kit.action import Input, Output, Resend
from connectors.kit.call import Call
from connectors.kit.fields import Ahead, UtcDatetime
from connectors.stripe import web
from connectors.stripe.platform import (
    CURRENCY,
    LIMIT,
    LIMITS,
    METADATA,
    STRIPE,
    CouponId,
    Created,
    Currency,
    CustomerId,
    Metadata,
    Minor,
    instant,
    named,
)

AHEAD = Ahead(soonest=timedelta(minutes=1), latest=timedelta(days=5 * 365))

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]+$", max_length=500)]
_SCOPES = ("Promotion Codes: write",)


class CreatePromotionCode(Input):
    """A code for a coupon's discount."""

    coupon: CouponId = Field(description="As createCoupon gave it.")
    code: Code | None = Field(
        default=None, description="What people type, unique among the active ones; Stripe makes one if left out."
    )
    customer: CustomerId | None = Field(default=None, description="Only for this customer.")
    expires_at: Annotated[UtcDatetime, AfterValidator(AHEAD.accept)] | None = Field(
        default=None, description="Until when, with offset."
    )
    max_redemptions: int | None = Field(default=None, ge=1, description="How often it may be used in all.")
    first_time_only: bool = Field(default=False, description="Only for a customer's first purchase.")
    minimum_amount_minor: Minor | None = Field(
        default=None, description="Least purchase, in the currency's minor unit; needs currency."
    )
    currency: Currency | None = CURRENCY
    metadata: Metadata = METADATA

    @model_validator(mode="after")
    def _amount_has_a_currency(self) -> CreatePromotionCode:
        if (self.minimum_amount_minor is None) != (self.currency is None):
            raise ValueError("minimum_amount_minor and currency need each other")
        return self


class PromotionCode(Created):
    """A code for a coupon's discount."""

    code: str = Field(description="What people type.")
    coupon: str | None
    active: bool
    expires_at: datetime | None
    times_redeemed: int | None


class UpdatePromotionCode(Input):
    """Whether a code works."""

    promotion_code: str = Field(pattern=r"^promo_\w+$", description="Id, as createPromotionCode gave it.")
    active: bool = Field(description="False withdraws it; codes cannot be deleted.")


class ListPromotionCodes(Input):
    """Which codes to list."""

    code: Code | None = Field(default=None, description="Only this one, whatever the case.")
    coupon: CouponId | None = Field(default=None, description="Only those of this coupon.")
    active: bool | None = Field(default=None, description="Only those that work, or only those that do not.")
    limit: int = LIMIT


class PromotionCodeList(Output):
    """Promotion codes, the newest first."""

    promotion_codes: tuple[PromotionCode, ...]


def _code(one: dict[str, Any]) -> PromotionCode:
    return PromotionCode(
        id=one["id"],
        effect_id=web.effect_id(one),
        code=one["code"],
        coupon=named((one.get("promotion") or {}).get("coupon")),
        active=one["active"],
        expires_at=instant(one.get("expires_at")),
        times_redeemed=one.get("times_redeemed"),
    )


def _fields(data: CreatePromotionCode) -> dict[str, Any]:
    return {
        "promotion": {"type": "coupon", "coupon": data.coupon},
        "code": data.code,
        "customer": data.customer,
        "expires_at": data.expires_at,
        "max_redemptions": data.max_redemptions,
        "restrictions": {
            "first_time_transaction": data.first_time_only or None,
            "minimum_amount": data.minimum_amount_minor,
            "minimum_amount_currency": data.currency,
        },
        "metadata": data.metadata,
    }


@STRIPE.action(
    "createPromotionCode",
    CreatePromotionCode,
    PromotionCode,
    repeat=web.ONCE,
    why="Stripe creates one per idempotency key, also where it makes up the code.",
    scopes=_SCOPES,
    limits=LIMITS,
)
def create_promotion_code(call: Call, data: CreatePromotionCode) -> PromotionCode:
    """Create a promotion code for a coupon."""
    # A repeat only asks for the first answer, whatever time it is by now.
    if data.expires_at is not None and call.first_sent_at is None:
        AHEAD.check("expires_at", data.expires_at)

    def find() -> dict[str, Any] | None:
        return web.find_marked(
            call, "promotion_codes", code=data.code, coupon=data.coupon, created=web.since_sent(call)
        )

    return _code(web.create(call, "promotion_codes", _fields(data), find=find, needs=("id", "code", "active")))


@STRIPE.action(
    "updatePromotionCode",
    UpdatePromotionCode,
    PromotionCode,
    repeat=Resend(),
    why="It sets a value: twice is the same as once.",
    scopes=_SCOPES,
    limits=LIMITS,
)
def update_promotion_code(call: Call, data: UpdatePromotionCode) -> PromotionCode:
    """Withdraw a promotion code, or let it work again."""
    path = f"promotion_codes/{data.promotion_code}"
    return _code(web.change(call, path, {"active": data.active}, needs=("id", "code", "active")))


@STRIPE.read(
    "listPromotionCodes", ListPromotionCodes, PromotionCodeList, scopes=("Promotion Codes: read",), limits=LIMITS
)
def list_promotion_codes(call: Call, data: ListPromotionCodes) -> PromotionCodeList:
    """List promotion codes."""
    found = web.listed(call, "promotion_codes", code=data.code, coupon=data.coupon, active=data.active)
    return PromotionCodeList(promotion_codes=tuple(_code(one) for one in islice(found, data.limit)))
