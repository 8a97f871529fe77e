"""The mailbox itself: whose it is, what it may send as, and what has changed in it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from connectors.dialects.google_api import Answer
from connectors.email import api
from connectors.email.api import GmailId, LabelId
from connectors.email.messages import PageToken
from connectors.email.platform import EMAIL
from connectors.kit.action import Input, Limit, Output, Resend
from connectors.kit.call import Call
from connectors.kit.errors import NotFound

HistoryId = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")]
Change = Literal["messageAdded", "messageDeleted", "labelAdded", "labelRemoved"]


class Nothing(Input):
    """Nothing: the connection says all."""


class Profile(Output):
    """A mailbox."""

    email_address: str
    messages_total: int
    threads_total: int
    history_id: str = Field(description="From here on listHistory tells what changed.")


class _Profile(Answer):
    email_address: str
    history_id: HistoryId
    messages_total: int = 0
    threads_total: int = 0


@EMAIL.read(
    "getProfile",
    Nothing,
    Profile,
    scopes=(api.COMPOSE,),
    pace=(Limit(api.per_min(1), per_s=60.0, of="action"),),
    limits=("1 quota unit",),
)
def get_profile(call: Call, data: Nothing) -> Profile:
    """Tell whose mailbox it is, and how much is in it."""
    found = api.gmail(call).get(_Profile, "users.getProfile", "profile")
    return Profile.model_validate(found.model_dump())


class Alias(Output):
    """An address that the mailbox can send as."""

    address: str
    display_name: str
    is_default: bool
    accepted: bool = Field(description="Whether mail may be sent as it; not before its owner has agreed.")
    reply_to: str | None


class AliasList(Output):
    """All addresses that the mailbox can send as."""

    aliases: tuple[Alias, ...]


@EMAIL.read("checkAliases", Nothing, AliasList, scopes=(api.READ,))
def check_aliases(call: Call, data: Nothing) -> AliasList:
    """List the addresses that mail may be sent as; any other From is replaced by Gmail."""
    aliases = tuple(
        Alias(
            address=one.send_as_email,
            display_name=one.display_name,
            is_default=one.is_default,
            accepted=one.is_accepted,
            reply_to=one.reply_to_address or None,
        )
        for one in api.send_as(api.gmail(call))
    )
    return AliasList(aliases=aliases)


class ListHistory(Input):
    """Since when, and which changes."""

    start_history_id: HistoryId = Field(description="As getProfile, watchMailbox or the last listHistory gave it.")
    changes: tuple[Change, ...] = Field(default=(), max_length=4, description="Only these kinds; all if left out.")
    label_id: LabelId | None = Field(default=None, description="Only messages with this label.")
    limit: int = Field(default=100, ge=1, le=500, description="Most entries of a page.")
    page_token: PageToken | None = Field(default=None, description="next_page_token of the page before.")


class Changed(Output):
    """One change of one message."""

    change: Change
    message_id: str
    thread_id: str
    label_ids: tuple[str, ...] = Field(description="Of a label change those that came or went, else the message's.")


class History(Output):
    """What has changed, the oldest first."""

    changed: tuple[Changed, ...]
    history_id: str = Field(description="Where to go on the next time, once there is no further page.")
    next_page_token: str | None


class _Reference(Answer):
    id: GmailId
    thread_id: GmailId
    label_ids: tuple[str, ...] = ()


class _Changed(Answer):
    message: _Reference
    label_ids: tuple[str, ...] | None = None


class _Entry(Answer):
    messages_added: tuple[_Changed, ...] = ()
    messages_deleted: tuple[_Changed, ...] = ()
    labels_added: tuple[_Changed, ...] = ()
    labels_removed: tuple[_Changed, ...] = ()


class _HistoryPage(Answer):
    history: tuple[_Entry, ...] = ()
    history_id: HistoryId
    next_page_token: PageToken | None = None


@EMAIL.read(
    "listHistory",
    ListHistory,
    History,
    scopes=(api.READ,),
    pace=(Limit(api.per_min(2), per_s=60.0, of="action"),),
    limits=("2 quota units", "kept for about a week"),
)
def list_history(call: Call, data: ListHistory) -> History:
    """List what has changed in the mailbox, such as answers that came."""
    try:
        page = api.gmail(call).get(
            _HistoryPage,
            "users.history.list",
            "history",
            startHistoryId=data.start_history_id,
            historyTypes=list(data.changes) or None,
            labelId=data.label_id,
            maxResults=data.limit,
            pageToken=data.page_token,
        )
    except NotFound as gone:
        text = "start_history_id: is too old; list the messages anew and go on from getProfile"
        raise NotFound(text, code=gone.code, http_status=gone.http_status) from None
    changed = tuple(one for entry in page.history for one in _changes(entry))
    return History(changed=changed, history_id=page.history_id, next_page_token=page.next_page_token)


def _changes(entry: _Entry) -> list[Changed]:
    kinds: tuple[tuple[Change, tuple[_Changed, ...]], ...] = (
        ("messageAdded", entry.messages_added),
        ("messageDeleted", entry.messages_deleted),
        ("labelAdded", entry.labels_added),
        ("labelRemoved", entry.labels_removed),
    )
    return [
        Changed(
            change=kind,
            message_id=one.message.id,
            thread_id=one.message.thread_id,
            label_ids=one.message.label_ids if one.label_ids is None else one.label_ids,
        )
        for kind, found in kinds
        for one in found
    ]


class WatchMailbox(Input):
    """Where Gmail reports changes to."""

    topic: str = Field(
        pattern=r"^projects/[a-z0-9:.-]{1,100}/topics/[A-Za-z][A-Za-z0-9._~%+-]{2,254}$",
        description="Pub/Sub topic that gmail-api-push@system.gserviceaccount.com may publish to.",
    )
    label_ids: tuple[LabelId, ...] = Field(default=("INBOX",), max_length=100, description="Only changes with these.")


class Watch(Output):
    """A mailbox that reports its changes."""

    history_id: str = Field(description="From here on listHistory tells what changed.")
    expires_at: datetime = Field(description="When it stops reporting: 7 days; renew it daily.")


class _Watch(Answer):
    history_id: HistoryId
    expiration: int = Field(ge=0, le=253_402_300_799_000)


@EMAIL.action(
    "watchMailbox",
    WatchMailbox,
    Watch,
    repeat=Resend(),
    why="It sets where changes are reported to: twice is the same as once.",
    scopes=(api.READ,),
    limits=("ends after 7 days",),
)
def watch_mailbox(call: Call, data: WatchMailbox) -> Watch:
    """Let Gmail report changes of the mailbox to a Pub/Sub topic."""
    body = {
        "topicName": data.topic,
        "labelIds": list(data.label_ids) or None,
        "labelFilterBehavior": "include" if data.label_ids else None,
    }
    found = api.gmail(call).post(_Watch, "users.watch", "watch", body, effect=True)
    return Watch(history_id=found.history_id, expires_at=datetime.fromtimestamp(found.expiration / 1000, UTC))


class Stopped(Output):
    """It reports nothing any more."""

    stopped: Literal[True] = True


@EMAIL.action(
    "stopWatch",
    Nothing,
    Stopped,
    repeat=Resend(),
    why="Stopping twice is the same as once.",
    scopes=(api.READ,),
)
def stop_watch(call: Call, data: Nothing) -> Stopped:
    """Let Gmail report no changes any more."""
    api.gmail(call).change("POST", "users.stop", "stop")
    return Stopped()
