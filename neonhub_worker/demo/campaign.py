"""What is to be sent to whom? Reads a campaign folder and turns it into requests."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import phonenumbers
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from neonhub_worker.errors import FieldError, InvalidInput
from neonhub_worker.requests import RunRequest, field_errors

_COLUMNS = {"id", "first_name", "phone", "country", "locale", "consent", "segment"}


class Message(BaseModel):
    """One message of a campaign: to every contact, or one for all.

    Attributes:
        input: The action's input. Texts in it may hold placeholders; one that begins with ``@`` names a template.
        to: ``contacts`` for one message each, with their columns as placeholders.
        segment: Only contacts of this segment.
        after_s: Seconds after the start of the campaign.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    action: str
    connection: str
    input: dict[str, Any]
    to: str | None = Field(default=None, pattern="^contacts$")
    segment: str | None = None
    after_s: float = Field(default=0, ge=0)


class CampaignFile(BaseModel):
    """``campaign.yaml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    organization: str
    contacts: str
    messages: list[Message] = Field(min_length=1)


@dataclass(frozen=True)
class Contact:
    """A person who may be written to; ``phone`` is E.164."""

    id: str
    phone: str
    fields: dict[str, str]


@dataclass(frozen=True)
class Refusal:
    """A line of the contacts file that nothing is sent for."""

    line: int
    reason: str


@dataclass(frozen=True)
class Campaign:
    """A campaign folder, read and checked."""

    folder: Path
    file: CampaignFile
    contacts: list[Contact]
    opted_out: list[str]
    refused: list[Refusal]


def load(folder: Path, *, limit: int | None = None) -> Campaign:
    """Read a campaign folder.

    Args:
        limit: Use only this many contacts.

    Raises:
        InvalidInput: Names the file, the place in it and the rule.
    """
    path = folder / "campaign.yaml"
    try:
        file = CampaignFile.model_validate(yaml.safe_load(_read(path)))
    except yaml.YAMLError as error:
        raise InvalidInput([FieldError(str(path), f"must be YAML ({' '.join(str(error).split())})")]) from None
    except ValidationError as error:
        raise InvalidInput(field_errors(error, where=f"{path.name}: ")) from None
    contacts: dict[str, Contact] = {}
    opted_out: list[str] = []
    refused: list[Refusal] = []
    for line, row in _rows(folder / file.contacts):
        phone = _e164(row["phone"], row["country"])
        if phone is None:
            refused.append(Refusal(line, "not a phone number"))
        elif row["consent"].strip().lower() != "yes":
            opted_out.append(phone)
            refused.append(Refusal(line, "opted out (contacts file)"))
        elif phone in contacts:
            refused.append(Refusal(line, "listed twice"))
        elif limit is None or len(contacts) < limit:
            contacts[phone] = Contact(row["id"], phone, row)
    return Campaign(folder, file, list(contacts.values()), opted_out, refused)


def requests(campaign: Campaign, *, occasion: str, now: datetime) -> list[RunRequest]:
    """The campaign's requests; the same occasion gives the same idempotency keys, made of ids only.

    Args:
        occasion: Name of this sending; another one sends again.
        now: What ``after_s`` counts from.

    Raises:
        InvalidInput: A template is missing or uses an unknown column.
    """
    return [request for message in campaign.file.messages for request in _of_message(campaign, message, occasion, now)]


def _of_message(campaign: Campaign, message: Message, occasion: str, now: datetime) -> Iterator[RunRequest]:
    at = now + timedelta(seconds=message.after_s) if message.after_s else None
    key = f"{campaign.file.name}:{occasion}:{message.id}"
    if message.to is None:
        yield _request(campaign, message, {"occasion": occasion[:8]}, key, at)
        return
    for contact in campaign.contacts:
        if message.segment in (None, contact.fields["segment"]):
            fields = {**contact.fields, "phone": contact.phone, "occasion": occasion[:8]}
            yield _request(campaign, message, fields, f"{key}:{contact.id}", at)


def _request(campaign: Campaign, message: Message, fields: dict[str, str], key: str, at: datetime | None) -> RunRequest:
    return RunRequest(
        action=message.action,
        organization_id=campaign.file.organization,
        connection=message.connection,
        input={name: _filled(campaign.folder, value, fields) for name, value in message.input.items()},
        idempotency_key=key,
        at=at,
    )


def _filled(folder: Path, value: Any, fields: dict[str, str]) -> Any:
    """A part of an input with its texts filled in."""
    if isinstance(value, list):
        return [_filled(folder, one, fields) for one in value]
    if isinstance(value, dict):
        return {name: _filled(folder, one, fields) for name, one in value.items()}
    return _text(folder, value, fields) if isinstance(value, str) else value


def _text(folder: Path, text: str, fields: dict[str, str]) -> str:
    where = text.removeprefix("@")
    try:
        filled = where.format_map(fields)
        return _read(folder / filled).strip().format_map(fields) if text.startswith("@") else filled
    except (KeyError, IndexError, ValueError) as error:
        rule = f"uses a placeholder that is no column of the contacts ({error})"
        raise InvalidInput([FieldError(where, rule)]) from None


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(_read(path).splitlines(), restval="")
    missing = _COLUMNS - set(reader.fieldnames or ())
    if missing:
        raise InvalidInput([FieldError(path.name, f"has no column {', '.join(sorted(missing))}")])
    for row in reader:
        yield reader.line_num, row


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InvalidInput([FieldError(str(path), "is not there")]) from None
    except UnicodeDecodeError:
        raise InvalidInput([FieldError(str(path), "must be UTF-8 text")]) from None


def _e164(text: str, country: str) -> str | None:
    """A number as people write it in their country; None if it is none."""
    spelled = "+" + text[2:] if text.startswith("00") else text
    try:
        number = phonenumbers.parse(spelled, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
