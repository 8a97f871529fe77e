"""Inputs of email that work against a fresh sandbox."""

from __future__ import annotations

from typing import Any

from tests.contract.case import Case, text
from tests.contract.conftest import Performer


def _mail(performer: Performer, recipient: str) -> dict[str, Any]:
    address = f"ana.{recipient.removeprefix('+')}@example.org"
    return {"to": [f"Ana Ruiz <{address}>"], "subject": text(), "text": text(), "html": "<p>Sale</p>"}


def _draft(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"draft_id": performer.do("email.createDraft", **_mail(performer, recipient)).provider_id()}


def _sent(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"message_id": performer.do("email.sendEmail", **_mail(performer, recipient)).provider_id()}


def _labels(performer: Performer, recipient: str) -> dict[str, Any]:
    return {**_sent(performer, recipient), "add_label_ids": ["STARRED"]}


def _topic(performer: Performer, recipient: str) -> dict[str, Any]:
    return {"topic": "projects/acme-mail/topics/gmail-push"}


def _nothing(performer: Performer, recipient: str) -> dict[str, Any]:
    return {}


CASES = (
    Case("email.sendEmail", "sendDraft", _mail, once=True),
    Case("email.sendDraft", "sendDraft", _draft, once=True, counted="sendEmail"),
    Case("email.createDraft", "createDraft", _mail, once=True),
    Case("email.deleteDraft", "deleteDraft", _draft, once=False, empty_answer=True),
    Case("email.modifyLabels", "modifyMessage", _labels, once=False),
    Case("email.trashMessage", "trashMessage", _sent, once=False),
    Case("email.watchMailbox", "watchMailbox", _topic, once=False),
    Case("email.stopWatch", "stopWatch", _nothing, once=False, empty_answer=True),
)
