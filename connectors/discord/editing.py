"""What can be done with a message that the bot has posted? Changing, deleting, publishing."""

from __future__ import annotations

from pydantic import Field

from connectors.discord import errors, web
from connectors.discord.content import Content
from connectors.discord.messages import Message, message_of
from connectors.discord.platform import DISCORD, IN_CHANNEL, Done, Snowflake
from connectors.kit.action import Input, Limit, Resend
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, NotFound

OF_MESSAGE = Field(description="The message's id, as sendMessage gave it.")


class MessageRef(Input):
    """A message by channel and id."""

    channel: Snowflake = IN_CHANNEL
    message: Snowflake = OF_MESSAGE


class EditMessage(Content):
    """The new content of a message: text, embeds and components are all set anew."""

    channel: Snowflake = IN_CHANNEL
    message: Snowflake = OF_MESSAGE


def edited_body(data: Content) -> dict[str, object]:
    """The whole content: what is not given is emptied, and mentions are told again or Discord would notify."""
    body = data.body()
    emptied = {} if data.layout else {"content": data.content or "", "embeds": body["embeds"] or []}
    return {**body, **emptied, "components": body["components"] or [], "flags": data.flags()}


@DISCORD.action(
    "editMessage",
    EditMessage,
    Message,
    repeat=Resend(),
    why="It sets the content: twice is the same as once.",
    target=lambda data: data.channel,
    scopes=("VIEW_CHANNEL",),
    limits=("only the bot's own messages", "messages older than an hour: few edits, then a wait"),
)
def edit_message(call: Call, data: EditMessage) -> Message:
    """Replace the content of a message that the bot has posted."""
    path = f"channels/{data.channel}/messages/{data.message}"
    edited = web.ask(call, "PATCH", path, effect=True, body=edited_body(data), needs=("id", "channel_id"))
    return message_of(edited)


@DISCORD.action(
    "deleteMessage",
    MessageRef,
    Done,
    repeat=Resend(),
    why="Deleting twice is the same as once.",
    target=lambda data: data.channel,
    scopes=("MANAGE_MESSAGES for messages of others",),
)
def delete_message(call: Call, data: MessageRef) -> Done:
    """Delete a message."""
    try:
        web.ask(call, "DELETE", f"channels/{data.channel}/messages/{data.message}", effect=True)
    except NotFound as refused:
        # An earlier attempt may have deleted it; what was never there is an error.
        if refused.code != errors.UNKNOWN_MESSAGE or call.first_sent_at is None:
            raise
    return Done()


@DISCORD.action(
    "crosspostMessage",
    MessageRef,
    Message,
    repeat=Resend(),
    why="A message is published once; Discord says of a repeat that it is published already.",
    target=lambda data: data.channel,
    pace=(Limit(10, per_s=3600, of="target"),),
    scopes=("SEND_MESSAGES",),
    limits=("announcement channels only", "10 an hour per channel"),
)
def crosspost_message(call: Call, data: MessageRef) -> Message:
    """Publish a message of an announcement channel to the servers that follow it."""
    path = f"channels/{data.channel}/messages/{data.message}/crosspost"
    try:
        return message_of(web.ask(call, "POST", path, effect=True, needs=("id", "channel_id")))
    except InvalidRequest as refused:
        if refused.code != errors.ALREADY_CROSSPOSTED:
            raise
        return Message(id=data.message, channel=data.channel)
