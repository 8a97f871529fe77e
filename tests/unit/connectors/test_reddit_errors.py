"""Is every documented error of Reddit classed by what may be done next?"""

from __future__ import annotations

from typing import Any

import pytest
import responses

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
from connectors.reddit.campaigns import (
    CampaignRef,
    get_campaign,
)
from connectors.reddit.own_posts import EditPost, ListMyPosts, PostRef, edit_post, get_post, list_my_posts
from connectors.reddit.platform import CheckCredentials, check_credentials
from connectors.reddit.posts import SubmitPost, submit_post
from connectors.reddit.subreddits import SubredditRef, get_post_requirements, list_link_flairs
from connectors.registry import connector
from tests.contract.memory_ledger import MemoryLedger
from tests.unit.connectors.calls import CLIENT_SECRET, call
from tests.unit.connectors.wire_reddit import ADS, DATA, ONE, POST, STATUSES, SUBMITTED, USER

SUBMIT, INFO, ME = f"{DATA}/api/submit", f"{DATA}/api/info", f"{DATA}/api/v1/me"
SAID = "a text that must not be shown"
POST_IT = SubmitPost(subreddit="gardening", title="Hi", text=SAID)


def submit(ledger: MemoryLedger | None = None) -> None:
    submit_post(call("reddit", ledger), POST_IT)


def refusal(code: Any, text: Any = SAID, field: Any = "title", **more: Any) -> dict[str, Any]:
    return {"json": {"errors": [[code, text, field]], **more}}


INNER: dict[type[ConnectorError], str] = {
    InvalidRequest: """NO_TEXT TOO_LONG NO_URL BAD_URL INVALID_OPTION BAD_SR_NAME SUBREDDIT_REQUIRED ALREADY_SUB
        SUBMIT_VALIDATION_FLAIR_REQUIRED SUBMIT_VALIDATION_TITLE_REGEX BRAND_NEW_ERROR""",
    AuthExpired: "USER_REQUIRED",
    Permission: "SUBREDDIT_NOTALLOWED SUBREDDIT_NO_ACCESS NO_SELFS NO_LINKS VERIFIED_USER_REQUIRED",
    NotFound: "SUBREDDIT_NOEXIST",
    RateLimited: "RATELIMIT QUOTA_FILLED SUBREDDIT_RATELIMIT",
    PolicyRejected: "DOMAIN_BANNED IN_TIMEOUT BANNED_FROM_SUBREDDIT",
}


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, codes in INNER.items() for code in codes.split()])
def test_every_documented_error_inside_a_200(kind: type[ConnectorError], code: str) -> None:
    with responses.RequestsMock() as mock:
        mock.post(SUBMIT, json=refusal(code))
        with pytest.raises(ConnectorError) as caught:
            submit()

    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.http_status) == (code, 200)
    assert f"{code}" in str(caught.value)
    assert SAID not in f"{caught.value!r}"


@pytest.mark.parametrize(("status", "of_effect", "of_read"), STATUSES)
def test_every_documented_status_of_the_data_api(
    status: int, of_effect: type[ConnectorError], of_read: type[ConnectorError]
) -> None:
    body = {"message": SAID, "error": status}
    with responses.RequestsMock() as mock:
        mock.post(SUBMIT, status=status, json=body)
        mock.get(INFO, status=status, json=body)
        with pytest.raises(ConnectorError) as sent:
            submit()
        with pytest.raises(ConnectorError) as read:
            get_post(call("reddit"), PostRef(post_id=POST))

    assert (type(sent.value), type(read.value)) == (of_effect, of_read)
    assert (sent.value.http_status, SAID in f"{sent.value!r} {read.value!r}") == (status, False)


