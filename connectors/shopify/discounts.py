"""Discount codes: what people type at the checkout. A code is unique in the shop, whatever its case."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from pydantic import Field

from connectors.kit.action import LookUp, Output, Resend
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, NotDone, NotFound, OutcomeUnknown, looking
from connectors.shopify import admin
from connectors.shopify.admin import LIMITS, PACE
from connectors.shopify.discount_inputs import (
    CreateDiscountCode,
    DiscountQuery,
    DiscountRef,
    ListDiscountCodes,
    UpdateDiscountCode,
)
from connectors.shopify.platform import SHOPIFY, Page, moment, whole
from connectors.shopify.products import SETTLE_AFTER_S, understood

_WRITE = ("write_discounts", "read_discounts")
_MARK = re.compile(r" \[nh:([\w-]+)\]$")


class DiscountCode(Output):
    """A code of the shop."""

    id: str
    code: str | None
    title: str | None
    kind: str | None = Field(default=None, description="DiscountCodeBasic, or another kind made elsewhere.")
    status: str | None = Field(description="ACTIVE, EXPIRED or SCHEDULED.")
    starts_at: datetime | None
    ends_at: datetime | None
    usage_limit: int | None
    used: int | None = Field(description="How often it was used; Shopify counts with delay.")
    effect_id: str | None = Field(default=None, description="The effect key of the run that created it.")

    def provider_id(self) -> str:
        """The discount's id."""
        return self.id


class DiscountPage(Page):
    """Discount codes."""

    discounts: tuple[DiscountCode, ...]


class DiscountDone(Output):
    """It is so."""

    id: str

    def provider_id(self) -> str:
        """The discount's id."""
        return self.id


def _discount(node: dict[str, Any], content: Any, *, code: str | None = None) -> DiscountCode:
    found: dict[str, Any] = content if isinstance(content, dict) else {}
    codes: list[dict[str, Any]] = (found.get("codes") or {}).get("nodes") or [{}]
    title = str(found.get("title") or "")
    mark = _MARK.search(title)
    return DiscountCode(
        # Shopify names the same discount by other kinds where it lists automatic ones too.
        id=f"gid://shopify/DiscountCodeNode/{str(node['id']).rpartition('/')[2]}",
        code=codes[0].get("code") or code,
        title=(title if mark is None else title[: mark.start()]) or None,
        kind=found.get("__typename"),
        status=found.get("status"),
        starts_at=moment(found.get("startsAt")),
        ends_at=moment(found.get("endsAt")),
        usage_limit=whole(found.get("usageLimit")),
        used=whole(found.get("asyncUsageCount")),
        effect_id=None if mark is None else mark[1],
    )


def _by_code(call: Call, code: str) -> DiscountCode | None:
    found = admin.ask(call, "FindDiscountByCode", "codeDiscountNodeByCode", code=code)
    if not isinstance(found, dict) or "id" not in found:
        return None
    return _discount(found, found.get("codeDiscount"), code=code)


def _find_created(call: Call, data: CreateDiscountCode) -> DiscountCode | None:
    """The code, if its title carries this run's key."""
    with looking():
        found = _by_code(call, data.code)
    return found if found is not None and found.effect_id == call.key else None


def _taken_by_us(call: Call, data: CreateDiscountCode) -> DiscountCode | None:
    """The code, if our own earlier request took it; None if it is somebody else's.

    Raises:
        OutcomeUnknown: Shopify does not tell.
    """
    try:
        return _find_created(call, data)
    except NotDone as unanswered:
        raise OutcomeUnknown(f"the code is taken, perhaps by this run: {unanswered}", code="TAKEN") from None


