"""The sandbox tells what happens at an account, signed as the platform signs, as often and as early as platforms do."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import pytest
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from tests import signing
from tests.servers import wait_for
from tests.unit.sandbox.process import Box, running

TO = "+4915112345678"


class Receiver(ThreadingHTTPServer):
    """Keeps what it is told; refuses the first ``failing`` posts."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.told: list[tuple[dict[str, str], bytes]] = []
        self.failing = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.told]


class Answer(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.told.append((headers, body))
        self.send_response(503 if len(self.server.told) <= self.server.failing else 200)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Be quiet."""


@pytest.fixture(scope="module")
def running_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


@pytest.fixture
def box(running_box: Box, receiver: Receiver) -> Iterator[Box]:
    slugs = ("sms", "whatsapp", "stripe", "slack", "instagram")
    for slug in slugs:
        running_box.control("POST", "webhooks", {"connector": slug, "url": receiver.url})
    yield running_box
    running_box.no_faults()
    for slug in slugs:
        running_box.control("POST", "webhooks", {"connector": slug, "url": None})


def told(box: Box, receiver: Receiver, number: int, *, advance_s: float = 5) -> list[tuple[dict[str, str], bytes]]:
    box.control("POST", "clock", {"advance_s": advance_s})
    wait_for(lambda: len(receiver.told) >= number, f"{number} posts")
    return receiver.told


def callback_states(box: Box, connector: str) -> list[str]:
    found = box.control("GET", "callbacks")["callbacks"]
    return [one["state"] for one in found if one["connector"] == connector]


def template(box: Box, key: str | None = "k" * 32) -> str:
    token, number = box.whatsapp["credential"]["access_token"], box.whatsapp["settings"]["phone_number_id"]
    body: dict[str, Any] = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": TO.removeprefix("+")}
    body |= {"type": "template", "template": {"name": "welcome", "language": {"code": "en_US"}}}
    answer = box.http.post(
        f"{box.url}/graph.facebook.com/v26.0/{number}/messages",
        json={**body, **({} if key is None else {"biz_opaque_callback_data": key})},
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    )
    assert answer.ok, answer.text
    wamid: str = answer.json()["messages"][0]["id"]
    return wamid


def test_whatsapp_tells_a_messages_way_signed_with_the_apps_secret(box: Box, receiver: Receiver) -> None:
    wamid = template(box)
    for headers, body in told(box, receiver, 2):
        signed = signing.headers("whatsapp", receiver.url, body, secrets=box.whatsapp["credential"])
        assert headers["x-hub-signature-256"] == signed["x-hub-signature-256"]
    statuses = [body["entry"][0]["changes"][0]["value"]["statuses"][0] for body in receiver.bodies()]
    assert sorted((one["id"], one["status"]) for one in statuses) == [(wamid, "delivered"), (wamid, "sent")]
    assert {one["biz_opaque_callback_data"] for one in statuses} == {"k" * 32}


@pytest.mark.parametrize(
    ("fault", "wanted"),
    [
        ("duplicate_webhooks", ["sent", "sent", "delivered", "delivered"]),
        ("reordered_webhooks", ["delivered", "sent"]),
    ],
)
def test_statuses_come_twice_or_out_of_order_on_demand(
    box: Box, receiver: Receiver, fault: str, wanted: list[str]
) -> None:
    box.fault(fault, connector="whatsapp", operation="sendTemplate", times=1)
    template(box)
    box.control("POST", "clock", {"advance_s": 1.2})
    wait_for(lambda: len(receiver.told) >= len(wanted) // 2, "the first")
    told(box, receiver, len(wanted))
    statuses = [body["entry"][0]["changes"][0]["value"]["statuses"][0]["status"] for body in receiver.bodies()]
    assert statuses == wanted


def test_meta_tries_again_until_it_is_thanked_and_twilio_does_not(box: Box, receiver: Receiver) -> None:
    receiver.failing = 3
    template(box)
    told(box, receiver, 3)
    box.control("POST", "clock", {"advance_s": 30})
    wait_for(lambda: len(receiver.told) >= 5, "two that were thanked for")
    receiver.told.clear()
    receiver.failing = 1
    box.control("POST", "inbound", {"connector": "sms", "address": "+14155550123", "text": "Hi"})
    wait_for(lambda: len(receiver.told) == 1, "the only try")
    wait_for(lambda: callback_states(box, "sms")[-1] != "planned", "its end")
    assert (callback_states(box, "sms")[-1], len(receiver.told)) == ("not_delivered", 1)


def test_a_person_who_stops_marketing_or_writes_is_told_of(box: Box, receiver: Receiver) -> None:
    person = {"connector": "whatsapp", "address": TO}
    box.control("POST", "opt-outs", person)
    box.control("DELETE", "opt-outs", person)
    box.control("POST", "inbound", {**person, "text": "STOP"})
    told(box, receiver, 3)
    changes = [body["entry"][0]["changes"][0] for body in receiver.bodies()]
    assert sorted(one["field"] for one in changes) == ["messages", "user_preferences", "user_preferences"]
    wishes = [wish["value"] for one in changes for wish in one["value"].get("user_preferences", ())]
    assert sorted(wishes) == ["resume", "stop"]
    (message,) = [found for one in changes for found in one["value"].get("messages", ())]
    assert (message["from"], message["text"]["body"]) == (TO.removeprefix("+"), "STOP")


def test_twilio_posts_an_inbound_stop_and_blocks_the_number(box: Box, receiver: Receiver) -> None:
    person = {"connector": "sms", "address": "+14155550188"}
    box.control("POST", "inbound", {**person, "text": "Stop"})
    ((headers, body),) = told(box, receiver, 1)
    form = dict(parse_qsl(body.decode()))
    assert (form["From"], form["Body"], form["SmsStatus"]) == ("+14155550188", "Stop", "received")
    validator = RequestValidator(box.sms["credential"]["auth_token"])
    assert validator.validate(receiver.url, form, headers["x-twilio-signature"])
    assert box.send_sms("+14155550188").json()["code"] == 21610
    box.control("POST", "inbound", {**person, "text": "START"})
    assert box.send_sms("+14155550188").status_code == 201


def test_the_messaging_services_own_callback_serves_messages_that_name_none(box: Box, receiver: Receiver) -> None:
    service = box.sms["settings"]["messaging_service_sid"]
    sid = box.send_sms("+14155550123", MessagingServiceSid=service).json()["sid"]
    box.send_sms("+14155550123")  # by number: nobody is told
    forms = [dict(parse_qsl(body.decode())) for _, body in told(box, receiver, 4)]
    assert {form["MessageSid"] for form in forms} == {sid}
    assert {form["MessageStatus"] for form in forms} == {"queued", "sending", "sent", "delivered"}


def test_stripe_and_slack_sign_with_the_time_of_the_post(box: Box, receiver: Receiver) -> None:
    key = box.stripe["credential"]["secret_key"]
    made = box.http.post(
        f"{box.url}/api.stripe.com/v1/customers",
        data={"email": "a@example.com", "metadata[neonhub_effect]": "k"},
        auth=(key, ""),
        timeout=10,
    ).json()
    ((headers, body),) = told(box, receiver, 1, advance_s=86_400)
    at = int(headers["stripe-signature"].partition(",")[0].removeprefix("t="))
    signed = signing.headers("stripe", receiver.url, body, secrets=box.stripe["credential"], at=at)
    assert headers["stripe-signature"] == signed["stripe-signature"]
    assert json.loads(body)["data"]["object"]["id"] == made["id"]
    receiver.told.clear()
    metadata = {"event_type": "neonhub_effect", "event_payload": {"effect_id": "k"}}
    channel = next(iter(box.slack["channels"].values()))
    sent = box.slack_call("chat.postMessage", json={"channel": channel, "text": "Hi", "metadata": metadata}).json()
    assert sent["ok"], sent
    ((headers, body),) = told(box, receiver, 1)
    at = int(headers["x-slack-request-timestamp"])
    signed = signing.headers("slack", receiver.url, body, secrets=box.slack["credential"], at=at)
    assert headers["x-slack-signature"] == signed["x-slack-signature"]
    event = json.loads(body)["event"]
    assert (event["type"], event["message_ts"]) == ("message_metadata_posted", sent["ts"])


def test_instagram_tells_who_wrote(box: Box, receiver: Receiver) -> None:
    box.control("POST", "inbound", {"connector": "instagram", "address": "5550009"})
    ((headers, body),) = told(box, receiver, 1)
    signed = signing.headers("instagram", receiver.url, body, secrets=box.instagram["credential"])
    assert headers["x-hub-signature-256"] == signed["x-hub-signature-256"]
    (message,) = json.loads(body)["entry"][0]["messaging"]
    assert message["sender"] == {"id": "5550009"}


def test_only_this_machine_can_be_told_and_the_secrets_stay(box: Box, receiver: Receiver) -> None:
    wanted = {"connector": "whatsapp", "url": "https://example.com/hook"}
    assert "must be http on this machine" in box.control("POST", "webhooks", wanted, status=400)["message"]
    assert box.control("GET", "webhooks")["webhooks"]["whatsapp"] == receiver.url
    before = box.control("GET", "accounts")
    assert before["whatsapp"]["credential"]["app_secret"]
    assert box.control("GET", "accounts") == before
