"""Is every documented error of Gmail classed, and does no strange answer do harm?"""

from __future__ import annotations

import base64
import json
from email import message_from_bytes
from typing import Any

import pytest
import responses

from connectors.email.bounces import ListBounces, list_bounces
from connectors.email.composing import NewMail
from connectors.email.mailbox import WatchMailbox, watch_mailbox
from connectors.email.reading import GetMessage, ListMessages, get_message, list_messages
from connectors.email.sending import DraftRef, Sent, send_draft, send_email
from connectors.kit.action import LookUp
from connectors.kit.errors import (
    AuthExpired,
    ConnectorError,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Permission,
    RateLimited,
    Unavailable,
)
from connectors.registry import action
from tests.contract.memory_ledger import MemoryLedger
from tests.unit.connectors.calls import call
from tests.unit.connectors.wire_google import BRIEF, DRAFT, GMAIL, MADE, MESSAGE, PARENT, THREAD

MAIL = NewMail.model_validate({"to": "ada@example.org", "subject": "Hi", "text": "Hi"})
ANSWER = NewMail.model_validate({"to": "ada@example.org", "text": "Hi", "in_reply_to": MESSAGE})
GONE = {"error": {"code": 404, "errors": [{"reason": "notFound"}], "status": "NOT_FOUND", "message": "ada@example.org"}}
OTHER = "19a4c0ffee0000aa"


def body(status: int, reason: str | None = None, canonical: str | None = None, message: str = "ada@example.org") -> str:
    said: dict[str, Any] = {"code": status, "message": message}
    if reason is not None:
        said["errors"] = [{"message": message, "domain": "global", "reason": reason}]
    if canonical is not None:
        said["status"] = canonical
    return json.dumps({"error": said})


