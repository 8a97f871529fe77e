"""The sandbox's Instagram is as strict as Instagram, and counts what people can see."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.unit.sandbox.process import Box, running

IMAGE, VIDEO = "https://cdn.example.com/a.jpg", "https://cdn.example.com/b.mp4"
A_DAY_S = 86_400


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


def advance(box: Box, seconds: float) -> None:
    box.control("POST", "clock", {"advance_s": seconds})


def create(box: Box, **fields: Any) -> requests.Response:
    return box.insta("POST", "{account}/media", json=fields)


def made(box: Box, **fields: Any) -> str:
    answer = create(box, **fields)
    assert answer.ok, answer.text
    found: str = answer.json()["id"]
    return found


def ready(box: Box, **fields: Any) -> str:
    container_id = made(box, **fields)
    advance(box, 5)
    return container_id


def status(box: Box, container_id: str) -> str:
    found: str = box.insta("GET", container_id, params={"fields": "status_code"}).json()["status_code"]
    return found


def publish(box: Box, container_id: str) -> requests.Response:
    return box.insta("POST", "{account}/media_publish", json={"creation_id": container_id})


def refused(answer: requests.Response) -> tuple[int, int | None]:
    """The code and subcode of an error, whose body is Meta's own."""
    error = answer.json()["error"]
    assert set(error) >= {"message", "type", "code", "fbtrace_id"}
    assert answer.status_code >= 400
    return error["code"], error.get("error_subcode")


def test_a_post_is_an_effect_when_it_is_published_and_not_before(box: Box) -> None:
    before = box.last_effect()
    container_id = made(box, image_url=IMAGE, caption="Spring")
    assert status(box, container_id) == "IN_PROGRESS"
    assert refused(publish(box, container_id)) == (9007, 2207027)
    advance(box, 5)
    assert status(box, container_id) == "FINISHED"
    assert box.effects("instagram", since_id=before) == []
    media_id = publish(box, container_id).json()["id"]
    [effect] = box.effects("instagram", since_id=before)
    assert (effect["action"], effect["provider_id"]) == ("publishPost", media_id)
    assert (effect["key"], effect["text"]) == (container_id, "Spring")
    assert status(box, container_id) == "PUBLISHED"


def test_a_container_is_published_once(box: Box) -> None:
    container_id = ready(box, image_url=IMAGE)
    assert publish(box, container_id).ok
    before = box.last_effect()
    assert refused(publish(box, container_id)) == (24, 2207008)
    advance(box, A_DAY_S)
    assert status(box, container_id) == "PUBLISHED"
    assert box.last_effect() == before


def test_a_container_lives_a_day(box: Box) -> None:
    container_id = ready(box, image_url=IMAGE)
    advance(box, A_DAY_S)
    assert status(box, container_id) == "EXPIRED"
    assert refused(publish(box, container_id)) == (24, 2207008)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, (100, None)),
        ({"caption": "no media"}, (100, None)),
        ({"image_url": "not a url"}, (100, None)),
        ({"image_url": "http://localhost/a.jpg"}, (9004, 2207052)),
        ({"image_url": "https://cdn.invalid/a.jpg"}, (9004, 2207052)),
        ({"image_url": "https://cdn.example.com/a.png"}, (36001, 2207005)),
        ({"image_url": IMAGE, "media_type": "REELS"}, (100, None)),
        ({"video_url": VIDEO}, (100, None)),
        ({"video_url": VIDEO, "media_type": "VIDEO"}, (100, None)),
        ({"image_url": IMAGE, "caption": "x" * 2201}, (100, None)),
        ({"image_url": IMAGE, "caption": "#a" * 31}, (110, 2207010)),
        ({"image_url": IMAGE, "caption": "@a" * 21}, (110, 2207010)),
        ({"image_url": IMAGE, "media_type": "STORIES", "caption": "x"}, (100, 2207023)),
        ({"media_type": "CAROUSEL", "children": ["1"]}, (100, None)),
        ({"media_type": "CAROUSEL", "children": ["1", "2"]}, (100, 2207057)),
        ({"image_url": IMAGE, "colour": "red"}, (100, None)),
    ],
)
def test_what_instagram_does_not_take_is_refused_with_its_code(
    box: Box, fields: dict[str, Any], code: tuple[int, int | None]
) -> None:
    assert refused(create(box, **fields)) == code


