"""Refunds: money goes back to whoever paid, whole or in parts."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import Any, Literal

from pydantic import Field, model_validator

from connectors.kit.action import Input, Output
from connectors.kit.call import Call
from connectors.stripe import web
from connectors.stripe.platform import LIMIT, LIMITS, METADATA, STRIPE, Created, Metadata, Minor, instant, named

_PAYMENT = Field(default=None, pattern=r"^pi_\w+$", description="The payment, by its intent.")
_CHARGE = Field(default=None, pattern=r"^(ch|py)_\w+$", description="The payment by its charge, instead.")


class CreateRefund(Input):
    """What to pay back."""

    payment_intent: str | None = _PAYMENT
    charge: str | None = _CHARGE
    amount_minor: Minor | None = Field(
        default=None, description="In the minor unit of the payment's currency; all that is left if left out."
    )
    reason: Literal["duplicate", "fraudulent", "requested_by_customer"] | None = Field(
        default=None, description="Why; fraudulent also blocks the card and the email address."
    )
    metadata: Metadata = METADATA

    @model_validator(mode="after")
    def _names_one_payment(self) -> CreateRefund:
        if (self.payment_intent is None) == (self.charge is None):
            raise ValueError("one of payment_intent and charge is needed, not both")
        return self


class Refund(Created):
    """Money that goes back."""

    amount_minor: int
    currency: str
    status: str | None = Field(description="pending, requires_action, succeeded, failed or canceled; may still change.")
    payment_intent: str | None
    charge: str | None
    created_at: datetime | None


class ListRefunds(Input):
    """Which refunds to list."""

    payment_intent: str | None = _PAYMENT
    charge: str | None = _CHARGE
    limit: int = LIMIT


class RefundList(Output):
    """Refunds, the newest first."""

    refunds: tuple[Refund, ...]


def _refund(one: dict[str, Any]) -> Refund:
    return Refund(
        id=one["id"],
        effect_id=web.effect_id(one),
        amount_minor=one["amount"],
        currency=one["currency"],
        status=one.get("status"),
        payment_intent=named(one.get("payment_intent")),
        charge=named(one.get("charge")),
        created_at=instant(one.get("created")),
    )


@STRIPE.action(
    "createRefund",
    CreateRefund,
    Refund,
    repeat=web.ONCE,
    why="A payment takes several refunds, but Stripe makes one per idempotency key.",
    scopes=("Charges and Refunds: write",),
    limits=LIMITS,
)
def create_refund(call: Call, data: CreateRefund) -> Refund:
    """Pay back a payment, or a part of it."""
    fields = {**data.model_dump(exclude={"amount_minor"}), "amount": data.amount_minor}

    def find() -> dict[str, Any] | None:
        return web.find_marked(call, "refunds", payment_intent=data.payment_intent, charge=data.charge)

    return _refund(web.create(call, "refunds", fields, find=find, needs=("id", "amount", "currency")))


@STRIPE.read("listRefunds", ListRefunds, RefundList, scopes=("Charges and Refunds: read",), limits=LIMITS)
def list_refunds(call: Call, data: ListRefunds) -> RefundList:
    """List refunds, all or those of a payment."""
    found = web.listed(call, "refunds", payment_intent=data.payment_intent, charge=data.charge)
    return RefundList(refunds=tuple(_refund(one) for one in islice(found, data.limit)))
