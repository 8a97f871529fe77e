"""What does sending a mail do at Gmail? Asked of the sandbox."""

from __future__ import annotations

import base64
import uuid
from datetime import UTC, datetime

import pytest
import requests

from connectors.email.composing import NewMail
from connectors.email.reading import AttachmentContent, MailThread, MessageList
from connectors.email.sending import DraftRef, Sent
from connectors.kit.call import OptOut
from connectors.kit.errors import (
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    Permission,
    RecipientOptedOut,
)
from connectors.registry import action
from tests.contract.conftest import Performer, Sandbox
from tests.contract.mails import SEND, drafts_to, got, mail, new_address, send
from tests.contract.memory_ledger import MemoryLedger

SEND_DRAFT, CREATE_DRAFT = action("email.sendDraft"), action("email.createDraft")
PDF = base64.b64encode(b"%PDF-1.7 spring").decode()


@pytest.fixture
def to() -> str:
    """An address that no other test writes to."""
    return new_address()


def test_a_mail_has_its_texts_its_files_and_the_key(performer: Performer, sandbox: Sandbox, to: str) -> None:
    ledger, mark = MemoryLedger(), sandbox.mark()
    files = [
        {"filename": "größe.pdf", "content_type": "application/pdf", "content_base64": PDF},
        {"filename": "box.png", "content_type": "image/png", "content_base64": "iVBORw0K", "content_id": "box"},
    ]
    data = mail(
        f"Ada Lövelace, Dr. <{to}>",
        subject="Frühling & more 🎉",
        text="Grüße\n.\nEnde",
        html='<p>Grüße <img src="cid:box"></p>',
        attachments=files,
        bcc=["boss@example.org"],
    )

    sent = performer.perform(SEND, performer.call("email", ledger), data)

    (effect,) = [one for one in sandbox.effects(mark) if one["action"] == "sendEmail"]
    assert (effect["key"], effect["recipient"]) == (ledger.key, f"{to}, boss@example.org")
    found = got(performer, str(sent.provider_id()))
    assert (found.subject, found.effect_id) == ("Frühling & more 🎉", ledger.key)
    assert found.sender == "Acme News <news@acme.example>"
    assert found.to == f'"Ada Lövelace, Dr." <{to}>'
    assert (found.text or "").splitlines() == ["Grüße", ".", "Ende"]
    assert (found.html or "").strip() == '<p>Grüße <img src="cid:box"></p>'
    assert {(one.filename, one.content_type) for one in found.files} == {
        ("größe.pdf", "application/pdf"),
        ("box.png", "image/png"),
    }
    pdf = next(one for one in found.files if one.filename == "größe.pdf")
    content = performer.do("email.getAttachment", message_id=found.message_id, attachment_id=pdf.attachment_id)
    assert isinstance(content, AttachmentContent)
    assert (content.content_base64, content.size) == (PDF, 15)


def test_a_mail_of_html_alone_keeps_its_picture_and_its_file(performer: Performer, to: str) -> None:
    files = [
        {"filename": "a.pdf", "content_type": "application/pdf", "content_base64": PDF},
        {"filename": "b.png", "content_type": "image/png", "content_base64": "iVBORw0K", "content_id": "b"},
    ]
    data = mail(to, text=None, html='<img src="cid:b">', attachments=files)

    sent = performer.perform(SEND, performer.call("email"), data)

    found = got(performer, str(sent.provider_id()))
    assert (found.text, (found.html or "").strip()) == (None, '<img src="cid:b">')
    assert {one.filename for one in found.files} == {"a.pdf", "b.png"}


def test_sending_leaves_no_draft_behind(performer: Performer, to: str) -> None:
    sent = send(performer, to)

    assert drafts_to(performer, to) == []
    assert got(performer, sent.message_id).label_ids == ("SENT",)


