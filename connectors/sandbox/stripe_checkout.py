"""What can be done with Stripe's hosted pages? Checkout sessions, which end by themselves, and payment links."""

from __future__ import annotations

from connectors.sandbox import stripe_checks as checks
from connectors.sandbox.platform import Call, Reply
from connectors.sandbox.stripe_data import (
    Json,
    answer,
    changed,
    created,
    find,
    invalid,
    missing,
    new_id,
    page,
    refused,
)

_SESSION, _LINK = "checkout.session", "payment_link"
_MOST_SESSION_ITEMS, _MOST_LINK_ITEMS = 100, 20
_SOONEST_S, _LATEST_S = 1800.0, 86_400.0


def create_session(call: Call) -> Reply:
    """POST /v1/checkout/sessions: a hosted page, for one purchase."""
    fields: Json = call.body or {}
    _check_session(call, fields)
    code = checks.items(call, fields["line_items"], most=_MOST_SESSION_ITEMS)
    if fields["mode"] == "payment" and checks.recurring(call, fields["line_items"]):
        raise invalid("mode", "You must use subscription mode with recurring prices.")
    if "customer" in fields:
        checks.customer(call, fields["customer"])
    for discount in fields.get("discounts", []):
        _check_discount(call, discount)
    livemode = call.principal["livemode"]
    session_id = new_id(f"cs_{'live' if livemode else 'test'}_a1", 56)
    content = {
        "id": session_id,
        "allow_promotion_codes": fields.get("allow_promotion_codes"),
        "automatic_tax": {"enabled": False},
        "cancel_url": fields.get("cancel_url"),
        "client_reference_id": fields.get("client_reference_id"),
        "consent_collection": fields.get("consent_collection"),
        "currency": code,
        "custom_fields": [],
        "custom_text": {},
        "customer": fields.get("customer"),
        "customer_email": fields.get("customer_email"),
        "expires_at": fields.get("expires_at", int(call.now + _LATEST_S)),
        "metadata": fields.get("metadata", {}),
        "mode": fields["mode"],
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "shipping_options": [],
        "status": "open",
        "success_url": fields["success_url"],
        "ui_mode": "hosted_page",
        "url": f"https://checkout.stripe.com/c/pay/{session_id}",
    }
    return created(call, _SESSION, content, recipient=fields.get("customer_email") or fields.get("customer"))


def _check_session(call: Call, fields: Json) -> None:
    checks.needs(fields, "mode", "line_items", "success_url")
    if fields["mode"] == "setup" or fields.get("ui_mode", "hosted_page") != "hosted_page":
        raise invalid("mode", "The sandbox plays hosted pages for payments and subscriptions only.")
    checks.one_at_most(fields, "customer", "customer_email")
    checks.one_at_most(fields, "discounts", "allow_promotion_codes")
    if len(fields.get("discounts", [])) > 1:
        raise invalid("discounts", "You may pass at most 1 discount.")
    for name in ("success_url", "cancel_url"):
        if name in fields:
            checks.address(name, fields[name])
    if "expires_at" in fields:
        checks.later("expires_at", fields["expires_at"], call, least_s=_SOONEST_S, most_s=_LATEST_S)


def _check_discount(call: Call, discount: Json) -> None:
    checks.one_at_most(discount, "coupon", "promotion_code", inside="discounts[0]")
    for name in ("coupon", "promotion_code"):
        found = find(call, name, discount[name]) if name in discount else {}
        if found is None or not found.get("active", True):
            raise missing(name.replace("_", " "), discount[name], param=f"discounts[0][{name}]", status=400)


def _session(call: Call, one: Json) -> Json:
    """A session as it is now: an open one ends with its time."""
    over = one["status"] == "open" and one["expires_at"] <= call.now
    return {**one, "status": "expired", "url": None} if over else one


def _find_session(call: Call) -> Json:
    found = find(call, _SESSION, call.path["session"])
    if found is None:
        raise missing(_SESSION, call.path["session"], param="session")
    return _session(call, found)


