"""Is every documented error of Slack classed as its contract says?"""

from __future__ import annotations

from typing import Any

import pytest
import responses
from responses import matchers

from connectors.kit.errors import (
    AuthExpired,
    ConnectorError,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Permission,
    PolicyRejected,
    RateLimited,
    Unavailable,
)
from connectors.slack.history import ListMessages, list_messages
from connectors.slack.messages import SendMessage, send_message
from tests.contract.memory_ledger import MemoryLedger
from tests.unit.connectors.calls import BOT_TOKEN, call, error_map

POST, HISTORY = "https://slack.com/api/chat.postMessage", "https://slack.com/api/conversations.history"
CHANNEL = "C0123ABCD"
CLASSES: dict[str, type[ConnectorError]] = {
    "invalid_request": InvalidRequest,
    "permission": Permission,
    "not_found": NotFound,
    "policy_rejected": PolicyRejected,
    "rate_limited": RateLimited,
    "auth_expired": AuthExpired,
}
SYNC = error_map("slack", where="sync")


def of_effect(row: dict[str, Any]) -> type[ConnectorError]:
    """What the contract's class means for a request that may have changed something."""
    if row["class"] in CLASSES:
        return CLASSES[row["class"]]
    return Unavailable if row["retry"].startswith("safe") else OutcomeUnknown


def name_of(row: dict[str, Any]) -> str:
    return f"{row['http']}-{row['code']}"


def answer_to_post(mock: responses.RequestsMock, key: str, *, status: int = 200, **answer: Any) -> None:
    body = {
        "channel": CHANNEL,
        "text": "Grüße",
        "unfurl_links": False,
        "unfurl_media": False,
        "metadata": {"event_type": "neonhub_effect", "event_payload": {"effect_id": key}},
    }
    headers = {"Authorization": f"Bearer {BOT_TOKEN}", "Content-Type": "application/json; charset=utf-8"}
    match = [
        matchers.json_params_matcher(body, strict_match=True),
        matchers.header_matcher(headers),
        matchers.query_param_matcher({}, strict_match=True),
    ]
    mock.post(POST, status=status, match=match, **answer)


def post(ledger: MemoryLedger) -> None:
    send_message(call("slack", ledger), SendMessage(channel=CHANNEL, text="Grüße"))


@pytest.mark.parametrize("row", SYNC, ids=name_of)
def test_every_documented_error_of_an_effect(row: dict[str, Any]) -> None:
    ledger = MemoryLedger()
    with responses.RequestsMock() as mock:
        answer = {"json": {"ok": False, "error": row["code"]}} if row["code"] else {"body": "<html>Oops</html>"}
        answer_to_post(mock, ledger.key, status=row["http"], headers={"X-Slack-Req-Id": "r1"}, **answer)
        with pytest.raises(ConnectorError) as caught:
            post(ledger)

    assert type(caught.value) is of_effect(row)
    found = caught.value
    assert (found.code, found.http_status, found.request_id) == (row["code"], row["http"], "r1")


@pytest.mark.parametrize("row", SYNC, ids=name_of)
def test_every_documented_error_of_a_read(row: dict[str, Any]) -> None:
    kind = CLASSES.get(row["class"], Unavailable)
    query = {"channel": CHANNEL, "inclusive": "true", "include_all_metadata": "true", "limit": 100}
    with responses.RequestsMock() as mock:
        answer = {"json": {"ok": False, "error": row["code"]}} if row["code"] else {"body": "<html>Oops</html>"}
        match = [matchers.query_param_matcher(query, strict_match=True)]
        mock.get(HISTORY, status=row["http"], match=match, **answer)
        with pytest.raises(ConnectorError) as caught:
            list_messages(call("slack"), ListMessages(channel=CHANNEL))

    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("error", "headers", "wait_s"),
    [
        ("ratelimited", {"Retry-After": "30"}, 30.0),
        ("ratelimited", {}, None),
        ("rate_limited", {}, 1.0),
        ("restricted_too_many", {}, 60.0),
        ("message_limit_exceeded", {}, 3600.0),
    ],
)
def test_the_time_to_wait_is_slacks_own_or_fits_the_limit(
    error: str, headers: dict[str, str], wait_s: float | None
) -> None:
    ledger = MemoryLedger()
    with responses.RequestsMock() as mock:
        status = 429 if error == "ratelimited" else 200
        answer_to_post(mock, ledger.key, status=status, json={"ok": False, "error": error}, headers=headers)
        with pytest.raises(RateLimited) as caught:
            post(ledger)

    assert caught.value.retry_after_s == wait_s


