"""Who has opted out? Per organization, channel and address; each change stays on record with its source."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import phonenumbers
from sqlalchemy import Connection, text

from neonhub_worker.db.engine import transaction
from neonhub_worker.errors import FieldError, InvalidInput
from neonhub_worker.ledger import decisions

PHONE_CHANNELS = ("sms", "whatsapp")
ID_CHANNELS = ("discord", "x")
CHANNELS = (*PHONE_CHANNELS, "email", *ID_CHANNELS)
"""Every channel an address belongs to. An opt-out recorded under any other name would never be looked up."""

_ID = re.compile(r"[1-9][0-9]{0,19}")
_EMAIL = re.compile(r"[^@\s\x00]+@[^@\s\x00]+")

_YES = {"", "1", "true", "yes", "y"}
_NO = {"0", "false", "no", "n"}


@dataclass(frozen=True)
class OptOut:
    """Someone who must not be written to on a channel."""

    channel: str
    address: str
    since_at: datetime
    source: str


@dataclass(frozen=True)
class Imported:
    """What became of a file: how many lines were taken in, and which were not and why."""

    imported: int
    refused: list[FieldError] = field(default_factory=list)


# What was said last counts, whatever arrives last; of two wishes of one instant the opt-out does.
_RECORD = text(
    """
    with known as (
        select exists (select 1 from opt_out where organization_id = :organization_id
                       and channel = :channel and address = :address) as opted_out,
               coalesce((select case when :opted_out then cast(:said_at as timestamptz) < max(coalesce(said_at, at))
                                     else cast(:said_at as timestamptz) <= max(coalesce(said_at, at)) end
                         from consent_event where organization_id = :organization_id
                         and channel = :channel and address = :address), false) as overtaken
    ), logged as (
        insert into consent_event (organization_id, channel, address, opted_out, source, said_at)
        select :organization_id, :channel, :address, :opted_out, :source, :said_at from known
        where cast(:said_at as timestamptz) is not null or :opted_out <> known.opted_out
    ), gone as (
        delete from opt_out using known
        where not :opted_out and not known.overtaken and organization_id = :organization_id
              and channel = :channel and address = :address
    ), came as (
        insert into opt_out (organization_id, channel, address, source, since_at)
        select :organization_id, :channel, :address, :source, coalesce(cast(:said_at as timestamptz), now())
        from known where :opted_out and not known.overtaken
        on conflict do nothing
    )
    select overtaken from known
    """
)

# Two wishes of one person take turns, so that the later sees the earlier.
_TURN = text("select pg_advisory_xact_lock(hashtextextended(:who, 0))")


def record(
    organization_id: str,
    channel: str,
    address: str,
    *,
    opted_out: bool,
    source: str,
    said_at: datetime | None = None,
    connection: Connection | None = None,
) -> None:
    """Record that someone opted out or in; saying the same again changes nothing.

    An opt-out also cancels what waits to be sent to them.

    Args:
        source: How we know, such as ``"twilio 21610"`` or the wording and place of a consent.
        said_at: When the person said so (aware), if the platform tells; None: now. A wish that a later one has
            overtaken is kept as a proof and changes nothing.
        connection: The caller's transaction; None commits here.

    Raises:
        InvalidInput: There is no such channel, or the address does not fit it.
    """
    values = {
        "organization_id": organization_id,
        "channel": channel,
        "address": normalise(channel, address),
        "opted_out": opted_out,
        "source": source,
        "said_at": said_at,
    }
    with transaction(connection) as opened:
        if said_at is not None:
            opened.execute(_TURN, {"who": f"consent {organization_id} {channel} {values['address']}"})
        overtaken = opened.execute(_RECORD, values).scalar_one()
        if opted_out and not overtaken:
            decisions.call_off(
                opened, organization_id=organization_id, channel=channel, recipient=str(values["address"])
            )


def status(organization_id: str, channel: str, address: str, *, connection: Connection | None = None) -> OptOut | None:
    """The opt-out of an address, or None.

    Raises:
        InvalidInput: The address does not fit the channel.
    """
    query = text(
        "select channel, address, since_at, source from opt_out "
        "where organization_id = :organization_id and channel = :channel and address = :address"
    )
    values = {"organization_id": organization_id, "channel": channel, "address": normalise(channel, address)}
    with transaction(connection) as opened:
        row = opened.execute(query, values).mappings().first()
    return None if row is None else OptOut(**row)


def list_all(organization_id: str, *, connection: Connection | None = None) -> list[OptOut]:
    """Everyone of an organization who has opted out, the latest first."""
    query = text(
        "select channel, address, since_at, source from opt_out "
        "where organization_id = :organization_id order by since_at desc, address"
    )
    with transaction(connection) as opened:
        return [OptOut(**row) for row in opened.execute(query, {"organization_id": organization_id}).mappings()]


def normalise(channel: str, address: str) -> str:
    """The one spelling of an address: E.164 for phones, digits for people known by a platform's id, else lower case.

    Raises:
        InvalidInput: It is not an address of this channel.
    """
    if channel not in CHANNELS:
        raise InvalidInput([FieldError("channel", f"must be one of {', '.join(CHANNELS)}")])
    if channel in ID_CHANNELS:
        return _id(address)
    if channel not in PHONE_CHANNELS:
        return _email(address)
    try:
        number = phonenumbers.parse(address)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise InvalidInput([FieldError("address", "must be a phone number with + and country code")])
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _id(address: str) -> str:
    if not _ID.fullmatch(address.strip()):
        raise InvalidInput([FieldError("address", "must be the person's id on that platform: digits")])
    return address.strip()


def _email(address: str) -> str:
    if not _EMAIL.fullmatch(address.strip()):
        raise InvalidInput([FieldError("address", "must be an e-mail address")])
    return address.strip().lower()


def import_csv(organization_id: str, path: Path, *, connection: Connection | None = None) -> Imported:
    """Take in a file of opt-outs and opt-ins, in one transaction; importing it again changes nothing.

    Args:
        path: CSV in UTF-8 with the columns channel and address, and optionally opted_out (yes if empty) and source.

    Raises:
        InvalidInput: It is no such file.
    """
    imported = 0
    refused: list[FieldError] = []
    with transaction(connection) as opened:
        for number, row in _rows(path):
            try:
                record(
                    organization_id,
                    row["channel"].strip(),
                    row["address"],
                    opted_out=_opted_out(row),
                    source=(row.get("source") or f"import of {path.name}").strip(),
                    connection=opened,
                )
                imported += 1
            except InvalidInput as error:
                refused += [FieldError(f"line {number}: {found.field}", found.rule) for found in error.errors]
    return Imported(imported, refused)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            missing = {"channel", "address"} - set(reader.fieldnames or ())
            if missing:
                raise InvalidInput([FieldError(path.name, f"has no column {', '.join(sorted(missing))}")])
            for row in reader:
                yield reader.line_num, row
    except (UnicodeDecodeError, csv.Error):
        raise InvalidInput([FieldError(path.name, "must be CSV in UTF-8")]) from None


def _opted_out(row: dict[str, str]) -> bool:
    said = (row.get("opted_out") or "").strip().lower()
    if said in _YES:
        return True
    if said in _NO:
        return False
    raise InvalidInput([FieldError("opted_out", "must be yes or no")])
