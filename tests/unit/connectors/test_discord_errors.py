"""Is every documented error of Discord classed as its contract says?"""

from __future__ import annotations

from typing import Any

import pytest
import responses
from pydantic import ValidationError
from responses import matchers

from connectors.discord.guild import GetChannels, get_channels
from connectors.discord.messages import Message, SendMessage, find_post, nonce, send_message
from connectors.discord.web import DiscordCredential
from connectors.discord.webhook_messages import SendWebhookMessage, send_webhook_message
from connectors.kit.errors import (
    AuthExpired,
    ConnectorError,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Permission,
    PolicyRejected,
    RateLimited,
    RecipientOptedOut,
    Unavailable,
)
from tests.contract.memory_ledger import MemoryLedger, in_doubt
from tests.unit.connectors.calls import GUILD, WEBHOOK_URL, authorization, call, error_map

CHANNEL = "1100000000000000001"
API = "https://discord.com/api/v10"
POST, CHANNELS = f"{API}/channels/{CHANNEL}/messages", f"{API}/guilds/{GUILD}/channels"
CLASSES: dict[str, type[ConnectorError]] = {
    "invalid_request": InvalidRequest,
    "duplicate": InvalidRequest,
    "permission": Permission,
    "recipient_opted_out": RecipientOptedOut,
    "not_found": NotFound,
    "policy_rejected": PolicyRejected,
    "rate_limited": RateLimited,
    "auth_expired": AuthExpired,
}
ROWS = error_map("discord", where="sync")


def name_of(row: dict[str, Any]) -> str:
    return f"{row['http']}-{row['code']}"


def body_of(row: dict[str, Any]) -> dict[str, Any]:
    if row["http"] >= 500 and row["code"] is None:
        return {"body": "<html>Oops</html>"}
    extra = {"retry_after": 0.75, "global": False} if row["http"] == 429 else {}
    return {"json": {"message": "No.", **({} if row["code"] is None else {"code": row["code"]}), **extra}}


def answer_to_post(mock: responses.RequestsMock, key: str, **answer: Any) -> None:
    body = {
        "content": "Grüße",
        "allowed_mentions": {"parse": []},
        "nonce": nonce(key),
        "enforce_nonce": True,
    }
    headers = {
        "Authorization": authorization("discord")[1],
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "DiscordBot (https://github.com/neonhub/neonhub-worker, 0.1.0)",
    }
    match = [
        matchers.json_params_matcher(body, strict_match=True),
        matchers.header_matcher(headers),
        matchers.query_param_matcher({}, strict_match=True),
    ]
    mock.post(POST, match=match, **answer)


def post(ledger: MemoryLedger) -> Message:
    return send_message(call("discord", ledger), SendMessage(channel=CHANNEL, content="Grüße"))


def caught_from_post(**answer: Any) -> ConnectorError:
    ledger = MemoryLedger()
    with responses.RequestsMock() as mock:
        answer_to_post(mock, ledger.key, **answer)
        with pytest.raises(ConnectorError) as caught:
            post(ledger)
    return caught.value


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_every_documented_error_of_an_effect(row: dict[str, Any]) -> None:
    found = caught_from_post(status=row["http"], headers={"CF-Ray": "r1"}, **body_of(row))

    # Switched off, or an index that is not ready: nothing was done.
    otherwise = Unavailable if row["code"] in (40004, 40006, 110000) else OutcomeUnknown
    assert type(found) is CLASSES.get(row["class"], otherwise)
    code = None if row["code"] is None else str(row["code"])
    assert (found.code, found.http_status, found.request_id) == (code, row["http"], "r1")


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_every_documented_error_of_a_read(row: dict[str, Any]) -> None:
    with responses.RequestsMock() as mock:
        mock.get(CHANNELS, status=row["http"], **body_of(row))
        with pytest.raises(ConnectorError) as caught:
            get_channels(call("discord"), GetChannels())

    assert type(caught.value) is CLASSES.get(row["class"], Unavailable)


@pytest.mark.parametrize(
    ("answer", "wait_s", "of"),
    [
        ({"json": {"message": "x", "retry_after": 0.75, "global": False}}, 0.75, "target"),
        ({"json": {"message": "x", "retry_after": 2, "global": True}}, 2.0, "connection"),
        ({"json": {"message": "x", "retry_after": "soon", "global": False}}, None, "target"),
        ({"json": {"message": "x"}, "headers": {"Retry-After": "3"}}, 3.0, "target"),
        ({"body": "<html>banned</html>", "headers": {"Retry-After": "900"}}, 900.0, "connection"),
        ({"json": {"message": "x", "code": 40003}}, 600.0, "target"),
    ],
)
def test_the_time_to_wait_and_what_waits_are_discords_own(
    answer: dict[str, Any], wait_s: float | None, of: str
) -> None:
    found = caught_from_post(status=429, **answer)

    assert isinstance(found, RateLimited)
    assert (found.retry_after_s, found.of) == (wait_s, of)


