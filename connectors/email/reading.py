"""Reading: what is in the mailbox, by search, by message, by conversation."""

from __future__ import annotations

import base64
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from connectors.dialects.google_api import Answer
from connectors.email import api
from connectors.email.api import GmailId, LabelId
from connectors.email.messages import Headers, MailMessage, Page, PageToken, decoded, read
from connectors.email.platform import EMAIL
from connectors.kit.action import Input, Limit, Output
from connectors.kit.call import Call
from connectors.kit.errors import Unavailable


class _Thread(Answer):
    id: GmailId
    messages: tuple[Headers, ...] = ()


def _is_printable(query: str) -> str:
    if not query.isprintable():
        raise ValueError("must be one line without control characters")
    return query


Query = Annotated[str, StringConstraints(min_length=1, max_length=1000), AfterValidator(_is_printable)]
QUERY = Field(
    default=None, description="As in Gmail's search box, such as in:inbox from:ada@example.org newer_than:2d."
)
PAGE_TOKEN = Field(default=None, description="next_page_token of the page before.")


class ListMessages(Input):
    """Which messages to list."""

    query: Query | None = QUERY
    label_ids: tuple[LabelId, ...] = Field(
        default=(), max_length=100, description="Only messages with all these labels, such as INBOX, SENT or UNREAD."
    )
    include_spam_trash: bool = Field(default=False, description="Messages in spam and trash too.")
    limit: int = Field(default=100, ge=1, le=500, description="Most messages of a page.")
    page_token: PageToken | None = PAGE_TOKEN


class Listed(Output):
    """A message in a list."""

    message_id: str
    thread_id: str


class MessageList(Output):
    """A page of messages, the newest first."""

    messages: tuple[Listed, ...]
    next_page_token: str | None = Field(description="Gives the next page; null on the last one.")
    estimate: int = Field(description="About how many there are in all.")


@EMAIL.read(
    "listMessages",
    ListMessages,
    MessageList,
    scopes=(api.READ,),
    pace=(Limit(api.per_min(5), per_s=60.0, of="action"),),
    limits=("5 quota units", "may trail a sent message by seconds"),
)
def list_messages(call: Call, data: ListMessages) -> MessageList:
    """List the messages of the mailbox that a search finds."""
    page = api.gmail(call).get(
        Page,
        "users.messages.list",
        "messages",
        q=data.query,
        labelIds=list(data.label_ids) or None,
        maxResults=data.limit,
        pageToken=data.page_token,
        includeSpamTrash=data.include_spam_trash or None,
    )
    messages = tuple(Listed(message_id=one.id, thread_id=one.thread_id) for one in page.messages)
    return MessageList(
        messages=messages, next_page_token=page.next_page_token, estimate=max(0, page.result_size_estimate)
    )


class GetMessage(Input):
    """Which message to read, and how much of it."""

    message_id: GmailId = Field(description="Gmail's id of the message.")
    format: Literal["full", "metadata"] = Field(default="full", description="metadata leaves the content out.")


@EMAIL.read(
    "getMessage",
    GetMessage,
    MailMessage,
    scopes=(api.READ,),
    pace=(Limit(api.per_min(20), per_s=60.0, of="action"),),
    limits=("20 quota units",),
)
def get_message(call: Call, data: GetMessage) -> MailMessage:
    """Read a message."""
    found = api.gmail(call).get(Headers, "users.messages.get", f"messages/{data.message_id}", format=data.format)
    return read(found)


class GetThread(Input):
    """Which conversation to read, and how much of it."""

    thread_id: GmailId = Field(description="Gmail's id of the thread.")
    format: Literal["full", "metadata"] = Field(default="full", description="metadata leaves the contents out.")


class MailThread(Output):
    """A conversation."""

    thread_id: str
    messages: tuple[MailMessage, ...] = Field(description="The oldest first.")


@EMAIL.read(
    "getThread",
    GetThread,
    MailThread,
    scopes=(api.READ,),
    pace=(Limit(api.per_min(40), per_s=60.0, of="action"),),
    limits=("40 quota units",),
)
def get_thread(call: Call, data: GetThread) -> MailThread:
    """Read all messages of a conversation."""
    found = api.gmail(call).get(_Thread, "users.threads.get", f"threads/{data.thread_id}", format=data.format)
    return MailThread(thread_id=found.id, messages=tuple(read(one) for one in found.messages))


class GetAttachment(Input):
    """Which file to fetch."""

    message_id: GmailId = Field(description="Gmail's id of the message.")
    attachment_id: str = Field(
        pattern=r"^[A-Za-z0-9_-]{1,2048}$", description="As getMessage gave it; changes each time."
    )


class AttachmentContent(Output):
    """A file."""

    size: int = Field(description="Bytes.")
    content_base64: str = Field(description="The file in base64.")


class _Body(Answer):
    data: str
    size: int = 0


@EMAIL.read(
    "getAttachment",
    GetAttachment,
    AttachmentContent,
    scopes=(api.READ,),
    pace=(Limit(api.per_min(20), per_s=60.0, of="action"),),
    limits=("5 quota units, perhaps 20",),
)
def get_attachment(call: Call, data: GetAttachment) -> AttachmentContent:
    """Fetch a file that came with a message."""
    path = f"messages/{data.message_id}/attachments/{data.attachment_id}"
    content = decoded(api.gmail(call).get(_Body, "users.messages.attachments.get", path).data)
    if content is None:
        raise Unavailable("users.messages.attachments.get: the content is no base64")
    return AttachmentContent(size=len(content), content_base64=base64.b64encode(content).decode())
