"""The sandbox's Reddit is as strict as Reddit, and counts what it is asked to do, every time."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.unit.sandbox.process import Box, running

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 50


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


def submit(box: Box, **fields: Any) -> requests.Response:
    given = {"api_type": "json", "sr": "gardening", "title": "Hello", "kind": "self", "text": "Hi", **fields}
    form = {name: value for name, value in given.items() if value is not None}
    return box.reddits("POST", "oauth.reddit.com/api/submit", data=form)


def posted(box: Box, **fields: Any) -> str:
    answer = submit(box, **fields).json()["json"]
    assert answer["errors"] == [], answer
    name: str = answer["data"]["name"]
    return name


def code_of(answer: requests.Response) -> str:
    assert answer.status_code == 200
    found: str = answer.json()["json"]["errors"][0][0]
    return found


def mine(box: Box, **query: Any) -> list[dict[str, Any]]:
    found = box.reddits("GET", "oauth.reddit.com/user/spring_launch/submitted", params={"sort": "new", **query}).json()
    return [one["data"] for one in found["data"]["children"]]


def test_a_post_is_counted_listed_and_read(box: Box) -> None:
    before, title = box.last_effect(), f"A  &  B {uuid.uuid4().hex}"
    name = posted(box, title=title)
    [effect] = box.effects("reddit", since_id=before)
    assert (effect["action"], effect["provider_id"], effect["text"]) == ("submitPost", name, title)
    shown = re.sub(r"\s+", " ", title)
    assert mine(box, raw_json=1)[0]["title"] == shown
    assert mine(box)[0]["title"] == shown.replace("&", "&amp;")
    info = box.reddits("GET", "oauth.reddit.com/api/info", params={"id": name, "raw_json": 1}).json()
    assert [one["data"]["name"] for one in info["data"]["children"]] == [name]


def test_the_same_text_twice_is_two_posts(box: Box) -> None:
    before = box.last_effect()
    assert posted(box, title="Twice") != posted(box, title="Twice")
    assert len(box.effects("reddit", since_id=before)) == 2


def test_a_link_is_taken_once_in_a_subreddit_unless_it_is_resubmitted(box: Box) -> None:
    url = f"https://example.com/{uuid.uuid4().hex}"
    link = {"kind": "link", "url": url, "text": None}
    posted(box, **link, resubmit="false")
    assert code_of(submit(box, **link, resubmit="false")) == "ALREADY_SUB"
    assert posted(box, **link, resubmit="false", sr="springlaunch")
    assert posted(box, **link, resubmit="true")
    found = box.reddits("GET", "oauth.reddit.com/api/info", params={"url": url}).json()
    assert len(found["data"]["children"]) == 3


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"title": ""}, "NO_TEXT"),
        ({"title": "  "}, "NO_TEXT"),
        ({"title": None}, "NO_TEXT"),
        ({"title": "x" * 301}, "TOO_LONG"),
        ({"text": "x" * 40_001}, "TOO_LONG"),
        ({"sr": None}, "SUBREDDIT_REQUIRED"),
        ({"sr": "nowhere"}, "SUBREDDIT_NOEXIST"),
        ({"sr": "u_somebody"}, "SUBREDDIT_NOEXIST"),
        ({"sr": "closed"}, "SUBREDDIT_NOTALLOWED"),
        ({"sr": "strict"}, "BANNED_FROM_SUBREDDIT"),
        ({"sr": "newslinks"}, "NO_SELFS"),
        ({"sr": "flaired"}, "SUBMIT_VALIDATION_FLAIR_REQUIRED"),
        ({"kind": "link"}, "NO_URL"),
        ({"kind": "link", "url": "not an address"}, "BAD_URL"),
        ({"kind": "link", "url": "https://a.example/", "sr": "essays"}, "NO_LINKS"),
        ({"kind": "link", "url": "https://spam.example/", "sr": "newslinks"}, "DOMAIN_BANNED"),
        ({"kind": "image", "url": "https://a.example/a.png"}, "BAD_URL"),
        ({"kind": "crosspost", "crosspost_fullname": "t3_none"}, "INVALID_OPTION"),
        ({"kind": "video", "url": "https://a.example/a.mp4"}, "INVALID_OPTION"),
        ({"kind": "poem"}, "INVALID_OPTION"),
        ({"api_type": None}, "INVALID_OPTION"),
        ({"colour": "red"}, "INVALID_OPTION"),
    ],
)
def test_a_post_that_reddit_refuses_is_refused_inside_a_200(box: Box, fields: dict[str, Any], code: str) -> None:
    before = box.last_effect()
    assert code_of(submit(box, **fields)) == code
    assert box.last_effect() == before


def test_a_flair_opens_a_subreddit_that_needs_one(box: Box) -> None:
    assert posted(box, sr="flaired", flair_id=box.reddit["flair"])
    found = box.reddits("GET", "oauth.reddit.com/r/flaired/api/link_flair_v2").json()
    assert [one["id"] for one in found] == [box.reddit["flair"]]
    assert box.reddits("GET", "oauth.reddit.com/api/v1/flaired/post_requirements").json()["is_flair_required"]
    assert box.reddits("GET", "oauth.reddit.com/api/v1/nowhere/post_requirements").status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"User-Agent": "python-requests/2.34"}, 429),
        ({"User-Agent": "neonhub-worker"}, 429),
        ({"Authorization": None}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
    ],
)
def test_who_does_not_say_who_asks_is_not_heard(box: Box, headers: dict[str, str | None], status: int) -> None:
    for address in ("oauth.reddit.com/api/v1/me", "ads-api.reddit.com/api/v3/me"):
        assert box.reddits("GET", address, headers=headers).status_code == status


def test_scopes_are_all_that_a_token_may_do(box: Box) -> None:
    token = box.reddit["ads_only_credential"]["access_token"]
    refused = box.reddits("GET", "oauth.reddit.com/api/v1/me", token=token)
    assert (refused.status_code, "insufficient_scope" in refused.headers["www-authenticate"]) == (403, True)
    account = "ads-api.reddit.com/api/v3/ad_accounts/a2_5pr1ngads"
    assert box.reddits("GET", f"{account}/campaigns", token=token).status_code == 200
    campaign = {"data": {"name": "Spring", "objective": "CLICKS", "configured_status": "PAUSED"}}
    assert box.reddits("POST", f"{account}/campaigns", json=campaign, token=token).status_code == 403


def lease(box: Box, mimetype: str = "image/png") -> tuple[str, dict[str, str]]:
    form = {"filepath": "a.png", "mimetype": mimetype}
    args = box.reddits("POST", "oauth.reddit.com/api/media/asset.json", data=form).json()["args"]
    return args["action"].removeprefix("//"), {one["name"]: one["value"] for one in args["fields"]}


def bring(box: Box, host: str, fields: dict[str, str], content: bytes = PNG) -> requests.Response:
    files = {"file": ("a.png", content, "image/png")}
    return box.http.post(f"{box.url}/{host}/", data=fields, files=files, timeout=10)


def location_of(answer: requests.Response) -> str:
    assert answer.status_code == 201
    found = re.search("<Location>(.*)</Location>", answer.text)
    assert found is not None
    return found[1]


def test_a_picture_is_leased_brought_submitted_and_shown_a_moment_later(box: Box) -> None:
    before = box.last_effect()
    location = location_of(bring(box, *lease(box)))
    answer = submit(box, kind="image", url=location, text=None, title="A jacket").json()["json"]
    assert "name" not in answer["data"]
    [effect] = box.effects("reddit", since_id=before)
    assert effect["action"] == "submitMediaPost"
    assert effect["provider_id"] not in [one["name"] for one in mine(box)]
    box.control("POST", "clock", {"advance_s": 2})
    shown = mine(box)[0]
    assert (shown["name"], shown["is_self"]) == (effect["provider_id"], False)
    assert shown["url"].startswith("https://i.redd.it/")


def test_a_video_needs_a_poster_that_was_brought_too(box: Box) -> None:
    video, poster = location_of(bring(box, *lease(box, "video/mp4"))), location_of(bring(box, *lease(box)))
    video_post = {"kind": "video", "url": video, "text": None}
    assert code_of(submit(box, **video_post, video_poster_url="https://a.example/p.png")) == "BAD_URL"
    assert submit(box, **video_post, video_poster_url=poster).json()["json"]["errors"] == []


def test_the_storage_takes_what_was_leased_and_nothing_else(box: Box) -> None:
    host, fields = lease(box)
    assert bring(box, host, {**fields, "key": "other"}).status_code == 403
    assert bring(box, host, {**fields, "Content-Type": "video/mp4"}).status_code == 403
    assert bring(box, "reddit-uploaded-video.s3-accelerate.amazonaws.com", fields).status_code == 403
    assert bring(box, host, fields, b"").status_code == 400
    box.control("POST", "clock", {"advance_s": 3601})
    assert bring(box, host, fields).status_code == 403
    unfit = box.reddits("POST", "oauth.reddit.com/api/media/asset.json", data={"filepath": "a", "mimetype": "text/css"})
    assert (unfit.status_code, unfit.json()["message"]) == (400, "Bad Request")


def test_only_texts_are_edited_and_deleting_always_says_yes(box: Box) -> None:
    text, link = posted(box), posted(box, kind="link", url=f"https://example.com/{uuid.uuid4().hex}", text=None)

    def edit(name: str) -> int:
        form = {"api_type": "json", "thing_id": name, "text": "New"}
        return box.reddits("POST", "oauth.reddit.com/api/editusertext", data=form).status_code

    assert [edit(text), edit(link), edit("t3_none")] == [200, 403, 404]
    before = box.last_effect()
    for _ in range(2):
        deleted = box.reddits("POST", "oauth.reddit.com/api/del", data={"id": text})
        assert (deleted.status_code, deleted.json()) == (200, {})
    assert [one["action"] for one in box.effects("reddit", since_id=before)] == ["deletePost"]
    assert text not in [one["name"] for one in mine(box)]


def test_a_list_goes_on_behind_its_last_post(box: Box) -> None:
    names = [posted(box, title=f"Page {number}") for number in range(3)]
    first = box.reddits("GET", "oauth.reddit.com/user/spring_launch/submitted", params={"limit": 2}).json()["data"]
    assert [one["data"]["name"] for one in first["children"]] == names[:0:-1]
    assert mine(box, limit=1, after=first["after"])[0]["name"] == names[0]
    assert box.reddits("GET", "oauth.reddit.com/user/somebody/submitted").status_code == 404


def test_a_post_can_be_late_in_lists(box: Box) -> None:
    box.fault("delayed_visibility", connector="reddit", operation="submitPost", times=1, seconds=60)
    name = posted(box)
    assert name not in [one["name"] for one in mine(box)]
    box.control("POST", "clock", {"advance_s": 61})
    assert mine(box)[0]["name"] == name


def test_limits_and_outages_have_reddits_own_form(box: Box) -> None:
    box.fault("rate_limit", connector="reddit", times=1, seconds=7)
    limited = box.reddits("GET", "oauth.reddit.com/api/v1/me")
    assert (limited.status_code, limited.headers["x-ratelimit-reset"]) == (429, "7")
    assert limited.headers["RateLimit"].endswith(";r=0;t=7")
    box.fault("error_503_before", connector="reddit", times=1)
    broken = box.reddits("GET", "oauth.reddit.com/api/v1/me")
    assert (broken.status_code, broken.headers["content-type"]) == (503, "text/html")


def token(box: Box, *, auth: tuple[str, str] | None = None, **form: Any) -> requests.Response:
    credential = box.reddit["credential"]
    given = {"grant_type": "refresh_token", "refresh_token": credential["refresh_token"], **form}
    return box.http.post(
        f"{box.url}/www.reddit.com/api/v1/access_token",
        data=given,
        auth=auth or (credential["client_id"], credential["client_secret"]),
        headers={"User-Agent": "linux:tests:v1 (by /u/spring_launch)"},
        timeout=10,
    )


def test_tokens_are_renewed_any_number_of_times(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("tokens")) as box:
        box.control("POST", "clock", {"advance_s": 86_401})
        expired = box.reddits("GET", "oauth.reddit.com/api/v1/me")
        assert (expired.status_code, 'error="invalid_token"' in expired.headers["www-authenticate"]) == (401, True)
        fresh = [token(box).json() for _ in range(2)]
        assert {one["expires_in"] for one in fresh} == {86_400}
        assert all("refresh_token" not in one for one in fresh)
        for one in fresh:
            assert box.reddits("GET", "oauth.reddit.com/api/v1/me", token=one["access_token"]).json()["name"]


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"refresh_token": "wrong"}, 400, "invalid_grant"),
        ({"grant_type": "authorization_code", "code": "wrong"}, 200, "invalid_grant"),
        ({"grant_type": "client_credentials"}, 400, "unsupported_grant_type"),
    ],
)
def test_a_token_request_that_does_not_fit_is_refused(box: Box, form: dict[str, Any], status: int, error: str) -> None:
    answer = token(box, **form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_the_app_proves_itself_and_a_code_is_good_for_once(box: Box) -> None:
    assert token(box, auth=("app", "wrong")).status_code == 401
    code = {"grant_type": "authorization_code", "code": box.reddit["code"], "redirect_uri": "https://a.example"}
    assert token(box, **code).json()["refresh_token"]
    assert token(box, **code).json()["error"] == "invalid_grant"
