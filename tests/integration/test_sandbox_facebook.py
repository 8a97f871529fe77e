"""The sandbox's Facebook is as strict as Facebook, and counts what it was told to do."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.unit.sandbox.process import Box, running

CAMPAIGN: dict[str, Any] = {
    "name": "Spring",
    "objective": "OUTCOME_TRAFFIC",
    "special_ad_categories": [],
    "is_adset_budget_sharing_enabled": False,
}
LINK = "https://example.com/spring"
PNG = base64.b64encode(b"\x89PNG and so on").decode()


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


def ask(box: Box, method: str, path: str, *, page: bool = False, token: str | None = None, **content: Any) -> Any:
    account = box.facebook
    user = account["credential"]["access_token"]
    token = token or (account["page_access_token"] if page else user)
    secret = account["credential"]["client_secret"].encode()
    proof = hmac.new(secret, token.encode(), hashlib.sha256).hexdigest()
    named = path.format(account=account["account"], page=account["settings"]["page_id"])
    query = {"appsecret_proof": proof, **content.pop("params", {})}
    url = f"{box.url}/graph.facebook.com/v26.0/{named}"
    return box.http.request(
        method, url, params=query, headers={"Authorization": f"Bearer {token}"}, timeout=10, **content
    )


def made(box: Box, path: str, *, page: bool = False, **fields: Any) -> str:
    answer = ask(box, "POST", path, page=page, json=fields)
    assert answer.ok, answer.text
    found: str = answer.json()["id"]
    return found


def adset(box: Box, **more: Any) -> dict[str, Any]:
    campaign = made(box, "{account}/campaigns", **CAMPAIGN)
    usual = {
        "name": "Set",
        "campaign_id": campaign,
        "billing_event": "IMPRESSIONS",
        "optimization_goal": "REACH",
        "targeting": {"geo_locations": {"countries": ["US"]}},
        "daily_budget": 1000,
    }
    return {name: value for name, value in {**usual, **more}.items() if value is not None}


def refused(answer: requests.Response) -> tuple[int, int | None]:
    """The code and subcode of an error, whose body is Meta's own."""
    error = answer.json()["error"]
    assert set(error) >= {"message", "type", "code", "fbtrace_id"}
    assert answer.status_code >= 400
    return error["code"], error.get("error_subcode")


@pytest.mark.parametrize(
    ("change", "code", "blamed"),
    [
        ({"name": None}, (100, None), "name"),
        ({"colour": "red"}, (100, None), "colour"),
        ({"objective": "CONVERSIONS"}, (100, None), "objective"),
        ({"daily_budget": "10"}, (100, None), "daily_budget"),
        ({"daily_budget": 10.5}, (100, None), "daily_budget"),
        ({"status": "ARCHIVED"}, (100, None), "status"),
        ({"daily_budget": 10, "lifetime_budget": 10}, (100, None), "lifetime_budget"),
        ({"is_adset_budget_sharing_enabled": None}, (100, 4834011), "is_adset_budget_sharing_enabled"),
        ({"bid_strategy": "COST_CAP"}, (100, None), "bid_strategy"),
    ],
)
def test_a_campaign_that_breaks_a_rule_is_refused_with_the_field(
    box: Box, change: dict[str, Any], code: tuple[int, int | None], blamed: str
) -> None:
    before = box.last_effect()
    fields = {name: value for name, value in {**CAMPAIGN, **change}.items() if value is not None}

    answer = ask(box, "POST", "{account}/campaigns", json=fields)

    assert refused(answer) == code
    assert answer.json()["error"]["error_data"] == {"blame_field_specs": [[blamed]]}
    assert box.last_effect() == before


@pytest.mark.parametrize(
    "change",
    [
        {"campaign_id": "1"},
        {"daily_budget": None},
        {"lifetime_budget": 5000, "daily_budget": None},
        {"targeting": {}},
        {"targeting": {"geo_locations": {"countries": ["DE"]}}},
        {"bid_strategy": "COST_CAP"},
        {"bid_amount": 5},
        {"bid_strategy": "LOWEST_COST_WITH_MIN_ROAS"},
        {"bid_strategy": "LOWEST_COST_WITH_MIN_ROAS", "bid_constraints": {"roas_average_floor": 1.5}},
    ],
)
def test_an_ad_set_that_breaks_a_rule_is_refused(box: Box, change: dict[str, Any]) -> None:
    assert refused(ask(box, "POST", "{account}/adsets", json=adset(box, **change))) == (100, None)


def test_a_check_only_makes_nothing(box: Box) -> None:
    before = box.last_effect()
    answer = ask(box, "POST", "{account}/campaigns", json={**CAMPAIGN, "execution_options": ["validate_only"]})
    assert answer.json() == {"success": True}
    assert box.last_effect() == before


