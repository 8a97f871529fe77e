"""Is every documented error of Facebook classed as Meta's documentation says?"""

from __future__ import annotations

import json
from typing import Any

import pytest
import responses

from connectors.facebook.api import FacebookCredential
from connectors.facebook.campaigns import CampaignRef, get_campaign
from connectors.facebook.changes import SetCampaignBudget, set_campaign_budget
from connectors.facebook.insights import GetInsights, GetPageInsights, get_insights, get_page_insights
from connectors.facebook.oauth import FACEBOOK_OAUTH
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
from tests.unit.connectors.calls import APP_SECRET, META_TOKEN, call
from tests.unit.connectors.wire_facebook import ADS, CAMPAIGN, FEED, GRAPH

NODE, TOKENS = f"{GRAPH}/{CAMPAIGN}", f"{GRAPH}/oauth/access_token"
TRAFFIC = {"name": "x", "objective": "OUTCOME_TRAFFIC", "special_ad_categories": []}


def body(code: int, subcode: int | None = None, **more: Any) -> dict[str, Any]:
    error = {"message": f"(#{code}) Ana's secret", "type": "OAuthException", "code": code, "fbtrace_id": "T1", **more}
    return {"error": error if subcode is None else {**error, "error_subcode": subcode}}


def change(**answer: Any) -> ConnectorError:
    with responses.RequestsMock() as mock:
        mock.post(NODE, **answer)
        with pytest.raises(ConnectorError) as caught:
            set_campaign_budget(call("facebook"), SetCampaignBudget(campaign_id=CAMPAIGN, daily_budget_minor=1))
    return caught.value


def ask(**answer: Any) -> ConnectorError:
    with responses.RequestsMock() as mock:
        mock.get(NODE, **answer)
        with pytest.raises(ConnectorError) as caught:
            get_campaign(call("facebook"), CampaignRef(campaign_id=CAMPAIGN))
    return caught.value


@pytest.mark.parametrize(
    ("code", "subcode", "kind"),
    [
        *((190, subcode, AuthExpired) for subcode in (None, 458, 460, 463, 464, 467, 492)),
        (102, None, AuthExpired),
        (190, 459, PolicyRejected),
        (368, None, PolicyRejected),
        *((code, None, Permission) for code in (3, 10, 200, 210, 294, 299)),
        (100, 33, NotFound),
        (803, None, NotFound),
        (100, None, InvalidRequest),
        (2500, None, InvalidRequest),
        (100, 4834011, InvalidRequest),
        (100, 1487033, InvalidRequest),
        (100, 1885316, InvalidRequest),
        (2635, None, InvalidRequest),
        (4, 1504022, RateLimited),
        (4, 1504039, RateLimited),
        (17, 2446079, RateLimited),
        (32, None, RateLimited),
        (341, None, RateLimited),
        (613, 1487742, RateLimited),
        *((code, None, RateLimited) for code in (80000, 80001, 80003, 80004, 80005, 80006, 80009, 80014)),
        (506, None, PolicyRejected),
        (100, 1366051, PolicyRejected),
        *((code, None, PolicyRejected) for code in (1346003, 1404102, 1404006, 1404112, 1404078, 4854002, 1609008)),
        (100, 1609008, PolicyRejected),
        (1390008, None, RateLimited),
        *((code, None, OutcomeUnknown) for code in (1, 2, 1363047, 1609010, 1349193)),
        (100, 1363047, OutcomeUnknown),
    ],
)
def test_every_documented_error_of_facebook(code: int, subcode: int | None, kind: type[ConnectorError]) -> None:
    found = change(status=400, json=body(code, subcode))

    assert type(found) is kind
    assert found.code == (str(code) if subcode is None else f"{code}/{subcode}")
    assert found.request_id == "T1"
    again = Unavailable if kind is OutcomeUnknown else kind
    assert type(ask(status=400, json=body(code, subcode))) is again


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (200, {}, OutcomeUnknown),
        (200, [], OutcomeUnknown),
        (200, None, OutcomeUnknown),
        (302, None, InvalidRequest),
        (400, {"error": "oops"}, InvalidRequest),
        (400, body(99_999), InvalidRequest),
        (400, body(99_999, is_transient=True), OutcomeUnknown),
        (400, {"error": {"code": "100"}}, InvalidRequest),
        (401, None, AuthExpired),
        (429, None, RateLimited),
        (500, body(99_999), OutcomeUnknown),
        (503, None, OutcomeUnknown),
    ],
)
def test_an_answer_without_a_known_code_is_classed_by_its_status(
    status: int, answer: Any, kind: type[ConnectorError]
) -> None:
    text = "[" * 100_000 if answer is None else json.dumps(answer)

    assert type(change(status=status, body=text)) is kind


@pytest.mark.parametrize("answer", [{"id": 7}, {"id": ""}, {"id": {}}, {"id": None}, {"success": True}])
def test_what_was_created_without_a_readable_id_is_looked_for(answer: dict[str, Any]) -> None:
    wanted = action("facebook.createCampaign")
    with responses.RequestsMock() as mock:
        mock.post(f"{ADS}/campaigns", json=answer)
        with pytest.raises(OutcomeUnknown):
            wanted.perform(call("facebook"), wanted.input.model_validate(TRAFFIC))


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"X-Business-Use-Case-Usage": '{"1": [{"estimated_time_to_regain_access": 3}]}'}, 180.0),
        ({"X-Ad-Account-Usage": '{"acc_id_util_pct": 100, "reset_time_duration": 300}'}, 300.0),
        ({"X-Ad-Account-Usage": '{"acc_id_util_pct": 5, "reset_time_duration": "soon"}'}, None),
        ({"X-Ad-Account-Usage": "[7]"}, None),
        ({"X-App-Usage": '{"call_count": 100}'}, 300.0),
        ({}, None),
    ],
)
def test_the_time_to_wait_comes_from_the_usage_headers(headers: dict[str, str], wait_s: float | None) -> None:
    found = change(status=400, json=body(17), headers=headers)

    assert isinstance(found, RateLimited)
    assert found.retry_after_s == wait_s