@SHOPIFY.action(
    "createDiscountCode",
    CreateDiscountCode,
    DiscountCode,
    repeat=LookUp(_find_created, settle_after_s=SETTLE_AFTER_S),
    why="A code exists once in a shop, is found by its name, and its title carries the run's key.",
    pace=PACE,
    scopes=_WRITE,
    limits=LIMITS,
)
def create_discount_code(call: Call, data: CreateDiscountCode) -> DiscountCode:
    """Create a discount code that people can type at the checkout."""
    fields = data.fields(f"{data.title} [nh:{call.key}]")
    try:
        payload = admin.change(call, "CreateDiscountCode", "discountCodeBasicCreate", basicCodeDiscount=fields)
    except InvalidRequest as refused:
        found = _taken_by_us(call, data) if refused.code == "TAKEN" else None
        if found is None:
            raise
        return found
    node = understood(payload.get("codeDiscountNode"), "CreateDiscountCode", needs=("id",))
    return _discount(node, node.get("codeDiscount"), code=data.code)


@SHOPIFY.action(
    "updateDiscountCode",
    UpdateDiscountCode,
    DiscountDone,
    repeat=Resend(),
    why="It sets values: twice is the same as once.",
    pace=PACE,
    scopes=_WRITE,
    limits=LIMITS,
)
def update_discount_code(call: Call, data: UpdateDiscountCode) -> DiscountDone:
    """Change a discount code: its dates, its limits, what it takes off."""
    admin.change(call, "UpdateDiscountCode", "discountCodeBasicUpdate", id=data.id, basicCodeDiscount=data.fields())
    return DiscountDone(id=data.id)


@SHOPIFY.action(
    "deactivateDiscountCode",
    DiscountRef,
    DiscountDone,
    repeat=Resend(),
    why="What has ended stays ended.",
    pace=PACE,
    scopes=_WRITE,
    limits=LIMITS,
)
def deactivate_discount_code(call: Call, data: DiscountRef) -> DiscountDone:
    """End a discount code now; it stays in the shop's lists."""
    admin.change(call, "DeactivateDiscountCode", "discountCodeDeactivate", id=data.id)
    return DiscountDone(id=data.id)


@SHOPIFY.action(
    "deleteDiscountCode",
    DiscountRef,
    DiscountDone,
    repeat=Resend(),
    why="What is gone stays gone.",
    pace=PACE,
    scopes=_WRITE,
    limits=LIMITS,
)
def delete_discount_code(call: Call, data: DiscountRef) -> DiscountDone:
    """Delete a discount code, for good."""
    try:
        admin.change(call, "DeleteDiscountCode", "discountCodeDelete", id=data.id)
    except (InvalidRequest, NotFound):
        if call.first_sent_at is None or _by_id(call, data.id) is not None:
            raise
    return DiscountDone(id=data.id)


def _by_id(call: Call, discount_id: str) -> DiscountCode | None:
    found = admin.ask(call, "GetDiscount", "discountNode", id=discount_id)
    if not isinstance(found, dict) or "id" not in found:
        return None
    return _discount(found, found.get("discount"))


@SHOPIFY.read("getDiscountCode", DiscountQuery, DiscountCode, scopes=("read_discounts",), limits=LIMITS)
def get_discount_code(call: Call, data: DiscountQuery) -> DiscountCode:
    """Fetch a discount code: whether it works, and how often it was used."""
    found = _by_code(call, data.code) if data.code is not None else _by_id(call, str(data.id))
    if found is None:
        raise NotFound("the shop has no such discount code")
    return found


@SHOPIFY.read("listDiscountCodes", ListDiscountCodes, DiscountPage, scopes=("read_discounts",), limits=LIMITS)
def list_discount_codes(call: Call, data: ListDiscountCodes) -> DiscountPage:
    """List discount codes, a page at a time."""
    query = " ".join(part for part in ("method:code", data.query) if part)
    found = admin.page(call, "ListDiscounts", "discountNodes", first=data.first, after=data.after, query=query)
    rows = [one for one in found["nodes"] if isinstance(one, dict) and "id" in one]
    shown = tuple(_discount(one, one.get("discount")) for one in rows)
    return DiscountPage(discounts=shown, next_cursor=admin.next_cursor(found))