def test_whoever_does_not_say_paused_gets_something_that_spends(box: Box) -> None:
    campaign = made(box, "{account}/campaigns", **CAMPAIGN, daily_budget=1000)
    found = ask(box, "GET", campaign, params={"fields": "status,daily_budget"}).json()
    assert found == {"id": campaign, "status": "ACTIVE", "daily_budget": "1000"}


def test_an_ad_is_reviewed_and_again_after_another_creative(box: Box) -> None:
    set_id = made(box, "{account}/adsets", **adset(box))
    story = {"page_id": box.facebook["settings"]["page_id"], "link_data": {"link": LINK}}
    creative = made(box, "{account}/adcreatives", object_story_spec=story)
    ad = made(box, "{account}/ads", name="Ad", adset_id=set_id, creative={"creative_id": creative})

    def state() -> str:
        found: str = ask(box, "GET", ad, params={"fields": "effective_status"}).json()["effective_status"]
        return found

    assert state() == "PENDING_REVIEW"
    box.control("POST", "clock", {"advance_s": 6})
    assert state() == "ACTIVE"
    assert ask(box, "POST", ad, json={"creative": {"object_story_spec": story}}).json() == {"success": True}
    assert state() == "PENDING_REVIEW"
    assert refused(ask(box, "POST", creative, json={"object_story_spec": story})) == (100, None)
    assert refused(ask(box, "POST", ad, json={"creative": {"creative_id": "1"}})) == (100, None)


def test_lists_are_filtered_by_name_and_come_in_pages(box: Box) -> None:
    for number in range(3):
        made(box, "{account}/campaigns", **{**CAMPAIGN, "name": f"paged {number}"})
    named = {"filtering": '[{"field":"name","operator":"CONTAIN","value":"paged"}]', "fields": "name", "limit": 2}
    first = ask(box, "GET", "{account}/campaigns", params=named).json()
    after = {**named, "after": first["paging"]["cursors"]["after"]}
    second = ask(box, "GET", "{account}/campaigns", params=after).json()
    assert [row["name"] for row in first["data"] + second["data"]] == ["paged 2", "paged 1", "paged 0"]
    assert "next" in first["paging"]
    assert "next" not in second["paging"]
    wrong = {"filtering": '[{"field":"name"}]'}
    assert refused(ask(box, "GET", "{account}/campaigns", params=wrong)) == (100, None)


def test_campaigns_are_found_by_label(box: Box) -> None:
    campaign = made(box, "{account}/campaigns", **{**CAMPAIGN, "adlabels": [{"name": "nh-label"}]})
    found = ask(box, "GET", campaign, params={"fields": "adlabels"}).json()
    label = found["adlabels"][0]["id"]
    listed = ask(box, "GET", "{account}/campaignsbylabels", params={"ad_label_ids": f'["{label}"]'}).json()
    assert [row["id"] for row in listed["data"]] == [campaign]


def test_an_archived_campaign_is_listed_only_when_asked_for(box: Box) -> None:
    campaign = made(box, "{account}/campaigns", **CAMPAIGN)
    ask(box, "POST", campaign, json={"status": "ARCHIVED"})
    listed = ask(box, "GET", "{account}/campaigns").json()["data"]
    assert campaign not in {row["id"] for row in listed}
    asked = {"effective_status": '["ARCHIVED"]'}
    assert campaign in {row["id"] for row in ask(box, "GET", "{account}/campaigns", params=asked).json()["data"]}


def test_the_same_image_has_the_same_hash(box: Box) -> None:
    before = box.last_effect()
    answers = [ask(box, "POST", "{account}/adimages", json={"bytes": PNG}).json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert len(box.effects("facebook", since_id=before)) == 1
    assert refused(ask(box, "POST", "{account}/adimages", json={"bytes": "eA=="})) == (100, None)
    form = {"filename": ("a.png", b"\x89PNG and so on", "image/png")}
    sent = ask(box, "POST", "{account}/adimages", files=form).json()
    assert sent["images"]["filename"]["hash"] == answers[0]["images"]["bytes"]["hash"]


def test_the_same_post_twice_in_a_row_is_refused_and_later_it_is_not(box: Box) -> None:
    made(box, "{page}/feed", page=True, message="hello")
    assert refused(ask(box, "POST", "{page}/feed", page=True, json={"message": "hello"})) == (506, None)
    made(box, "{page}/feed", page=True, message="between")
    made(box, "{page}/feed", page=True, message="hello")


def test_a_scheduled_post_becomes_public_when_its_time_comes(box: Box) -> None:
    at = int(box.now()) + 700
    later = {"message": "at nine", "published": False, "scheduled_publish_time": at}
    post = made(box, "{page}/feed", page=True, **later)
    kept = ask(box, "GET", "{page}/scheduled_posts", page=True, params={"fields": "scheduled_publish_time"}).json()
    assert kept["data"] == [{"id": post, "scheduled_publish_time": at}]
    box.control("POST", "clock", {"advance_s": 800})
    assert ask(box, "GET", "{page}/scheduled_posts", page=True).json()["data"] == []
    assert ask(box, "GET", "{page}/feed", page=True).json()["data"][0]["id"] == post
    assert refused(ask(box, "POST", post, page=True, json={"is_published": True})) == (100, None)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"message": "x", "colour": "red"},
        {"message": "x" * 63_207},
        {"message": "x", "published": False},
        {"message": "x", "scheduled_publish_time": 2_000_000_000},
        {"message": "x", "published": False, "scheduled_publish_time": 1},
        {"message": "x", "attached_media": [{"media_fbid": "1"}]},
    ],
)
def test_a_post_that_breaks_a_rule_is_refused(box: Box, fields: dict[str, Any]) -> None:
    assert refused(ask(box, "POST", "{page}/feed", page=True, json=fields)) == (100, None)