@pytest.mark.parametrize(
    ("body", "wait_s", "of"),
    [
        (
            refusal("RATELIMIT", "Take a break for 5 minutes before trying again.", "ratelimit", ratelimit=256.1),
            256.1,
            "action",
        ),
        (refusal("RATELIMIT", "Take a break for 5 minutes before trying again.", "ratelimit"), 300.0, "action"),
        (refusal("RATELIMIT", "you are doing that too much. try again in 42 seconds.", "ratelimit"), 42.0, "action"),
        (refusal("RATELIMIT", "try again in 1 hour.", "ratelimit", ratelimit="soon"), 3600.0, "action"),
        (refusal("RATELIMIT", "Mach mal Pause.", "ratelimit"), None, "action"),
        (refusal("QUOTA_FILLED", None), None, "action"),
        (refusal("SUBREDDIT_RATELIMIT", "one a day", "sr"), None, "target"),
    ],
)
def test_the_time_to_wait_is_reddits_own(body: dict[str, Any], wait_s: float | None, of: str) -> None:
    with responses.RequestsMock() as mock:
        mock.post(SUBMIT, json=body)
        with pytest.raises(RateLimited) as caught:
            submit()

    assert (caught.value.retry_after_s, caught.value.of) == (wait_s, of)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"x-ratelimit-reset": "37"}, 37.0),
        ({"x-ratelimit-reset": "37.5"}, 37.5),
        ({"x-ratelimit-reset": "soon", "Retry-After": "9"}, 9.0),
        ({}, None),
    ],
)
def test_too_many_calls_wait_for_the_reset(headers: dict[str, str], wait_s: float | None) -> None:
    with responses.RequestsMock() as mock:
        mock.post(SUBMIT, status=429, body="slow down", headers=headers)
        with pytest.raises(RateLimited) as caught:
            submit()

    assert (caught.value.retry_after_s, caught.value.of) == (wait_s, "connection")


def test_a_missing_scope_is_told_from_a_missing_right() -> None:
    challenge = {"www-authenticate": 'Bearer realm="reddit", error="insufficient_scope"'}
    with responses.RequestsMock() as mock:
        mock.post(SUBMIT, status=403, json={}, headers=challenge)
        with pytest.raises(Permission, match="lacks the action's scope") as caught:
            submit()

    assert caught.value.code == "insufficient_scope"


@pytest.mark.parametrize(
    ("reason", "kind"), [("SUBREDDIT_NOEXIST", NotFound), ("TOO_LONG", InvalidRequest), ("x y", InvalidRequest)]
)
def test_the_reason_of_a_400_is_understood(reason: str, kind: type[ConnectorError]) -> None:
    with responses.RequestsMock() as mock:
        mock.post(SUBMIT, status=400, json={"message": "Bad Request", "error": 400, "reason": reason})
        with pytest.raises(kind):
            submit()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ok",
        "[]",
        "{}",
        '{"json": []}',
        '{"json": {}}',
        '{"json": {"errors": null}}',
        '{"json": {"errors": []}}',
        '{"json": {"errors": [], "data": 7}}',
        '{"json": {"errors": [], "data": {"name": "t1_x"}}}',
    ],
)
def test_an_unreadable_success_leaves_the_outcome_unknown(text: str) -> None:
    with responses.RequestsMock() as mock:
        mock.post(SUBMIT, body=text)
        with pytest.raises(OutcomeUnknown):
            submit()


@pytest.mark.parametrize("first", [None, [], "RATELIMIT", [7, 8, 9], [["NO_TEXT"]], ["no code: x", None, "x y"]])
def test_a_strange_error_is_a_refusal_without_a_code(first: Any) -> None:
    with responses.RequestsMock() as mock:
        mock.post(SUBMIT, json={"json": {"errors": [first]}})
        with pytest.raises(InvalidRequest, match=r"^Reddit refused$") as caught:
            submit()

    assert caught.value.code is None


def test_strange_rows_are_left_out_and_strange_values_are_null() -> None:
    row = {"name": POST, "title": 7, "created_utc": 1e300, "upvote_ratio": 9, "score": True}
    children = [{"kind": "t3", "data": row}, {"data": {}}, {"data": 7}, 7]
    with responses.RequestsMock() as mock:
        mock.get(f"{USER}/submitted", json={"data": {"after": 7, "children": children}})
        (post,) = list_my_posts(call("reddit"), ListMyPosts()).posts

    assert (post.post_id, post.title, post.created_at, post.upvote_ratio, post.score) == (POST, None, None, None, None)