@pytest.mark.parametrize(
    ("url", "subcode"), [("https://cdn.invalid/b.mp4", "2207052"), ("https://cdn.example.com/b.avi", "2207026")]
)
def test_what_is_wrong_with_a_video_shows_in_its_container(box: Box, url: str, subcode: str) -> None:
    container_id = ready(box, media_type="REELS", video_url=url)
    found = box.insta("GET", container_id, params={"fields": "status_code,status"}).json()
    assert found["status_code"] == "ERROR"
    assert subcode in found["status"]
    assert refused(publish(box, container_id)) == (100, int(subcode))


def test_a_carousel_needs_its_items_ready_and_is_one_post(box: Box) -> None:
    before = box.last_effect()
    items = [
        made(box, image_url=IMAGE, is_carousel_item=True),
        made(box, media_type="VIDEO", video_url=VIDEO, is_carousel_item=True),
    ]
    both = {"media_type": "CAROUSEL", "children": items, "caption": "Both"}
    assert refused(create(box, **both)) == (9007, 2207027)
    advance(box, 5)
    assert refused(publish(box, items[0])) == (24, 2207006)
    media_id = publish(box, ready(box, **both)).json()["id"]
    assert [effect["provider_id"] for effect in box.effects("instagram", since_id=before)] == [media_id]
    kind = box.insta("GET", media_id, params={"fields": "media_type"}).json()["media_type"]
    assert kind == "CAROUSEL_ALBUM"
    advance(box, A_DAY_S)
    assert refused(create(box, **both)) == (24, 2207008)


def test_a_video_may_come_as_bytes(box: Box) -> None:
    answer = create(box, media_type="REELS", upload_type="resumable").json()
    host = answer["uri"].removeprefix("https://")
    token = box.instagram["credential"]["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/octet-stream", "offset": "0"}
    wrong = box.http.post(f"{box.url}/{host}", data=b"123", headers={**headers, "file_size": "4"}, timeout=10)
    assert refused(wrong)[0] == 100
    taken = box.http.post(f"{box.url}/{host}", data=b"123", headers={**headers, "file_size": "3"}, timeout=10)
    assert taken.json() == {"success": True}
    assert status(box, answer["id"]) == "IN_PROGRESS"
    advance(box, 5)
    assert publish(box, answer["id"]).ok


def test_posts_are_listed_newest_first_and_stories_apart(box: Box) -> None:
    advance(box, A_DAY_S + 10)
    since = int(box.now())
    posts = [publish(box, ready(box, image_url=IMAGE, caption=f"Number {n}")).json()["id"] for n in range(3)]
    story = publish(box, ready(box, media_type="STORIES", image_url=IMAGE)).json()["id"]
    query: dict[str, Any] = {"since": str(since), "limit": 2, "fields": "id,caption,timestamp"}
    first = box.insta("GET", "{account}/media", params=query).json()
    query["after"] = first["paging"]["cursors"]["after"]
    second = box.insta("GET", "{account}/media", params=query).json()
    assert [one["id"] for one in first["data"] + second["data"]] == posts[::-1]
    assert first["data"][0]["caption"] == "Number 2"
    assert [one["id"] for one in box.insta("GET", "{account}/stories").json()["data"]] == [story]
    advance(box, A_DAY_S)
    assert box.insta("GET", "{account}/stories").json()["data"] == []
    assert refused(box.insta("GET", "{account}/media", params={"since": "yesterday"}))[0] == 100


def test_a_list_may_lag(box: Box) -> None:
    container_id = ready(box, image_url=IMAGE)
    box.fault("delayed_visibility", connector="instagram", operation="publishMedia", times=1, seconds=10)
    media_id = publish(box, container_id).json()["id"]
    assert media_id not in box.insta("GET", "{account}/media").text
    advance(box, 11)
    assert media_id in box.insta("GET", "{account}/media").text


