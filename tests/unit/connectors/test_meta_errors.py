"""Is every documented error of Meta's platforms classed as its contract or documentation says?"""

from __future__ import annotations

import json
from typing import Any

import pytest
import responses

from connectors.instagram.containers import create
from connectors.instagram.direct import RespondDM, respond_dm
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
from connectors.whatsapp.sessions import SendSessionMessage, send_session_message
from connectors.whatsapp.status import MessageRef, get_message_status
from tests.contract.memory_ledger import MemoryLedger
from tests.unit.connectors.calls import IG_USER, call, error_map
from tests.unit.connectors.wire_meta import ACCOUNT, CLOUD, PERSON, WAMID

TO = "+14155550123"
CLASSES: dict[str, type[ConnectorError]] = {
    "invalid_request": InvalidRequest,
    "permission": Permission,
    "not_found": NotFound,
    "policy_rejected": PolicyRejected,
    "recipient_opted_out": RecipientOptedOut,
    "rate_limited": RateLimited,
    "auth_expired": AuthExpired,
}
DOCUMENTED = [*error_map("whatsapp", where="sync"), *error_map("whatsapp", where="both")]


def codes_of(row: dict[str, Any]) -> list[int]:
    first, _, last = str(row["code"]).partition("-")
    return [int(first), int(last or first)]


WHATSAPP = [(code, row["http"], row["class"]) for row in DOCUMENTED for code in dict.fromkeys(codes_of(row))]


def body(code: int, subcode: int | None = None, **more: Any) -> dict[str, Any]:
    error = {"message": f"(#{code}) +14155550123", "type": "OAuthException", "code": code, "fbtrace_id": "T1", **more}
    return {"error": error if subcode is None else {**error, "error_subcode": subcode}}


def send(ledger: MemoryLedger | None = None, **answer: Any) -> ConnectorError:
    with responses.RequestsMock() as mock:
        mock.post(f"{CLOUD}/messages", **answer)
        with pytest.raises(ConnectorError) as caught:
            send_session_message(call("whatsapp", ledger), SendSessionMessage(to=TO, body="Hi"))
    return caught.value


def ask(**answer: Any) -> ConnectorError:
    with responses.RequestsMock() as mock:
        mock.get(f"{CLOUD}/message_history", **answer)
        with pytest.raises(ConnectorError) as caught:
            get_message_status(call("whatsapp"), MessageRef(wamid=WAMID))
    return caught.value


def answer_person(**answer: Any) -> ConnectorError:
    with responses.RequestsMock() as mock:
        mock.post(f"{ACCOUNT}/messages", **answer)
        with pytest.raises(ConnectorError) as caught:
            respond_dm(call("instagram"), RespondDM(to=PERSON, text="Hi"))
    return caught.value


def make_container(**answer: Any) -> ConnectorError:
    with responses.RequestsMock() as mock:
        mock.post(f"{ACCOUNT}/media", **answer)
        with pytest.raises(ConnectorError) as caught:
            create(call("instagram"), {"image_url": "https://cdn.example.com/a.jpg"})
    return caught.value


@pytest.mark.parametrize(("code", "status", "kind"), WHATSAPP)
def test_every_documented_error_of_whatsapp(code: int, status: int, kind: str) -> None:
    found = send(status=status, json=body(code))

    assert type(found) is CLASSES.get(kind, OutcomeUnknown)
    assert (found.code, found.http_status, found.request_id) == (str(code), status, "T1")
    assert type(ask(status=status, json=body(code))) is CLASSES.get(kind, Unavailable)


