"""What does Google Ads refuse? The rules of campaigns and budgets, each with its error code and its field."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from connectors.sandbox import google_ads_data as data
from connectors.sandbox.google_ads_failures import Broken, Json
from connectors.sandbox.google_ads_query import camel, snake
from connectors.sandbox.platform import Call
from connectors.sandbox.shapes import resolved

_SMALLEST = 10_000
"""A cent, in micros: the account's currency is the euro."""

_LEAST_A_DAY = 100_000
_REQUIRED = ("name", "advertisingChannelType", "campaignBudget", "containsEuPoliticalAdvertising")
_DECLARED = ("CONTAINS_EU_POLITICAL_ADVERTISING", "DOES_NOT_CONTAIN_EU_POLITICAL_ADVERTISING")
_IMMUTABLE = frozenset({"advertisingChannelType", "advertisingChannelSubType", "resourceName"})


def campaign(call: Call, given: Json, temporary: dict[str, str]) -> Iterator[Broken]:
    """Everything that is wrong with a campaign that is to be made."""
    for name in _REQUIRED:
        if not given.get(name):
            yield Broken("fieldError", "REQUIRED", "create", snake(name))
    strategies = [name for name in data.BIDDING if name in given]
    if len(strategies) != 1:
        value = "REQUIRED" if not strategies else "VALUE_MUST_BE_UNSET"
        yield Broken("fieldError", value, "create", "campaign_bidding_strategy")
    if given.get("containsEuPoliticalAdvertising", _DECLARED[0]) not in _DECLARED:
        yield Broken("fieldError", "INVALID_VALUE", "create", "contains_eu_political_advertising")
    if given.get("status") == "REMOVED":
        yield Broken("operationAccessDeniedError", "CREATE_AS_REMOVED_NOT_PERMITTED", "create", "status")
    if data.is_taken(call, "campaigns", given.get("name", "")):
        yield Broken("campaignError", "DUPLICATE_CAMPAIGN_NAME", "create", "name")
    yield from _budget_of(call, given, temporary)
    yield from bidding(given, "create")
    yield from _dates(call, given)
    yield from _fits("CampaignCreate", given)


def _fits(component: str, given: Json) -> Iterator[Broken]:
    # What the contract says besides; only of what is whole, so that nothing is said twice.
    if all(given.get(name) for name in _REQUIRED) and data.shape(component).violations(given):
        yield Broken("fieldError", "INVALID_VALUE", "create")


def _budget_of(call: Call, given: Json, temporary: dict[str, str]) -> Iterator[Broken]:
    named: str = given.get("campaignBudget", "")
    resource: str = temporary.get(named, named)
    if not named or (named in temporary and not resource):
        return
    row = data.find(call, "campaignBudgets", resource)
    if row is None:
        yield Broken("mutateError", "RESOURCE_NOT_FOUND", "create", "campaign_budget")
        return
    content = json.loads(row["content"])
    if row["removed"]:
        yield Broken("campaignBudgetError", "CAMPAIGN_BUDGET_REMOVED", "create", "campaign_budget")
    elif not content.get("explicitlyShared", True) and data.users(call.db, row["customer"], resource):
        code = "CANNOT_USE_IMPLICITLY_SHARED_CAMPAIGN_BUDGET_WITH_MULTIPLE_CAMPAIGNS"
        yield Broken("campaignBudgetError", code, "create", "campaign_budget")
    if "totalAmountMicros" in content and "endDateTime" not in given:
        yield Broken("campaignError", "END_DATE_TIME_REQUIRED_FOR_TOTAL_BUDGET", "create", "end_date_time")


def bidding(given: Json, *path: str) -> Iterator[Broken]:
    """What is wrong with how a campaign is to bid."""
    channel = given.get("advertisingChannelType")
    for name in data.BIDDING:
        if name not in given:
            continue
        if channel == "PERFORMANCE_MAX" and name not in ("maximizeConversions", "maximizeConversionValue"):
            yield Broken("biddingError", "BIDDING_STRATEGY_TRANSITION_NOT_ALLOWED", *path, snake(name))
        if name == "biddingStrategy":
            if not given[name].endswith(f"/biddingStrategies/{data.PORTFOLIO}"):
                yield Broken("mutateError", "RESOURCE_NOT_FOUND", *path, "bidding_strategy")
            continue
        for leaf, value in given[name].items():
            if leaf.endswith("Micros") and leaf != "locationFractionMicros" and int(value) < _SMALLEST:
                yield Broken("biddingError", "BID_TOO_SMALL", *path, snake(name), snake(leaf))


