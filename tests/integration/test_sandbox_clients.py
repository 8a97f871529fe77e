"""Clients that know nothing of the sandbox work with it, and its answers keep the platforms' contracts."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import resources
from typing import Any
from urllib.parse import parse_qsl

import jsonschema_rs
import pytest
from twilio.base.exceptions import TwilioRestException  # type: ignore[import-untyped]
from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from tests.servers import wait_for
from tests.unit.sandbox.process import Box, running

NUMBER = "+14155550123"


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


class Redirected(TwilioHttpClient):  # type: ignore[misc]
    """Twilio's own client, with every URL moved under the sandbox's."""

    def __init__(self, base: str) -> None:
        super().__init__(timeout=10)
        self.base = base

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        return super().request(method, f"{self.base}/{url.removeprefix('https://')}", *args, **kwargs)


@pytest.fixture
def client(box: Box) -> Iterator[Client]:
    credential = box.sms["credential"]
    transport = Redirected(box.url)
    yield Client(credential["account_sid"], credential["auth_token"], http_client=transport)
    assert transport.session is not None
    transport.session.close()


def test_twilios_own_client_sends_reads_schedules_cancels_lists_and_deletes(box: Box, client: Client) -> None:
    number = "+14155550188"
    settings = box.sms["settings"]
    sent = client.messages.create(
        to=number, from_=settings["from_number"], body="hi", media_url=["https://x.example/a"]
    )
    assert sent.sid is not None
    assert sent.sid.startswith("MM")
    assert client.messages(sent.sid).fetch().body == "hi"
    send_at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    later = client.messages.create(
        to=number,
        messaging_service_sid=settings["messaging_service_sid"],
        body="later",
        schedule_type="fixed",
        send_at=send_at,
    )
    assert later.sid is not None
    assert client.messages(later.sid).update(status="canceled").status == "canceled"
    for part in range(3):
        client.messages.create(to=number, from_=settings["from_number"], body=f"part {part}")
    box.control("POST", "clock", {"advance_s": 5})
    day = datetime.now(UTC) - timedelta(days=1)
    found = client.messages.list(to=number, date_sent_after=day, page_size=2)
    assert [message.body for message in found] == ["part 2", "part 1", "part 0", "hi"]
    assert found[0].date_sent is not None
    assert client.messages(sent.sid).delete() is True
    with pytest.raises(TwilioRestException) as caught:
        client.messages.create(to="+15005550009", from_=settings["from_number"], body="x")
    assert (caught.value.status, caught.value.code) == (400, 21614)


class Receiver(HTTPServer):
    """A status callback endpoint that keeps what it was told, until it was told ``enough`` times."""

    def __init__(self, enough: int) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.told: list[tuple[str, str, dict[str, str]]] = []
        self.enough = enough
        self.done = threading.Event()


class Answer(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.told.append((self.path, self.headers["X-Twilio-Signature"], dict(parse_qsl(body))))
        self.send_response(204)
        self.end_headers()
        if len(self.server.told) == self.server.enough:
            self.server.done.set()

    def log_message(self, *args: Any) -> None:
        """Be quiet."""


def test_status_callbacks_to_this_machine_are_made_and_signed(box: Box) -> None:
    with Receiver(enough=3) as receiver:
        thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        url = f"http://127.0.0.1:{receiver.server_port}/status?effect=k7"
        sid = box.send_sms(NUMBER, StatusCallback=url).json()["sid"]
        cancelled = box.schedule_sms(NUMBER, 400, StatusCallback=url).json()["sid"]
        box.twilio("POST", f"Messages/{cancelled}.json", data={"Status": "canceled"})
        box.control("POST", "clock", {"advance_s": 600})
        assert receiver.done.wait(10)
        receiver.shutdown()
        thread.join()
    assert {form["MessageSid"] for _, _, form in receiver.told} == {sid}
    assert {form["MessageStatus"] for _, _, form in receiver.told} == {"sending", "sent", "delivered"}
    validator = RequestValidator(box.sms["credential"]["auth_token"])
    assert all(validator.validate(url, form, signature) for _, signature, form in receiver.told)


@pytest.mark.parametrize(
    ("fault", "times", "first", "last"),
    [("duplicate_webhooks", 2, "sending", "delivered"), ("reordered_webhooks", 1, "delivered", "sending")],
)
def test_callbacks_come_twice_or_out_of_order_on_demand(
    box: Box, fault: str, times: int, first: str, last: str
) -> None:
    box.fault(fault, connector="sms", operation="sendSMS", times=1)
    with Receiver(enough=3 * times) as receiver:
        thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        url = f"http://127.0.0.1:{receiver.server_port}/status"
        sid = box.send_sms(NUMBER, StatusCallback=url).json()["sid"]
        for _ in range(8):
            box.control("POST", "clock", {"advance_s": 0.6})
            delivered(box, sid)
        assert receiver.done.wait(10)
        receiver.shutdown()
        thread.join()
    told = [form["MessageStatus"] for _, _, form in receiver.told]
    assert sorted(told) == sorted(["sending", "sent", "delivered"] * times)
    assert told.index(first) < told.index(last)


def delivered(box: Box, sid: str) -> None:
    """Wait until what is due by now has been told; several due at once may overtake each other."""

    def due() -> list[Any]:
        now, known = box.now(), box.control("GET", "callbacks")["callbacks"]
        return [one for one in known if (one["provider_id"], one["state"]) == (sid, "planned") and one["due_at"] <= now]

    wait_for(lambda: not due(), "the callbacks that are due")


def test_a_status_callback_elsewhere_is_recorded_and_never_made(box: Box) -> None:
    sid = box.send_sms(NUMBER, StatusCallback="https://hooks.example.com/x").json()["sid"]
    found = [one for one in box.control("GET", "callbacks")["callbacks"] if one["provider_id"] == sid]
    assert [(one["url"], one["state"]) for one in found] == [("https://hooks.example.com/x", "not_delivered")]


def answers_fit(slug: str, component: str, answer: Any) -> None:
    spec = json.loads(resources.files("connectors.specs").joinpath(f"{slug}.json").read_text())
    schema = {"$ref": f"#/components/schemas/{component}", "components": spec["components"]}
    jsonschema_rs.validate(schema, answer)


def test_twilios_answers_keep_its_contract(box: Box) -> None:
    answers_fit("sms", "Message", box.send_sms(NUMBER).json())
    answers_fit("sms", "Message", box.schedule_sms(NUMBER, 900).json())
    answers_fit("sms", "MessagePage", box.twilio("GET", "Messages.json", params={"PageSize": 1}).json())
    answers_fit("sms", "TwilioError", box.send_sms("nobody").json())


def test_slacks_answers_keep_its_contract(box: Box) -> None:
    channel = box.slack["channels"]["launch"]
    posted = box.slack_post("chat.postMessage", channel=channel, text="hi")
    answers_fit("slack", "Posted", posted)
    answers_fit("slack", "Updated", box.slack_post("chat.update", channel=channel, ts=posted["ts"], text="ho"))
    scheduled = box.slack_post("chat.scheduleMessage", channel=channel, text="hi", post_at=int(box.now()) + 500)
    answers_fit("slack", "Scheduled", scheduled)
    answers_fit("slack", "ScheduledList", box.slack_get("chat.scheduledMessages.list"))
    answers_fit("slack", "ChannelList", box.slack_get("conversations.list", types="public_channel,private_channel"))
    answers_fit("slack", "ChannelOne", box.slack_post("conversations.open", users="U0ALICE0001,U0BRUNO0001"))
    answers_fit("slack", "History", box.slack_get("conversations.history", channel=channel))
    answers_fit("slack", "AuthTest", box.slack_post("auth.test"))
    answers_fit("slack", "Error", box.slack_post("chat.delete", channel=channel, ts="1000000000.000001"))
    ticket = box.slack_call("files.getUploadURLExternal", data={"filename": "a.txt", "length": 1}).json()
    answers_fit("slack", "UploadUrl", ticket)
    answers_fit("slack", "FileOne", box.slack_get("files.info", file=ticket["file_id"]))


def test_discords_answers_keep_its_contract(box: Box) -> None:
    posted = box.bot("POST", "channels/{launch}/messages", json={"content": "hi", "nonce": "n"}).json()
    answers_fit("discord", "Message", posted)
    answers_fit("discord", "Message", box.bot("GET", "channels/{launch}/messages").json()[0])
    answers_fit("discord", "Message", box.hook("POST", params={"wait": "true"}, json={"content": "hi"}).json())
    answers_fit("discord", "Search", box.bot("GET", "guilds/{guild}/messages/search").json())
    answers_fit("discord", "Channel", box.bot("GET", "guilds/{guild}/channels").json()[0])
    answers_fit("discord", "Channel", box.bot("POST", "users/@me/channels", json={"recipient_id": "811"}).json())
    answers_fit("discord", "Me", box.bot("GET", "users/@me").json())
    answers_fit("discord", "Error", box.bot("GET", "channels/1/messages").json())
    start = {"scheduled_start_time": "2100-12-01T18:00:00Z", "entity_type": 2, "channel_id": "1100000000000000008"}
    made = box.bot("POST", "guilds/{guild}/scheduled-events", json={"name": "AMA", "privacy_level": 2, **start}).json()
    answers_fit("discord", "Event", made)
    box.fault("rate_limit", connector="discord", operation="checkCredentials", times=1, seconds=3)
    answers_fit("discord", "RateLimited", box.bot("GET", "users/@me").json())


def test_xs_answers_keep_its_contract(box: Box) -> None:
    posted = box.tweet("POST", "tweets", json={"text": "hi https://a.example"})
    answers_fit("x", "CreatePostsResponse", posted.json())
    key = posted.json()["data"]["id"]
    fields = {"tweet.fields": "created_at,entities,attachments,author_id,public_metrics,referenced_tweets"}
    answers_fit("x", "GetPostsByIdResponse", box.tweet("GET", f"tweets/{key}", params=fields).json())
    answers_fit("x", "GetPostsByIdsResponse", box.tweet("GET", "tweets", params={"ids": f"{key},1", **fields}).json())
    answers_fit(
        "x", "GetUsersPostsResponse", box.tweet("GET", f"users/{box.x['account']}/tweets", params=fields).json()
    )
    answers_fit(
        "x", "SearchPostsRecentResponse", box.tweet("GET", "tweets/search/recent", params={"query": "hi"}).json()
    )
    span = {"ids": key, "start_time": "2026-11-01T00:00:00Z", "end_time": "2026-11-02T00:00:00Z"}
    answers_fit("x", "GetPostsAnalyticsResponse", box.tweet("GET", "tweets/analytics", params=span).json())
    answers_fit("x", "GetUsersMeResponse", box.tweet("GET", "users/me").json())
    answers_fit("x", "Failure", box.tweet("GET", "tweets", params={"ids": "x"}).json())
    wanted = {"media_type": "image/png", "total_bytes": 10, "media_category": "tweet_image"}
    begun = box.tweet("POST", "media/upload/initialize", json=wanted).json()
    answers_fit("x", "InitializeMediaUploadResponse", begun)
    query = {"media_id": begun["data"]["id"]}
    answers_fit("x", "GetMediaUploadStatusResponse", box.tweet("GET", "media/upload", params=query).json())
    message = box.tweet("POST", "dm_conversations/with/16/messages", json={"text": "hi"}).json()
    answers_fit("x", "CreateDirectMessagesByParticipantIdResponse", message)
    answers_fit("x", "DeletePostsResponse", box.tweet("DELETE", f"tweets/{key}").json())


def test_counts_are_grouped_by_connector_and_action(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("counted")) as box:
        box.send_sms(NUMBER)
        box.send_sms(NUMBER)
        box.slack_post("chat.postMessage", channel=box.slack["channels"]["launch"], text="hi")
        wanted = {"counts": {"slack": {"sendMessage": 1}, "sms": {"sendSMS": 2}}, "total": 3}
        assert box.control("GET", "effects/count") == wanted
        assert box.control("GET", "effects?connector=sms&since_id=1&limit=1")["last_id"] == 2
        assert box.control("GET", "effects?since_id=x", status=400)["message"].startswith("since_id: ")
