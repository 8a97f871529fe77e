"""The sandbox's TikTok is as strict as TikTok, and counts what it was told to do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.unit.sandbox.process import Box, running

CAMPAIGN: dict[str, Any] = {"objective_type": "TRAFFIC", "budget_mode": "BUDGET_MODE_DAY", "budget": 60}
VIDEO = "https://cdn.example.com/a.mp4"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


def send(box: Box, method: str, path: str, *, host: str = "business-api", **content: Any) -> requests.Response:
    headers = {"Access-Token": box.tiktok["credential"]["access_token"], **content.pop("headers", {})}
    url = f"{box.url}/{host}.tiktok.com/open_api/v1.3/{path}"
    return box.http.request(method, url, headers=headers, timeout=10, **content)


def post(box: Box, path: str, **fields: Any) -> dict[str, Any]:
    given = {"advertiser_id": box.tiktok["account"], **fields}
    answer = send(box, "POST", path, json={name: value for name, value in given.items() if value is not None})
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    assert set(found) == {"code", "message", "request_id", "data"}
    assert answer.headers["X-TT-LOGID"] == found["request_id"]
    return found


def get(box: Box, path: str, **params: Any) -> dict[str, Any]:
    texts = {name: json.dumps(value) if isinstance(value, (dict, list)) else value for name, value in params.items()}
    answer = send(box, "GET", path, params={"advertiser_id": box.tiktok["account"], **texts})
    found: dict[str, Any] = answer.json()
    return found


def made(answer: dict[str, Any], field: str) -> str:
    assert answer["code"] == 0, answer
    found: str = answer["data"][field]
    return found


_names = iter(range(10**6))


def name() -> str:
    return f"Spring {next(_names)}"


def campaign(box: Box, **more: Any) -> str:
    return made(post(box, "campaign/create/", **{"campaign_name": name(), **CAMPAIGN, **more}), "campaign_id")


def terms(campaign_id: str, /, **more: Any) -> dict[str, Any]:
    usual = {
        "campaign_id": campaign_id,
        "adgroup_name": name(),
        "billing_event": "CPC",
        "optimization_goal": "CLICK",
        "budget_mode": "BUDGET_MODE_DAY",
        "budget": 25,
        "pacing": "PACING_MODE_SMOOTH",
        "schedule_type": "SCHEDULE_FROM_NOW",
        "schedule_start_time": "2026-12-01 00:00:00",
        "placement_type": "PLACEMENT_TYPE_AUTOMATIC",
        "location_ids": ["2921044"],
    }
    return {**usual, **more}


def upload(box: Box, kind: str, **fields: Any) -> dict[str, Any]:
    form = {"advertiser_id": box.tiktok["account"], "upload_type": "UPLOAD_BY_URL", **fields}
    parts = {field: value if isinstance(value, tuple) else (None, value) for field, value in form.items()}
    found: dict[str, Any] = send(box, "POST", f"file/{kind}/ad/upload/", files=parts).json()
    return found


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"campaign_name": None}, 40002),
        ({"colour": "red"}, 40002),
        ({"objective_type": "CLICKS"}, 40002),
        ({"budget": None}, 40002),
        ({"budget": 49}, 40002),
        ({"budget": "60"}, 40002),
        ({"budget_mode": None}, 40002),
        ({"campaign_name": "Spring 🎉"}, 40002),
        ({"campaign_name": "春" * 257}, 40002),
        ({"objective_type": "APP_PROMOTION"}, 40002),
        ({"request_id": "x"}, 40002),
        ({"advertiser_id": "7"}, 40106),
    ],
)
def test_a_campaign_that_breaks_a_rule_is_refused_with_status_200_and_a_code(
    box: Box, change: dict[str, Any], code: int
) -> None:
    before = box.last_effect()

    assert post(box, "campaign/create/", **{"campaign_name": name(), **CAMPAIGN, **change})["code"] == code
    assert box.last_effect() == before


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"campaign_id": "1"}, 40007),
        ({"optimization_goal": "REACH"}, 40002),
        ({"schedule_start_time": "2026-12-01"}, 40002),
        ({"schedule_start_time": "2026-13-01 00:00:00"}, 40002),
        ({"schedule_type": "SCHEDULE_START_END"}, 40002),
        ({"schedule_type": "SCHEDULE_START_END", "schedule_end_time": "2026-11-30 00:00:00"}, 40002),
        ({"budget_mode": "BUDGET_MODE_TOTAL"}, 40002),
        ({"budget": 19}, 40002),
        ({"location_ids": []}, 40002),
        ({"location_ids": ["6252001"], "age_groups": ["AGE_13_17"]}, 40065),
        ({"placement_type": "PLACEMENT_TYPE_NORMAL"}, 40002),
        ({"bid_type": "BID_TYPE_CUSTOM", "billing_event": "OCPM"}, 40002),
        ({"optimization_goal": "CONVERT", "billing_event": "OCPM"}, 40002),
    ],
)
def test_an_ad_group_that_breaks_a_rule_is_refused(box: Box, change: dict[str, Any], code: int) -> None:
    assert post(box, "adgroup/create/", **terms(campaign(box), **change))["code"] == code


def test_whoever_does_not_say_off_gets_something_that_spends(box: Box) -> None:
    shown = get(box, "campaign/get/", filtering={"campaign_ids": [campaign(box)]})["data"]["list"]
    assert [row["operation_status"] for row in shown] == ["ENABLE"]


def test_names_are_unique_without_a_request_id_and_need_not_be_with_one(box: Box) -> None:
    fields = {"campaign_name": name(), **CAMPAIGN}
    assert post(box, "campaign/create/", **fields)["code"] == 0
    assert post(box, "campaign/create/", **fields)["code"] == 40002
    assert post(box, "campaign/create/", **fields, request_id="77")["code"] == 0
    assert post(box, "campaign/create/", **fields, request_id="77")["code"] == 40050
    box.control("POST", "clock", {"advance_s": 11})
    assert post(box, "campaign/create/", **fields, request_id="77")["code"] == 0


def test_of_several_ads_some_may_be_refused(box: Box) -> None:
    group = made(post(box, "adgroup/create/", **terms(campaign(box))), "adgroup_id")
    image = made(upload(box, "image", image_url="https://cdn.example.com/a.jpg", file_name=name()), "image_id")
    good = {"ad_name": "a", "ad_format": "SINGLE_IMAGE", "image_ids": [image], "ad_text": "x"}
    answer = post(box, "ad/create/", adgroup_id=group, creatives=[good, {**good, "image_ids": ["none"]}])
    assert answer["code"] == 20001
    assert len(answer["data"]["ad_ids"]) == 1
    assert post(box, "ad/create/", adgroup_id=group, creatives=[{**good, "ad_text": "🎉"}])["code"] == 40002
    # Ads have no rule of names at all.
    assert post(box, "ad/create/", adgroup_id=group, creatives=[good])["code"] == 0
    listed = get(box, "ad/get/", filtering={"adgroup_ids": [group]})["data"]["list"]
    assert [row["ad_name"] for row in listed] == ["a", "a"]


def test_a_video_is_worked_on_before_an_ad_may_show_it(box: Box) -> None:
    answer = upload(box, "video", video_url=VIDEO, file_name="spring.mp4")
    video = answer["data"][0]["video_id"]
    group = made(post(box, "adgroup/create/", **terms(campaign(box))), "adgroup_id")
    creative = {"ad_name": "a", "ad_format": "SINGLE_VIDEO", "video_id": video, "ad_text": "x"}
    assert get(box, "file/video/ad/info/", video_ids=[video])["code"] == 40901
    assert post(box, "ad/create/", adgroup_id=group, creatives=[creative])["code"] == 40901
    box.control("POST", "clock", {"advance_s": 4})
    assert get(box, "file/video/ad/info/", video_ids=[video])["data"]["list"][0]["video_id"] == video
    assert post(box, "ad/create/", adgroup_id=group, creatives=[creative])["code"] == 0
    assert get(box, "file/video/ad/search/")["data"]["list"][0]["file_name"] == "spring.mp4"


def test_a_file_has_a_free_name_and_the_signature_of_its_bytes(box: Box) -> None:
    content = b"\x89PNG and so on"
    right = {
        "upload_type": "UPLOAD_BY_FILE",
        "image_file": ("a.png", content, "image/png"),
        "image_signature": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "file_name": "a.png",
    }
    assert upload(box, "image", **{**right, "image_signature": "0" * 32})["code"] == 40002
    assert upload(box, "image", **right)["code"] == 0
    assert upload(box, "image", **right)["code"] == 40911
    assert upload(box, "video", video_url="https://cdn.invalid/a.mp4")["code"] == 40002
    assert upload(box, "video", video_url=VIDEO, colour="red")["code"] == 40002


def test_lists_are_filtered_and_come_in_pages(box: Box) -> None:
    ids = [campaign(box, campaign_name=f"paged {number}") for number in range(3)]
    wanted = {"campaign_name": "paged"}
    first = get(box, "campaign/get/", filtering=wanted, page_size=2)["data"]
    second = get(box, "campaign/get/", filtering=wanted, page_size=2, page=2)["data"]
    assert [row["campaign_id"] for row in first["list"] + second["list"]] == ids[::-1]
    assert first["page_info"] == {"page": 1, "page_size": 2, "total_number": 3, "total_page": 2}
    later = {**wanted, "creation_filter_start_time": "2099-01-01 00:00:00"}
    assert get(box, "campaign/get/", filtering=later)["data"]["list"] == []
    assert get(box, "campaign/get/", filtering={"colour": "red"})["code"] == 40002
    assert get(box, "campaign/get/", page_size=1001)["code"] == 40002


def test_a_switch_names_living_objects_and_is_counted_for_each(box: Box) -> None:
    ids, before = [campaign(box), campaign(box)], box.last_effect()
    off = {"campaign_ids": ids, "operation_status": "DISABLE"}
    assert post(box, "campaign/status/update/", **off)["code"] == 0
    assert [one["provider_id"] for one in box.effects("tiktok", since_id=before)] == ids
    assert post(box, "campaign/status/update/", **{**off, "campaign_ids": [*ids, "1"]})["code"] == 40007
    assert post(box, "campaign/status/update/", **{**off, "campaign_ids": []})["code"] == 40002
    gone = {"campaign_ids": ids[:1], "operation_status": "DELETE"}
    assert post(box, "campaign/status/update/", **gone)["code"] == 0
    assert post(box, "campaign/status/update/", **gone)["code"] == 40007


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, 0),
        ({"dimensions": ["campaign_id", "adgroup_id"]}, 40002),
        ({"metrics": ["fun"]}, 40002),
        ({"start_date": "2026-11-09"}, 40002),
        ({"start_date": "soon"}, 40002),
        ({"dimensions": ["campaign_id", "stat_time_day"], "start_date": "2026-09-01"}, 40002),
        ({"report_type": "FUN"}, 40002),
        ({"filtering": [{"field_name": "x"}]}, 40002),
    ],
)
def test_a_report_asks_for_what_there_is(box: Box, change: dict[str, Any], code: int) -> None:
    usual = {"report_type": "BASIC", "dimensions": ["campaign_id"], "start_date": "2026-11-01"}
    assert get(box, "report/integrated/get/", **{**usual, "end_date": "2026-11-02", **change})["code"] == code


def test_a_report_file_takes_its_time(box: Box) -> None:
    task = made(
        post(box, "report/task/create/", report_type="BASIC", dimensions=["campaign_id"], query_lifetime=True),
        "task_id",
    )

    def status() -> str:
        found: str = get(box, "report/task/check/", task_id=task)["data"]["status"]
        return found

    seen = [status()]
    for _ in range(2):
        box.control("POST", "clock", {"advance_s": 3.5})
        seen.append(status())
    assert seen == ["QUEUING", "PROCESSING", "SUCCESS"]
    assert get(box, "report/task/check/", task_id="1")["code"] == 40007


@pytest.mark.parametrize(("headers", "code"), [({"Access-Token": "wrong"}, 40105), ({"Access-Token": ""}, 40104)])
def test_a_token_is_needed_in_its_own_header(box: Box, headers: dict[str, str], code: int) -> None:
    params = {"advertiser_id": box.tiktok["account"]}
    answer = send(box, "GET", "campaign/get/", headers=headers, params=params)
    assert (answer.status_code, answer.json()["code"]) == (200, code)


@pytest.mark.parametrize(
    ("host", "method", "path", "status"),
    [
        ("business-api", "POST", "campaign/create", 404),
        ("business-api", "GET", "nothing/", 404),
        ("business-api", "DELETE", "campaign/get/", 405),
        ("sandbox-ads", "GET", "smart_plus/campaign/get/", 404),
    ],
)
def test_what_is_no_path_is_a_plain_page(box: Box, host: str, method: str, path: str, status: int) -> None:
    answer = send(box, method, path, host=host)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/plain")


def test_a_code_works_once_and_its_token_until_it_is_revoked(box: Box) -> None:
    credential = box.tiktok["credential"]
    app = {"app_id": credential["client_id"], "secret": credential["client_secret"]}
    code = {**app, "auth_code": box.tiktok["auth_code"]}

    def ask(path: str, fields: dict[str, str]) -> dict[str, Any]:
        url = f"{box.url}/business-api.tiktok.com/open_api/v1.3/oauth2/{path}/"
        found: dict[str, Any] = box.http.post(url, json=fields, timeout=10).json()
        return found

    assert ask("access_token", {**code, "secret": "wrong"})["code"] == 40001
    granted = ask("access_token", code)["data"]
    assert granted["advertiser_ids"] == [box.tiktok["account"]]
    assert ask("access_token", code)["code"] == 40110
    params, headers = {"advertiser_id": box.tiktok["account"]}, {"Access-Token": granted["access_token"]}
    assert send(box, "GET", "campaign/get/", params=params, headers=headers).json()["code"] == 0
    assert ask("revoke_token", {**app, "access_token": granted["access_token"]})["code"] == 0
    assert send(box, "GET", "campaign/get/", params=params, headers=headers).json()["code"] == 40102
