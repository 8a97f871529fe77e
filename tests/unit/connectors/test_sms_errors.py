"""Is every documented error of Twilio classed as its contract says?"""

from __future__ import annotations

import base64
from typing import Any

import pytest
import responses
from responses import matchers

from connectors.dialects import twilio
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
from connectors.sms.consent import SetConsent, set_consent
from connectors.sms.messages import MessageRef, get_message_status
from connectors.sms.sending import SendSMS, send_sms
from tests.contract.memory_ledger import MemoryLedger
from tests.unit.connectors.calls import ACCOUNT, SERVICE, TOKEN, call, error_map

MESSAGES = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
SID = "SM" + "b" * 32
MESSAGE = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages/{SID}.json"
BASIC = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
CLASSES: dict[str, type[ConnectorError]] = {
    "invalid_request": InvalidRequest,
    "permission": Permission,
    "not_found": NotFound,
    "policy_rejected": PolicyRejected,
    "recipient_opted_out": RecipientOptedOut,
    "rate_limited": RateLimited,
    "auth_expired": AuthExpired,
}
SYNC = error_map("sms", where="sync")


def body_of(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "code": row["code"] or row["http"] * 100,
        "message": "Twilio says something about +14155550123 here",
        "more_info": "https://www.twilio.com/docs/errors",
        "status": row["http"],
    }


def name_of(row: dict[str, Any]) -> str:
    return f"{row['http']}-{row['code']}"


def answer_to_create(mock: responses.RequestsMock, *, status: int, **answer: Any) -> None:
    form = {"To": "+14155550123", "Body": "Hi", "MessagingServiceSid": SERVICE}
    match = [
        matchers.urlencoded_params_matcher(form),
        matchers.header_matcher(
            {"Authorization": BASIC, "Content-Type": "application/x-www-form-urlencoded"}, strict_match=False
        ),
        matchers.query_param_matcher({}, strict_match=True),
    ]
    mock.post(MESSAGES, status=status, match=match, **answer)


def send() -> None:
    send_sms(call("sms"), SendSMS(to="+14155550123", body="Hi"))


@pytest.mark.parametrize("row", SYNC, ids=name_of)
def test_every_documented_error_of_a_create(row: dict[str, Any]) -> None:
    kind = CLASSES.get(row["class"], OutcomeUnknown)
    with responses.RequestsMock() as mock:
        answer_to_create(mock, status=row["http"], json=body_of(row), headers={"Twilio-Request-Id": "RQ1"})
        with pytest.raises(ConnectorError) as caught:
            send()

    assert type(caught.value) is kind
    assert (caught.value.http_status, caught.value.request_id) == (row["http"], "RQ1")
    assert caught.value.code == str(body_of(row)["code"])
    assert "14155550123" not in str(caught.value)


@pytest.mark.parametrize("row", SYNC, ids=name_of)
def test_every_documented_error_of_a_read(row: dict[str, Any]) -> None:
    kind = CLASSES.get(row["class"], Unavailable)
    with responses.RequestsMock() as mock:
        headers = matchers.header_matcher({"Authorization": BASIC})
        mock.get(MESSAGE, status=row["http"], json=body_of(row), match=[headers])
        with pytest.raises(ConnectorError) as caught:
            get_message_status(call("sms"), MessageRef(sid=SID))

    assert type(caught.value) is kind


@pytest.mark.parametrize("row", error_map("sms", where="status"), ids=name_of)
def test_every_documented_error_of_a_status_is_named(row: dict[str, Any]) -> None:
    kind = CLASSES.get(row["class"], Unavailable)
    with responses.RequestsMock() as mock:
        mock.get(MESSAGE, json={"sid": SID, "status": "undelivered", "error_code": row["code"]})
        status = get_message_status(call("sms"), MessageRef(sid=SID))

    assert (status.error_code, status.error_class, status.final) == (row["code"], kind.__name__, True)


def test_an_unknown_code_of_a_status_has_no_class() -> None:
    assert twilio.reported_class(39_999) is None
    assert twilio.reported_class(None) is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, InvalidRequest), (403, Permission), (404, NotFound), (429, RateLimited), (500, OutcomeUnknown)],
)
def test_an_unknown_code_is_classed_by_its_status(status: int, kind: type[ConnectorError]) -> None:
    with responses.RequestsMock() as mock:
        answer_to_create(mock, status=status, json={"code": 99_999, "message": "new", "status": status})
        with pytest.raises(kind):
            send()


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateways_page_leaves_the_outcome_unknown(status: int) -> None:
    with responses.RequestsMock() as mock:
        answer_to_create(mock, status=status, body="<html>Bad gateway</html>")
        with pytest.raises(OutcomeUnknown):
            send()


@pytest.mark.parametrize("text", ["", "<html>", '{"status": "queued"}', '{"sid": null, "status": "queued"}', "[]"])
def test_an_unreadable_success_leaves_the_outcome_unknown(text: str) -> None:
    with responses.RequestsMock() as mock:
        answer_to_create(mock, status=201, body=text, content_type="application/json")
        with pytest.raises(OutcomeUnknown):
            send()


@pytest.mark.parametrize(
    ("items", "kind"),
    [
        ([{"error_code": 30646, "error_messages": ["bad"]}], InvalidRequest),
        ([{"error_code": "30646"}], InvalidRequest),
        ([], OutcomeUnknown),
        (None, OutcomeUnknown),
        ([{}], OutcomeUnknown),
    ],
)
def test_a_consent_counts_as_stored_only_if_twilio_says_so_of_it(items: object, kind: type[ConnectorError]) -> None:
    ledger, data = MemoryLedger(), SetConsent(to="+14155550123", opted_out=False, source="website")
    with responses.RequestsMock() as mock:
        mock.post("https://accounts.twilio.com/v1/Consents/Bulk", status=201, json={"items": items})
        with pytest.raises(kind):
            set_consent(call("sms", ledger), data)

    assert ledger.opt_ins == set()


def test_a_problem_document_is_classed_by_its_code() -> None:
    problem = {"type": "https://x", "title": "Opted out", "status": 400, "code": 21610, "detail": "+14155550123"}
    with responses.RequestsMock() as mock:
        answer_to_create(mock, status=400, json=problem, content_type="application/problem+json")
        with pytest.raises(RecipientOptedOut):
            send()


@pytest.mark.parametrize(("headers", "wait_s"), [({"Retry-After": "12"}, 12.0), ({}, None)])
def test_the_time_to_wait_survives_the_sdk(headers: dict[str, str], wait_s: float | None) -> None:
    with responses.RequestsMock() as mock:
        answer_to_create(mock, status=429, json={"code": 20429, "message": "", "status": 429}, headers=headers)
        with pytest.raises(RateLimited) as caught:
            send()

    assert caught.value.retry_after_s == wait_s


def test_a_full_queue_is_given_time_to_drain() -> None:
    with responses.RequestsMock() as mock:
        answer_to_create(mock, status=400, json={"code": 21611, "message": "", "status": 400})
        with pytest.raises(RateLimited) as caught:
            send()

    assert caught.value.retry_after_s == 600


def test_the_environment_does_not_choose_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    made = {"sid": SID, "status": "accepted", "direction": "outbound-api", "messaging_service_sid": SERVICE}
    with responses.RequestsMock() as mock:
        answer_to_create(mock, status=201, json=made)
        sent = send_sms(call("sms"), SendSMS(to="+14155550123", body="Hi"))

    assert sent.sid == SID
