"""Is every documented error of Google Ads classed by what may be done next, also where several come at once?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import responses

from connectors.google_ads.changes import SetCampaignStatuses, set_campaign_statuses
from connectors.kit.errors import (
    AuthExpired,
    ConnectorError,
    GrantDead,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Permission,
    PolicyRejected,
    RateLimited,
    Unavailable,
)
from connectors.registry import action
from tests.contract.memory_ledger import MemoryLedger
from tests.unit.connectors.calls import ADS_TOKEN, call
from tests.unit.connectors.wire_google_ads import API, CAMPAIGN, HERE, MADE, NEW, ROW

MUTATE, SEARCH = f"{API}{HERE}/campaigns:mutate", f"{API}{HERE}/googleAds:search"
CREATE, STREAM = f"{API}{HERE}/googleAds:mutate", f"{API}{HERE}/googleAds:searchStream"
REFUSED = InvalidRequest
TEXT = "Ana's secret campaign"

# Status and code; the class for a change, and for a read.
DOCUMENTED: list[tuple[int, str, type[ConnectorError], type[ConnectorError]]] = [
    (400, "requestError.INVALID_CUSTOMER_ID", InvalidRequest, InvalidRequest),
    (400, "requestError.UNSUPPORTED_VERSION", InvalidRequest, InvalidRequest),
    (400, "requestError.CLOUD_PROJECT_NOT_FOUND", Permission, Permission),
    (400, "fieldError.REQUIRED", InvalidRequest, InvalidRequest),
    (400, "fieldMaskError.FIELD_HAS_SUBFIELDS", InvalidRequest, InvalidRequest),
    (400, "rangeError.TOO_LOW", InvalidRequest, InvalidRequest),
    (400, "dateError.INVALID_FIELD_VALUES_IN_DATE", InvalidRequest, InvalidRequest),
    (400, "stringLengthError.TOO_LONG", InvalidRequest, InvalidRequest),
    (400, "queryError.UNRECOGNIZED_FIELD", InvalidRequest, InvalidRequest),
    (400, "mutateError.MUTATE_NOT_ALLOWED", InvalidRequest, InvalidRequest),
    (400, "mutateError.RESOURCE_NOT_FOUND", NotFound, NotFound),
    (400, "mutateError.EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED", InvalidRequest, InvalidRequest),
    (400, "requestError.RESOURCE_NOT_FOUND", NotFound, NotFound),
    (404, "requestError.RESOURCE_NOT_FOUND", NotFound, NotFound),
    (400, "campaignError.DUPLICATE_CAMPAIGN_NAME", InvalidRequest, InvalidRequest),
    (409, "mutateError.RESOURCE_ALREADY_EXISTS", InvalidRequest, InvalidRequest),
    (400, "campaignError.CANNOT_SET_DATE_TO_PAST", InvalidRequest, InvalidRequest),
    (400, "campaignBudgetError.NON_MULTIPLE_OF_MINIMUM_CURRENCY_UNIT", InvalidRequest, InvalidRequest),
    (400, "campaignBudgetError.BUDGET_BELOW_PER_DAY_MINIMUM", InvalidRequest, InvalidRequest),
    (400, "campaignBudgetError.CAMPAIGN_BUDGET_REMOVED", NotFound, NotFound),
    (400, "biddingError.BIDDING_STRATEGY_TRANSITION_NOT_ALLOWED", InvalidRequest, InvalidRequest),
    (400, "resourceCountLimitExceededError.ACCOUNT_LIMIT", InvalidRequest, InvalidRequest),
    (401, "authenticationError.OAUTH_TOKEN_EXPIRED", AuthExpired, AuthExpired),
    (401, "authenticationError.OAUTH_TOKEN_INVALID", AuthExpired, AuthExpired),
    (401, "authenticationError.OAUTH_TOKEN_HEADER_INVALID", AuthExpired, AuthExpired),
    (401, "authenticationError.OAUTH_TOKEN_REVOKED", GrantDead, GrantDead),
    (400, "authenticationError.OAUTH_TOKEN_DISABLED", GrantDead, GrantDead),
    (401, "authenticationError.GOOGLE_ACCOUNT_DELETED", GrantDead, GrantDead),
    (401, "authenticationError.NOT_ADS_USER", Permission, Permission),
    (401, "authenticationError.CUSTOMER_NOT_FOUND", NotFound, NotFound),
    (401, "authenticationError.TWO_STEP_VERIFICATION_NOT_ENROLLED", Permission, Permission),
    (401, "authenticationError.ORGANIZATION_NOT_RECOGNIZED", Permission, Permission),
    (403, "authorizationError.USER_PERMISSION_DENIED", Permission, Permission),
    (403, "authorizationError.CUSTOMER_NOT_ENABLED", Permission, Permission),
    (403, "authorizationError.CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION", Permission, Permission),
    (403, "authorizationError.ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT", PolicyRejected, PolicyRejected),
    (403, "operationAccessDeniedError.ACTION_NOT_PERMITTED", Permission, Permission),
    (400, "headerError.INVALID_LOGIN_CUSTOMER_ID", Permission, Permission),
    (400, "policyFindingError.POLICY_FINDING", PolicyRejected, PolicyRejected),
    (400, "policyViolationError.POLICY_ERROR", PolicyRejected, PolicyRejected),
    (429, "quotaError.RESOURCE_TEMPORARILY_EXHAUSTED", RateLimited, RateLimited),
    (429, "quotaError.RESOURCE_EXHAUSTED", RateLimited, RateLimited),
    (403, "quotaError.ACCESS_PROHIBITED", Permission, Permission),
    (400, "databaseError.CONCURRENT_MODIFICATION", Unavailable, Unavailable),
    (400, "internalError.TRANSIENT_ERROR", OutcomeUnknown, Unavailable),
    (500, "internalError.INTERNAL_ERROR", OutcomeUnknown, Unavailable),
    (503, "internalError.TRANSIENT_ERROR", OutcomeUnknown, Unavailable),
    (504, "internalError.DEADLINE_EXCEEDED", OutcomeUnknown, Unavailable),
    (400, "newError.IN_2028", InvalidRequest, InvalidRequest),
    (403, "newError.IN_2028", Permission, Permission),
]
_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as found:
        yield found


def error(code: str, *path: str | int, **more: Any) -> dict[str, Any]:
    key, _, value = code.partition(".")
    elements: list[dict[str, Any]] = []
    for one in path:
        if isinstance(one, int):
            elements[-1]["index"] = one
        else:
            elements.append({"fieldName": one})
    place = {"location": {"fieldPathElements": elements}} if elements else {}
    return {"errorCode": {key: value}, "message": TEXT, "trigger": {"stringValue": TEXT}, **place, **more}


def failure(status: int, *errors: dict[str, Any]) -> dict[str, Any]:
    kind = "type.googleapis.com/google.ads.googleads.v26.errors.GoogleAdsFailure"
    details = [{"@type": kind, "errors": [*errors], "requestId": "r-1"}]
    return {"code": status, "message": TEXT, "status": _STATUSES.get(status, "UNKNOWN"), "details": details}


def said(status: int, *errors: dict[str, Any]) -> dict[str, Any]:
    return {"error": failure(status, *errors)}


def perform(name: str, ledger: MemoryLedger | None = None, /, **given: Any) -> Any:
    found = action(f"google_ads.{name}")
    return found.perform(call("google_ads", ledger), found.input.model_validate(given))


def pause() -> Any:
    return perform("pauseCampaign", campaign_id="21")


@pytest.mark.parametrize(
    ("status", "code", "of_change", "of_read"), DOCUMENTED, ids=[f"{row[0]}-{row[1]}" for row in DOCUMENTED]
)
def test_every_documented_error(
    mock: responses.RequestsMock,
    status: int,
    code: str,
    of_change: type[ConnectorError],
    of_read: type[ConnectorError],
) -> None:
    body = said(status, error(code, "operations", 0, "update", "status"))
    mock.post(MUTATE, status=status, json=body, headers={"request-id": "r-1"})
    mock.post(SEARCH, status=status, json=body)
    mock.post(STREAM, status=status, json=[body])
    with pytest.raises(ConnectorError) as changing:
        pause()
    with pytest.raises(ConnectorError) as reading:
        perform("getCampaign", campaign_id="21")
    with pytest.raises(ConnectorError) as streaming:
        perform("getCampaignMetrics", since="2026-11-01", until="2026-11-02")
    assert [type(one.value) for one in (changing, reading, streaming)] == [of_change, of_read, of_read]
    assert (changing.value.http_status, changing.value.request_id) == (status, "r-1")
    assert "at operations[0].update.status" in str(changing.value)
    assert TEXT not in str(changing.value)
    assert ADS_TOKEN not in str(changing.value)


@pytest.mark.parametrize(
    ("status", "body", "of_change"),
    [
        (401, '{"error": {"code": 401, "status": "UNAUTHENTICATED"}}', AuthExpired),
        (403, "<html>", Permission),
        (404, "<html>Not Found", NotFound),
        (429, "{}", RateLimited),
        (502, "<html>Bad Gateway", OutcomeUnknown),
        (400, '{"error": {"details": [{"@type": 7}, {"@type": ".errors.GoogleAdsFailure", "errors": 7}]}}', REFUSED),
        (400, '{"error": {"details": [{"@type": ".errors.GoogleAdsFailure", "errors": [{}, 7]}]}}', REFUSED),
        (409, '{"error": {"code": 409, "status": "ABORTED"}}', Unavailable),
        (200, "[]", OutcomeUnknown),
        (200, "{}", OutcomeUnknown),
        (200, '{"results": 7}', OutcomeUnknown),
        (200, '{"results": [{', OutcomeUnknown),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_google_ads_own_is_classed_by_its_status(
    mock: responses.RequestsMock, status: int, body: str, of_change: type[ConnectorError]
) -> None:
    mock.post(MUTATE, status=status, body=body)
    with pytest.raises(ConnectorError) as caught:
        pause()
    assert type(caught.value) is of_change


def test_of_several_errors_the_gravest_decides(mock: responses.RequestsMock) -> None:
    several = [error("fieldError.REQUIRED"), error("internalError.TRANSIENT_ERROR"), error("policyFindingError.X")]
    mock.post(MUTATE, status=400, json=said(400, *several))
    with pytest.raises(OutcomeUnknown, match="TRANSIENT_ERROR"):
        pause()
    rest = said(400, several[0], several[2], error("mutateError.RESOURCE_NOT_FOUND"))
    mock.replace(responses.POST, MUTATE, status=400, json=rest)
    with pytest.raises(PolicyRejected):
        pause()


@pytest.mark.parametrize(
    ("code", "delay", "wait_s"),
    [
        ("RESOURCE_TEMPORARILY_EXHAUSTED", "45.5s", 45.5),
        ("RESOURCE_TEMPORARILY_EXHAUSTED", "2s", 30.0),
        ("RESOURCE_TEMPORARILY_EXHAUSTED", "soon", 30.0),
        ("EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION", None, 30.0),
        ("RESOURCE_EXHAUSTED", None, 3600.0),
        ("EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION", None, 3600.0),
    ],
)
def test_the_time_to_wait_is_googles_own_and_half_a_minute_at_least(
    mock: responses.RequestsMock, code: str, delay: str | None, wait_s: float
) -> None:
    quota = {"rateScope": "ACCOUNT", **({} if delay is None else {"retryDelay": delay})}
    details = {"details": {"quotaErrorDetails": quota}}
    mock.post(MUTATE, status=429, json=said(429, error(f"quotaError.{code}", **details)))
    with pytest.raises(RateLimited) as caught:
        pause()
    assert caught.value.retry_after_s == wait_s


def test_a_name_that_is_taken_is_looked_up_and_adopted(mock: responses.RequestsMock) -> None:
    taken = [error("campaignBudgetError.DUPLICATE_NAME"), error("campaignError.DUPLICATE_CAMPAIGN_NAME")]
    mock.post(CREATE, status=400, json=said(400, *taken))
    mock.post(SEARCH, json={"results": [ROW]})
    assert perform("createCampaign", **NEW).id == "21"


@pytest.mark.parametrize("answer", [{"json": {}}, {"status": 503}, {"status": 403, "json": {}}])
def test_a_name_that_is_taken_and_not_shown_leaves_it_open(mock: responses.RequestsMock, answer: Any) -> None:
    # The name carries this run's key: only its own earlier request can have taken it.
    mock.post(CREATE, status=400, json=said(400, error("campaignError.DUPLICATE_CAMPAIGN_NAME")))
    mock.post(SEARCH, **answer)
    with pytest.raises(OutcomeUnknown):
        perform("createCampaign", **NEW)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"mutateOperationResponses": []},
        {"mutateOperationResponses": [{}, {}]},
        {"mutateOperationResponses": MADE["mutateOperationResponses"][:1]},
        {**MADE, "partialFailureError": {"code": 3}},
    ],
)
def test_a_creation_that_does_not_say_what_it_made_leaves_it_open(mock: responses.RequestsMock, body: Any) -> None:
    mock.post(CREATE, json=body)
    with pytest.raises(OutcomeUnknown):
        perform("createCampaign", **NEW)


def test_a_partial_failure_is_told_for_each_operation(mock: responses.RequestsMock) -> None:
    ids = ("21", "22", "23")
    # Of the third nothing can be read but that it has no result.
    told = [error("mutateError.RESOURCE_NOT_FOUND", "operations", 1), error("fieldError.REQUIRED", "operations", 1)]
    partial = {"results": [{"resourceName": CAMPAIGN}, {}, {}], "partialFailureError": failure(400, *told)}
    mock.post(MUTATE, json=partial)
    given = SetCampaignStatuses.model_validate({"campaigns": [{"campaign_id": one, "status": "PAUSED"} for one in ids]})
    found = set_campaign_statuses(call("google_ads"), given)
    assert found.changed == ("21",)
    assert [(one.campaign_id, one.code) for one in found.refused] == [
        ("22", "mutateError.RESOURCE_NOT_FOUND"),
        ("23", None),
    ]


def test_a_partial_failure_that_was_not_asked_for_leaves_it_open(mock: responses.RequestsMock) -> None:
    mock.post(MUTATE, json={"results": [{}], "partialFailureError": failure(400, error("fieldError.REQUIRED"))})
    with pytest.raises(OutcomeUnknown):
        pause()


def test_a_list_that_never_ends_is_given_up(mock: responses.RequestsMock) -> None:
    mock.post(SEARCH, json={"results": [], "nextPageToken": "again"})
    with pytest.raises(Unavailable, match="more than 20 pages"):
        perform("getCampaign", campaign_id="21")
    assert len(mock.calls) == 20


@pytest.mark.parametrize("body", ["{}", "[7]", '[{"results": 7}]', "[{", '{"error": {}}'])
def test_a_report_that_cannot_be_read_may_be_asked_for_again(mock: responses.RequestsMock, body: str) -> None:
    mock.post(STREAM, body=body)
    with pytest.raises(Unavailable):
        perform("getCampaignMetrics", since="2026-11-01", until="2026-11-02")


def test_what_a_row_leaves_out_is_zero_and_what_is_strange_is_left_out(mock: responses.RequestsMock) -> None:
    strange = {"campaign": {"id": "3"}, "metrics": {"clicks": "x", "ctr": "y"}, "segments": {"date": "z"}}
    mock.post(STREAM, json=[{"results": [{"campaign": {"id": "2"}}, strange, {"metrics": {}}, 7]}, {}])
    first, second = perform("getCampaignMetrics", since="2026-11-01", until="2026-11-02").rows
    assert (first.clicks, first.cost_micros, first.conversions, first.day) == (0, 0, 0.0, None)
    assert (second.clicks, second.ctr, second.day) == (0, 0.0, None)


def test_the_manager_and_an_old_developer_token_go_into_headers_of_their_own(mock: responses.RequestsMock) -> None:
    mock.post(SEARCH, json={"results": [{"customer": {"id": "1"}}]})
    found, kind = action("google_ads.getAccount"), call("google_ads").connector.credential
    made = call("google_ads", login_customer_id="555-000-1111")
    secrets = {"client_id": "app", "client_secret": "s", "access_token": ADS_TOKEN, "developer_token": "dev-1"}
    made.credential = kind.model_validate(secrets)
    found.perform(made, found.input())
    found.perform(call("google_ads"), found.input())
    old, new = (one.request.headers for one in mock.calls)
    assert (old["login-customer-id"], old["developer-token"]) == ("5550001111", "dev-1")
    assert not {"login-customer-id", "developer-token"} & set(new)