def test_posting_too_fast_waits_some_minutes() -> None:
    found = change(status=400, json=body(1390008))

    assert isinstance(found, RateLimited)
    assert found.retry_after_s == 300


def test_meta_s_own_words_are_left_out_for_they_may_repeat_what_was_written() -> None:
    assert "Ana" not in f"{change(status=400, json=body(100))!r}"


@pytest.mark.parametrize(
    "page",
    [
        {"data": {}},
        {"data": ["x"]},
        {"data": None},
    ],
)
def test_a_list_that_is_none_is_asked_for_again(page: dict[str, Any]) -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{ADS}/insights", json=page)
        with pytest.raises(Unavailable):
            get_insights(call("facebook"), GetInsights())


def test_pages_without_an_end_are_given_up() -> None:
    with responses.RequestsMock() as mock:
        more = {"data": [{}], "paging": {"next": "https://evil.example", "cursors": {"after": "x"}}}
        mock.get(f"{ADS}/insights", json=more)
        with pytest.raises(Unavailable, match="more than 20 pages"):
            get_insights(call("facebook"), GetInsights())
        assert {made.request.url.partition("/v26.0")[0] for made in mock.calls if made.request.url} == {
            "https://graph.facebook.com"
        }


def test_strange_numbers_of_an_insight_are_left_out() -> None:
    row = {"impressions": "many", "spend": "nan", "actions": [7, {"action_type": 1}, {"value": "2"}], "x": [1]}
    with responses.RequestsMock() as mock:
        mock.get(f"{ADS}/insights", json={"data": [row]})
        found = get_insights(call("facebook"), GetInsights())

    (only,) = found.rows
    assert (only.impressions, only.spend, only.actions, only.more) == (None, None, {}, {})


@pytest.mark.parametrize("row", [{}, {"name": "x"}, {"name": "x", "values": 7}, {"name": "x", "values": [{}]}])
def test_page_insights_that_are_not_readable_are_asked_for_again(row: dict[str, Any]) -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{FEED}/insights", json={"data": [row]})
        with pytest.raises(Unavailable):
            get_page_insights(call("facebook"), GetPageInsights(metrics=("page_media_view",)))


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (400, body(190, 463), GrantDead),
        (401, body(190), GrantDead),
        (400, body(101), InvalidRequest),
        (400, body(4), RateLimited),
        (500, body(1), Unavailable),
        (200, {"access_token": 7}, Unavailable),
        (200, [], Unavailable),
    ],
)
def test_an_exchange_that_fails_is_classed_and_names_no_secret(
    status: int, answer: Any, kind: type[ConnectorError]
) -> None:
    made = call("facebook")
    with responses.RequestsMock() as mock:
        mock.get(TOKENS, status=status, json=answer)
        with pytest.raises(ConnectorError) as caught:
            FACEBOOK_OAUTH.refresh(made.http, made.credential_as(FacebookCredential))

    assert type(caught.value) is kind
    assert not [secret for secret in (APP_SECRET, META_TOKEN) if secret in f"{caught.value!r}"]


def test_a_code_is_exchanged_for_a_short_token_and_that_for_a_long_one() -> None:
    made = call("facebook")
    with responses.RequestsMock() as mock:
        mock.get(TOKENS, json={"access_token": "short", "token_type": "bearer", "expires_in": 3600})
        mock.get(TOKENS, json={"access_token": "long", "token_type": "bearer", "expires_in": 5183944})
        found = FACEBOOK_OAUTH.exchange(
            made.http,
            made.credential_as(FacebookCredential),
            code="c1",
            redirect_uri="https://app.example/back",
            verifier="v",
        )
        asked = [str(one.request.url) for one in mock.calls]

    assert found.access_token is not None
    assert found.access_token.get_secret_value() == "long"
    assert "code=c1" in asked[0]
    assert "grant_type=fb_exchange_token" in asked[1]
    assert "fb_exchange_token=short" in asked[1]


def test_a_connection_without_a_token_sends_nothing() -> None:
    made = call("facebook")
    made.credential = FacebookCredential(client_id="1")
    with responses.RequestsMock(), pytest.raises(AuthExpired, match="no access token"):
        get_campaign(made, CampaignRef(campaign_id=CAMPAIGN))


def test_a_page_whose_token_is_not_given_away_sends_nothing() -> None:
    made = call("facebook", MemoryLedger())
    given = made.credential_as(FacebookCredential)
    made.credential = given.model_copy(update={"page_access_token": None})
    wanted = action("facebook.createPost")
    with responses.RequestsMock() as mock:
        mock.get(FEED, json={"id": "1"})
        with pytest.raises(Permission, match="may not act for this Page; nothing was sent"):
            wanted.perform(made, wanted.input.model_validate({"message": "x"}))
