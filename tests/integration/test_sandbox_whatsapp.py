"""The sandbox's WhatsApp is as strict as the Cloud API, and counts what it is asked to do, every time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.unit.sandbox.process import Box, running

TO, ABROAD = "14155550123", "4915112345678"
A_DAY_S = 86_400
SALE = {
    "name": "spring_sale",
    "language": {"code": "en_US"},
    "components": [
        {"type": "header", "parameters": [{"type": "image", "image": {"link": "https://cdn.example.com/a.jpg"}}]},
        {"type": "body", "parameters": [{"type": "text", "text": "Ana"}, {"type": "text", "text": "20 %"}]},
    ],
}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


def message(**fields: Any) -> dict[str, Any]:
    wanted = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": TO, **fields}
    return {name: value for name, value in wanted.items() if value is not None}


def words(*values: str, **named: str) -> list[dict[str, Any]]:
    blanks: list[dict[str, Any]] = [{"type": "text", "text": value} for value in values]
    return blanks + [{"type": "text", "text": value, "parameter_name": name} for name, value in named.items()]


def template(
    name: str = "order_shipped", language: str = "en_US", *, body: Any = None, button: Any = None
) -> dict[str, Any]:
    components = [] if body is None else [{"type": "body", "parameters": body}]
    if button is not None:
        components.append({"type": "button", "sub_type": "url", "index": "0", "parameters": button})
    return {"name": name, "language": {"code": language}, "components": components}


SHIPPED = template(body=words("Ana", "1042"), button=words("1042"))


def send(box: Box, **fields: Any) -> requests.Response:
    return box.cloud("POST", "{number}/messages", json=message(**fields))


def send_template(box: Box, wanted: dict[str, Any], **fields: Any) -> requests.Response:
    return send(box, type="template", template=wanted, **fields)


def refused(answer: requests.Response) -> tuple[int, int | None]:
    """The code and subcode of an error, whose body is Meta's own."""
    error = answer.json()["error"]
    assert set(error) >= {"message", "type", "code", "fbtrace_id"}
    assert answer.status_code >= 400
    return error["code"], error.get("error_subcode")


def test_a_template_is_an_effect_with_its_text_and_the_callback_data_as_key(box: Box) -> None:
    before = box.last_effect()
    answer = send_template(box, SHIPPED, biz_opaque_callback_data="k1").json()
    assert answer["contacts"] == [{"input": TO, "wa_id": TO}]
    [effect] = box.effects("whatsapp", since_id=before)
    assert answer["messages"] == [{"id": effect["provider_id"], "message_status": "accepted"}]
    assert (effect["action"], effect["key"], effect["recipient"]) == ("sendTemplate", "k1", f"+{TO}")
    assert effect["text"] == "Hello Ana, your order 1042 is on its way."


def test_the_same_message_twice_is_two_messages_and_two_effects(box: Box) -> None:
    before = box.last_effect()
    for _ in range(2):
        assert send_template(box, SHIPPED, biz_opaque_callback_data="twice").ok
    effects = box.effects("whatsapp", since_id=before)
    assert [effect["key"] for effect in effects] == ["twice", "twice"]
    assert len({effect["provider_id"] for effect in effects}) == 2


