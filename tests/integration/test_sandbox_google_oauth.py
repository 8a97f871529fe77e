"""The sandbox's Google hands out tokens as strictly as Google: codes, refresh tokens and signed assertions."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests

from connectors.dialects.google_oauth import GoogleOAuth, ServiceAccount
from connectors.kit import oauth
from connectors.sandbox import google_tokens
from connectors.sandbox.contract import Operation
from connectors.sandbox.google_oauth import GoogleOAuth as PlayedOAuth
from connectors.sandbox.platform import Call, Refusal
from connectors.sandbox.shapes import Shape
from tests.unit.sandbox.process import Box, running

SCOPE = "https://www.googleapis.com/auth/webmasters"
HERE = "http://127.0.0.1:8400/"
VERIFIER = "v" * 50
JWT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@pytest.fixture(scope="module")
def running_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


@pytest.fixture
def box(running_box: Box) -> Iterator[Box]:
    yield running_box
    running_box.no_faults()


@pytest.fixture
def app(box: Box) -> dict[str, str]:
    with sqlite3.connect(f"file:{box.state}/sandbox.sqlite3?mode=ro", uri=True) as db:
        client_id, secret = db.execute("SELECT id, secret FROM google_client").fetchone()
    db.close()
    return {"client_id": client_id, "client_secret": secret}


def ask(box: Box, path: str, **form: str) -> requests.Response:
    return box.http.post(f"{box.url}/oauth2.googleapis.com/{path}", data=form, timeout=10)


def refusal(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


def consent(box: Box, app: dict[str, str], **query: str) -> dict[str, str]:
    """What the redirect brings after somebody agreed."""
    address = GoogleOAuth(scopes=(SCOPE,)).authorize(app["client_id"], redirect_uri=HERE, state="st", verifier=VERIFIER)
    address = f"{box.url}/{address.removeprefix('https://')}"
    answer = box.http.get(address, params=query, allow_redirects=False, timeout=10)
    assert answer.status_code == 302, answer.text
    assert answer.headers["Location"].startswith(HERE)
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def exchange(box: Box, app: dict[str, str], code: str, **form: str) -> requests.Response:
    given = {"grant_type": "authorization_code", "code": code, "redirect_uri": HERE, "code_verifier": VERIFIER, **form}
    return ask(box, "token", **app, **given)


def agreed(box: Box, app: dict[str, str]) -> dict[str, Any]:
    answer = exchange(box, app, consent(box, app)["code"])
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_it_is_no_connector(box: Box) -> None:
    assert "google_oauth" not in box.control("GET", "accounts")
    assert "google_oauth" not in box.control("GET", "health")["connectors"]


def test_a_consent_brings_a_refresh_token_that_brings_access_tokens(box: Box, app: dict[str, str]) -> None:
    told = consent(box, app)
    assert told["state"] == "st"
    first = exchange(box, app, told["code"]).json()
    assert first["scope"] == SCOPE
    again = ask(box, "token", **app, grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    assert "refresh_token" not in again
    assert again["access_token"] != first["access_token"]
    for token in (first["access_token"], again["access_token"]):  # the earlier one stays valid
        info = box.http.get(f"{box.url}/oauth2.googleapis.com/tokeninfo", params={"access_token": token}, timeout=10)
        assert info.json()["scope"] == SCOPE
        assert 3500 < int(info.json()["expires_in"]) <= 3599


def test_a_code_works_once_and_a_second_time_withdraws_what_it_brought(box: Box, app: dict[str, str]) -> None:
    code = consent(box, app)["code"]
    first = exchange(box, app, code).json()
    assert refusal(exchange(box, app, code)) == (400, "invalid_grant")
    again = ask(box, "token", **app, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert refusal(again) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code": "4/unknown"}, (400, "invalid_grant")),
        ({"redirect_uri": "http://127.0.0.1:8401/"}, (400, "redirect_uri_mismatch")),
        ({"code_verifier": "w" * 50}, (400, "invalid_grant")),
        ({"client_secret": "wrong"}, (401, "invalid_client")),
        ({"client_id": "nobody"}, (401, "invalid_client")),
        ({"grant_type": "password"}, (400, "unsupported_grant_type")),
        ({"surprise": "1"}, (400, "invalid_request")),
        ({"assertion": "x"}, (400, "invalid_request")),
        ({"code": ""}, (400, "invalid_request")),
    ],
)
def test_what_does_not_fit_a_code_is_refused(
    box: Box, app: dict[str, str], change: dict[str, str], error: tuple[int, str]
) -> None:
    form = {"grant_type": "authorization_code", "redirect_uri": HERE, "code_verifier": VERIFIER, **app}
    form |= {"code": consent(box, app)["code"], **change}
    assert refusal(ask(box, "token", **form)) == error


def test_somebody_unknown_does_not_agree(box: Box, app: dict[str, str]) -> None:
    assert consent(box, app, login_hint="nobody@example.com") == {"error": "access_denied", "state": "st"}


def test_a_refresh_may_ask_for_less_and_not_for_more(box: Box, app: dict[str, str]) -> None:
    form = {**app, "grant_type": "refresh_token", "refresh_token": agreed(box, app)["refresh_token"]}
    assert refusal(ask(box, "token", **form, scope=f"{SCOPE} more")) == (400, "invalid_scope")
    assert ask(box, "token", **form, scope=SCOPE).json()["scope"] == SCOPE


@pytest.mark.parametrize("by", ["refresh_token", "access_token"])
def test_a_revoked_grant_is_dead(box: Box, app: dict[str, str], by: str) -> None:
    tokens = agreed(box, app)
    assert ask(box, "revoke", token=tokens[by]).status_code == 200
    again = ask(box, "token", **app, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert refusal(again) == (400, "invalid_grant")
    url = f"{box.url}/oauth2.googleapis.com/tokeninfo"
    info = box.http.get(url, params={"access_token": tokens["access_token"]}, timeout=10)
    assert refusal(info) == (400, "invalid_token")
    assert refusal(ask(box, "revoke", token=tokens[by])) == (400, "invalid_token")


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("rate_limit", (429, "rate_limit_exceeded")),
        ("error_500_before", (500, "internal_failure")),
        ("error_503_before", (503, "temporarily_unavailable")),
        ("auth_expired", (400, "invalid_grant")),
    ],
)
def test_faults_speak_googles_words(box: Box, app: dict[str, str], kind: str, error: tuple[int, str]) -> None:
    box.fault(kind, connector="google_oauth", operation="token", times=1)
    assert refusal(ask(box, "token", **app, grant_type="refresh_token", refresh_token="1//x")) == error


class Played:
    """The token endpoint and a database of its own, without a server."""

    def __init__(self) -> None:
        self.db = sqlite3.connect(":memory:")
        self.db.row_factory = sqlite3.Row
        self.db.executescript(google_tokens.TABLES)
        self.key_file = google_tokens.service_account(self.db)

    def call(self, *, now: float, body: Any = None, **headers: str) -> Call:
        none = Shape({"type": "object"}, {})
        operation = Operation("google_oauth", "x", "POST", "h", "/", None, none, none)
        return Call(operation, "/", headers, {}, b"", b"", self.db, now, now, body=body)

    def token(self, assertion: str, *, now: float | None = None) -> tuple[int, Any]:
        call = self.call(now=now or time.time(), body={"grant_type": JWT, "assertion": assertion})
        reply = PlayedOAuth.token(call)
        return reply.status, reply.body

    def close(self) -> None:
        self.db.close()


@pytest.fixture
def played() -> Iterator[Played]:
    found = Played()
    yield found
    found.close()


def test_a_service_account_gets_a_token_for_itself_and_for_whom_it_may_act(played: Played) -> None:
    robot = ServiceAccount.model_validate(played.key_file)
    status, body = played.token(robot.assertion((SCOPE,), None))
    assert (status, body["expires_in"]) == (200, 3599)
    assert "scope" not in body
    holder = google_tokens.bearer(played.call(now=time.time(), authorization=f"Bearer {body['access_token']}"), SCOPE)
    assert holder == google_tokens.Bearer(robot.client_email, frozenset({SCOPE}))
    assert played.token(robot.assertion((SCOPE,), "ann@example.com"))[0] == 401
    google_tokens.grant(played.db, "ann@example.com", [SCOPE], now=time.time())
    assert played.token(robot.assertion((SCOPE,), "ann@example.com"))[0] == 200


def test_an_assertion_that_is_not_genuine_or_not_now_is_refused(played: Played) -> None:
    robot = ServiceAccount.model_validate(played.key_file)
    stranger = Played()
    forged = ServiceAccount.model_validate({**stranger.key_file, "private_key_id": robot.private_key_id})
    stranger.close()
    unknown = robot.model_copy(update={"client_email": "other@sandbox.example"})
    good = robot.assertion((SCOPE,), None)
    wrong = ["x", "a.b.c", good[:-8] + "AAAAAAAA", forged.assertion((SCOPE,), None), unknown.assertion((SCOPE,), None)]
    for assertion in wrong:
        status, body = played.token(assertion)
        assert (status, body["error"]) == (400, "invalid_grant"), assertion
    for off_s in (-4000, 4000):
        status, body = played.token(good, now=time.time() + off_s)
        assert (status, body["error"]) == (400, "invalid_grant")
    assert played.token(robot.assertion((), None))[1]["error"] == "invalid_scope"


def test_a_seeded_grant_is_a_credential_whose_token_ends_and_whose_scopes_count(played: Played) -> None:
    now = time.time()
    google_tokens.grant(played.db, "ann@example.com", [SCOPE], now=now)
    credential = google_tokens.credential(played.db, "ann@example.com")
    assert oauth.OAuthCredential.model_validate(credential).scopes == (SCOPE,)
    header = f"Bearer {credential['access_token']}"
    assert google_tokens.bearer(played.call(now=now, authorization=header)).account == "ann@example.com"
    cases: list[tuple[Call, tuple[str, ...], tuple[int, str]]] = [
        (played.call(now=now), (), (401, "CREDENTIALS_MISSING")),
        (played.call(now=now, authorization="Bearer ya29.unknown"), (), (401, "ACCESS_TOKEN_EXPIRED")),
        (played.call(now=now + 3600, authorization=header), (), (401, "ACCESS_TOKEN_EXPIRED")),
        (played.call(now=now, authorization=header), ("other",), (403, "ACCESS_TOKEN_SCOPE_INSUFFICIENT")),
    ]
    for call, needs, expected in cases:
        with pytest.raises(Refusal) as refused:
            google_tokens.bearer(call, *needs)
        reply = refused.value.reply
        assert (reply.status, reply.body["error"]["details"][0]["reason"]) == expected
        assert json.dumps(reply.body)
        assert "Bearer realm" in reply.headers["WWW-Authenticate"]


def test_the_authorize_address_is_strict(box: Box, app: dict[str, str]) -> None:
    url = f"{box.url}/accounts.google.com/o/oauth2/v2/auth"
    good = {"client_id": app["client_id"], "redirect_uri": HERE, "response_type": "code", "scope": SCOPE}
    for change in ({"response_type": "token"}, {"redirect_uri": "http://evil.example/"}, {"more": "1"}):
        answer = box.http.get(url, params={**good, **change}, allow_redirects=False, timeout=10)
        assert refusal(answer) == (400, "invalid_request")
    other = box.http.get(url, params={**good, "client_id": "x"}, allow_redirects=False, timeout=10)
    assert refusal(other) == (401, "invalid_client")
    online = box.http.get(url, params=good, allow_redirects=False, timeout=10)
    code = parse_qs(urlsplit(online.headers["Location"]).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": HERE}
    assert "refresh_token" not in ask(box, "token", **app, **form).json()