def test_an_answer_goes_into_the_thread_of_what_it_answers(performer: Performer, sandbox: Sandbox) -> None:
    sandbox.ask("POST", "inbound", json={"connector": "email", "address": "eve@example.org"})
    listed = performer.do("email.listMessages", query="in:inbox from:eve@example.org", limit=1)
    assert isinstance(listed, MessageList)
    parent = listed.messages[0]

    data = NewMail.model_validate({"to": "eve@example.org", "text": "Yes", "in_reply_to": parent.message_id})
    sent = performer.perform(SEND, performer.call("email"), data)

    assert isinstance(sent, Sent)
    assert sent.thread_id == parent.thread_id
    thread = performer.do("email.getThread", thread_id=parent.thread_id)
    assert isinstance(thread, MailThread)
    assert [one.subject for one in thread.messages] == ["Hello", "Re: Hello"]


def test_who_is_answered_must_be_there(performer: Performer, to: str) -> None:
    with pytest.raises(NotFound):
        send(performer, to, in_reply_to="19ffffffffffffff")


def test_bulk_mail_says_how_to_leave_the_list(performer: Performer, sandbox: Sandbox, to: str) -> None:
    url = "https://acme.example/off?token=" + "f" * 300
    sent = send(performer, to, unsubscribe_url=url, unsubscribe_email="off@acme.example")

    # Read as anyone would: with all headers.
    api = f"{sandbox.url}/gmail.googleapis.com/gmail/v1/users/me/messages/{sent.message_id}"
    headers = _headers(performer, api)
    assert headers["List-Unsubscribe"] == f"<{url}>, <mailto:off@acme.example?subject=unsubscribe>"
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def _headers(performer: Performer, url: str) -> dict[str, str]:
    token = performer.account["email"]["credential"]["access_token"]
    answer = requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10)
    return {one["name"]: one["value"] for one in answer.json()["payload"]["headers"]}


def test_a_mail_comes_from_an_accepted_alias_or_not_at_all(performer: Performer, sandbox: Sandbox, to: str) -> None:
    sent = send(performer, to, from_address="offers@acme.example", from_name="Offers")
    assert got(performer, sent.message_id).sender == "Offers <offers@acme.example>"

    mark = sandbox.mark()
    for address in ("new@acme.example", "boss@other.example"):
        with pytest.raises(InvalidRequest, match=r"^from_address: is no accepted alias"):
            send(performer, to, from_address=address)
    assert sandbox.effects(mark) == []


def test_without_a_sender_gmail_takes_its_own(performer: Performer, to: str) -> None:
    performer.account["email"]["settings"] = {}
    assert got(performer, send(performer, to).message_id).sender == "news@acme.example"

    with pytest.raises(InvalidRequest, match=r"^from_name: needs from_address"):
        send(performer, to, from_name="Acme")


@pytest.mark.parametrize("field", ["to", "cc", "bcc"])
def test_nobody_who_opted_out_gets_a_copy(performer: Performer, sandbox: Sandbox, to: str, field: str) -> None:
    ledger, mark, out = MemoryLedger(), sandbox.mark(), f"Out.{to}"
    ledger.opt_outs["email", out.lower()] = OptOut(since_at=datetime.now(UTC), source="unsubscribe link")
    data = mail([to, out]) if field == "to" else mail(to, **{field: [out]})

    with pytest.raises(RecipientOptedOut, match="recipient 2 of 2") as caught:
        performer.perform(SEND, performer.call("email", ledger), data)

    assert sandbox.effects(mark) == []
    assert out not in str(caught.value)


def test_who_opts_out_after_the_draft_was_made_gets_nothing(performer: Performer, sandbox: Sandbox, to: str) -> None:
    ledger, mark = MemoryLedger(), sandbox.mark()
    sandbox.fault("rate_limit", "email", "sendDraft")
    with pytest.raises(Exception, match="429"):
        performer.perform(SEND, performer.call("email", ledger), mail(to))
    ledger.opt_outs["email", to] = OptOut(since_at=datetime.now(UTC), source="unsubscribe link")

    with pytest.raises(RecipientOptedOut):
        performer.perform(SEND, performer.call("email", ledger), mail(to))

    assert [one["action"] for one in sandbox.effects(mark)] == ["createDraft"]