def test_a_hundred_posts_a_day_and_no_more(box: Box) -> None:
    advance(box, A_DAY_S + 10)
    containers = [made(box, image_url=IMAGE) for _ in range(101)]
    advance(box, 5)
    assert {publish(box, one).status_code for one in containers[:100]} == {200}
    assert refused(publish(box, containers[100])) == (9, 2207042)
    limit = box.insta("GET", "{account}/content_publishing_limit").json()["data"]
    assert limit == [{"quota_usage": 100, "config": {"quota_total": 100, "quota_duration": A_DAY_S}}]
    advance(box, A_DAY_S - 10)
    assert refused(publish(box, containers[100])) == (9, 2207042)
    advance(box, 20)
    assert publish(box, ready(box, image_url=IMAGE)).ok


def test_insights_are_of_known_metrics_and_a_storys_last_a_day(box: Box) -> None:
    story = publish(box, ready(box, media_type="STORIES", image_url=IMAGE)).json()["id"]
    found = box.insta("GET", f"{story}/insights", params={"metric": "reach,views"}).json()["data"]
    assert [(one["name"], one["period"]) for one in found] == [("reach", "lifetime"), ("views", "lifetime")]
    assert refused(box.insta("GET", f"{story}/insights", params={"metric": "impressions"}))[0] == 100
    advance(box, A_DAY_S)
    assert refused(box.insta("GET", f"{story}/insights", params={"metric": "reach"}))[0] == 10
    assert refused(box.insta("GET", "{account}/insights", params={"metric": "reach"}))[0] == 100
    total = box.insta("GET", "{account}/insights", params={"metric": "reach", "period": "day"}).json()["data"]
    assert isinstance(total[0]["total_value"]["value"], int)


def test_media_are_commented_on_and_deleted_and_the_effects_stay(box: Box) -> None:
    media_id = publish(box, ready(box, image_url=IMAGE)).json()["id"]
    before = box.last_effect()
    comment_id = box.insta("POST", f"{media_id}/comments", json={"message": "Thanks"}).json()["id"]
    assert [one["id"] for one in box.insta("GET", f"{media_id}/comments").json()["data"]] == [comment_id]
    assert box.insta("DELETE", media_id).json() == {"success": True}
    assert refused(box.insta("DELETE", media_id)) == (100, 33)
    effects = [effect["action"] for effect in box.effects("instagram", since_id=before)]
    assert effects == ["createComment", "deleteMedia"]


def write(box: Box, person: str, text: str = "At nine.", **more: Any) -> requests.Response:
    body = {"recipient": {"id": person}, "message": {"text": text, "metadata": "k1"}, **more}
    return box.insta("POST", "{account}/messages", json=body)


def hear(box: Box, person: str) -> None:
    box.control("POST", "inbound", {"connector": "instagram", "address": person})


def test_only_who_wrote_within_a_day_is_answered(box: Box) -> None:
    assert refused(write(box, "5550001")) == (100, 2534014)
    hear(box, "5550001")
    before = box.last_effect()
    message_id = write(box, "5550001").json()["message_id"]
    [effect] = box.effects("instagram", since_id=before)
    assert (effect["action"], effect["provider_id"], effect["key"]) == ("respondDM", message_id, "k1")
    assert (effect["recipient"], effect["text"]) == ("5550001", "At nine.")
    advance(box, A_DAY_S)
    assert refused(write(box, "5550001")) == (10, 2534022)
    assert write(box, "5550001", messaging_type="MESSAGE_TAG", tag="HUMAN_AGENT").ok
    hear(box, "5550001")
    assert write(box, "5550001").ok
    assert refused(write(box, "5550001", "ä" * 501))[0] == 100


def test_who_has_blocked_the_account_cannot_be_found(box: Box) -> None:
    hear(box, "5550002")
    box.control("POST", "opt-outs", {"connector": "instagram", "address": "5550002"})
    assert refused(write(box, "5550002")) == (100, 2534014)
    box.control("DELETE", "opt-outs", {"connector": "instagram", "address": "5550002"})
    assert write(box, "5550002").ok


