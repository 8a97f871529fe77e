"""What can be done with Stripe's discounts? Coupons, whose ids are unique, and the codes that people type."""

from __future__ import annotations

from connectors.sandbox import stripe_checks as checks
from connectors.sandbox.platform import Call, Reply
from connectors.sandbox.stripe_data import (
    Json,
    answer,
    changed,
    created,
    everything,
    find,
    happened,
    invalid,
    missing,
    new_id,
    page,
    refused,
)

_CODE = "promotion_code"
_FIVE_YEARS_S = 5 * 366 * 86_400.0


def create_coupon(call: Call) -> Reply:
    """POST /v1/coupons: the id may be chosen, and is unique."""
    fields: Json = call.body
    _check_coupon(call, fields)
    coupon_id = fields.get("id") or new_id("", 8)
    if find(call, "coupon", coupon_id) is not None:
        raise refused("Coupon already exists.", code="resource_already_exists", param="id")
    content = {
        "id": coupon_id,
        "amount_off": fields.get("amount_off"),
        "currency": fields.get("currency"),
        "duration": fields.get("duration", "once"),
        "duration_in_months": fields.get("duration_in_months"),
        "max_redemptions": fields.get("max_redemptions"),
        "metadata": fields.get("metadata") or {},
        "name": fields.get("name"),
        "percent_off": fields.get("percent_off"),
        "redeem_by": fields.get("redeem_by"),
        "times_redeemed": 0,
        "valid": True,
        **({"applies_to": fields["applies_to"]} if "applies_to" in fields else {}),
    }
    return created(call, "coupon", content, text=fields.get("name"))


def _check_coupon(call: Call, fields: Json) -> None:
    checks.one_at_most(fields, "percent_off", "amount_off")
    if "amount_off" in fields:
        checks.money("amount_off", fields["amount_off"])
        checks.currency("currency", fields["currency"])
    if fields.get("duration") == "repeating":
        checks.needs(fields, "duration_in_months")
    elif "duration_in_months" in fields:
        raise invalid("duration_in_months", "You can only set duration_in_months when duration is repeating.")
    if fields.get("max_redemptions", 1) < 1:
        raise invalid("max_redemptions", "Invalid integer: must be at least 1", code="parameter_invalid_integer")
    if "redeem_by" in fields:
        checks.later("redeem_by", fields["redeem_by"], call, least_s=0.0, most_s=_FIVE_YEARS_S)


def fetch_coupon(call: Call) -> Reply:
    """GET /v1/coupons/{coupon}."""
    return answer(200, _find_coupon(call))


def _find_coupon(call: Call) -> Json:
    found = find(call, "coupon", call.path["coupon"])
    if found is None:
        raise missing("coupon", call.path["coupon"], param="coupon")
    return found


def delete_coupon(call: Call) -> Reply:
    """DELETE /v1/coupons/{coupon}: its id is free again."""
    found = _find_coupon(call)
    call.db.execute(
        "DELETE FROM stripe_object WHERE livemode = ? AND kind = 'coupon' AND id = ?",
        (call.principal["livemode"], found["id"]),
    )
    call.effect("deleteCoupon", found["id"])
    happened(call, "coupon.deleted", found)
    return answer(200, {"id": found["id"], "object": "coupon", "deleted": True})


def create_code(call: Call) -> Reply:
    """POST /v1/promotion_codes: unique among the active ones, whatever the case."""
    fields: Json = call.body
    coupon_id = fields["promotion"].get("coupon")
    if coupon_id is None:
        raise invalid("promotion[coupon]", "Missing required param: promotion[coupon].", code="parameter_missing")
    _check_restrictions(fields.get("restrictions", {}))
    if "expires_at" in fields:
        checks.later("expires_at", fields["expires_at"], call, least_s=0.0, most_s=_FIVE_YEARS_S)
    if find(call, "coupon", coupon_id) is None:
        raise missing("coupon", coupon_id, param="promotion[coupon]", status=400)
    if "customer" in fields:
        checks.customer(call, fields["customer"])
    code = fields.get("code") or new_id("", 8).upper()
    active = fields.get("active", True)
    if active:
        _refuse_taken(call, code, fields.get("customer"))
    content = {
        "id": new_id("promo_1"),
        "active": active,
        "code": code,
        "customer": fields.get("customer"),
        "expires_at": fields.get("expires_at"),
        "max_redemptions": fields.get("max_redemptions"),
        "metadata": fields.get("metadata", {}),
        "promotion": {"type": "coupon", "coupon": coupon_id},
        "restrictions": {"first_time_transaction": False, **fields.get("restrictions", {})},
        "times_redeemed": 0,
    }
    return created(call, _CODE, content, recipient=fields.get("customer"), text=code)


def _check_restrictions(given: Json) -> None:
    if "minimum_amount" in given:
        if "minimum_amount_currency" not in given:
            param = "restrictions[minimum_amount_currency]"
            raise invalid(param, f"Missing required param: {param}.", code="parameter_missing")
        checks.money("restrictions[minimum_amount]", given["minimum_amount"])
        checks.currency("restrictions[minimum_amount_currency]", given["minimum_amount_currency"])


def _refuse_taken(call: Call, code: str, customer: str | None, *, besides: str = "") -> None:
    for one in everything(call, _CODE, hidden=True):
        # Codes for different customers may read alike; one for everybody clashes with all.
        apart = customer is not None and one["customer"] not in (None, customer)
        if one["active"] and one["code"].lower() == code.lower() and one["id"] != besides and not apart:
            raise refused(f"An active promotion code with `code: {code}` already exists.", param="code")


def update_code(call: Call) -> Reply:
    """POST /v1/promotion_codes/{promotion_code}: switch off and on, metadata."""
    fields: Json = call.body or {}
    found = find(call, _CODE, call.path["promotion_code"])
    if found is None:
        raise missing("promotion code", call.path["promotion_code"], param="promotion_code")
    if fields.get("active"):
        _refuse_taken(call, found["code"], found["customer"], besides=found["id"])
    metadata = {**found["metadata"], **fields["metadata"]} if fields.get("metadata") else found["metadata"]
    return changed(call, _CODE, {**found, **fields, "metadata": metadata})


def list_codes(call: Call) -> Reply:
    """GET /v1/promotion_codes: by code, whatever the case, and by coupon."""
    query = call.query
    code: str | None = query.get("code")

    def wanted(one: Json) -> bool:
        return (
            query.get("active") in (None, one["active"])
            and (code is None or code.lower() == one["code"].lower())
            and query.get("coupon") in (None, one["promotion"]["coupon"])
            and query.get("customer") in (None, one["customer"])
        )

    return page(call, _CODE, wanted)
