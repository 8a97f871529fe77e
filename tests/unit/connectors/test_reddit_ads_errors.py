"""Is every documented error of Reddit's Ads API classed by what may be done next?"""

from __future__ import annotations

from typing import Any

import pytest
import responses

from connectors.kit.errors import (
    ConnectorError,
    OutcomeUnknown,
    PolicyRejected,
    RateLimited,
    Unavailable,
)
from connectors.reddit.ads import CreateAdPost, create_ad_post
from connectors.reddit.campaigns import (
    CampaignRef,
    CreateCampaign,
    ListCampaigns,
    create_campaign,
    get_campaign,
    list_campaigns,
)
from connectors.reddit.own_posts import ListMyPosts, list_my_posts
from connectors.reddit.reports import GetReport, get_report
from tests.unit.connectors.calls import call
from tests.unit.connectors.wire_reddit import ACCOUNT, ADS, ONE, PROFILE, STATUSES, USER

SAID = "a text that must not be shown"
CAMPAIGNS, CAMPAIGN = f"{ACCOUNT}/campaigns", f"{ADS}/campaigns/{ONE}"


@pytest.mark.parametrize(("status", "of_effect", "of_read"), STATUSES)
def test_every_documented_status_of_the_ads_api(
    status: int, of_effect: type[ConnectorError], of_read: type[ConnectorError]
) -> None:
    fields = [{"field": "goal_value", "message": SAID}, {"field": f"{SAID}!", "message": SAID}]
    body = {"error": {"code": status, "message": SAID, "fields": fields}}
    with responses.RequestsMock() as mock:
        mock.post(CAMPAIGNS, status=status, json=body)
        mock.get(CAMPAIGN, status=status, json=body)
        with pytest.raises(ConnectorError, match=f"Reddit Ads answered {status} for goal_value") as sent:
            create_campaign(call("reddit"), CreateCampaign(name="Spring", objective="CLICKS"))
        with pytest.raises(ConnectorError) as read:
            get_campaign(call("reddit"), CampaignRef(campaign_id=ONE))

    assert (type(sent.value), type(read.value)) == (of_effect, of_read)
    assert (sent.value.code, SAID in f"{sent.value!r} {read.value!r}") == (str(status), False)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"RateLimit": '"ads-campaign-management-write";r=0;t=30'}, 30.0),
        ({"RateLimit": '"a";r=5;t=90, "b";r=0;t=12'}, 12.0),
        ({"RateLimit": '"a";t=20;r=0'}, 20.0),
        ({"RateLimit": "gibberish", "Retry-After": "7"}, 7.0),
        ({}, None),
    ],
)
def test_the_ads_api_tells_when_a_policy_begins_anew(headers: dict[str, str], wait_s: float | None) -> None:
    with responses.RequestsMock() as mock:
        mock.get(CAMPAIGN, status=429, headers=headers)
        with pytest.raises(RateLimited) as caught:
            get_campaign(call("reddit"), CampaignRef(campaign_id=ONE))

    assert (caught.value.retry_after_s, caught.value.of) == (wait_s, "action")


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": {}}, {"data": {"id": 7}}, "no"])
def test_a_campaign_without_an_id_may_exist(body: Any) -> None:
    with responses.RequestsMock() as mock:
        mock.post(CAMPAIGNS, status=201, json=body)
        with pytest.raises(OutcomeUnknown):
            create_campaign(call("reddit"), CreateCampaign(name="Spring", objective="CLICKS"))


REPORT = GetReport.model_validate({"starts_at": "2026-11-01T00:00:00Z", "ends_at": "2026-11-02T00:00:00Z"})


@pytest.mark.parametrize("body", [{}, [], "no", {"data": None}, {"data": {"children": 7}}, {"data": {"metrics": 7}}])
def test_strange_answers_to_reads_are_no_crash(body: Any) -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{USER}/submitted", json=body)
        mock.get(CAMPAIGNS, json=body)
        mock.post(f"{ACCOUNT}/reports", json=body)
        for ask in (
            lambda: list_my_posts(call("reddit"), ListMyPosts()),
            lambda: list_campaigns(call("reddit"), ListCampaigns()),
            lambda: get_report(call("reddit"), REPORT),
        ):
            with pytest.raises(Unavailable):
                ask()


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/api/v3/ad_accounts/a2_test/campaigns?page.token=2",
        f"{ADS}/ad_accounts/a2_other/campaigns?page.token=2",
        "http://ads-api.reddit.com/api/v3/ad_accounts/a2_test/campaigns",
        "https://x@ads-api.reddit.com/api/v3/ad_accounts/a2_test/campaigns",
        7,
    ],
)
def test_a_next_page_elsewhere_is_not_asked_for(url: Any) -> None:
    with responses.RequestsMock() as mock:
        mock.get(CAMPAIGNS, json={"data": [], "pagination": {"next_url": url}})
        with pytest.raises(Unavailable, match="not of the same list"):
            list_campaigns(call("reddit"), ListCampaigns())

        assert len(mock.calls) == 1


def test_a_list_that_never_ends_is_given_up() -> None:
    with responses.RequestsMock() as mock:
        mock.get(CAMPAIGNS, json={"data": [], "pagination": {"next_url": f"{CAMPAIGNS}?page.token=2"}})
        with pytest.raises(Unavailable, match="more than 20 pages"):
            list_campaigns(call("reddit"), ListCampaigns())

        assert len(mock.calls) == 20


def test_a_report_sends_its_body_with_every_page_and_reads_both_forms() -> None:
    first = {"data": [{"metrics": [{"clicks": 1, "x": float("inf")}], "metrics_updated_at": "2026-11-22T09:00:00Z"}]}
    with responses.RequestsMock() as mock:
        mock.post(
            f"{ACCOUNT}/reports",
            json={**first, "pagination": {"next_url": f"{ACCOUNT}/reports?page.token=2&page.size=1"}},
        )
        mock.post(f"{ACCOUNT}/reports", json={"data": {"metrics": [{"clicks": 2}]}, "pagination": {"next_url": None}})
        found = get_report(call("reddit"), REPORT)
        one, two = (made.request for made in mock.calls)

    assert list(found.rows) == [{"clicks": 1}, {"clicks": 2}]
    assert found.updated_at == "2026-11-22T09:00:00Z"
    assert one.body == two.body
    assert str(two.url).endswith("/reports?page.token=2&page.size=1")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"status": "CLIENT_ERROR", "error_message": SAID}, PolicyRejected),
        ({"status": "SERVER_ERROR"}, OutcomeUnknown),
    ],
)
def test_a_job_that_failed_says_whose_fault_it_was(answer: dict[str, Any], kind: type[ConnectorError]) -> None:
    with responses.RequestsMock() as mock:
        mock.post(f"{PROFILE}/structured_posts/jobs", status=201, json={"data": {"id": ONE}})
        mock.get(f"{ADS}/structured_posts/jobs/{ONE}", json={"data": answer})
        with pytest.raises(kind) as caught:
            create_ad_post(call("reddit"), CreateAdPost(headline="Sale", body="Now"))

    assert SAID not in f"{caught.value!r}"


def test_a_job_without_an_id_may_be_under_way() -> None:
    with responses.RequestsMock() as mock:
        mock.post(f"{PROFILE}/structured_posts/jobs", status=201, json={"data": {}})
        with pytest.raises(OutcomeUnknown):
            create_ad_post(call("reddit"), CreateAdPost(headline="Sale", body="Now"))
