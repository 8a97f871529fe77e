"""Mails that tests send, and what they read back."""

from __future__ import annotations

import uuid
from typing import Any

from connectors.email.composing import NewMail
from connectors.email.drafts import Draft, DraftList
from connectors.email.messages import MailMessage
from connectors.email.sending import Sent
from connectors.registry import action
from tests.contract.conftest import Performer

SEND = action("email.sendEmail")


def new_address() -> str:
    """An address that no other test writes to."""
    return f"ada.{uuid.uuid4().hex[:12]}@example.org"


def mail(to: str | list[str], **more: Any) -> NewMail:
    return NewMail.model_validate({"to": to, "subject": "Spring sale", "text": "Hello Ada", **more})


def send(performer: Performer, to: str, **more: Any) -> Sent:
    found = performer.perform(SEND, performer.call("email"), mail(to, **more))
    assert isinstance(found, Sent)
    return found


def got(performer: Performer, message_id: str) -> MailMessage:
    found = performer.do("email.getMessage", message_id=message_id)
    assert isinstance(found, MailMessage)
    return found


def drafts_to(performer: Performer, to: str) -> list[Draft]:
    found = performer.do("email.listDrafts", query=f"to:{to}")
    assert isinstance(found, DraftList)
    return [*found.drafts]
