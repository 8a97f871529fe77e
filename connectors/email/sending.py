"""Sending: prepare a draft, send it, and if in doubt ask Gmail what became of it.

Gmail takes no idempotency key, and does not notice a repeat of ``messages.send``. A draft can be sent once: sending
removes it, and a second request finds nothing to send. So the draft is the key: it is recorded before it is sent, and
its presence afterwards proves that it was not.
"""

from __future__ import annotations

from datetime import datetime
from email.utils import getaddresses
from typing import Any, cast

from pydantic import Field

from connectors.dialects.google_api import Answer, GoogleApi
from connectors.email import api
from connectors.email.addresses import address, address_of
from connectors.email.composing import NewMail, ask, check_consent, compose
from connectors.email.messages import Headers, search
from connectors.email.platform import CHANNEL, EMAIL
from connectors.kit import clock
from connectors.kit.action import Input, JsonValue, Limit, LookUp, Output
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, NotDone, NotFound, OutcomeUnknown, Refused, looking

_WHY = "Gmail takes no idempotency key, but a draft can be sent once, and tells whether it was."
_LIMITS = (
    "100 recipients per message",
    "2,000 messages per mailbox and moving 24 h, 500 in trials and of consumers",
    "6,000 quota units per user and minute, of which a mail takes about 120",
)
# A draft takes 10 units, sending it 100, and what is asked before a few.
_PACE = (Limit(api.per_min(120), per_s=60.0, of="action"), Limit(2000, per_s=86_400.0, of="action"))
_SETTLE_AFTER_S = 60.0
"""A draft that still is there a minute after the request to send it was not sent by that request."""

_MOST_CANDIDATES = 100
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@._-")


class Sent(Output):
    """A mail that Gmail has sent."""

    message_id: str = Field(description="Gmail's id of it, not its Message-ID header.")
    thread_id: str = Field(description="Id of the conversation that it belongs to.")

    def provider_id(self) -> str:
        """The message's id."""
        return self.message_id


class MadeDraft(Answer):
    """A draft, as Gmail answers to what makes it."""

    id: api.DraftId
    message: api.Message


class _Draft(Answer):
    id: api.DraftId


class _ReadDraft(_Draft):
    message: Headers


class _Prepared(Answer):
    """A draft that waits to be sent, as its step keeps it.

    Attributes:
        mark: What its header carries; None if it carries nothing.
        begins_thread: Whether the thread is its own, so that a message of that thread can only be it.
        prepared_at: When it was there at the latest, by this machine's clock.
    """

    draft_id: str
    thread_id: str
    mark: str | None
    begins_thread: bool
    recipients: tuple[str, ...]
    prepared_at: datetime


def _find(call: Call, data: Any) -> Sent | None:
    """What became of the draft; None if it waits to be sent.

    Raises:
        OutcomeUnknown: It is gone, and nothing shows that it was sent.
    """
    kept = call.recall("draft")
    if kept is None:
        return None
    prepared = _Prepared.model_validate(kept)
    with looking():
        return None if _waits(api.gmail(call), prepared) else _sent_copy(call, prepared)


def _waits(gmail: GoogleApi, prepared: _Prepared) -> bool:
    try:
        gmail.get(_Draft, "users.drafts.get", f"drafts/{prepared.draft_id}", format="minimal")
    except NotFound as refused:
        if not api.is_gone(refused):
            raise
        return False
    return True


def _sent_copy(call: Call, prepared: _Prepared) -> Sent:
    """The message that the draft became.

    Raises:
        OutcomeUnknown: The mailbox does not show it (yet): a person may also have changed or removed the draft.
    """
    gmail = api.gmail(call)
    query = f"in:sent after:{int((prepared.prepared_at - clock.SKEW).timestamp())}"
    if prepared.recipients:
        first = prepared.recipients[0]
        # Other signs mean something in a search; in a domain there are none.
        query += f" to:{first if _PLAIN.issuperset(first) else first.rpartition('@')[2]}"
    candidates = search(gmail, query, most=_MOST_CANDIDATES)
    taken = call.ledger.taken([one.id for one in candidates])
    for one in candidates:
        if one.id not in taken and _is_it(gmail, one.id, prepared):
            return Sent(message_id=one.id, thread_id=one.thread_id)
    raise OutcomeUnknown("the draft is gone, and no sent message carries its mark (yet); look into the mailbox")


def _is_it(gmail: GoogleApi, message_id: str, prepared: _Prepared) -> bool:
    params = {"format": "metadata", "metadataHeaders": [api.MARK]}
    found = gmail.get(Headers, "users.messages.get", f"messages/{message_id}", **params)
    mark = found.header(api.MARK)
    if mark is not None:
        return mark == prepared.mark
    return prepared.begins_thread and found.thread_id == prepared.thread_id


