"""The ad account of the sandbox's Reddit is as strict as Reddit's, and counts what it is asked to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.unit.sandbox.process import Box, running

API = "ads-api.reddit.com/api/v3"
ACCOUNT = f"{API}/ad_accounts/a2_5pr1ngads"
BUDGET: dict[str, Any] = {
    "is_campaign_budget_optimization": True,
    "goal_type": "DAILY_SPEND",
    "goal_value": 50_000_000,
    "start_time": "2026-12-01T08:00:00Z",
    "bid_strategy": "BIDLESS",
    "bid_type": "CPC",
    "conversion_pixel_id": "a2_5pr1ngpix",
}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


def send(box: Box, method: str, address: str, **fields: Any) -> requests.Response:
    given = {name: value for name, value in fields.items() if value is not None}
    return box.reddits(method, address, json={"data": given})


def campaign(box: Box, **fields: Any) -> requests.Response:
    wanted = {"name": "Spring", "objective": "CLICKS", "configured_status": "PAUSED", **fields}
    return send(box, "POST", f"{ACCOUNT}/campaigns", **wanted)


def group(box: Box, campaign_id: str, **fields: Any) -> requests.Response:
    wanted = {"name": "Group", "campaign_id": campaign_id, "bid_strategy": "BIDLESS", "bid_type": "CPC", **fields}
    return send(box, "POST", f"{ACCOUNT}/ad_groups", **wanted)


def made(answer: requests.Response) -> str:
    assert answer.status_code == 201, answer.text
    key: str = answer.json()["data"]["id"]
    return key


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "ab"},
        {"name": "x" * 501},
        {"objective": "FAME"},
        {"configured_status": None},
        {"invoice_label": "x" * 81},
        {"funding_instrument_id": "none"},
        {**BUDGET, "conversion_pixel_id": None},
        {**BUDGET, "goal_type": "LIFETIME_SPEND"},
        {"type": "AUTOMATED", "objective": "SALES"},
        {"colour": "red"},
    ],
)
def test_a_campaign_that_reddit_refuses_is_refused_in_its_words(box: Box, fields: dict[str, Any]) -> None:
    before = box.last_effect()
    refused = campaign(box, **fields)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, 400)
    assert box.last_effect() == before


def test_a_campaign_lives_and_counts_every_change(box: Box) -> None:
    before = box.last_effect()
    key = made(campaign(box, **BUDGET))
    address = f"{API}/campaigns/{key}"
    for fields in ({"configured_status": "ACTIVE"}, {"goal_value": 75_000_000}, {"configured_status": "PAUSED"}):
        assert send(box, "PATCH", address, **fields).status_code == 200
    assert send(box, "PATCH", address, goal_type="LIFETIME_SPEND").status_code == 400
    found = box.reddits("GET", address).json()["data"]
    assert (found["configured_status"], found["goal_value"]) == ("PAUSED", 75_000_000)
    assert [one["action"] for one in box.effects("reddit", since_id=before)] == [
        "createCampaign",
        "activateCampaign",
        "adjustBudget",
        "pauseCampaign",
    ]


def test_a_budget_is_the_campaigns_or_the_ad_groups(box: Box) -> None:
    plain, whole = made(campaign(box)), made(campaign(box, **BUDGET))
    assert send(box, "PATCH", f"{API}/campaigns/{plain}", goal_value=1).status_code == 400
    assert group(box, whole, goal_type="DAILY_SPEND", goal_value=1).status_code == 400
    key = made(group(box, plain, goal_type="DAILY_SPEND", goal_value=1))
    assert send(box, "PATCH", f"{API}/ad_groups/{key}", goal_value=2).json()["data"]["goal_value"] == 2
    assert group(box, "1").json()["error"]["fields"][0]["field"] == "campaign_id"


def test_an_ad_shows_a_post_that_is_there(box: Box) -> None:
    parent = made(group(box, made(campaign(box))))
    ad = {"ad_group_id": parent, "configured_status": "PAUSED", "name": "Ad A"}
    assert send(box, "POST", f"{ACCOUNT}/ads", **ad, post_id="t3_none").status_code == 400
    job = send(
        box,
        "POST",
        f"{API}/profiles/t2_5pr1ng/structured_posts/jobs",
        creative={"type": "TEXT", "headline": "Sale", "body": "Now", "text_format": "PLAIN_TEXT"},
    ).json()["data"]
    assert (job["status"], job["post_id"]) == ("PROCESSING", None)
    box.control("POST", "clock", {"advance_s": 3})
    done = box.reddits("GET", f"{API}/structured_posts/jobs/{job['id']}").json()["data"]
    assert done["status"] == "SUCCESS"
    key = made(send(box, "POST", f"{ACCOUNT}/ads", **ad, post_id=done["post_id"]))
    listed = box.reddits("GET", f"{ACCOUNT}/ads", params={"ad_group_id": parent}).json()["data"]
    assert [one["id"] for one in listed] == [key]


@pytest.mark.parametrize(
    "creative",
    [
        {"type": "TEXT", "headline": "Sale", "body": "Now"},
        {"type": "IMAGE", "headline": "Sale", "image": {}, "destination": {}, "body": "x"},
        {"headline": "Sale"},
    ],
)
def test_a_creative_has_exactly_the_fields_of_its_type(box: Box, creative: dict[str, Any]) -> None:
    refused = send(box, "POST", f"{API}/profiles/t2_5pr1ng/structured_posts/jobs", creative=creative)
    assert refused.status_code == 400


def test_lists_go_on_at_the_address_they_name(box: Box) -> None:
    for number in range(60):
        made(campaign(box, name=f"Many {number}"))
    first = box.reddits("GET", f"{ACCOUNT}/campaigns").json()
    assert len(first["data"]) == 50
    following = first["pagination"]["next_url"].removeprefix("https://")
    assert following.startswith(f"{ACCOUNT}/campaigns?page.token=50")
    assert box.reddits("GET", following).json()["data"]
    assert box.reddits("GET", f"{ACCOUNT}/campaigns", params={"page.token": "x"}).status_code == 400


HOURS = {"starts_at": "2026-11-01T00:00:00Z", "ends_at": "2026-11-08T00:00:00Z", "fields": ["CLICKS"]}


@pytest.mark.parametrize(
    "fields",
    [
        {"starts_at": "2026-11-01T00:00:00+00:00"},
        {"starts_at": "2026-11-01T00:30:00Z"},
        {"fields": ["FAME"]},
        {"fields": []},
        {"breakdowns": ["CAMPAIGN_ID", "DATE", "AD_ID", "GENDER"]},
    ],
)
def test_a_report_that_reddit_refuses_is_refused(box: Box, fields: dict[str, Any]) -> None:
    assert send(box, "POST", f"{ACCOUNT}/reports", **{**HOURS, **fields}).status_code == 400


def test_a_report_wants_its_body_on_every_page(box: Box) -> None:
    for _ in range(2):
        made(campaign(box))
    first = box.reddits("POST", f"{ACCOUNT}/reports?page.size=1", json={"data": HOURS}).json()
    following = first["pagination"]["next_url"].removeprefix("https://")
    assert box.reddits("POST", following).status_code == 400
    second = box.reddits("POST", following, json={"data": HOURS}).json()
    assert first["data"]["metrics"] != second["data"]["metrics"]


def test_bad_requests_are_refused_in_the_words_of_their_api(box: Box) -> None:
    assert box.reddits("GET", f"{API}/nothing").json()["error"]["code"] == 404
    assert box.reddits("DELETE", f"{API}/campaigns/1").json()["error"]["code"] == 405
    assert box.reddits("GET", f"{API}/campaigns/1").status_code == 404
    assert box.reddits("GET", f"{API}/ad_accounts/a2_other/campaigns").status_code == 403
    assert box.reddits("GET", f"{API}/ad_accounts/other/campaigns").status_code == 400
    assert box.reddits("GET", f"{API}/me", token="wrong").json()["error"]["code"] == 401
