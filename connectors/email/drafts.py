"""Drafts: mails for a person to look at before they go."""

from __future__ import annotations

from typing import cast

from pydantic import Field

from connectors.dialects.google_api import Answer
from connectors.email import api
from connectors.email.composing import NewMail, ask, compose
from connectors.email.messages import Headers, MailMessage, PageToken, read
from connectors.email.platform import EMAIL
from connectors.email.reading import PAGE_TOKEN, QUERY, Query
from connectors.email.sending import DraftRef, MadeDraft
from connectors.kit import clock
from connectors.kit.action import Input, JsonValue, Limit, LookUp, Output, Resend
from connectors.kit.call import Call
from connectors.kit.errors import NotFound, Unavailable, looking

_MOST_CANDIDATES = 50


class Draft(Output):
    """A draft in the mailbox."""

    draft_id: str
    message_id: str = Field(description="Of its present content; changes with it, and when it is sent.")
    thread_id: str

    def provider_id(self) -> str:
        """The draft's id."""
        return self.draft_id


class DraftContent(Output):
    """A draft with its content."""

    draft_id: str
    message: MailMessage


class _Reference(Answer):
    id: api.DraftId
    message: api.Message


class _Page(Answer):
    drafts: tuple[_Reference, ...] = ()
    next_page_token: PageToken | None = None


class _Draft(Answer):
    id: api.DraftId
    message: Headers


def _find_draft(call: Call, data: NewMail) -> Draft | None:
    """The draft that carries the effect key."""
    if call.first_sent_at is None:
        return None
    since = int((call.first_sent_at - clock.SKEW).timestamp())
    gmail = api.gmail(call)
    with looking():
        page = gmail.get(_Page, "users.drafts.list", "drafts", q=f"after:{since}", maxResults=_MOST_CANDIDATES)
        if page.next_page_token is not None:
            raise Unavailable(f"more than {_MOST_CANDIDATES} drafts are that new; the one may be a later one")
        for one in page.drafts:
            found = gmail.get(_Draft, "users.drafts.get", f"drafts/{one.id}", format="metadata")
            if found.message.header(api.MARK) == call.key:
                return Draft(draft_id=one.id, message_id=found.message.id, thread_id=found.message.thread_id)
    return None


@EMAIL.action(
    "createDraft",
    NewMail,
    Draft,
    repeat=LookUp(_find_draft, settle_after_s=60.0),
    why="Gmail takes no idempotency key, but a draft shows the header that carries ours.",
    multi_step=True,
    scopes=(api.COMPOSE, api.READ),
    pace=(Limit(api.per_min(20), per_s=60.0, of="action"),),
    limits=("10 quota units", "attachments: 3 MB together"),
)
def create_draft(call: Call, data: NewMail) -> Draft:
    """Put a mail into the drafts, for a person to look at and send."""
    asked = call.step("asked", lambda: ask(call, data))
    return Draft.model_validate(call.effect("create", lambda: _create(call, data, asked)))


def _create(call: Call, data: NewMail, asked: JsonValue) -> JsonValue:
    """The irreversible step."""
    body = {"message": compose(call, data, asked)}
    made = api.gmail(call).post(MadeDraft, "users.drafts.create", "drafts", body, effect=True)
    draft = Draft(draft_id=made.id, message_id=made.message.id, thread_id=made.message.thread_id)
    return cast("JsonValue", draft.model_dump(mode="json"))


class ListDrafts(Input):
    """Which drafts to list."""

    query: Query | None = QUERY
    limit: int = Field(default=100, ge=1, le=500, description="Most drafts of a page.")
    page_token: PageToken | None = PAGE_TOKEN


class DraftList(Output):
    """A page of drafts."""

    drafts: tuple[Draft, ...]
    next_page_token: str | None = Field(description="Gives the next page; null on the last one.")


@EMAIL.read("listDrafts", ListDrafts, DraftList, scopes=(api.READ,))
def list_drafts(call: Call, data: ListDrafts) -> DraftList:
    """List the drafts of the mailbox."""
    page = api.gmail(call).get(
        _Page, "users.drafts.list", "drafts", q=data.query, maxResults=data.limit, pageToken=data.page_token
    )
    drafts = tuple(
        Draft(draft_id=one.id, message_id=one.message.id, thread_id=one.message.thread_id) for one in page.drafts
    )
    return DraftList(drafts=drafts, next_page_token=page.next_page_token)


@EMAIL.read("getDraft", DraftRef, DraftContent, scopes=(api.READ,), limits=("5 quota units",))
def get_draft(call: Call, data: DraftRef) -> DraftContent:
    """Read a draft."""
    found = api.gmail(call).get(_Draft, "users.drafts.get", f"drafts/{data.draft_id}", format="full")
    return DraftContent(draft_id=found.id, message=read(found.message))


class DraftDeleted(Output):
    """There is no such draft any more."""

    draft_id: str


@EMAIL.action(
    "deleteDraft",
    DraftRef,
    DraftDeleted,
    repeat=Resend(),
    why="Deleting twice is the same as once.",
    scopes=(api.COMPOSE,),
    limits=("for good: it does not go to the trash",),
)
def delete_draft(call: Call, data: DraftRef) -> DraftDeleted:
    """Delete a draft for good."""
    try:
        api.gmail(call).change("DELETE", "users.drafts.delete", f"drafts/{data.draft_id}")
    except NotFound as refused:
        # An earlier attempt may have deleted it.
        if call.first_sent_at is None or not api.is_gone(refused):
            raise
    return DraftDeleted(draft_id=data.draft_id)