def test_strange_wishes_of_a_subreddit_are_none() -> None:
    place = SubredditRef(subreddit="gardening")
    wishes = {
        "body_restriction_policy": 7,
        "link_restriction_policy": "blacklist",
        "domain_blacklist": [7, "a.example"],
    }
    with responses.RequestsMock() as mock:
        mock.get(f"{DATA}/api/v1/gardening/post_requirements", json=wishes)
        mock.get(f"{DATA}/r/gardening/api/link_flair_v2", json=[7, {"id": 7}, {"id": "f-1", "mod_only": "yes"}])
        found = get_post_requirements(call("reddit"), place)
        (flair,) = list_link_flairs(call("reddit"), place).flairs

    assert (found.text, found.is_flair_required, found.banned_domains) == ("none", False, ("a.example",))
    assert (flair.flair_id, flair.mod_only) == ("f-1", False)
    with responses.RequestsMock() as mock:
        mock.get(f"{DATA}/api/v1/gardening/post_requirements", json=[])
        mock.get(f"{DATA}/r/gardening/api/link_flair_v2", json={})
        with pytest.raises(Unavailable):
            get_post_requirements(call("reddit"), place)
        with pytest.raises(Unavailable):
            list_link_flairs(call("reddit"), place)


def test_an_edit_that_was_refused_inside_a_200_is_an_error() -> None:
    with responses.RequestsMock() as mock:
        mock.post(f"{DATA}/api/editusertext", json=refusal("TOO_LONG", field="text"))
        with pytest.raises(InvalidRequest, match="TOO_LONG for text"):
            edit_post(call("reddit"), EditPost(post_id=POST, text="x"))


def test_a_token_that_may_read_no_identity_is_asked_at_the_ads_api() -> None:
    with responses.RequestsMock() as mock:
        mock.get(ME, status=403, json={})
        mock.get(f"{ADS}/me", json={"data": {"id": "t2_x"}})
        assert check_credentials(call("reddit"), CheckCredentials()).name == "t2_x"
    with responses.RequestsMock() as mock:
        mock.get(ME, json={"name": 7})
        with pytest.raises(Unavailable):
            check_credentials(call("reddit"), CheckCredentials())


def test_every_request_says_who_asks() -> None:
    with responses.RequestsMock() as mock:
        mock.post(SUBMIT, json=SUBMITTED)
        mock.get(f"{ADS}/campaigns/{ONE}", json={"data": {"id": ONE}})
        submit()
        get_campaign(call("reddit"), CampaignRef(campaign_id=ONE))
        agents = {made.request.headers["User-Agent"] for made in mock.calls}

    assert agents == {"linux:app-1:v1 (by /u/spring_tests)"}


TOKEN = "https://www.reddit.com/api/v1/access_token"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": "invalid_grant"}, GrantDead),
        (200, {"error": "invalid_grant"}, GrantDead),
        (200, {"error": "brand_new"}, Unavailable),
        (401, {"message": "Unauthorized", "error": 401}, Permission),
        (429, {}, RateLimited),
        (503, "<html>", Unavailable),
    ],
)
def test_every_error_of_the_token_endpoint(status: int, body: Any, kind: type[ConnectorError]) -> None:
    oauth, held = connector("reddit").oauth, call("reddit").credential
    assert oauth is not None
    credential: Any = held.model_validate({**dict(held), "refresh_token": "refresh-1"})
    with responses.RequestsMock() as mock:
        mock.post(TOKEN, status=status, json=body)
        with pytest.raises(ConnectorError) as caught:
            oauth.refresh(call("reddit").http, credential)
        sent = mock.calls[0].request

    assert type(caught.value) is kind
    assert sent.headers["User-Agent"] == "linux:app-1:v1 (by /u/spring_tests)"
    assert sent.headers["Authorization"].startswith("Basic ")
    assert sent.body == "grant_type=refresh_token&refresh_token=refresh-1"
    assert CLIENT_SECRET not in f"{caught.value!r}"
