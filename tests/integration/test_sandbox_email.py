"""The sandbox's Gmail is as strict as Gmail, forgets a draft once it is sent, and counts every mail."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator
from importlib import resources
from typing import Any

import jsonschema_rs
import pytest
import requests

from tests.unit.sandbox.process import Box, running

UPLOAD = "upload/gmail/v1/users/me"
ME = "news@acme.example"


@pytest.fixture(scope="module")
def running_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with running(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


@pytest.fixture
def box(running_box: Box) -> Iterator[Box]:
    yield running_box
    running_box.no_faults()


def fits(component: str, answer: requests.Response) -> dict[str, Any]:
    spec = json.loads(resources.files("connectors.specs").joinpath("email.json").read_text())
    schema = {"$ref": f"#/components/schemas/{component}", "components": spec["components"]}
    found: dict[str, Any] = answer.json()
    jsonschema_rs.validate(schema, found)
    return found


def reason(answer: requests.Response) -> tuple[int, str]:
    error = fits("GoogleError", answer)["error"]
    assert error["code"] == answer.status_code
    return answer.status_code, error["errors"][0]["reason"]


def mime(to: str = "ada@example.org", *lines: str, text: str = "Hello") -> bytes:
    head = [f"From: {ME}", *([f"To: {to}"] if to else []), "Subject: Sale", *lines]
    return ("\r\n".join(head) + f"\r\n\r\n{text}\r\n").encode()


def raw(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def send(box: Box, content: bytes, **more: Any) -> requests.Response:
    return box.gmail("POST", "messages/send", {"raw": raw(content), **more})


def shown(box: Box, message_id: str) -> dict[str, str]:
    message = fits("Message", box.gmail("GET", f"messages/{message_id}"))
    return {one["name"]: one["value"] for one in message["payload"]["headers"]}


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({"raw": "a+b/"}, (400, "invalidArgument")),
        ({"raw": ""}, (400, "invalidArgument")),
        ({}, (400, "required")),
        ({"raw": raw(mime()), "to": "ada@example.org"}, (400, "invalidArgument")),
        ({"raw": raw(mime(""))}, (400, "invalidArgument")),
        ({"raw": raw(mime("ada at home"))}, (400, "invalidArgument")),
        ({"raw": raw(mime(", ".join(f"p{number}@x.org" for number in range(101))))}, (400, "invalidArgument")),
        ({"raw": raw(mime()), "threadId": "19ffffffffffffff"}, (404, "notFound")),
    ],
)
def test_what_gmail_does_not_send_is_refused(box: Box, body: dict[str, Any], wanted: tuple[int, str]) -> None:
    before = box.last_effect()

    assert reason(box.gmail("POST", "messages/send", body)) == wanted
    assert box.effects(since_id=before) == []


def test_a_repeat_is_a_second_mail(box: Box) -> None:
    before = box.last_effect()
    ids = {fits("Message", send(box, mime()))["id"] for _ in range(2)}

    effects = box.effects(since_id=before)
    assert {one["provider_id"] for one in effects} == ids
    assert [(one["action"], one["recipient"], one["text"]) for one in effects] == [
        ("sendEmail", "ada@example.org", "Hello")
    ] * 2


def test_gmail_gives_a_message_id_of_its_own_and_keeps_other_headers(box: Box) -> None:
    content = mime("ada@example.org", "Message-ID: <mine@acme.example>", "X-Neonhub-Op: k1")
    headers = shown(box, send(box, content).json()["id"])

    assert headers["Message-ID"].endswith("@mail.gmail.com>")
    assert (headers["X-Neonhub-Op"], "Date" in headers) == ("k1", True)


@pytest.mark.parametrize(
    ("given", "shown_as"),
    [("offers@acme.example", "offers@acme.example"), ("new@acme.example", ME), ("boss@other.example", ME)],
)
def test_a_sender_that_is_no_accepted_alias_is_replaced(box: Box, given: str, shown_as: str) -> None:
    content = mime().replace(f"From: {ME}".encode(), f"From: Acme <{given}>".encode())

    assert shown_as in shown(box, send(box, content).json()["id"])["From"]


def test_a_draft_is_sent_once_and_is_gone(box: Box) -> None:
    made = fits("Draft", box.gmail("POST", "drafts", {"message": {"raw": raw(mime())}}))
    assert fits("Draft", box.gmail("GET", f"drafts/{made['id']}?format=minimal"))["message"]["labelIds"] == ["DRAFT"]
    before = box.last_effect()

    sent = fits("Message", box.gmail("POST", "drafts/send", {"id": made["id"]}))

    assert (sent["labelIds"], sent["threadId"]) == (["SENT"], made["message"]["threadId"])
    assert sent["id"] != made["message"]["id"]
    assert reason(box.gmail("POST", "drafts/send", {"id": made["id"]})) == (404, "notFound")
    assert reason(box.gmail("GET", f"drafts/{made['id']}")) == (404, "notFound")
    assert [one["action"] for one in box.effects(since_id=before)] == ["sendEmail"]


def test_a_draft_may_lack_recipients_and_can_then_not_be_sent(box: Box) -> None:
    made = box.gmail("POST", "drafts", {"message": {"raw": raw(mime(""))}}).json()

    assert reason(box.gmail("POST", "drafts/send", {"id": made["id"]})) == (400, "invalidArgument")
    assert box.gmail("DELETE", f"drafts/{made['id']}").status_code == 204


def test_a_mail_joins_a_thread_only_as_an_answer_to_it(box: Box) -> None:
    first = send(box, mime()).json()
    answered = f"In-Reply-To: {shown(box, first['id'])['Message-ID']}"
    answer = mime("ada@example.org", answered).replace(b"Subject: Sale", b"Subject: Re: Sale")

    assert send(box, answer, threadId=first["threadId"]).json()["threadId"] == first["threadId"]
    assert send(box, mime(), threadId=first["threadId"]).json()["threadId"] != first["threadId"]
    other = answer.replace(b"Re: Sale", b"Re: Fair")
    assert send(box, other, threadId=first["threadId"]).json()["threadId"] != first["threadId"]
    thread = fits("Thread", box.gmail("GET", f"threads/{first['threadId']}?format=minimal"))
    assert len(thread["messages"]) == 2


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("in:sent to:WHO", True),
        ('to:WHO subject:"a rare one"', True),
        ("rare to:WHO has:attachment", False),
        ("in:inbox to:WHO", False),
        ("to:WHO after:2020/01/01 newer_than:2d", True),
        ("to:WHO before:1577836800", False),
        ("to:WHO in:anywhere from:news", True),
        ("to:WHO from:boss", False),
    ],
)
def test_a_search_finds_what_it_says(box: Box, query: str, found: bool) -> None:
    who = f"{uuid.uuid4().hex}@example.org"
    send(box, mime(who).replace(b"Subject: Sale", b"Subject: A rare one"))

    answer = fits("ListMessagesResponse", box.gmail("GET", "messages", params={"q": query.replace("WHO", who)}))

    # Where nothing is found there is no list.
    assert ("messages" in answer, answer["resultSizeEstimate"]) == (found, int(found))


def test_a_list_trails_the_sending_when_told_to(box: Box) -> None:
    box.fault("delayed_visibility", connector="email", operation="sendEmail", seconds=20, times=1)
    sent = send(box, mime("late@example.org")).json()

    assert "messages" not in box.gmail("GET", "messages?q=to:late@example.org").json()
    assert fits("Message", box.gmail("GET", f"messages/{sent['id']}"))["id"] == sent["id"]
    box.control("POST", "clock", {"advance_s": 21})
    assert len(box.gmail("GET", "messages?q=to:late@example.org").json()["messages"]) == 1


def test_labels_are_those_that_there_are(box: Box) -> None:
    sent = send(box, mime()).json()["id"]

    for body in ({"addLabelIds": ["NEWS"]}, {"removeLabelIds": ["SENT"]}, {}):
        assert reason(box.gmail("POST", f"messages/{sent}/modify", body)) == (400, "invalidArgument")
    labelled = fits("Message", box.gmail("POST", f"messages/{sent}/modify", {"addLabelIds": ["STARRED", "Label_1"]}))
    assert labelled["labelIds"] == ["SENT", "STARRED", "Label_1"]


def test_the_history_goes_on_from_where_it_was_asked(box: Box) -> None:
    since = fits("Profile", box.gmail("GET", "profile"))["historyId"]
    sent = send(box, mime()).json()["id"]
    box.gmail("POST", f"messages/{sent}/modify", {"addLabelIds": ["STARRED"]})

    found = fits("ListHistoryResponse", box.gmail("GET", f"history?startHistoryId={since}"))
    assert [[*entry][2] for entry in found["history"]] == ["messagesAdded", "labelsAdded"]
    label = fits(
        "ListHistoryResponse", box.gmail("GET", f"history?startHistoryId={since}&historyTypes=labelAdded&maxResults=1")
    )
    assert [entry["labelsAdded"][0]["labelIds"] for entry in label["history"]] == [["STARRED"]]
    assert reason(box.gmail("GET", "history?startHistoryId=5")) == (404, "notFound")


def test_watching_names_a_topic(box: Box) -> None:
    assert reason(box.gmail("POST", "watch", {"topicName": "gmail"})) == (400, "invalidArgument")
    fits(
        "WatchResponse", box.gmail("POST", "watch", {"topicName": "projects/acme/topics/gmail", "labelIds": ["INBOX"]})
    )
    assert box.gmail("POST", "stop").status_code == 204


def test_a_token_does_what_it_was_granted_for(box: Box) -> None:
    sender = box.email["limited_credential"]["access_token"]

    assert box.gmail("POST", "messages/send", {"raw": raw(mime())}, token=sender).status_code == 200
    for path in ("drafts", "messages", "profile"):
        assert reason(box.gmail("GET", path, token=sender)) == (403, "insufficientPermissions")
    assert reason(box.gmail("GET", "profile", token="ya29.wrong")) == (401, "authError")
    assert reason(box.gmail("GET", "profile", prefix="gmail/v1/users/boss@acme.example")) == (403, "forbidden")
    assert box.gmail("GET", "profile", prefix=f"gmail/v1/users/{ME}").status_code == 200


def test_a_large_mail_is_uploaded_at_once_or_with_its_metadata(box: Box) -> None:
    at_once: dict[str, Any] = {"prefix": UPLOAD, "data": mime(), "headers": {"Content-Type": "message/rfc822"}}
    assert fits("Message", box.gmail("POST", "messages/send?uploadType=media", **at_once))["labelIds"] == ["SENT"]
    related = (
        b"--b\r\nContent-Type: application/json\r\n\r\n{}\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + mime() + b"\r\n--b--\r\n"
    )
    both: dict[str, Any] = {
        "prefix": UPLOAD,
        "data": related,
        "headers": {"Content-Type": "multipart/related; boundary=b"},
    }
    assert fits("Message", box.gmail("POST", "messages/send?uploadType=multipart", **both))["labelIds"] == ["SENT"]
    wrong = {**at_once, "headers": {"Content-Type": "text/plain"}}
    assert reason(box.gmail("POST", "messages/send?uploadType=media", **wrong)) == (400, "badContent")


def test_a_large_mail_is_uploaded_bit_by_bit_and_sent_at_its_end(box: Box) -> None:
    content, before = mime(text="x" * 5000), box.last_effect()
    begun = box.gmail("POST", "messages/send?uploadType=resumable", {}, prefix=UPLOAD)
    assert (begun.status_code, begun.content) == (200, b"")
    path = begun.headers["Location"].removeprefix(f"https://gmail.googleapis.com/{UPLOAD}/")
    total = len(content)

    def put(first: int, last: int) -> requests.Response:
        span = {"Content-Type": "message/rfc822", "Content-Range": f"bytes {first}-{last - 1}/{total}"}
        return box.gmail("PUT", path, prefix=UPLOAD, data=content[first:last], headers=span)

    assert (put(0, 3000).status_code, put(0, 3000).headers["Range"]) == (308, "bytes=0-2999")
    asked = box.gmail("PUT", path, prefix=UPLOAD, headers={"Content-Range": f"bytes */{total}"})
    assert (asked.status_code, asked.headers["Range"]) == (308, "bytes=0-2999")
    assert box.effects(since_id=before) == []
    assert put(4000, total).status_code == 400
    sent = fits("Message", put(3000, total))
    assert fits("Message", put(3000, total))["id"] == sent["id"]
    assert [one["provider_id"] for one in box.effects(since_id=before)] == [sent["id"]]


def test_a_mail_to_nobody_comes_back(box: Box) -> None:
    sent = send(box, mime("bounce.ada@example.org")).json()
    box.control("POST", "clock", {"advance_s": 3})

    (one,) = box.gmail("GET", "messages?q=from:mailer-daemon").json()["messages"]
    assert one["threadId"] == sent["threadId"]
    assert shown(box, one["id"])["X-Failed-Recipients"] == "bounce.ada@example.org"


def test_faults_are_in_googles_words(box: Box) -> None:
    fault = {"connector": "email", "operation": "getProfile", "times": 1}
    box.fault("rate_limit", seconds=30, **fault)
    error = fits("GoogleError", box.gmail("GET", "profile"))["error"]
    assert (error["status"], error["details"][0]["retryDelay"]) == ("RESOURCE_EXHAUSTED", "30s")
    box.fault("auth_expired", **fault)
    expired = box.gmail("GET", "profile")
    assert reason(expired) == (401, "authError")
    assert "invalid_token" in expired.headers["WWW-Authenticate"]
    box.fault("error_500_before", **fault)
    assert reason(box.gmail("GET", "profile")) == (500, "backendError")
    assert box.gmail("GET", "nonsense").headers["Content-Type"] == "text/html"
