"""The sandbox's LinkedIn is as strict as LinkedIn, and counts what it is asked to do."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import requests

from tests.unit.sandbox.process import Box, linkedin_code, running

JPEG = b"\xff\xd8\xff" + b"x" * 100


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


def body(box: Box, commentary: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "author": box.linkedin["account"],
        "commentary": commentary or uuid.uuid4().hex,
        "visibility": "PUBLIC",
        "distribution": {"feedDistribution": "MAIN_FEED"},
        "lifecycleState": "PUBLISHED",
        **more,
    }


def post(box: Box, commentary: str | None = None, **more: Any) -> requests.Response:
    return box.linked("POST", "rest/posts", json=body(box, commentary, **more))


def posted(box: Box, commentary: str | None = None, **more: Any) -> str:
    answer = post(box, commentary, **more)
    assert (answer.status_code, answer.content) == (201, b""), answer.text
    urn: str = answer.headers["x-restli-id"]
    return urn


def at(urn: str) -> str:
    return f"rest/posts/{quote(urn, safe='')}"


def test_a_post_is_counted_and_read(box: Box) -> None:
    before = box.last_effect()
    urn = posted(box, "Spring \\(20% off\\) #sale")
    [effect] = box.effects("linkedin", since_id=before)
    assert (effect["action"], effect["provider_id"], effect["text"]) == ("publishPost", urn, "Spring (20% off) #sale")
    found = box.linked("GET", at(urn)).json()
    assert (found["id"], found["commentary"], found["lifecycleState"]) == (
        urn,
        "Spring \\(20% off\\) #sale",
        "PUBLISHED",
    )


def test_an_unescaped_sign_ends_the_text_and_nobody_is_told(box: Box) -> None:
    before = box.last_effect()
    posted(box, f"Spring {uuid.uuid4().hex} (20% off)")
    [effect] = box.effects("linkedin", since_id=before)
    assert "(" not in effect["text"]
    assert "off" not in effect["text"]


def test_the_same_content_of_the_same_author_is_posted_once(box: Box) -> None:
    text, before = uuid.uuid4().hex, box.last_effect()
    urn = posted(box, text)
    again = post(box, text)
    assert linkedin_code(again) == (422, "DUPLICATE_POST")
    assert urn in again.json()["message"]
    assert box.linked("DELETE", at(urn)).status_code == 204
    assert urn in post(box, text).json()["message"]
    assert posted(box, text, author=box.linkedin["person"]) != urn
    assert [one["action"] for one in box.effects("linkedin", since_id=before)] == [
        "publishPost",
        "deletePost",
        "publishPost",
    ]


def test_the_guard_against_duplicates_ends_after_a_day(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("later")) as box:
        first = posted(box, "Good morning")
        box.control("POST", "clock", {"advance_s": 86_401})
        assert posted(box, "Good morning") != first


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"author": "urn:li:organization:1"}, (403, "ACCESS_DENIED")),
        ({"author": "me"}, (400, "INVALID_VALUE_FOR_FIELD")),
        ({"visibility": None}, (400, "MISSING_FIELD")),
        ({"commentary": "x" * 3001}, (400, "FIELD_LENGTH_TOO_LONG")),
        ({"visibility": "EVERYBODY"}, (400, "INVALID_VALUE_FOR_FIELD")),
        ({"visibility": "CONNECTIONS"}, (400, "INVALID_VALUE_FOR_FIELD")),
        ({"lifecycleState": None}, (400, "MISSING_FIELD")),
        ({"scheduledAt": 1}, (400, "INVALID_FIELD")),
        ({"content": {"media": {"id": "urn:li:image:NONE"}}}, (400, "INVALID_VALUE_FOR_FIELD")),
        ({"content": {"media": {"id": "urn:li:image:X"}, "poll": {}}}, (400, "INVALID_VALUE_FOR_FIELD")),
        ({"content": {"carousel": {}}}, (400, "INVALID_VALUE_FOR_FIELD")),
    ],
)
def test_a_post_that_linkedin_refuses_is_refused_in_its_words(
    box: Box, more: dict[str, Any], error: tuple[int, str]
) -> None:
    before = box.last_effect()
    wanted = {name: value for name, value in body(box, **more).items() if value is not None}
    assert linkedin_code(box.linked("POST", "rest/posts", json=wanted)) == error
    assert box.last_effect() == before


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({"LinkedIn-Version": None}, (400, "VERSION_MISSING")),
        ({"LinkedIn-Version": "202511"}, (426, "NONEXISTENT_VERSION")),
        ({"LinkedIn-Version": "latest"}, (426, "NONEXISTENT_VERSION")),
        ({"X-Restli-Protocol-Version": None}, (400, "ILLEGAL_ARGUMENT")),
        ({"Authorization": None}, (401, "INVALID_ACCESS_TOKEN")),
        ({"Authorization": "Bearer AQV-wrong"}, (401, "INVALID_ACCESS_TOKEN")),
    ],
)
def test_a_request_without_its_headers_is_refused(
    box: Box, headers: dict[str, str | None], error: tuple[int, str]
) -> None:
    assert linkedin_code(box.linked("POST", "rest/posts", json=body(box), headers=headers)) == error


def test_bad_requests_are_refused_in_linkedins_words(box: Box) -> None:
    assert linkedin_code(box.linked("GET", "rest/nothing")) == (404, "RESOURCE_NOT_FOUND")
    assert linkedin_code(box.linked("DELETE", "rest/images")) == (405, "METHOD_NOT_ALLOWED")
    assert linkedin_code(box.linked("POST", "rest/posts", data="{", headers={"Content-Type": "application/json"})) == (
        400,
        "ILLEGAL_ARGUMENT",
    )
    assert linkedin_code(box.linked("POST", "rest/posts", data="x", headers={"Content-Type": "text/plain"}))[0] == 400
    assert linkedin_code(box.linked("GET", "rest/posts?q=author"))[0] == 400
    assert linkedin_code(box.linked("GET", "rest/posts?q=author&author=x&colour=red"))[0] == 400


def announce(box: Box, kind: str = "image", owner: str | None = None) -> dict[str, Any]:
    request = {"initializeUploadRequest": {"owner": owner or box.linkedin["account"]}}
    answer = box.linked("POST", f"rest/{kind}s?action=initializeUpload", json=request)
    found: dict[str, Any] = answer.json()["value"]
    return found


def put(box: Box, upload_url: str, content: bytes) -> requests.Response:
    headers = {"Content-Type": "application/octet-stream"}
    return box.linked("PUT", upload_url.removeprefix("https://"), data=content, headers=headers)


def status_of(box: Box, urn: str) -> str:
    found: str = box.linked("GET", f"rest/{urn.split(':')[2]}s/{quote(urn, safe='')}").json()["status"]
    return found


def test_an_image_is_announced_brought_worked_on_and_shown(box: Box) -> None:
    value = announce(box)
    content = {"media": {"id": value["image"], "altText": "A jacket"}}
    assert status_of(box, value["image"]) == "WAITING_UPLOAD"
    assert linkedin_code(post(box, content=content)) == (400, "INVALID_CONTENT_STATE")
    assert put(box, value["uploadUrl"], JPEG).status_code == 201
    assert status_of(box, value["image"]) == "PROCESSING"
    box.control("POST", "clock", {"advance_s": 2})
    assert status_of(box, value["image"]) == "AVAILABLE"
    posted(box, content=content)
    assert linkedin_code(post(box, content=content, author=box.linkedin["person"])) == (400, "INVALID_VALUE_FOR_FIELD")


def test_what_is_no_image_fails_later(box: Box) -> None:
    value = announce(box)
    put(box, value["uploadUrl"], b"%PDF-1.7")
    box.control("POST", "clock", {"advance_s": 2})
    assert status_of(box, value["image"]) == "PROCESSING_FAILED"


def test_a_members_media_cannot_be_read(box: Box) -> None:
    value = announce(box, owner=box.linkedin["person"])
    assert linkedin_code(box.linked("GET", f"rest/images/{quote(value['image'], safe='')}")) == (403, "ACCESS_DENIED")


def test_an_upload_goes_where_it_was_told_and_not_for_ever(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("uploads")) as box:
        value = announce(box, "document")
        assert put(box, "https://www.linkedin.com/dms-uploads/nothing", JPEG).status_code == 403
        assert put(box, value["uploadUrl"], b"%PDF-1.7").status_code == 201
        box.control("POST", "clock", {"advance_s": 86_401})
        assert put(box, value["uploadUrl"], b"%PDF-1.7").status_code == 403


def test_a_video_comes_in_parts_whose_marks_are_given_back(box: Box) -> None:
    request = {"owner": box.linkedin["account"], "fileSizeBytes": 5 * 2**20}
    announced = box.linked("POST", "rest/videos?action=initializeUpload", json={"initializeUploadRequest": request})
    value = announced.json()["value"]
    assert [(one["firstByte"], one["lastByte"]) for one in value["uploadInstructions"]] == [
        (0, 2**22 - 1),
        (2**22, 5 * 2**20 - 1),
    ]
    first, second = (one["uploadUrl"] for one in value["uploadInstructions"])
    assert put(box, first, b"x").status_code == 400
    marks = [put(box, first, b"x" * 2**22).headers["ETag"], put(box, second, b"x" * 2**20).headers["ETag"]]

    def finish(parts: list[str]) -> requests.Response:
        wanted = {"video": value["video"], "uploadToken": "", "uploadedPartIds": parts}
        return box.linked("POST", "rest/videos?action=finalizeUpload", json={"finalizeUploadRequest": wanted})

    assert linkedin_code(finish(marks[::-1])) == (400, "INVALID_VALUE_FOR_FIELD")
    assert status_of(box, value["video"]) == "WAITING_UPLOAD"
    assert finish(marks).status_code == 200
    box.control("POST", "clock", {"advance_s": 5})
    assert posted(box, content={"media": {"id": value["video"]}}).startswith("urn:li:ugcPost:")


def test_posts_are_listed_changed_and_gone(box: Box) -> None:
    author = quote(box.linkedin["account"], safe="")
    urns = [posted(box) for _ in range(3)]
    listed = box.linked("GET", f"rest/posts?q=author&author={author}&count=2&sortBy=CREATED").json()
    assert [one["id"] for one in listed["elements"]] == urns[:0:-1]
    patch = {"patch": {"$set": {"commentary": "New"}}}
    assert box.linked("POST", at(urns[0]), json=patch).status_code == 400
    headers = {"X-RestLi-Method": "PARTIAL_UPDATE"}
    assert box.linked("POST", at(urns[0]), json=patch, headers=headers).status_code == 204
    assert box.linked("GET", at(urns[0])).json()["commentary"] == "New"
    for _ in range(2):
        assert box.linked("DELETE", at(urns[0])).status_code == 204
    assert box.linked("GET", at(urns[0])).status_code == 410
    assert box.linked("GET", at("urn:li:share:1")).status_code == 404


def test_a_post_can_be_hidden_for_a_while(box: Box) -> None:
    box.fault("delayed_visibility", connector="linkedin", operation="publishPost", times=1, seconds=60)
    urn = posted(box)
    assert box.linked("GET", at(urn)).status_code == 404
    box.control("POST", "clock", {"advance_s": 61})
    assert box.linked("GET", at(urn)).status_code == 200


def test_scopes_are_all_that_a_token_may_do(box: Box) -> None:
    token = box.linkedin["limited_credential"]["access_token"]
    assert box.linked("POST", "rest/posts", json=body(box, author=box.linkedin["person"]), token=token).ok
    assert linkedin_code(box.linked("POST", "rest/posts", json=body(box), token=token)) == (403, "ACCESS_DENIED")
    assert linkedin_code(box.linked("GET", "rest/adAccounts/512345678/adCampaigns?q=search", token=token))[0] == 403


def test_an_expired_token_is_told_from_a_wrong_one(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("expired")) as box:
        box.control("POST", "clock", {"advance_s": 60 * 86_400 + 1})
        answer = box.linked("GET", "v2/userinfo")
        assert (answer.status_code, answer.json()["serviceErrorCode"]) == (401, 65602)


def token(box: Box, **fields: str | None) -> requests.Response:
    credential = box.linkedin["credential"]
    form = {
        "grant_type": "refresh_token",
        "refresh_token": credential["refresh_token"],
        "client_id": credential["client_id"],
        "client_secret": credential["client_secret"],
        **fields,
    }
    return box.http.post(f"{box.url}/www.linkedin.com/oauth/v2/accessToken", data=form, timeout=10)


def test_tokens_are_renewed_until_the_consent_ends(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("tokens")) as box:
        first = token(box).json()
        assert (first["expires_in"], first["refresh_token"]) == (
            60 * 86_400,
            box.linkedin["credential"]["refresh_token"],
        )
        assert box.linked("GET", "v2/userinfo", token=first["access_token"]).json()["sub"] == "782bbtaQ"
        box.control("POST", "clock", {"advance_s": 350 * 86_400})
        assert token(box).json()["expires_in"] <= 15 * 86_400
        box.control("POST", "clock", {"advance_s": 15 * 86_400})
        ended = token(box)
        assert (ended.status_code, ended.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"client_secret": "wrong"}, (401, "invalid_client")),
        ({"client_id": "wrong"}, (401, "invalid_client")),
        ({"refresh_token": "wrong"}, (400, "invalid_grant")),
        ({"grant_type": "client_credentials"}, (400, "unsupported_grant_type")),
        ({"grant_type": None}, (400, "invalid_request")),
        ({"colour": "red"}, (400, "invalid_request")),
    ],
)
def test_a_token_request_that_does_not_fit_is_refused(
    box: Box, fields: dict[str, str | None], error: tuple[int, str]
) -> None:
    answer = token(box, **fields)
    assert (answer.status_code, answer.json()["error"]) == error


def test_a_code_is_good_for_once(box: Box) -> None:
    consent = {"grant_type": "authorization_code", "code": box.linkedin["code"], "redirect_uri": "https://a.example"}
    first = token(box, refresh_token=None, **consent).json()
    assert first["refresh_token"] != box.linkedin["credential"]["refresh_token"]
    assert token(box, refresh_token=None, **consent).json()["error"] == "invalid_grant"