def test_named_blanks_are_filled_by_name_in_the_language_asked_for(box: Box) -> None:
    before = box.last_effect()
    wanted = template("appointment", "de", body=words(name="Ana", day="Montag"))
    assert send_template(box, wanted).ok
    assert box.effects("whatsapp", since_id=before)[0]["text"] == "Bis Montag, Ana."


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (template("no_such"), 132001),
        (template("order_shipped", "de", body=words("Ana", "1042")), 132001),
        (template("winter_sale"), 132015),
        (template("old_sale"), 132016),
        (template(body=words("Ana"), button=words("1042")), 132000),
        (template(body=words("Ana", "1042", "x"), button=words("1042")), 132000),
        (template(body=words("Ana", "1042")), 131008),
        (template(body=words("Ana", "1042"), button=[]), 132000),
        (template("welcome", button=words("1042")), 132000),
        (template("appointment", body=words("Ana", "Monday")), 132012),
        (template("appointment", body=words(name="Ana", hour="9")), 132012),
        (template("appointment", body=words(name="Ana")), 132000),
        (template(body=words("Ana", a="b"), button=words("1042")), 132012),
        (template(body=[{"type": "text"}, *words("1042")], button=words("1042")), 132012),
        (template(body=words("Ana", "x" * 1024), button=words("1042")), 132005),
        (template("spring_sale", body=words("Ana", "20 %")), 132012),
        (template("Spring Sale"), 100),
        ({"name": "welcome"}, 100),
    ],
)
def test_a_template_that_is_not_filled_as_it_was_approved_is_refused(
    box: Box, wanted: dict[str, Any], code: int
) -> None:
    before = box.last_effect()
    assert refused(send_template(box, wanted))[0] == code
    assert box.last_effect() == before


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"to": "tomorrow"}, 131009),
        ({"to": "123"}, 131009),
        ({"to": "15005550010"}, 131021),
        ({"to": None}, 100),
        ({"to": None, "recipient": "US.13491208655302741918"}, 131009),
        ({"recipient_type": "group"}, 131009),
        ({"messaging_product": "sms"}, 100),
        ({"type": "telegram"}, 100),
        ({"colour": "red"}, 100),
        ({"biz_opaque_callback_data": "x" * 513}, 100),
    ],
)
def test_a_message_that_the_cloud_api_refuses_is_refused_with_its_code(
    box: Box, fields: dict[str, Any], code: int
) -> None:
    before = box.last_effect()
    assert refused(send(box, **{"type": "template", "template": SHIPPED, **fields}))[0] == code
    assert box.last_effect() == before


def test_free_text_is_taken_within_a_day_of_the_persons_last_message_only(box: Box) -> None:
    person = "14155550177"
    text = {"to": person, "type": "text", "text": {"body": "At nine."}}
    assert refused(send(box, **text))[0] == 131047
    box.control("POST", "inbound", {"connector": "whatsapp", "address": f"+{person}"})
    before = box.last_effect()
    assert send(box, **text, biz_opaque_callback_data="k2").ok
    [effect] = box.effects("whatsapp", since_id=before)
    assert (effect["action"], effect["key"], effect["text"]) == ("sendSessionMessage", "k2", "At nine.")
    picture = {"to": person, "type": "image", "image": {"link": "https://cdn.example.com/a.jpg", "caption": "See"}}
    assert send(box, **picture).ok
    box.control("POST", "clock", {"advance_s": A_DAY_S})
    assert refused(send(box, **text))[0] == 131047
    assert send_template(box, SHIPPED, to=person).ok


def test_marketing_reaches_neither_those_who_stopped_it_nor_the_united_states(box: Box) -> None:
    assert send_template(box, SALE, to=ABROAD).ok
    box.control("POST", "opt-outs", {"connector": "whatsapp", "address": f"+{ABROAD}"})
    assert refused(send_template(box, SALE, to=ABROAD))[0] == 131050
    assert send_template(box, SHIPPED, to=ABROAD).ok
    box.control("DELETE", "opt-outs", {"connector": "whatsapp", "address": f"+{ABROAD}"})
    assert send_template(box, SALE, to=ABROAD).ok
    assert refused(send_template(box, SALE, to=TO))[0] == 131049


def test_marketing_messages_takes_marketing_templates_only(box: Box) -> None:
    body = message(type="template", template=SALE, to=ABROAD, product_policy="CLOUD_API_FALLBACK")
    assert box.cloud("POST", "{number}/marketing_messages", json=body).ok
    body["template"] = SHIPPED
    assert refused(box.cloud("POST", "{number}/marketing_messages", json=body))[0] == 131009


def test_more_than_a_burst_to_one_person_hits_the_pair_limit(box: Box) -> None:
    person = "14155550188"
    codes = [send_template(box, template("welcome"), to=person).status_code for _ in range(45)]
    assert set(codes) == {200}
    assert refused(send_template(box, template("welcome"), to=person))[0] == 131056
    assert send_template(box, template("welcome"), to="14155550189").ok
    box.control("POST", "clock", {"advance_s": 7})
    assert send_template(box, template("welcome"), to=person).ok