@pytest.mark.parametrize(
    ("errors", "shown"),
    [
        ({"content": {"_errors": [{"code": "BASE_TYPE_MAX_LENGTH"}]}}, "at content BASE_TYPE_MAX_LENGTH"),
        ({"embeds": {"0": {"title": {"_errors": [{"code": "X"}]}}}}, "at embeds.0.title X"),
        ({"a secret text": {"_errors": [{"code": "a secret text"}]}}, "at ?"),
        ({"content": "nonsense"}, "at content"),
        ([], "code 50035"),
    ],
)
def test_the_field_at_fault_is_named_and_nothing_else_is_repeated(errors: Any, shown: str) -> None:
    found = caught_from_post(status=400, json={"message": "a secret text", "code": 50035, "errors": errors})

    assert str(found).endswith(shown)
    assert "secret" not in str(found)


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"id": null}', '{"id": "1"}'])
def test_an_unreadable_success_leaves_the_outcome_unknown(text: str) -> None:
    assert type(caught_from_post(body=text)) is OutcomeUnknown


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequest),
        (401, AuthExpired),
        (403, Permission),
        (404, NotFound),
        (405, InvalidRequest),
        (408, OutcomeUnknown),
        (502, OutcomeUnknown),
    ],
)
def test_an_unknown_code_is_classed_by_its_status(status: int, kind: type[ConnectorError]) -> None:
    assert type(caught_from_post(status=status, json={"message": "x", "code": 99999999})) is kind
    assert type(caught_from_post(status=status, body="<html>")) is kind


@pytest.mark.parametrize("rows", [{"message": "x"}, [1], [{"type": 0}], [{"id": "1", "type": 0, "position": "up"}]])
def test_a_list_that_is_none_is_asked_again_later(rows: Any) -> None:
    with responses.RequestsMock() as mock:
        mock.get(CHANNELS, json=rows)
        with pytest.raises(Unavailable):
            get_channels(call("discord"), GetChannels())


def test_a_message_that_shows_the_nonce_is_ours_whatever_its_words() -> None:
    ledger = in_doubt()
    author = {"id": "9"}
    others = {"id": "1400000000000000001", "author": author, "nonce": "other", "content": "Hi", "channel_id": CHANNEL}
    ours = {"id": "1400000000000000002", "author": author, "nonce": nonce(ledger.key), "channel_id": CHANNEL}
    with responses.RequestsMock() as mock:
        mock.get(f"{API}/users/@me", json={"id": "9", "username": "neonhub"})
        mock.get(POST, json=[ours, others])
        found = find_post(call("discord", ledger), CHANNEL, SendMessage(channel=CHANNEL, content="Hi"))

    assert found == Message(id="1400000000000000002", channel=CHANNEL)


def test_a_question_that_is_refused_says_nothing_about_the_effect() -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{API}/users/@me", json={"id": "9", "username": "neonhub"})
        mock.get(POST, status=403, json={"message": "Missing Access", "code": 50001})
        with pytest.raises(OutcomeUnknown, match="refused to say"):
            find_post(call("discord", in_doubt()), CHANNEL, SendMessage(channel=CHANNEL, content="Hi"))


def test_a_webhook_is_asked_for_its_answer_and_its_address_is_in_no_error() -> None:
    url = WEBHOOK_URL.replace("/api/", "/api/v10/")
    with responses.RequestsMock() as mock:
        match = [matchers.query_param_matcher({"wait": "true", "thread_id": "7"}, strict_match=True)]
        mock.post(url, match=match, status=401, json={"message": "Invalid Webhook Token", "code": 50027})
        with pytest.raises(AuthExpired) as caught:
            send_webhook_message(call("discord"), SendWebhookMessage(content="Hi", thread_id="7"))
        assert "Authorization" not in mock.calls[0].request.headers

    assert "webhook-token-of-the-tests" not in f"{caught.value!r}"


@pytest.mark.parametrize(
    "credential",
    [
        {},
        {"webhook_url": "https://example.com/api/webhooks/1/secret-token"},
        {"webhook_url": "https://discord.com/api/webhooks/1/secret-token/messages"},
        {"bot_token": "secret token"},
    ],
)
def test_a_credential_that_cannot_sign_in_is_refused_and_not_repeated(credential: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as caught:
        DiscordCredential.model_validate(credential)

    assert "secret" not in str(caught.value)
