"""How do Google's connectors get their tokens?"""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import responses
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from pydantic import BaseModel, ValidationError

from connectors.dialects.google_oauth import HOST, TOKEN_URL, GoogleCredential, GoogleOAuth
from connectors.kit import clock
from connectors.kit.connector import Connector
from connectors.kit.errors import GrantDead, Permission
from connectors.kit.http import Http

SCOPES = ("https://www.googleapis.com/auth/webmasters", "https://www.googleapis.com/auth/adwords")
GRANTED = {"access_token": "ya29.new", "expires_in": 3599, "token_type": "Bearer", "scope": SCOPES[0]}
OAUTH = GoogleOAuth(scopes=SCOPES)
PERSON = GoogleCredential.model_validate(
    {"client_id": "1.apps.googleusercontent.com", "client_secret": "GOCSPX-s", "refresh_token": "1//r"}
)


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


def key_file(key: RSAPrivateKey) -> dict[str, Any]:
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return {
        "type": "service_account",
        "project_id": "p",
        "private_key_id": "k1",
        "private_key": pem.decode(),
        "client_email": "robot@p.iam.gserviceaccount.com",
        "token_uri": "https://evil.example/token",
    }


def http() -> Http:
    settings = type("Settings", (BaseModel,), {})
    return Http(
        Connector("g", "G", hosts=(HOST,), credential=GoogleCredential, settings=settings, api_version="1", oauth=OAUTH)
    )


def form(sent: Any) -> dict[str, str]:
    return dict(parse_qsl(sent.request.body))


def test_the_authorize_address_asks_for_a_refresh_token_and_shows_only_the_digest_of_the_verifier() -> None:
    address = OAUTH.authorize("1.apps", redirect_uri="http://127.0.0.1:1/", state="s", verifier="v" * 43)
    query = parse_qs(urlsplit(address).query)
    assert address.startswith("https://accounts.google.com/o/oauth2/v2/auth?")
    assert query["access_type"] == ["offline"]
    assert query["prompt"] == ["consent"]
    assert query["scope"] == [" ".join(SCOPES)]
    assert query["code_challenge_method"] == ["S256"]
    assert "v" * 43 not in address


@responses.activate
def test_a_refresh_keeps_the_refresh_token_and_notes_what_was_granted() -> None:
    responses.post(TOKEN_URL, json=GRANTED)
    found = OAUTH.refresh(http(), PERSON)
    assert found.bearer() == {"Authorization": "Bearer ya29.new"}
    assert found.refresh_token == PERSON.refresh_token
    assert found.scopes == (SCOPES[0],)
    assert found.expires_at is not None
    assert timedelta(seconds=3590) < found.expires_at - clock.now() <= timedelta(seconds=3599)
    assert form(responses.calls[0]) == {
        "grant_type": "refresh_token",
        "refresh_token": "1//r",
        "client_id": "1.apps.googleusercontent.com",
        "client_secret": "GOCSPX-s",
    }


@responses.activate
def test_a_service_account_signs_for_its_scopes_and_is_sent_to_google_alone(key: RSAPrivateKey) -> None:
    responses.post(TOKEN_URL, json=GRANTED)
    account = GoogleCredential.model_validate({"service_account": key_file(key), "subject": "ann@example.com"})
    found = OAUTH.refresh(http(), account)
    assert found.bearer() == {"Authorization": "Bearer ya29.new"}
    sent = form(responses.calls[0])
    assert sent["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert set(sent) == {
        "grant_type",
        "assertion",
    }
    head, claims, signature = (base64.urlsafe_b64decode(part + "==") for part in sent["assertion"].split("."))
    signed = sent["assertion"].rpartition(".")[0].encode()
    key.public_key().verify(signature, signed, PKCS1v15(), hashes.SHA256())
    assert json.loads(head) == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
    told = json.loads(claims)
    assert told.pop("exp") - told.pop("iat") == 3600
    assert told == {
        "iss": "robot@p.iam.gserviceaccount.com",
        "scope": " ".join(SCOPES),
        "aud": TOKEN_URL,
        "sub": "ann@example.com",
    }


@responses.activate
def test_a_refused_assertion_tells_a_person_where_to_look(key: RSAPrivateKey) -> None:
    responses.post(TOKEN_URL, status=400, json={"error": "invalid_grant", "error_description": "Invalid JWT Signature"})
    account = GoogleCredential.model_validate({"service_account": key_file(key)})
    with pytest.raises(GrantDead, match=r"key deleted, or is this machine's clock wrong") as dead:
        OAUTH.refresh(http(), account)
    assert dead.value.code == "invalid_grant"
    assert dead.value.http_status == 400


@responses.activate
def test_a_missing_delegation_is_no_dead_grant(key: RSAPrivateKey) -> None:
    responses.post(TOKEN_URL, status=401, json={"error": "unauthorized_client"})
    account = GoogleCredential.model_validate({"service_account": key_file(key), "subject": "ann@example.com"})
    with pytest.raises(Permission):
        OAUTH.refresh(http(), account)


def test_what_is_neither_a_consent_nor_a_service_account_is_refused_without_showing_secrets(key: RSAPrivateKey) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "client_id and client_secret, or service_account"),
        ({"client_id": "c", "client_secret": "hush", "subject": "a@b"}, "goes with service_account only"),
        ({"service_account": {**key_file(key), "private_key": "hush"}}, "private_key of Google's key file"),
        ({"service_account": key_file(key), "refresh_token": "hush"}, "has no refresh_token"),
    ]
    for given, why in wrong:
        with pytest.raises(ValidationError, match=why) as refused:
            GoogleCredential.model_validate(given)
        assert "hush" not in str(refused.value)
        assert "PRIVATE KEY" not in str(refused.value)
    assert "PRIVATE KEY" not in repr(GoogleCredential.model_validate({"service_account": key_file(key)}))