def send(ledger: MemoryLedger | None = None, *, waits: bool = True, **answer: Any) -> ConnectorError:
    """What comes of it when Gmail answers so to the request to send; ``waits``: the draft still is there."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post(f"{GMAIL}/drafts", json=MADE)
        mock.post(f"{GMAIL}/drafts/send", **answer)
        mock.get(f"{GMAIL}/drafts/{DRAFT}", status=200 if waits else 404, json=MADE if waits else GONE)
        mock.get(f"{GMAIL}/messages", json={})
        with pytest.raises(ConnectorError) as caught:
            send_email(call("email", ledger), MAIL)
    return caught.value


def ask(**answer: Any) -> ConnectorError:
    with responses.RequestsMock() as mock:
        mock.get(f"{GMAIL}/messages", **answer)
        with pytest.raises(ConnectorError) as caught:
            list_messages(call("email"), ListMessages())
    return caught.value


@pytest.mark.parametrize(
    ("status", "reason", "canonical", "kind"),
    [
        (400, "invalidArgument", "INVALID_ARGUMENT", InvalidRequest),
        (400, "badRequest", None, InvalidRequest),
        (400, "failedPrecondition", "FAILED_PRECONDITION", Permission),
        (400, None, "FAILED_PRECONDITION", Permission),
        (401, "authError", "UNAUTHENTICATED", AuthExpired),
        (403, "insufficientPermissions", "PERMISSION_DENIED", Permission),
        (403, "domainPolicy", None, Permission),
        (403, "accessNotConfigured", None, Permission),
        (403, "forbidden", None, Permission),
        (403, None, "PERMISSION_DENIED", Permission),
        (403, "rateLimitExceeded", None, RateLimited),
        (403, "userRateLimitExceeded", None, RateLimited),
        (403, "dailyLimitExceeded", None, RateLimited),
        (404, "notFound", "NOT_FOUND", NotFound),
        (413, "uploadTooLarge", None, InvalidRequest),
        (413, None, None, InvalidRequest),
        (429, "rateLimitExceeded", "RESOURCE_EXHAUSTED", RateLimited),
        (429, None, None, RateLimited),
        (500, "backendError", None, OutcomeUnknown),
        (502, None, None, OutcomeUnknown),
        (503, "backendError", "UNAVAILABLE", OutcomeUnknown),
        (504, None, None, OutcomeUnknown),
    ],
)
def test_every_documented_error(
    status: int, reason: str | None, canonical: str | None, kind: type[ConnectorError]
) -> None:
    answer: dict[str, Any] = {"status": status, "body": body(status, reason, canonical)}

    found = send(**answer)
    assert type(found) is kind
    assert (found.http_status, "ada" in str(found)) == (status, False)
    assert type(ask(**answer)) is (Unavailable if kind is OutcomeUnknown else kind)


def test_the_time_that_gmail_names_is_waited_for() -> None:
    text = "User-rate limit exceeded.  Retry after 2026-11-25T20:15:00.000Z"
    found = send(
        status=429,
        body=body(429, "rateLimitExceeded", message=text),
        headers={"Date": "Wed, 25 Nov 2026 20:00:00 GMT"},
    )

    assert isinstance(found, RateLimited)
    assert (found.retry_after_s, found.of) == (900.0, "connection")


@pytest.mark.parametrize("text", ["", "[]", "{}", "<html>", '{"id": 7, "threadId": "x"}', '{"id": "19a4"}', "null"])
def test_an_unreadable_success_leaves_the_outcome_unknown(text: str) -> None:
    assert type(send(status=200, body=text)) is OutcomeUnknown


@pytest.mark.parametrize(
    ("status", "reason"), [(400, "invalidArgument"), (400, "failedPrecondition"), (404, "notFound")]
)
def test_a_refusal_of_a_draft_that_is_gone_says_nothing_about_the_mail(status: int, reason: str) -> None:
    found = send(waits=False, status=status, body=body(status, reason))

    assert type(found) is OutcomeUnknown
    assert "look into the mailbox" in str(found)


def test_a_page_that_says_404_is_no_word_about_the_draft() -> None:
    ledger = MemoryLedger()
    ledger.sent()
    ledger.results["draft"] = prepared()
    with responses.RequestsMock() as mock:
        mock.get(f"{GMAIL}/drafts/{DRAFT}", status=404, body="<html>404</html>")
        with pytest.raises(OutcomeUnknown, match="refused to say"):
            look_up(ledger)


def test_when_nothing_tells_whether_a_refused_draft_is_there_the_outcome_is_unknown() -> None:
    with responses.RequestsMock() as mock:
        mock.post(f"{GMAIL}/drafts", json=MADE)
        mock.post(f"{GMAIL}/drafts/send", status=404, json=GONE)
        mock.get(f"{GMAIL}/drafts/{DRAFT}", status=503, body="")
        with pytest.raises(OutcomeUnknown, match="nothing tells whether it was sent before"):
            send_email(call("email"), MAIL)


def prepared(**more: Any) -> dict[str, Any]:
    return {
        "draft_id": DRAFT,
        "thread_id": THREAD,
        "mark": "k1",
        "begins_thread": True,
        "recipients": ["ada@example.org"],
        "prepared_at": "2026-11-25T20:00:00Z",
        **more,
    }


def look_up(ledger: MemoryLedger) -> Sent | None:
    repeat = action("email.sendEmail").repeat
    assert isinstance(repeat, LookUp)
    found = repeat.find(call("email", ledger), MAIL)
    assert found is None or isinstance(found, Sent)
    return found


def looked_for(ledger: MemoryLedger, *messages: dict[str, Any], more: str | None = None) -> Sent | None:
    """What a read-back finds when the draft is gone and these messages were sent."""
    ledger.sent()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(f"{GMAIL}/drafts/{DRAFT}", status=404, json=GONE)
        rows = [{"id": one["id"], "threadId": one["threadId"]} for one in messages]
        mock.get(f"{GMAIL}/messages", json={"messages": rows, **({"nextPageToken": more} if more else {})})
        for one in messages:
            mock.get(f"{GMAIL}/messages/{one['id']}", json=one)
        return look_up(ledger)


def message(message_id: str, mark: str | None, thread_id: str = THREAD) -> dict[str, Any]:
    headers = [] if mark is None else [{"name": "x-neonhub-op", "value": mark}]
    return {"id": message_id, "threadId": thread_id, "payload": {"headers": headers}}


def test_a_mail_is_known_by_its_mark() -> None:
    ledger = MemoryLedger()
    ledger.results["draft"] = prepared()

    found = looked_for(ledger, message(OTHER, "k2"), message(MESSAGE, "k1", OTHER))

    assert found == Sent(message_id=MESSAGE, thread_id=OTHER)


def test_a_mail_without_a_mark_is_known_by_the_thread_that_it_began() -> None:
    ledger = MemoryLedger()
    ledger.results["draft"] = prepared()

    assert looked_for(ledger, message(OTHER, None, OTHER), message(MESSAGE, None)) == Sent(
        message_id=MESSAGE, thread_id=THREAD
    )


@pytest.mark.parametrize(
    ("kept", "sent"),
    [
        (prepared(), message(MESSAGE, "k2")),
        (prepared(begins_thread=False), message(MESSAGE, None)),
        (prepared(mark=None, begins_thread=False), message(MESSAGE, None)),
        (prepared(), {"id": MESSAGE, "threadId": OTHER, "payload": {"headers": "x-neonhub-op: k1"}}),
    ],
)
def test_a_mail_that_may_be_another_is_left_to_a_person(kept: dict[str, Any], sent: dict[str, Any]) -> None:
    ledger = MemoryLedger()
    ledger.results["draft"] = kept

    with pytest.raises(OutcomeUnknown, match="look into the mailbox"):
        looked_for(ledger, sent)


def test_another_runs_mail_is_not_ours() -> None:
    ledger = MemoryLedger()
    ledger.results["draft"] = prepared()
    ledger.owned_by_others = {MESSAGE}

    with pytest.raises(OutcomeUnknown):
        looked_for(ledger, message(MESSAGE, "k1"))


def test_more_mails_than_can_be_looked_at_prove_nothing() -> None:
    ledger = MemoryLedger()
    ledger.results["draft"] = prepared()

    with pytest.raises(Unavailable, match="more than 100"):
        looked_for(ledger, message(OTHER, None), more="p2")


def test_before_the_draft_is_recorded_nothing_can_have_been_sent() -> None:
    ledger = MemoryLedger()
    ledger.sent()

    assert look_up(ledger) is None


def test_a_draft_whose_recipients_cannot_be_read_is_not_sent() -> None:
    headers = [{"name": "To", "value": "ada at home"}]
    strange = {"id": DRAFT, "message": {**BRIEF, "payload": {"headers": headers}}}
    with responses.RequestsMock() as mock:
        mock.get(f"{GMAIL}/drafts/{DRAFT}", json=strange)
        with pytest.raises(InvalidRequest, match=r"^draft_id: .* no address"):
            send_draft(call("email"), DraftRef(draft_id=DRAFT))


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [{"name": "Message-ID", "value": "broken"}],
        [{"name": "Message-ID", "value": "<é@example.org>"}, {"name": "Subject", "value": "Half \ud83d and\r\nBcc: x"}],
        [{"name": "Message-ID", "value": "<1@example.org>"}, {"name": "References", "value": "<é> <a\r\nBcc:x@y.z>"}],
        [7, {"name": 1}],
        "none",
    ],
)
def test_an_answer_to_a_strange_mail_is_still_sent(headers: Any) -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{GMAIL}/messages/{MESSAGE}", json={**PARENT, "payload": {"headers": headers}})
        mock.post(f"{GMAIL}/drafts", json=MADE)
        mock.post(f"{GMAIL}/drafts/send", json=BRIEF)
        assert send_email(call("email"), ANSWER).message_id == MESSAGE
        made = json.loads(mock.calls[1].request.body or b"")

    mail = message_from_bytes(base64.urlsafe_b64decode(made["message"]["raw"]))
    assert (mail["To"], mail["Bcc"], mail["Subject"][:3]) == ("ada@example.org", None, "Re:")


def deep(levels: int) -> dict[str, Any]:
    part: dict[str, Any] = {"mimeType": "text/plain", "body": {"data": "SGk"}}
    for _ in range(levels):
        part = {"mimeType": "multipart/mixed", "parts": [part]}
    return part


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"headers": 7, "parts": 7, "body": 7},
        {"mimeType": 7, "body": {"data": 7}},
        {"mimeType": "text/plain", "body": {"data": "%%%"}},
        {"mimeType": "text/plain", "body": {"data": "A"}},
        {"mimeType": "text/plain", "filename": "a.txt", "body": []},
        {"parts": [None, 7, {"parts": [{}]}]},
        {"headers": [{"name": "Subject", "value": "\ud83d"}], "filename": "\ud83d", "mimeType": "\ud83d"},
        deep(300),
    ],
)
def test_a_strange_message_is_read_as_far_as_it_goes(payload: dict[str, Any]) -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{GMAIL}/messages/{MESSAGE}", json={**BRIEF, "payload": payload, "internalDate": "99999999999999999"})
        found = get_message(call("email"), GetMessage(message_id=MESSAGE))

    assert (found.message_id, found.received_at) == (MESSAGE, None)


def test_an_answer_that_is_nested_without_end_is_not_understood() -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{GMAIL}/messages/{MESSAGE}", body='{"payload": ' + "[" * 100_000)
        with pytest.raises(Unavailable):
            get_message(call("email"), GetMessage(message_id=MESSAGE))


def report(*headers: tuple[str, str], status: str | None = None) -> dict[str, Any]:
    parts = [] if status is None else [{"mimeType": "message/delivery-status", "parts": [{"headers": status}]}]
    named = [{"name": name, "value": value} for name, value in headers]
    return {"id": OTHER, "threadId": THREAD, "payload": {"headers": named, "parts": parts}}


@pytest.mark.parametrize(
    ("answer", "recipients", "status", "permanent"),
    [
        (report(), (), None, False),
        (report(("X-Failed-Recipients", "a@x.org, b@x.org")), ("a@x.org", "b@x.org"), None, False),
        (report(status="strange"), (), None, False),
        (
            {
                **report(),
                "payload": {
                    "mimeType": "message/delivery-status",
                    "parts": [
                        {
                            "headers": [
                                {"name": "Final-Recipient", "value": "rfc822; a@x.org"},
                                {"name": "Status", "value": "4.2.2 (mailbox full)"},
                            ]
                        }
                    ],
                },
            },
            ("a@x.org",),
            "4.2.2",
            False,
        ),
    ],
)
def test_a_bounce_is_read_as_far_as_it_goes(
    answer: dict[str, Any], recipients: tuple[str, ...], status: str | None, permanent: bool
) -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{GMAIL}/messages", json={"messages": [{"id": OTHER, "threadId": THREAD}]})
        mock.get(f"{GMAIL}/messages/{OTHER}", json=answer)
        (found,) = list_bounces(call("email"), ListBounces.model_validate({"since": "2026-11-25T20:00:00Z"})).bounces

    assert (found.recipients, found.status, found.permanent) == (recipients, status, permanent)


@pytest.mark.parametrize("expiration", ["soon", "-1", "99999999999999999999", 1e300])
def test_a_watch_without_a_readable_end_is_not_understood(expiration: Any) -> None:
    with responses.RequestsMock() as mock:
        mock.post(f"{GMAIL}/watch", json={"historyId": "1", "expiration": expiration})
        with pytest.raises(OutcomeUnknown):
            watch_mailbox(call("email"), WatchMailbox(topic="projects/acme-mail/topics/push"))
