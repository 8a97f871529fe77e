"""What does a token endpoint's answer mean, and when is a token renewed? RFC 6749, and what platforms make of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests
import responses
from pydantic import BaseModel, ValidationError

from connectors.instagram import INSTAGRAM
from connectors.instagram.api import InstagramCredential, InstagramTokens
from connectors.kit.connector import Connector
from connectors.kit.errors import (
    AuthExpired,
    ConnectorError,
    GrantDead,
    InvalidRequest,
    Permission,
    RateLimited,
    Unavailable,
)
from connectors.kit.grants import ClientCredentials
from connectors.kit.http import Http
from connectors.kit.oauth import OAuth, OAuthCredential, plain
from connectors.slack import SLACK
from connectors.slack.web import OAUTH as SLACK_OAUTH
from connectors.slack.web import SlackCredential

HOST = "auth.example"
URL = f"https://{HOST}/token"
PLAIN = OAuth(authorize_url=f"https://{HOST}/authorize", token_url=URL, scopes=("read", "write"))
KNOWN = OAuthCredential.model_validate({"client_id": "app", "client_secret": "hush", "refresh_token": "old"})
NOW = datetime.now(UTC)


def http(oauth: OAuth) -> Http:
    settings = type("Settings", (BaseModel,), {})
    made = Connector(
        "x", "X", hosts=(HOST,), credential=OAuthCredential, settings=settings, api_version="1", oauth=oauth
    )
    return Http(made)


def form(number: int = 0) -> dict[str, str]:
    return dict(parse_qsl(str(responses.calls[number].request.body)))


@responses.activate
def test_a_renewal_keeps_what_it_is_not_told_and_takes_a_rotated_refresh_token() -> None:
    responses.post(URL, json={"access_token": "a1", "expires_in": "3600"})
    responses.post(URL, json={"access_token": "a2", "refresh_token": "new", "refresh_token_expires_in": 86400})
    first = PLAIN.refresh(http(PLAIN), KNOWN)
    second = PLAIN.refresh(http(PLAIN), first)
    assert first.refresh_token == KNOWN.refresh_token
    assert first.expires_at is not None
    assert plain(second)["refresh_token"] == "new"
    assert second.expires_at is None
    assert second.refresh_expires_at is not None
    assert form() == {
        "grant_type": "refresh_token",
        "refresh_token": "old",
        "client_id": "app",
        "client_secret": "hush",
    }


@responses.activate
def test_an_app_proves_itself_in_the_header_where_the_platform_wants_that() -> None:
    basic = OAuth(authorize_url=None, token_url=URL, scopes=(), basic=True)
    responses.post(URL, json={"access_token": "a1"})
    basic.refresh(http(basic), KNOWN)
    assert responses.calls[0].request.headers["Authorization"] == requests.auth._basic_auth_str("app", "hush")
    assert "client_secret" not in form()


@responses.activate
def test_a_code_is_exchanged_with_its_verifier() -> None:
    responses.post(URL, json={"access_token": "a1", "refresh_token": "r1", "scope": "read"})
    found = PLAIN.exchange(http(PLAIN), KNOWN, code="c", redirect_uri="http://127.0.0.1:1/", verifier="v")
    assert {"grant_type": "authorization_code", "code": "c", "code_verifier": "v"}.items() <= form().items()
    assert PLAIN.missing(found) == ("write",)
    assert PLAIN.missing(KNOWN) == (), "the platform has not said what it granted"


ANSWERS: list[tuple[int, Any, type[ConnectorError]]] = [
    (400, {"error": "invalid_grant", "error_description": "secret"}, GrantDead),
    (200, {"error": "invalid_grant"}, GrantDead),
    (401, {"error": "invalid_client"}, Permission),
    (400, {"error": "unauthorized_client"}, Permission),
    (401, {"error": "deleted_client"}, Permission),
    (403, {"error": "access_denied"}, Permission),
    (400, {"error": "admin_policy_enforced"}, Permission),
    (400, {"error": "org_internal"}, Permission),
    (400, {"error": "invalid_scope"}, InvalidRequest),
    (400, {"error": "redirect_uri_mismatch"}, InvalidRequest),
    (400, {"error": "unsupported_grant_type"}, InvalidRequest),
    (400, {"error": "invalid_request"}, InvalidRequest),
    (429, {"error": "rate_limit_exceeded"}, RateLimited),
    (429, {}, RateLimited),
    (500, {"error": "internal_failure"}, Unavailable),
    (500, {"error": "server_error"}, Unavailable),
    (503, {"error": "temporarily_unavailable"}, Unavailable),
    (502, "<html>secret</html>", Unavailable),
    (408, {}, Unavailable),
    (400, {"error": "secret"}, InvalidRequest),
    (401, {"error": ["secret"]}, Permission),
    (400, {"error": {"message": "secret"}}, InvalidRequest),
    (302, "", Unavailable),
    (200, "[]", Unavailable),
    (200, {}, Unavailable),
    (200, {"access_token": 7}, Unavailable),
    (200, {"access_token": "two words"}, Unavailable),
    (200, {"access_token": "line\nsecret"}, Unavailable),
    (200, {"access_token": ""}, Unavailable),
]


@pytest.mark.parametrize(("status", "body", "kind"), ANSWERS)
@responses.activate
def test_every_answer_without_a_token_is_classed_and_never_repeated(
    status: int, body: Any, kind: type[ConnectorError]
) -> None:
    responses.post(URL, status=status, body=body if isinstance(body, str) else json.dumps(body))
    with pytest.raises(ConnectorError) as caught:
        PLAIN.refresh(http(PLAIN), KNOWN)
    assert type(caught.value) is kind
    assert caught.value.http_status == status
    assert "secret" not in f"{caught.value!r} {caught.value.code}"


@responses.activate
def test_the_platforms_wait_is_told() -> None:
    responses.post(URL, status=429, headers={"Retry-After": "7"})
    with pytest.raises(RateLimited) as caught:
        PLAIN.refresh(http(PLAIN), KNOWN)
    assert caught.value.retry_after_s == 7


@responses.activate
def test_no_answer_is_no_dead_grant() -> None:
    responses.post(URL, body=requests.ReadTimeout())
    with pytest.raises(Unavailable):
        PLAIN.refresh(http(PLAIN), KNOWN)


@responses.activate
def test_odd_numbers_and_scopes_do_no_harm() -> None:
    odd: list[Any] = ["soon", -1, 0, True, None, 1e300, {}]
    for expires_in in odd:
        responses.post(URL, json={"access_token": "a", "expires_in": expires_in, "scope": 7, "refresh_token": 8})
        found = PLAIN.refresh(http(PLAIN), KNOWN)
        assert (found.expires_at, found.scopes, found.refresh_token) == (None, (), KNOWN.refresh_token)
        responses.reset()


def ending(ahead: timedelta | None, **more: Any) -> OAuthCredential:
    ends_at = None if ahead is None else datetime.now(UTC) + ahead
    return OAuthCredential.model_validate({"client_id": "a", "access_token": "t", "expires_at": ends_at, **more})


@pytest.mark.parametrize(
    ("ahead", "stale", "over"),
    [
        (None, False, False),
        (timedelta(hours=1), False, False),
        (timedelta(seconds=60), True, False),
        (timedelta(seconds=-1), True, True),
    ],
)
def test_a_token_is_renewed_some_minutes_before_its_end(ahead: timedelta | None, stale: bool, over: bool) -> None:
    now = datetime.now(UTC)
    assert PLAIN.is_stale(ending(ahead), now) is stale
    assert PLAIN.is_over(ending(ahead), now) is over
    assert PLAIN.is_stale(KNOWN, now), "it has no access token yet"


def test_what_a_person_has_to_renew_is_foreseen() -> None:
    day = NOW + timedelta(days=300)
    assert PLAIN.ends_at(ending(timedelta(hours=1), refresh_token="r", refresh_expires_at=day)) == day
    assert PLAIN.ends_at(ending(timedelta(hours=1), refresh_token="r")) is None
    without = ending(timedelta(days=60))
    assert PLAIN.ends_at(without) == without.expires_at
    with pytest.raises(GrantDead):
        PLAIN.refresh(http(PLAIN), without)


def test_a_connection_without_a_token_says_how_to_get_one() -> None:
    with pytest.raises(AuthExpired, match="neonhub connections refresh"):
        KNOWN.bearer()


@responses.activate
def test_an_app_that_speaks_for_itself_needs_nobody() -> None:
    own = ClientCredentials(token_url=URL, scopes=("ads",))
    responses.post(URL, json={"access_token": "a", "expires_in": 86400})
    app = OAuthCredential.model_validate({"client_id": "app", "client_secret": "hush"})
    assert own.renews(app)
    assert plain(own.refresh(http(own), app))["access_token"] == "a"
    assert form()["grant_type"] == "client_credentials"
    assert form()["scope"] == "ads"


def test_a_stored_credential_comes_back_whole() -> None:
    given = {
        "client_id": "a",
        "client_secret": "s",
        "access_token": "t",
        "scopes": ["x"],
        "expires_at": NOW.isoformat(),
    }
    credential = OAuthCredential.model_validate(given)
    assert plain(credential) == given
    assert OAuthCredential.model_validate(plain(credential)) == credential


# Slack

ROTATING = {"client_id": "1.2", "client_secret": "hush", "refresh_token": "xoxe-1-old", "access_token": "xoxe.xoxb-1"}


@responses.activate
def test_slack_replaces_the_pair_of_an_app_with_token_rotation() -> None:
    answer = {"ok": True, "access_token": "xoxe.xoxb-2", "refresh_token": "xoxe-1-new", "expires_in": 43200}
    responses.post("https://slack.com/api/oauth.v2.access", json=answer)
    found = SLACK_OAUTH.refresh(Http(SLACK), SlackCredential.model_validate(ROTATING))
    assert found.bearer() == {"Authorization": "Bearer xoxe.xoxb-2"}
    assert plain(found)["refresh_token"] == "xoxe-1-new"
    assert responses.calls[0].request.headers["Authorization"].startswith("Basic ")


def test_a_bot_token_of_slack_never_ends() -> None:
    bot = SlackCredential.model_validate({"bot_token": "xoxb-1"})
    assert not SLACK_OAUTH.is_stale(bot, NOW)
    assert not SLACK_OAUTH.renews(bot)
    assert SlackCredential.model_validate(plain(bot)) == bot
    for wrong in ({}, {"client_id": "1.2"}, {"bot_token": "xoxb-1", "refresh_token": "xoxe-1"}):
        with pytest.raises(ValidationError, match="client_secret"):
            SlackCredential.model_validate(wrong)


@pytest.mark.parametrize("error", sorted(SLACK_OAUTH.errors))
@responses.activate
def test_slacks_own_words_for_a_refusal_are_understood(error: str) -> None:
    responses.post("https://slack.com/api/oauth.v2.access", json={"ok": False, "error": error})
    with pytest.raises(ConnectorError) as caught:
        SLACK_OAUTH.refresh(Http(SLACK), SlackCredential.model_validate(ROTATING))
    assert type(caught.value) is SLACK_OAUTH.errors[error]
    assert caught.value.code == error


def test_slacks_scopes_are_separated_by_commas() -> None:
    address = SLACK_OAUTH.authorize("1.2", redirect_uri="https://a.example/", state="s", verifier="v")
    query = parse_qs(urlsplit(address).query)
    assert query["scope"][0].startswith("chat:write,channels:read")
    assert "code_challenge" not in query


# Meta

META = InstagramTokens()
GRAPH, FACEBOOK = "https://graph.instagram.com", "https://graph.facebook.com/v26.0/oauth/access_token"


def instagram(token: str, ahead: timedelta | None, **more: Any) -> InstagramCredential:
    ends_at = None if ahead is None else datetime.now(UTC) + ahead
    return InstagramCredential.model_validate({"access_token": token, "expires_at": ends_at, **more})


def test_instagrams_tokens_are_renewed() -> None:
    assert INSTAGRAM.oauth == META


@responses.activate
def test_a_token_of_instagram_login_brings_its_successor() -> None:
    responses.get(f"{GRAPH}/refresh_access_token", json={"access_token": "IGnew", "expires_in": 5184000})
    old = instagram("IGold", timedelta(days=20))
    assert META.is_stale(old, NOW)
    found = META.refresh(Http(INSTAGRAM), old)
    assert found.bearer() == {"Authorization": "Bearer IGnew"}
    assert META.ends_at(found) == found.expires_at
    query = parse_qs(urlsplit(str(responses.calls[0].request.url)).query)
    assert query == {"grant_type": ["ig_refresh_token"], "access_token": ["IGold"]}


@responses.activate
def test_a_token_of_a_facebook_user_is_exchanged_with_the_apps_secret() -> None:
    responses.get(FACEBOOK, json={"access_token": "EAAnew", "token_type": "bearer", "expires_in": 5183944})
    old = instagram("EAAold", timedelta(days=20), client_id="7", app_secret="hush")
    assert plain(META.refresh(Http(INSTAGRAM), old))["access_token"] == "EAAnew"
    query = parse_qs(urlsplit(str(responses.calls[0].request.url)).query)
    assert query["client_secret"] == ["hush"]
    assert query["fb_exchange_token"] == ["EAAold"]


def test_tokens_of_meta_that_do_not_end_or_cannot_be_exchanged_are_left_alone() -> None:
    assert not META.renews(instagram("EAApage", None, client_id="7", app_secret="hush"))
    assert not META.renews(instagram("EAAuser", timedelta(days=20), app_secret="hush"))
    assert not META.renews(instagram("IGgone", timedelta(days=-1)))
    with pytest.raises(GrantDead, match="has ended"):
        META.refresh(Http(INSTAGRAM), instagram("IGgone", timedelta(days=-1)))


def test_a_token_of_unknown_age_is_taken_for_new_unless_it_may_have_no_end() -> None:
    adopted = META.adopt(instagram("IGpasted", None))
    assert adopted.expires_at is not None
    assert timedelta(days=59) < adopted.expires_at - datetime.now(UTC) < timedelta(days=61)
    assert META.adopt(instagram("EAApage", None)).expires_at is None
    known = instagram("IGknown", timedelta(days=3))
    assert META.adopt(known) == known


META_ANSWERS: list[tuple[int, Any, type[ConnectorError]]] = [
    (400, {"error": {"code": 190, "error_subcode": 463}}, GrantDead),
    (401, {"error": {"code": 190, "error_subcode": 460}}, GrantDead),
    (400, {"error": {"code": 100}}, InvalidRequest),
    (400, {"error": {"code": 4}}, RateLimited),
    (500, {"error": {"code": 2, "is_transient": True}}, Unavailable),
    (502, "<html>", Unavailable),
    (200, {"token_type": "bearer"}, Unavailable),
    (200, {"access_token": "two words"}, Unavailable),
    (200, "[]", Unavailable),
]


@pytest.mark.parametrize(("status", "body", "kind"), META_ANSWERS)
@responses.activate
def test_meta_says_in_its_own_way_why_there_is_no_successor(status: int, body: Any, kind: type[ConnectorError]) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    responses.get(f"{GRAPH}/refresh_access_token", status=status, body=text)
    with pytest.raises(ConnectorError) as caught:
        META.refresh(Http(INSTAGRAM), instagram("IGold", timedelta(days=20)))
    assert type(caught.value) is kind
    assert "IGold" not in str(caught.value)