def test_a_conversation_shows_details_of_its_last_twenty_messages(box: Box) -> None:
    hear(box, "5550003")
    for number in range(21):
        advance(box, 1)
        write(box, "5550003", f"Number {number}")
    query = {"platform": "instagram", "user_id": "5550003", "fields": "messages{id,created_time,from,message}"}
    [found] = box.insta("GET", "{account}/conversations", params=query).json()["data"]
    messages = found["messages"]["data"]
    assert len(messages) == 22
    assert (messages[0]["message"], messages[0]["from"]) == ("Number 20", {"id": box.instagram["account"]})
    assert [set(one) for one in messages[20:]] == [{"id"}] * 2
    assert "messages" not in box.insta("GET", "{account}/conversations", params={"user_id": "5550003"}).text


def test_with_facebook_login_the_page_answers_on_its_host(box: Box) -> None:
    hear(box, "5550004")
    body = {"recipient": {"id": "5550004"}, "message": {"text": "Hi"}}
    facebook = "graph.facebook.com"
    assert box.insta("POST", "{page}/messages", json=body, host=facebook).ok
    assert refused(box.insta("POST", "{account}/messages", json=body, host=facebook)) == (100, 33)
    assert box.insta("GET", "{account}/media", host=facebook).ok
    assert box.cloud("GET", "{number}").ok, "WhatsApp lives on the same host"


def test_tokens_are_exchanged_refreshed_and_expire(tmp_path: Path) -> None:
    with running(tmp_path) as box:
        short, secret = box.instagram["short_lived_token"], box.instagram["credential"]["app_secret"]

        def ask(path: str, token: str, **query: str) -> requests.Response:
            wanted = {"grant_type": "ig_refresh_token" if path.startswith("refresh") else "ig_exchange_token"}
            url = f"{box.url}/graph.instagram.com/{path}"
            return box.http.get(url, params={**wanted, "access_token": token, **query}, timeout=10)

        assert refused(ask("access_token", short, client_secret="wrong"))[0] == 1
        assert refused(ask("access_token", short, client_secret=secret, grant_type="x"))[0] == 100
        long = ask("access_token", short, client_secret=secret).json()["access_token"]
        assert box.insta("GET", "{account}/media", token=long).ok
        assert refused(ask("refresh_access_token", long))[0] == 100, "it is not a day old yet"
        advance(box, A_DAY_S)
        assert refused(ask("access_token", short, client_secret=secret)) == (190, 463)
        fresh = ask("refresh_access_token", long).json()["access_token"]
        assert refused(box.insta("GET", "{account}/media", token=long)) == (190, 467)
        advance(box, 60 * A_DAY_S)
        assert refused(box.insta("GET", "{account}/media", token=fresh)) == (190, 463)
        assert refused(ask("refresh_access_token", fresh)) == (190, 463)


def test_requests_carry_a_token_and_the_proof_of_the_apps_secret(box: Box) -> None:
    assert refused(box.insta("GET", "{account}/media", token="wrong")) == (190, 467)
    assert refused(box.insta("GET", "{account}/media", app_secret="wrong"))[0] == 100
    token = box.instagram["credential"]["access_token"]
    account = box.instagram["account"]
    headers = {"Authorization": f"Bearer {token}"}
    bare = box.http.get(f"{box.url}/graph.instagram.com/v26.0/{account}/media", headers=headers, timeout=10)
    assert refused(bare)[0] == 100
    assert refused(box.insta("GET", "42/media")) == (100, 33)


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("error_500_before", 500, 1),
        ("error_503_before", 503, 2),
        ("rate_limit", 429, 80002),
        ("auth_expired", 401, 190),
    ],
)
def test_errors_have_metas_own_body(box: Box, kind: str, status: int, code: int) -> None:
    box.fault(kind, connector="instagram", operation="listMedia", times=1, seconds=61)
    answer = box.insta("GET", "{account}/media")
    assert (answer.status_code, refused(answer)[0]) == (status, code)
    if code == 80002:
        [uses] = json.loads(answer.headers["X-Business-Use-Case-Usage"]).values()
        assert [use["estimated_time_to_regain_access"] for use in uses] == [2]