def in_doubt(performer: Performer, sandbox: Sandbox, data: NewMail) -> MemoryLedger:
    """A run whose mail was sent, and whose answer was lost."""
    ledger = MemoryLedger()
    sandbox.fault("reset_after", "email", "sendDraft")
    with pytest.raises(OutcomeUnknown):
        performer.perform(SEND, performer.call("email", ledger), data)
    return ledger


def test_read_back_tells_our_mail_from_an_equal_one(performer: Performer, sandbox: Sandbox, to: str) -> None:
    send(performer, to)
    ledger = in_doubt(performer, sandbox, mail(to))
    send(performer, to)

    found = performer.look_up(SEND, performer.call("email", ledger), mail(to))

    (ours,) = [one for one in sandbox.effects() if one["key"] == ledger.key and one["action"] == "sendEmail"]
    assert found is not None
    assert found.provider_id() == ours["provider_id"]


def test_a_mail_to_a_strange_but_valid_address_is_found_again(performer: Performer, sandbox: Sandbox) -> None:
    data = mail(f"o'hara+{{x}}|y@{uuid.uuid4().hex[:8]}.example")
    ledger = in_doubt(performer, sandbox, data)

    assert performer.look_up(SEND, performer.call("email", ledger), data) is not None


def test_a_mail_that_the_list_does_not_show_yet_is_not_sent_again(
    performer: Performer, sandbox: Sandbox, to: str
) -> None:
    sandbox.fault("delayed_visibility", "email", "sendDraft", seconds=30)
    ledger = in_doubt(performer, sandbox, mail(to))

    with pytest.raises(OutcomeUnknown, match="look into the mailbox"):
        performer.look_up(SEND, performer.call("email", ledger), mail(to))

    sandbox.ask("POST", "clock", json={"advance_s": 31})
    assert performer.look_up(SEND, performer.call("email", ledger), mail(to)) is not None


def test_a_draft_that_a_person_removed_is_left_to_a_person(performer: Performer, sandbox: Sandbox, to: str) -> None:
    ledger, mark = MemoryLedger(), sandbox.mark()
    sandbox.fault("rate_limit", "email", "sendDraft")
    with pytest.raises(Exception, match="429"):
        performer.perform(SEND, performer.call("email", ledger), mail(to))
    (draft,) = drafts_to(performer, to)
    performer.do("email.deleteDraft", draft_id=draft.draft_id)

    with pytest.raises(OutcomeUnknown, match="look into the mailbox"):
        performer.perform(SEND, performer.call("email", ledger), mail(to))

    assert "sendEmail" not in {one["action"] for one in sandbox.effects(mark)}


def test_a_repeated_request_for_a_sent_draft_is_answered_with_what_it_became(
    performer: Performer, sandbox: Sandbox, to: str
) -> None:
    ledger, mark = in_doubt(performer, sandbox, mail(to)), sandbox.mark()
    # As if the read-back had been told of a draft that is gone by now.
    ledger.in_doubt.clear()

    found = performer.perform(SEND, performer.call("email", ledger), mail(to))

    assert sandbox.effects(mark) == []
    (effect,) = [one for one in sandbox.effects() if one["key"] == ledger.key and one["action"] == "sendEmail"]
    assert found.provider_id() == effect["provider_id"]


def test_a_refused_mail_was_not_sent(performer: Performer, sandbox: Sandbox, to: str) -> None:
    made = performer.do("email.createDraft", to=to, subject="Hi", text="Hi")
    ledger, mark = MemoryLedger(), sandbox.mark()
    call = performer.call("email", ledger)
    many = {"to": [f"p{number}.{to}" for number in range(100)], "subject": "Hi", "text": "Hi"}
    assert performer.perform(SEND, call, NewMail.model_validate(many)).provider_id()

    performer.account["email"]["credential"] = performer.account["email"]["limited_credential"]
    with pytest.raises(Permission, match="lacks a scope"):
        performer.perform(SEND_DRAFT, performer.call("email"), DraftRef(draft_id=str(made.provider_id())))

    assert len([one for one in sandbox.effects(mark) if one["action"] == "sendEmail"]) == 1