def test_a_photo_belongs_to_one_post(box: Box) -> None:
    photo = made(box, "{page}/photos", page=True, url="https://cdn.example.com/a.jpg", published=False)
    fields = {"message": "with photo", "attached_media": [{"media_fbid": photo}]}
    made(box, "{page}/feed", page=True, **fields)
    again = ask(box, "POST", "{page}/feed", page=True, json={**fields, "message": "again"})
    assert refused(again) == (100, 1366051)
    lost = ask(box, "POST", "{page}/photos", page=True, json={"url": "https://cdn.invalid/a.jpg"})
    assert refused(lost) == (100, None)


def test_a_report_takes_its_time(box: Box) -> None:
    asked = {"level": "account", "fields": ["impressions"], "date_preset": "last_3d"}
    run = ask(box, "POST", "{account}/insights", json=asked).json()["report_run_id"]
    assert ask(box, "GET", run, params={"fields": "async_status"}).json()["async_status"] == "Job Running"
    assert refused(ask(box, "GET", f"{run}/insights")) == (100, None)
    box.control("POST", "clock", {"advance_s": 11})
    assert ask(box, "GET", run, params={"fields": "async_status"}).json()["async_status"] == "Job Completed"
    assert len(ask(box, "GET", f"{run}/insights").json()["data"]) == 1


def test_each_kind_of_token_does_only_its_own_work(box: Box) -> None:
    assert refused(ask(box, "POST", "{page}/feed", json={"message": "x"})) == (210, None)
    assert refused(ask(box, "POST", "{account}/campaigns", page=True, json=CAMPAIGN)) == (294, None)
    assert refused(ask(box, "GET", "{account}/campaigns", token="EAA-wrong")) == (190, 467)


def test_a_request_without_the_proof_is_refused(box: Box) -> None:
    assert refused(ask(box, "GET", "{account}/campaigns", params={"appsecret_proof": "0" * 64})) == (100, None)


def test_tokens_end_and_are_exchanged_while_they_live(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("tokens")) as box:
        _exchange_until_they_end(box)


def _exchange_until_they_end(box: Box) -> None:
    credential = box.facebook["credential"]
    app = {"client_id": credential["client_id"], "client_secret": credential["client_secret"]}
    url = f"{box.url}/graph.facebook.com/v26.0/oauth/access_token"

    def exchange(token: str, **more: str) -> requests.Response:
        query = {**app, "grant_type": "fb_exchange_token", "fb_exchange_token": token, **more}
        return box.http.get(url, params=query, timeout=10)

    granted = exchange(box.facebook["short_lived_token"]).json()
    assert (granted["token_type"], granted["expires_in"]) == ("bearer", 60 * 86_400)
    assert ask(box, "GET", "{account}/campaigns", token=granted["access_token"]).ok
    assert refused(exchange("EAA-wrong")) == (190, 463)
    assert refused(exchange(granted["access_token"], client_secret="wrong")) == (1, None)
    box.control("POST", "clock", {"advance_s": 61 * 86_400})
    assert refused(ask(box, "GET", "{account}/campaigns", token=granted["access_token"])) == (190, 463)
    assert refused(exchange(granted["access_token"])) == (190, 463)


def test_unknown_paths_and_nodes_are_refused_as_meta_does(box: Box) -> None:
    assert refused(ask(box, "GET", "{account}/nothing")) == (2500, None)
    assert refused(ask(box, "GET", "123456")) == (100, 33)
    assert refused(ask(box, "DELETE", "123456")) == (100, 33)
    assert refused(ask(box, "GET", "act_1/campaigns")) == (100, 33)
