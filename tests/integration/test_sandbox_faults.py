"""Each fault is what a real client meets, and the effects tell whether the work was done."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import requests
from urllib3.exceptions import IncompleteRead, ProtocolError

from tests.unit.sandbox.process import Box, running

NUMBER = "+14155550123"


@pytest.fixture(scope="module")
def running_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


@pytest.fixture
def box(running_box: Box) -> Iterator[Box]:
    yield running_box
    running_box.no_faults()
    for connector in ("sms", "slack"):
        running_box.control("POST", "limits", {"connector": connector, "per_second": None})


def done_since(box: Box, before: int) -> int:
    return len(box.effects("sms", since_id=before))


@pytest.mark.parametrize(("kind", "done"), [("reset_before", 0), ("reset_after", 1)])
def test_a_reset_breaks_the_connection(box: Box, kind: str, done: int) -> None:
    before = box.last_effect()
    box.fault(kind, connector="sms", operation="sendSMS", times=1)
    with pytest.raises(requests.ConnectionError) as caught:
        box.send_sms(NUMBER)
    reason = caught.value.args[0]
    assert isinstance(reason, ProtocolError)
    assert isinstance(reason.args[1], ConnectionResetError)
    assert done_since(box, before) == done
    assert box.send_sms(NUMBER).status_code == 201


@pytest.mark.parametrize(("kind", "done"), [("timeout_before", 0), ("timeout_after", 1)])
def test_a_timeout_is_silence(box: Box, kind: str, done: int) -> None:
    before = box.last_effect()
    box.fault(kind, connector="sms", times=1, seconds=30)
    with pytest.raises(requests.ReadTimeout):
        box.twilio("POST", "Messages.json", data={"To": NUMBER, "From": "+15005550006", "Body": "hi"}, timeout=0.3)
    assert done_since(box, before) == done


def test_a_silence_that_ends_ends_with_a_reset(box: Box) -> None:
    box.fault("timeout_before", times=1, seconds=0.2)
    with pytest.raises(requests.ConnectionError):
        box.send_sms(NUMBER)


@pytest.mark.parametrize(
    ("kind", "status", "code", "done"),
    [
        ("error_500_before", 500, 20500, 0),
        ("error_500_after", 500, 20500, 1),
        ("error_503_before", 503, 20503, 0),
        ("error_503_after", 503, 20503, 1),
        ("rate_limit", 429, 20429, 0),
        ("auth_expired", 401, 20003, 0),
    ],
)
def test_errors_have_twilios_own_body(box: Box, kind: str, status: int, code: int, done: int) -> None:
    before = box.last_effect()
    box.fault(kind, connector="sms", times=1)
    answer = box.send_sms(NUMBER)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert done_since(box, before) == done


def test_errors_have_slacks_own_form(box: Box) -> None:
    box.fault("auth_expired", connector="slack", times=1)
    assert box.slack_post("auth.test") == {"ok": False, "error": "token_expired"}
    box.fault("rate_limit", connector="slack", times=1, seconds=7)
    limited = box.slack_call("auth.test")
    assert (limited.status_code, limited.json()["error"], limited.headers["Retry-After"]) == (429, "ratelimited", "7")
    box.fault("error_500_before", connector="slack", times=1)
    broken = box.slack_call("auth.test")
    assert broken.status_code == 500
    assert not broken.headers["Content-Type"].startswith("application/json")


def test_a_truncated_body_breaks_off_after_the_work(box: Box) -> None:
    before = box.last_effect()
    box.fault("truncated_body_after", times=1)
    with pytest.raises(requests.exceptions.ChunkedEncodingError) as caught:
        box.send_sms(NUMBER)
    assert isinstance(caught.value.args[0].args[1], IncompleteRead)
    assert done_since(box, before) == 1


def test_latency_delays_and_changes_nothing_else(box: Box) -> None:
    box.fault("latency", times=1, seconds=0.3)
    began = time.monotonic()
    assert box.send_sms(NUMBER).status_code == 201
    assert time.monotonic() - began >= 0.3


def test_delayed_visibility_hides_from_lists_only(box: Box) -> None:
    box.fault("delayed_visibility", times=2, seconds=60)
    number = "+14155550177"
    sid = box.send_sms(number).json()["sid"]
    channel = box.slack["channels"]["random"]
    ts = box.slack_post("chat.postMessage", channel=channel, text="not yet")["ts"]
    assert box.twilio("GET", "Messages.json", params={"To": number}).json()["messages"] == []
    assert box.slack_get("conversations.history", channel=channel)["messages"] == []
    assert box.twilio("GET", f"Messages/{sid}.json").json()["sid"] == sid
    box.control("POST", "clock", {"advance_s": 61})
    assert len(box.twilio("GET", "Messages.json", params={"To": number}).json()["messages"]) == 1
    assert box.slack_get("conversations.history", channel=channel)["messages"][0]["ts"] == ts


def test_a_fault_skips_the_first_requests_and_stops_after_its_times(box: Box) -> None:
    box.fault("error_503_before", operation="sendSMS", after=2, times=2)
    assert [box.send_sms(NUMBER).status_code for _ in range(6)] == [201, 201, 503, 503, 201, 201]
    [fault] = box.control("GET", "faults")["faults"]
    assert (fault["seen"], fault["fired"]) == (4, 2)


def test_a_seed_makes_the_same_draw_every_time(box: Box) -> None:
    def draw() -> list[int]:
        box.no_faults()
        box.fault("error_503_before", probability=0.5, seed=42)
        return [box.send_sms(NUMBER).status_code for _ in range(20)]

    first = draw()
    assert first == draw()
    assert {201, 503} == set(first)


def test_a_rate_limit_may_leave_out_how_long_to_wait(box: Box) -> None:
    box.fault("rate_limit", seconds=0)
    answers = [box.send_sms(NUMBER), box.slack_call("auth.test")]
    assert [answer.status_code for answer in answers] == [429, 429]
    assert not [answer for answer in answers if "Retry-After" in answer.headers]
    assert (answers[0].json()["code"], answers[1].json()["error"]) == (20429, "ratelimited")


def test_a_rate_limit_lets_a_second_s_worth_through(box: Box) -> None:
    box.control("POST", "limits", {"connector": "slack", "per_second": 2})
    answers = [box.slack_call("auth.test") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert answers[-1].headers["Retry-After"] == "1"
    assert box.send_sms(NUMBER).status_code == 201


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"kind": "earthquake"}, "kind: "),
        ({}, "body: "),
        ({"kind": "latency", "probability": 2}, "probability: "),
        ({"kind": "latency", "connector": "fax"}, "no connector 'fax'; known: "),
        ({"kind": "latency", "connector": "sms", "operation": "sendMessage"}, "no operation 'sendMessage'; known: "),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(box: Box, body: dict[str, object], message: str) -> None:
    answer = box.control("POST", "faults", body, status=400)
    assert answer["message"].startswith(message)