@EMAIL.action(
    "sendEmail",
    NewMail,
    Sent,
    repeat=LookUp(_find, settle_after_s=_SETTLE_AFTER_S),
    why=_WHY,
    multi_step=True,
    recipient=lambda data: address_of(data.to[0]).lower(),
    channel=CHANNEL,
    pace=_PACE,
    scopes=(api.COMPOSE, api.READ),
    limits=(*_LIMITS, "attachments: 3 MB together"),
)
def send_email(call: Call, data: NewMail) -> Sent:
    """Send a mail, once, as plain text, HTML or both, with attachments."""
    return _ship(call, call.step("draft", lambda: _make(call, data)))


class DraftRef(Input):
    """A draft."""

    draft_id: api.DraftId = Field(description="As createDraft or listDrafts gave it.")


@EMAIL.action(
    "sendDraft",
    DraftRef,
    Sent,
    repeat=LookUp(_find, settle_after_s=_SETTLE_AFTER_S),
    why=_WHY,
    multi_step=True,
    pace=_PACE,
    scopes=(api.COMPOSE, api.READ),
    limits=_LIMITS,
)
def send_draft(call: Call, data: DraftRef) -> Sent:
    """Send a draft as it is now, once; nobody who has opted out may be among its recipients."""
    return _ship(call, call.step("draft", lambda: _look_at(call, data.draft_id)))


def _make(call: Call, data: NewMail) -> JsonValue:
    """Make the draft; one that is never sent stays in the mailbox, where others do not see it."""
    check_consent(call, data.recipients)
    message, now = compose(call, data, ask(call, data)), clock.now()
    # A second draft reaches nobody: only the one that is recorded is ever sent.
    path, body = "drafts", {"message": message}
    made = api.gmail(call).post(MadeDraft, "users.drafts.create", path, body, effect=False)
    return _kept(
        made.id,
        made.message.thread_id,
        mark=call.key,
        begins_thread=data.in_reply_to is None,
        recipients=data.recipients,
        prepared_at=now,
    )


def _look_at(call: Call, draft_id: str) -> JsonValue:
    """Remember of a draft what tells afterwards whether it was sent."""
    now = clock.now()
    found = api.gmail(call).get(_ReadDraft, "users.drafts.get", f"drafts/{draft_id}", format="metadata").message
    recipients = _recipients(found)
    check_consent(call, recipients)
    return _kept(
        draft_id,
        found.thread_id,
        mark=found.header(api.MARK),
        # A thread is called after the message that begins it.
        begins_thread=found.id == found.thread_id,
        recipients=recipients,
        prepared_at=now,
    )


def _recipients(found: Headers) -> tuple[str, ...]:
    lines = [found.header(name) or "" for name in ("To", "Cc", "Bcc")]
    try:
        return tuple(address(plain).lower() for _, plain in getaddresses([line for line in lines if line]))
    except ValueError:
        raise InvalidRequest("draft_id: the draft has a recipient that is no address") from None


def _kept(draft_id: str, thread_id: str, **more: Any) -> JsonValue:
    prepared = _Prepared(draft_id=draft_id, thread_id=thread_id, **more)
    return cast("JsonValue", prepared.model_dump(mode="json"))


def _ship(call: Call, kept: JsonValue) -> Sent:
    prepared = _Prepared.model_validate(kept)
    return Sent.model_validate(call.effect("send", lambda: _send(call, prepared)))


def _send(call: Call, prepared: _Prepared) -> JsonValue:
    """The irreversible step.

    Raises:
        OutcomeUnknown: It may have been sent before, or just now.
    """
    # Once more: somebody may have opted out since the draft was made.
    check_consent(call, prepared.recipients)
    body = {"id": prepared.draft_id}
    try:
        sent = api.gmail(call).post(api.Message, "users.drafts.send", "drafts/send", body, effect=True)
    except Refused as refused:
        # Gmail says the same of a draft that is not there as of one that it will not send: 404, and 400 has been seen.
        if refused.http_status not in (400, 404):
            raise
        return _as_json(_sent_before(call, prepared, refused))
    return _as_json(Sent(message_id=sent.id, thread_id=sent.thread_id))


def _sent_before(call: Call, prepared: _Prepared, refused: Refused) -> Sent:
    """What a draft became that Gmail does not send: it says so of one that it has sent already, too.

    Raises:
        Refused: The draft is still there, so it was not sent.
        OutcomeUnknown: Gmail does not tell.
    """
    try:
        with looking():
            if not _waits(api.gmail(call), prepared):
                return _sent_copy(call, prepared)
    except NotDone as unanswered:
        raise OutcomeUnknown(f"{refused}, and nothing tells whether it was sent before: {unanswered}") from None
    raise refused


def _as_json(sent: Sent) -> JsonValue:
    return cast("JsonValue", sent.model_dump(mode="json"))