def fetch_session(call: Call) -> Reply:
    """GET /v1/checkout/sessions/{session}."""
    return answer(200, _find_session(call))


def expire_session(call: Call) -> Reply:
    """POST /v1/checkout/sessions/{session}/expire: only an open one."""
    found = _find_session(call)
    if found["status"] != "open":
        message = f'Only Checkout Sessions with a status in ["open"] can be expired; it has {found["status"]}.'
        raise refused(message, param="session")
    return changed(call, _SESSION, {**found, "status": "expired", "url": None}, event="expired")


def list_sessions(call: Call) -> Reply:
    """GET /v1/checkout/sessions."""
    query = call.query
    email = query.get("customer_details", {}).get("email")

    def wanted(one: Json) -> bool:
        return (
            query.get("customer") in (None, one["customer"])
            and query.get("status") in (None, _session(call, one)["status"])
            and email in (None, one["customer_email"])
            and not {"payment_intent", "payment_link", "subscription", "customer_account"} & set(query)
        )

    found = page(call, _SESSION, wanted)
    return answer(200, {**found.body, "data": [_session(call, one) for one in found.body["data"]]})


def create_link(call: Call) -> Reply:
    """POST /v1/payment_links: a page for any number of purchases."""
    fields: Json = call.body
    checks.needs(fields, "line_items")
    for number, item in enumerate(fields["line_items"]):
        if "quantity" not in item:
            param = f"line_items[{number}][quantity]"
            raise invalid(param, f"Missing required param: {param}.", code="parameter_missing")
    after = fields.get("after_completion", {"type": "hosted_confirmation"})
    if after["type"] == "redirect":
        checks.address("after_completion[redirect][url]", after.get("redirect", {}).get("url", ""))
    code = checks.items(call, fields["line_items"], most=_MOST_LINK_ITEMS)
    name = "" if call.principal["livemode"] else "test_"
    content = {
        "id": new_id("plink_1"),
        "active": True,
        "after_completion": after,
        "allow_promotion_codes": fields.get("allow_promotion_codes", False),
        "automatic_tax": {"enabled": False},
        "billing_address_collection": "auto",
        "currency": code,
        "custom_fields": [],
        "custom_text": {},
        "customer_creation": "if_required",
        "inactive_message": fields.get("inactive_message"),
        "metadata": fields.get("metadata") or {},
        "payment_method_collection": "always",
        "phone_number_collection": {"enabled": False},
        "restrictions": fields.get("restrictions"),
        "shipping_options": [],
        "submit_type": "auto",
        "tax_id_collection": {"enabled": False, "required": "never"},
        "url": f"https://buy.stripe.com/{name}{new_id('', 14)}",
    }
    return created(call, _LINK, content)


def _find_link(call: Call) -> Json:
    found = find(call, _LINK, call.path["payment_link"])
    if found is None:
        raise missing("payment link", call.path["payment_link"], param="payment_link")
    return found


def fetch_link(call: Call) -> Reply:
    """GET /v1/payment_links/{payment_link}."""
    return answer(200, _find_link(call))


def update_link(call: Call) -> Reply:
    """POST /v1/payment_links/{payment_link}: what is given is set anew."""
    fields: Json = call.body or {}
    found = _find_link(call)
    metadata = {**found["metadata"], **fields["metadata"]} if fields.get("metadata") else found["metadata"]
    return changed(call, _LINK, {**found, **fields, "metadata": metadata})


def list_links(call: Call) -> Reply:
    """GET /v1/payment_links."""
    return page(call, _LINK, lambda one: call.query.get("active") in (None, one["active"]))


def list_events(call: Call) -> Reply:
    """GET /v1/events: of the last 30 days."""
    kinds = call.query.get("types", [call.query["type"]] if "type" in call.query else None)
    since = call.now - 30 * 86_400
    return page(call, "event", lambda one: one["created"] >= since and (kinds is None or one["type"] in kinds))
