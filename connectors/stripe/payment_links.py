"""Payment links: a page at Stripe where anybody may buy, until it is switched off."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from connectors.kit.action import Input, Output, Resend
from connectors.kit.call import Call
from connectors.kit.fields import HttpsUrl
from connectors.stripe import web
from connectors.stripe.items import LineItem, one_currency
from connectors.stripe.platform import LIMIT, LIMITS, METADATA, STRIPE, Created, Metadata

_SCOPES = ("Payment Links: write",)


class CreatePaymentLink(Input):
    """A page for any number of purchases."""

    line_items: Annotated[tuple[LineItem, ...], AfterValidator(one_currency)] = Field(
        min_length=1, max_length=20, description="What is bought."
    )
    redirect_url: HttpsUrl | None = Field(
        default=None, description="Where the buyer goes then; Stripe's own page if left out."
    )
    allow_promotion_codes: bool = Field(default=False, description="Buyers may type a code.")
    max_completed_sessions: int | None = Field(default=None, ge=1, description="Purchases after which it closes.")
    inactive_message: str | None = Field(
        default=None, min_length=1, max_length=500, description="Shown once it is switched off."
    )
    metadata: Metadata = METADATA


class PaymentLink(Created):
    """A page for any number of purchases."""

    url: str = Field(description="The page's address.")
    active: bool


class UpdatePaymentLink(Input):
    """Whether a link works."""

    payment_link: str = Field(pattern=r"^plink_\w+$", description="As createPaymentLink gave it.")
    active: bool = Field(description="False switches it off; links cannot be deleted.")


class ListPaymentLinks(Input):
    """Which links to list."""

    active: bool | None = Field(default=None, description="Only those that work, or only those that do not.")
    limit: int = LIMIT


class PaymentLinkList(Output):
    """Payment links, the newest first."""

    payment_links: tuple[PaymentLink, ...]


def _link(one: dict[str, Any]) -> PaymentLink:
    return PaymentLink(id=one["id"], effect_id=web.effect_id(one), url=one["url"], active=one["active"])


def _fields(data: CreatePaymentLink) -> dict[str, Any]:
    redirect = None if data.redirect_url is None else {"type": "redirect", "redirect": {"url": data.redirect_url}}
    return {
        "line_items": [item.fields() for item in data.line_items],
        "after_completion": redirect,
        "allow_promotion_codes": data.allow_promotion_codes,
        "restrictions": {"completed_sessions": {"limit": data.max_completed_sessions}},
        "inactive_message": data.inactive_message,
        "metadata": data.metadata,
    }


@STRIPE.action(
    "createPaymentLink",
    CreatePaymentLink,
    PaymentLink,
    repeat=web.ONCE,
    why="Nothing about a link is unique, but Stripe creates one per idempotency key.",
    scopes=_SCOPES,
    limits=LIMITS,
)
def create_payment_link(call: Call, data: CreatePaymentLink) -> PaymentLink:
    """Open a page where anybody may buy."""

    def find() -> dict[str, Any] | None:
        return web.find_marked(call, "payment_links")

    return _link(web.create(call, "payment_links", _fields(data), find=find, needs=("id", "url", "active")))


@STRIPE.action(
    "updatePaymentLink",
    UpdatePaymentLink,
    PaymentLink,
    repeat=Resend(),
    why="It sets a value: twice is the same as once.",
    scopes=_SCOPES,
    limits=LIMITS,
)
def update_payment_link(call: Call, data: UpdatePaymentLink) -> PaymentLink:
    """Switch a payment link off, or on again."""
    path = f"payment_links/{data.payment_link}"
    return _link(web.change(call, path, {"active": data.active}, needs=("id", "url", "active")))


@STRIPE.read("listPaymentLinks", ListPaymentLinks, PaymentLinkList, scopes=("Payment Links: read",), limits=LIMITS)
def list_payment_links(call: Call, data: ListPaymentLinks) -> PaymentLinkList:
    """List payment links."""
    found = web.listed(call, "payment_links", active=data.active)
    return PaymentLinkList(payment_links=tuple(_link(one) for one in islice(found, data.limit)))