def test_the_history_tells_how_far_a_message_got_and_neither_recipient_nor_key(box: Box) -> None:
    wamid = send_template(box, SHIPPED, biz_opaque_callback_data="secret-key").json()["messages"][0]["id"]
    box.control("POST", "clock", {"advance_s": 3})
    query = {"message_id": wamid, "fields": "id,message_id,events{delivery_status,timestamp}"}
    found = box.cloud("GET", "{number}/message_history", params=query).json()
    [entry] = found["data"]
    assert entry["message_id"] == wamid
    assert [one["delivery_status"] for one in entry["events"]["data"]] == ["SENT", "DELIVERED"]
    assert "secret-key" not in json.dumps(found)
    delivered = box.cloud("GET", f"{entry['id']}/events", params={"status_filter": "DELIVERED"}).json()["data"]
    assert [one["node"]["delivery_status"] for one in delivered] == ["DELIVERED"]
    assert box.cloud("GET", "{number}/message_history", params={"message_id": "wamid.x"}).json()["data"] == []


def test_the_history_comes_in_pages_and_may_lag(box: Box) -> None:
    wamids = [send_template(box, SHIPPED).json()["messages"][0]["id"] for _ in range(3)]
    first = box.cloud("GET", "{number}/message_history", params={"limit": 2}).json()
    after = first["paging"]["cursors"]["after"]
    second = box.cloud("GET", "{number}/message_history", params={"limit": 1, "after": after}).json()
    assert [one["message_id"] for one in first["data"] + second["data"]] == wamids[::-1]
    assert refused(box.cloud("GET", "{number}/message_history", params={"after": "x"}))[0] == 100
    box.fault("delayed_visibility", connector="whatsapp", operation="sendTemplate", times=1, seconds=10)
    hidden = send_template(box, SHIPPED).json()["messages"][0]["id"]
    asked = {"message_id": hidden}
    assert box.cloud("GET", "{number}/message_history", params=asked).json()["data"] == []
    box.control("POST", "clock", {"advance_s": 11})
    assert len(box.cloud("GET", "{number}/message_history", params=asked).json()["data"]) == 1


def test_what_is_not_the_accounts_own_does_not_exist(box: Box) -> None:
    body = message(type="template", template=SHIPPED)
    for method, path, content in (
        ("POST", "420000000/messages", {"json": body}),
        ("GET", "420000000/message_history", {}),
        ("GET", "420000000/events", {}),
        ("GET", "420000000", {}),
        ("GET", "420000000/message_templates", {}),
        ("POST", "420000000/subscribed_apps", {}),
    ):
        assert refused(box.cloud(method, path, **content)) == (100, 33), path


def test_bad_requests_are_refused_in_metas_words(box: Box) -> None:
    assert refused(box.cloud("POST", "{number}/messages", json={}, token="wrong")) == (190, 467)
    assert (
        refused(box.cloud("POST", "{number}/messages", data="{", headers={"Content-Type": "application/json"}))[0]
        == 100
    )
    assert refused(box.cloud("POST", "{number}/messages", data={"to": TO}))[0] == 100
    assert refused(box.cloud("GET", "{number}/message_history", params={"limit": 101}))[0] == 100
    assert refused(box.cloud("PUT", "{number}/messages"))[0] == 2500
    assert refused(box.cloud("GET", "no-digits")) == (100, 33)


@pytest.mark.parametrize(
    ("kind", "status", "code", "done"),
    [
        ("error_500_before", 500, 1, 0),
        ("error_500_after", 500, 1, 1),
        ("error_503_before", 503, 2, 0),
        ("rate_limit", 429, 130429, 0),
        ("auth_expired", 401, 190, 0),
    ],
)
def test_errors_have_metas_own_body(box: Box, kind: str, status: int, code: int, done: int) -> None:
    before = box.last_effect()
    box.fault(kind, connector="whatsapp", operation="sendTemplate", times=1)
    answer = send_template(box, SHIPPED)
    assert (answer.status_code, refused(answer)[0]) == (status, code)
    assert len(box.effects("whatsapp", since_id=before)) == done


def test_the_time_to_wait_is_in_the_usage_header_in_minutes(box: Box) -> None:
    box.fault("rate_limit", connector="whatsapp", times=1, seconds=61)
    answer = send_template(box, SHIPPED)
    assert "Retry-After" not in answer.headers
    [uses] = json.loads(answer.headers["X-Business-Use-Case-Usage"]).values()
    assert [use["estimated_time_to_regain_access"] for use in uses] == [2]


def test_a_platform_that_hears_nobody_says_so(box: Box) -> None:
    answer = box.control("POST", "inbound", {"connector": "slack", "address": "U1"}, status=400)
    assert answer["message"] == "connector slack hears nobody"
