"""Messages that Slack keeps and posts later.

One that carries metadata is accepted and then never posted, so these carry no mark and are compared by channel, time
and text. One run per channel and second is in flight at a time.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from connectors.kit import clock
from connectors.kit.action import Input, LookUp, Output, Resend
from connectors.kit.call import Call
from connectors.kit.errors import OutcomeUnknown, looking
from connectors.kit.fields import Ahead, UtcDatetime
from connectors.slack import web
from connectors.slack.platform import (
    BLOCKS,
    IN_CHANNEL,
    MARKUP,
    SETTLE_AFTER_S,
    SLACK,
    THREAD,
    Block,
    ChannelId,
    Done,
    Text,
    Timestamp,
    gone_after,
)

AHEAD = Ahead(soonest=timedelta(seconds=60), latest=timedelta(days=120))


class ScheduleMessage(Input):
    """A message that Slack keeps and posts later. It is listed by its text, so text is always needed."""

    channel: ChannelId = IN_CHANNEL
    text: Text = MARKUP
    post_at: Annotated[UtcDatetime, AfterValidator(AHEAD.accept)] = Field(
        description="When Slack posts it, with offset: at most 120 days ahead; whole seconds."
    )
    blocks: tuple[Block, ...] = BLOCKS
    thread_ts: Timestamp | None = THREAD
    unfurl_links: bool = Field(default=False, description="Show previews of links.")
    unfurl_media: bool = Field(default=False, description="Show previews of media.")


class Scheduled(Output):
    """A message that Slack keeps."""

    scheduled_message_id: str
    channel: str
    post_at: datetime

    def provider_id(self) -> str:
        """The scheduled message's id."""
        return self.scheduled_message_id


_LINK, _SCHEME = re.compile(r"<([^|<>\s]+)(?:\|[^<>]*)?>"), re.compile(r"https?://|mailto:|tel:")
_NAMED_PICTURE = re.compile(r":[a-z0-9_+'-]+:")


def _folded(text: str) -> str:
    """A text as it is compared.

    Slack escapes signs, puts addresses into angle brackets, with a scheme and a label of its own, and writes pictures
    by name.
    """
    plain = _SCHEME.sub("", _LINK.sub(r"\1", text))
    for written, sign in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        plain = plain.replace(written, sign)
    return "".join(sign for sign in _NAMED_PICTURE.sub("", plain) if _is_written(sign))


def _is_written(sign: str) -> bool:
    # Pictures are symbols, with modifiers, joiners and variation selectors around them.
    return not sign.isspace() and unicodedata.category(sign) not in ("So", "Sk", "Cf", "Cn") and sign != "\ufe0f"


def _slot(data: ScheduleMessage) -> str:
    return f"{data.channel} {int(data.post_at.timestamp())}"


def _find_scheduled(call: Call, data: ScheduleMessage) -> Scheduled | None:
    """The scheduled message of that channel, second and text."""
    if call.first_sent_at is None:
        return None
    since, post_at = (call.first_sent_at - clock.SKEW).timestamp(), int(data.post_at.timestamp())
    with looking():
        rows = list(_scheduled_rows(call, data.channel))
    slot = [row for row in rows if int(row["post_at"]) == post_at and int(row["date_created"]) >= since]
    taken = call.ledger.taken([row["id"] for row in slot])
    free = [row for row in slot if row["id"] not in taken]
    same = [row for row in free if _folded(row.get("text") or "") == _folded(data.text)]
    if len(same) == 1:
        return _scheduled(same[0])
    if free:
        # Slack may rewrite a text in ways we do not know: another text is no proof that it is another message.
        raise OutcomeUnknown(f"ambiguous: {len(free)} scheduled messages of that second could be this one")
    if data.post_at - clock.now() < AHEAD.soonest + clock.SKEW:
        # Slack's clock may be ahead of ours: it may be posted already, and the list shows it no more.
        raise OutcomeUnknown("its time has come, so the list may not show it any more; look into the channel")
    return None


def _scheduled_rows(call: Call, channel: str | None) -> list[dict[str, Any]]:
    rows = web.listed(call, "chat.scheduledMessages.list", "scheduled_messages", channel=channel, limit=100)
    return [row for row in rows if channel in (None, row["channel_id"])]


def _scheduled(row: dict[str, Any]) -> Scheduled:
    post_at = datetime.fromtimestamp(int(row["post_at"]), UTC)
    return Scheduled(scheduled_message_id=row["id"], channel=row["channel_id"], post_at=post_at)


@SLACK.action(
    "scheduleMessage",
    ScheduleMessage,
    Scheduled,
    repeat=LookUp(_find_scheduled, settle_after_s=SETTLE_AFTER_S, alike=_slot),
    why="Slack takes no mark on scheduled messages, but lists them with channel, time and text.",
    scopes=("chat:write",),
    limits=("at most 120 days ahead", "30 messages per 5 minutes and channel"),
)
def schedule_message(call: Call, data: ScheduleMessage) -> Scheduled:
    """Hand a message to Slack that it posts later."""
    AHEAD.check("post_at", data.post_at)
    body = {
        **data.model_dump(mode="json", exclude_none=True, exclude={"blocks", "post_at"}),
        "blocks": list(data.blocks) or None,
        "post_at": int(data.post_at.timestamp()),
    }
    kept = web.post(
        call, "chat.scheduleMessage", body, effect=True, needs=("scheduled_message_id", "channel", "post_at")
    )
    return _scheduled({"id": kept["scheduled_message_id"], "channel_id": kept["channel"], "post_at": kept["post_at"]})


class ScheduledRef(Input):
    """A scheduled message by its id."""

    channel: ChannelId = IN_CHANNEL
    scheduled_message_id: str = Field(pattern=r"^Q[A-Z0-9]{8,}$", description="As scheduleMessage gave it.")


@SLACK.action(
    "cancelScheduled",
    ScheduledRef,
    Done,
    repeat=Resend(),
    why="Cancelling twice is the same as once.",
    scopes=("chat:write",),
)
def cancel_scheduled(call: Call, data: ScheduledRef) -> Done:
    """Cancel a scheduled message that has not been posted yet."""
    return gone_after(call, "chat.deleteScheduledMessage", data, gone="invalid_scheduled_message_id")


class ListScheduled(Input):
    """Whose scheduled messages to list."""

    channel: ChannelId | None = Field(default=None, description="Only those for this channel.")


class ListedScheduled(Scheduled):
    """A scheduled message in a list."""

    text: str | None


class ScheduledList(Output):
    """What this bot has scheduled; nobody else's is shown."""

    messages: tuple[ListedScheduled, ...]


@SLACK.read("listScheduled", ListScheduled, ScheduledList)
def list_scheduled(call: Call, data: ListScheduled) -> ScheduledList:
    """List the messages that this bot has scheduled."""
    rows = _scheduled_rows(call, data.channel)
    return ScheduledList(
        messages=tuple(ListedScheduled(**_scheduled(row).model_dump(), text=row.get("text")) for row in rows)
    )
