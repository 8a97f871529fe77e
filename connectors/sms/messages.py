"""What became of a message? Its status, its cancelling, its deletion, and lists."""

from __future__ import annotations

from pydantic import Field

from connectors.dialects import twilio
from connectors.dialects.phone import PhoneNumber
from connectors.dialects.twilio_messages import ListedMessage, MessageSid, MessageStatus, Sender, listed, status_of
from connectors.kit.action import Input, Output, Resend
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, NotFound
from connectors.kit.fields import UtcDatetime
from connectors.sms.platform import SMS


class MessageRef(Input):
    """A message by its id."""

    sid: MessageSid = Field(description="Twilio's id of the message, SM... or MM...")


@SMS.read("getMessageStatus", MessageRef, MessageStatus)
def get_message_status(call: Call, data: MessageRef) -> MessageStatus:
    """Tell how far a message has come, and why it was not delivered."""
    with twilio.speaking(effect=False):
        return status_of(twilio.client(call).messages(data.sid).fetch())


@SMS.action(
    "cancelScheduled",
    MessageRef,
    MessageStatus,
    repeat=Resend(),
    why="Cancelling twice is the same as cancelling once.",
)
def cancel_scheduled(call: Call, data: MessageRef) -> MessageStatus:
    """Cancel a scheduled message; if it is too late, tell its true status."""
    message = twilio.client(call).messages(data.sid)
    try:
        with twilio.speaking(effect=True):
            return status_of(message.update(status="canceled"))
    except InvalidRequest as refused:
        if refused.code != "30409":
            raise
    with twilio.speaking(effect=False):
        return status_of(message.fetch())


class Deleted(Output):
    """A message whose record is gone."""

    sid: str


@SMS.action(
    "deleteMessage",
    MessageRef,
    Deleted,
    repeat=Resend(),
    why="A record that is deleted twice is as gone as after once.",
)
def delete_message(call: Call, data: MessageRef) -> Deleted:
    """Delete the record of a message that is over; nobody can read it back afterwards."""
    try:
        with twilio.speaking(effect=True):
            twilio.client(call).messages(data.sid).delete()
    except NotFound:
        # The first attempt may have deleted it; only a sid that was never there is an error.
        if call.first_sent_at is None:
            raise
    return Deleted(sid=data.sid)


class ListMessages(Input):
    """Which messages to list; newest first."""

    to: PhoneNumber | None = Field(default=None, description="Only those to this number.")
    from_: Sender | None = Field(default=None, description="Only those from this sender.")
    sent_after: UtcDatetime | None = Field(
        default=None, description="Only those sent then or later; hides unsent ones."
    )
    sent_before: UtcDatetime | None = Field(
        default=None, description="Only those sent then or earlier; hides unsent ones."
    )
    limit: int = Field(default=50, ge=1, le=1000, description="At most so many.")


class MessagePage(Output):
    """The newest messages that fit."""

    messages: tuple[ListedMessage, ...]


@SMS.read("listMessages", ListMessages, MessagePage)
def list_messages(call: Call, data: ListMessages) -> MessagePage:
    """List messages of the account, newest first."""
    filters = {
        "to": data.to,
        "from_": data.from_,
        "date_sent_after": data.sent_after,
        "date_sent_before": data.sent_before,
    }
    given = {name: value for name, value in filters.items() if value is not None}
    with twilio.speaking(effect=False):
        found = twilio.client(call).messages.stream(limit=data.limit, page_size=min(data.limit, 200), **given)
        return MessagePage(messages=tuple(listed(one) for one in found))
