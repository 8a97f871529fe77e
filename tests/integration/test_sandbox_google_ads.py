"""The sandbox's Google Ads is as strict as the real one: all or nothing, unique names, masks of leaves, access."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

import jsonschema_rs
import pytest
import requests

from tests.unit.sandbox.process import Box, running

MUTATE, SEARCH = "customers/{customer}/googleAds:mutate", "customers/{customer}/googleAds:search"
CAMPAIGNS, BUDGETS = "customers/{customer}/campaigns:mutate", "customers/{customer}/campaignBudgets:mutate"
STREAM = "customers/{customer}/googleAds:searchStream"
EU = "DOES_NOT_CONTAIN_EU_POLITICAL_ADVERTISING"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


@pytest.fixture
def here(box: Box) -> str:
    return f"customers/{box.google_ads['account']}"


def failures(answer: requests.Response) -> list[tuple[str, str]]:
    """Codes of the errors, and the field that each is about."""
    said = answer.json()
    status = said.get("error") or said["partialFailureError"]
    found = []
    for one in status["details"][0]["errors"]:
        ((key, value),) = one["errorCode"].items()
        elements = one.get("location", {}).get("fieldPathElements", [])
        found.append((f"{key}.{value}", ".".join(element["fieldName"] for element in elements)))
    return found


def codes(answer: requests.Response) -> list[str]:
    assert answer.status_code in (400, 401, 403, 404, 429), answer.text
    return [code for code, _ in failures(answer)]


def pair(here: str, name: str, /, **changes: Any) -> dict[str, Any]:
    """A budget and a campaign that names it; None leaves a field out."""
    campaign = {
        "resourceName": f"{here}/campaigns/-2",
        "name": name,
        "status": "PAUSED",
        "advertisingChannelType": "SEARCH",
        "campaignBudget": f"{here}/campaignBudgets/-1",
        "containsEuPoliticalAdvertising": EU,
        "maximizeConversions": {},
        **changes,
    }
    budget = {"resourceName": f"{here}/campaignBudgets/-1", "name": f"{name} budget", "amountMicros": "50000000"}
    given = {field: value for field, value in campaign.items() if value is not None}
    return {
        "mutateOperations": [
            {"campaignBudgetOperation": {"create": {**budget, "explicitlyShared": False}}},
            {"campaignOperation": {"create": given}},
        ]
    }


def made(box: Box, here: str, name: str, /, **changes: Any) -> str:
    answer = box.ads(MUTATE, pair(here, name, **changes))
    assert answer.status_code == 200, answer.text
    resource: str = answer.json()["mutateOperationResponses"][1]["campaignResult"]["resourceName"]
    return resource


def update(resource: str, mask: str, **fields: Any) -> dict[str, Any]:
    return {"operations": [{"update": {"resourceName": resource, **fields}, "updateMask": mask}]}


def search(box: Box, query: str) -> list[dict[str, Any]]:
    answer = box.ads(SEARCH, {"query": query})
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json().get("results", [])
    return rows


def test_a_budget_and_a_campaign_are_made_together_or_not_at_all(box: Box, here: str) -> None:
    before = box.last_effect()
    resource = made(box, here, "Together")
    (row,) = search(box, "SELECT campaign.status, campaign_budget.amount_micros FROM campaign WHERE campaign.id = "
                    + resource.rpartition("/")[2])  # fmt: skip
    assert row["campaign"] == {"resourceName": resource, "status": "PAUSED"}
    assert row["campaignBudget"]["amountMicros"] == "50000000"
    again = box.ads(MUTATE, pair(here, "Together"))
    assert codes(again) == ["campaignBudgetError.DUPLICATE_NAME", "campaignError.DUPLICATE_CAMPAIGN_NAME"]
    broken = box.ads(MUTATE, pair(here, "Half", containsEuPoliticalAdvertising=None))
    place = "mutate_operations.campaign_operation.create.contains_eu_political_advertising"
    assert failures(broken) == [("fieldError.REQUIRED", place)]
    budgets = search(box, "SELECT campaign_budget.name FROM campaign_budget WHERE campaign_budget.name = 'Half budget'")
    assert budgets == []
    assert [one["action"] for one in box.effects("google_ads", since_id=before)] == ["createCampaign"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": None}, "fieldError.REQUIRED"),
        ({"advertisingChannelType": None}, "fieldError.REQUIRED"),
        ({"campaignBudget": None}, "fieldError.REQUIRED"),
        ({"maximizeConversions": None}, "fieldError.REQUIRED"),
        ({"manualCpc": {}}, "fieldError.VALUE_MUST_BE_UNSET"),
        ({"containsEuPoliticalAdvertising": "UNSPECIFIED"}, "fieldError.INVALID_VALUE"),
        ({"status": "REMOVED"}, "operationAccessDeniedError.CREATE_AS_REMOVED_NOT_PERMITTED"),
        ({"campaignBudget": "customers/1234567890/campaignBudgets/7"}, "mutateError.RESOURCE_NOT_FOUND"),
        ({"startDateTime": "2020-01-01 00:00:00"}, "campaignError.CANNOT_SET_DATE_TO_PAST"),
        ({"endDateTime": "2020-01-01 23:59:59"}, "dateRangeError.START_DATE_AFTER_END_DATE"),
        ({"resourceName": "customers/1234567890/campaigns/5"}, "fieldError.IMMUTABLE_FIELD"),
        ({"maximizeConversions": {"targetCpaMicros": "8"}}, "biddingError.BID_TOO_SMALL"),
        (
            {"maximizeConversions": None, "manualCpc": {}, "advertisingChannelType": "PERFORMANCE_MAX"},
            "biddingError.BIDDING_STRATEGY_TRANSITION_NOT_ALLOWED",
        ),
    ],
)
def test_a_campaign_that_breaks_a_rule_is_refused_with_its_code(
    box: Box, here: str, changes: dict[str, Any], expected: str
) -> None:
    before = box.last_effect()
    assert expected in codes(box.ads(MUTATE, pair(here, "Broken", **changes)))
    assert box.last_effect() == before


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"amountMicros": "50000001"}, "campaignBudgetError.NON_MULTIPLE_OF_MINIMUM_CURRENCY_UNIT"),
        ({"amountMicros": "-10000"}, "campaignBudgetError.NEGATIVE_MONEY_AMOUNT"),
        ({"amountMicros": "50000"}, "campaignBudgetError.BUDGET_BELOW_PER_DAY_MINIMUM"),
        ({}, "fieldError.REQUIRED"),
        ({"amountMicros": "50000000", "name": None}, "fieldError.REQUIRED"),
        (
            {"totalAmountMicros": "50000000"},
            "campaignBudgetError.TOTAL_BUDGET_AMOUNT_MUST_BE_UNSET_FOR_BUDGET_PERIOD_DAILY",
        ),
        (
            {"amountMicros": "50000000", "totalAmountMicros": "50000000", "period": "CUSTOM_PERIOD"},
            "campaignBudgetError.BUDGET_AMOUNT_MUST_BE_UNSET_FOR_CUSTOM_BUDGET_PERIOD",
        ),
    ],
)
def test_a_budget_that_breaks_a_rule_is_refused_with_its_code(box: Box, fields: dict[str, Any], expected: str) -> None:
    given = {name: value for name, value in {"name": "Broken", **fields}.items() if value is not None}
    assert expected in codes(box.ads(BUDGETS, {"operations": [{"create": given}]}))


def test_a_budget_in_use_stays_and_one_that_is_not_shared_has_one_campaign(box: Box, here: str) -> None:
    resource = made(box, here, "Alone")
    query = f"SELECT campaign.campaign_budget FROM campaign WHERE campaign.id = {resource.rpartition('/')[2]}"
    budget = search(box, query)[0]["campaign"]["campaignBudget"]
    taken = pair(here, "Second", campaignBudget=budget)
    code = "campaignBudgetError.CANNOT_USE_IMPLICITLY_SHARED_CAMPAIGN_BUDGET_WITH_MULTIPLE_CAMPAIGNS"
    assert codes(box.ads(MUTATE, taken)) == [code]
    remove = {"operations": [{"remove": budget}]}
    assert codes(box.ads(BUDGETS, remove)) == ["campaignBudgetError.CAMPAIGN_BUDGET_IN_USE"]
    assert box.ads(CAMPAIGNS, {"operations": [{"remove": resource}]}).status_code == 200
    assert box.ads(BUDGETS, remove).status_code == 200
    assert codes(box.ads(MUTATE, taken)) == ["campaignBudgetError.CAMPAIGN_BUDGET_REMOVED"]


def test_a_name_is_free_again_when_its_campaign_is_removed_and_the_old_one_stays_readable(box: Box, here: str) -> None:
    first = made(box, here, "Phoenix")
    assert box.ads(CAMPAIGNS, {"operations": [{"remove": first}]}).json()["results"] == [{"resourceName": first}]
    denied = box.ads(CAMPAIGNS, {"operations": [{"remove": first}]})
    assert codes(denied) == ["operationAccessDeniedError.OPERATION_NOT_PERMITTED_FOR_REMOVED_RESOURCE"]
    operations = pair(here, "Phoenix")
    operations["mutateOperations"][0]["campaignBudgetOperation"]["create"]["name"] = "Phoenix 2 budget"
    assert box.ads(MUTATE, operations).status_code == 200
    rows = search(box, "SELECT campaign.status FROM campaign WHERE campaign.name = 'Phoenix' ORDER BY campaign.status")
    assert [row["campaign"]["status"] for row in rows] == ["PAUSED", "REMOVED"]


@pytest.mark.parametrize(
    ("mask", "fields", "expected"),
    [
        (None, {"status": "PAUSED"}, "fieldMaskError.FIELD_MASK_MISSING"),
        ("nope", {"status": "PAUSED"}, "fieldMaskError.FIELD_NOT_FOUND"),
        ("maximizeConversions", {"maximizeConversions": {}}, "fieldMaskError.FIELD_HAS_SUBFIELDS"),
        ("networkSettings", {"networkSettings": {}}, "fieldMaskError.FIELD_HAS_SUBFIELDS"),
        ("advertisingChannelType", {"advertisingChannelType": "DISPLAY"}, "fieldError.IMMUTABLE_FIELD"),
        ("status", {"status": "REMOVED"}, "fieldError.INVALID_VALUE"),
        ("name", {"name": "Evergreen"}, "campaignError.DUPLICATE_CAMPAIGN_NAME"),
    ],
)
def test_a_mask_names_leaves_that_may_change(
    box: Box, here: str, mask: str | None, fields: dict[str, Any], expected: str
) -> None:
    resource = f"{here}/campaigns/{box.google_ads['campaigns']['Shared A']}"
    operation = {"update": {"resourceName": resource, **fields}, **({} if mask is None else {"updateMask": mask})}
    assert codes(box.ads(CAMPAIGNS, {"operations": [operation]})) == [expected]


def test_a_strategy_replaces_another_and_a_leaf_that_is_left_out_is_taken_away(box: Box, here: str) -> None:
    resource = made(box, here, "Bids", maximizeConversions={"targetCpaMicros": "8000000"})
    leaf = "maximize_conversions.target_cpa_micros"
    assert box.ads(CAMPAIGNS, update(resource, leaf, maximizeConversions={})).status_code == 200
    changed = update(resource, "manualCpc.enhancedCpcEnabled", manualCpc={})
    assert box.ads(CAMPAIGNS, changed).status_code == 200
    query = "SELECT campaign.bidding_strategy_type FROM campaign WHERE campaign.name = 'Bids'"
    assert search(box, query)[0]["campaign"]["biddingStrategyType"] == "MANUAL_CPC"


def test_each_operation_may_fail_by_itself_or_be_tried_only(box: Box, here: str) -> None:
    before, resource = box.last_effect(), f"{here}/campaigns/{box.google_ads['campaigns']['Evergreen']}"
    gone = update(f"{here}/campaigns/7", "status", status="PAUSED")["operations"]
    known = update(resource, "status", status="PAUSED")["operations"]
    both = {"operations": [*gone, *known]}
    assert codes(box.ads(CAMPAIGNS, both)) == ["mutateError.RESOURCE_NOT_FOUND"]
    assert box.last_effect() == before
    partly = box.ads(CAMPAIGNS, {**both, "partialFailure": True})
    assert (partly.status_code, partly.json()["results"]) == (200, [{}, {"resourceName": resource}])
    assert failures(partly) == [("mutateError.RESOURCE_NOT_FOUND", "operations.update.resource_name")]
    dry = box.ads(MUTATE, {**pair(here, "Dry"), "validateOnly": True})
    assert (dry.status_code, dry.json()) == (200, {})
    assert search(box, "SELECT campaign.id FROM campaign WHERE campaign.name = 'Dry'") == []
    assert len(box.effects("google_ads", since_id=before)) == 1


def test_who_asks_and_through_whom_is_checked(box: Box) -> None:
    ask = {"query": "SELECT customer.id FROM customer"}
    account = box.google_ads

    def search_in(customer: str, manager: str | None = None) -> requests.Response:
        headers = {} if manager is None else {"login-customer-id": manager}
        return box.ads(f"customers/{customer}/googleAds:search", ask, headers=headers)

    assert search_in(account["managed"], account["manager"]).status_code == 200
    for customer, manager, code in (
        (account["managed"], None, "USER_PERMISSION_DENIED"),
        (account["foreign"], None, "USER_PERMISSION_DENIED"),
        (account["closed"], None, "CUSTOMER_NOT_ENABLED"),
        (account["account"], account["foreign"], "INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION"),
    ):
        denied = search_in(customer, manager)
        assert (denied.status_code, codes(denied)) == (403, [f"authorizationError.{code}"])
    assert codes(search_in("12-34")) == ["requestError.INVALID_CUSTOMER_ID"]
    assert codes(search_in(account["account"], "555")) == ["headerError.INVALID_LOGIN_CUSTOMER_ID"]
    manager = f"customers/{account['manager']}"
    refused = box.ads(f"{manager}/campaigns:mutate", update(f"{manager}/campaigns/7", "status", status="PAUSED"))
    assert codes(refused) == ["requestError.CANNOT_BE_EXECUTED_BY_MANAGER_ACCOUNT"]
    figures = {"query": "SELECT campaign.id, metrics.clicks FROM campaign"}
    assert codes(box.ads(f"{manager}/googleAds:search", figures)) == ["queryError.REQUESTED_METRICS_FOR_MANAGER"]
    assert box.ads(SEARCH, ask, token="ya29.none").status_code == 401


def test_a_request_outside_the_contract_is_refused(box: Box) -> None:
    ask = {"query": "SELECT customer.id FROM customer"}
    assert codes(box.ads(SEARCH, {**ask, "pageSize": 5})) == ["requestError.PAGE_SIZE_NOT_SUPPORTED"]
    assert codes(box.ads(SEARCH, {**ask, "pageToken": "x"})) == ["requestError.INVALID_PAGE_TOKEN"]
    assert box.ads(SEARCH, {**ask, "extra": 1}).status_code == 400
    assert box.ads(CAMPAIGNS, {"operations": []}).status_code == 400
    assert codes(box.ads(CAMPAIGNS, {"operations": [{}]})) == ["requestError.OPERATION_REQUIRED"]
    assert box.ads(CAMPAIGNS, {"operations": [{"update": {"titel": "x"}, "updateMask": "name"}]}).status_code == 400
    assert codes(box.ads(MUTATE, {"mutateOperations": [{"labelOperation": {}}]})) == ["mutateError.MUTATE_NOT_ALLOWED"]
    assert box.ads("customers:nothing").status_code == 404


def test_answers_keep_the_contract_and_name_the_request(box: Box, here: str) -> None:
    spec = json.loads(resources.files("connectors.specs").joinpath("google_ads.json").read_text())

    def fits(component: str, answer: requests.Response) -> None:
        schema = {"$ref": f"#/components/schemas/{component}", "components": spec["components"]}
        jsonschema_rs.validate(schema, answer.json())
        assert answer.headers["request-id"]

    query = {"query": "SELECT campaign.id, campaign.name, campaign_budget.amount_micros FROM campaign"}
    fits("MutateGoogleAdsResponse", box.ads(MUTATE, pair(here, "Fits")))
    fits("SearchResponse", box.ads(SEARCH, query))
    fits("SearchStreamResponse", box.ads(STREAM, query))
    fits("ListAccessibleCustomersResponse", box.ads("customers:listAccessibleCustomers"))
    fits("GoogleError", box.ads(MUTATE, pair(here, "Fits")))
    box.fault("rate_limit", connector="google_ads", operation="searchCampaigns", times=1, seconds=45)
    limited = box.ads(SEARCH, query)
    fits("GoogleError", limited)
    (one,) = limited.json()["error"]["details"][0]["errors"]
    assert one["details"]["quotaErrorDetails"]["retryDelay"] == "45s"


def test_a_campaign_that_is_not_shown_yet_keeps_its_name(box: Box, here: str) -> None:
    box.fault("delayed_visibility", connector="google_ads", operation="createCampaign", times=1, seconds=60)
    made(box, here, "Hidden")
    query = "SELECT campaign.id FROM campaign WHERE campaign.name = 'Hidden'"
    assert search(box, query) == []
    assert "campaignError.DUPLICATE_CAMPAIGN_NAME" in codes(box.ads(MUTATE, pair(here, "Hidden")))
    box.control("POST", "clock", {"advance_s": 61})
    assert len(search(box, query)) == 1
