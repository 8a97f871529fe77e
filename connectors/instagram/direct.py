"""Direct messages: answers to people who wrote first.

Instagram takes no idempotency key for them. The conversation shows what was sent; but that it does not show a message
is no proof that it never will, so a message which is not found is not sent again: a person has to look.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pydantic import Field, field_validator

from connectors.dialects.meta_graph import NodeId
from connectors.instagram import api
from connectors.instagram.platform import INSTAGRAM
from connectors.kit import clock
from connectors.kit.action import Input, LookUp, Output
from connectors.kit.call import Call
from connectors.kit.errors import InvalidRequest, OutcomeUnknown, looking

_MAX_BYTES = 1000


class RespondDM(Input):
    """An answer to a person who wrote to the account within the last 24 hours."""

    to: NodeId = Field(description="The person's Instagram-scoped id, as their message brought it.")
    text: str = Field(min_length=1, max_length=_MAX_BYTES, description="Text, at most 1,000 bytes of UTF-8.")

    @field_validator("text")
    @classmethod
    def _fits(cls, text: str) -> str:
        if len(text.encode()) > _MAX_BYTES:
            raise ValueError(f"may hold at most {_MAX_BYTES} bytes of UTF-8")
        return text


class DirectMessage(Output):
    """A message in a conversation."""

    message_id: str

    def provider_id(self) -> str:
        """The message's id."""
        return self.message_id


def _alike(data: RespondDM) -> str:
    return json.dumps([data.to, data.text])


def _find(call: Call, data: RespondDM) -> DirectMessage:
    """The message of that text in the conversation with that person.

    Raises:
        OutcomeUnknown: It is not there (yet), or there are several.
    """
    assert call.first_sent_at is not None
    since_at = call.first_sent_at - clock.SKEW
    with looking():
        found = [row for row in _conversation(call, data.to) if _is_ours(row, call, data.text, since_at)]
    taken = call.ledger.taken([row["id"] for row in found])
    free = [row["id"] for row in found if row["id"] not in taken]
    if len(free) == 1:
        return DirectMessage(message_id=free[0])
    if free:
        raise OutcomeUnknown(f"ambiguous: {len(free)} messages to this person could be this one")
    raise OutcomeUnknown("the conversation does not show the message, which may only be late; look into the inbox")


def _is_ours(row: dict[str, Any], call: Call, text: str, since_at: datetime) -> bool:
    sender = (row.get("from") or {}).get("id")
    written_at = datetime.fromisoformat(row["created_time"]) if row.get("created_time") else None
    # Of older messages than the last twenty only the ids are shown.
    return sender == _mailbox(call) and row.get("message") == text and written_at is not None and written_at >= since_at


def _conversation(call: Call, person: str) -> Iterator[dict[str, Any]]:
    fields = "messages{id,created_time,from,message}"
    path = f"{_mailbox(call)}/conversations"
    found = api.graph(call).get(path, needs=("data",), platform="instagram", user_id=person, fields=fields)
    for one in found["data"]:
        yield from (one.get("messages") or {}).get("data", ())


def _mailbox(call: Call) -> str:
    """Whose messages it is: the account's, or with Facebook Login its Page's.

    Raises:
        InvalidRequest: The connection does not name the Page.
    """
    account = api.account(call)
    if account.login == "instagram":
        return account.ig_user_id
    if account.page_id is None:
        raise InvalidRequest("page_id: with Facebook Login the connection's settings must name the Page")
    return account.page_id


@INSTAGRAM.action(
    "respondDM",
    RespondDM,
    DirectMessage,
    repeat=LookUp(_find, settle_after_s=60.0, alike=_alike),
    why="Instagram takes no idempotency key, but shows the conversation; what it does not show is not repeated.",
    scopes=("instagram_business_basic", "instagram_business_manage_messages"),
    limits=("only within 24 h after the person's last message", "100 messages/s per account"),
)
def respond_dm(call: Call, data: RespondDM) -> DirectMessage:
    """Answer a person's direct message."""
    body = {"recipient": {"id": data.to}, "message": {"text": data.text, "metadata": call.key}}
    sent = api.graph(call).post(f"{_mailbox(call)}/messages", body, effect=True, needs=("message_id",))
    return DirectMessage(message_id=str(sent["message_id"]))
