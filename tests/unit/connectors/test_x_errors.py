"""Is every error that X documents classed by what may be done next?"""

from __future__ import annotations

import time
from typing import Any

import pytest
import responses
from responses import matchers

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
    RecipientOptedOut,
    Unavailable,
)
from connectors.kit.http import Http
from connectors.x.metrics import GetTweetMetrics, get_tweet_metrics
from connectors.x.platform import X
from connectors.x.posts import PostTweet, Tweet, post_tweet
from connectors.x.reading import ListMentions, TweetList, list_mentions
from connectors.x.web import XCredential
from tests.contract.memory_ledger import MemoryLedger
from tests.unit.connectors.calls import X_TOKEN, X_USER, call

POST, ONE = "https://api.x.com/2/tweets", "https://api.x.com/2/tweets/1"
MENTIONS, TOKEN = f"https://api.x.com/2/users/{X_USER}/mentions", "https://api.x.com/2/oauth2/token"
TYPES = "https://api.x.com/2/problems/"


def problem(status: int, kind: str | None, **more: Any) -> dict[str, Any]:
    body = {"title": "No", "type": f"{TYPES}{kind}" if kind else "about:blank", "status": status, **more}
    return {"status": status, "json": body}


def legacy(status: int, code: int) -> dict[str, Any]:
    return {"status": status, "json": {"errors": [{"code": code, "message": "a secret text"}]}}


# What X documents, and what it means for an effect and for a read.
TABLE: list[tuple[dict[str, Any], type[ConnectorError], type[ConnectorError]]] = [
    (problem(400, "invalid-request"), InvalidRequest, InvalidRequest),
    (problem(401, None, detail="Unauthorized"), AuthExpired, AuthExpired),
    ({"status": 402, "json": {"title": "Payment Required"}}, PolicyRejected, PolicyRejected),
    (problem(403, None, detail="No duplicate content."), PolicyRejected, PolicyRejected),
    (problem(403, None, detail="Forbidden"), Permission, Permission),
    (problem(403, None, detail="You may reply only to..."), PolicyRejected, PolicyRejected),
    (problem(403, "client-forbidden"), Permission, Permission),
    (problem(403, "not-authorized-for-resource"), Permission, Permission),
    (problem(403, "unsupported-authentication"), Permission, Permission),
    (problem(404, "resource-not-found"), NotFound, NotFound),
    ({"status": 404, "body": ""}, NotFound, NotFound),
    ({"status": 413, "body": "<html>"}, InvalidRequest, InvalidRequest),
    (problem(415, None), InvalidRequest, InvalidRequest),
    (problem(429, "rate-limit-exceeded"), RateLimited, RateLimited),
    (problem(429, "usage-capped"), RateLimited, RateLimited),
    ({"status": 429, "body": "Too many"}, RateLimited, RateLimited),
    (problem(408, None), OutcomeUnknown, Unavailable),
    *[(problem(status, None), OutcomeUnknown, Unavailable) for status in (500, 502, 503, 504)],
    ({"status": 503, "body": "<html>"}, OutcomeUnknown, Unavailable),
    ({"status": 302, "body": ""}, InvalidRequest, InvalidRequest),
    (legacy(403, 187), PolicyRejected, PolicyRejected),
    (legacy(403, 326), PolicyRejected, PolicyRejected),
    (legacy(403, 453), Permission, Permission),
    (legacy(403, 261), Permission, Permission),
    (legacy(403, 349), RecipientOptedOut, RecipientOptedOut),
    (legacy(400, 186), InvalidRequest, InvalidRequest),
    (legacy(401, 89), AuthExpired, AuthExpired),
    (legacy(404, 144), NotFound, NotFound),
    (legacy(429, 88), RateLimited, RateLimited),
    (legacy(503, 130), OutcomeUnknown, Unavailable),
    (problem(200, "resource-not-found"), NotFound, NotFound),
    ({"status": 200, "json": {"errors": [{"type": f"{TYPES}not-authorized-for-resource"}]}}, Permission, Permission),
    ({"status": 200, "json": {"errors": "no list"}}, OutcomeUnknown, Unavailable),
    ({"status": 200, "body": "{"}, OutcomeUnknown, Unavailable),
    ({"status": 200, "json": []}, OutcomeUnknown, Unavailable),
    ({"status": 200, "json": {"data": None}}, OutcomeUnknown, Unavailable),
    ({"status": 200, "json": {"data": {"id": 7}}}, OutcomeUnknown, Unavailable),
]
IDS = [f"{number}-{answer['status']}-{kind.__name__}" for number, (answer, kind, _) in enumerate(TABLE)]