def test_a_throttling_without_a_readable_body_was_not_processed() -> None:
    ledger = MemoryLedger()
    with responses.RequestsMock() as mock:
        answer_to_post(mock, ledger.key, status=429, body="slow down", headers={"Retry-After": "5"})
        with pytest.raises(RateLimited) as caught:
            post(ledger)

    assert caught.value.retry_after_s == 5


@pytest.mark.parametrize("text", ["", "ok", "[]", "{}", '{"ok": null}', '{"ok": true}'])
def test_an_unreadable_success_leaves_the_outcome_unknown(text: str) -> None:
    ledger = MemoryLedger()
    with responses.RequestsMock() as mock:
        answer_to_post(mock, ledger.key, body=text)
        with pytest.raises(OutcomeUnknown):
            post(ledger)


@pytest.mark.parametrize(("status", "kind"), [(200, InvalidRequest), (500, OutcomeUnknown)])
def test_an_unknown_name_is_the_inputs_fault_unless_slack_itself_failed(
    status: int, kind: type[ConnectorError]
) -> None:
    ledger = MemoryLedger()
    with responses.RequestsMock() as mock:
        answer_to_post(mock, ledger.key, status=status, json={"ok": False, "error": "brand_new_error"})
        with pytest.raises(kind, match="brand_new_error"):
            post(ledger)


@pytest.mark.parametrize(
    ("error", "kind"),
    [("restricted_action_brand_new", Permission), ("slack_connect_brand_new_blocked", PolicyRejected)],
)
def test_a_new_name_of_a_known_family_is_classed_with_it(error: str, kind: type[ConnectorError]) -> None:
    ledger = MemoryLedger()
    with responses.RequestsMock() as mock:
        answer_to_post(mock, ledger.key, json={"ok": False, "error": error})
        with pytest.raises(kind):
            post(ledger)


@pytest.mark.parametrize(("status", "kind"), [(404, InvalidRequest), (408, OutcomeUnknown), (502, OutcomeUnknown)])
def test_a_page_in_place_of_an_answer_is_classed_by_its_status(status: int, kind: type[ConnectorError]) -> None:
    ledger = MemoryLedger()
    with responses.RequestsMock() as mock:
        answer_to_post(mock, ledger.key, status=status, body="<html>")
        with pytest.raises(kind):
            post(ledger)


def test_a_missing_scope_is_named() -> None:
    ledger = MemoryLedger()
    body = {"ok": False, "error": "missing_scope", "needed": "chat:write", "provided": "channels:read"}
    with responses.RequestsMock() as mock:
        answer_to_post(mock, ledger.key, json=body)
        with pytest.raises(Permission, match="needs scope chat:write"):
            post(ledger)


def test_a_list_that_never_ends_is_given_up() -> None:
    page = {"ok": True, "messages": [], "response_metadata": {"next_cursor": "more"}}
    with responses.RequestsMock() as mock:
        mock.get(HISTORY, json=page)
        with pytest.raises(Unavailable, match="more than 20 pages"):
            list_messages(call("slack"), ListMessages(channel=CHANNEL))

        assert len(mock.calls) == 20


def test_a_limit_is_waited_for_on_the_first_page_and_counts_as_a_failure_on_a_later_one() -> None:
    # An app outside the Marketplace may read one page a minute: waiting and beginning anew would never end.
    page = {"ok": True, "messages": [], "response_metadata": {"next_cursor": "more"}}
    limit: dict[str, Any] = {
        "status": 429,
        "json": {"ok": False, "error": "ratelimited"},
        "headers": {"Retry-After": "60"},
    }
    with responses.RequestsMock() as mock:
        mock.get(HISTORY, **limit)
        with pytest.raises(RateLimited):
            list_messages(call("slack"), ListMessages(channel=CHANNEL))
    with responses.RequestsMock() as mock:
        mock.get(HISTORY, json=page)
        mock.get(HISTORY, **limit)
        with pytest.raises(Unavailable, match="page 2") as caught:
            list_messages(call("slack"), ListMessages(channel=CHANNEL))

    assert caught.value.code == "ratelimited"


def test_an_empty_page_is_not_the_last() -> None:
    message = {"ts": "1795417802.000247", "text": "Hi"}
    with responses.RequestsMock() as mock:
        mock.get(HISTORY, json={"ok": True, "messages": [], "response_metadata": {"next_cursor": "more"}})
        second = {"ok": True, "messages": [message], "response_metadata": {"next_cursor": ""}}
        match = [matchers.query_param_matcher({"cursor": "more"}, strict_match=False)]
        mock.get(HISTORY, json=second, match=match)
        found = list_messages(call("slack"), ListMessages(channel=CHANNEL))

    assert [one.ts for one in found.messages] == [message["ts"]]