@pytest.mark.parametrize(
    ("code", "subcode", "kind"),
    [
        (190, 463, AuthExpired),
        (190, 467, AuthExpired),
        (190, 459, PolicyRejected),
        (102, None, AuthExpired),
        (368, None, PolicyRejected),
        (25, 2207050, PolicyRejected),
        (10, None, Permission),
        (10, 2534022, PolicyRejected),
        (200, None, Permission),
        (551, None, RecipientOptedOut),
        (100, 2534014, RecipientOptedOut),
        (100, 33, NotFound),
        (24, 2207006, NotFound),
        (24, 2207008, NotFound),
        (-2, 2207020, NotFound),
        (9007, 2207027, Unavailable),
        (-2, 2207003, Unavailable),
        (9004, 2207052, Unavailable),
        (9, 2207042, RateLimited),
        (4, None, RateLimited),
        (17, None, RateLimited),
        (32, None, RateLimited),
        (613, None, RateLimited),
        (80002, None, RateLimited),
        (80006, None, RateLimited),
        (4, 2207051, OutcomeUnknown),
        (-1, 2207001, OutcomeUnknown),
        (-1, 2207032, OutcomeUnknown),
        (-1, 2207053, OutcomeUnknown),
        (1, None, OutcomeUnknown),
        (2, None, OutcomeUnknown),
        (36000, 2207004, InvalidRequest),
        (36001, 2207005, InvalidRequest),
        (36003, 2207009, InvalidRequest),
        (352, 2207026, InvalidRequest),
        (110, 2207010, InvalidRequest),
        (100, 2207036, InvalidRequest),
        (100, None, InvalidRequest),
        (2635, None, InvalidRequest),
    ],
)
def test_every_documented_error_of_instagram(code: int, subcode: int | None, kind: type[ConnectorError]) -> None:
    found = answer_person(status=400, json=body(code, subcode))

    assert type(found) is kind
    assert found.code == (str(code) if subcode is None else f"{code}/{subcode}")
    # A container that is made once more does no harm: there, Meta's own failures are no doubt.
    again = Unavailable if kind is OutcomeUnknown else kind
    assert type(make_container(status=400, json=body(code, subcode))) is again


@pytest.mark.parametrize(
    ("status", "answer", "kind"),
    [
        (200, {}, OutcomeUnknown),
        (200, {"messages": []}, OutcomeUnknown),
        (200, {"messages": [{}]}, OutcomeUnknown),
        (200, [], OutcomeUnknown),
        (302, None, InvalidRequest),
        (400, None, InvalidRequest),
        (400, {"error": "oops"}, InvalidRequest),
        (400, body(99_999), InvalidRequest),
        (400, body(99_999, is_transient=True), OutcomeUnknown),
        (401, None, AuthExpired),
        (408, None, OutcomeUnknown),
        (429, None, RateLimited),
        (500, body(99_999), OutcomeUnknown),
        (502, None, OutcomeUnknown),
    ],
)
def test_an_answer_without_a_known_code_is_classed_by_its_status(
    status: int, answer: Any, kind: type[ConnectorError]
) -> None:
    text = "<html>" if answer is None else json.dumps(answer)

    assert type(send(status=status, body=text)) is kind


def test_meta_s_own_words_are_left_out_for_they_may_hold_a_number() -> None:
    found = send(status=400, json=body(131026))

    assert str(found) == "messages: Meta answered code 131026 (undeliverable: not on WhatsApp, blocked, or an old app)"


def test_an_error_names_no_person_of_the_path() -> None:
    assert IG_USER not in str(answer_person(status=500, json=body(1)))


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"X-Business-Use-Case-Usage": '{"1": [{"estimated_time_to_regain_access": 3}, {"type": "x"}]}'}, 180.0),
        ({"X-Business-Use-Case-Usage": '{"1": [{"estimated_time_to_regain_access": 0}]}'}, None),
        ({"X-Business-Use-Case-Usage": '{"1": {"call_count": 100}, "2": [7]}'}, None),
        ({"X-App-Usage": '{"call_count": 100, "total_time": 12}'}, 300.0),
        ({"X-App-Usage": '{"call_count": 99}'}, None),
        ({"X-App-Usage": "soon"}, None),
        ({}, None),
    ],
)
def test_the_time_to_wait_comes_from_the_usage_headers(headers: dict[str, str], wait_s: float | None) -> None:
    found = send(status=429, json=body(130429), headers=headers)

    assert isinstance(found, RateLimited)
    assert found.retry_after_s == wait_s


@pytest.mark.parametrize(("attempt", "wait_s"), [(1, 1.0), (2, 4.0), (4, 64.0), (9, 1024.0)])
def test_the_pair_limit_waits_longer_each_time(attempt: int, wait_s: float) -> None:
    ledger = MemoryLedger()
    ledger.attempt = attempt

    found = send(ledger, status=429, json=body(131056))

    assert isinstance(found, RateLimited)
    assert (found.retry_after_s, found.code, found.request_id) == (wait_s, "131056", "T1")


@pytest.mark.parametrize(("code", "wait_s"), [(131048, 3600.0), (131064, 3600.0)])
def test_a_spam_limit_is_waited_for_an_hour(code: int, wait_s: float) -> None:
    found = send(status=429, json=body(code))

    assert isinstance(found, RateLimited)
    assert found.retry_after_s == wait_s


def test_who_stopped_marketing_is_recorded_as_opted_out() -> None:
    ledger = MemoryLedger()

    send(ledger, status=400, json=body(131050))

    assert ledger.opt_outs["whatsapp", TO].source == "whatsapp 131050"