def _dates(call: Call, given: Json) -> Iterator[Broken]:
    start, end = given.get("startDateTime", ""), given.get("endDateTime", "")
    today = datetime.fromtimestamp(call.now, UTC).strftime("%Y-%m-%d")
    # A day's room: the account's day begins before that of UTC.
    if start and start[:10] < today:
        yield Broken("campaignError", "CANNOT_SET_DATE_TO_PAST", "create", "start_date_time")
    if end and (end < start or end[:10] < today):
        yield Broken("dateRangeError", "START_DATE_AFTER_END_DATE", "create", "end_date_time")


def budget(call: Call, given: Json) -> Iterator[Broken]:
    """Everything that is wrong with a budget that is to be made."""
    shared = given.get("explicitlyShared", True)
    if shared and not given.get("name"):
        yield Broken("fieldError", "REQUIRED", "create", "name")
    if given.get("name") and data.is_taken(call, "campaignBudgets", given["name"]):
        yield Broken("campaignBudgetError", "DUPLICATE_NAME", "create", "name")
    custom = given.get("period") == "CUSTOM_PERIOD"
    amount = "totalAmountMicros" if custom else "amountMicros"
    if custom and "amountMicros" in given:
        code = "BUDGET_AMOUNT_MUST_BE_UNSET_FOR_CUSTOM_BUDGET_PERIOD"
        yield Broken("campaignBudgetError", code, "create", "amount_micros")
    if not custom and "totalAmountMicros" in given:
        code = "TOTAL_BUDGET_AMOUNT_MUST_BE_UNSET_FOR_BUDGET_PERIOD_DAILY"
        yield Broken("campaignBudgetError", code, "create", "total_amount_micros")
    if amount not in given:
        yield Broken("fieldError", "REQUIRED", "create", snake(amount))
    else:
        yield from money(given[amount], "create", snake(amount))


def money(value: str | int, *path: str) -> Iterator[Broken]:
    """What is wrong with an amount, in micros."""
    amount = int(value)
    if amount < 0:
        yield Broken("campaignBudgetError", "NEGATIVE_MONEY_AMOUNT", *path)
    elif amount % _SMALLEST:
        yield Broken("campaignBudgetError", "NON_MULTIPLE_OF_MINIMUM_CURRENCY_UNIT", *path)
    elif amount < _LEAST_A_DAY:
        yield Broken("campaignBudgetError", "BUDGET_BELOW_PER_DAY_MINIMUM", *path)


def mask(text: str | None, component: str) -> list[list[str]]:
    """The leaves that a mask names, each as the way there.

    Raises:
        Broken: It is missing, or names what is no leaf.
    """
    if not text:
        raise Broken("fieldMaskError", "FIELD_MASK_MISSING", "update_mask")
    return [_leaf(one.strip(), component) for one in text.split(",")]


def _leaf(path: str, component: str) -> list[str]:
    parts = [camel(one) if "_" in one else one for one in path.split(".")]
    components = data.contract().components
    schema: Json = components["schemas"][component]
    for part in parts:
        properties = resolved(schema, components).get("properties", {})
        if part not in properties:
            raise Broken("fieldMaskError", "FIELD_NOT_FOUND", "update_mask")
        schema = properties[part]
    if resolved(schema, components).get("properties"):
        raise Broken("fieldMaskError", "FIELD_HAS_SUBFIELDS", "update_mask")
    if parts[0] in _IMMUTABLE:
        raise Broken("fieldError", "IMMUTABLE_FIELD", "update", snake(parts[0]))
    return parts


def is_temporary(resource_name: str) -> bool:
    """Whether a name is a temporary one: its number is below zero."""
    return re.search(r"/-\d+$", resource_name) is not None