def caught_from_post(**answer: Any) -> ConnectorError:
    headers = {"Authorization": f"Bearer {X_TOKEN}", "Content-Type": "application/json; charset=utf-8"}
    match = [
        matchers.json_params_matcher({"text": "Grüße"}, strict_match=True),
        matchers.header_matcher(headers),
        matchers.query_param_matcher({}, strict_match=True),
    ]
    with responses.RequestsMock() as mock:
        mock.post(POST, match=match, **answer)
        with pytest.raises(ConnectorError) as caught:
            post_tweet(call("x", MemoryLedger()), PostTweet(text="Grüße"))
    return caught.value


@pytest.mark.parametrize(("answer", "kind", "_"), TABLE, ids=IDS)
def test_every_documented_error_of_an_effect(answer: dict[str, Any], kind: type[ConnectorError], _: Any) -> None:
    found = caught_from_post(**answer)

    assert type(found) is kind
    assert found.http_status == answer["status"]
    assert "secret" not in str(found)


@pytest.mark.parametrize(("answer", "_", "kind"), TABLE, ids=IDS)
def test_every_documented_error_of_a_read(answer: dict[str, Any], _: Any, kind: type[ConnectorError]) -> None:
    with responses.RequestsMock() as mock:
        mock.get(ONE, **answer)
        with pytest.raises(ConnectorError) as caught:
            get_tweet_metrics(call("x"), GetTweetMetrics(tweet_id="1"))

    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("headers", "wait_s", "of"),
    [
        ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": "+90"}, 90, "action"),
        ({"x-rate-limit-reset": "+90"}, 90, "action"),
        (
            {
                "x-rate-limit-remaining": "50",
                "x-rate-limit-reset": "+90",
                "x-user-limit-24hour-remaining": "0",
                "x-user-limit-24hour-reset": "+5000",
            },
            5000,
            "action",
        ),
        ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": "-5"}, 0, "action"),
        ({"x-rate-limit-reset": "soon"}, None, "action"),
        ({"Retry-After": "7"}, 7, "action"),
        ({}, None, "action"),
    ],
)
def test_the_time_to_wait_is_that_of_the_bucket_that_is_empty(
    headers: dict[str, str], wait_s: float | None, of: str
) -> None:
    now = int(time.time())
    told = {name: str(now + int(value)) if value[0] in "+-" else value for name, value in headers.items()}

    found = caught_from_post(**problem(429, "rate-limit-exceeded"), headers=told)

    assert isinstance(found, RateLimited)
    assert found.retry_after_s == (None if wait_s is None else pytest.approx(wait_s, abs=2))
    assert found.of == of


def test_a_used_up_month_holds_the_whole_connection_for_a_day() -> None:
    found = caught_from_post(**problem(429, "usage-capped"), headers={"x-rate-limit-reset": "1"})

    assert isinstance(found, RateLimited)
    assert (found.retry_after_s, found.of) == (86_400.0, "connection")


