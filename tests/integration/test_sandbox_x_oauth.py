"""The sandbox's X gives tokens as X does: after consent with a challenge, for two hours, renewed by what works once."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from connectors.kit.errors import AuthExpired, GrantDead
from connectors.kit.http import Http
from connectors.x.platform import X
from connectors.x.web import XCredential
from tests.unit.sandbox.process import Box, running

BACK = "http://127.0.0.1:8400/callback"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


def consent(box: Box, verifier: str) -> dict[str, str]:
    """What comes back to the app's address when a person agrees."""
    assert X.oauth is not None
    client_id = box.x["credential"]["client_id"]
    url = X.oauth.authorize(client_id, redirect_uri=BACK, state="s1", verifier=verifier)
    answer = box.http.get(f"{box.url}/{url.removeprefix('https://')}", allow_redirects=False, timeout=10)
    assert answer.headers["Location"].startswith(BACK)
    return {name: value[0] for name, value in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


@pytest.fixture
def credential(box: Box) -> XCredential:
    accounts = box.control("GET", "accounts")["x"]
    return XCredential.model_validate(accounts["credential"])


def test_consent_brings_tokens_that_work_and_a_code_works_once(box: Box, credential: XCredential) -> None:
    assert X.oauth is not None
    http, back = Http(X, sandbox_url=box.url), consent(box, "v" * 43)
    assert back["state"] == "s1"
    given = {"code": back["code"], "redirect_uri": BACK}

    granted = X.oauth.exchange(http, credential, **given, verifier="v" * 43)

    assert granted.access_token is not None
    assert box.tweet("GET", "users/me", token=granted.access_token.get_secret_value()).status_code == 200
    assert set(granted.scopes) == set(X.oauth.scopes)
    # X has one word for all that is wrong with a code: the consent has to begin anew.
    for code, verifier in ((back["code"], "v" * 43), (consent(box, "v" * 43)["code"], "w" * 43)):
        answer = token_of(box, grant_type="authorization_code", code=code, redirect_uri=BACK, code_verifier=verifier)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def token_of(box: Box, **form: str) -> requests.Response:
    app = box.x["credential"]
    auth = (app["client_id"], app["client_secret"])
    return box.http.post(f"{box.url}/api.x.com/2/oauth2/token", data=form, auth=auth, timeout=10)


def test_a_code_lives_half_a_minute(box: Box) -> None:
    code = consent(box, "v" * 43)["code"]
    box.control("POST", "clock", {"advance_s": 31})
    answer = token_of(box, grant_type="authorization_code", code=code, redirect_uri=BACK, code_verifier="v" * 43)
    assert answer.status_code == 400


def test_a_refresh_token_works_once_and_brings_the_next(box: Box, credential: XCredential) -> None:
    assert X.oauth is not None
    http = Http(X, sandbox_url=box.url)

    second = X.oauth.refresh(http, credential)
    third = X.oauth.refresh(http, second)

    assert third.access_token is not None
    assert box.tweet("GET", "users/me", token=third.access_token.get_secret_value()).status_code == 200
    with pytest.raises(GrantDead):
        X.oauth.refresh(http, credential)
    described = box.control("GET", "accounts")["x"]["credential"]
    assert X.oauth.refresh(http, XCredential.model_validate(described)).access_token is not None


def test_an_access_token_ends_after_two_hours(box: Box, credential: XCredential) -> None:
    assert X.oauth is not None
    fresh = X.oauth.refresh(Http(X, sandbox_url=box.url), credential)
    assert fresh.access_token is not None
    token = fresh.access_token.get_secret_value()
    box.control("POST", "clock", {"advance_s": 7190})
    assert box.tweet("GET", "users/me", token=token).status_code == 200
    box.control("POST", "clock", {"advance_s": 20})
    assert box.tweet("GET", "users/me", token=token).status_code == 401


def test_an_app_that_does_not_prove_itself_gets_nothing(box: Box) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": box.x["credential"]["client_id"]}
    url = f"{box.url}/api.x.com/2/oauth2/token"
    for auth in (None, ("app", "wrong")):
        answer = box.http.post(url, data=form, auth=auth, timeout=10)
        assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized_client")


def test_the_challenge_of_a_consent_is_the_digest_of_its_verifier(box: Box) -> None:
    assert X.oauth is not None
    url = X.oauth.authorize("app", redirect_uri=BACK, state="s", verifier="v" * 43)
    digest = base64.urlsafe_b64encode(hashlib.sha256(b"v" * 43).digest()).rstrip(b"=").decode()
    assert parse_qs(urlsplit(url).query)["code_challenge"] == [digest]


def test_a_connection_without_a_token_asks_for_one() -> None:
    with pytest.raises(AuthExpired, match="no access token"):
        XCredential(client_id="app").bearer()
