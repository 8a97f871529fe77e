"""The sandbox's Twilio is as strict as Twilio, and counts what it is asked to do, every time."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
import requests

from tests.unit.sandbox.process import Box, running

_numbers = count(14155550100)


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


@pytest.fixture
def number() -> str:
    return f"+{next(_numbers)}"


def refused(answer: requests.Response) -> tuple[int, int]:
    body = answer.json()
    assert set(body) == {"code", "message", "more_info", "status"}
    assert body["status"] == answer.status_code
    return answer.status_code, body["code"]


def test_a_sent_message_is_answered_as_twilio_answers_and_counted_once(box: Box, number: str) -> None:
    before = box.last_effect()
    key = uuid.uuid4().hex
    answer = box.send_sms(number, "Sale is live", StatusCallback=f"https://hooks.example.com/t?effect={key}")
    message = answer.json()
    assert answer.status_code == 201
    assert message["status"] == "queued"
    assert message["date_sent"] is None
    assert message["date_created"].endswith("+0000")
    [effect] = box.effects("sms", since_id=before)
    assert effect["action"] == "sendSMS"
    assert effect["provider_id"] == message["sid"]
    assert (effect["key"], effect["recipient"], effect["text"]) == (key, number, "Sale is live")


def test_the_same_request_twice_is_two_effects(box: Box, number: str) -> None:
    before = box.last_effect()
    callback = "https://hooks.example.com/t?effect=same"
    sids = {box.send_sms(number, "twice", StatusCallback=callback).json()["sid"] for _ in range(2)}
    assert len(sids) == 2
    assert [effect["key"] for effect in box.effects("sms", since_id=before)] == ["same", "same"]


SERVICE = "MG" + "0" * 32
TOO_LONG = "x" * 1601


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"To": None}, 21604),
        ({"To": "14155550123"}, 21211),
        ({"To": "+0123"}, 21211),
        ({"To": "+14155550123456789"}, 21211),
        ({"To": ["+14155550123", "+14155550124"]}, 21211),
        ({"From": None}, 21603),
        ({"From": "+14155559999"}, 21606),
        ({"From": "not a number!"}, 21212),
        ({"From": "+15005550001"}, 21212),
        ({"From": "+15005550007"}, 21606),
        ({"From": "+15005550008"}, 21611),
        ({"From": "whatsapp:+15005550006"}, 21910),
        ({"Body": None}, 21602),
        ({"Body": ""}, 21602),
        ({"Body": TOO_LONG}, 21617),
        ({"MessagingServiceSid": SERVICE, "From": None}, 21705),
        ({"MessagingServiceSid": "MGx", "From": None}, 21705),
        ({"MediaUrl": ["ftp://example.com/a.png"]}, 21620),
        ({"MediaUrl": [f"https://example.com/{n}.png" for n in range(11)]}, 21623),
        ({"StatusCallback": "https://under_score.example.com/x"}, 21609),
        ({"StatusCallback": "not a url"}, 21609),
        ({"ValidityPeriod": "0"}, 90007),
        ({"ValidityPeriod": "36001"}, 90007),
        ({"ContentSid": "HX1"}, 21655),
        ({"ContentSid": "HX" + "0" * 32, "ContentVariables": "[1]"}, 21656),
        ({"Colour": "red"}, 20001),
        ({"SmartEncoded": "maybe"}, 20422),
        ({"ScheduleType": "fixed"}, 35118),
        ({"SendAt": "2030-01-01T00:00:00Z", "ScheduleType": "fixed"}, 35118),
    ],
)
def test_a_message_that_twilio_refuses_is_refused_with_its_code(
    box: Box, number: str, fields: dict[str, Any], code: int
) -> None:
    before = box.last_effect()
    assert refused(box.send_sms(fields.pop("To", number), fields.pop("Body", "hi"), **fields)) == (400, code)
    assert box.last_effect() == before


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("+15005550001", 21211),
        ("+15005550002", 21612),
        ("+15005550003", 21408),
        ("+15005550004", 21610),
        ("+15005550009", 21614),
    ],
)
def test_magic_numbers_are_refused(box: Box, number: str, code: int) -> None:
    assert refused(box.send_sms(number)) == (400, code)


def test_other_content_types_unknown_paths_and_methods_are_refused(box: Box, number: str) -> None:
    assert refused(box.twilio("POST", "Messages.json", json={"To": number})) == (400, 21604)
    assert refused(box.twilio("GET", "Mesages.json")) == (404, 20404)
    assert refused(box.twilio("PUT", "Messages.json")) == (405, 20004)
    assert refused(box.twilio("GET", f"Messages/SM{'0' * 32}.json")) == (404, 20404)
    assert refused(box.twilio("GET", "Messages/SM1.json")) == (404, 20404)
    assert refused(box.twilio("GET", "Messages.json", params={"Status": "sent"})) == (400, 20001)
    for query in (
        {"PageSize": 1001},
        {"PageSize": 0},
        {"PageSize": "many"},
        {"PageToken": "PA-1"},
        {"PageToken": "PA" + "f" * 30},
        {"DateSent>": "yesterday"},
    ):
        assert refused(box.twilio("GET", "Messages.json", params=query)) == (400, 20422), query
    nowhere = box.http.get(f"{box.url}/example.com/x", timeout=10)
    assert (nowhere.status_code, nowhere.json()["error"]) == (404, "no_such_platform")


def test_wrong_credentials_are_refused_before_anything_else(box: Box) -> None:
    sid = box.sms["account"]
    for auth in ((sid, "wrong"), ("AC" + "0" * 32, box.sms["credential"]["auth_token"]), None):
        answer = box.twilio("POST", "Messages.json", auth=auth, data={})
        assert refused(answer) == (401, 20003)
        assert answer.headers["WWW-Authenticate"].startswith("Basic")
    other = f"{box.url}/api.twilio.com/2010-04-01/Accounts/AC{'0' * 32}/Messages.json"
    credential = (sid, box.sms["credential"]["auth_token"])
    assert refused(box.http.get(other, auth=credential, timeout=10)) == (404, 20404)


def test_api_keys_and_bearer_tokens_work_as_the_auth_token_does(box: Box) -> None:
    key = box.sms["api_key"]
    assert box.twilio("GET", "Messages.json", auth=(key["sid"], key["secret"])).ok
    grant = {"grant_type": "client_credentials", "client_id": key["sid"], "client_secret": key["secret"]}
    token = box.http.post(f"{box.url}/oauth.twilio.com/v2/token", data=grant, timeout=10).json()["access_token"]
    url = f"{box.url}/api.twilio.com/2010-04-01/Accounts/{box.sms['account']}.json"
    account = box.http.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert account.json()["status"] == "active"
    grant["client_secret"] = "wrong"
    assert refused(box.http.post(f"{box.url}/oauth.twilio.com/v2/token", data=grant, timeout=10)) == (401, 20003)


def test_a_scheduled_message_is_an_effect_at_once_and_becomes_sent_when_due(box: Box, number: str) -> None:
    before = box.last_effect()
    message = box.schedule_sms(number, 600).json()
    assert message["status"] == "scheduled"
    assert [effect["action"] for effect in box.effects("sms", since_id=before)] == ["scheduleSMS"]
    day = {"To": number, "DateSent>": "2020-01-01"}
    assert box.twilio("GET", "Messages.json", params=day).json()["messages"] == []
    assert [found["sid"] for found in listed(box, number)] == [message["sid"]]
    box.control("POST", "clock", {"advance_s": 700})
    later = box.twilio("GET", f"Messages/{message['sid']}.json").json()
    assert later["status"] == "delivered"
    assert later["from"] == box.sms["settings"]["from_number"]
    assert [found["sid"] for found in box.twilio("GET", "Messages.json", params=day).json()["messages"]] == [
        message["sid"]
    ]
    assert refused(cancel(box, message["sid"])) == (400, 30409)


def test_a_scheduled_message_can_be_cancelled_once(box: Box, number: str) -> None:
    sid = box.schedule_sms(number, 600).json()["sid"]
    assert cancel(box, sid).json()["status"] == "canceled"
    assert refused(cancel(box, sid)) == (400, 30409)
    box.control("POST", "clock", {"advance_s": 700})
    assert box.twilio("GET", f"Messages/{sid}.json").json()["status"] == "canceled"


@pytest.mark.parametrize("ahead_s", [-5, 299, 35 * 86400 + 60])
def test_a_time_outside_twilios_window_is_refused(box: Box, number: str, ahead_s: int) -> None:
    assert refused(box.schedule_sms(number, ahead_s)) == (400, 35114)


def test_schedules_without_a_time_or_not_in_utc_are_refused(box: Box, number: str) -> None:
    assert refused(box.schedule_sms(number, 600, SendAt=None)) == (400, 35111)
    assert refused(box.schedule_sms(number, 600, ScheduleType="weekly")) == (400, 35126)
    for text in ("2030-01-01T12:00:00+02:00", "2030-01-01 12:00", "tomorrow", "2030-01-01T12:00:00.5Z"):
        assert refused(box.schedule_sms(number, 600, SendAt=text)) == (400, 35115)


def test_an_opted_out_recipient_is_refused_until_opted_in(box: Box, number: str) -> None:
    wanted = {"connector": "sms", "address": number}
    box.control("POST", "opt-outs", wanted)
    assert refused(box.send_sms(number)) == (400, 21610)
    box.control("DELETE", "opt-outs", wanted)
    assert box.send_sms(number).status_code == 201


def test_consent_is_stored_item_by_item(box: Box, number: str) -> None:
    sender = box.sms["settings"]["from_number"]
    good = (
        f'{{"contact_id":"{number}","correlation_id":"{uuid.uuid4().hex}","sender_id":"{sender}",'
        '"status":"opt-out","source":"website"}'
    )
    url = f"{box.url}/accounts.twilio.com/v1/Consents/Bulk"
    credential = box.sms["credential"]
    auth = (credential["account_sid"], credential["auth_token"])
    answer = box.http.post(url, auth=auth, data={"Items": [good, '{"contact_id":"x"}', "no json"]}, timeout=10)
    assert answer.status_code == 201
    assert [item["error_code"] for item in answer.json()["items"]] == [0, 30646, 30646]
    assert refused(box.send_sms(number)) == (400, 21610)
    service = box.sms["settings"]["messaging_service_sid"]
    assert box.send_sms(number, MessagingServiceSid=service).status_code == 201


def test_the_list_comes_newest_first_in_pages_that_follow_each_other(box: Box, number: str) -> None:
    sids = [box.send_sms(number, f"part {n}").json()["sid"] for n in range(5)]
    page = box.twilio("GET", "Messages.json", params={"To": number, "PageSize": 2}).json()
    found = [message["sid"] for message in page["messages"]]
    newer = box.send_sms(number, "in between").json()["sid"]
    while page["next_page_uri"]:
        credential = box.sms["credential"]
        auth = (credential["account_sid"], credential["auth_token"])
        page = box.http.get(f"{box.url}/api.twilio.com{page['next_page_uri']}", auth=auth, timeout=10).json()
        found += [message["sid"] for message in page["messages"]]
    assert found == sids[::-1]
    assert listed(box, number)[0]["sid"] == newer


def test_a_service_sends_plain_signs_for_typographic_ones_and_a_number_does_not(box: Box, number: str) -> None:
    before, text = box.last_effect(), "„Sale“ – ½ off…"  # noqa: RUF001
    service = box.sms["settings"]["messaging_service_sid"]
    sent = [
        box.send_sms(number, text, **more).json()["body"]
        for more in ({"MessagingServiceSid": service}, {}, {"SmartEncoded": "true"})
    ]
    plain = '"Sale" - 1/2 off...'
    assert sent == [plain, text, plain]
    assert sorted(message["body"] for message in listed(box, number)) == sorted(sent)
    assert [effect["text"] for effect in box.effects("sms", since_id=before)] == [text] * 3


def test_a_filter_by_date_hides_what_was_not_sent(box: Box, number: str) -> None:
    sent, kept = box.send_sms(number).json()["sid"], box.schedule_sms(number, 3600).json()["sid"]
    box.control("POST", "clock", {"advance_s": 5})
    assert [message["sid"] for message in listed(box, number)] == [kept, sent]
    for since, sids in (("2020-01-01", [sent]), ("2020-01-01T08:30:00Z", [sent]), ("9999-12-31", [])):
        found = box.twilio("GET", "Messages.json", params={"To": number, "DateSent>": since}).json()["messages"]
        assert [message["sid"] for message in found] == sids


def test_another_account_is_not_found(box: Box, number: str) -> None:
    credential = box.sms["credential"]
    other = f"{box.url}/api.twilio.com/2010-04-01/Accounts/AC{'0' * 32}"
    auth = (credential["account_sid"], credential["auth_token"])
    body = {"To": number, "From": box.sms["settings"]["from_number"], "Body": "hi"}
    before = box.last_effect()
    assert refused(box.http.post(f"{other}/Messages.json", data=body, auth=auth, timeout=10)) == (404, 20404)
    assert refused(box.http.get(f"{other}.json", auth=auth, timeout=10)) == (404, 20404)
    assert box.last_effect() == before


def test_a_deleted_message_is_gone_and_its_effect_stays(box: Box, number: str) -> None:
    before = box.last_effect()
    sid = box.send_sms(number).json()["sid"]
    assert box.twilio("DELETE", f"Messages/{sid}.json").status_code == 204
    assert refused(box.twilio("GET", f"Messages/{sid}.json")) == (404, 20404)
    actions = [effect["action"] for effect in box.effects("sms", since_id=before)]
    assert actions == ["sendSMS", "deleteMessage"]


def test_the_messaging_service_is_shown_to_its_account(box: Box) -> None:
    service, credential = box.sms["settings"]["messaging_service_sid"], box.sms["credential"]
    auth = (credential["account_sid"], credential["auth_token"])
    url = f"{box.url}/messaging.twilio.com/v1/Services/"
    assert box.http.get(url + service, auth=auth, timeout=10).json()["sid"] == service
    assert refused(box.http.get(url + SERVICE, auth=auth, timeout=10)) == (404, 20404)


def listed(box: Box, number: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = box.twilio("GET", "Messages.json", params={"To": number}).json()["messages"]
    return found


def cancel(box: Box, sid: str) -> requests.Response:
    return box.twilio("POST", f"Messages/{sid}.json", data={"Status": "canceled"})
