"""Messages through the connection's webhook, under any name.

Webhooks take no nonce. After an unknown outcome the bot of the same connection reads the webhook's channel, if there is
one and the settings name the channel; else a person has to look.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator

from connectors.discord import errors, web
from connectors.discord.content import Content, NewContent, alike, shows
from connectors.discord.editing import OF_MESSAGE, edited_body
from connectors.discord.files import fetched
from connectors.discord.history import ShownMessage, shown
from connectors.discord.messages import Message, check_readable, message_of, only, posted_since
from connectors.discord.platform import DISCORD, SETTLE_AFTER_S, DiscordSettings, Done, Snowflake
from connectors.kit import clock
from connectors.kit.action import Input, Limit, LookUp, Resend
from connectors.kit.call import Call
from connectors.kit.errors import NotFound, OutcomeUnknown, looking
from connectors.kit.fields import HttpsUrl

_LIMITS = ("about 30 messages per minute and channel; Discord does not tell this one ahead",)
_PACE = (Limit(5, per_s=2, of="action"), Limit(30, per_s=60, of="action"))
IN_THREAD = Field(default=None, description="Thread of the webhook's channel.")


class SendWebhookMessage(NewContent):
    """A message through the connection's webhook."""

    username: str | None = Field(default=None, min_length=1, max_length=80, description="Name it is posted under.")
    avatar_url: HttpsUrl | None = Field(default=None, description="Picture it is posted under.")
    thread_id: Snowflake | None = IN_THREAD
    thread_name: str | None = Field(
        default=None, min_length=1, max_length=100, description="Begin a thread of this name; forums only."
    )
    applied_tags: tuple[Snowflake, ...] = Field(default=(), max_length=5, description="Tags of the new thread.")

    @field_validator("username")
    @classmethod
    def _is_allowed(cls, name: str | None) -> str | None:
        if name is not None and ("clyde" in name.lower() or "discord" in name.lower()):
            raise ValueError('may not contain "clyde" or "discord"')
        return name

    @field_validator("thread_name")
    @classmethod
    def _no_thread_yet(cls, name: str | None, info: Any) -> str | None:
        if name is not None and info.data.get("thread_id") is not None:
            raise ValueError("give thread_id or thread_name, not both")
        return name


def _place(data: SendWebhookMessage) -> str:
    return f"webhook {data.thread_id or data.thread_name or ''}"


def _find(call: Call, data: SendWebhookMessage) -> Message | None:
    """The webhook's message of these words in its channel or thread.

    Raises:
        OutcomeUnknown: Several could be it, or nobody can look.
    """
    if call.first_sent_at is None:
        return None
    hook_id, _ = call.credential_as(web.DiscordCredential).webhook()
    channel = data.thread_id or call.settings_as(DiscordSettings).webhook_channel_id
    if channel is None or data.thread_name is not None or call.credential_as(web.DiscordCredential).bot_token is None:
        raise OutcomeUnknown(
            "a webhook cannot be asked what it posted. Look into the channel; a connection with bot_token and "
            "webhook_channel_id does so by itself, new threads apart"
        )
    with looking(), web.reading():
        found = list(posted_since(call, channel, call.first_sent_at - clock.SKEW))
        if not found:
            check_readable(call, channel)
        ours = [message_of(one) for one in found if one.get("webhook_id") == hook_id and shows(one, data)]
    return only(call, ours)


@DISCORD.action(
    "sendWebhookMessage",
    SendWebhookMessage,
    Message,
    repeat=LookUp(_find, settle_after_s=SETTLE_AFTER_S, alike=lambda data: alike(_place(data), data)),
    why="A webhook takes no key and tells nothing, but the bot can read what it posted.",
    pace=_PACE,
    scopes=("the webhook's address", "READ_MESSAGE_HISTORY for the bot that looks"),
    limits=_LIMITS,
)
def send_webhook_message(call: Call, data: SendWebhookMessage) -> Message:
    """Post a message through the connection's webhook."""
    body = {
        **data.body(),
        "username": data.username,
        "avatar_url": data.avatar_url,
        "thread_name": data.thread_name,
        "applied_tags": list(data.applied_tags) or None,
    }
    # Without wait, Discord answers before it has posted anything, and says nothing of errors.
    params = {"wait": True, "thread_id": data.thread_id, "with_components": True if data.components else None}
    parts = fetched(call, data.files)
    posted = web.ask_webhook(
        call, "POST", effect=True, body=body, params=params, parts=parts, needs=("id", "channel_id")
    )
    return message_of(posted)


class WebhookMessageRef(Input):
    """A message of the connection's webhook, by its id."""

    message: Snowflake = OF_MESSAGE
    thread_id: Snowflake | None = IN_THREAD


@DISCORD.read("getWebhookMessage", WebhookMessageRef, ShownMessage)
def get_webhook_message(call: Call, data: WebhookMessageRef) -> ShownMessage:
    """Read a message that the webhook has posted."""
    params = {"thread_id": data.thread_id}
    found = web.ask_webhook(call, "GET", f"/messages/{data.message}", effect=False, params=params, needs=("id",))
    with web.reading():
        return shown(found)


class EditWebhookMessage(Content):
    """The new content of a message of the webhook: text, embeds and components are all set anew."""

    message: Snowflake = OF_MESSAGE
    thread_id: Snowflake | None = IN_THREAD


@DISCORD.action(
    "editWebhookMessage",
    EditWebhookMessage,
    Message,
    repeat=Resend(),
    why="It sets the content: twice is the same as once.",
)
def edit_webhook_message(call: Call, data: EditWebhookMessage) -> Message:
    """Replace the content of a message that the webhook has posted."""
    edited = web.ask_webhook(
        call,
        "PATCH",
        f"/messages/{data.message}",
        effect=True,
        body=edited_body(data),
        params={"thread_id": data.thread_id},
        needs=("id", "channel_id"),
    )
    return message_of(edited)


@DISCORD.action(
    "deleteWebhookMessage",
    WebhookMessageRef,
    Done,
    repeat=Resend(),
    why="Deleting twice is the same as once.",
)
def delete_webhook_message(call: Call, data: WebhookMessageRef) -> Done:
    """Delete a message that the webhook has posted."""
    params = {"thread_id": data.thread_id}
    try:
        web.ask_webhook(call, "DELETE", f"/messages/{data.message}", effect=True, params=params)
    except NotFound as refused:
        if refused.code != errors.UNKNOWN_MESSAGE or call.first_sent_at is None:
            raise
    return Done()