@pytest.mark.parametrize(
    "wrong",
    [
        {"errors": [{"parameters": {"tweet.fields": ["x"]}, "message": "unknown"}]},
        {"parameter": "tweet.fields"},
        {"errors": [{"parameter": "tweet.fields"}]},
    ],
)
def test_a_server_that_knows_the_new_names_is_asked_by_them_and_remembered(
    monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any]
) -> None:
    from connectors.x import web

    monkeypatch.setattr(web, "_spoken", [*web._spoken])
    references = [{"type": "replied_to", "id": "7"}]
    post = {"id": "1", "text": "Hi", "referenced_posts": references, "public_metrics": {"repost_count": 3}}
    page = {"data": [post], "meta": {"result_count": 1}}
    new = {
        "post.fields": "created_at,entities,attachments,public_metrics,note_post",
        "expansions": "author_id,referenced_posts",
        "max_results": "100",
    }
    with responses.RequestsMock() as mock:
        mock.get(MENTIONS, status=400, json=problem(400, "invalid-request")["json"] | wrong)
        for _ in range(2):
            mock.get(MENTIONS, json=page, match=[matchers.query_param_matcher(new, strict_match=True)])
        found = [list_mentions(call("x"), ListMentions()) for _ in range(2)]

    assert isinstance(found[1], TweetList)
    (shown,) = found[1].tweets
    assert (shown.replies_to, shown.metrics.reposts) == ("7", 3)


def test_another_bad_parameter_is_not_asked_for_twice() -> None:
    with responses.RequestsMock() as mock:
        mock.get(MENTIONS, **problem(400, "invalid-request", errors=[{"parameters": {"since_id": ["x"]}}]))
        with pytest.raises(InvalidRequest):
            list_mentions(call("x"), ListMentions(since_id="1"))


@pytest.mark.parametrize(
    "page",
    [
        {"meta": None},
        {"meta": {}, "data": [None]},
        {"meta": {}, "data": [{"text": "no id"}]},
        {"meta": {}, "data": [{"id": "1", "entities": {"urls": [7]}}]},
        {"meta": {}, "data": [{"id": "1", "public_metrics": {"like_count": "many"}}]},
    ],
)
def test_a_list_that_is_not_readable_is_asked_again_later(page: dict[str, Any]) -> None:
    with responses.RequestsMock() as mock:
        mock.get(MENTIONS, json=page)
        with pytest.raises(Unavailable):
            list_mentions(call("x"), ListMentions())


def test_a_success_is_read_by_either_name() -> None:
    with responses.RequestsMock() as mock:
        mock.post(POST, status=201, json={"data": {"id": "9", "text": "Hi", "edit_history_post_ids": ["9"]}, "new": 1})
        assert post_tweet(call("x"), PostTweet(text="Hi")) == Tweet(id="9", text="Hi")


@pytest.mark.parametrize(
    ("secret", "sent"),
    [(None, {"grant_type": "refresh_token", "refresh_token": "old", "client_id": "app"}), ("s", None)],
)
def test_a_token_is_renewed_with_what_the_app_has(secret: str | None, sent: dict[str, str] | None) -> None:
    assert X.oauth is not None
    credential = XCredential.model_validate({"client_id": "app", "client_secret": secret, "refresh_token": "old"})
    form = sent or {"grant_type": "refresh_token", "refresh_token": "old"}
    with responses.RequestsMock() as mock:
        answer = {"token_type": "bearer", "access_token": "new", "refresh_token": "next", "expires_in": 7200}
        mock.post(TOKEN, json=answer, match=[matchers.urlencoded_params_matcher(form)])
        renewed = X.oauth.refresh(Http(X), credential)
        assert mock.calls[0].request.headers.get("Authorization") == ("Basic YXBwOnM=" if secret else None)

    assert renewed.refresh_token is not None
    assert renewed.refresh_token.get_secret_value() == "next"
    assert renewed.expires_at is not None


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, "invalid_request", GrantDead),
        (400, "invalid_grant", GrantDead),
        (401, "unauthorized_client", Permission),
        (400, "invalid_scope", InvalidRequest),
        (503, None, Unavailable),
        (429, None, RateLimited),
    ],
)
def test_a_refused_renewal_tells_whether_a_person_must_agree_again(
    status: int, error: str | None, kind: type[ConnectorError]
) -> None:
    assert X.oauth is not None
    credential = XCredential.model_validate({"client_id": "app", "client_secret": "s", "refresh_token": "old"})
    with responses.RequestsMock() as mock:
        mock.post(TOKEN, status=status, json={"error": error} if error else {})
        with pytest.raises(ConnectorError) as caught:
            X.oauth.refresh(Http(X), credential)

    assert type(caught.value) is kind
