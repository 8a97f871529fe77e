"""The sandbox's X is as strict as X: posts, files, scopes, and tokens that work once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.unit.sandbox.process import Box, running


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


def problem(answer: requests.Response) -> tuple[int, str]:
    assert answer.headers["Content-Type"].startswith("application/problem+json"), answer.text
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


def post(box: Box, text: str, **fields: Any) -> str:
    answer = box.tweet("POST", "tweets", json={"text": text, **fields})
    assert answer.status_code == 201, answer.text
    key: str = answer.json()["data"]["id"]
    return key


def test_a_text_is_shown_escaped_and_with_its_addresses_shortened(box: Box) -> None:
    key = post(box, "A & B at https://shop.example.com/a?b=1")
    fields = {"tweet.fields": "entities,created_at"}
    shown = box.tweet("GET", f"tweets/{key}", params=fields).json()["data"]
    (url,) = shown["entities"]["urls"]
    assert shown["text"] == f"A &amp; B at {url['url']}"
    assert url["url"].startswith("https://t.co/")
    assert url["expanded_url"] == "https://shop.example.com/a?b=1"


def test_the_same_text_is_refused_for_a_while_and_after_a_deletion_taken(box: Box) -> None:
    key = post(box, "Once only")
    again = box.tweet("POST", "tweets", json={"text": "Once only"})
    assert problem(again) == (403, "about:blank")
    assert "duplicate content" in again.json()["detail"]
    assert box.tweet("DELETE", f"tweets/{key}").json() == {"data": {"deleted": True}}
    assert problem(box.tweet("DELETE", f"tweets/{key}")) == (404, "resource-not-found")
    assert post(box, "Once only") != key


@pytest.mark.parametrize(
    ("fields", "status", "kind"),
    [
        ({"text": "x" * 281}, 400, "invalid-request"),
        ({"text": "日" * 141}, 400, "invalid-request"),
        ({"text": "  "}, 400, "invalid-request"),
        ({}, 400, "invalid-request"),
        ({"text": "x", "colour": 1}, 400, "invalid-request"),
        ({"text": "$TWTR $AAPL"}, 403, "about:blank"),
        ({"text": "x", "media": {"media_ids": ["1"]}}, 400, "invalid-request"),
        ({"text": "x", "quote_tweet_id": "1"}, 400, "invalid-request"),
        ({"text": "x", "reply": {"in_reply_to_tweet_id": "1"}}, 403, "about:blank"),
        ({"text": "x", "edit_options": {"previous_post_id": "1"}}, 403, "about:blank"),
        ({"text": "x", "poll": {"options": ["a"], "duration_minutes": 5}}, 400, "invalid-request"),
    ],
)
def test_a_post_that_x_refuses_is_refused_in_its_words(
    box: Box, fields: dict[str, Any], status: int, kind: str
) -> None:
    before = box.last_effect()
    assert problem(box.tweet("POST", "tweets", json=fields)) == (status, kind)
    assert box.last_effect() == before


def test_bad_requests_are_refused_in_xs_words(box: Box) -> None:
    assert problem(box.tweet("POST", "tweets", token="wrong", json={"text": "x"})) == (401, "about:blank")
    limited = box.x["limited_access_token"]
    assert box.tweet("POST", "tweets", token=limited, json={"text": "x"}).json()["detail"] == "Forbidden"
    app = box.x["credential"]["app_token"]
    assert problem(box.tweet("POST", "tweets", token=app, json={"text": "x"}))[1] == "unsupported-authentication"
    assert box.tweet("GET", "usage/tweets", token=app).status_code == 200
    assert problem(box.tweet("GET", "usage/tweets"))[1] == "unsupported-authentication"
    assert box.tweet("GET", "no/such").status_code == 404
    assert box.tweet("POST", "tweets", data="x", headers={"Content-Type": "text/plain"}).status_code == 415
    wrong = box.tweet("GET", "tweets/1", params={"tweet.fields": "colour"})
    assert "tweet.fields" in str(wrong.json()["errors"])
    both = box.tweet("GET", "tweets/1", params={"tweet.fields": "entities", "post.fields": "entities"})
    assert problem(both) == (400, "invalid-request")


def test_a_list_may_show_a_post_late_and_pages_by_tokens(box: Box) -> None:
    me, keys = box.x["account"], [post(box, f"number {n}") for n in range(6)]
    first = box.tweet("GET", f"users/{me}/tweets", params={"max_results": 5}).json()
    token = first["meta"]["next_token"]
    rest = box.tweet("GET", f"users/{me}/tweets", params={"max_results": 5, "pagination_token": token}).json()
    assert [one["id"] for one in first["data"]] == keys[:0:-1]
    assert rest["data"][0]["id"] == keys[0]
    box.fault("delayed_visibility", connector="x", operation="postTweet", seconds=30, times=1)
    late = post(box, "late")
    since = {"since_id": keys[-1], "max_results": 5}
    assert box.tweet("GET", f"users/{me}/tweets", params=since).json() == {"meta": {"result_count": 0}}
    box.control("POST", "clock", {"advance_s": 31})
    assert box.tweet("GET", f"users/{me}/tweets", params=since).json()["data"][0]["id"] == late


def test_answers_tell_what_is_left_of_their_limit(box: Box) -> None:
    left = [int(box.tweet("GET", "users/me").headers["x-rate-limit-remaining"]) for _ in range(2)]
    assert left[0] - left[1] == 1
    assert int(box.tweet("GET", "users/me").headers["x-rate-limit-reset"]) > box.now()


def test_a_file_is_announced_brought_in_parts_and_put_together_once(box: Box) -> None:
    before = box.last_effect()
    wanted = {"media_type": "video/mp4", "total_bytes": 10, "media_category": "tweet_video"}
    key = box.tweet("POST", "media/upload/initialize", json=wanted).json()["data"]["id"]

    def part(number: int, content: bytes) -> int:
        files = {"segment_index": (None, str(number)), "media": ("part", content)}
        return box.tweet("POST", f"media/upload/{key}/append", files=files).status_code

    def state() -> dict[str, Any]:
        query = {"media_id": key, "command": "STATUS"}
        found: dict[str, Any] = box.tweet("GET", "media/upload", params=query).json()["data"]
        return found

    assert part(1, b"56789") == 200
    assert box.tweet("POST", f"media/upload/{key}/finalize").status_code == 400
    assert "size" not in state()
    assert [part(0, b"01234"), part(0, b"01234"), part(1000, b"x"), part(2, b"")] == [200, 200, 400, 400]
    assert box.tweet("POST", f"media/upload/{key}/finalize").json()["data"]["processing_info"]["state"] == "pending"
    assert box.tweet("POST", f"media/upload/{key}/finalize").status_code == 400
    video = {"text": "clip", "media": {"media_ids": [key]}}
    assert box.tweet("POST", "tweets", json=video).status_code == 400
    assert state()["processing_info"]["state"] == "in_progress"
    box.control("POST", "clock", {"advance_s": 2})
    assert state()["processing_info"]["state"] == "succeeded"
    assert box.tweet("POST", "tweets", json=video).status_code == 201
    assert [one["action"] for one in box.effects("x", since_id=before)] == ["uploadMedia", "postTweet"]


def test_a_picture_may_come_in_one_request(box: Box) -> None:
    files = {"media": ("a.png", b"12345"), "media_category": (None, "tweet_image")}
    key = box.tweet("POST", "media/upload", files=files).json()["data"]["id"]
    described = {"id": key, "metadata": {"alt_text": {"text": "A shop"}}}
    assert box.tweet("POST", "media/metadata", json=described).status_code == 200
    assert box.tweet("POST", "tweets", json={"media": {"media_ids": [key]}}).status_code == 201
    too_large = {"media_type": "image/png", "total_bytes": 6 * 2**20, "media_category": "tweet_image"}
    assert problem(box.tweet("POST", "media/upload/initialize", json=too_large)) == (400, "invalid-request")
