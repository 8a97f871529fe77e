"""What do drafts, reading, labels and the history do at Gmail? Asked of the sandbox."""

from __future__ import annotations

import base64
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from connectors.email.bounces import BounceList
from connectors.email.composing import NewMail
from connectors.email.drafts import Draft, DraftContent
from connectors.email.labels import Labelled
from connectors.email.mailbox import AliasList, History, Profile, Watch
from connectors.email.reading import MessageList
from connectors.email.sending import DraftRef
from connectors.kit.call import OptOut
from connectors.kit.errors import (
    NotFound,
    RecipientOptedOut,
)
from connectors.registry import action, connector
from tests.contract.conftest import Performer, Sandbox
from tests.contract.mails import drafts_to, got, new_address, send
from tests.contract.memory_ledger import MemoryLedger

SEND_DRAFT, CREATE_DRAFT = action("email.sendDraft"), action("email.createDraft")
PDF = base64.b64encode(b"%PDF-1.7 spring").decode()


@pytest.fixture
def to() -> str:
    """An address that no other test writes to."""
    return new_address()


def test_a_draft_is_written_read_listed_and_sent_once(performer: Performer, sandbox: Sandbox, to: str) -> None:
    made = performer.do("email.createDraft", to=to, subject="Later", text="Look at this")
    assert isinstance(made, Draft)

    assert drafts_to(performer, to) == [made]
    shown = performer.do("email.getDraft", draft_id=made.draft_id)
    assert isinstance(shown, DraftContent)
    assert (shown.message.subject, shown.message.label_ids) == ("Later", ("DRAFT",))
    mark = sandbox.mark()
    sent = performer.do("email.sendDraft", draft_id=made.draft_id)
    (effect,) = sandbox.effects(mark)
    assert (effect["provider_id"], effect["recipient"]) == (sent.provider_id(), to)
    with pytest.raises(NotFound):
        performer.do("email.sendDraft", draft_id=made.draft_id)


def test_a_draft_to_someone_who_opted_out_is_not_sent(performer: Performer, sandbox: Sandbox, to: str) -> None:
    made = performer.do("email.createDraft", to="a@example.org", bcc=[to], subject="Hi", text="Hi")
    ledger, mark = MemoryLedger(), sandbox.mark()
    ledger.opt_outs["email", to] = OptOut(since_at=datetime.now(UTC), source="unsubscribe link")

    with pytest.raises(RecipientOptedOut, match="recipient 2 of 2"):
        performer.perform(SEND_DRAFT, performer.call("email", ledger), DraftRef(draft_id=str(made.provider_id())))

    assert sandbox.effects(mark) == []


def test_a_draft_is_found_again_by_its_key(performer: Performer, sandbox: Sandbox, to: str) -> None:
    performer.do("email.createDraft", to=to, subject="Hi", text="Hi")
    ledger, data = MemoryLedger(), NewMail.model_validate({"to": to, "subject": "Hi", "text": "Hi"})
    call, began_at = performer.call("email", ledger), datetime.now(UTC)
    made = performer.perform(CREATE_DRAFT, call, data)
    ledger.sent(began_at)
    performer.do("email.createDraft", to=to, subject="Hi", text="Hi")

    assert performer.look_up(CREATE_DRAFT, call, data) == made


def test_what_was_never_a_draft_cannot_be_deleted(performer: Performer) -> None:
    delete = action("email.deleteDraft")
    with pytest.raises(NotFound):
        performer.perform(delete, performer.call("email"), DraftRef(draft_id="r-1"))


def test_messages_are_listed_page_by_page(performer: Performer, to: str) -> None:
    sent = [send(performer, to).message_id for _ in range(3)]

    first = performer.do("email.listMessages", query=f"in:sent to:{to}", limit=2)
    assert isinstance(first, MessageList)
    last = performer.do("email.listMessages", query=f"in:sent to:{to}", limit=2, page_token=first.next_page_token)
    assert isinstance(last, MessageList)
    assert {one.message_id for one in (*first.messages, *last.messages)} == set(sent)
    assert last.next_page_token is None
    none = performer.do("email.listMessages", query=f"in:sent to:{to} before:2020/01/01")
    assert none.model_dump() == {"messages": (), "next_page_token": None, "estimate": 0}


def test_a_message_gets_and_loses_labels_and_goes_to_the_trash(performer: Performer, to: str) -> None:
    sent = send(performer, to)

    labelled = performer.do(
        "email.modifyLabels",
        message_id=sent.message_id,
        add_label_ids=["STARRED", "Label_7"],
        remove_label_ids=["INBOX"],
    )
    assert isinstance(labelled, Labelled)
    assert set(labelled.label_ids) == {"SENT", "STARRED", "Label_7"}
    trashed = performer.do("email.trashMessage", message_id=sent.message_id)
    assert isinstance(trashed, Labelled)
    assert "TRASH" in trashed.label_ids
    listed = performer.do("email.listMessages", query=f"to:{to}")
    assert isinstance(listed, MessageList)
    assert listed.messages == ()


def test_bounces_name_who_did_not_get_the_mail_and_why(performer: Performer, sandbox: Sandbox) -> None:
    address = f"bounce.{uuid.uuid4().hex[:8]}@example.org"
    sent = send(performer, address)
    sandbox.ask("POST", "clock", json={"advance_s": 3})

    since = datetime.now(UTC) - timedelta(minutes=5)
    found = performer.do("email.listBounces", since=since.isoformat())

    assert isinstance(found, BounceList)
    (ours,) = [one for one in found.bounces if address in one.recipients]
    assert (ours.thread_id, ours.status, ours.permanent) == (sent.thread_id, "5.1.1", True)


def test_the_history_tells_what_came_since(performer: Performer, sandbox: Sandbox) -> None:
    profile = performer.do("email.getProfile")
    assert isinstance(profile, Profile)
    assert profile.email_address == "news@acme.example"
    sandbox.ask("POST", "inbound", json={"connector": "email", "address": "eve@example.org"})

    found = performer.do("email.listHistory", start_history_id=profile.history_id, changes=["messageAdded"])

    assert isinstance(found, History)
    (came,) = found.changed
    assert (came.change, came.label_ids) == ("messageAdded", ("INBOX", "UNREAD"))
    assert got(performer, came.message_id).sender == "eve@example.org"
    assert int(found.history_id) > int(profile.history_id)


def test_a_history_that_is_too_old_is_said_to_be(performer: Performer) -> None:
    with pytest.raises(NotFound, match=r"^start_history_id: is too old"):
        performer.do("email.listHistory", start_history_id="1")


def test_a_mailbox_is_watched_for_a_week(performer: Performer) -> None:
    found = performer.do("email.watchMailbox", topic="projects/acme-mail/topics/gmail-push")

    assert isinstance(found, Watch)
    assert timedelta(days=6) < found.expires_at - datetime.now(UTC) < timedelta(days=9)
    assert performer.do("email.stopWatch").model_dump() == {"stopped": True}


def test_aliases_say_whether_mail_may_be_sent_as_them(performer: Performer) -> None:
    found = performer.do("email.checkAliases")

    assert isinstance(found, AliasList)
    assert {one.address: (one.is_default, one.accepted) for one in found.aliases} == {
        "news@acme.example": (True, True),
        "offers@acme.example": (False, True),
        "new@acme.example": (False, False),
    }


def test_the_credential_check_names_the_mailbox(performer: Performer) -> None:
    assert connector("email").test(performer.call("email")).startswith("Gmail mailbox news@acme.example, ")
