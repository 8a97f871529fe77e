"""Which values does Stripe take? Money, addresses, items; what the contract's schemas cannot say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from connectors.sandbox.platform import Call
from connectors.sandbox.stripe_data import Json, find, invalid, missing

_CURRENCIES = """
    aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp
    cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr isk
    jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn
    nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std
    szl thb tjs tnd top try ttd twd tzs uah ugx usd uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw
"""
CURRENCIES = frozenset(_CURRENCIES.split())
MOST_MINOR = 99_999_999


def money(param: str, amount: int, *, least: int = 1) -> None:
    """An amount in the minor unit that Stripe takes."""
    if amount < least:
        message = f"This value must be greater than or equal to {least}."
        raise invalid(param, message, code="parameter_invalid_integer")
    if amount > MOST_MINOR:
        raise invalid(param, f"Amount must be no more than {MOST_MINOR}", code="amount_too_large")


def currency(param: str, code: str) -> None:
    """A currency that Stripe knows, in small letters."""
    if code not in CURRENCIES:
        raise invalid(param, f"Invalid currency: {code}")


def needs(fields: Json, *names: str) -> None:
    """Parameters that may not be left out."""
    for name in names:
        if name not in fields:
            raise invalid(name, f"Missing required param: {name}.", code="parameter_missing")


def one_at_most(fields: Json, *names: str, inside: str = "") -> None:
    """Parameters that exclude each other."""
    given = [name for name in names if name in fields]
    if len(given) > 1:
        param = f"{inside}[{given[1]}]" if inside else given[1]
        message = f"You may only specify one of these parameters: {', '.join(given)}."
        raise invalid(param, message, code="parameters_exclusive")


def address(param: str, url: str) -> None:
    """An address that a browser can be sent to."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise invalid(param, "Not a valid URL", code="url_invalid")


def later(param: str, at: int, call: Call, *, least_s: float, most_s: float) -> None:
    """An instant so far ahead."""
    if not least_s <= at - call.now <= most_s:
        raise invalid(param, f"The timestamp must be between {least_s:.0f} and {most_s:.0f} seconds from now.")


def customer(call: Call, object_id: str, *, status: int = 400) -> Json:
    """The customer that is named."""
    found = find(call, "customer", object_id)
    if found is None:
        raise missing("customer", object_id, param="customer", status=status)
    return found


def items(call: Call, given: Sequence[Json], *, most: int) -> str:
    """The line items of a session or link; returns their one currency."""
    if not 1 <= len(given) <= most:
        raise invalid("line_items", f"You must pass between 1 and {most} line items.")
    for number, item in enumerate(given):
        _check_item(f"line_items[{number}]", item)
    prices = [_price(call, f"line_items[{number}]", item) for number, item in enumerate(given)]
    if len({price["currency"] for price in prices}) > 1:
        raise invalid("line_items", "All line items must have the same currency.")
    code: str = prices[0]["currency"]
    return code


def recurring(call: Call, given: Sequence[Json]) -> bool:
    """Whether one of the line items is paid again and again."""
    return any(_price(call, "", item).get("recurring") for item in given)


def _check_item(param: str, item: Json) -> None:
    one_at_most(item, "price", "price_data", inside=param)
    if item.get("quantity", 1) < 1:
        raise invalid(f"{param}[quantity]", "Invalid integer: must be at least 1", code="parameter_invalid_integer")
    if "price" in item:
        return
    if "price_data" not in item:
        raise invalid(f"{param}[price]", f"Missing required param: {param}[price].", code="parameter_missing")
    data, inside = item["price_data"], f"{param}[price_data]"
    currency(f"{inside}[currency]", data["currency"])
    one_at_most(data, "product", "product_data", inside=inside)
    one_at_most(data, "unit_amount", "unit_amount_decimal", inside=inside)
    for pair in (("product", "product_data"), ("unit_amount", "unit_amount_decimal")):
        if not set(pair) & set(data):
            raise invalid(f"{inside}[{pair[0]}]", f"Missing required param: {pair[0]}.", code="parameter_missing")
    money(f"{inside}[unit_amount]", data.get("unit_amount", 0), least=0)


def _price(call: Call, param: str, item: Json) -> dict[str, Any]:
    if "price_data" in item:
        data: Json = item["price_data"]
        if "product" in data and find(call, "product", data["product"]) is None:
            raise missing("product", data["product"], param=f"{param}[price_data][product]", status=400)
        return data
    found = find(call, "price", item["price"])
    if found is None:
        raise missing("price", item["price"], param=f"{param}[price]", status=400)
    return found
